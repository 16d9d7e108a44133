"""Curves, bars, intervals, heatmaps and the plane of two features, as figures that carry their own description."""

import base64
import html
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator
from PIL import Image
from torch import Tensor

from igteach.show.palette import LINES, MAGNITUDE, MARKERS, PICTURE, SURFACE, WHITE_IS_ZERO
from igteach.show.plates import PANEL, SMALL, TEXT, TITLE, columns_for, draw_map, ghost_of, in_lines, key_in_words

DPI, CSS = 160, 80  # pixels of a picture, and of a page, in an inch: sharp on screens with two pixels for each of CSS
PHOTOGRAPH_COLOURS, QUALITY = 128, 30  # of a PNG, of a WebP: with two pixels for one, no eye sees more
FEW = 4096  # colours: what a drawing without a photograph has at most
MOST_TICKS, CLOSEST_TICKS = 12, 0.04  # on a logarithmic axis: how many, how close in fractions of the axis
TICK_DIGITS = 6  # of a number on a tick there, at most
NEAR_ZERO = 0.25  # a lowest value below this fraction of the highest brings 0 onto the axis
MEASURED = 25  # points of a line: up to so many are marked
ZERO = 1e-12  # a smaller absolute value is printed as 0
PICTURE_PANEL = 2.4  # inches
MOST_NUMBERED = 16  # bars: up to so many have their numbers on them
HATCHES = ("", "..", "xx", "oo", "--", "++")  # of bars; what is negative has lines aslant
Values = Sequence[float] | np.ndarray | Tensor


