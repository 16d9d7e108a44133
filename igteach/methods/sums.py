"""Sums of models, such as a tree ensemble and a network: attributed model by model."""

import torch

from igteach.core.attribution import Attribution
from igteach.core.error_estimate import error_scale, with_error


def sum_attributions(*answers: Attribution) -> Attribution:
    """The attribution of a sum of models, such as trees and a network: by linearity, the sum of their attributions.

    Args:
        *answers: one for each model, all for the same x and baseline.

    Returns:
        An Attribution in float64. Its expected L1 error is the sum of theirs; without an error estimate of each there
        is none of the sum. It has the names of the features if one of them has.

    Raises:
        ValueError: if the answers have different shapes or names, or one is of a method without a baseline.

    Example:
        >>> import igteach, torch
        >>> x = torch.ones(1, 2)
        >>> f, g = igteach.toy(lambda x, y: 2 * x), igteach.toy(lambda x, y: x - y)
        >>> igteach.sum_attributions(*(igteach.gradient_times_input(h, x) for h in (f, g))).values.tolist()
        [[3.0, -1.0]]

    Source:
        Linearity: Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365; sums of trees and networks:
        Merrill et al. (2019), https://arxiv.org/abs/1909.01869.
    """
    shapes = [tuple(answer.values.shape) for answer in answers]
    if len(set(shapes)) != 1:
        raise ValueError(f"answers have the shapes {shapes}; attribute every part of the sum at the same x")
    names = {answer.feature_names for answer in answers if answer.feature_names is not None}
    if len(names) > 1:
        first, second = sorted(names)[:2]
        differing = next(pair for pair in zip(first, second, strict=True) if pair[0] != pair[1])
        received = f"the feature {differing[0]!r} where another has {differing[1]!r}"
        raise ValueError(f"answers name {received}; pass the columns to every part of the sum in one order")
    f_baselines = [answer.f_baseline for answer in answers if answer.f_baseline is not None]
    if len(f_baselines) < len(answers):
        raise ValueError("answers hold one without F(baseline), whose values are no shares; use integrated_gradients")
    total = Attribution(
        torch.stack([answer.values.double() for answer in answers]).sum(0),
        torch.stack([answer.f_input.double() for answer in answers]).sum(0),
        torch.stack([f_baseline.double() for f_baseline in f_baselines]).sum(0),
        sum(answer.evaluations for answer in answers),
        feature_names=names.pop() if names else None,
    )
    l1_errors = []
    for answer in answers:
        if answer.error_estimate is None:
            return total
        l1_errors.append(answer.error_estimate.double() * error_scale(answer))
    return with_error(total, torch.stack(l1_errors).sum(0))
