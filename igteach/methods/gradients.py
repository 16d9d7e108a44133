"""The gradient of F, the two attributions made from it at a single point, and any method smoothed by noise."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, accumulator
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Baseline, Function, Target
from igteach.core.inputs import Inputs, takes_any_inputs
from igteach.core.per_row import Arguments, PerRow
from igteach.core.validation import check_arguments, check_count, default_batch_size


@takes_any_inputs
def gradient(
    f: Function, x: Inputs, baseline: Baseline = None, target: Target = None, *, arguments: Arguments = ()
) -> Attribution:
    """The gradient of F at x: how fast F changes when a feature is nudged.

    Args:
        f: as for `igteach.integrated_gradients`.
        x: as for `igteach.integrated_gradients`.
        baseline: checked, as every method takes one, and not used.
        target: as for `igteach.integrated_gradients`.
        arguments: as for `igteach.integrated_gradients`.

    Returns:
        An Attribution without residual, in units of F per unit of x.

    Raises:
        TypeError: if an argument is of the wrong kind; the message names it and says what to pass.
        ValueError: if an argument has the wrong shape or value, or F or its gradient is not finite.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: x**2 + 3 * y)
        >>> igteach.gradient(f, torch.tensor([[2.0, 1.0]])).values.tolist()
        [[4.0, 3.0]]

    Source:
        Baehrens et al. (2010), https://arxiv.org/abs/0912.1128; Simonyan, Vedaldi and Zisserman (2013),
        https://arxiv.org/abs/1312.6034, who show its absolute value.
    """
    x, _, per_row = check_arguments(f, x, baseline, target, arguments)
    value, gradients = _value_and_gradient(f, x, per_row)
    return Attribution(gradients, value, None, evaluations=1)


@takes_any_inputs
def gradient_times_input(
    f: Function, x: Inputs, baseline: Baseline = None, target: Target = None, *, arguments: Arguments = ()
) -> Attribution:
    """The gradient at x times (x - baseline): the first-order share of each feature in F(x) - F(x').

    Args:
        f: as for `igteach.integrated_gradients`.
        x: as for `igteach.integrated_gradients`.
        baseline: as for `igteach.integrated_gradients`.
        target: as for `igteach.integrated_gradients`.
        arguments: as for `igteach.integrated_gradients`.

    Returns:
        An Attribution in units of F; its residual is zero if F is linear.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `gradient`.
        ValueError: if an argument has the wrong shape or value, as in `gradient`.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: x**2 + 3 * y)
        >>> answer = igteach.gradient_times_input(f, torch.tensor([[2.0, 1.0]]))
        >>> answer.values.tolist(), answer.residual.tolist()
        ([[8.0, 3.0]], [4.0])

    Source:
        Shrikumar et al. (2016), https://arxiv.org/abs/1605.01713, with the baseline of Sundararajan, Taly and Yan
        (2017), https://arxiv.org/abs/1703.01365.
    """
    x, baseline, per_row = check_arguments(f, x, baseline, target, arguments)
    value, shares = _value_and_gradient(f, x, per_row)
    for share, end, start in zip(shares, x, baseline, strict=True):
        share *= end - start  # in place: memory for one result, not two
    f_baseline = forward_batched(f, baseline, per_row, default_batch_size(x, None))
    return Attribution(shares, value, f_baseline, evaluations=1)


@takes_any_inputs
def smoothgrad(
    f: Function,
    x: Inputs,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    method: Callable[..., Attribution] = gradient,
    stdev: float,
    samples: int = 25,
    seed: int = 0,
    **options: Any,
) -> Attribution:
    """The mean of a method's values over noisy copies of x.

    Args:
        f: as for `igteach.integrated_gradients`.
        x: as for `igteach.integrated_gradients`.
        baseline: as for `igteach.integrated_gradients`.
        target: as for `igteach.integrated_gradients`.
        arguments: as for `igteach.integrated_gradients`.
        method: any method, as in `method(f, x, baseline, target, **options) -> Attribution`.
        stdev: the standard deviation of the Gaussian noise, in the units of x.
        samples: the number of noisy copies.
        seed: decides the noise, which is drawn on the CPU: the same on every device.
        **options: passed to the method.

    Returns:
        An Attribution in the units of the method. F(x) and the residual are those of x itself, while the values add up
        to the average change of F over its noisy copies.

    Raises:
        TypeError: if an argument is of the wrong kind, as in `gradient`.
        ValueError: if stdev is not a finite number above 0, samples is not at least 1, or as in `gradient`.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 2 * x + y)
        >>> igteach.smoothgrad(f, torch.tensor([[1.0, 1.0]]), stdev=0.1).values.tolist()
        [[2.0, 1.0]]

    Source:
        Smilkov et al. (2017), https://arxiv.org/abs/1706.03825.
    """
    x, baseline, per_row = check_arguments(f, x, baseline, target, arguments)
    if arguments:
        options["arguments"] = arguments
    check_count("samples", samples, 1)
    if not 0 < stdev < math.inf:
        raise ValueError(f"stdev is {stdev}; pass a finite number above 0, in the units of x")
    random = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(x, dtype=accumulator(x))
    evaluations: int | Tensor = 0
    for _ in range(samples):
        noise = stdev * torch.randn(x.shape, generator=random, device="cpu").to(x)
        answer = method(f, x + noise, baseline, target, **options)
        total += answer.values
        evaluations = evaluations + answer.evaluations
    f_input = forward_batched(f, x, per_row, default_batch_size(x, None))
    return Attribution((total / samples).to(x), f_input, answer.f_baseline, evaluations)


def _value_and_gradient(f: Function, x: Tensor, per_row: PerRow) -> tuple[Tensor, Tensor]:
    """F and its gradient at each example: (batch,) and the shape of x."""
    batch_size = default_batch_size(x, None)
    gradients = torch.empty_like(x)
    values = []
    for start in range(0, len(x), batch_size):
        chunk = slice(start, start + batch_size)
        value, gradients[chunk] = forward_with_gradient(f, x[chunk], per_row[chunk])
        values.append(value)
    return torch.cat(values), gradients
