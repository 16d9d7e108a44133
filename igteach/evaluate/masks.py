"""How an attribution fares against the truth, where the truth is known: a mask of the pixels that decide."""

import torch
from torch import Tensor


def relevance_mass(values: Tensor, mask: Tensor) -> Tensor:
    """(batch,) The part of all |share| that lies inside the mask, 0 to 1; 0 for a map of nothing.

    values (batch, channels, height, width), summed over channels pixel by pixel before the sign goes; mask (batch,
    height, width), bool. A map that knows nothing gets the mask's part of the picture. Raises ValueError for shapes
    that do not fit, and for a mask without a pixel.
    """
    strength = _strength(values, mask)
    return (strength * mask).flatten(1).sum(1) / strength.flatten(1).sum(1).clamp_min(torch.finfo(strength.dtype).tiny)


def pointing_game(values: Tensor, mask: Tensor) -> Tensor:
    """(batch,) 1 where the strongest pixel lies inside the mask, else 0; 0 for a map of nothing.

    values, mask and errors as for `relevance_mass`. Source: Zhang et al. (2016).
    """
    strength = _strength(values, mask).flatten(1)
    strongest, where = strength.max(1)
    return (mask.flatten(1).gather(1, where[:, None])[:, 0] & (strongest > 0)).to(strength)


def interval(scores: Tensor, level: float = 0.95) -> tuple[float, float, float]:
    """The mean of scores (batch,), and the limits of its bootstrap interval: how far other pictures might move it.

    Raises ValueError for fewer than 2 scores. Needs SciPy: pip install scipy. Source: Efron (1979).
    """
    if scores.dim() != 1 or len(scores) < 2:
        raise ValueError(f"scores has shape {tuple(scores.shape)}; pass one number for each of 2 or more pictures")
    from scipy.stats import bootstrap

    numbers = scores.detach().cpu().double().numpy()
    found = bootstrap(
        (numbers,), lambda sample, axis: sample.mean(axis), confidence_level=level, method="percentile", rng=0
    )
    return numbers.mean().item(), *map(float, found.confidence_interval)


def _strength(values: Tensor, mask: Tensor) -> Tensor:
    """|share| of each pixel, its channels together: (batch, height, width)."""
    if values.dim() != 4 or mask.dtype != torch.bool or mask.shape != (len(values), *values.shape[2:]):
        received = f"values of shape {tuple(values.shape)} and a mask of {tuple(mask.shape)}, {mask.dtype}"
        raise ValueError(f"{received}; pass (batch, channels, height, width) and a bool mask (batch, height, width)")
    if not mask.flatten(1).any(1).all():
        raise ValueError("mask has no pixel for some picture; leave that picture out")
    return values.sum(1).abs()
