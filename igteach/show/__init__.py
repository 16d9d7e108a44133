"""Figures of the course: one palette, alt text made from the data, a caption that hides nothing."""

from igteach.show.figures import Figure, bars, curves, heatmaps, plane, rounded

__all__ = ["Figure", "bars", "curves", "heatmaps", "plane", "rounded"]
