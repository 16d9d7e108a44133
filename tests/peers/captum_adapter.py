"""Captum's calling convention for IntegratedGradients, on igteach's engine.

What one of Captum's tests or a program written for Captum passes is translated here, so that the same call can be put
to both libraries.
"""

from typing import Any

import torch
from torch import Tensor

from igteach import integrated_gradients

RULES = {
    "riemann_left": "left",
    "riemann_right": "right",
    "riemann_middle": "midpoint",
    "riemann_trapezoid": "trapezoid",
    "gausslegendre": "gauss_legendre",
}


class IntegratedGradients:
    """As `captum.attr.IntegratedGradients`: a model, then `attribute(inputs, ...)`."""

    def __init__(self, forward_func, multiply_by_inputs: bool = True):
        self.forward_func, self.multiplies_by_inputs = forward_func, multiply_by_inputs

    def attribute(
        self,
        inputs: Tensor | tuple[Tensor, ...],
        baselines: Any = None,
        target: Any = None,
        additional_forward_args: Any = None,
        n_steps: int = 50,
        method: str = "gausslegendre",
        internal_batch_size: int | None = None,
        return_convergence_delta: bool = False,
    ) -> Any:
        x = inputs if isinstance(inputs, tuple) else (inputs,)
        answer = integrated_gradients(
            self.forward_func,
            x,
            None if baselines is None else each_like(x, baselines),
            in_tensor(target, len(x[0])),
            arguments=in_tuple(additional_forward_args),
            steps=n_steps,
            rule=RULES[method],
            batch_size=internal_batch_size,
        )
        values = answer.values
        if not self.multiplies_by_inputs:
            starts = (0.0,) * len(x) if baselines is None else each_like(x, baselines)
            values = tuple(value / (part - start) for value, part, start in zip(values, x, starts, strict=True))
        values = values if isinstance(inputs, tuple) else values[0]
        return (values, answer.residual) if return_convergence_delta else values


def each_like(x: tuple[Tensor, ...], baselines: Any) -> tuple[Any, ...]:
    """A baseline for each input: Captum takes one alone for a single input."""
    return baselines if isinstance(baselines, tuple) else (baselines,) * len(x)


def in_tuple(arguments: Any) -> tuple[Any, ...]:
    """The additional arguments: Captum takes one alone."""
    if arguments is None:
        return ()
    return arguments if isinstance(arguments, tuple) else (arguments,)


def in_tensor(target: Any, batch: int) -> Any:
    """A target as ours: Captum also takes a list with an int or a tuple for each example, or a tensor with one int."""
    if isinstance(target, list):
        target = torch.tensor(target)
    if isinstance(target, Tensor) and target.numel() == 1:
        return int(target)
    return target
