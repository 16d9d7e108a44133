"""Integrated Gradients, in memory that grows neither with the steps nor with the batch."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import cast

import torch
from torch import Tensor

from igteach.attribution import Attribution, accumulator
from igteach.errors import NEIGHBOURS, Changes, with_error
from igteach.gradients import rows_at_once, values_at
from igteach.paths import CurvedPath, StraightPath, spread, through
from igteach.quadrature import check_count, corrections, nodes_and_weights, warped_nodes_and_weights
from igteach.scores import Function, check_arguments, gradients_at
from igteach.speed import stem

Path = StraightPath | CurvedPath


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
    rows: int | None = None,
    progress: bool = False,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along the straight path from x' to x.

    IG_i = (x_i - x'_i) * integral over alpha in [0, 1] of dF/dx_i at x' + alpha (x - x').

    f         maps (N, *features) to (N,) or (N, classes), rows independent of one another
    x         (batch, *features), floating point
    baseline  a number, or broadcasts to x; None is zeros in the units that f takes
    target    an int, (batch,), or None where f gives one number a row
    steps     gradients for each example; rule: of igteach.quadrature.RULES, or "warped": nodes close where F moves
    tolerance an example whose error estimate is above it is done anew with more steps, until it is not, or until
              max_evaluations gradients are spent on the example; `converged` says which
    rows      evaluated at once, at most; None picks a size from the device
    progress  shows a bar (needs tqdm)

    Returns an Attribution in units of F: values of shape and dtype of x, the residual, and an estimate of the error.
    Raises TypeError or ValueError for arguments that cannot give a right answer, each by name.
    Source: Sundararajan, Taly and Yan (2017).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    rows = rows_at_once(x, rows)
    if tolerance is not None:
        _check_tolerance(tolerance, max_evaluations, steps)

    def straight(part: slice) -> StraightPath:
        return StraightPath(baseline[part], x[part])

    parts = stem.split(f, x, steps)
    answer = _along(f, straight, (baseline, x), target, rule, steps, rows, parts, progress)
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
            again = integrated_gradients(f, x[one], baseline[one], chosen, steps=more, rule=rule, rows=rows)
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
    rows: int | None = None,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along any path from x' to x.

    path         way-points (k, batch, *features), joined straight, or a function of alpha giving (batch, *features)
    x, baseline  where given, the ends that the path must have; all else is as for integrated_gradients
    Source: Friedman (2004); Sundararajan, Taly and Yan (2017).
    """
    if rule == "warped":
        raise ValueError("rule is 'warped', which is for the straight path of integrated_gradients; choose another")
    function = path if callable(path) else through(path)
    start, end = CurvedPath(function).points(torch.tensor([0.0, 1.0], dtype=torch.float64))
    for reached, wanted, words in ((start, baseline, "start at baseline"), (end, x, "end at x")):
        if wanted is not None and (reached - wanted).abs().max() > 1e-4 * reached.abs().max().clamp_min(1):
            raise ValueError(f"path does not {words}: mend the path, or leave out the argument")
    end, start, target = check_arguments(f, end, start, target)
    rows = rows_at_once(end, rows)
    return _along(
        f, lambda part: CurvedPath(lambda alpha: function(alpha)[part]), (start, end), target, rule, steps, rows
    )


