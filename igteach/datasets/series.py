"""Series of numbers with the truth about them: somewhere in the noise there is a wave, and its order is the class."""

from dataclasses import dataclass

import torch
from torch import Tensor

LENGTH = 30  # steps
WAVE = (1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0)  # up, then down
NOISE = 0.3  # standard deviation


@dataclass(frozen=True, eq=False)
class Waves:
    """Series with one wave each.

    Attributes:
        x: (N, 30, 1) float32, noise and the wave.
        y: (N,) int64, 1 where the wave goes up and then down, 0 where it goes down and then up.
        mask: (N, 30) bool, the steps of the wave: the only ones that tell the class.
    """

    x: Tensor
    y: Tensor
    mask: Tensor


def make_waves(count: int, seed: int) -> Waves:
    """Draw series. A wave stands anywhere, as often as not upside down, in noise of standard deviation 0.3.

    Args:
        count: how many.
        seed: of the random generator.

    Returns:
        The series, always the same for one seed.

    Example:
        >>> waves = make_waves(3, seed=0)
        >>> waves.x.shape, waves.mask.sum(1).tolist()
        (torch.Size([3, 30, 1]), [8, 8, 8])
    """
    draw = torch.Generator().manual_seed(seed)
    x = NOISE * torch.randn(count, LENGTH, 1, generator=draw)
    start = torch.randint(LENGTH - len(WAVE) + 1, (count, 1), generator=draw)
    y = torch.randint(2, (count,), generator=draw)
    steps = torch.arange(LENGTH) - start
    mask = (steps >= 0) & (steps < len(WAVE))
    wave = torch.tensor(WAVE)[steps.clamp(0, len(WAVE) - 1)] * mask
    return Waves(x + ((2 * y - 1)[:, None] * wave)[..., None], y, mask)
