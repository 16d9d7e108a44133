"""The explorer of the learner's own picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ipywidgets import FileUpload, Layout

from igteach.datasets.photographs import open_picture
from igteach.explore.explorer import Explorer, View
from igteach.show import Figure

if TYPE_CHECKING:
    from PIL import Image

EXAMPLE = "This is an example. Choose a picture of yours: PNG, JPEG and others, up to 10 MB."


def your_picture(attribute: Callable[[Image.Image], Figure], example: Image.Image) -> Explorer:
    """Choose a picture file from your machine: it is opened upright, in RGB, and attributed.

    If a file cannot be opened, a sentence says why. A file of more than 10 MB arrives only if JupyterLab is set up to
    accept messages of that size, by tornado's `websocket_max_message_size`; otherwise the browser drops it silently.

    Args:
        attribute: from a picture to the figure that explains it. If it raises a ValueError, its message is shown.
        example: the picture that is shown until a file is chosen.

    Returns:
        The explorer, which a notebook shows.

    Example:
        >>> from PIL import Image
        >>> from igteach import show
        >>> def attribute(image):
        ...     return show.bars(["red"], {"mean": [image.getpixel((0, 0))[0]]}, ylabel="level")
        >>> your_picture(attribute, example=Image.new("RGB", (2, 2), "red"))
        Explorer: Bar chart of level. mean: red 260.
    """

    def draw(files: tuple[dict[str, Any], ...]) -> View:
        if not files:
            return attribute(example), EXAMPLE
        name, content = files[0]["name"], bytes(files[0]["content"])
        try:
            image = open_picture(content)
        except ValueError as error:
            raise ValueError(f"{name}: {error}.") from None
        return attribute(image), f"{name}: {image.width} by {image.height} pixels."

    upload = FileUpload(accept="image/*", description="Choose a picture", layout=Layout(width="auto"))
    return Explorer(draw, {"files": upload}, busy="Looking at your picture ...")
