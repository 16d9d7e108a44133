"""Integrated Gradients, along the straight path and along any other."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from igteach.core.affine_prefix import PrefixIntegrand, split_model
from igteach.core.attribution import Attribution
from igteach.core.error_estimate import NEIGHBOURS, with_error
from igteach.core.evaluation import forward_at_ends, target_of
from igteach.core.functions import Baseline, Function, Target
from igteach.core.integration import Integrand, PathIntegrand, integrate_batch
from igteach.core.paths import CurvedPath, StraightPath, piecewise_linear_path
from igteach.core.validation import check_arguments, check_count, default_batch_size


def integrated_gradients(
    f: Function,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
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

    Args:
        f: F: maps (N, *features) to (N,) or (N, classes), each row independent of the others.
        x: The inputs (batch, *features), floating point, in the units that f takes.
        baseline: x': a number, or a tensor that broadcasts to x. None is zeros.
        target: The class: an int, or a tensor (batch,) of ints. None where f gives one number a row.
        steps: Gradients for each example.
        rule: One of `core.quadrature.RULES`, or "warped": nodes are denser where F changes fast.
        tolerance: Examples whose error estimate exceeds it are computed again with more steps, until it no longer
            does or max_evaluations gradients are spent; `converged` says which. None is `steps` for all.
        max_evaluations: See tolerance.
        batch_size: Rows of f at once, at most. None picks a size for the device of x.
        progress: Show a bar (needs tqdm).

    Returns:
        An Attribution in the units of F: values in the shape and dtype of x, their residual, and an estimate of their
        error. What happens between two nodes goes unseen, and no estimate can account for it.

    Raises:
        TypeError: An argument is of the wrong kind; the message names it and says what to pass.
        ValueError: An argument cannot give a right answer: a shape, NaN, a network in train mode, rows that depend on
            one another.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y, z: x * y + z)
        >>> igteach.integrated_gradients(f, torch.ones(1, 3), baseline=0.0).values.tolist()
        [[0.5, 0.5, 1.0]]

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    batch_size = default_batch_size(x, batch_size)
    if tolerance is not None:
        _check_tolerance(tolerance, max_evaluations, steps)
    split = split_model(f, x, steps)

    def integrand_of(chunk: slice) -> Integrand:
        path, classes = StraightPath(baseline[chunk], x[chunk]), target_of(target, chunk)
        return PrefixIntegrand.of(split, path, classes) if split else PathIntegrand(f, path, classes)

    values, distances = integrate_batch(integrand_of, x, rule, steps, batch_size, progress)
    f_baseline, f_input = forward_at_ends(f, baseline, x, target, batch_size)
    answer = with_error(Attribution(values, f_input, f_baseline, steps), distances)
    if tolerance is None:
        return answer
    return _refined(answer, f, (baseline, x, target), tolerance, max_evaluations, rule=rule, batch_size=batch_size)


def _refined(
    answer: Attribution,
    f: Function,
    examples: tuple[Tensor, Tensor, Tensor | None],
    tolerance: float,
    max_evaluations: int,
    **options: Any,
) -> Attribution:
    """The answer with those examples done again whose error estimate is above the tolerance."""
    baseline, x, target = examples
    steps = cast(int, answer.evaluations)
    values, estimates = answer.values, cast(Tensor, answer.error_estimate)
    spent = torch.full((len(x),), steps, device=x.device)
    for i in (estimates > tolerance).nonzero()[:, 0].tolist():
        row, latest_steps = slice(i, i + 1), steps
        while estimates[i] > tolerance:
            growth = min(1.1 * estimates[i].item() / tolerance, 4.0)  # the error falls like 1 / steps, or faster
            next_steps = min(math.ceil(growth * latest_steps), max_evaluations - int(spent[i]))
            if next_steps <= latest_steps:
                break
            rerun = integrated_gradients(f, x[row], baseline[row], target_of(target, row), steps=next_steps, **options)
            values[row], estimates[row] = rerun.values, cast(Tensor, rerun.error_estimate)
            latest_steps = next_steps
            spent[i] += next_steps
    return replace(answer, evaluations=spent, converged=estimates <= tolerance)


def path_gradients(
    f: Function,
    path: Tensor | Callable[[float], Tensor],
    target: Target = None,
    *,
    x: Tensor | None = None,
    baseline: Tensor | float | None = None,
    steps: int = 64,
    rule: str = "midpoint",
    batch_size: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along any path from x' to x.

    Args:
        f: As for `integrated_gradients`.
        path: Waypoints (k, batch, *features), joined by straight lines, or a function of alpha in [0, 1] that gives
            (batch, *features).
        target: As for `integrated_gradients`.
        x: Where given, the end that the path must have.
        baseline: Where given, the start that the path must have.
        steps: Gradients for each example.
        rule: One of `core.quadrature.RULES`.
        batch_size: As for `integrated_gradients`.

    Returns:
        An Attribution of the path's ends, as `integrated_gradients` gives it.

    Raises:
        TypeError: As for `integrated_gradients`.
        ValueError: The path does not start at baseline or end at x; and as for `integrated_gradients`.

    Example:
        First along x, then along y: the second feature gets all of xy.

        >>> import igteach, torch
        >>> corners = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 1.0]]])
        >>> igteach.path_gradients(igteach.toy(lambda x, y: x * y), corners).values.tolist()
        [[0.0, 1.0]]

    Source:
        Friedman (2004), https://doi.org/10.1007/s00182-003-0165-3; Sundararajan, Taly and Yan (2017).
    """
    if rule == "warped":
        raise ValueError("rule is 'warped', which is for the straight path of integrated_gradients; choose another")
    function = path if callable(path) else piecewise_linear_path(path)
    start, end = CurvedPath(function).points(torch.tensor([0.0, 1.0], dtype=torch.float64))
    for reached, expected, name, verb in ((start, baseline, "baseline", "start"), (end, x, "x", "end")):
        if expected is not None and (reached - expected).abs().max() > 1e-4 * reached.abs().max().clamp_min(1):
            raise ValueError(f"path does not {verb} at {name}: correct the path, or leave out {name}")
    end, start, target = check_arguments(f, end, start, target)
    batch_size = default_batch_size(end, batch_size)

    def integrand_of(chunk: slice) -> Integrand:
        return PathIntegrand(f, CurvedPath(lambda alpha: function(alpha)[chunk]), target_of(target, chunk))

    values, distances = integrate_batch(integrand_of, end, rule, steps, batch_size)
    f_start, f_end = forward_at_ends(f, start, end, target, batch_size)
    return with_error(Attribution(values, f_end, f_start, steps), distances)


def _check_tolerance(tolerance: float, max_evaluations: int, steps: int) -> None:
    if not tolerance > 0:
        raise ValueError(f"tolerance is {tolerance}; pass a number above 0: 0.02 is 2% of the values' L1 norm")
    check_count("steps", steps, NEIGHBOURS)  # fewer give no error estimate
    check_count("max_evaluations", max_evaluations, steps)
