"""The steps explorer: a rule and a number of steps against the true shares."""

from typing import cast

import numpy as np
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.functions import Baseline, Function
from igteach.core.quadrature import RULES
from igteach.explore.cuts import error_of
from igteach.explore.live import LiveFigure
from igteach.explore.packing import at_pixels, beneath, in_blocks, packed, short, squares_in_words
from igteach.explore.pictures import check_picture, colours_of, ghost, over_colours
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show.panes import Heatmap, Lines, board
from igteach.show.plates import SHARES, scale_of
from igteach.show.verdicts import verdict_in_words

STEPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
START = "midpoint", 8  # what is chosen at first
SMALLEST = 1e-6  # a smaller error or residual is drawn as this; rounding alone is as large


def steps_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None, truth: Attribution) -> LiveFigure:
    """Choose a rule and a number of steps: the shares, how far they are from the true ones, and the residual.

    Everything is computed here; a drag only draws. Large pictures' maps are summed over blocks.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), in [0, 1].
        baseline: broadcasts to x; None means zeros.
        target: the class that F is of, or None if it gives one number.
        truth: the true shares of x, by exact_integrated_gradients or, where that does not apply, some thousand steps.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one picture in [0, 1], the truth is not of x, or integrated_gradients refuses an argument.

    Example:
        >>> import torch
        >>> def f(x):
        ...     return x.flatten(1).square().sum(1)
        >>> x = torch.ones(1, 4, 4)
        >>> steps_explorer(f, x, 0.0, None, truth=integrated_gradients(f, x))
        LiveFigure: 4 panes. midpoint, 8 steps: strongest in row 1, column 1 of 4 by 4, ...
    """
    check_picture(x)
    if truth.values.shape != x.shape or not truth.values.any():
        raise ValueError(
            f"truth has shape {tuple(truth.values.shape)}, x {tuple(x.shape)}; pass shares of x, not all 0"
        )
    answers = [
        integrated_gradients(f, x, baseline, target, rule=rule, steps=steps) for rule in RULES for steps in STEPS
    ]
    errors = [error_of(answer.values, truth.values) for answer in answers]
    residuals = [cast(Tensor, answer.relative_residual).item() for answer in answers]
    shares, side = in_blocks(np.concatenate([over_colours(answer.values) for answer in answers]))
    true_shares, _ = in_blocks(over_colours(truth.values))
    top, how = scale_of([true_shares])
    grey = ghost(x[0])
    data = {
        "rules": list(RULES),
        "steps": list(STEPS),
        "start": {"rule": START[0], "steps": START[1]},
        "shares": packed(shares, top),
        "exact": packed(true_shares, top),
        "wrong": packed(shares - true_shares, top / 10),
        "top": top,
        "unit": SHARES,
        "errors": short(errors),
        "residuals": short(residuals),
        "smallest": SMALLEST,
        "verdicts": [verdict_in_words(answer) for answer in answers],
        **beneath(grey, side),
        "note": f"{how} {squares_in_words(side, colours_of(x))}".strip(),
    }
    at = RULES.index(START[0]) * len(STEPS) + STEPS.index(START[1])
    found, exact_map = (at_pixels(squares, side, *x.shape[-2:]) for squares in (shares[at], true_shares[0]))
    wrong = "what is wrong, in colours 10 times as strong"
    still = board(
        Heatmap(f"{START[0]}, {START[1]} steps", found, top, SHARES, grey),
        Heatmap("the exact shares", exact_map, top, SHARES, grey),
        Heatmap(wrong, found - exact_map, top / 10, f"error of a {SHARES}", grey),
        _lines(errors, residuals),
    )
    return LiveFigure("steps", data, still)


def _lines(errors: list[float], residuals: list[float]) -> Lines:
    """The curves of the first rule, on axes for those of all rules."""
    heights = np.clip([*errors, *residuals], SMALLEST, None)
    first = RULES.index(START[0]) * len(STEPS)
    named = {"error": errors, "|residual|": residuals}
    curves = {
        name: (np.array(STEPS), np.clip(found[first : first + len(STEPS)], SMALLEST, None))
        for name, found in named.items()
    }
    mark = START[1], curves["error"][1][STEPS.index(START[1])]
    limits = heights.min() / 2, heights.max() * 2
    return Lines("error and |residual|, relative", curves, mark, "steps", limits, logarithmic=True)
