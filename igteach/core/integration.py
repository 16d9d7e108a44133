"""The integral of gradient times velocity along a path, in memory that grows neither with steps nor with the batch."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

import torch
from torch import Tensor

from igteach.core import affine_prefix
from igteach.core.attribution import Attribution, accumulator
from igteach.core.error_estimate import Changes, with_error
from igteach.core.evaluation import gradients_at, values_at
from igteach.core.functions import Function
from igteach.core.paths import CurvedPath, StraightPath, spread
from igteach.core.quadrature import corrections, nodes_and_weights, warped_nodes_and_weights

Path = StraightPath | CurvedPath


def along(
    f: Function,
    paths: Callable[[slice], Path],
    ends: tuple[Tensor, Tensor],
    target: Tensor | None,
    rule: str,
    steps: int,
    rows: int,
    parts: affine_prefix.Stem | None = None,
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
            total, distance = affine_prefix.integral(parts, cast(StraightPath, path), inner, *rest)
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


def _counted(work: range, progress: bool) -> Iterable[int]:
    if not progress:
        return work
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm") from None
    return tqdm(work, desc="integrated gradients", unit="chunk")
