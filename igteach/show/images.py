"""Attributions of one picture, shown beside it: signed, on one colour scale, with residual and scale in words."""

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure as Canvas
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.show.figures import Figure, Values, numbers
from igteach.show.palette import FAINT, NEGATIVE, OVER_PICTURE, POSITIVE, SIGNED

FINEST = 150  # squares along the longer side: more than a panel can show
READABLE = 32  # squares along the longer side: what an eye can take in
SHARES, SLOPES = "share of F", "F per unit of x"
VIEWS = {
    "heatmap": "Heatmaps beside a picture",
    "overlay": "Attributions laid over a picture",
    "top": "The strongest parts of attributions laid over a picture",
}
PLACES = (
    *("in the upper left", "at the top", "in the upper right"),
    *("at the left", "in the centre", "at the right"),
    *("in the lower left", "at the bottom", "in the lower right"),
)
PANEL, GAP, LINE, BAR = 1.9, 0.1, 0.15, 0.5  # inches: a panel's longer side, around it, a line of text, a colour bar
PANELS_IN_A_ROW = 5  # at most


@dataclass(frozen=True)
class Panel:
    """What there is to show of one method.

    Attributes:
        title: the name of the method.
        residual: in words; empty for bare values.
        verdict: of an Attribution, in brackets; empty for bare values.
        unit: of the values.
        colours: 3 for RGB, 1 for grey.
        squares: (rows, columns), the values summed over colours and over squares of pixels.
    """

    title: str
    residual: str
    verdict: str
    unit: str
    colours: int
    squares: np.ndarray


def attributions(
    picture: Values,
    answers: Mapping[str, Attribution | Values],
    *,
    view: str = "heatmap",
    mask: Values | None = None,
    cell: int | None = None,
    percentile: float | None = None,
    scale: float | None = None,
    fraction: float = 0.05,
) -> Figure:
    """Draw a picture and its attributions in a row, on one colour scale, and say below what was done to the values.

    Args:
        picture: (3, height, width), (1, height, width) or (height, width), in [0, 1].
        answers: by title, an Attribution of this picture alone, or values (colours, height, width) or (height, width),
            which are taken to be in units of F. An Attribution without a baseline is in other units, F per unit of x,
            and has a scale of its own.
        view: "heatmap"; "overlay", colour over the picture in grey, as opaque as the value is strong; or "top", the
            strongest squares alone, in the colour of their sign, over the picture in grey.
        mask: (height, width) bool, such as the object, which is outlined.
        cell: the side in pixels of the squares that values are summed over, after they are summed over colours. None
            means 1 for a picture of up to 150 pixels a side, else the smallest that gives at most 32 squares a side.
        percentile: of all absolute values, which gets the strongest colour; None means the largest.
        scale: the value of the strongest colour, for several figures on one scale.
        fraction: of all squares, which the view "top" shows.

    Returns:
        The figure. Its alt text says of each method its verdict, where it is strongest, how much of its mass is
        positive, and how much of that is inside the mask. Percentages are to the nearest 5, so that the text is the
        same on every machine.

    Raises:
        ValueError: a shape does not match, answers hold more than one example, NaN or infinity, or a number is out of
            range. The message names the argument.

    Example:
        >>> attributions(np.full((2, 2), 0.5), {"IG": np.array([[1.0, 0.0], [0.0, 0.0]])})
        Figure: Heatmaps beside a picture of 2 by 2 pixels. ... IG: strongest in the upper left, about 100% of ...
    """
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; choose one of {', '.join(VIEWS)}")
    if not isinstance(answers, Mapping) or not answers:
        received = "empty" if isinstance(answers, Mapping) else type(answers).__name__
        raise ValueError(f"answers is {received}; pass a dictionary from titles to attributions")
    image = pixels_of(picture)
    shape = image.shape[:2]
    inside = None if mask is None else _mask(mask, shape)
    side = _side(cell, max(shape))
    panels = [_panel(title, answer, shape, side) for title, answer in answers.items()]
    first_unit = panels[0].unit
    panels.sort(key=lambda panel: panel.unit != first_unit)  # those of one scale side by side
    scales: dict[str, float] = {}
    if view == "top":
        if percentile is not None or scale is not None:
            raise ValueError("percentile and scale set the strongest colour, but view='top' has one only; drop them")
        strengths = [_strongest(panel.squares, fraction) for panel in panels]
        what = "pixels" if side == 1 else "squares"
        caption = f"Shown: the {100 * fraction:.3g}% of {what} with the largest |value|."
    else:
        scales, caption = _scales(panels, percentile, scale)
        strengths = [panel.squares / scales[panel.unit] for panel in panels]
    caption = _summed(panels, side) + caption
    titles = ["the picture", *(f"{panel.title}\n{panel.residual}" for panel in panels)]
    groups = [sum(panel.unit == unit for panel in panels) for unit in scales]
    canvas, panes, bars = _layout(shape, titles, groups, f"Light yellow: positive, dark blue: negative. {caption}")
    _draw(panes[0], image, inside)
    for pane, strength in zip(panes[1:], strengths, strict=True):
        pixels = strength.repeat(side, axis=0).repeat(side, axis=1)[: shape[0], : shape[1]]
        _draw(pane, _coloured(pixels) if view == "heatmap" else _overlaid(image, pixels), inside)
    for bar, (unit, top) in zip(bars, scales.items(), strict=True):
        colours = OVER_PICTURE if view == "overlay" else SIGNED
        _scale_bar(canvas, bar, ScalarMappable(Normalize(-top, top), colours), top, unit)
    alt = f"{VIEWS[view]} of {shape[0]} by {shape[1]} pixels. {caption} "
    return Figure(canvas, alt + _stories(panels, inside, side, scales))


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


