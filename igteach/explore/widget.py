"""The widget that runs a live figure in JupyterLab."""

from anywidget import AnyWidget
from traitlets import Dict, Unicode


class FigureWidget(AnyWidget):
    """A figure of `igteach.explore.live` in a cell's output.

    Example:
        >>> FigureWidget(_esm="export default {}", kind="path", data={"start": 0}).kind
        'path'
    """

    _esm = Unicode().tag(sync=True)
    kind = Unicode().tag(sync=True)
    data = Dict().tag(sync=True)
