"""Paths from baseline (alpha 0) to input (alpha 1), for rows of an example and an alpha each."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from igteach.core.attribution import all_finite
from igteach.core.devices import full_precision


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
        """Where all examples are at each alpha: (alphas, batch, *features)."""
        return torch.lerp(self.baseline, self.x, alphas.to(self.x).view(-1, *(1,) * self.x.dim()))

    def rows(self, examples: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor]:
        """Where an example is at an alpha, and x - x': two tensors (rows, *features).

        Args:
            examples: The number of each row's example, (rows,).
            alphas: Of each row, (rows,).
        """
        start, end = self.ends(examples)
        return torch.lerp(start, end, alphas.to(end).view(-1, *(1,) * (end.dim() - 1))), end - start

    def velocities(self, examples: Tensor) -> Tensor:
        """x - x' of some examples, (len(examples), *features)."""
        start, end = self.ends(examples)
        return end - start

    def ends(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """x' and x of some examples, each (len(examples), *features); (1, *features) where there is only one."""
        if len(self.x) == 1:
            return self.baseline, self.x
        examples = examples.to(self.x.device)
        return self.baseline[examples], self.x[examples]


@dataclass(frozen=True)
class CurvedPath:
    """A path given by a function of alpha.

    A velocity is the displacement over a cell divided by its width, so that the shares of a linear F add up wherever
    the path has corners.

    Attributes:
        function: Gives the points (batch, *features) at one alpha, a float.
    """

    function: Callable[[float], Tensor]

    def rows(self, examples: Tensor, alphas: Tensor) -> Tensor:
        """Where an example is at an alpha: (rows, *features); the arguments are those of `StraightPath.rows`."""
        points: list[Tensor] = [torch.empty(0, device="cpu")] * len(alphas)
        for alpha in alphas.unique().tolist():
            there = self.at(alpha)
            for row in (alphas == alpha).nonzero()[:, 0].tolist():
                points[row] = there[examples[row]]
        return torch.stack(points)

    def at(self, alpha: float) -> Tensor:
        """The points of all examples at one alpha, (batch, *features); ValueError if one is not finite."""
        with full_precision():  # a function may lead through a network
            points = self.function(alpha)
        if not all_finite(points):
            raise ValueError(f"path holds NaN or infinity at alpha {alpha:.3g}")
        return points


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
