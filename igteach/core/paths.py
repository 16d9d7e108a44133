"""Paths from baseline (alpha 0) to input (alpha 1): points, and velocities; alphas are (nodes,) or (nodes, batch)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from igteach.core.attribution import all_finite
from igteach.core.devices import full_precision


class Path(Protocol):
    """Where each example is between baseline and input."""

    def points(self, alphas: Tensor) -> Tensor:
        """Where the path is at each alpha: (nodes, batch, *features)."""

    def velocities(self, starts: Tensor, ends: Tensor) -> Tensor:
        """The mean derivative of `points` by alpha between each start and its end: (nodes, batch, *features)."""


@dataclass(frozen=True)
class StraightPath:
    """The straight line x' + alpha (x - x').

    Attributes:
        baseline: x', (batch, *features).
        x: The inputs (batch, *features).
    """

    baseline: Tensor
    x: Tensor

    def points(self, alphas: Tensor) -> Tensor:
        return torch.lerp(self.baseline, self.x, broadcast_alphas(alphas, self.x))

    def velocities(self, starts: Tensor, ends: Tensor) -> Tensor:
        return (self.x - self.baseline).expand(len(starts), *self.x.shape)


@dataclass(frozen=True)
class CurvedPath:
    """A path given by a function of alpha.

    A velocity is the displacement over a cell divided by its width, so that the shares of a linear F add up wherever
    the path has corners.

    Attributes:
        function: Gives the points (batch, *features) at one alpha, a float.
    """

    function: Callable[[float], Tensor]

    def points(self, alphas: Tensor) -> Tensor:
        with full_precision():  # a function may lead through a network
            points = torch.stack([self.function(alpha) for alpha in alphas.flatten().tolist()])
        if not all_finite(points):
            raise ValueError(f"path holds NaN or infinity between alpha {alphas.min():.3g} and {alphas.max():.3g}")
        return points

    def velocities(self, starts: Tensor, ends: Tensor) -> Tensor:
        displacements = self.points(ends) - self.points(starts)
        return displacements / broadcast_alphas(ends - starts, displacements[0])


def piecewise_linear_path(waypoints: Tensor) -> Callable[[float], Tensor]:
    """The function of a CurvedPath that leads straight from waypoint to waypoint, for an equal part of [0, 1] each.

    Args:
        waypoints: (k, batch, *features), k at least 2.

    Returns:
        A function of alpha that gives (batch, *features).

    Raises:
        ValueError: `waypoints` is no such tensor.
    """
    if not isinstance(waypoints, Tensor):
        received = type(waypoints).__name__
    elif waypoints.dim() < 3 or len(waypoints) < 2:
        received = f"of shape {tuple(waypoints.shape)}"
    else:
        received = ""
    if received:
        raise ValueError(f"path is {received}; pass a function of alpha, or waypoints (2 or more, batch, *features)")

    def function(alpha: float) -> Tensor:
        legs = len(waypoints) - 1
        leg = min(int(alpha * legs), legs - 1)
        return torch.lerp(waypoints[leg], waypoints[leg + 1], alpha * legs - leg)

    return function


def broadcast_alphas(alphas: Tensor, x: Tensor) -> Tensor:
    """Alphas (nodes,) or (nodes, batch) in a shape to multiply with (nodes, *x.shape)."""
    return alphas.to(x).view(len(alphas), -1, *(1,) * (x.dim() - 1))
