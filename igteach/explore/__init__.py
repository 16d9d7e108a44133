"""Explorers: pictures with controls for JupyterLab, which stand still on a web page."""

from igteach.explore.baselines import baseline
from igteach.explore.explorer import Explorer
from igteach.explore.paths import path
from igteach.explore.rules import steps
from igteach.explore.uploads import your_picture

__all__ = ["Explorer", "baseline", "path", "steps", "your_picture"]