@dataclass(frozen=True, eq=False)
class Figure:
    """A matplotlib figure and its alt text. A notebook shows both, a terminal the text.

    In a notebook the picture has two pixels for each of the page's, so that it is sharp on every screen.

    Attributes:
        canvas: the figure of matplotlib.
        alt: what it shows, in words made from the data.

    Example:
        >>> bars(["a", "b"], {"share": [0.25, 0.75]}, ylabel="F")
        Figure: Bar chart of F. share: a 0.25, b 0.75.
    """

    canvas: Canvas
    alt: str

    def __post_init__(self) -> None:
        for text in self.canvas.findobj(Text):
            if "$" in text.get_text():
                text.set_parse_math(_is_formula(text.get_text()))

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_html_(self) -> str:
        """One image with its alt text: as a web page shows it, with WebP's compression for photographs."""
        picture, drawn = io.BytesIO(), self._drawn()
        lossless = drawn.getcolors(FEW) is not None
        drawn.save(picture, format="webp", lossless=lossless, quality=0 if lossless else QUALITY, method=4)
        data = base64.b64encode(picture.getvalue()).decode()
        style = "max-width: 100%; height: auto"
        return (
            f'<img alt="{html.escape(self.alt)}" width="{drawn.width * CSS // DPI}" style="{style}" '
            f'src="data:image/webp;base64,{data}">'
        )

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """For what shows no HTML; photographs in half the size and 128 colours, so that a notebook stays small."""
        picture, drawn = io.BytesIO(), self._drawn()
        size = {"width": drawn.width * CSS // DPI, "height": drawn.height * CSS // DPI}
        colours, method = 256, Image.Quantize.MEDIANCUT
        if drawn.getcolors(FEW) is None:
            # Colours that cover all: by cutting at medians what is rare turns grey, and strong shares are rare.
            colours, method = PHOTOGRAPH_COLOURS, Image.Quantize.MAXCOVERAGE
            drawn = drawn.resize((size["width"], size["height"]), Image.Resampling.LANCZOS)
        reduced = drawn.quantize(colours, method, kmeans=3, dither=Image.Dither.NONE)
        reduced.save(picture, format="png", optimize=True)
        return picture.getvalue(), size

    def _drawn(self) -> Image.Image:
        drawn = io.BytesIO()
        self.canvas.savefig(drawn, format="png", dpi=DPI, pil_kwargs={"compress_level": 0})
        return Image.open(drawn).convert("RGB")

    def save(self, path: str | Path) -> None:
        """Write the figure to a file, with the alt text as its description.

        Args:
            path: of the file; its ending, .png, .svg or .pdf, decides the format.

        Raises:
            ValueError: the path ends in something else.

        Example:
            >>> bars(["a"], {"share": [1.0]}, ylabel="F").save("figure.jpg")
            Traceback (most recent call last):
            ValueError: path ends in '.jpg'; use .png, .svg or .pdf
        """
        kind = Path(path).suffix.lower()
        title = {".svg": "Description", ".png": "Description", ".pdf": "Subject"}.get(kind)
        if title is None:
            raise ValueError(f"path ends in {kind!r}; use .png, .svg or .pdf")
        self.canvas.savefig(path, dpi=DPI, metadata={title: self.alt})


def _is_formula(label: str) -> bool:
    """Whether matplotlib can typeset what is between the label's dollar signs; else they are only dollar signs."""
    try:
        MathTextParser("path").parse(label)
    except ValueError:
        return False
    return True


def curves(
    x: Values,
    lines: Mapping[str, Values],
    *,
    xlabel: str,
    ylabel: str,
    logarithmic: bool = False,
) -> Figure:
    """Draw lines over a common x, each in its own colour and dash pattern, with marks where few points were measured.

    If no value is negative and some are near 0, the axis shows 0, too.

    Args:
        x: (points,), from left to right.
        lines: by name, (points,) each.
        xlabel: under the axis.
        ylabel: beside the axis.
        logarithmic: whether both axes are.

    Returns:
        The figure. Its alt text says where each line starts and ends, and where it peaks.

    Raises:
        ValueError: values are empty, or hold NaN or infinity.

    Example:
        >>> curves([0, 1, 2], {"F": [0.0, 1.0, 4.0]}, xlabel="alpha", ylabel="F")
        Figure: Line plot of F against alpha. F goes from 0 to 4.
    """
    canvas = Canvas(figsize=(6.4, 3.4), layout="constrained")
    axes = canvas.add_subplot()
    across = numbers(x)
    styles, markers = itertools.cycle(LINES), itertools.cycle(MARKERS)
    for (name, values), (colour, dashes) in zip(lines.items(), styles, strict=False):
        line = axes.plot(across, numbers(values), color=colour, linestyle=dashes, linewidth=2, label=name)[0]
        if len(across) <= MEASURED:
            line.set(marker=next(markers), markersize=6, markeredgecolor="white", markeredgewidth=0.8)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    drawn = np.concatenate([numbers(values) for values in lines.values()])
    if logarithmic:
        set_logarithmic(axes, across)
    elif 0 <= drawn.min() < NEAR_ZERO * drawn.max():
        axes.update_datalim([(across[0], 0)])
    axes.grid(alpha=0.3)
    axes.legend()
    stories = [f"{name} goes {course_in_words(numbers(values), logarithmic)}" for name, values in lines.items()]
    return Figure(canvas, f"Line plot of {ylabel} against {xlabel}. " + "; ".join(stories) + ".")


def set_logarithmic(axes: Axes, across: np.ndarray) -> None:
    """Make both axes logarithmic, with ticks that are plain numbers: where points were measured, if those are few.

    Points whose numbers are long, such as 0.0316227766, are left without ticks of their own.

    Example:
        >>> axes = Canvas().add_subplot()
        >>> set_logarithmic(axes, np.array([2.0, 4.0, 8.0, 15.0]))
        >>> [label.get_text() for label in axes.get_xticklabels()]
        ['2', '4', '8', '15']
    """
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set(major_formatter=FuncFormatter(_plain_number), minor_formatter=NullFormatter())
    positive = across[across > 0]
    if len(positive) < 2:
        return
    ratios = positive[1:] / positive[:-1]
    apart = np.log(ratios).min() >= CLOSEST_TICKS * np.log(positive[-1] / positive[0])
    short = all(f"{value:.10g}" == f"{value:.{TICK_DIGITS}g}" for value in positive)
    if len(positive) <= MOST_TICKS and apart and short:
        axes.set_xticks(positive, minor=False)
        axes.xaxis.set_minor_locator(NullLocator())


def _plain_number(value: float, _: int | None = None) -> str:
    if 1e-4 <= value < 1e7:
        return f"{value:,.10g}"
    return f"$10^{{{math.log10(value):g}}}$" if value > 0 else "0"


def bars(labels: Sequence[str], groups: Mapping[str, Values], *, ylabel: str) -> Figure:
    """Draw bars side by side: a group for each label, a colour and a hatch for each series.

    Args:
        labels: under the groups.
        groups: the series by name, (labels,) each.
        ylabel: beside the axis.

    Returns:
        The figure. Its alt text has every number, to two digits.

    Raises:
        ValueError: values are empty, or hold NaN or infinity, or their number is not that of the labels.

    Example:
        >>> bars(["ink", "paper"], {"gradient": [0.5, 0], "IG": [0.9, 0.1]}, ylabel="share of F")
        Figure: Bar chart of share of F. gradient: ink 0.5, paper 0; IG: ink 0.9, paper 0.1.
    """
    canvas = Canvas(figsize=(6.4, 3.4), layout="constrained")
    axes = canvas.add_subplot()
    width = 0.8 / len(groups)
    centres = np.arange(len(labels))
    for number, (name, values) in enumerate(groups.items()):
        colour = LINES[number % len(LINES)][0]
        offset = (number - (len(groups) - 1) / 2) * width
        drawn = axes.bar(
            centres + offset,
            numbers(values),
            width,
            label=name,
            color=colour,
            edgecolor="white",
            hatch=HATCHES[number % len(HATCHES)],
        )
        if len(labels) * len(groups) <= MOST_NUMBERED:
            axes.bar_label(drawn, [_two_digits(value) for value in numbers(values)], padding=2)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(centres, labels)
    axes.set_ylabel(ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.3 if len(groups) > 1 else 0.12)
    if len(groups) > 1:
        axes.legend()
    else:
        axes.set_title(next(iter(groups)), fontsize=SMALL)
    stories = []
    for name, values in groups.items():
        heights = [f"{label} {_two_digits(value)}" for label, value in zip(labels, numbers(values), strict=True)]
        stories.append(f"{name}: {', '.join(heights)}")
    return Figure(canvas, f"Bar chart of {ylabel}. " + "; ".join(stories) + ".")


def intervals(
    scores: Mapping[str, tuple[float, float, float]], *, xlabel: str, control: str | None = None, level: float = 0.95
) -> Figure:
    """Draw means with the interval around each, one below another, on an axis that includes 0.

    Args:
        scores: by name, (mean, low, high).
        xlabel: under the axis.
        control: the name whose mean a dotted line marks for all, or None.
        level: the confidence level of the intervals.

    Returns:
        The figure. Its alt text has every mean and interval, to two digits.

    Raises:
        ValueError: the control is not among the scores, or values are empty, or hold NaN or infinity.

    Example:
        >>> intervals({"IG": (0.5, 0.25, 0.75)}, xlabel="deletion")
        Figure: Means of deletion, with intervals. IG 0.5 (0.25 to 0.75).
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
        axes.axvline(scores[control][0], color="black", linestyle=":", linewidth=1, zorder=0)
    axes.set_yticks(rows, [*scores])
    read = f"{xlabel}: mean and {level:.0%} interval" + ("" if control is None else f"\ndotted line at {control}")
    axes.set(xlabel=in_lines(read, 6.0, 10), ylim=(len(scores) - 0.5, -0.5), xlim=(None if low.min() < 0 else 0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    stories = []
    for name, (mean, start, end) in scores.items():
        stories.append(f"{name} {_two_digits(mean)} ({_two_digits(start)} to {_two_digits(end)})")
    return Figure(canvas, f"Means of {xlabel}, with intervals. " + "; ".join(stories) + ".")


def _two_digits(number: float) -> str:
    return f"{rounded(number, 2):g}"


def heatmaps(
    panels: Mapping[str, Values],
    *,
    kind: str = "signed",
    scale: float | None = None,
    picture: Values | None = None,
    unit: str = "",
) -> Figure:
    """Draw heatmaps in a row, on one colour scale that is printed below them.

    Args:
        panels: by title, (height, width) each; of kind "picture" also (3, height, width), RGB in [0, 1].
        kind: "signed" (white is zero, orange above, blue and hatched below), "magnitude" (white is zero) or "picture"
            (grey values or colours).
        scale: the value of the strongest colour; None means the largest absolute value in any panel.
        picture: (height, width) or (3, height, width), shown to the left of the heatmaps, not on their scale, and
            beneath signed ones of its size if it is in [0, 1].
        unit: of the values, below the scale, such as "share of F".

    Returns:
        The figure. Its alt text says where each panel is strongest.

    Raises:
        ValueError: there is no such kind, a shape is wrong, values are empty or hold NaN or infinity, or are negative
            and of kind "magnitude".

    Example:
        >>> heatmaps({"IG": np.array([[1.0, 0.0], [0.0, -0.5]])})
        Figure: Signed heatmaps, 1 on one scale. IG: strongest in row 1, column 1 of 2 by 2, about 70% of its mass ...
    """
    kinds: dict[str, str | Colormap] = {"signed": WHITE_IS_ZERO, "magnitude": MAGNITUDE, "picture": PICTURE}
    if kind not in kinds:
        raise ValueError(f"kind is {kind!r}; choose one of {', '.join(kinds)}")
    images = {title: _upright(numbers(values), f"panels[{title!r}]", kind) for title, values in panels.items()}
    if kind == "magnitude" and any((image < 0).any() for image in images.values()):
        raise ValueError("panels hold negative values, which kind 'magnitude' cannot show; take abs() or kind='signed'")
    top = scale or max(float(np.abs(image).max()) for image in images.values()) or 1.0
    norm = Normalize(-top if kind == "signed" else 0.0, top)
    count = len(images) + (picture is not None)
    columns = columns_for(count)
    panel, rows = PICTURE_PANEL if kind == "picture" else PANEL, math.ceil(count / columns)
    tall = panel * max(image.shape[0] / max(image.shape[:2]) for image in images.values())
    height = rows * (tall + 0.4) + (0.1 if kind == "picture" else 1.1)
    canvas = Canvas(figsize=(panel * columns, height), layout=ConstrainedLayoutEngine(h_pad=0.08))
    panes = list(canvas.subplots(rows, columns, squeeze=False).flat)
    for spare in panes[count:]:
        spare.remove()
    maps, beneath = panes[:count], None
    if picture is not None:
        first, upright = maps.pop(0), _upright(numbers(picture), "picture", "picture")
        first.imshow(upright, cmap=PICTURE, interpolation="nearest")
        _title(first, "the picture")
        if upright.min() >= 0 and upright.max() <= 1:
            beneath = ghost_of(np.broadcast_to(upright.T, (3, *upright.T.shape[-2:])).T)
    for pane, (title, image) in zip(maps, images.items(), strict=True):
        if kind == "signed":
            draw_map(pane, image, top, beneath if beneath is not None and beneath.shape == image.shape else None)
        else:
            pane.imshow(image, cmap=kinds[kind], norm=norm, interpolation="nearest")
        _title(pane, title)
    if kind != "picture":
        bar = canvas.colorbar(
            ScalarMappable(norm, kinds[kind]), ax=panes[:count], location="bottom", aspect=45, shrink=0.7, format="%.2g"
        )
        key = ""
        if kind == "signed":
            largest = max((image.shape for image in images.values()), key=max)
            key = key_in_words(largest, max(-image.min() for image in images.values()) / top, beneath)
        label = f"{unit}. {key}" if unit and key else unit or key
        bar.set_label(in_lines(label, panel * columns, TEXT), fontsize=TEXT)
    words = {"signed": "Signed heatmaps", "magnitude": "Heatmaps of magnitude", "picture": "Pictures"}[kind]
    stories = [f"{' '.join(title.split())}: {map_in_words(image, kind, top)}" for title, image in images.items()]
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
    """Draw F over two features as contours, and on them a path from the baseline to the input.

    Args:
        grid: (rows, columns), F on an even grid from the lower left.
        across: the first and the last value of the feature along the rows.
        up: the first and the last value of the other feature.
        path: (points, 2), of which the first is the baseline and the last is the input.
        xlabel: the name of the feature along the rows.
        ylabel: the name of the other feature.

    Returns:
        The figure.

    Raises:
        ValueError: values are empty, or hold NaN or infinity.

    Example:
        >>> plane(np.eye(3), (0, 1), (0, 1), [[0.0, 0.0], [1.0, 1.0]])
        Figure: Contours of F over x1 and x2, with a path from (0, 0) to (1, 1).
    """
    canvas = Canvas(figsize=(4.6, 3.8), layout="constrained")
    axes = canvas.add_subplot()
    values, points = numbers(grid), numbers(path)
    xs = np.linspace(*across, values.shape[1])
    ys = np.linspace(*up, values.shape[0])
    contours = axes.contourf(xs, ys, values, levels=12, cmap=SURFACE)
    canvas.colorbar(contours, ax=axes, label="F")
    axes.plot(points[:, 0], points[:, 1], color="white", linewidth=3.5)
    axes.plot(points[:, 0], points[:, 1], color="black", linewidth=1.5)
    for point, marker, name in ((points[0], MARKERS[0], "baseline"), (points[-1], MARKERS[1], "input")):
        axes.plot(
            *point, marker=marker, color="white", markeredgecolor="black", markersize=10, linestyle="none", label=name
        )
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.legend(loc="best")
    start, end = [f"({_two_digits(point[0])}, {_two_digits(point[1])})" for point in (points[0], points[-1])]
    return Figure(canvas, f"Contours of F over {xlabel} and {ylabel}, with a path from {start} to {end}.")


def numbers(values: Values, name: str = "values to draw") -> np.ndarray:
    """Convert values to an array of floats that can be drawn.

    Args:
        values: a tensor on any device, an array or a sequence.
        name: what to call them in an error, in the plural.

    Returns:
        The array, of the same shape.

    Raises:
        ValueError: they are empty, or hold NaN or infinity.

    Example:
        >>> numbers([1, 2])
        array([1., 2.])
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().numpy()
    plain = [value.detach().cpu().double().numpy() if isinstance(value, Tensor) else value for value in values]
    array = np.asarray(plain, dtype=float)
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name} are empty or hold NaN or infinity; draw finite numbers")
    return array


