"""Nodes and weights on [0, 1]: the rules by which an integral becomes a weighted sum.

A weight is also a cell: the interval between the sums of the weights before it and up to it. Its node lies in it.
"""

import numpy as np
import torch
from torch import Tensor

from igteach.core.validation import check_count

RULES = ("left", "right", "midpoint", "trapezoid", "gauss_legendre")


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
        raise ValueError(f"rule is {rule!r}; choose one of {', '.join(RULES)}")
    check_count("steps", steps, 1)
    if rule == "trapezoid" and steps == 1:
        raise ValueError("steps is 1, but the trapezoid rule needs both ends: pass at least 2")
    cells = torch.arange(steps, dtype=torch.float64, device="cpu")
    equal = torch.full((steps,), 1.0 / steps, dtype=torch.float64, device="cpu")
    if rule == "left":
        return cells / steps, equal
    if rule == "right":
        return (cells + 1) / steps, equal
    if rule == "midpoint":
        return (cells + 0.5) / steps, equal
    if rule == "trapezoid":
        weights = torch.full((steps,), 1.0 / (steps - 1), dtype=torch.float64, device="cpu")
        weights[0] = weights[-1] = 0.5 / (steps - 1)
        return cells / (steps - 1), weights
    points, shares = np.polynomial.legendre.leggauss(steps)  # on [-1, 1], where the shares sum to 2
    return torch.from_numpy((points + 1) / 2), torch.from_numpy(shares / 2)


def parabola_weights(nodes: Tensor, widths: Tensor, is_open: Tensor | None = None) -> Tensor:
    """The weights that integrate, cell by cell, the parabola through a node and its two neighbours.

    Where a node is in the middle of its cell, that is width (g + width^2 / 12 g[left, middle, right]), with a divided
    difference, and no weight is negative, however unequal the cells are: a neighbour lies outside the cell. The first
    cell takes the two nodes that come next, if their cells are no narrower, which bounds the weights; else it gets
    width g. So does the last one.

    Args:
        nodes: One in each of the cells that fill [0, 1], ascending, (cells, batch).
        widths: Of the cells, (cells, batch).
        is_open: Where a node's weight may differ from its cell's width, (cells, batch); None is everywhere.

    Returns:
        The weights (cells, batch).

    Example:
        >>> import torch
        >>> from igteach.core.quadrature import parabola_weights
        >>> nodes, widths = torch.tensor([[0.25], [0.625], [0.875]]), torch.tensor([[0.5], [0.25], [0.25]])
        >>> parabola_weights(nodes, widths).sum().item()
        1.0
    """
    if len(nodes) < 3:
        return widths.clone()
    ends = widths.cumsum(0)
    own, others = (
        torch.arange(len(nodes), device="cpu"),
        torch.arange(len(nodes), device="cpu").clamp(1, len(nodes) - 2),
    )
    one, two = others - 1 + (own == 0) * 1, others + 1 - (own == len(nodes) - 1) * 1
    after, before = ends - nodes, ends - widths - nodes
    first, second = (after**2 - before**2) / 2, (after**3 - before**3) / 3  # the moments of the cell about its node
    to_one, to_two = nodes[one] - nodes, nodes[two] - nodes
    wide = widths.minimum(widths[one]).minimum(widths[two]) >= widths * (1 - 1e-9)
    wide[1:-1] = True
    if is_open is not None:
        wide &= is_open & is_open[one] & is_open[two]
    weight_one = torch.where(wide, (second - first * to_two) / (to_one * (to_one - to_two)), 0.0)
    weight_two = torch.where(wide, (second - first * to_one) / (to_two * (to_two - to_one)), 0.0)
    weights = widths - weight_one - weight_two
    return weights.index_add(0, one, weight_one).index_add(0, two, weight_two)
