"""An explorer: controls, the picture that they draw, and a picture that stands still where no widgets run."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ipywidgets import HTML, HBox, Layout, ValueWidget, VBox

from igteach.show import Figure

UNCHANGED = "The picture below is still the one before."
View = tuple[Figure, str]  # a picture, and what it shows in words


class Explorer:
    """Controls above the words and the picture that `draw` makes of their values.

    draw      the values of the controls, by name, to a picture and words; called once here, then at every change
    controls  name -> widget
    busy      said while `draw` is at work; for one that takes long

    What `draw` raises here reaches the caller. What it raises after a change is said in the words: the sentence of a
    ValueError, or the kind of any other error. The picture then stays as it was.
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
        """The widgets; and, for where none run, the picture as it stands."""
        hint = "<p><em>In JupyterLab this picture has controls: run the notebook there.</em></p>"
        widget = self.widget._repr_mimebundle_()
        return {**widget, "text/plain": repr(self), "text/html": self.picture.value + hint}

    def _changed(self, _: object) -> None:
        if self.busy:
            self._say(self.busy)
        try:
            self._draw()
        except ValueError as error:
            self._say(f"{error}\n{UNCHANGED}")
        except Exception as error:  # one that left a callback would be seen by nobody
            self._say(f"This did not work, by an error of kind {type(error).__name__}: {error}\n{UNCHANGED}")

    def _draw(self) -> None:
        figure, words = self.draw(**{name: control.value for name, control in self.controls.items()})
        self.alt = figure.alt
        self.picture.value = figure._repr_html_()
        self._say(words)

    def _say(self, words: str) -> None:
        lines = "<br>".join(escape(line) for line in words.splitlines())
        self.words.value = f'<div style="line-height: 1.5">{lines}</div>'
