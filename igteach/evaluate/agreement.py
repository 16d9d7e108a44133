"""How far two maps of attributions agree."""

import torch
from torch import Tensor

from igteach.evaluate.maps import check_map


def agreement(values: Tensor, others: Tensor) -> Tensor:
    """Spearman's rank correlation of two maps of each example.

    In pictures (batch, channels, height, width) the channels of a pixel are summed first. Signs count: to compare the
    strength alone, pass absolute values. Needs SciPy: pip install scipy.

    Args:
        values: (batch, *features), one map of each example.
        others: (batch, *features), the other map.

    Returns:
        (batch,), from -1 to 1; 0 if one of the two maps is constant.

    Raises:
        TypeError: if a map is no tensor.
        ValueError: if the shapes differ, or a map has only one feature, or holds NaN or infinity.

    Example:
        >>> import torch
        >>> from igteach.evaluate import agreement
        >>> values = torch.tensor([[1.0, 2.0, 3.0]])
        >>> agreement(values, values.exp()).tolist(), agreement(values, -values).tolist()
        ([1.0], [-1.0])

    Source:
        Spearman (1904), https://doi.org/10.2307/1412159; of maps, Adebayo et al. (2018),
        https://arxiv.org/abs/1810.03292.
    """
    for name, given in (("values", values), ("others", others)):
        check_map(given, name)
    if values.shape != others.shape or values.dim() < 2 or values[:1].numel() < 2:
        received = f"values has shape {tuple(values.shape)}, others {tuple(others.shape)}"
        raise ValueError(f"{received}; pass two maps (batch, *features) of one shape")
    first = _centred_ranks(values)
    second = _centred_ranks(others)
    norms = (first.norm(dim=1) * second.norm(dim=1)).clamp_min(torch.finfo(first.dtype).tiny)
    correlation: Tensor = (first * second).sum(1) / norms
    return correlation.to(values)


def _centred_ranks(values: Tensor) -> Tensor:
    """The rank of each place minus the mean rank, float64 on the CPU: (batch, places)."""
    from scipy.stats import rankdata

    ranks = torch.from_numpy(rankdata(flatten_places(values).cpu().double().numpy(), axis=1))
    centred: Tensor = ranks - ranks.mean(1, keepdim=True)
    return centred


def flatten_places(values: Tensor) -> Tensor:
    """One number for each place of a map.

    Args:
        values: (batch, *features); in pictures (batch, channels, height, width) a place is a pixel, and has the sum
            over its channels; otherwise each feature is a place.

    Returns:
        (batch, places), detached.
    """
    if values.dim() == 4:
        values = values.sum(1)
    return values.detach().flatten(1)
