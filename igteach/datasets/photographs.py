"""Photographs that come with scikit-image, and a learner's own picture files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "coins", "rocket", "stereo_motorcycle")
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")  # others are seldom meant, and some start other programs
LARGEST_PICTURE = 50_000_000  # pixels; opening one takes up to 20 bytes a pixel


def load_photograph(name: str) -> np.ndarray:
    """One of PHOTOGRAPHS: (height, width) of grey or (height, width, 3) of RGB, uint8; chelsea is a cat.

    Raises ValueError for another name, and ImportError where scikit-image is not installed.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"name is {name!r}; choose one of {', '.join(PHOTOGRAPHS)}, or open_picture(file) for another")
    try:
        from skimage import data
    except ImportError:
        raise ImportError("load_photograph needs scikit-image: pip install scikit-image") from None
    found = getattr(data, name)()
    return found[0] if name == "stereo_motorcycle" else found  # the left eye's


def open_picture(file: str | Path | bytes | memoryview) -> Image.Image:
    """The picture in a file: 8-bit RGB, upright, alpha on white, the first frame.

    Args:
        file: Its path, or its content.

    Returns:
        The picture.

    Raises:
        ValueError: In one sentence, if the file is empty, broken, or not a picture in one of FORMATS, if it has more
            than 50 million pixels, which are then not decoded, or if its numbers are none of a picture's.
        OSError: If the path cannot be read.

    Example:
        >>> open_picture(b"")
        Traceback (most recent call last):
        ValueError: the file is empty; choose another picture
    """
    from PIL import Image, ImageOps

    name = Path(file).name if isinstance(file, str | Path) else "the file"
    content = Path(file).read_bytes() if isinstance(file, str | Path) else bytes(file)
    if not content:
        raise ValueError(f"{name} is empty; choose another picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)  # reads its head only
        pixels = image.width * image.height
        if pixels <= LARGEST_PICTURE:
            image = ImageOps.exif_transpose(image)
            image.load()
    except Image.DecompressionBombError:
        raise ValueError(f"{name} has too many pixels to be opened; scale it down first") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{name} is not a picture that can be read here; choose one of {', '.join(FORMATS)}") from None
    except Exception as error:  # Pillow's readers raise errors of every kind
        raise ValueError(f"{name} is a broken picture ({error}); copy or save it again") from None
    if pixels > LARGEST_PICTURE:
        raise ValueError(
            f"{name} has {pixels / 1e6:.1f} million pixels, and at most {LARGEST_PICTURE / 1e6:.0f} million are "
            "opened; scale it down first"
        )
    try:
        return rgb(image)
    except (TypeError, ValueError) as error:  # 32-bit numbers, of which nobody says which is white
        raise ValueError(f"{name} cannot be shown as it is ({error}); save it with 8 or 16 bits a channel") from None


def rgb(image: Image.Image | np.ndarray) -> Image.Image:
    """The picture in 8-bit RGB: grey becomes three equal channels, and what is transparent shows white.

    image  a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of uint8, of uint16, or of floats in
           [0, 1]
    Raises TypeError or ValueError for anything else.
    """
    from PIL import Image

    if isinstance(image, Image.Image) and image.mode[0] in "IF":  # more than 8 bits, which convert() would cut off
        image = np.asarray(image)
    if isinstance(image, np.ndarray):
        image = Image.fromarray(_in_8_bits(image))
    if not isinstance(image, Image.Image):
        raise TypeError(f"image is {type(image).__name__}; pass a PIL image or an array (height, width, 3)")
    if 0 in image.size:
        raise ValueError(f"image has {image.width} by {image.height} pixels; pass one with a pixel in it")
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return image.convert("RGB")


def _in_8_bits(image: np.ndarray) -> np.ndarray:
    """The array (height, width) or (height, width, 3 or 4) in uint8."""
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.size == 0 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))):
        raise ValueError(f"image has shape {image.shape}; pass (height, width) or (height, width, 1, 3 or 4)")
    if image.dtype == np.uint8:
        return image
    top = {"u2": 65535, "f2": 1, "f4": 1, "f8": 1}.get(image.dtype.str[1:])
    if top is None:
        raise TypeError(f"image is {image.dtype}; pass uint8, uint16, or floats in [0, 1]")
    if not (image.min() >= 0 and image.max() <= top):  # NaN included
        raise ValueError(f"image holds {image.min():g} to {image.max():g}; floats must lie in [0, 1]: divide by 255?")
    return (image * (255.0 / top)).round().astype(np.uint8)