def _along(
    f: Function,
    paths: Callable[[slice], Path],
    ends: tuple[Tensor, Tensor],
    target: Tensor | None,
    rule: str,
    steps: int,
    rows: int,
    parts: stem.Stem | None = None,
    progress: bool = False,
) -> Attribution:
    """The attribution by the gradients along a path, from ends[0] to ends[1]; `paths` gives that of some examples.

    parts  F in two, where the path is straight
    """
    start, end = ends
    nodes, weights = nodes_and_weights("midpoint" if rule == "warped" else rule, steps)
    distance: Tensor | None
    values, distances = torch.empty_like(end), []
    at_once = max(1, rows // steps)  # examples
    for first in _counted(range(0, len(end), at_once), progress):
        part = slice(first, first + at_once)
        path, chosen = paths(part), None if target is None else target[part]
        inner = parts.path(cast(StraightPath, path)) if parts else None
        nodes_at_once = max(1, rows // at_once)
        if rule == "warped":
            heights = _heights(parts.rest if parts else f, inner or path, chosen, steps // 2 + 3, nodes_at_once)
            nodes, weights = warped_nodes_and_weights(heights, steps)
        rest = chosen, nodes.view(steps, -1), weights.view(steps, -1), nodes_at_once
        if parts and inner:
            total, distance = stem.integral(parts, cast(StraightPath, path), inner, *rest)
        else:
            total, distance = integral(partial(_pull, f, path, rest[0]), *rest[1:])
        values[part] = total
        distances.append(distance)
    f_start, f_end = _at_ends(f, start, end, target, rows)
    answer = Attribution(values, f_end, f_start, steps)
    return with_error(answer, None if distance is None else torch.cat(cast(list[Tensor], distances)))


def _at_ends(f: Function, start: Tensor, end: Tensor, target: Tensor | None, rows: int) -> Tensor:
    """F at both ends of the paths, side by side in a batch: (2, batch)."""
    found = []
    for part in torch.arange(len(end)).split(max(1, rows // 2)):
        both, chosen = torch.cat([start[part], end[part]]), None if target is None else target[part].repeat(2)
        found.append(values_at(f, both, chosen, rows).view(2, -1))
    return torch.cat(found, 1)


def _heights(f: Function, path: Path, target: Tensor | None, count: int, at_once: int) -> Tensor:
    """F at `count` equally spaced places of the path, from end to end: (count, batch)."""
    heights = []
    for part in torch.linspace(0, 1, count, dtype=torch.float64).split(at_once):
        points = path.points(part).flatten(0, 1)
        heights.append(values_at(f, points, None if target is None else target.repeat(len(part)), len(points)))
    return torch.cat(heights).view(count, -1)


def integral(
    pull: Callable[[Tensor, Tensor, Tensor], Tensor], nodes: Tensor, weights: Tensor, at_once: int
) -> tuple[Tensor, Tensor | None]:
    """The weighted sum of gradient times velocity along a path, and the estimate of its L1 distance to the integral.

    pull: of nodes, and of where their cells start and end, (nodes, 1 or batch), makes (nodes, batch, *features);
    weights as nodes; at_once: nodes. Returns (batch, *features), (batch,).
    """
    ends = weights.cumsum(0).clamp(max=1)
    starts = torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])
    shares = torch.stack([weights, corrections(nodes, weights)])
    sums, changes = torch.zeros(()), Changes()
    for part in torch.arange(len(nodes)).split(at_once):
        pulls = pull(nodes[part], starts[part], ends[part])
        sums = sums + torch.einsum("snb,nb...->sb...", shares[:, part].to(pulls), pulls)
        changes.add(pulls, spread(nodes[part], pulls[0]))
        del pulls  # before the next ones are made
    return sums[0], changes.distance(sums[1])


def _pull(f: Function, path: Path, target: Tensor | None, alphas: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Gradient times velocity at each node, in the precision of sums: (nodes, batch, *features)."""
    points = path.points(alphas)
    _, gradients = gradients_at(f, points.flatten(0, 1), None if target is None else target.repeat(len(points)))
    pull = gradients.view_as(points).to(accumulator(points), copy=True)
    return pull.mul_(path.velocities(starts, ends))


def _check_tolerance(tolerance: float, max_evaluations: int, steps: int) -> None:
    if not tolerance > 0:
        raise ValueError(f"tolerance is {tolerance}; pass a number above 0: 0.02 is 2% of the values' L1 norm")
    check_count("steps", steps, NEIGHBOURS)  # fewer give no error estimate
    check_count("max_evaluations", max_evaluations, steps)


def _counted(work: range, progress: bool) -> Iterable[int]:
    if not progress:
        return work
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm") from None
    return tqdm(work, desc="integrated gradients", unit="chunk")
