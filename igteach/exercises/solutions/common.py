"""What the solutions of several lessons share: gradients by plain autograd."""

import torch
from torch import Tensor

from igteach.core.functions import Function


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
