"""An explorer: controls, the picture that they draw, and a still picture where no widgets run."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ipywidgets import HTML, HBox, Layout, ValueWidget, VBox

from igteach.show import Figure

UNCHANGED = "The picture below is still the one before."
View = tuple[Figure, str]  # a picture, and what it shows, in words


class Explorer:
    """Controls, and below them the words and the picture that a function makes of their values.

    If the function raises an error at the start, the caller gets it. If it raises one after a change, the words say so,
    with the sentence of a ValueError or the kind of any other error, and the picture stays as it was.

    Args:
        draw: takes the values of the controls by name, and returns a picture and words. It is called once at the start,
            then at every change.
        controls: widgets by name.
        busy: words to show while `draw` works, if that takes long.

    Example:
        >>> from ipywidgets import IntSlider
        >>> from igteach import show
        >>> def draw(n):
        ...     return show.bars(["n"], {"the value": [n]}, ylabel="n"), f"n is {n}."
        >>> Explorer(draw, {"n": IntSlider(value=3)})
        Explorer: Bar chart of n. the value: n 3.
    """

    def __init__(self, draw: Callable[..., View], controls: Mapping[str, ValueWidget], busy: str = "") -> None:
        self.draw, self.controls, self.busy = draw, dict(controls), busy
        self.picture, self.words = HTML(), HTML()
        self.widget = VBox([HBox([*controls.values()], layout=Layout(flex_flow="row wrap")), self.words, self.picture])
        self._draw()
        for control in controls.values():
            control.observe(self._changed, names="value")

    def __repr__(self) -> str:
        return f"Explorer: {self.alt}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The widgets and, where none run, the picture as it is now."""
        hint = "<p><em>In JupyterLab this picture has controls: run the notebook there.</em></p>"
        widget = self.widget._repr_mimebundle_()
        png = b64encode(self.figure._repr_png_()[0]).decode()
        return {**widget, "text/plain": repr(self), "text/html": self.picture.value + hint, "image/png": png}

    def _changed(self, _: object) -> None:
        if self.busy:
            self._say(self.busy)
        try:
            self._draw()
        except ValueError as error:
            self._say(f"{error}\n{UNCHANGED}")
        except Exception as error:  # nobody would see one that leaves a callback
            self._say(f"This did not work, by an error of kind {type(error).__name__}: {error}\n{UNCHANGED}")

    def _draw(self) -> None:
        figure, words = self.draw(**{name: control.value for name, control in self.controls.items()})
        self.alt = figure.alt
        self.picture.value = figure._repr_html_()
        self.figure = figure
        self._say(words)

    def _say(self, words: str) -> None:
        lines = "<br>".join(escape(line) for line in words.splitlines())
        self.words.value = f'<div style="line-height: 1.5">{lines}</div>'
