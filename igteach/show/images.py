"""Attributions of one picture, shown beside it: signed, on one colour scale, each with its verdict in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Canvas
from torch.nn.functional import adaptive_avg_pool2d

from igteach.core.attribution import Attribution
from igteach.show.figures import Figure, Values, numbers, pixels_of
from igteach.show.palette import WHITE_IS_ZERO
from igteach.show.plates import (
    PANEL,
    SHARES,
    SLOPES,
    TEXT,
    TITLE,
    columns_for,
    draw_map,
    ghost_of,
    in_lines,
    key_in_words,
    outline_of,
    scale_of,
    smoothed,
)
from igteach.show.verdicts import short_verdict

PLACES = (
    *("in the upper left", "at the top", "in the upper right"),
    *("at the left", "in the centre", "at the right"),
    *("in the lower left", "at the bottom", "in the lower right"),
)
GAP, LINE, BAR = 0.12, 0.19, 0.68  # inches: around a panel, a line of text, a colour bar


@dataclass(frozen=True)
class Panel:
    """What there is to show of one method.

    Attributes:
        title: the name of the method.
        verdict: what stands under it in the picture; empty for bare values.
        told: the verdict of the Attribution for the alt text, without numbers and in brackets; empty for bare values.
        unit: of the values.
        values: (height, width), summed over colours.
    """

    title: str
    verdict: str
    told: str
    unit: str
    values: np.ndarray


def attributions(
    picture: Values,
    answers: Mapping[str, Attribution | Values],
    *,
    mask: Values | None = None,
    smooth: float = 0.0,
    own_scales: bool = False,
) -> Figure:
    """Draw a picture and its attributions beside it, on one colour scale, each with its verdict.

    White is zero, orange above it, blue below it, over a ghost of the picture. Every pixel is drawn. The strongest
    colour is the 99.5th percentile of all |values| (in small pictures the largest), and the caption says so.

    Args:
        picture: (3, height, width), (1, height, width) or (height, width), in [0, 1].
        answers: by title, an Attribution of this picture alone, or values (colours, height, width) or (height, width),
            which are taken to be in units of F. An Attribution without a baseline is in other units, F per unit of x,
            and has a scale of its own.
        mask: (height, width) bool, such as the object, which is outlined.
        smooth: the standard deviation in pixels of a Gaussian for display, where the shares of neighbouring pixels
            cancel; the sum of a map stays as it is. Needs SciPy: pip install scipy.
        own_scales: whether each map has a colour scale of its own, to compare where maps are strong, not how strong.

    Returns:
        The figure. Its alt text says of each method its verdict, where it is strongest, how much of its mass is
        positive, and how much of that is inside the mask. Percentages are to the nearest 5, so that the text is the
        same on every machine.

    Raises:
        ValueError: a shape does not match, answers hold more than one example, NaN or infinity, or smooth is out of
            range. The message names the argument.

    Example:
        >>> attributions(np.full((2, 2), 0.5), {"IG": np.array([[1.0, 0.0], [0.0, 0.0]])})
        Figure: Maps beside a picture of 2 by 2 pixels. ... IG: strongest in the upper left, about 100% of its mass ...
    """
    if not isinstance(answers, Mapping) or not answers:
        received = "empty" if isinstance(answers, Mapping) else type(answers).__name__
        raise ValueError(f"answers is {received}; pass a dictionary from titles to attributions")
    image = pixels_of(picture)
    shape = image.shape[:2]
    inside = None if mask is None else _mask(mask, shape)
    panels = [_panel(title, answer, shape, smooth) for title, answer in answers.items()]
    tops, caption = _scales(panels, own_scales)
    lowest = max(-panel.values.min() / top for panel, top in zip(panels, tops, strict=True))
    ghost = ghost_of(image)
    caption += key_in_words(shape, lowest, ghost, is_smooth=smooth >= 1)
    if smooth:
        caption += f" Smoothed for display by a Gaussian of {smooth:g} pixels."
    if inside is not None:
        caption += " Outlined: the mask."
    titles = ["the picture", *(f"{panel.title}\n{panel.verdict}" for panel in panels)]
    canvas, panes = _layout(shape, titles, caption)
    panes[0].imshow(image, interpolation="nearest" if max(shape) <= 128 else "antialiased")
    panes[0].set_xticks([])
    panes[0].set_yticks([])
    for pane, panel, top in zip(panes[1:], panels, tops, strict=True):
        draw_map(pane, panel.values, top, ghost, is_smooth=smooth >= 1)
        _draw_bar(canvas, pane, top, panel.unit)
    for pane in panes:
        if inside is not None:
            _draw_outline(pane, inside)
    alt = f"Maps beside a picture of {shape[0]} by {shape[1]} pixels. {caption} "
    return Figure(canvas, alt + _stories(panels, inside, tops))


def _mask(mask: Values, shape: tuple[int, ...]) -> np.ndarray:
    inside = np.asarray(mask.cpu() if isinstance(mask, torch.Tensor) else mask)
    if inside.dtype != bool or inside.shape != shape:
        raise ValueError(f"mask is {inside.dtype} of shape {inside.shape}; for this picture pass bool of shape {shape}")
    if not inside.any():
        raise ValueError("mask marks no pixel; pass True where the object is, or leave mask out")
    return inside


def _panel(title: str, answer: Attribution | Values, shape: tuple[int, ...], smooth: float) -> Panel:
    verdict, told, unit = "", "", SHARES
    if not isinstance(answer, Attribution):
        values = numbers(answer, f"the values of answers[{title!r}]")
    elif not isinstance(answer.values, torch.Tensor):
        raise ValueError(f"answers[{title!r}] is about several inputs; draw it with show.attribution")
    elif len(answer.values) != 1:
        raise ValueError(f"answers[{title!r}] holds {len(answer.values)} examples; pass the Attribution of one picture")
    else:
        values = numbers(answer.values[0])
        verdict, told = short_verdict(answer), f" ({answer.verdict})"
        if answer.f_baseline is None:
            unit = SLOPES
    if values.ndim not in (2, 3) or values.shape[-2:] != shape:
        raise ValueError(f"answers[{title!r}] has values of shape {values.shape}; the picture has {shape} pixels")
    return Panel(title, verdict, told, unit, smoothed(values.reshape(-1, *shape).sum(0), smooth))


def _scales(panels: Sequence[Panel], own_scales: bool) -> tuple[list[float], str]:
    """The value of the strongest colour for each panel, and how it was chosen in words."""
    if own_scales:
        each = [scale_of([panel.values]) for panel in panels]
        caption = " ".join(dict.fromkeys(words for _, words in each))
        return [top for top, _ in each], f"{caption} Each map has a scale of its own. "
    scales = {
        unit: scale_of([panel.values for panel in panels if panel.unit == unit])
        for unit in dict.fromkeys(panel.unit for panel in panels)
    }
    caption = " ".join(dict.fromkeys(words for _, words in scales.values()))
    if len(scales) > 1:
        caption += f" Maps in {SLOPES} have a scale of their own."
    return [scales[panel.unit][0] for panel in panels], f"{caption} "


def _layout(shape: tuple[int, ...], titles: Sequence[str], caption: str) -> tuple[Canvas, list[Axes]]:
    """Panels in rows, each under its title and over room for its colour bar, and the caption.

    Lengths are in inches, from the upper left. They are computed here because matplotlib's constrained layout takes as
    long as the drawing.
    """
    columns = columns_for(len(titles))
    rows = math.ceil(len(titles) / columns)
    tall = PANEL * shape[0] / max(shape)
    width = columns * (PANEL + GAP) + GAP
    in_gap = len(titles) < rows * columns  # the last row has room for the caption
    titles = [in_lines(title, PANEL, TITLE) for title in titles]
    caption = in_lines(caption, (PANEL if in_gap else width) - 2 * GAP, TEXT)
    head = LINE * TITLE / 10 * max(title.count("\n") + 1 for title in titles) + GAP
    foot = GAP if in_gap else LINE * TEXT / 9 * (caption.count("\n") + 1) + 2 * GAP
    pitch = head + tall + BAR
    height = rows * pitch + foot
    canvas = Canvas(figsize=(width, height))
    corners = [
        (GAP + column * (PANEL + GAP), foot + (rows - 1 - row) * pitch + BAR)
        for row in range(rows)
        for column in range(columns)
    ]
    panes = []
    for (left, low), title in zip(corners, titles, strict=False):
        panes.append(canvas.add_axes((left / width, low / height, PANEL / width, tall / height)))
        panes[-1].set_title(title, fontsize=TITLE, pad=6)
    left, low = (corners[len(titles)][0] + GAP, foot + BAR + tall) if in_gap else (GAP, foot - GAP)
    canvas.text(left / width, low / height, caption, fontsize=TEXT, va="top", linespacing=1.3)
    return canvas, panes


def _draw_bar(canvas: Canvas, pane: Axes, top: float, unit: str) -> None:
    """The colours with their numbers, below a map that keeps its shape."""
    box, (width, height) = pane.get_position(original=True), canvas.get_size_inches()
    bar = canvas.add_axes((box.x0 + 0.4 / width, box.y0 - 0.2 / height, box.width - 0.8 / width, 0.1 / height))
    ramp = ScalarMappable(Normalize(-top, top), WHITE_IS_ZERO)
    canvas.colorbar(ramp, cax=bar, orientation="horizontal", ticks=[-top, 0, top], format="%.2g")
    bar.set_xlabel(unit, fontsize=TEXT, labelpad=1)
    bar.tick_params(labelsize=TEXT, length=2, pad=1)


def _draw_outline(pane: Axes, inside: np.ndarray) -> None:
    across, down = outline_of(inside)
    for colour, width in (("white", 3.0), ("black", 1.2)):
        (line,) = pane.plot(across, down, color=colour, linewidth=width)
        line.set_solid_capstyle("projecting")


def _stories(panels: Sequence[Panel], inside: np.ndarray | None, tops: Sequence[float]) -> str:
    """The alt text of all panels: how much of the picture the outline holds, then each method."""
    text = "" if inside is None else f"The outline holds {inside.mean():.1%} of the picture. "
    stories = [_story(panel, inside, top) for panel, top in zip(panels, tops, strict=True)]
    return f"{text}{'; '.join(stories)}."


def _story(panel: Panel, inside: np.ndarray | None, top: float) -> str:
    """Where a method is strongest, and its masses.

    Args:
        panel: what is drawn of the method.
        inside: (height, width), what the outline holds; None without one.
        top: the value of the strongest colour.
    """
    name, magnitudes = f"{' '.join(panel.title.split())}{panel.told}", np.abs(panel.values)
    if magnitudes.max() <= 0.1 * top:
        return f"{name}: next to nothing"
    ninths = adaptive_avg_pool2d(torch.tensor(magnitudes)[None], 3).flatten()
    if ninths.max() < 1.5 * magnitudes.mean():
        place = "spread over the picture"
    else:
        place = f"strongest {PLACES[int(ninths.argmax())]}"
    positive = panel.values.clip(min=0)
    text = f"{name}: {place}, {_percent(positive.sum() / magnitudes.sum())} of its mass positive"
    if inside is None or not positive.any():
        return text
    return f"{text}, positive mass {_percent((positive * inside).sum() / positive.sum())} inside the outline"


def _percent(fraction: float) -> str:
    """To the nearest 5%."""
    return f"about {5 * round(20 * fraction)}%"
