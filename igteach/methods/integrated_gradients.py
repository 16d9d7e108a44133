"""Integrated Gradients, in memory that grows neither with the steps nor with the batch."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from igteach.core import affine_prefix
from igteach.core.attribution import Attribution
from igteach.core.error_estimate import NEIGHBOURS
from igteach.core.functions import Function
from igteach.core.integration import along
from igteach.core.paths import CurvedPath, StraightPath, piecewise_linear_path
from igteach.core.validation import check_arguments, check_count, default_batch_size


def integrated_gradients(
    f: Function,
    x: Tensor,
    baseline: Tensor | float | None = None,
    target: int | Tensor | None = None,
    *,
    steps: int = 64,
    rule: str = "midpoint",
    tolerance: float | None = None,
    max_evaluations: int = 2048,
    batch_size: int | None = None,
    progress: bool = False,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along the straight path from x' to x.

    IG_i = (x_i - x'_i) * integral over alpha in [0, 1] of dF/dx_i at x' + alpha (x - x').

    f         maps (N, *features) to (N,) or (N, classes), rows independent of one another
    x         (batch, *features), floating point
    baseline  a number, or broadcasts to x; None is zeros in the units that f takes
    target    an int, (batch,), or None where f gives one number a row
    steps     gradients for each example; rule: of igteach.core.quadrature.RULES, or "warped": nodes close where F moves
    tolerance an example whose error estimate is above it is done anew with more steps, until it is not, or until
              max_evaluations gradients are spent on the example; `converged` says which
    rows      evaluated at once, at most; None picks a size from the device
    progress  shows a bar (needs tqdm)

    Returns an Attribution in units of F: values of shape and dtype of x, the residual, and an estimate of the error.
    Raises TypeError or ValueError for arguments that cannot give a right answer, each by name.
    Source: Sundararajan, Taly and Yan (2017).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    batch_size = default_batch_size(x, batch_size)
    if tolerance is not None:
        _check_tolerance(tolerance, max_evaluations, steps)

    def straight(chunk: slice) -> StraightPath:
        return StraightPath(baseline[chunk], x[chunk])

    parts = affine_prefix.split(f, x, steps)
    answer = along(f, straight, (baseline, x), target, rule, steps, batch_size, parts, progress)
    if tolerance is None:
        return answer
    values, estimate = answer.values, cast(Tensor, answer.error_estimate)
    spent = torch.full((len(x),), steps, device=x.device)
    for i in (estimate > tolerance).nonzero()[:, 0].tolist():
        one, last = slice(i, i + 1), steps
        chosen = None if target is None else target[one]
        while estimate[i] > tolerance:
            growth = min(1.1 * estimate[i].item() / tolerance, 4.0)  # the error falls like 1 / steps, or faster
            more = min(math.ceil(growth * last), max_evaluations - int(spent[i]))
            if more <= last:
                break
            again = integrated_gradients(f, x[one], baseline[one], chosen, steps=more, rule=rule, batch_size=batch_size)
            values[one], estimate[one], last = again.values, cast(Tensor, again.error_estimate), more
            spent[i] += more
    return replace(answer, evaluations=spent, converged=estimate <= tolerance)


def path_gradients(
    f: Function,
    path: Tensor | Callable[[float], Tensor],
    target: int | Tensor | None = None,
    *,
    x: Tensor | None = None,
    baseline: Tensor | float | None = None,
    steps: int = 64,
    rule: str = "midpoint",
    batch_size: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along any path from x' to x.

    path         way-points (k, batch, *features), joined straight, or a function of alpha giving (batch, *features)
    x, baseline  where given, the ends that the path must have; all else is as for integrated_gradients
    Source: Friedman (2004); Sundararajan, Taly and Yan (2017).
    """
    if rule == "warped":
        raise ValueError("rule is 'warped', which is for the straight path of integrated_gradients; choose another")
    function = path if callable(path) else piecewise_linear_path(path)
    start, end = CurvedPath(function).points(torch.tensor([0.0, 1.0], dtype=torch.float64))
    for reached, wanted, words in ((start, baseline, "start at baseline"), (end, x, "end at x")):
        if wanted is not None and (reached - wanted).abs().max() > 1e-4 * reached.abs().max().clamp_min(1):
            raise ValueError(f"path does not {words}: mend the path, or leave out the argument")
    end, start, target = check_arguments(f, end, start, target)
    batch_size = default_batch_size(end, batch_size)
    return along(
        f, lambda chunk: CurvedPath(lambda alpha: function(alpha)[chunk]), (start, end), target, rule, steps, batch_size
    )


def _check_tolerance(tolerance: float, max_evaluations: int, steps: int) -> None:
    if not tolerance > 0:
        raise ValueError(f"tolerance is {tolerance}; pass a number above 0: 0.02 is 2% of the values' L1 norm")
    check_count("steps", steps, NEIGHBOURS)  # fewer give no error estimate
    check_count("max_evaluations", max_evaluations, steps)
