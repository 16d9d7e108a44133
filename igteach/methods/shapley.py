"""Shapley values: what a feature adds to F, averaged over all sets of features that may have moved before it."""

from math import comb

import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.validation import check_arguments, default_batch_size

MOST = 15  # features: 2**15 subsets


def shapley_values(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, batch_size: int | None = None
) -> Attribution:
    """The Shapley value of each feature, exact, from F at all 2**n mixtures of x and the baseline; no gradient.

    phi_i is the mean, over the sizes of sets S without i, of the mean over those sets of F(S and i) - F(S), where F(S)
    has the features in S as in x and the others as in the baseline.
    Arguments, answer and errors as for integrated_gradients; ValueError for more than 15 features.
    Source: Shapley (1953); with one baseline, Sundararajan and Najmi (2020).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    n = x[0].numel()
    if n > MOST:
        raise ValueError(
            f"x has {n} features, that is 2**{n} sets of them; use igteach.methods.captum_methods.shapley_sampling"
        )
    batch_size, shape = default_batch_size(x, batch_size), (2,) * n
    inside = torch.cartesian_prod(*[torch.tensor([False, True], device=x.device)] * n).view(-1, *x.shape[1:])
    sizes = inside.flatten(1).sum(1).view(shape)
    values, ends = torch.empty_like(x), x.new_empty(2, len(x))
    for k in range(len(x)):
        points, chosen = torch.where(inside, x[k], baseline[k]), None if target is None else target[k].expand(2**n)
        at_sets = forward_batched(f, points, chosen, batch_size).cpu().double().view(shape)
        ends[:, k] = at_sets.flatten()[[0, -1]]  # no feature inside, and all
        gains = [at_sets.select(i, 1) - at_sets.select(i, 0) for i in range(n)]
        weights = torch.tensor([1 / (n * comb(n - 1, size)) for size in range(n)], dtype=torch.float64)
        shares = [(weights[sizes.select(i, 0).cpu()] * gain).sum() for i, gain in enumerate(gains)]
        values[k] = torch.stack(shares).view(x.shape[1:]).to(x)
    return Attribution(values, ends[1], ends[0], evaluations=0)
