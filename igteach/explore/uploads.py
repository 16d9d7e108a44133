"""The explorer of the learner's own picture, which leaves a still picture where no widgets run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, FileUpload, Layout, VBox

from igteach.datasets.photographs import open_picture
from igteach.show import Figure

if TYPE_CHECKING:
    from PIL import Image

EXAMPLE = "This is an example. Choose a picture of yours: PNG, JPEG and others, up to 10 MB."
BUSY = "Looking at your picture ..."
UNCHANGED = "The picture below is still the one before."


class Explorer:
    """An upload button, and below it the words and the figure that a function makes of the picture.

    An error at the example reaches the caller. After a file is chosen the words say so, with the sentence of a
    ValueError or the kind of any other error, and the figure stays as it was. `your_picture` makes it.
    """

    def __init__(self, attribute: Callable[[Image.Image], Figure], example: Image.Image) -> None:
        self.attribute, self.example = attribute, example
        layout = Layout(width="auto", align_self="flex-start")
        self.upload = FileUpload(accept="image/*", description="Choose a picture", layout=layout)
        self.picture, self.words = HTML(), HTML()
        self.widget = VBox([self.upload, self.words, self.picture])
        self._draw()
        self.upload.observe(self._changed, names="value")

    def __repr__(self) -> str:
        return f"Explorer: {self.figure.alt}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The widgets and, where none run, the picture as it is now."""
        hint = "<p><em>In JupyterLab this picture has controls: run the notebook there.</em></p>"
        widget = self.widget._repr_mimebundle_()
        png = b64encode(self.figure._repr_png_()[0]).decode()
        return {**widget, "text/plain": repr(self), "text/html": self.picture.value + hint, "image/png": png}

    def _changed(self, _: object) -> None:
        self._say(BUSY)
        try:
            self._draw()
        except ValueError as error:
            self._say(f"{error}\n{UNCHANGED}")
        except Exception as error:  # nobody would see one that leaves a callback
            self._say(f"This did not work, by an error of kind {type(error).__name__}: {error}\n{UNCHANGED}")

    def _draw(self) -> None:
        image, words = self._chosen() if self.upload.value else (self.example, EXAMPLE)
        figure = self.attribute(image)
        self.picture.value = figure._repr_html_()
        self.figure = figure
        self._say(words)

    def _chosen(self) -> tuple[Image.Image, str]:
        """The picture in the chosen file, and what it is in words."""
        (file,) = self.upload.value
        try:
            image = open_picture(bytes(file["content"]))
        except ValueError as error:
            raise ValueError(f"{file['name']}: {error}.") from None
        return image, f"{file['name']}: {image.width} by {image.height} pixels."

    def _say(self, words: str) -> None:
        lines = "<br>".join(escape(line) for line in words.splitlines())
        self.words.value = f'<div style="line-height: 1.5">{lines}</div>'


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
    return Explorer(attribute, example)
