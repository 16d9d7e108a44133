"""How well an attribution finds the truth where the truth is known: a mask of the pixels that decide."""

import numpy as np
import torch
from torch import Tensor

from igteach.evaluate.maps import check_map


def relevance_mass(values: Tensor, mask: Tensor) -> Tensor:
    """The fraction of all |share| that lies inside the mask.

    A map that knows nothing of the mask gets, on average, the fraction of the picture that the mask covers.

    Args:
        values: (batch, channels, height, width); channels are summed at each pixel before the sign is dropped.
        mask: (batch, height, width), bool, with at least one pixel in each picture.

    Returns:
        (batch,), from 0 to 1; 0 for a map of zeros.

    Raises:
        TypeError: if values is no tensor.
        ValueError: if values holds NaN or infinity, the shapes do not fit, the mask is not bool, or it has no pixel in
            some picture.

    Example:
        >>> import torch
        >>> values = torch.tensor([[[[3.0, 0.0], [-1.0, 0.0]]]])
        >>> mask = torch.tensor([[[True, True], [False, False]]])
        >>> relevance_mass(values, mask).tolist()
        [0.75]

    Source:
        Arras, Osman and Samek (2022), https://arxiv.org/abs/2003.07258.
    """
    strength = _strength(values, mask)
    inside = (strength * mask).flatten(1).sum(1)
    total = strength.flatten(1).sum(1)
    return inside / total.clamp_min(torch.finfo(strength.dtype).tiny)


def pointing_game(values: Tensor, mask: Tensor) -> Tensor:
    """Whether the strongest pixel lies inside the mask.

    Args:
        values: (batch, channels, height, width); channels are summed at each pixel before the sign is dropped.
        mask: (batch, height, width), bool, with at least one pixel in each picture.

    Returns:
        (batch,), 1 if it does, otherwise 0; 0 for a map of zeros.

    Raises:
        TypeError: if values is no tensor.
        ValueError: if values holds NaN or infinity, the shapes do not fit, the mask is not bool, or it has no pixel in
            some picture.

    Example:
        >>> import torch
        >>> values = torch.tensor([[[[3.0, 0.0], [-4.0, 0.0]]]])
        >>> mask = torch.tensor([[[True, True], [False, False]]])
        >>> pointing_game(values, mask).tolist(), pointing_game(values, ~mask).tolist()
        ([0.0], [1.0])

    Source:
        Zhang et al. (2016), https://arxiv.org/abs/1608.00507.
    """
    strength = _strength(values, mask).flatten(1)
    strongest, place = strength.max(1)
    is_inside = mask.flatten(1).gather(1, place[:, None])[:, 0]
    return (is_inside & (strongest > 0)).to(strength)


def interval(scores: Tensor, level: float = 0.95) -> tuple[float, float, float]:
    """The mean score of some pictures and its bootstrap interval: how far other pictures might move the mean.

    Needs SciPy: pip install scipy.

    Args:
        scores: (batch,), one for each of 2 or more pictures.
        level: the confidence level, between 0 and 1.

    Returns:
        The mean, the lower and the upper limit of the percentile interval. The resampling has a fixed seed.

    Raises:
        TypeError: if scores is no tensor.
        ValueError: for fewer than 2 scores, or if one is NaN or infinite.

    Example:
        >>> import torch
        >>> interval(torch.ones(5))
        (1.0, 1.0, 1.0)

    Source:
        Efron (1979), https://doi.org/10.1214/aos/1176344552.
    """
    check_map(scores, "scores")
    if scores.dim() != 1 or len(scores) < 2:
        raise ValueError(f"scores has shape {tuple(scores.shape)}; pass one number for each of 2 or more pictures")
    from scipy.stats import bootstrap

    numbers = scores.detach().cpu().double().numpy()
    result = bootstrap((numbers,), np.mean, confidence_level=level, method="percentile", rng=0)
    low, high = result.confidence_interval
    return float(numbers.mean()), float(low), float(high)


def _strength(values: Tensor, mask: Tensor) -> Tensor:
    """The absolute value of each pixel's share, its channels summed: (batch, height, width).

    Raises ValueError if values and mask do not fit, or the mask is empty in some picture.
    """
    check_map(values)
    if values.dim() != 4 or mask.dtype != torch.bool or mask.shape != (len(values), *values.shape[2:]):
        received = f"values of shape {tuple(values.shape)} and a mask of {tuple(mask.shape)}, {mask.dtype}"
        raise ValueError(f"{received}; pass (batch, channels, height, width) and a bool mask (batch, height, width)")
    if not mask.flatten(1).any(1).all():
        raise ValueError("mask has no pixel for some picture; leave that picture out")
    return values.sum(1).abs()
