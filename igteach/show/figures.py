"""Curves, bars, intervals, heatmaps and the plane of two features, as figures that carry their own description."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Canvas
from PIL import Image
from torch import Tensor

from igteach.show.palette import LINES, MAGNITUDE, MARKERS, PICTURE, SIGNED

SHADES = [round(round(value * 31 / 255) * 255 / 31) for value in range(256)]
ZERO = 1e-12  # what is smaller is printed as 0
Values = Sequence[float] | np.ndarray | Tensor


@dataclass(frozen=True, eq=False)
class Figure:
    """A matplotlib figure and its alt text; a notebook shows both, a terminal the text.

    A notebook's picture has 32 shades of red, green and blue, not 256: a photograph takes half the bytes.
    """

    canvas: Canvas
    alt: str

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        drawn, picture = io.BytesIO(), io.BytesIO()
        self.canvas.savefig(drawn, format="png", dpi=80, pil_kwargs={"compress_level": 0})
        Image.open(drawn).convert("RGB").point(SHADES * 3).save(picture, format="png")
        data = base64.b64encode(picture.getvalue()).decode()
        return f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}">'

    def save(self, path: str | Path) -> None:
        """Write the figure as PNG, SVG or PDF, as the name ends; the alt text is its description."""
        kind = Path(path).suffix.lower()
        title = {".svg": "Description", ".png": "Description", ".pdf": "Subject"}.get(kind)
        if title is None:
            raise ValueError(f"path ends in {kind!r}; use .png, .svg or .pdf")
        self.canvas.savefig(path, metadata={title: self.alt})


def curves(
    x: Values,
    lines: Mapping[str, Values],
    *,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = False,
) -> Figure:
    """Lines over a common x, each of its own colour and dash pattern.

    x: (points,); lines: name -> (points,). With `logarithmic`, both axes are.
    """
    canvas = Canvas(figsize=(6.4, 3.4), layout="constrained")
    axes = canvas.add_subplot()
    across = numbers(x)
    for (name, values), (colour, dashes) in zip(lines.items(), _repeated(LINES), strict=False):
        axes.plot(across, numbers(values), color=colour, linestyle=dashes, linewidth=2, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if logarithmic:
        axes.set(xscale="log", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    stories = [f"{name} goes {course_in_words(numbers(values), logarithmic)}" for name, values in lines.items()]
    return Figure(canvas, f"Line plot of {ylabel} against {xlabel}. " + "; ".join(stories) + ".")


def bars(labels: Sequence[str], groups: Mapping[str, Values], *, ylabel: str) -> Figure:
    """Bars side by side, a group for each label, a hatch and colour for each series.

    groups: name -> (labels,).
    """
    canvas = Canvas(figsize=(6.4, 3.4), layout="constrained")
    axes = canvas.add_subplot()
    width = 0.8 / len(groups)
    places = np.arange(len(labels))
    hatches = ("", "//", "..", "xx", "--", "++")
    for number, (name, values) in enumerate(groups.items()):
        colour = LINES[number % len(LINES)][0]
        offset = (number - (len(groups) - 1) / 2) * width
        axes.bar(
            places + offset,
            numbers(values),
            width,
            label=name,
            color=colour,
            edgecolor="white",
            hatch=hatches[number % 6],
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(places, labels)
    axes.set_ylabel(ylabel)
    if len(groups) > 1:
        axes.margins(y=0.3)
        axes.legend()
    else:
        axes.set_title(next(iter(groups)), fontsize=10)
    stories = [
        f"{name}: "
        + ", ".join(f"{label} {rounded(value, 2):g}" for label, value in zip(labels, numbers(values), strict=True))
        for name, values in groups.items()
    ]
    return Figure(canvas, f"Bar chart of {ylabel}. " + "; ".join(stories) + ".")


def intervals(scores: Mapping[str, tuple[float, float, float]], *, xlabel: str, control: str | None = None) -> Figure:
    """A dot for each mean and a line for the interval around it, one method under the other, from 0 on or from below.

    scores: name -> (mean, low, high). A dotted line leads down through the mean of `control`, one of the names.
    Raises ValueError for a control that is none of them.
    """
    if control is not None and control not in scores:
        raise ValueError(f"control is {control!r}; choose one of {', '.join(scores)}")
    canvas = Canvas(figsize=(6.4, 0.8 + 0.36 * len(scores)), layout="constrained")
    axes = canvas.add_subplot()
    means, low, high = numbers(np.array([*scores.values()])).T
    rows = np.arange(len(scores))
    axes.hlines(rows, low, high, color="black", linewidth=1.5)
    axes.plot(means, rows, MARKERS[0], color=LINES[0][0], markersize=8)
    if control is not None:
        axes.axvline(scores[control][0], color="black", linestyle=":", linewidth=1)
    axes.set_yticks(rows, [*scores])
    axes.set(xlabel=xlabel, ylim=(len(scores) - 0.5, -0.5), xlim=(None if low.min() < 0 else 0, None))
    axes.grid(axis="x", alpha=0.3)
    stories = [f"{name} {_two(mean)} ({_two(a)} to {_two(b)})" for name, (mean, a, b) in scores.items()]
    return Figure(canvas, f"Means of {xlabel}, with intervals. " + "; ".join(stories) + ".")


def _two(number: float) -> str:
    return f"{rounded(number, 2):g}"


def heatmaps(
    panels: Mapping[str, Values],
    *,
    kind: str = "signed",
    scale: float | None = None,
    picture: Values | None = None,
) -> Figure:
    """Heatmaps in a row on ONE colour scale, which is printed beside them; before them the picture, if given.

    panels: title -> (height, width). kind is "signed" (grey is zero, light positive, dark negative), "magnitude"
    (white is zero) or "picture" (grey values). scale: the value of the strongest colour; None is the largest
    of all panels. picture: (height, width). A picture may also be (3, height, width), RGB in [0, 1], on no scale.
    Raises ValueError for another kind or shape, and for negative values as magnitude.
    """
    kinds = {"signed": SIGNED, "magnitude": MAGNITUDE, "picture": PICTURE}
    if kind not in kinds:
        raise ValueError(f"kind is {kind!r}; choose one of {', '.join(kinds)}")
    images = {title: _upright(numbers(values), f"panels[{title!r}]", kind) for title, values in panels.items()}
    if kind == "magnitude" and any((image < 0).any() for image in images.values()):
        raise ValueError("panels hold negative values, which kind 'magnitude' cannot show; take abs() or kind='signed'")
    top = scale or max(float(np.abs(image).max()) for image in images.values()) or 1.0
    norm = Normalize(-top if kind == "signed" else 0.0, top)
    count = len(images) + (picture is not None)
    canvas = Canvas(figsize=(2.3 * count + 0.9, 2.6), layout="constrained")
    panes = list(canvas.subplots(1, count, squeeze=False)[0])
    if picture is not None:
        first = panes.pop(0)
        first.imshow(_upright(numbers(picture), "picture", "picture"), cmap=PICTURE, interpolation="nearest")
        _title(first, "the picture")
    for pane, (title, image) in zip(panes, images.items(), strict=True):
        shown = pane.imshow(image, cmap=kinds[kind], norm=norm, interpolation="nearest")
        _title(pane, title)
    if kind != "picture":
        canvas.colorbar(shown, ax=panes, shrink=0.8, format="%.2g")
    words = {"signed": "Signed heatmaps", "magnitude": "Heatmaps of magnitude", "picture": "Pictures"}[kind]
    stories = [f"{title}: {map_in_words(image, kind, top)}" for title, image in images.items()]
    return Figure(canvas, f"{words}, {len(images)} on one scale. " + "; ".join(stories) + ".")


def plane(
    grid: Values,
    across: tuple[float, float],
    up: tuple[float, float],
    path: Values,
    *,
    xlabel: str = "x1",
    ylabel: str = "x2",
) -> Figure:
    """F over two features as contours, and a path from baseline to input drawn on it.

    grid: (rows, columns), F on an even grid from the lower left; across, up: its limits; path: (points, 2).
    """
    canvas = Canvas(figsize=(4.6, 3.8), layout="constrained")
    axes = canvas.add_subplot()
    values, way = numbers(grid), numbers(path)
    xs = np.linspace(*across, values.shape[1])
    ys = np.linspace(*up, values.shape[0])
    contours = axes.contourf(xs, ys, values, levels=12, cmap=SIGNED)
    canvas.colorbar(contours, ax=axes, label="F")
    axes.plot(way[:, 0], way[:, 1], color="white", linewidth=3.5)
    axes.plot(way[:, 0], way[:, 1], color="black", linewidth=1.5)
    for point, marker, name in ((way[0], MARKERS[0], "baseline"), (way[-1], MARKERS[1], "input")):
        axes.plot(
            *point, marker=marker, color="white", markeredgecolor="black", markersize=10, linestyle="none", label=name
        )
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.legend(loc="best")
    ends = [f"({rounded(point[0], 2):g}, {rounded(point[1], 2):g})" for point in (way[0], way[-1])]
    return Figure(canvas, f"Contours of F over {xlabel} and {ylabel}, with a path from {ends[0]} to {ends[1]}.")


def numbers(values: Values, name: str = "values to draw") -> np.ndarray:
    """An array of floats; ValueError, with the name, where it is empty or holds NaN or infinity."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().numpy()
    array = np.asarray([value.item() if isinstance(value, Tensor) else value for value in values], dtype=float)
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name} are empty or hold NaN or infinity; draw finite numbers")
    return array


