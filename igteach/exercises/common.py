"""What the checkers of several lessons share: a random network, and gradients by plain autograd."""

import torch
from torch import Tensor

from igteach.core.functions import Function


def random_network(rng: torch.Generator) -> Function:
    """Draw a network of 3 inputs, one hidden layer of 4 tanh units, and one output.

    Args:
        rng: What the weights are drawn with.

    Returns:
        A function of a batch (N, 3) with values (N,).
    """
    inner = torch.randn(3, 4, generator=rng).double()
    outer = torch.randn(4, generator=rng).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch)) @ outer.to(batch) + 0.7


def input_gradient(f: Function, x: Tensor) -> Tensor:
    """The gradient of F at each row of a batch.

    Args:
        f: A function of a batch, with one value a row.
        x: The batch.

    Returns:
        The gradients, of the shape of x.
    """
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def gradients_on_line(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """The gradients of F on the straight line from the baseline to x.

    Args:
        f: A function of a batch, with one value a row.
        x: The input, (1, features).
        baseline: The baseline, (1, features).
        alphas: Where on the line: 0 is the baseline, 1 is x.

    Returns:
        The gradients, (alphas, features).
    """
    return input_gradient(f, baseline + alphas[:, None] * (x - baseline))
