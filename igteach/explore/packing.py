"""Pictures and maps as small JSON, for the live figures of a page."""

import io
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from igteach.show import rounded
from igteach.show.plates import COARSE, FEW_SQUARES, ink_of

LARGEST = 224  # pixels along a picture's longer side
QUALITY = 70  # of a JPEG


def in_blocks(maps: np.ndarray) -> tuple[np.ndarray, int]:
    """Sum maps over square blocks, so that at most COARSE squares lie along a side.

    Args:
        maps: (N, height, width).

    Returns:
        The sums, (N, rows, columns), and the pixels along a block's side; blocks at the right and below may be smaller.

    Example:
        >>> sums, side = in_blocks(np.ones((1, 128, 130)))
        >>> sums.shape, side, sums[0, 0, 0].item()
        ((1, 43, 44), 3, 9.0)
    """
    _, height, width = maps.shape
    side = -(-max(height, width) // COARSE)
    padded = np.pad(maps, [(0, 0), (0, -height % side), (0, -width % side)])
    return padded.reshape(len(maps), padded.shape[1] // side, side, padded.shape[2] // side, side).sum((2, 4)), side


def at_pixels(squares: np.ndarray, side: int, height: int, width: int) -> np.ndarray:
    """Draw each square over the pixels of its block.

    Args:
        squares: (rows, columns), of `in_blocks`.
        side: the pixels along a block's side.
        height: of the picture.
        width: of the picture.

    Returns:
        (height, width).

    Example:
        >>> at_pixels(np.array([[1.0, 2.0]]), 2, 2, 3).tolist()
        [[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]
    """
    return squares.repeat(side, 0).repeat(side, 1)[:height, :width]


def squares_in_words(side: int, channels: int) -> str:
    """What a square of a map sums over, as a sentence, or nothing.

    Example:
        >>> squares_in_words(4, 3), squares_in_words(1, 1)
        ('Each square sums 4 by 4 pixels and 3 colours.', '')
    """
    summed = [f"{side} by {side} pixels"] * (side > 1) + [f"{channels} colours"] * (channels > 1)
    return f"Each square sums {' and '.join(summed)}." if summed else ""


def packed(maps: np.ndarray, top: float) -> dict[str, Any]:
    """Maps as whole numbers of a step, which `igteachLive.decode` reads.

    Args:
        maps: (N, height, width).
        top: the value of the strongest colour; larger ones are clipped.

    Returns:
        The shape, the step, and the whole numbers from -127 to 127 in base64.

    Example:
        >>> packed(np.array([[[1.0, -0.5]]]), top=1.27)
        {'shape': [1, 1, 2], 'step': 0.01, 'values': 'ZM4='}
    """
    step = top / 127
    whole = np.rint(maps.clip(-top, top) / step).astype(np.int8)
    return {
        "shape": list(maps.shape),
        "step": float(f"{step:.8g}"),
        "values": b64encode(whole.tobytes()).decode(),
    }


def short(values: Sequence[float] | np.ndarray) -> list[float]:
    """Numbers with six digits.

    Example:
        >>> short(np.array([1 / 3, 2.0]))
        [0.333333, 2.0]
    """
    shortened: list[float] = rounded([float(value) for value in values], 6)
    return shortened


def picture_uri(pixels: np.ndarray) -> str:
    """A picture as an address that holds it: a PNG if it is small, or else a JPEG of at most LARGEST pixels a side.

    Args:
        pixels: (height, width, 3) uint8.

    Example:
        >>> picture_uri(np.zeros((2, 2, 3), np.uint8))[:22]
        'data:image/png;base64,'
    """
    image, file = Image.fromarray(pixels), io.BytesIO()
    if max(image.size) <= COARSE:
        image.save(file, "png", optimize=True)
        return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
    image.thumbnail((LARGEST, LARGEST))
    image.save(file, "jpeg", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"


def beneath(ghost: np.ndarray, side: int) -> dict[str, Any]:
    """What lies beneath a map: a light grey picture, or, of few squares, which of them are ink.

    Args:
        ghost: (height, width), of `igteach.explore.pictures.ghost`.
        side: the pixels along a side of the map's squares, which may reach beyond the picture.

    Returns:
        `ghost`, an address or None, and `ink`, None or a list of 0 and 1.

    Example:
        >>> beneath(np.array([[0.7, 1.0]]), side=1)
        {'ghost': None, 'ink': [1, 0]}
    """
    if max(ghost.shape) <= FEW_SQUARES:
        return {"ghost": None, "ink": ink_of(ghost).ravel().astype(int).tolist()}
    height, width = ghost.shape
    ghost = np.pad(ghost, [(0, -height % side), (0, -width % side)], constant_values=1.0)
    levels = (255 * ghost).round().clip(0, 255).astype(np.uint8)
    return {"ghost": picture_uri(np.repeat(levels[..., None], 3, axis=2)), "ink": None}
