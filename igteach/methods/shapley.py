"""Shapley values: what a feature adds to F, averaged over all sets of features that may have changed before it."""

from math import comb

import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.inputs import Inputs, takes_any_inputs
from igteach.core.per_row import Arguments
from igteach.core.validation import check_arguments, default_batch_size

MAX_FEATURES = 15  # 2**15 subsets


@takes_any_inputs
def shapley_values(
    f: Function,
    x: Inputs,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    batch_size: int | None = None,
) -> Attribution:
    """The Shapley value of each feature, exactly, from F at all 2**n mixtures of x and the baseline; no gradient.

    phi_i is the mean over k = 0, ..., n - 1 of the mean, over all sets S of k features without i, of F(S and i) - F(S),
    where F(S) has the features in S from x and the others from the baseline.

    Args:
        f: as for `igteach.integrated_gradients`.
        x: as for `igteach.integrated_gradients`, with at most 15 features in all.
        baseline: as for `igteach.integrated_gradients`.
        target: as for `igteach.integrated_gradients`.
        arguments: as for `igteach.integrated_gradients`.
        batch_size: rows evaluated at once, at most; None picks a number that suits the device.

    Returns:
        An Attribution in units of F, complete but for rounding.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if x has more than 15 features, or as in `igteach.gradient`.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 4 * x * y + y)
        >>> igteach.shapley_values(f, torch.ones(1, 2)).values.tolist()
        [[2.0, 3.0]]

    Source:
        Shapley (1953), https://doi.org/10.1515/9781400881970-018; with one baseline, Sundararajan and Najmi (2020),
        https://arxiv.org/abs/1908.08474.
    """
    x, baseline, per_row = check_arguments(f, x, baseline, target, arguments)
    n = x[0].numel()
    if n > MAX_FEATURES:
        raise ValueError(
            f"x has {n} features, that is 2**{n} sets of them; use igteach.methods.captum_methods.shapley_sampling"
        )
    batch_size = default_batch_size(x, batch_size)
    is_inside = torch.cartesian_prod(*[torch.tensor([False, True], device=x.device)] * n).view(-1, *x.shape[1:])
    set_sizes = is_inside.flatten(1).sum(1).cpu()
    values = torch.empty_like(x)
    f_input, f_baseline = x.new_empty(len(x)), x.new_empty(len(x))
    for k in range(len(x)):
        points = torch.where(is_inside, x[k], baseline[k])
        f_of_sets = forward_batched(f, points, per_row.of(k, len(points)), batch_size).cpu().double()
        values[k] = _shapley_values_of_sets(f_of_sets, set_sizes).view(x.shape[1:]).to(x)
        f_baseline[k], f_input[k] = f_of_sets[0], f_of_sets[-1]  # no feature inside, and all
    return Attribution(values, f_input, f_baseline, evaluations=0)


def _shapley_values_of_sets(f_of_sets: Tensor, set_sizes: Tensor) -> Tensor:
    """The Shapley values (n,) of a function on sets of n features; both arguments are (2**n,), in binary order."""
    n = int(set_sizes[-1])
    weights = torch.tensor([1 / (n * comb(n - 1, size)) for size in range(n)], dtype=torch.float64, device="cpu")
    f_of_sets, set_sizes = f_of_sets.view((2,) * n), set_sizes.view((2,) * n)  # axis i: without i, with i
    shares = []
    for i in range(n):
        gains = f_of_sets.select(i, 1) - f_of_sets.select(i, 0)
        shares.append((weights[set_sizes.select(i, 0)] * gains).sum())
    return torch.stack(shares)
