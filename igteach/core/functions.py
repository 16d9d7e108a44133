"""From a model to F: a function of a batch that gives one number a row, or one a class."""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Function = Callable[[Tensor], Tensor]  # (N, *features) -> (N,) or (N, classes), row by row
Baseline = Tensor | float | None
Target = int | Tensor | None


class Logit(nn.Module):
    """F as the model's logits.

    Args:
        model: Maps (N, *features) to (N, classes), to (N,), or to an object with `.logits`, as transformers' models do.

    Example:
        >>> import igteach, torch
        >>> igteach.logit(torch.nn.Linear(3, 2))(torch.zeros(5, 3)).shape
        torch.Size([5, 2])
    """

    def __init__(self, model: Function):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        out = self.model(x)
        return getattr(out, "logits", out)


class Probability(Logit):
    """F as the probabilities of a model that gives logits: softmax of several, sigmoid of a single one.

    Args:
        model: As for `Logit`.

    Example:
        >>> import igteach, torch
        >>> igteach.probability(lambda x: torch.zeros(len(x), 4))(torch.ones(1, 3)).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """

    def forward(self, x: Tensor) -> Tensor:
        logits = super().forward(x)
        if logits.dim() == 2 and logits.shape[1] > 1:
            return logits.softmax(dim=1)
        return logits.sigmoid()


logit, probability = Logit, Probability


def toy(function: Callable[..., Tensor | float]) -> Function:
    """F from a function of scalars: it sees one row at a time, as 0-dimensional tensors, so `if` and `min` work.

    Args:
        function: Takes as many scalars as a row has features, and returns one.

    Returns:
        A function of a batch (N, features) that gives (N,).

    Raises:
        TypeError: function is not a Python function. The result raises it, too, if function leaves autograd, as
            float(x) does.
        ValueError: Raised by the result for rows that function does not take.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: x * y)
        >>> f(torch.tensor([[2.0, 3.0], [4.0, 5.0]])).tolist()
        [6.0, 20.0]
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise TypeError(f"function is {function!r}; pass a Python function of scalars") from None

    def f(x: Tensor) -> Tensor:
        if x.dim() != 2:
            raise ValueError(f"x has shape {tuple(x.shape)}; a toy function takes (batch, features)")
        try:
            signature.bind(*x[0])
        except TypeError as error:
            raise ValueError(f"x has {x.shape[1]} features a row, which the function does not take: {error}") from None
        with _NoPythonNumbers():
            values = [torch.as_tensor(function(*row), dtype=x.dtype, device=x.device) for row in x]
        return torch.stack(values) + 0.0 * x.sum(dim=1)  # a constant has a gradient, too: zero

    return f


class _NoPythonNumbers(TorchFunctionMode):
    """Within this mode a tensor does not turn into a Python number, which would have no gradient."""

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if func in (Tensor.__float__, Tensor.__int__, Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.__array__):
            name = func.__name__
            raise TypeError(f"the toy function makes x a plain number by {name}; use torch.exp(x) for math.exp(x)")
        return func(*args, **(kwargs or {}))
