"""Attributions of one picture beside it: signed, on one colour scale, with the residual and the scale in words."""

import itertools
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

FINEST, READABLE = 150, 32  # squares along the longer side: all that a panel can show, what an eye can take in
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
ACROSS = 5  # panels in a row, at most


@dataclass(frozen=True)
class Panel:
    """What there is to show of one method."""

    title: str
    residual: str  # in words; empty for bare values
    verdict: str  # of an Attribution, in brackets; empty for bare values
    unit: str
    colours: int
    squares: np.ndarray  # (h, w)  values, summed over colours and over squares of pixels


def attributions(
    picture: Values,
    answers: Mapping[str, Attribution | Values],
    *,
    view: str = "heatmap",
    mask: Values | None = None,
    cell: int | None = None,
    percentile: float | None = None,
    scale: float | None = None,
    share: float = 0.05,
) -> Figure:
    """A picture and its attributions in a row, on ONE colour scale; below them, what was done to the values.

    picture     (3, H, W), (1, H, W) or (H, W), in [0, 1]
    answers     title -> an Attribution of this picture alone, or values (C, H, W) or (H, W), taken to be in units of F;
                an Attribution without a baseline is in other units, F per unit of x, and gets another scale
    view        "heatmap"; "overlay": colour over the picture in grey, as opaque as the value is strong; "top": the
                strongest squares alone, in the colour of their sign, over the picture in grey
    mask        (H, W) bool, such as the object: outlined, and the alt text tells how much lies inside it
    cell        values are summed over colours, and over squares of so many pixels a side, as shares may be; None: 1 for
                a picture of up to 150 pixels a side, else the smallest that gives at most 32 squares a side
    percentile  of all |values|, to be the strongest colour; None: the largest
    scale       the value of the strongest colour, to share it with another figure
    share       of all squares, that "top" keeps

    The alt text says for each method its verdict, where it is strongest, and its masses, all of the squares drawn.
    Percentages are to the nearest 5, so that the text is the same on every machine.
    Raises ValueError, by name, for sizes that do not match, more than one example, NaN and numbers out of range.
    """
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; choose one of {', '.join(VIEWS)}")
    if not isinstance(answers, Mapping) or not answers:
        received = "empty" if isinstance(answers, Mapping) else type(answers).__name__
        raise ValueError(f"answers is {received}; pass a dictionary from titles to attributions")
    image = _picture(picture)
    size = image.shape[:2]
    inside = None if mask is None else _mask(mask, size)
    side = _side(cell, max(size))
    panels = [_panel(title, answer, size, side) for title, answer in answers.items()]
    first = panels[0].unit
    panels.sort(key=lambda panel: panel.unit != first)  # those of one scale side by side
    scales: dict[str, float] = {}
    if view == "top":
        if not (percentile is None and scale is None):
            raise ValueError("percentile and scale set the strongest colour, but view='top' has one only; drop them")
        strengths = [_strongest(panel.squares, share) for panel in panels]
        caption = f"Shown: the {100 * share:.3g}% of {'pixels' if side == 1 else 'squares'} with the largest |value|."
    else:
        scales, caption = _scales(panels, percentile, scale)
        strengths = [panel.squares / scales[panel.unit] for panel in panels]
    caption = _summed(panels, side) + caption
    titles = ["the picture", *(f"{panel.title}\n{panel.residual}" for panel in panels)]
    groups = [sum(panel.unit == unit for panel in panels) for unit in scales]
    canvas, panes, bars = _layout(size, titles, groups, f"Light yellow: positive, dark blue: negative. {caption}")
    _draw(panes[0], image, inside)
    for pane, strength in zip(panes[1:], strengths, strict=True):
        pixels = strength.repeat(side, axis=0).repeat(side, axis=1)[: size[0], : size[1]]
        _draw(pane, _coloured(pixels) if view == "heatmap" else _over(image, pixels), inside)
    for bar, (unit, top) in zip(bars, scales.items(), strict=True):
        colours = OVER_PICTURE if view == "overlay" else SIGNED
        _scale_bar(canvas, bar, ScalarMappable(Normalize(-top, top), colours), top, unit)
    what = f"{VIEWS[view]} of {size[0]} by {size[1]} pixels. {caption} "
    return Figure(canvas, what + _stories(panels, inside, side, scales))


