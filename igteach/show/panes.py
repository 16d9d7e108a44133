"""Panes in a row, for a picture that changes with every drag. Their places are fixed, and the figure is made once:
a new one for each drag would be garbage, and Python takes longer to collect that than to draw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from igteach.show.figures import Figure, course_in_words, map_in_words, rounded
from igteach.show.palette import LINES, MARKERS, SIGNED

SIDE, GAP, HEAD, FOOT = 1.75, 0.1, 0.3, 0.6  # inches: a pane's sides, between panes, for titles, for what lies below


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is: pixels (H, W, 3) uint8."""

    title: str
    pixels: np.ndarray
    margin: ClassVar[float] = 0.0  # inches, at its left
    width: ClassVar[float] = SIDE

    def build(self, axes: Axes) -> None:
        axes.imshow(self.pixels)
        axes.set(xticks=[], yticks=[])

    def fill(self, axes: Axes) -> str:
        """What the pane shows, in words; empty where the title says it all."""
        axes.images[0].set_data(self.pixels)
        return ""


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Signed values (h, w), their colour scale below: grey is zero, light positive, dark negative."""

    title: str
    values: np.ndarray
    top: float  # the value of the strongest colour; what is beyond is clipped
    unit: str
    margin: ClassVar[float] = 0.0
    width: ClassVar[float] = SIDE

    def build(self, axes: Axes) -> None:
        shown = axes.imshow(self.values, cmap=SIGNED, norm=Normalize(-self.top, self.top), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        bar = axes.inset_axes((0.1, -0.09, 0.8, 0.05))
        axes.figure.colorbar(shown, cax=bar, orientation="horizontal", ticks=[-self.top, 0, self.top], format="%.2g")
        bar.tick_params(labelsize=7, length=2, pad=1)
        bar.set_xlabel(self.unit, fontsize=8, labelpad=1)

    def fill(self, axes: Axes) -> str:
        axes.images[0].set_data(self.values)
        return map_in_words(self.values, "signed", self.top)


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines over a common axis, one point of which is marked: name -> (across, up), each (points,)."""

    title: str
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]]
    mark: tuple[float, float]
    xlabel: str
    limits: tuple[float, float]  # of the axis upwards
    logarithmic: bool = False
    margin: ClassVar[float] = 0.5
    width: ClassVar[float] = 2.3

    def build(self, axes: Axes) -> None:
        for (name, line), (colour, dashes) in zip(self.lines.items(), LINES, strict=False):
            axes.plot(*line, color=colour, linestyle=dashes, linewidth=2, label=name)
        axes.plot(*self.mark, MARKERS[0], color="black", markeredgecolor="white", markersize=9)
        axes.set_ylim(*self.limits)
        if self.logarithmic:
            axes.set(xscale="log", yscale="log")
            axes.xaxis.set(major_locator=LogLocator(2), minor_locator=NullLocator(), major_formatter="{x:g}")
            axes.yaxis.set(minor_locator=NullLocator(), minor_formatter=NullFormatter())
        else:
            axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(labelsize=8)
        axes.set_xlabel(self.xlabel, fontsize=8, labelpad=2)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="best", framealpha=0.9)

    def fill(self, axes: Axes) -> str:
        stories = []
        *drawn, mark = axes.lines
        for line, (name, (across, up)) in zip(drawn, self.lines.items(), strict=True):
            line.set_data(across, up)
            fall = "falls" if up[-1] < up[0] else "does not fall"  # digits so small differ from machine to machine
            stories.append(f"{name} {fall if self.logarithmic else 'goes ' + course_in_words(up, False)}")
        mark.set_data(*([place] for place in self.mark))
        return f"{'; '.join(stories)}; marked at {self.xlabel} {rounded(self.mark[0], 2):g}"


Pane = Picture | Heatmap | Lines


class Row:
    """A figure of panes from left to right, whose alt text tells of each.

    panes  those of the first picture, with which scales, units, limits and names of lines are settled
    """

    def __init__(self, *panes: Pane) -> None:
        width = GAP + sum(pane.margin + pane.width + GAP for pane in panes)
        height = HEAD + SIDE + FOOT
        self.canvas, left = Canvas(figsize=(width, height)), GAP
        for pane in panes:
            left += pane.margin
            pane.build(self.canvas.add_axes((left / width, FOOT / height, pane.width / width, SIDE / height)))
            left += pane.width + GAP

    def show(self, *panes: Pane) -> Figure:
        """The figure with the titles, values and lines of these panes; the one shown before is no more."""
        stories = []
        for pane, axes in zip(panes, self.canvas.axes, strict=True):
            axes.set_title(pane.title, fontsize=9, pad=4)
            stories.append(": ".join(filter(None, [pane.title, pane.fill(axes)])))
        return Figure(self.canvas, f"{len(panes)} panes in a row. " + ". ".join(stories) + ".")
