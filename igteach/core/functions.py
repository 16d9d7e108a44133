"""From a model to F: a function of a batch that gives one number a row, or one a class."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

SUMS_TO_ONE = 1e-5  # rows of numbers above zero that come so near to a sum of 1 are probabilities
Function = Callable[..., Tensor]  # (N, *features) -> (N,), (N, classes) or (N, *axes), row by row
Baseline = Any  # None, a number, a tensor; or of several inputs a tuple or dict of these
Target = int | tuple[int, ...] | Tensor | None


class Logit(nn.Module):
    """F as the model's logits.

    Args:
        model: Maps its inputs to (N, classes), to (N,), or to something that holds such a tensor.
        output: Where the tensor is in what the model returns: the index in a tuple, the key of a dict, or the name of
            an attribute. None takes a tensor as it is, and `.logits` where there is one, as in transformers' models.

    Raises:
        TypeError: Raised by the result where the model returns several things and output is None.
        ValueError: Raised by the result where the model returns nothing of that name.

    Example:
        >>> import igteach, torch
        >>> igteach.logit(torch.nn.Linear(3, 2))(torch.zeros(5, 3)).shape
        torch.Size([5, 2])
        >>> lstm = torch.nn.LSTM(3, 2, batch_first=True)
        >>> igteach.logit(lstm, output=0)(torch.zeros(5, 7, 3)).shape
        torch.Size([5, 7, 2])
    """

    def __init__(self, model: Callable[..., Any], output: int | str | None = None):
        super().__init__()
        self.model, self.output = model, output

    def forward(self, *inputs: Any, **keywords: Any) -> Tensor:
        return _tensor_in(self.model(*inputs, **keywords), self.output)


class Probability(Logit):
    """F as the probabilities of a model that gives logits: softmax of several, sigmoid of a single one.

    Of a model whose `config.problem_type` is "multi_label_classification", as Hugging Face has it, each logit has a
    sigmoid of its own.

    Args:
        model: As for `Logit`.
        output: As for `Logit`.

    Raises:
        TypeError: As for `Logit`.
        ValueError: Raised by the result where the model gives probabilities already, or is a regression; and as for
            `Logit`.

    Example:
        >>> import igteach, torch
        >>> igteach.probability(lambda x: torch.zeros(len(x), 4))(torch.ones(1, 3)).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """

    def forward(self, *inputs: Any, **keywords: Any) -> Tensor:
        logits = super().forward(*inputs, **keywords)
        problem = getattr(getattr(self.model, "config", None), "problem_type", None)
        if problem == "regression":
            raise ValueError(
                "model is a regression by its config.problem_type; pass logit(model), which takes its numbers"
            )
        has_classes = logits.dim() >= 2 and logits.shape[1] > 1 and problem != "multi_label_classification"
        if not torch.is_grad_enabled():  # once for each call of a method, with its passes without gradients
            _check_not_probabilities(self.model, logits, has_classes)
        return logits.softmax(dim=1) if has_classes else logits.sigmoid()


logit, probability = Logit, Probability


def _tensor_in(out: Any, output: int | str | None) -> Tensor:
    """The tensor that a model's output holds."""
    if output is None:
        tensor = out if isinstance(out, Tensor) else getattr(out, "logits", None)
        if not isinstance(tensor, Tensor):
            raise TypeError(f"model returned {describe_output(out)}")
        return tensor
    try:
        has_names = isinstance(output, str) and not isinstance(out, Mapping)
        tensor = getattr(out, str(output)) if has_names else out[output]
    except (AttributeError, KeyError, IndexError, TypeError):
        tensor = None
    if not isinstance(tensor, Tensor):
        raise ValueError(f"output is {output!r}, and the model returned {describe_output(out)}")
    return tensor


def describe_output(out: Any) -> str:
    """What a model returned that is no tensor, and how to choose one from it."""
    if isinstance(out, Mapping):
        choices = [name for name, value in out.items() if isinstance(value, Tensor)]
    elif isinstance(out, tuple | list):
        choices = [i for i, value in enumerate(out) if isinstance(value, Tensor)]
    else:
        choices = [name for name, value in getattr(out, "__dict__", {}).items() if isinstance(value, Tensor)]
    if not choices:
        return f"{type(out).__name__}, without a tensor in it; return a tensor with a row for each example"
    listed = ", ".join(map(repr, choices))
    return f"{type(out).__name__}, with tensors at {listed}; choose one, as in logit(model, output={choices[0]!r})"


def _check_not_probabilities(model: Any, logits: Tensor, has_classes: bool) -> None:
    """Raises ValueError where a softmax or sigmoid would be taken twice."""
    if has_classes:
        sums = logits.detach().double().sum(dim=1)
        slack = max(SUMS_TO_ONE, torch.finfo(logits.dtype).eps)
        ends_in_one = bool((logits >= 0).all() and (sums - 1).abs().max() < slack)
    else:  # numbers from 0 to 1 may be logits: only a Sequential tells what it ends in
        last = model
        while isinstance(last, nn.Sequential) and len(last):
            last = last[-1]
        ends_in_one = isinstance(last, nn.Sigmoid)
    if ends_in_one:
        raise ValueError("model gives probabilities already; pass logit(model), which takes them as they are")


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
