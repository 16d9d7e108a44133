"""The gradient of F, the two attributions made from it at a single point, and any method smoothed by noise."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, accumulator
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Baseline, Function, Target
from igteach.core.validation import check_arguments, check_count, default_batch_size


def gradient(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient of F at x: how fast F changes when a feature is nudged.

    f maps (N, *features) to (N,) or (N, classes); x is (batch, *features), floating point; target is an int,
    (batch,) or None. The baseline is accepted, as every method accepts one, and not used.
    Returns an Attribution without residual, in units of F per unit of x.
    Raises TypeError or ValueError for arguments that cannot give a right answer.
    Source: Baehrens et al. (2010); Simonyan, Vedaldi and Zisserman (2013), who show its absolute value.
    """
    x, _, target = check_arguments(f, x, baseline, target)
    value, gradients = _at_input(f, x, target)
    return Attribution(gradients, value, None, evaluations=1)


def gradient_times_input(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient at x times (x - baseline): the first-order share of each feature in F(x) - F(x').

    Shapes, target and errors as for `gradient`; baseline is a number or broadcasts to x, None is zeros.
    Returns an Attribution in units of F; its residual is zero for a linear F.
    Source: Shrikumar et al. (2016), with the baseline of Sundararajan, Taly and Yan (2017).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    value, shares = _at_input(f, x, target)
    for share, end, start in zip(shares, x, baseline, strict=True):
        share *= end - start  # in place: memory for one result, not two
    return Attribution(shares, value, forward_batched(f, baseline, target, default_batch_size(x, None)), evaluations=1)


def smoothgrad(
    f: Function,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    method: Callable[..., Attribution] = gradient,
    stdev: float,
    samples: int = 25,
    seed: int = 0,
    **options: Any,
) -> Attribution:
    """The mean of a method's values over noisy copies of x.

    f, x, baseline, target and errors as for `gradient`; method, with its options, is any method of this signature;
    stdev is that of the Gaussian noise, in x's units. The noise is drawn on the CPU: the same on every device.
    F(x) and the residual are those of x itself, while the values add up to what its copies gain on average.
    Source: Smilkov et al. (2017).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    check_count("samples", samples, 1)
    if not 0 < stdev < math.inf:
        raise ValueError(f"stdev is {stdev}; pass a finite number above 0, in the units of x")
    random, total = torch.Generator().manual_seed(seed), torch.zeros_like(x, dtype=accumulator(x))
    spent: int | Tensor = 0
    for _ in range(samples):
        noise = stdev * torch.randn(x.shape, generator=random).to(x)
        answer = method(f, x + noise, baseline, target, **options)
        total, spent = total.add_(answer.values), spent + answer.evaluations
    return Attribution(
        (total / samples).to(x), forward_batched(f, x, target, default_batch_size(x, None)), answer.f_baseline, spent
    )


def _at_input(f: Function, x: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """F and its gradient at each example: (batch,) and the shape of x."""
    gradients, values, batch_size = torch.empty_like(x), [], default_batch_size(x, None)
    for start in range(0, len(x), batch_size):
        chunk = slice(start, start + batch_size)
        value, gradients[chunk] = forward_with_gradient(f, x[chunk], None if target is None else target[chunk])
        values.append(value)
    return torch.cat(values), gradients
