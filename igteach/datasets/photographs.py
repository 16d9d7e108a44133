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
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")  # others are rarely meant, and some start other programs
LARGEST_PICTURE = 50_000_000  # pixels; opening one takes up to 20 bytes a pixel


def load_photograph(name: str) -> np.ndarray:
    """Load one of the photographs that come with scikit-image.

    Args:
        name: one of PHOTOGRAPHS. Chelsea is a cat; of the two motorcycles it is the left eye's.

    Returns:
        (height, width) of grey values or (height, width, 3) of RGB, uint8.

    Raises:
        ImportError: scikit-image is not installed.
        ValueError: there is no photograph of that name.

    Example:
        >>> load_photograph("chelsea").shape
        (300, 451, 3)

    Source:
        S. van der Walt et al. (2014), scikit-image, https://doi.org/10.7717/peerj.453
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"name is {name!r}; choose one of {', '.join(PHOTOGRAPHS)}, or open_picture(file) for another")
    try:
        from skimage import data
    except ImportError:
        raise ImportError("load_photograph needs scikit-image: pip install scikit-image") from None
    if name == "stereo_motorcycle":
        left, _, _ = data.stereo_motorcycle()
        return left
    return getattr(data, name)()


def open_picture(file: str | Path | bytes | memoryview) -> Image.Image:
    """Open a picture file, whatever its format, in a form that every model here takes.

    Args:
        file: the path of the file, or its content.

    Returns:
        An 8-bit RGB image: upright, what is transparent laid on white, the first frame of an animation.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is empty, damaged or not a picture in one of FORMATS, it has more than 50 million pixels, which
            are then not decoded, or its numbers do not say which of them is white.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("L", (40, 30)).save(file, "PNG")
        >>> picture = open_picture(file.getvalue())
        >>> picture.mode, picture.size
        ('RGB', (40, 30))
    """
    from PIL import Image, ImageOps

    if isinstance(file, str | Path):
        name, content = Path(file).name, Path(file).read_bytes()
    else:
        name, content = "the file", bytes(file)
    if not content:
        raise ValueError(f"{name} is empty; choose another picture")
    try:
        with warnings.catch_warnings(action="ignore"):  # of Pillow: about many pixels, and about EXIF that is damaged
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)  # reads its head only
            pixels = image.width * image.height
            if pixels <= LARGEST_PICTURE:
                image = ImageOps.exif_transpose(image)
                image.load()
    except Image.DecompressionBombError:
        raise ValueError(f"{name} has too many pixels to be opened; scale it down first") from None
    except Image.UnidentifiedImageError:
        raise ValueError(
            f"{name} is not a picture that can be read here; choose one of {', '.join(FORMATS)}, with 8 or 16 bits a "
            "channel"
        ) from None
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
    """Convert a picture to 8-bit RGB: grey becomes three equal channels, and what is transparent becomes white.

    Args:
        image: a PIL image, or an array (height, width) or (height, width, 1, 3 or 4) of uint8, of uint16, or of
            floats in [0, 1].

    Returns:
        An image in mode "RGB".

    Raises:
        TypeError: it is neither an image nor an array, or an array of another type.
        ValueError: it has no pixels, another shape, or values outside [0, 1].

    Example:
        >>> rgb(np.array([[0.0, 1.0]])).getpixel((1, 0))
        (255, 255, 255)
    """
    from PIL import Image

    if isinstance(image, Image.Image) and image.mode[0] in "IF":  # more than 8 bits, which convert() would cut off
        levels, transparent = np.asarray(image), image.info.get("transparency")
        image = Image.fromarray(_in_8_bits(levels))
        if transparent is not None:
            image.putalpha(Image.fromarray(np.where(levels == transparent, 0, 255).astype(np.uint8)))
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
    is_grey = image.ndim == 2
    is_colour = image.ndim == 3 and image.shape[2] in (3, 4)
    if image.size == 0 or not (is_grey or is_colour):
        raise ValueError(f"image has shape {image.shape}; pass (height, width) or (height, width, 1, 3 or 4)")
    if image.dtype == np.uint8:
        return image
    white = {"u2": 65535, "f2": 1, "f4": 1, "f8": 1}.get(image.dtype.str[1:])
    if white is None:
        raise TypeError(f"image is {image.dtype}; pass uint8, uint16, or floats in [0, 1]")
    if not (image.min() >= 0 and image.max() <= white):  # NaN included
        raise ValueError(f"image holds {image.min():g} to {image.max():g}; floats must lie in [0, 1]: divide by 255?")
    return (image * (255.0 / white)).round().astype(np.uint8)