def _mask(mask: Values, shape: tuple[int, ...]) -> np.ndarray:
    inside = np.asarray(mask.cpu() if isinstance(mask, torch.Tensor) else mask)
    if inside.dtype != bool or inside.shape != shape:
        raise ValueError(f"mask is {inside.dtype} of shape {inside.shape}; for this picture pass bool of shape {shape}")
    if not inside.any():
        raise ValueError("mask marks no pixel; pass True where the object is, or leave mask out")
    return inside


def _side(cell: int | None, longer: int) -> int:
    """The side of a square, in pixels."""
    finest = -(-longer // FINEST)
    if cell is None:
        return 1 if finest == 1 else -(-longer // READABLE)
    if not finest <= cell <= longer:
        raise ValueError(f"cell is {cell}; for a picture of {longer} pixels a side pass {finest} to {longer}")
    return cell


def _panel(title: str, answer: Attribution | Values, shape: tuple[int, ...], side: int) -> Panel:
    residual, verdict, unit = "", "", SHARES
    if not isinstance(answer, Attribution):
        values = numbers(answer, f"the values of answers[{title!r}]")
    elif not isinstance(answer.values, torch.Tensor):
        raise ValueError(f"answers[{title!r}] is about several inputs; draw it with show.attribution")
    elif len(answer.values) != 1:
        raise ValueError(f"answers[{title!r}] holds {len(answer.values)} examples; pass the Attribution of one picture")
    else:
        values = numbers(answer.values[0])
        residual, verdict = _residual_in_words(answer), f" ({answer.verdict})"
        if answer.f_baseline is None:
            unit = SLOPES
    if values.ndim not in (2, 3) or values.shape[-2:] != shape:
        raise ValueError(f"answers[{title!r}] has values of shape {values.shape}; the picture has {shape} pixels")
    colours = torch.tensor(values).reshape(-1, *shape)
    squares = avg_pool2d(colours.sum(0)[None], side, ceil_mode=True, divisor_override=1)[0]
    return Panel(title, residual, verdict, unit, len(colours), squares.numpy())


def _residual_in_words(answer: Attribution) -> str:
    """With the error estimate if that is too large: a residual may be small because errors cancel."""
    if answer.relative_residual is None:
        return "no residual"
    relative = answer.relative_residual.item()
    words = "residual below 0.1%" if relative < 0.001 else f"residual {relative:.1%}"
    error = 0.0 if answer.error_estimate is None else answer.error_estimate.item()
    return words if error < ROUGHLY_BELOW else f"{words}, error {error:.0%}"


def _scales(panels: Sequence[Panel], percentile: float | None, scale: float | None) -> tuple[dict[str, float], str]:
    """The value of the strongest colour for each unit, and how it was chosen in words."""
    units = dict.fromkeys(panel.unit for panel in panels)
    if percentile is not None and scale is not None:
        raise ValueError("percentile and scale both set the strongest colour; pass one of them")
    if percentile is not None and not 0 < percentile <= 100:
        raise ValueError(f"percentile is {percentile}; pass a number above 0, at most 100")
    if scale is not None and not 0 < scale < np.inf:
        raise ValueError(f"scale is {scale}; pass a number above 0")
    if scale is not None and len(units) > 1:
        raise ValueError(f"scale is one number, but answers are in {' and in '.join(units)}; draw a figure for each")
    scales, clipped = {}, False
    for unit in units:
        magnitudes = np.concatenate([np.abs(panel.squares).ravel() for panel in panels if panel.unit == unit])
        top = scale or float(np.percentile(magnitudes, percentile or 100))
        if top == 0 and magnitudes.any():
            raise ValueError(f"percentile is {percentile}, and that of all |values| is 0; pass a higher one")
        scales[unit] = top or 1.0
        if magnitudes.max() > 1.01 * scales[unit]:  # by more than rounding, which differs between machines
            clipped = True
    if scale:
        how = "as given"
    elif percentile is None:
        how = "the largest |value|"
    else:
        how = f"percentile {percentile:g} of |values|"
    caption = f"Strongest colour: {how}"
    caption += ", larger values are clipped." if clipped else "."
    if len(units) > 1:
        slopes = [panel.title for panel in panels if panel.unit == SLOPES]
        caption += f" In other units, so on a scale of its own: {', '.join(slopes)}."
    return scales, caption


def _summed(panels: Sequence[Panel], side: int) -> str:
    """What values are summed over, as a sentence, or nothing."""
    over = []
    if any(panel.colours > 1 for panel in panels):
        over.append("colours")
    if side > 1:
        over.append(f"squares of {side} by {side} pixels")
    return f"Values are summed over {' and '.join(over)}. " if over else ""


def _strongest(squares: np.ndarray, fraction: float) -> np.ndarray:
    """(rows, columns): the signs of the squares with the largest |value|, a fraction of all squares; 0 elsewhere."""
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction}; pass a fraction of the picture, above 0 and at most 1")
    count = max(1, round(fraction * squares.size))
    strongest = np.argsort(-np.abs(squares).ravel(), kind="stable")[:count]
    chosen = np.zeros(squares.size)
    chosen[strongest] = 1
    return chosen.reshape(squares.shape) * np.sign(squares)


def _coloured(strength: np.ndarray) -> np.ndarray:
    """(H, W, 3), of values in units of the strongest colour."""
    return matplotlib.colormaps[SIGNED]((strength + 1) / 2)[..., :3]


def _overlaid(image: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """(H, W, 3): the colours of the two signs, as opaque as they are strong, over the picture in faint greys."""
    black, white = FAINT
    grey = black + (white - black) * image @ np.array([0.299, 0.587, 0.114])
    opacity = np.abs(strength).clip(max=1)[..., None]
    sign = np.where(strength[..., None] > 0, to_rgb(POSITIVE), to_rgb(NEGATIVE))
    return opacity * sign + (1 - opacity) * grey[..., None]


def _layout(
    shape: tuple[int, ...], titles: Sequence[str], groups: Sequence[int], caption: str
) -> tuple[Canvas, list[Axes], list[Axes]]:
    """Panels in rows under their titles, a colour bar for each group of panels, the caption.

    Lengths are in inches, from the upper left. They are computed here because matplotlib's constrained layout takes as
    long as the drawing.
    """
    rows = math.ceil(len(titles) / PANELS_IN_A_ROW)
    columns = math.ceil(len(titles) / rows)
    pitch, tall = PANEL + GAP, PANEL * shape[0] / max(shape)
    width = columns * pitch + GAP
    titles = [_lines(title, PANEL, 9) for title in titles]
    caption = _lines(caption, width - 2 * GAP, 8)
    head = LINE * max(title.count("\n") + 1 for title in titles) + GAP
    foot = LINE * (caption.count("\n") + 1) + 2 * GAP
    height = rows * (head + tall + GAP) + foot
    if groups:
        height += BAR
    canvas = Canvas(figsize=(width, height))

    def axes(left: float, top: float, wide: float, high: float) -> Axes:
        return canvas.add_axes((left / width, 1 - (top + high) / height, wide / width, high / height))

    panes = []
    for place, title in enumerate(titles):
        row, column = divmod(place, columns)
        panes.append(axes(GAP + column * pitch, head + row * (head + tall + GAP), PANEL, tall))
        panes[-1].set_title(title, fontsize=9, pad=4)
    if rows == 1:
        start, widths = GAP + pitch, groups  # each bar under its panels
    else:
        start, widths = GAP, [1] * len(groups)
    ends = [start + (width - start) * sum(widths[:n]) / max(1, sum(widths)) for n in range(len(widths) + 1)]
    bars = [
        axes(left + 3 * GAP, height - foot - BAR, right - left - 7 * GAP, GAP)
        for left, right in itertools.pairwise(ends)
    ]
    canvas.text(GAP / width, (foot - GAP) / height, caption, fontsize=8, va="top", linespacing=1.3)
    return canvas, panes, bars


def _lines(text: str, inches: float, points: float) -> str:
    """The text in lines that fit: a letter is about 0.57 of its height wide."""
    letters = int(inches * 72 / (0.57 * points))
    return "\n".join(textwrap.fill(line, letters) for line in text.splitlines())


def _draw(pane: Axes, pixels: np.ndarray, inside: np.ndarray | None) -> None:
    pane.imshow(pixels, interpolation="nearest" if max(pixels.shape) <= FINEST else "antialiased")
    pane.set_xticks([])
    pane.set_yticks([])
    if inside is not None:
        across, down = _outline(inside)
        for colour, width in (("black", 2.0), ("white", 0.8)):
            (line,) = pane.plot(across, down, color=colour, linewidth=width)
            line.set_solid_capstyle("projecting")


def _outline(inside: np.ndarray) -> np.ndarray:
    """(2, 3 * edges): x and y of the edges between pixels inside and outside, with a gap after each edge."""
    padded = np.pad(inside, 1).astype(int)
    rows, columns = np.nonzero(np.diff(padded, axis=0))
    left, upper = np.nonzero(np.diff(padded.T, axis=0))
    gaps = np.full(len(rows) + len(left), np.nan)
    across = np.stack([np.concatenate([columns - 1, left]), np.concatenate([columns, left]), gaps], axis=1)
    down = np.stack([np.concatenate([rows, upper - 1]), np.concatenate([rows, upper]), gaps], axis=1)
    return np.stack([across.ravel(), down.ravel()]) - 0.5


def _scale_bar(canvas: Canvas, bar: Axes, ramp: ScalarMappable, top: float, unit: str) -> None:
    canvas.colorbar(ramp, cax=bar, orientation="horizontal", ticks=[-top, 0, top], format="%.2g")
    bar.set_xlabel(unit, fontsize=8, labelpad=2)
    bar.tick_params(labelsize=8)


def _stories(panels: Sequence[Panel], inside: np.ndarray | None, side: int, scales: Mapping[str, float]) -> str:
    """The alt text of all panels: how much of the picture the outline holds, then each method."""
    covered, text = None, ""
    if inside is not None:
        covered = avg_pool2d(torch.tensor(inside)[None].double(), side, ceil_mode=True)[0].numpy()
        text = f"The outline holds {inside.mean():.1%} of the picture. "
    stories = [_story(panel, covered, scales.get(panel.unit, 0.0)) for panel in panels]
    return f"{text}{'; '.join(stories)}."


def _story(panel: Panel, covered: np.ndarray | None, top: float) -> str:
    """Where a method is strongest, and its masses.

    Args:
        panel: what is drawn of the method.
        covered: (rows, columns), the fraction of each square that is inside the outline; None without one.
        top: the value of the strongest colour.
    """
    name, magnitudes = f"{panel.title}{panel.verdict}", np.abs(panel.squares)
    if magnitudes.max() <= 0.1 * top:
        return f"{name}: next to nothing"
    ninths = adaptive_avg_pool2d(torch.tensor(magnitudes)[None], 3).flatten()
    if ninths.max() < 1.5 * magnitudes.mean():
        place = "spread over the picture"
    else:
        place = f"strongest {PLACES[int(ninths.argmax())]}"
    positive = panel.squares.clip(min=0)
    text = f"{name}: {place}, {_percent(positive.sum() / magnitudes.sum())} of its mass positive"
    if covered is None or not positive.any():
        return text
    return f"{text}, positive mass {_percent((positive * covered).sum() / positive.sum())} inside the outline"


def _percent(fraction: float) -> str:
    """To the nearest 5%."""
    return f"about {5 * round(20 * fraction)}%"
