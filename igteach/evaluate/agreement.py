"""How far two maps agree."""

import torch
from torch import Tensor


def agreement(values: Tensor, others: Tensor) -> Tensor:
    """(batch,) Spearman's rank correlation of two maps of each example, -1 to 1; 0 where one of them is constant.

    values, others (batch, *features); of pictures (batch, channels, height, width), channels are added up first.
    Whoever wants strength without its sign passes sizes. Raises ValueError for shapes that differ, and for one feature.
    Needs SciPy: pip install scipy. Source: Spearman (1904).
    """
    if values.shape != others.shape or values.dim() < 2 or values[:1].numel() < 2:
        received = f"values has shape {tuple(values.shape)}, others {tuple(others.shape)}"
        raise ValueError(f"{received}; pass two maps (batch, *features) of one shape")
    from scipy.stats import rankdata

    ranks = [torch.from_numpy(rankdata(by_place(each).cpu().double().numpy(), axis=1)) for each in (values, others)]
    one, other = (each - each.mean(1, keepdim=True) for each in ranks)
    lengths = (one.norm(dim=1) * other.norm(dim=1)).clamp_min(torch.finfo(one.dtype).tiny)
    return ((one * other).sum(1) / lengths).to(values)


def by_place(values: Tensor) -> Tensor:
    """(batch, places): pixels, their channels added up, of (batch, channels, height, width); else the features."""
    return (values.sum(1) if values.dim() == 4 else values).detach().flatten(1)
