"""Explorers: figures that a reader changes, in JupyterLab and, but for `your_picture`, on a web page."""

from igteach.explore.baselines import baseline_explorer
from igteach.explore.cuts import cuts_explorer
from igteach.explore.drawing import draw_digit
from igteach.explore.live import LiveFigure
from igteach.explore.paths import path_explorer
from igteach.explore.rules import steps_explorer
from igteach.explore.surfaces import surface_explorer
from igteach.explore.tokens import token_explorer
from igteach.explore.uploads import your_picture

__all__ = [
    "LiveFigure",
    "baseline_explorer",
    "cuts_explorer",
    "draw_digit",
    "path_explorer",
    "steps_explorer",
    "surface_explorer",
    "token_explorer",
    "your_picture",
]
