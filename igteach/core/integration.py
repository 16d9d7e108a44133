"""The integral of gradient times velocity along a path, in memory that grows neither with steps nor with the batch."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

import torch
from torch import Tensor

from igteach.core import affine_prefix
from igteach.core.attribution import Attribution, accumulator
from igteach.core.error_estimate import IntegrandVariation, with_error
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Function
from igteach.core.paths import CurvedPath, StraightPath, broadcast_alphas
from igteach.core.quadrature import nodes_and_weights, parabola_corrections, warped_nodes_and_weights

Path = StraightPath | CurvedPath


def along(
    f: Function,
    paths: Callable[[slice], Path],
    ends: tuple[Tensor, Tensor],
    target: Tensor | None,
    rule: str,
    steps: int,
    batch_size: int,
    parts: affine_prefix.SplitModel | None = None,
    progress: bool = False,
) -> Attribution:
    """The attribution by the gradients along a path, from ends[0] to ends[1]; `paths` gives that of some examples.

    parts  F in two, where the path is straight
    """
    start, end = ends
    nodes, weights = nodes_and_weights("midpoint" if rule == "warped" else rule, steps)
    distance: Tensor | None
    values, distances = torch.empty_like(end), []
    chunk_size = max(1, batch_size // steps)  # examples
    for first in _counted(range(0, len(end), chunk_size), progress):
        chunk = slice(first, first + chunk_size)
        path, chosen = paths(chunk), None if target is None else target[chunk]
        inner = parts.path(cast(StraightPath, path)) if parts else None
        nodes_at_once = max(1, batch_size // chunk_size)
        if rule == "warped":
            heights = path_values(parts.rest if parts else f, inner or path, chosen, steps // 2 + 3, nodes_at_once)
            nodes, weights = warped_nodes_and_weights(heights, steps)
        rest = chosen, nodes.view(steps, -1), weights.view(steps, -1), nodes_at_once
        if parts and inner:
            total, distance = affine_prefix.integrate(parts, cast(StraightPath, path), inner, *rest)
        else:
            total, distance = integrate(partial(integrand, f, path, rest[0]), *rest[1:])
        values[chunk] = total
        distances.append(distance)
    f_start, f_end = _at_ends(f, start, end, target, batch_size)
    answer = Attribution(values, f_end, f_start, steps)
    return with_error(answer, None if distance is None else torch.cat(cast(list[Tensor], distances)))


def _at_ends(f: Function, start: Tensor, end: Tensor, target: Tensor | None, batch_size: int) -> Tensor:
    """F at both ends of the paths, side by side in a batch: (2, batch)."""
    found = []
    for chunk in torch.arange(len(end)).split(max(1, batch_size // 2)):
        both, chosen = torch.cat([start[chunk], end[chunk]]), None if target is None else target[chunk].repeat(2)
        found.append(forward_batched(f, both, chosen, batch_size).view(2, -1))
    return torch.cat(found, 1)


def path_values(f: Function, path: Path, target: Tensor | None, count: int, chunk_size: int) -> Tensor:
    """F at `count` equally spaced places of the path, from end to end: (count, batch)."""
    heights = []
    for chunk in torch.linspace(0, 1, count, dtype=torch.float64).split(chunk_size):
        points = path.points(chunk).flatten(0, 1)
        heights.append(forward_batched(f, points, None if target is None else target.repeat(len(chunk)), len(points)))
    return torch.cat(heights).view(count, -1)


def integrate(
    integrand: Callable[[Tensor, Tensor, Tensor], Tensor], nodes: Tensor, weights: Tensor, chunk_size: int
) -> tuple[Tensor, Tensor | None]:
    """The weighted sum of gradient times velocity along a path, and the estimate of its L1 distance to the integral.

    pull: of nodes, and of where their cells start and end, (nodes, 1 or batch), makes (nodes, batch, *features);
    weights as nodes; at_once: nodes. Returns (batch, *features), (batch,).
    """
    ends = weights.cumsum(0).clamp(max=1)
    starts = torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])
    shares = torch.stack([weights, parabola_corrections(nodes, weights)])
    sums, changes = torch.zeros(()), IntegrandVariation()
    for chunk in torch.arange(len(nodes)).split(chunk_size):
        integrand_values = integrand(nodes[chunk], starts[chunk], ends[chunk])
        sums = sums + torch.einsum("snb,nb...->sb...", shares[:, chunk].to(integrand_values), integrand_values)
        changes.add(integrand_values, broadcast_alphas(nodes[chunk], integrand_values[0]))
        del integrand_values  # before the next ones are made
    return sums[0], changes.distance(sums[1])


def integrand(f: Function, path: Path, target: Tensor | None, alphas: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
    """Gradient times velocity at each node, in the precision of sums: (nodes, batch, *features)."""
    points = path.points(alphas)
    _, gradients = forward_with_gradient(
        f, points.flatten(0, 1), None if target is None else target.repeat(len(points))
    )
    integrand = gradients.view_as(points).to(accumulator(points), copy=True)
    return integrand.mul_(path.velocities(starts, ends))


def _counted(work: range, progress: bool) -> Iterable[int]:
    if not progress:
        return work
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm") from None
    return tqdm(work, desc="integrated gradients", unit="chunk")
