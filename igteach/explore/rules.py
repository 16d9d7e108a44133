"""The steps explorer: a rule and a number of steps against the true shares."""

from typing import cast

import numpy as np
from ipywidgets import Dropdown, SelectionSlider
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.functions import Baseline, Function
from igteach.core.quadrature import RULES
from igteach.explore.explorer import Explorer, View
from igteach.explore.pictures import by_squares, check_picture, in_squares, largest
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show.images import SHARES
from igteach.show.panes import Heatmap, Lines, Pane, Row

STEPS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SMALLEST = 1e-6  # an error or a residual that is drawn; rounding alone reaches it


def steps_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None, truth: Attribution) -> Explorer:
    """Choose a rule and a number of steps: the shares, how far they are from the true ones, and the residual.

    f, target  as for integrated_gradients
    x          one picture (1, 3, H, W), (1, 1, H, W) or (1, H, W) in [0, 1]; baseline broadcasts to it
    truth      its true shares: exact_integrated_gradients, or some thousand steps where that does not apply

    All is computed here; a drag only draws. Raises what integrated_gradients raises, and ValueError for another
    x, and for a truth that is not of it.
    """
    check_picture(x)
    if truth.values.shape != x.shape or not truth.values.any():
        raise ValueError(
            f"truth has shape {tuple(truth.values.shape)}, x {tuple(x.shape)}; pass shares of x, not all 0"
        )
    exact, norm = truth.values.cpu().double(), truth.values.abs().sum().item()
    answers = {
        (rule, n): integrated_gradients(f, x, baseline, target, rule=rule, steps=n) for rule in RULES for n in STEPS
    }
    errors = {key: (answer.values.cpu().double() - exact).abs().sum().item() / norm for key, answer in answers.items()}
    residuals = {key: cast(Tensor, answer.relative_residual).item() for key, answer in answers.items()}
    lines = np.clip([*errors.values(), *residuals.values()], SMALLEST, None)
    limits = lines.min() / 2, lines.max() * 2
    right = in_squares(exact)[0]
    top, unit = largest(right), by_squares(SHARES, x)

    def panes(rule: str, steps: int) -> tuple[Pane, ...]:
        shares = in_squares(answers[rule, steps].values)[0]
        curves = {
            name: (np.array(STEPS), np.clip([found[rule, n] for n in STEPS], SMALLEST, None))
            for name, found in (("error", errors), ("|residual|", residuals))
        }
        return (
            Heatmap(f"{rule}, {steps} steps", shares, top, unit),
            Heatmap("the exact shares", right, top, unit),
            Heatmap("what is wrong, x 10", shares - right, top / 10, unit),
            Lines(rule, curves, (steps, max(errors[rule, steps], SMALLEST)), "steps", limits, logarithmic=True),
        )

    row = Row(*panes("midpoint", 8))

    def draw(rule: str, steps: int) -> View:
        off = f"The shares are off by {errors[rule, steps]:.2%}: the L1 distance to the exact ones, over their L1 norm."
        return row.show(*panes(rule, steps)), f"{off} What they say of themselves: {answers[rule, steps]!r}"

    rules = Dropdown(options=RULES, value="midpoint", description="rule")
    return Explorer(draw, {"rule": rules, "steps": SelectionSlider(options=STEPS, value=8, description="steps")})
