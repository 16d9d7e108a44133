"""Explorers: pictures with controls in JupyterLab, which are still pictures on a web page."""

from igteach.explore.baselines import baseline_explorer
from igteach.explore.explorer import Explorer
from igteach.explore.paths import path_explorer
from igteach.explore.rules import steps_explorer
from igteach.explore.uploads import your_picture

__all__ = ["Explorer", "baseline_explorer", "path_explorer", "steps_explorer", "your_picture"]