def _picture(picture: Values) -> np.ndarray:
    """(H, W, 3), of a picture in any of the shapes."""
    image = numbers(picture, "the values of picture")
    image = image[None] if image.ndim == 2 else image
    if image.ndim != 3 or len(image) not in (1, 3):
        raise ValueError(f"picture has shape {image.shape}; pass one picture: (3, H, W), (1, H, W) or (H, W)")
    low, high = image.min(), image.max()
    if low < -1e-3 or high > 1.001:
        raise ValueError(f"picture runs from {low:.3g} to {high:.3g}; pass it in [0, 1], before any normalisation")
    return np.broadcast_to(image.clip(0, 1), (3, *image.shape[1:])).transpose(1, 2, 0)


def _mask(mask: Values, size: tuple[int, ...]) -> np.ndarray:
    inside = np.asarray(mask.cpu() if isinstance(mask, torch.Tensor) else mask)
    if inside.dtype != bool or inside.shape != size:
        raise ValueError(f"mask is {inside.dtype} of shape {inside.shape}; for this picture pass bool of shape {size}")
    if not inside.any():
        raise ValueError("mask marks no pixel; pass True where the object is, or leave mask out")
    return inside


def _side(cell: int | None, longer: int) -> int:
    """Of a square, in pixels."""
    finest = -(-longer // FINEST)
    if cell is None:
        return 1 if finest == 1 else -(-longer // READABLE)
    if not finest <= cell <= longer:
        raise ValueError(f"cell is {cell}; for a picture of {longer} pixels a side pass {finest} to {longer}")
    return cell


def _panel(title: str, answer: Attribution | Values, size: tuple[int, ...], side: int) -> Panel:
    if not isinstance(answer, Attribution):
        values, residual, verdict, unit = numbers(answer, f"the values of answers[{title!r}]"), "", "", SHARES
    elif len(answer.values) != 1:
        raise ValueError(f"answers[{title!r}] holds {len(answer.values)} examples; pass the Attribution of one picture")
    else:
        values, residual, verdict = numbers(answer.values[0]), _residual(answer), f" ({answer.verdict})"
        unit = SLOPES if answer.f_baseline is None else SHARES
    if values.ndim not in (2, 3) or values.shape[-2:] != size:
        raise ValueError(f"answers[{title!r}] has values of shape {values.shape}; the picture has {size} pixels")
    colours = torch.tensor(values).reshape(-1, *size)
    squares = avg_pool2d(colours.sum(0)[None], side, ceil_mode=True, divisor_override=1)[0]
    return Panel(title, residual, verdict, unit, len(colours), squares.numpy())


def _residual(answer: Attribution) -> str:
    """In words; with the error where that is too large, as a residual may be small by errors that cancel."""
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
        sizes = np.concatenate([np.abs(panel.squares).ravel() for panel in panels if panel.unit == unit])
        top = scale or float(np.percentile(sizes, percentile or 100))
        if top == 0 and sizes.any():
            raise ValueError(f"percentile is {percentile}, and that of all |values| is 0; pass a higher one")
        scales[unit] = top or 1.0
        clipped |= bool(sizes.max() > 1.01 * scales[unit])  # by more than rounding, which machines do differently
    how = (
        "as given"
        if scale
        else "the largest |value|"
        if percentile is None
        else f"percentile {percentile:g} of |values|"
    )
    caption = f"Strongest colour: {how}" + (", larger values are clipped." if clipped else ".")
    slopes = [panel.title for panel in panels if panel.unit == SLOPES]
    return scales, caption + (
        f" In other units, so on a scale of its own: {', '.join(slopes)}." if len(units) > 1 else ""
    )


def _summed(panels: Sequence[Panel], side: int) -> str:
    over = ["colours"] * any(panel.colours > 1 for panel in panels) + [f"squares of {side} by {side} pixels"] * (
        side > 1
    )
    return f"Values are summed over {' and '.join(over)}. " if over else ""


def _strongest(squares: np.ndarray, share: float) -> np.ndarray:
    """(h, w): the signs of the squares of largest |value|, a share of all squares; 0 elsewhere."""
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; pass a fraction of the picture, above 0 and at most 1")
    kept = np.zeros(squares.size)
    kept[np.argsort(-np.abs(squares).ravel(), kind="stable")[: max(1, round(share * squares.size))]] = 1
    return kept.reshape(squares.shape) * np.sign(squares)


def _coloured(strength: np.ndarray) -> np.ndarray:
    """(H, W, 3), of values in units of the strongest colour."""
    return matplotlib.colormaps[SIGNED]((strength + 1) / 2)[..., :3]


def _over(image: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """(H, W, 3): the colours of the two signs, as opaque as they are strong, over the picture in faint greys."""
    black, white = FAINT
    grey = black + (white - black) * image @ np.array([0.299, 0.587, 0.114])
    opacity = np.abs(strength).clip(max=1)[..., None]
    sign = np.where(strength[..., None] > 0, to_rgb(POSITIVE), to_rgb(NEGATIVE))
    return opacity * sign + (1 - opacity) * grey[..., None]


def _layout(
    size: tuple[int, ...], titles: Sequence[str], groups: Sequence[int], caption: str
) -> tuple[Canvas, list[Axes], list[Axes]]:
    """Panels in rows under their titles, a colour bar for each group of panels, the caption.

    Sizes are in inches, from the upper left. By hand: matplotlib's constrained layout takes as long as the drawing.
    """
    rows = -(-len(titles) // ACROSS)
    columns = -(-len(titles) // rows)
    pitch, tall = PANEL + GAP, PANEL * size[0] / max(size)
    width = columns * pitch + GAP
    titles, caption = [_lines(title, PANEL, 9) for title in titles], _lines(caption, width - 2 * GAP, 8)
    head = LINE * max(title.count("\n") + 1 for title in titles) + GAP
    foot = LINE * (caption.count("\n") + 1) + 2 * GAP
    height = rows * (head + tall + GAP) + (BAR if groups else 0) + foot
    canvas = Canvas(figsize=(width, height))

    def axes(left: float, top: float, wide: float, high: float) -> Axes:
        return canvas.add_axes((left / width, 1 - (top + high) / height, wide / width, high / height))

    panes = []
    for place, title in enumerate(titles):
        row, column = divmod(place, columns)
        panes.append(axes(GAP + column * pitch, head + row * (head + tall + GAP), PANEL, tall))
        panes[-1].set_title(title, fontsize=9, pad=4)
    start, groups = (GAP + pitch, groups) if rows == 1 else (GAP, [1] * len(groups))  # in one row, under its panels
    ends = [start + (width - start) * sum(groups[:n]) / max(1, sum(groups)) for n in range(len(groups) + 1)]
    bars = [axes(a + 3 * GAP, height - foot - BAR, b - a - 7 * GAP, GAP) for a, b in itertools.pairwise(ends)]
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
    """(2, 3 * edges): x and y of the edges between pixels inside and outside; after each edge a gap."""
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
    covered, text = None, ""
    if inside is not None:
        covered = avg_pool2d(torch.tensor(inside)[None].double(), side, ceil_mode=True)[0].numpy()
        text = f"The outline holds {inside.mean():.1%} of the picture. "
    return text + "; ".join(_story(panel, covered, scales.get(panel.unit, 0.0)) for panel in panels) + "."


def _story(panel: Panel, covered: np.ndarray | None, top: float) -> str:
    """Where a method is strongest, and its masses; covered: (h, w), of each square the part inside the outline."""
    name, sizes = f"{panel.title}{panel.verdict}: ", np.abs(panel.squares)
    if sizes.max() <= 0.1 * top:
        return name + "next to nothing"
    ninths = adaptive_avg_pool2d(torch.tensor(sizes)[None], 3).flatten()
    spread = ninths.max() < 1.5 * sizes.mean()
    place = "spread over the picture" if spread else f"strongest {PLACES[int(ninths.argmax())]}"
    positive = panel.squares.clip(min=0)
    text = f"{name}{place}, {_percent(positive.sum() / sizes.sum())} of its mass positive"
    if covered is None or not positive.any():
        return text
    return f"{text}, positive mass {_percent((positive * covered).sum() / positive.sum())} inside the outline"


def _percent(part: float) -> str:
    return f"about {5 * round(20 * part)}%"