def pixels_of(picture: Values) -> np.ndarray:
    """Convert a picture to pixels that can be drawn.

    Args:
        picture: (3, height, width), (1, height, width) or (height, width), in [0, 1].

    Returns:
        (height, width, 3), from 0 to 1.

    Raises:
        ValueError: the shape or the range is another.

    Example:
        >>> pixels_of(np.ones((1, 2))).shape
        (1, 2, 3)
    """
    image = numbers(picture, "the values of picture")
    image = image[None] if image.ndim == 2 else image
    if image.ndim != 3 or len(image) not in (1, 3):
        raise ValueError(f"picture has shape {image.shape}; pass one picture: (3, H, W), (1, H, W) or (H, W)")
    low, high = image.min(), image.max()
    if low < -1e-3 or high > 1.001:
        raise ValueError(f"picture runs from {low:.3g} to {high:.3g}; pass it in [0, 1], before any normalisation")
    return np.broadcast_to(image.clip(0, 1), (3, *image.shape[1:])).transpose(1, 2, 0)


def _upright(values: np.ndarray, name: str, kind: str) -> np.ndarray:
    """(height, width), or the colours of a picture as (height, width, 3)."""
    if values.ndim == 2:
        return values
    if kind != "picture" or values.ndim != 3 or len(values) != 3:
        wanted = "(height, width) or (3, height, width)" if kind == "picture" else "(height, width)"
        raise ValueError(f"{name} has shape {values.shape}; pass {wanted}")
    return values.transpose(1, 2, 0).clip(0, 1)


