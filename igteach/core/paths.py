"""Paths from baseline (alpha 0) to input (alpha 1): points, and velocities; alphas are (nodes,) or (nodes, batch)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from igteach.core.attribution import all_finite
from igteach.core.devices import full_precision


@dataclass(frozen=True)
class StraightPath:
    """The straight line x' + alpha (x - x'), for a batch: baseline, x (batch, *features)."""

    baseline: Tensor
    x: Tensor

    def points(self, alphas: Tensor) -> Tensor:
        """Where the path is at each alpha: (nodes, batch, *features)."""
        return torch.lerp(self.baseline, self.x, broadcast_alphas(alphas, self.x))

    def velocities(self, starts: Tensor, ends: Tensor) -> Tensor:
        """The derivative of `points` by alpha, between each start and its end: (nodes, batch, *features)."""
        return (self.x - self.baseline).expand(len(starts), *self.x.shape)


@dataclass(frozen=True)
class CurvedPath:
    """A path by a function of one alpha, a number, that returns (batch, *features).

    A velocity is a cell's way over its time, so that the shares of a linear F add up wherever the path has corners.
    """

    function: Callable[[float], Tensor]

    def points(self, alphas: Tensor) -> Tensor:
        with full_precision():  # a function may lead through a network
            points = torch.stack([self.function(alpha) for alpha in alphas.flatten().tolist()])
        if not all_finite(points):
            raise ValueError(f"path holds NaN or infinity between alpha {alphas.min():.3g} and {alphas.max():.3g}")
        return points

    def velocities(self, starts: Tensor, ends: Tensor) -> Tensor:
        ways = self.points(ends) - self.points(starts)
        return ways / broadcast_alphas(ends - starts, ways[0])


def piecewise_linear_path(waypoints: Tensor) -> Callable[[float], Tensor]:
    """Straight legs through waypoints (k, batch, *features), each taking an equal part of [0, 1], for a CurvedPath."""
    if not isinstance(waypoints, Tensor) or waypoints.dim() < 3 or len(waypoints) < 2:
        received = f"of shape {tuple(waypoints.shape)}" if isinstance(waypoints, Tensor) else type(waypoints).__name__
        raise ValueError(f"path is {received}; pass a function of alpha, or way-points (2 or more, batch, *features)")

    def function(alpha: float) -> Tensor:
        legs = len(waypoints) - 1
        leg = min(int(alpha * legs), legs - 1)
        return torch.lerp(waypoints[leg], waypoints[leg + 1], alpha * legs - leg)

    return function


def broadcast_alphas(alphas: Tensor, x: Tensor) -> Tensor:
    """Alphas (nodes,) or (nodes, batch) in a shape to multiply with (nodes, *x.shape)."""
    return alphas.to(x).view(len(alphas), -1, *(1,) * (x.dim() - 1))
