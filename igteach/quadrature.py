"""Nodes and weights on [0, 1]: the rules by which an integral becomes a weighted sum.

A weight is also a cell: the k-th node stands for the stretch of [0, 1] between the sums of the weights before it and up
to it. For every rule here the node lies in its cell.
"""

import numpy as np
import torch
from torch import Tensor

RULES = ("left", "right", "midpoint", "trapezoid", "gauss_legendre")
POWER, FLOOR = 2 / 3, 0.25  # of the warped rule: see warped_nodes_and_weights


def check_steps(steps: int) -> None:
    """Raise ValueError for steps that are no whole number of at least 1."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps is {steps!r}; pass a whole number of at least 1")


def nodes_and_weights(rule: str, steps: int) -> tuple[Tensor, Tensor]:
    """Where to evaluate on [0, 1], and how much each value counts.

    Returns two float64 tensors of shape (steps,), nodes ascending; the weights sum to 1.
    Raises ValueError for an unknown rule, for steps < 1, and for a trapezoid of one step.
    """
    if rule not in RULES:
        raise ValueError(f"rule is {rule!r}; choose one of {', '.join(RULES)}; integrated_gradients takes warped, too")
    check_steps(steps)
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
    """Nodes that stand close where F moves: midpoints of cells that each hold an equal share of its movement.

    heights (points, batch) is F at equally spaced alphas from 0 to 1, steps the number of nodes. The density of the cells is |dF / dalpha| to the
    POWER, mixed with FLOOR parts of a uniform one. 2/3 is best where the gradient jumps at kinks by an amount that goes
    with |dF / dalpha|: the expected squared error is then the integral of |dF / dalpha|^2 / density^2.
    Returns two float64 tensors of shape (steps, batch); the weights of each column sum to 1.
    """
    moves = heights.double().cpu().diff(dim=0).abs() ** POWER
    density = (1 - FLOOR) * moves / moves.sum(0).clamp_min(torch.finfo(torch.float64).tiny) + FLOOR / len(moves)
    shares = torch.cat([torch.zeros_like(density[:1]), density.cumsum(0) / density.sum(0)])
    alphas, wanted = np.linspace(0, 1, len(heights)), np.linspace(0, 1, steps + 1)
    ends = torch.from_numpy(np.stack([np.interp(wanted, column, alphas) for column in shares.mT], axis=1))
    ends[0], ends[-1] = 0.0, 1.0
    return (ends[1:] + ends[:-1]) / 2, ends.diff(dim=0)


def corrections(nodes: Tensor, weights: Tensor) -> Tensor:
    """What each weight lacks to integrate, cell by cell, the parabola through three neighbouring values.

    nodes, weights and the result (steps, batch), steps >= 3. For the midpoint rule of n steps on values g the
    corrections sum to (the last difference of g less the first) / 24n, the first term of Euler and Maclaurin.
    """
    steps, powers = len(nodes), torch.arange(3, dtype=torch.float64).view(3, 1, 1)
    near = torch.arange(steps).sub(1).clamp(0, steps - 3)[:, None] + torch.arange(3)
    ends = weights.cumsum(0)
    distances = (nodes[near] - nodes[:, None])[:, None] ** powers.view(3, 1, 1)  # (steps, powers, neighbours, batch)
    upper, lower = (ends - nodes)[:, None], (ends - weights - nodes)[:, None]
    moments = (upper ** (powers[:, 0] + 1) - lower ** (powers[:, 0] + 1)) / (powers[:, 0] + 1)
    parabola = torch.linalg.solve(distances.movedim(-1, 1), moments.movedim(-1, 1))  # (steps, batch, neighbours)
    return torch.zeros_like(nodes).index_add(0, near.flatten(), parabola.mT.flatten(0, 1)) - weights
