"""Live figures: one set of plain scripts, which runs in a page without a kernel and in JupyterLab by anywidget."""

import json
from base64 import b64encode
from importlib.resources import files
from typing import Any

from igteach.explore.widget import FigureWidget
from igteach.show import Figure
from igteach.show.tables import Table

SCRIPTS = files("igteach.explore").joinpath("scripts")
LAST_LINE = (
    'document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", () => igteachLive.start()) '
    ": igteachLive.start();\n"
)
MODULE = """
export default {
  render: ({ model, el }) => igteachLive.show(el, model.get("kind"), model.get("data")),
};
"""


def all_scripts() -> str:
    """What the figures share, and then each figure.

    Example:
        >>> "igteachLive.figures.path =" in all_scripts()
        True
    """
    names = sorted(script.name for script in SCRIPTS.iterdir() if script.name.endswith(".js"))
    names.sort(key=lambda name: name != "common.js")
    return "\n".join(SCRIPTS.joinpath(name).read_text(encoding="utf-8") for name in names)


def script() -> str:
    """The script of a web page with live figures: it starts every one of them, when the page is read.

    Example:
        >>> script().splitlines()[-1][-21:]
        ' igteachLive.start();'
    """
    return all_scripts() + LAST_LINE


class LiveFigure:
    """A figure that its reader changes, by native controls, and a picture that stands where no script runs.

    Args:
        kind: the name of its script.
        data: what the script draws, as JSON takes it.
        still: the picture, or the text in colours, of the start.

    Example:
        >>> from igteach import show
        >>> LiveFigure("path", {"start": 0}, show.bars(["a"], {"share": [1.0]}, ylabel="F"))
        LiveFigure: Bar chart of F. share: a 1.
    """

    def __init__(self, kind: str, data: dict[str, Any], still: Figure | Table) -> None:
        self.kind, self.data, self.still = kind, data, still
        self.widget: Any = None

    def __repr__(self) -> str:
        return f"LiveFigure: {self.still.alt if isinstance(self.still, Figure) else self.still.text}"

    def html(self) -> str:
        """The figure in a page: its data, and its picture until `script` runs.

        Example:
            >>> from igteach import show
            >>> still = show.bars(["a"], {"share": [1.0]}, ylabel="F")
            >>> LiveFigure("path", {"start": "</script>"}, still).html()[:100]
            '<div class="igteach-live" data-figure="path"><script type="application/json">{"start":"\\\\u003c/script'
        """
        data = json.dumps(self.data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
        return (
            f'<div class="igteach-live" data-figure="{self.kind}"><script type="application/json">{data}</script>'
            f"{self.still._repr_html_()}</div>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The widget, and what stays of it in a page."""
        bundle = {**self._view(), "text/plain": repr(self), "text/html": self.html()}
        if isinstance(self.still, Figure):
            bundle["image/png"] = b64encode(self.still._repr_png_()[0]).decode()
        return bundle

    def _view(self) -> dict[str, Any]:
        if self.widget is None:
            self.widget = FigureWidget(_esm=all_scripts() + MODULE, kind=self.kind, data=self.data)
        view, _ = self.widget._repr_mimebundle_()
        return dict(view)
