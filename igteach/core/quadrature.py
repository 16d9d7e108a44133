"""Nodes and weights on [0, 1]: the rules by which an integral becomes a weighted sum.

A weight is also a cell: the stretch between the sums of the weights before it and up to it. Its node lies in it.
"""

import numpy as np
import torch
from torch import Tensor

from igteach.core.validation import check_count

RULES = ("left", "right", "midpoint", "trapezoid", "gauss_legendre")
POWER, FLOOR = 0.5, 0.25  # of the warped rule: tried out on digits, random networks and photographs


def nodes_and_weights(rule: str, steps: int) -> tuple[Tensor, Tensor]:
    """Where to evaluate on [0, 1], and how much each value counts.

    Returns two float64 tensors of shape (steps,), nodes ascending; the weights sum to 1.
    Raises ValueError for an unknown rule, for steps < 1, and for a trapezoid of one step.
    """
    if rule not in RULES:
        raise ValueError(f"rule is {rule!r}; choose one of {', '.join(RULES)}; integrated_gradients takes warped, too")
    check_count("steps", steps, 1)
    if rule == "trapezoid" and steps == 1:
        raise ValueError("steps is 1, but the trapezoid rule needs both ends: pass at least 2")
    cells = torch.arange(steps, dtype=torch.float64)
    equal = torch.full((steps,), 1.0 / steps, dtype=torch.float64)
    if rule == "left":
        return cells / steps, equal
    if rule == "right":
        return (cells + 1) / steps, equal
    if rule == "midpoint":
        return (cells + 0.5) / steps, equal
    if rule == "trapezoid":
        weights = torch.full((steps,), 1.0 / (steps - 1), dtype=torch.float64)
        weights[0] = weights[-1] = 0.5 / (steps - 1)
        return cells / (steps - 1), weights
    points, shares = np.polynomial.legendre.leggauss(steps)  # on [-1, 1], where the shares sum to 2
    return torch.from_numpy((points + 1) / 2), torch.from_numpy(shares / 2)


def warped_nodes_and_weights(heights: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Nodes that stand close where F moves or bends: midpoints of cells that each hold an equal share of that.

    heights (points, batch) is F at 3 or more equally spaced alphas from 0 to 1. A share is that of |F's difference| +
    |its change| to the POWER, mixed with FLOOR parts of a uniform one. Returns float64 tensors (steps, batch).
    Source: Bhat and Raychowdhury (2023) place steps by the change of F; the form and the constants are ours.
    """
    moves = heights.cpu().double().diff(dim=0)
    bends = moves.diff(dim=0).abs()
    moves = moves.abs() + torch.cat([bends[:1], bends]) + torch.cat([bends, bends[-1:]])
    density = (1 - FLOOR) * moves**POWER / (moves**POWER).sum(0).clamp_min(1e-300) + FLOOR / len(moves)
    shares = torch.cat([torch.zeros_like(density[:1]), density.cumsum(0) / density.sum(0)])
    alphas, wanted = np.linspace(0, 1, len(heights)), np.linspace(0, 1, steps + 1)
    ends = torch.from_numpy(np.stack([np.interp(wanted, column, alphas) for column in shares.mT], axis=1))
    ends[0], ends[-1] = 0.0, 1.0
    return (ends[1:] + ends[:-1]) / 2, ends.diff(dim=0)


def parabola_corrections(nodes: Tensor, weights: Tensor) -> Tensor:
    """What each weight lacks to integrate, cell by cell, the parabola through three neighbouring values.

    nodes, weights and the result (steps, batch); zeros for fewer than 3 steps.
    """
    steps = len(nodes)
    if steps < 3:
        return torch.zeros_like(weights)
    powers = torch.arange(3, dtype=torch.float64)[:, None]
    near = torch.arange(steps).sub(1).clamp(0, steps - 3)[:, None] + torch.arange(3)
    ends = weights.cumsum(0)
    distances = (nodes[near] - nodes[:, None])[:, None] ** powers[..., None]  # (steps, powers, neighbours, batch)
    upper, lower = (ends - nodes)[:, None], (ends - weights - nodes)[:, None]
    moments = (upper ** (powers + 1) - lower ** (powers + 1)) / (powers + 1)
    parabola = torch.linalg.solve(distances.movedim(-1, 1), moments.movedim(-1, 1))  # (steps, batch, neighbours)
    return torch.zeros_like(nodes).index_add(0, near.flatten(), parabola.mT.flatten(0, 1)) - weights
