"""Integrated Gradients, in memory that grows neither with the steps nor with the batch."""

from collections.abc import Iterator

import torch
from torch import Tensor

from igteach.attribution import Attribution, accumulator
from igteach.gradients import rows_at_once, values_at
from igteach.paths import StraightPath
from igteach.quadrature import nodes_and_weights
from igteach.scores import Function, check_arguments, gradients_at


def integrated_gradients(
    f: Function,
    x: Tensor,
    baseline: Tensor | float | None = None,
    target: int | Tensor | None = None,
    *,
    steps: int = 64,
    rule: str = "midpoint",
    rows: int | None = None,
    progress: bool = False,
) -> Attribution:
    """The share of each feature in F(x) - F(x'), by the gradients along the straight path from x' to x.

    IG_i = (x_i - x'_i) * integral over alpha in [0, 1] of dF/dx_i at x' + alpha (x - x').

    f         maps (N, *features) to (N,) or (N, classes), rows independent of one another
    x         (batch, *features), floating point
    baseline  a number, or broadcasts to x; None is zeros in the units that f takes
    target    an int, (batch,), or None where f gives one number a row
    steps     gradients for each example; rule: one of igteach.quadrature.RULES
    rows      evaluated at once, at most; None picks a size from the device
    progress  shows a bar (needs tqdm)

    Returns an Attribution in units of F: values of shape and dtype of x, and the residual.
    Raises TypeError or ValueError for arguments that cannot give a right answer, each by name.
    Source: Sundararajan, Taly and Yan (2017).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    nodes, weights = nodes_and_weights(rule, steps)
    rows = rows_at_once(x, rows)
    values = torch.empty_like(x)
    at_once = max(1, rows // steps)  # examples
    for start in _counted(range(0, len(x), at_once), progress):
        part = slice(start, start + at_once)
        path = StraightPath(baseline[part], x[part])
        values[part] = _integral(f, path, None if target is None else target[part], nodes, weights, rows)
    return Attribution(
        values,
        f_input=values_at(f, x, target, rows),
        f_baseline=values_at(f, baseline, target, rows),
        evaluations=steps,
    )


def _integral(
    f: Function, path: StraightPath, target: Tensor | None, nodes: Tensor, weights: Tensor, rows: int
) -> Tensor:
    """The weighted sum of gradient times velocity along the path: (batch, *features)."""
    total = torch.zeros(path.x.shape, dtype=accumulator(path.x), device=path.x.device)
    at_once = max(1, rows // len(path.x))  # nodes
    for alphas, shares in zip(nodes.split(at_once), weights.split(at_once), strict=True):
        total += _piece(f, path, target, alphas, shares.to(total))
    return total


def _piece(f: Function, path: StraightPath, target: Tensor | None, alphas: Tensor, shares: Tensor) -> Tensor:
    """What these nodes add to the integral, in the precision of their shares."""
    points = path.points(alphas).flatten(0, 1)
    repeated = None if target is None else target.repeat(len(alphas))
    _, gradients = gradients_at(f, points, repeated)
    pull = gradients.view(len(alphas), *path.x.shape) * path.velocities(alphas)
    return torch.tensordot(shares, pull.to(shares.dtype), dims=1)


def _counted(work: range, progress: bool) -> Iterator[int]:
    if not progress:
        return iter(work)
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm") from None
    return iter(tqdm(work, desc="integrated gradients", unit="chunk"))
