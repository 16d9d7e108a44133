"""One picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), and its values, for the screen."""

import math

import numpy as np
from torch import Tensor
from torch.nn.functional import avg_pool2d

SQUARES = 64  # along the longer side of a heatmap, at most


def check_picture(x: Tensor) -> None:
    """Raise ValueError unless x is one picture in [0, 1].

    Example:
        >>> import torch
        >>> check_picture(torch.zeros(2, 3, 8, 8))
        Traceback (most recent call last):
        ValueError: x has shape (2, 3, 8, 8); pass one picture: (1, 3, H, W), (1, 1, H, W) or (1, H, W)
    """
    is_grey = x.dim() == 3
    has_channels = x.dim() == 4 and x.shape[1] in (1, 3)
    if len(x) != 1 or not (is_grey or has_channels):
        raise ValueError(f"x has shape {tuple(x.shape)}; pass one picture: (1, 3, H, W), (1, 1, H, W) or (1, H, W)")
    if x.min() < -1e-3 or x.max() > 1.001:
        raise ValueError(
            f"x runs from {x.min():.3g} to {x.max():.3g}; pass a picture in [0, 1], and let f begin with the "
            "normalisation that it needs"
        )


def on_screen(x: Tensor) -> np.ndarray:
    """A picture without its batch, as pixels.

    Args:
        x: (3, height, width), (1, height, width) or (height, width); what is outside [0, 1] is clipped.

    Returns:
        (height, width, 3) uint8.

    Example:
        >>> import torch
        >>> on_screen(torch.tensor([[0.0, 2.0]])).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
    """
    levels = x.detach().cpu().float().clamp(0, 1).mul(255).round().byte()
    return levels.expand(3, *levels.shape[-2:]).movedim(0, -1).numpy()


def in_squares(values: Tensor) -> np.ndarray:
    """Sum values over colours, and over squares of pixels that a screen can show.

    Args:
        values: (N, channels, height, width) or (N, height, width).

    Returns:
        (N, rows, columns), sums over squares with sides of `side_of(values)` pixels.

    Example:
        >>> import torch
        >>> in_squares(torch.ones(1, 3, 128, 128))[0, 0, 0].item()  # 3 colours, 2 by 2 pixels
        12.0
    """
    values = values.detach().cpu().double()
    if values.dim() == 4:
        values = values.sum(1)
    return avg_pool2d(values[:, None], side_of(values), ceil_mode=True, divisor_override=1)[:, 0].numpy()


def side_of(values: Tensor) -> int:
    """The smallest side of a square, in pixels, with which at most SQUARES of them lie along the longer side."""
    return math.ceil(max(values.shape[-2:]) / SQUARES)


def by_squares(unit: str, values: Tensor) -> str:
    """The unit of values that are summed over squares; it names the squares if they are larger than a pixel.

    Example:
        >>> import torch
        >>> by_squares("share of F", torch.zeros(1, 128, 128))
        'share of F, by 2 x 2 pixels'
    """
    side = side_of(values)
    return unit if side == 1 else f"{unit}, by {side} x {side} pixels"


def largest(values: np.ndarray) -> float:
    """The largest absolute value, for a colour scale, or 1 if all are 0."""
    return float(np.abs(values).max()) or 1.0
