"""One example of any answer: bars for a table, maps for pictures and groups, coloured text, a panel for each input."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.methods.token_answer import TokenAttribution
from igteach.show.figures import Figure, Values, map_in_words, numbers, pixels_of, rounded
from igteach.show.palette import ABOVE, BELOW
from igteach.show.plates import (
    PANEL,
    SHARES,
    SLOPES,
    SMALL,
    draw_map,
    draw_scale,
    ghost_of,
    scale_of,
    smoothed,
)
from igteach.show.tables import Table
from igteach.show.text import text
from igteach.show.verdicts import verdict_in_words

MOST_BARS = 15  # with names; the others are one bar more
LONGEST_NAME = 28  # characters beside a bar
BAR = 0.26  # inches: a bar with its gap
LINE, SCALE, TITLE = 0.19, 0.75, 0.3  # inches: a line of text, an axis or a colour scale below, a title above


@dataclass(frozen=True, eq=False)
class Panel:
    """What is drawn of one input.

    Attributes:
        title: above it.
        values: (features,) for bars, (height, width) for a map.
        names: of the features of bars, or of the rows of a map; None without.
        ghost: (height, width), the picture beneath a map, from GHOST to 1; or None.
        groups: (height, width), the groups of a map, whose borders are drawn; or None.
    """

    title: str
    values: np.ndarray
    names: tuple[str, ...] | None = None
    ghost: np.ndarray | None = None
    groups: np.ndarray | None = None


def attribution(
    answer: Attribution | TokenAttribution,
    picture: Any = None,
    *,
    groups: Any = None,
    example: int = 0,
    smooth: float = 0.0,
) -> Figure | Table:
    """Draw one example of an answer, whatever its form, and say above it whether its shares add up.

    White is zero, orange above it, blue below and, where there is room, hatched. What is drawn depends on the values:
    (features,) and (steps, 1) are bars, the largest first if they have names or are few, otherwise in their order;
    (height, width) and (channels, height, width), summed over channels, are a map, over the picture where it is given;
    (steps, features) with feature_names are a map with a row for each name; several inputs are a panel each; an answer
    of `token_attribution` is coloured text. Maps are on one colour scale, bars each have an axis of their own.

    Args:
        answer: of any method.
        picture: (3, height, width), (1, height, width) or (height, width), in [0, 1], shown in grey beneath the map; a
            tuple or dict of pictures and None for values that are one.
        groups: for an answer of `answer.grouped(groups)`, those groups: the shares are drawn where the groups lie.
        example: the number of the example, from 0.
        smooth: the standard deviation in pixels of a Gaussian for display, where the shares of neighbouring pixels
            cancel; the sum of the map stays as it is. Needs SciPy: pip install scipy.

    Returns:
        The figure, with alt text made from the data; for an answer of `token_attribution` what `text` returns.

    Raises:
        TypeError: answer is no answer of a method.
        ValueError: there is no such example, the picture or the groups do not fit, or the values have more axes than
            can be drawn. The message says what to do.

    Example:
        >>> import igteach
        >>> values, f_baseline = torch.tensor([[1.0, -0.5]]), torch.zeros(1)
        >>> answer = igteach.Attribution(values, torch.tensor([0.5]), f_baseline, 1, feature_names=("age", "dose"))
        >>> attribution(answer)
        Figure: F goes from 0 to 0.5. The shares add up. Bars: age +1, dose -0.5.

    Source:
        White as zero and a faint picture beneath: Sturmfels, Lundberg and Lee (2020),
        https://doi.org/10.23915/distill.00022.
    """
    if isinstance(answer, TokenAttribution):
        if picture is not None or groups is not None:
            raise ValueError(
                "picture and groups are for answers with pictures, and answer is of a text; leave them out"
            )
        return text(answer)
    if not isinstance(answer, Attribution):
        raise TypeError(
            f"answer is {type(answer).__name__}; pass the Attribution that a method returned, one answer a call"
        )
    one = answer.example(example)
    panels = _panels(one, picture, None if groups is None else _upright_groups(groups, len(answer.f_input), example))
    panels = [_for_display(panel, smooth) for panel in panels]
    verdict = verdict_in_words(one)
    unit = SLOPES if one.f_baseline is None else SHARES
    maps = [panel.values for panel in panels if panel.values.ndim == 2]
    top, caption = scale_of(maps) if maps else (1.0, "")
    if groups is not None:
        caption = f"Each place has the colour of its group's share. {caption}"
    if smooth:
        caption += f" Smoothed for display over {smooth:g} pixels."
    canvas = _drawn(panels, unit, top, verdict, caption.strip(), is_smooth=smooth >= 1)
    return Figure(canvas, " ".join([verdict, *(_story(panel, top) for panel in panels), caption]).strip())


def _panels(one: Attribution, picture: Any, groups: np.ndarray | None) -> list[Panel]:
    if isinstance(one.values, Tensor):
        return [_panel("", numbers(one.values)[0], one.feature_names, picture, groups)]
    if groups is not None:
        raise ValueError("groups are for the answer of grouped(groups), and answer has several inputs; leave them out")
    inputs: Mapping[Any, Tensor] = one.values if isinstance(one.values, dict) else dict(enumerate(one.values))
    pictures = {} if picture is None else dict(enumerate(picture)) if isinstance(picture, tuple) else picture
    if not isinstance(pictures, Mapping) or not set(pictures) <= set(inputs):
        received = list(pictures) if isinstance(pictures, Mapping) else type(picture).__name__
        raise ValueError(
            f"picture is {received}, and answer has the inputs {list(inputs)}; pass a dict with these keys"
        )
    panels = []
    for name, tensor in inputs.items():
        title = name if isinstance(name, str) else f"input {name}"
        title += f": {_two_digits(tensor.double().sum().item())} in all"
        panels.append(_panel(title, numbers(tensor)[0], None, pictures.get(name), None))
    return panels


def _panel(
    title: str, values: np.ndarray, names: tuple[str, ...] | None, picture: Values | None, groups: np.ndarray | None
) -> Panel:
    if groups is not None:
        if values.ndim != 1 or groups.max() >= len(values):
            raise ValueError(
                f"groups has {groups.max() + 1} groups, and the values of one example have shape {values.shape}; pass "
                "the answer of grouped(groups), with these groups"
            )
        values, names = values[groups], None
    if values.ndim > 3:
        raise ValueError(
            f"the values of one example have shape {values.shape}, and a picture has 3 axes at most; add axes up first "
            "with answer.grouped(groups)"
        )
    if values.shape[1:] == (1,) and picture is None:
        values = values[:, 0]
    if values.ndim == 3:
        values, names = values.sum(0), None
    if values.ndim == 2 and names is not None:
        values = values.T
    ghost = None
    if picture is not None:
        pixels = pixels_of(picture)
        if pixels.shape[:2] != values.shape:
            raise ValueError(f"picture has {pixels.shape[:2]} pixels, and the values have shape {values.shape}")
        ghost = ghost_of(pixels)
    borders = groups if groups is not None and groups.ndim == 2 else None
    return Panel(title, np.atleast_1d(values), names, ghost, borders)


def _upright_groups(groups: Any, batch: int, example: int) -> np.ndarray:
    """The groups of one example, (features,) or (height, width)."""
    places = torch.as_tensor(groups).cpu().long().numpy()
    if places.ndim == 4:
        places = places[example if len(places) == batch else 0]
    if places.ndim == 3 and len(places) == 1:
        places = places[0]
    if places.ndim not in (1, 2):
        raise ValueError(
            f"groups has shape {places.shape}; draw groups of shape (features,), (height, width) or, with groups of "
            "their own for each example, (batch, 1, height, width)"
        )
    return places


def _for_display(panel: Panel, smooth: float) -> Panel:
    return replace(panel, values=smoothed(panel.values, smooth)) if panel.values.ndim == 2 or smooth < 0 else panel


def _drawn(panels: list[Panel], unit: str, top: float, verdict: str, caption: str, *, is_smooth: bool) -> Canvas:
    width = max(PANEL * len(panels), 1.5 * PANEL if panels[0].values.ndim == 1 or panels[0].names else PANEL)
    letters = int(width * 72 / (0.55 * SMALL))
    verdict, caption = textwrap.fill(verdict, letters), textwrap.fill(caption, letters)
    tall = max(map(_height, panels))
    lines = verdict.count("\n") + caption.count("\n") + 2
    height = tall + SCALE + LINE * lines + TITLE * any(panel.title for panel in panels)
    canvas = Canvas(figsize=(width, height), layout="constrained")
    axes = canvas.subplots(1, len(panels), squeeze=False)[0]
    maps = []
    for pane, panel in zip(axes, panels, strict=True):
        if panel.values.ndim == 2:
            _draw_map(pane, panel, top, is_smooth)
            maps.append(pane)
        elif _is_in_order(panel):
            _draw_in_order(pane, panel, unit)
        else:
            _draw_bars(pane, panel, unit, tall)
        pane.set_title(panel.title, fontsize=SMALL)
    if maps:
        draw_scale(canvas, maps, top, unit)
    canvas.suptitle(verdict, fontsize=SMALL, x=0.02, ha="left")
    if caption:
        canvas.supxlabel(caption, fontsize=SMALL, x=0.02, ha="left")
    return canvas


def _is_in_order(panel: Panel) -> bool:
    """Whether bars stand in their order, not by size."""
    return panel.names is None and len(panel.values) > MOST_BARS


def _height(panel: Panel) -> float:
    """Inches for what is drawn."""
    if panel.values.ndim == 1:
        return 2.2 if _is_in_order(panel) else BAR * len(_largest(panel))
    if panel.names is not None:
        return max(1.2, BAR * len(panel.values))
    rows, columns = panel.values.shape
    return float(np.clip(PANEL * rows / columns, 1.0, 2 * PANEL))


def _largest(panel: Panel) -> list[tuple[str, float]]:
    """The names and shares of the largest, and the sum of the others."""
    names = panel.names or tuple(map(str, range(len(panel.values))))
    order = np.argsort(-np.abs(panel.values), kind="stable")
    shown = order if len(order) <= MOST_BARS + 1 else order[:MOST_BARS]
    bars = [(_short(names[place]), float(panel.values[place])) for place in shown]
    if len(shown) < len(order):
        bars.append((f"the other {len(order) - len(shown)}", float(panel.values[order[len(shown) :]].sum())))
    return bars


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _draw_bars(pane: Axes, panel: Panel, unit: str, tall: float) -> None:
    """Bars of one thickness, from the top, in a pane that is so many inches tall."""
    bars = _largest(panel)
    shares = np.array([share for _, share in bars])
    drawn = pane.barh(range(len(bars)), shares, height=0.72, color=_colours(shares), edgecolor="white", linewidth=0)
    for bar, share in zip(drawn, shares, strict=True):
        if share < 0:
            bar.set_hatch("///")
    pane.bar_label(drawn, [_two_digits(share) for share in shares], padding=3)
    pane.axvline(0, color="black", linewidth=0.8)
    pane.set_yticks(range(len(bars)), [name for name, _ in bars])
    pane.margins(x=0.18)
    pane.set_ylim(max(len(bars), tall / BAR) - 0.5, -0.5)
    pane.tick_params(axis="y", length=0)
    pane.set_xlabel(unit)
    pane.spines[["top", "right", "left"]].set_visible(False)


def _draw_in_order(pane: Axes, panel: Panel, unit: str) -> None:
    pane.bar(range(len(panel.values)), panel.values, width=1.0, color=_colours(panel.values))
    pane.axhline(0, color="black", linewidth=0.8)
    pane.set_xlabel("place, in order")
    pane.set_ylabel(unit)
    pane.margins(x=0.01)
    pane.spines[["top", "right"]].set_visible(False)


def _draw_map(pane: Axes, panel: Panel, top: float, is_smooth: bool) -> None:
    draw_map(pane, panel.values, top, panel.ghost, is_smooth=is_smooth or panel.groups is not None)
    if panel.groups is not None:
        _draw_borders(pane, panel.groups)
    if panel.names is None:
        return
    pane.set_aspect("auto")
    pane.set_yticks(range(len(panel.values)), [_short(name) for name in panel.names])
    pane.set_xlabel("steps, from first to last")


def _draw_borders(pane: Axes, groups: np.ndarray) -> None:
    """Lines between pixels of different groups."""
    rows, columns = np.nonzero(groups[:, 1:] != groups[:, :-1])
    pane.vlines(columns + 0.5, rows - 0.5, rows + 0.5, color="0.45", linewidth=0.4)
    rows, columns = np.nonzero(groups[1:] != groups[:-1])
    pane.hlines(rows + 0.5, columns - 0.5, columns + 0.5, color="0.45", linewidth=0.4)


def _colours(shares: np.ndarray) -> list[str]:
    return [BELOW if share < 0 else ABOVE for share in shares]


def _story(panel: Panel, top: float) -> str:
    """What a panel shows, as a sentence."""
    if panel.values.ndim == 1 and _is_in_order(panel):
        high, low = int(panel.values.argmax()), int(panel.values.argmin())
        ends = [f"{_two_digits(panel.values[place])} at place {place}" for place in (high, low)]
        words = f"{len(panel.values)} bars in order: highest {ends[0]}, lowest {ends[1]}"
    elif panel.values.ndim == 1:
        words = "Bars: " + ", ".join(f"{name} {_two_digits(share)}" for name, share in _largest(panel))
    elif panel.names is not None:
        strongest = np.abs(panel.values).sum(1)
        row = int(strongest.argmax())
        words = f"Map of {len(panel.names)} features over {panel.values.shape[1]} steps: most in {panel.names[row]}"
    else:
        words = f"Map: {map_in_words(panel.values, 'signed', top)}"
    return f"{panel.title}. {words}." if panel.title else f"{words}."


def _two_digits(number: float) -> str:
    return "0" if rounded(number, 2) == 0 else f"{rounded(number, 2):+g}"