def _title(pane: Axes, title: str) -> None:
    pane.set_title(in_lines(title, PANEL, TITLE), fontsize=TITLE)
    pane.set_xticks([])
    pane.set_yticks([])


def course_in_words(values: np.ndarray, logarithmic: bool) -> str:
    """Say where a line starts and ends, and name a peak or trough between them that the eye would see.

    Args:
        values: (points,).
        logarithmic: whether they are drawn on a logarithmic axis.

    Returns:
        Words that go on after the name of the line and "goes".

    Example:
        >>> course_in_words(np.array([0.0, 3.0, 1.0]), logarithmic=False)
        'from 0 to 1, on the way up to 3'
    """
    story = f"from {_two_digits(values[0])} to {_two_digits(values[-1])}"
    heights = np.log(values.clip(min=np.finfo(float).tiny)) if logarithmic else values
    visible = 0.1 * np.ptp(heights)
    for words, place in (("up to", heights.argmax()), ("down to", heights.argmin())):
        from_start, from_end = abs(heights[place] - heights[0]), abs(heights[place] - heights[-1])
        if from_start > visible and from_end > visible:
            story += f", on the way {words} {_two_digits(values[place])}"
    return story


def map_in_words(image: np.ndarray, kind: str, top: float) -> str:
    """Say where a picture is strongest, for a reader who does not see it.

    Args:
        image: (height, width), or (height, width, 3) of colours, which are strongest nowhere.
        kind: "signed", "magnitude" or "picture".
        top: the value of the strongest colour.

    Returns:
        Words that go on after the title of the picture and a colon.

    Example:
        >>> map_in_words(np.array([[0.0, 2.0], [0.0, 0.0]]), "magnitude", top=2.0)
        'strongest in row 1, column 2 of 2 by 2'
    """
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
    """Round to significant digits, so that a lesson prints the same numbers on every machine.

    Args:
        values: a number, a tensor, or sequences of them.
        digits: significant digits, 1 or more.

    Returns:
        A float, or lists of floats. An absolute value below 1e-12 becomes 0.

    Example:
        >>> rounded([0.123456, 1234.5, 1e-15])
        [0.123, 1230.0, 0.0]
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().tolist()
    if isinstance(values, Sequence):
        return [rounded(value, digits) for value in values]
    value = float(values)
    return 0.0 if abs(value) < ZERO else float(f"{value:.{digits}g}")
