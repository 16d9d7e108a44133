"""Nodes and weights on [0, 1]: the rules by which an integral becomes a weighted sum.

A weight is also a cell: the interval between the sums of the weights before it and up to it. Its node lies in it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igteach.core.validation import check_count

RULES = ("left", "right", "midpoint", "trapezoid", "gauss_legendre")
POWER, FLOOR = 0.5, 0.25  # of the warped rule: tried out on digits, random networks and photographs


@dataclass(frozen=True, eq=False)
class Cells:
    """[0, 1], or a part of it, cut into cells with a node in each; all fields are (cells, 1) or (cells, batch).

    Attributes:
        nodes: Where the integrand is evaluated.
        weights: How much each value counts: the width of its cell.
        starts: Where each cell begins.
        ends: Where each cell ends.
    """

    nodes: Tensor
    weights: Tensor
    starts: Tensor
    ends: Tensor

    @classmethod
    def of(cls, nodes: Tensor, weights: Tensor) -> "Cells":
        """The cells of a rule's nodes and weights, each (steps,) or (steps, batch)."""
        nodes, weights = nodes.view(len(nodes), -1), weights.view(len(weights), -1)
        ends = weights.cumsum(0).clamp(max=1)
        return cls(nodes, weights, torch.cat([torch.zeros_like(ends[:1]), ends[:-1]]), ends)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, chunk: Tensor) -> "Cells":
        return Cells(self.nodes[chunk], self.weights[chunk], self.starts[chunk], self.ends[chunk])


def nodes_and_weights(rule: str, steps: int) -> tuple[Tensor, Tensor]:
    """Where to evaluate on [0, 1], and how much each value counts.

    Args:
        rule: One of RULES.
        steps: Nodes, at least 1; at least 2 for the trapezoid rule.

    Returns:
        Two float64 tensors (steps,): the nodes, ascending, and their weights, which sum to 1.

    Raises:
        ValueError: There is no such rule, or there are too few steps.

    Example:
        >>> from igteach.core.quadrature import nodes_and_weights
        >>> nodes, weights = nodes_and_weights("midpoint", 2)
        >>> nodes.tolist(), weights.tolist()
        ([0.25, 0.75], [0.5, 0.5])
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


def warped_nodes_and_weights(path_values: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Nodes that stand close where F moves or bends: midpoints of cells that each hold an equal share of that.

    The density of nodes is that of |F's difference| + |its change| to the POWER, mixed with FLOOR of a uniform one.

    Args:
        path_values: F at 3 or more equally spaced alphas from 0 to 1, (points, batch).
        steps: Nodes for each example.

    Returns:
        Nodes and weights, float64 tensors (steps, batch).

    Source:
        Bhat and Raychowdhury (2023) place steps by the change of F; the form and the constants are ours.
    """
    moves = path_values.cpu().double().diff(dim=0)
    bends = moves.diff(dim=0).abs()
    moves = moves.abs() + torch.cat([bends[:1], bends]) + torch.cat([bends, bends[-1:]])
    density = (1 - FLOOR) * moves**POWER / (moves**POWER).sum(0).clamp_min(1e-300) + FLOOR / len(moves)
    shares = torch.cat([torch.zeros_like(density[:1]), density.cumsum(0) / density.sum(0)])
    alphas, wanted = np.linspace(0, 1, len(path_values)), np.linspace(0, 1, steps + 1)
    ends = torch.from_numpy(np.stack([np.interp(wanted, column, alphas) for column in shares.mT], axis=1))
    ends[0], ends[-1] = 0.0, 1.0
    return (ends[1:] + ends[:-1]) / 2, ends.diff(dim=0)


def parabola_corrections(nodes: Tensor, weights: Tensor) -> Tensor:
    """What each weight lacks to integrate, cell by cell, the parabola through three neighbouring values.

    Args:
        nodes: (steps, batch).
        weights: (steps, batch), the widths of the nodes' cells.

    Returns:
        The corrections (steps, batch); zeros for fewer than 3 steps.
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
