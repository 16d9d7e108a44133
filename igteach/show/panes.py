"""Panes of several kinds in rows: the picture that stands where a live figure does not run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from igteach.show.figures import Figure, course_in_words, map_in_words, rounded, set_logarithmic
from igteach.show.palette import LINES, MARKERS, WHITE_IS_ZERO
from igteach.show.plates import MANY, PANEL, PERCENTILE, SMALL, draw_map, in_lines, key_in_words

SIDE = PANEL
MARGIN, GAP, HEAD, FOOT = 0.6, 0.1, 0.28, 0.54  # inches: left of an axis, between panes, for titles, below panes
LINE = 0.24  # inches: for a line of the key


@dataclass(frozen=True, eq=False)
class Picture:
    """A pane with a picture as it is.

    Attributes:
        title: above the pane.
        pixels: (height, width, 3) uint8.
    """

    title: str
    pixels: np.ndarray
    margin: ClassVar[float] = 0.0  # inches, to its left

    def draw(self, axes: Axes) -> str:
        """Draw the pane on empty axes; what it shows, in words, or nothing if the title says it all."""
        axes.imshow(self.pixels)
        axes.set(xticks=[], yticks=[])
        return ""


@dataclass(frozen=True, eq=False)
class Heatmap:
    """A pane with signed values, and their colour scale below: white is zero, orange above it, blue below it.

    Attributes:
        title: above the pane.
        values: (height, width).
        top: the value of the strongest colour; larger ones are clipped.
        unit: of the values, below the scale.
        ghost: (height, width), the picture beneath, or None.
    """

    title: str
    values: np.ndarray
    top: float
    unit: str
    ghost: np.ndarray | None = None
    margin: ClassVar[float] = 0.0

    def draw(self, axes: Axes) -> str:
        """Draw the pane on empty axes; what it shows, in words."""
        draw_map(axes, self.values, self.top, self.ghost)
        ramp = ScalarMappable(Normalize(-self.top, self.top), WHITE_IS_ZERO)
        bar = axes.inset_axes((0.1, -0.055, 0.8, 0.03))
        axes.figure.colorbar(ramp, cax=bar, orientation="horizontal", ticks=[-self.top, 0, self.top], format="%.2g")
        bar.tick_params(length=2, pad=1)
        bar.set_xlabel(self.unit, labelpad=1)
        return map_in_words(self.values, "signed", self.top)


@dataclass(frozen=True, eq=False)
class Lines:
    """A pane with lines, and one marked point.

    Attributes:
        title: above the pane.
        lines: by name, the coordinates across and up, (points,) each.
        mark: the coordinates of the marked point.
        xlabel: below the axis.
        limits: the lowest and the highest value on the vertical axis.
        logarithmic: whether both axes are.
    """

    title: str
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]]
    mark: tuple[float, float]
    xlabel: str
    limits: tuple[float, float]
    logarithmic: bool = False
    margin: ClassVar[float] = MARGIN

    def draw(self, axes: Axes) -> str:
        """Draw the pane on empty axes; what it shows, in words."""
        for (name, line), (colour, dashes) in zip(self.lines.items(), LINES, strict=False):
            axes.plot(*line, color=colour, linestyle=dashes, linewidth=2, label=name)
        axes.plot(*self.mark, MARKERS[0], color="black", markeredgecolor="white", markersize=9, label="chosen")
        axes.set_ylim(*self.limits)
        if self.logarithmic:
            set_logarithmic(axes, next(iter(self.lines.values()))[0])
        else:
            axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel(self.xlabel, labelpad=2)
        axes.grid(alpha=0.3)
        axes.legend(loc="best", framealpha=0.9)
        stories = [f"{name} {self._course(up)}" for name, (_, up) in self.lines.items()]
        return f"{'; '.join(stories)}; marked at {self.xlabel} {rounded(self.mark[0], 2):g}"

    def _course(self, up: np.ndarray) -> str:
        """Where a line goes, in words; without numbers if they may be so small that they differ between machines."""
        if not self.logarithmic:
            return f"goes {course_in_words(up, logarithmic=False)}"
        return "falls" if up[-1] < up[0] else "does not fall"


Pane = Picture | Heatmap | Lines


def _key_of(pane: Heatmap) -> str:
    """How maps of this size are read, whatever they will show."""
    key = key_in_words(pane.values.shape, 1.0, pane.ghost)
    return key if pane.values.size <= MANY else f"{key} Colours end at percentile {PERCENTILE:g} of |value|."


def board(*panes: Pane, columns: int = 2) -> Figure:
    """Draw panes in reading order, and describe each in the alt text.

    Args:
        panes: at least one.
        columns: how many stand side by side.

    Example:
        >>> black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
        >>> board(Picture("black", black), Picture("white", white))
        Figure: 2 panes. black. white.
    """
    rows = math.ceil(len(panes) / columns)
    width, high = GAP + min(len(panes), columns) * (SIDE + GAP), HEAD + SIDE + FOOT
    maps = [pane for pane in panes if isinstance(pane, Heatmap)]
    words = in_lines(_key_of(maps[0]), width, SMALL) if maps else ""
    key = LINE * len(words.splitlines())
    height = rows * high + key
    canvas = Canvas(figsize=(width, height))
    canvas.text(GAP / width, 0.05 / height, words)
    stories = []
    for place, pane in enumerate(panes):
        row, column = divmod(place, columns)
        left, low = GAP + column * (SIDE + GAP) + pane.margin, (rows - row - 1) * high + FOOT + key
        wide = SIDE - pane.margin - (GAP if pane.margin else 0)
        axes = canvas.add_axes((left / width, low / height, wide / width, SIDE / height))
        axes.set_title(pane.title, fontsize=SMALL, pad=4)
        story = pane.draw(axes)
        stories.append(f"{pane.title}: {story}" if story else pane.title)
    return Figure(canvas, f"{len(panes)} panes. " + ". ".join(stories) + ".")