def _upright(values: np.ndarray, name: str, kind: str) -> np.ndarray:
    """(height, width), or the colours of a picture as (height, width, 3)."""
    if values.ndim == 2:
        return values
    if kind != "picture" or values.ndim != 3 or len(values) != 3:
        wanted = "(height, width)" + " or (3, height, width)" * (kind == "picture")
        raise ValueError(f"{name} has shape {values.shape}; pass {wanted}")
    return values.transpose(1, 2, 0).clip(0, 1)


def _repeated(styles: Sequence[Any]) -> list[Any]:
    return list(styles) * 10


def _title(pane: Axes, title: str) -> None:
    pane.set_title(title, fontsize=10)
    pane.set_xticks([])
    pane.set_yticks([])


def course_in_words(values: np.ndarray, logarithmic: bool) -> str:
    """Where a line starts and ends, and a peak or trough between them that the eye would see."""
    start, end = values[0], values[-1]
    story = f"from {rounded(start, 2):g} to {rounded(end, 2):g}"
    heights = np.log(values.clip(min=np.finfo(float).tiny)) if logarithmic else values
    visible = 0.1 * np.ptp(heights)
    for word, place in (("up to", heights.argmax()), ("down to", heights.argmin())):
        if abs(heights[place] - heights[0]) > visible and abs(heights[place] - heights[-1]) > visible:
            story += f", on the way {word} {rounded(values[place], 2):g}"
    return story


def map_in_words(image: np.ndarray, kind: str, top: float) -> str:
    """Where a picture is strongest, and how strong, for a reader who does not see it; colours have no such place."""
    if image.ndim == 3:
        return f"{image.shape[0]} by {image.shape[1]}, in colours"
    strongest = np.abs(image).max()
    if strongest < 0.1 * top:
        return "next to nothing"
    row, column = np.unravel_index(np.abs(image).argmax(), image.shape)
    place = f"strongest in row {row + 1}, column {column + 1} of {image.shape[0]} by {image.shape[1]}"
    if kind != "signed":
        return place
    positive = image.clip(min=0).sum() / np.abs(image).sum()
    return f"{place}, about {round(positive * 10) * 10}% of its mass positive"


def rounded(values: Tensor | Sequence[Any] | float, digits: int = 3) -> Any:
    """Numbers to so many significant digits, as plain (lists of) floats: a lesson prints the same everywhere."""
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().tolist()
    if isinstance(values, Sequence):
        return [rounded(value, digits) for value in values]
    value = float(values)
    return 0.0 if abs(value) < ZERO else float(f"{value:.{digits}g}")
