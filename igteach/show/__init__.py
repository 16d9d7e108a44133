"""Figures of the course: one palette, alt text made from the data, a caption that hides nothing."""

from igteach.show.answers import attribution
from igteach.show.figures import Figure, bars, curves, heatmaps, intervals, plane, rounded
from igteach.show.images import attributions
from igteach.show.matrices import matrix
from igteach.show.tables import axiom_table
from igteach.show.text import text

__all__ = [
    "Figure",
    "attribution",
    "attributions",
    "axiom_table",
    "bars",
    "curves",
    "heatmaps",
    "intervals",
    "matrix",
    "plane",
    "rounded",
    "text",
]
