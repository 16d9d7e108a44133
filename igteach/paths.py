"""Paths from the baseline to the input: points, and velocities (how fast each feature moves)."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class StraightPath:
    """The straight line x' + alpha (x - x'), for a batch.

    baseline, x: (batch, *features).
    """

    baseline: Tensor
    x: Tensor

    def points(self, alphas: Tensor) -> Tensor:
        """Where the path is at each alpha: (alphas, batch, *features)."""
        shape = (-1,) + (1,) * self.x.dim()
        return self.baseline + alphas.to(self.x).view(shape) * (self.x - self.baseline)

    def velocities(self, alphas: Tensor) -> Tensor:
        """The derivative of `points` by alpha: (alphas, batch, *features)."""
        return (self.x - self.baseline).expand(len(alphas), *self.x.shape)
