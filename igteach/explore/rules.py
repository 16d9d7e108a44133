"""The steps explorer: a rule and a number of steps against the true shares."""

import itertools
from collections.abc import Mapping
from typing import cast

import numpy as np
from ipywidgets import Dropdown, SelectionSlider
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.functions import Baseline, Function
from igteach.core.quadrature import RULES
from igteach.explore.explorer import Explorer, View
from igteach.explore.pictures import check_picture, ghost, over_colours
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show.panes import Board, Heatmap, Lines, Pane
from igteach.show.plates import SHARES, scale_of
from igteach.show.verdicts import verdict_in_words

STEPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SMALLEST = 1e-6  # a smaller error or residual is drawn as this; rounding alone is as large


def steps_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None, truth: Attribution) -> Explorer:
    """Choose a rule and a number of steps: the shares, how far they are from the true ones, and the residual.

    Everything is computed here; a drag only draws.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), in [0, 1].
        baseline: broadcasts to x; None means zeros.
        target: the class that F is of, or None if it gives one number.
        truth: the true shares of x, by exact_integrated_gradients or, where that does not apply, some thousand steps.

    Returns:
        The explorer, which a notebook shows.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one picture in [0, 1], the truth is not of x, or integrated_gradients refuses an argument.

    Example:
        >>> import torch
        >>> def f(x):
        ...     return x.flatten(1).square().sum(1)
        >>> x = torch.ones(1, 4, 4)
        >>> steps_explorer(f, x, 0.0, None, truth=integrated_gradients(f, x))
        Explorer: 4 panes. midpoint, 8 steps: strongest in row 1, column 1 of 4 by 4, ...
    """
    check_picture(x)
    if truth.values.shape != x.shape or not truth.values.any():
        raise ValueError(
            f"truth has shape {tuple(truth.values.shape)}, x {tuple(x.shape)}; pass shares of x, not all 0"
        )
    exact, norm = truth.values.cpu().double(), truth.values.abs().sum().item()
    answers, errors, residuals = {}, {}, {}
    for rule, steps in itertools.product(RULES, STEPS):
        answer = integrated_gradients(f, x, baseline, target, rule=rule, steps=steps)
        answers[rule, steps] = answer
        errors[rule, steps] = (answer.values.cpu().double() - exact).abs().sum().item() / norm
        residuals[rule, steps] = cast(Tensor, answer.relative_residual).item()
    lines = np.clip([*errors.values(), *residuals.values()], SMALLEST, None)
    limits = lines.min() / 2, lines.max() * 2
    exact_map = over_colours(exact)[0]
    top, how = scale_of([exact_map])
    beneath = ghost(x[0])

    def curve(rule: str, found: Mapping[tuple[str, int], float]) -> tuple[np.ndarray, np.ndarray]:
        return np.array(STEPS), np.clip([found[rule, steps] for steps in STEPS], SMALLEST, None)

    def panes(rule: str, steps: int) -> tuple[Pane, ...]:
        shares = over_colours(answers[rule, steps].values)[0]
        curves = {"error": curve(rule, errors), "|residual|": curve(rule, residuals)}
        wrong = shares - exact_map
        mark = (steps, max(errors[rule, steps], SMALLEST))
        return (
            Heatmap(f"{rule}, {steps} steps", shares, top, SHARES, beneath),
            Heatmap("the exact shares", exact_map, top, SHARES, beneath),
            Heatmap("what is wrong, in colours 10 times as strong", wrong, top / 10, "error of a share of F", beneath),
            Lines("error and |residual|, relative", curves, mark, "steps", limits, logarithmic=True),
        )

    board = Board(*panes("midpoint", 8))

    def draw(rule: str, steps: int) -> View:
        words = (
            f"{rule.capitalize().replace('_', '-')}, {steps} gradients. {verdict_in_words(answers[rule, steps])}\n"
            f"Single shares are off by {errors[rule, steps]:.2%} in all: the sum of all |errors|, over that of all "
            f"|shares|. {how}"
        )
        return board.show(*panes(rule, steps)), words

    controls = {
        "rule": Dropdown(options=RULES, value="midpoint", description="rule"),
        "steps": SelectionSlider(options=STEPS, value=8, description="steps"),
    }
    return Explorer(draw, controls)
