"""Nodes and weights on [0, 1]: the rules by which an integral becomes a weighted sum."""

import numpy as np
import torch
from torch import Tensor

RULES = ("left", "right", "midpoint", "trapezoid", "gauss_legendre")


def nodes_and_weights(rule: str, steps: int) -> tuple[Tensor, Tensor]:
    """Where to evaluate on [0, 1], and how much each value counts.

    Returns two float64 tensors of shape (steps,), nodes ascending; the weights sum to 1.
    Raises ValueError for an unknown rule, for steps < 1, and for a trapezoid of one step.
    """
    if rule not in RULES:
        raise ValueError(f"rule is {rule!r}; choose one of {', '.join(RULES)}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps is {steps!r}; pass a whole number of at least 1")
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
