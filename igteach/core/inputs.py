"""Inputs as users have them, and the one tensor that the methods compute with.

`x` may be a tensor, an array, a table, or a tuple or dict of these. Several inputs are laid side by side in one tensor
(batch, features), and f gets them back as they were. So every method, and the integrator, knows a single input only.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from igteach.core.functions import Function
from igteach.core.tables import read_floats
from igteach.core.validation import INDEX_DTYPES, check_baseline, check_floating

Inputs = Any  # a tensor, array or table of (batch, *features), or a tuple or dict of several
Method = TypeVar("Method", bound=Callable[..., Any])


def takes_any_inputs(method: Method) -> Method:
    """A method of (f, x, baseline, ...) for one tensor x, made to take x as users have it.

    Its values then have the form of x; the column names of a table are the answer's feature names.
    """
    signature = inspect.signature(method)
    f_name, x_name, baseline_name = list(signature.parameters)[:3]

    @functools.wraps(method)
    def with_any_inputs(*positional: Any, **named: Any) -> Any:
        call = signature.bind(*positional, **named)
        f, x = call.arguments[f_name], call.arguments[x_name]
        baseline = call.arguments.get(baseline_name)
        if not isinstance(x, tuple | dict):
            call.arguments[x_name], names = as_tensor(x_name, x, f)
            if baseline is not None:
                call.arguments[baseline_name], _ = as_tensor(baseline_name, baseline, f)
            answer = method(*call.args, **call.kwargs)
            return replace(answer, feature_names=names) if names else answer
        inputs = SeveralInputs.of(f, x)
        call.arguments[f_name], call.arguments[x_name] = FunctionOfRows(f, inputs), inputs.rows
        if baseline is not None:
            side_by_side = inputs.baselines if baseline_name == "baselines" else inputs.baseline
            call.arguments[baseline_name] = side_by_side(baseline)
        answer = method(*call.args, **call.kwargs)
        return replace(answer, values=inputs.like_x(inputs.apart(answer.values)))

    return with_any_inputs  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class SeveralInputs:
    """The inputs of a batch of examples, and how they are laid side by side.

    Attributes:
        parts: The inputs by name, as in an error message: each a tensor (batch, *features).
        keys: The keys of a dict; None of a tuple.
        f: F of the inputs.
    """

    parts: dict[str, Tensor]
    keys: tuple[str, ...] | None
    f: Function

    @classmethod
    def of(cls, f: Function, x: tuple[Any, ...] | dict[str, Any]) -> "SeveralInputs":
        """The inputs x, checked.

        Raises:
            TypeError: An input is not a tensor, array or table of floating-point numbers.
            ValueError: There is none, or they differ in their number of examples or in their device.
        """
        keys = tuple(x) if isinstance(x, dict) else None
        parts = {}
        for name, value in _named("x", x).items():
            part, _ = as_tensor(name, value, f)
            if isinstance(part, Tensor) and part.dtype in INDEX_DTYPES:
                raise TypeError(f"{name} is {part.dtype}, which has no gradient; pass it in arguments=({name},)")
            parts[name] = check_floating(name, part).detach()
            if part.dim() == 0:
                raise ValueError(f"{name} is a single number; pass a tensor with an entry for each example")
        if not parts:
            raise ValueError("x is empty; pass a tensor, or a tuple or dict of tensors")
        first, *others = parts
        for name in others:
            for what, here, there in (
                ("examples", len(parts[name]), len(parts[first])),
                ("as its device", parts[name].device, parts[first].device),
            ):
                if here != there:
                    raise ValueError(f"{name} has {here} {what}, {first} has {there}; pass inputs of the same examples")
        return cls(parts, keys, f)

    @property
    def rows(self) -> Tensor:
        """All inputs side by side: (batch, features)."""
        return self._joined(self.parts.values())

    def baseline(self, baseline: Any) -> Tensor | float:
        """A baseline for `rows`, of one for each input, or of one number for all."""
        if isinstance(baseline, int | float):
            return baseline
        return self._joined(
            check_baseline(part, given, name)
            for part, (name, given) in zip(self.parts.values(), self._given("baseline", baseline).items(), strict=True)
        )

    def baselines(self, baselines: Any) -> Tensor:
        """Some baselines for `rows`, of as many for each input: (k, features)."""
        given = self._given("baselines", baselines)
        for part, (name, value) in zip(self.parts.values(), given.items(), strict=True):
            if check_floating(name, value).shape[1:] != part.shape[1:]:
                raise ValueError(f"{name} has shape {tuple(value.shape)}; pass (k, *{tuple(part.shape[1:])})")
        return self._joined(given.values())

    def apart(self, rows: Tensor) -> list[Tensor]:
        """The inputs in some rows, each as f takes it: (N, *features)."""
        shapes = [part.shape[1:] for part in self.parts.values()]
        columns = rows.split([prod(shape) for shape in shapes], dim=1)
        return [
            column.reshape(len(rows), *shape).to(part.dtype).contiguous()
            for column, shape, part in zip(columns, shapes, self.parts.values(), strict=True)
        ]

    def like_x(self, tensors: list[Tensor]) -> tuple[Tensor, ...] | dict[str, Tensor]:
        """Tensors, one for each input, in the form of x."""
        return tuple(tensors) if self.keys is None else dict(zip(self.keys, tensors, strict=True))

    def _given(self, argument: str, value: Any) -> dict[str, Any]:
        """What was passed for each input, by name."""
        if isinstance(value, dict) != (self.keys is not None) or not isinstance(value, tuple | dict):
            form = "tuple" if self.keys is None else "dict"
            raise TypeError(
                f"{argument} is {type(value).__name__}; x is a {form}: pass a {form} with one for each input"
            )
        if len(value) != len(self.parts) or (self.keys is not None and set(value) != set(self.keys)):
            expected = len(self.parts) if self.keys is None else self.keys
            raise ValueError(f"{argument} has {len(value)} entries; x has {expected}: pass one for each input")
        entries = value if isinstance(value, tuple) else {key: value[key] for key in self.keys or ()}
        return {name: as_tensor(name, each, self.f)[0] for name, each in _named(argument, entries).items()}

    def _joined(self, tensors: Iterable[Tensor]) -> Tensor:
        dtype = reduce(torch.promote_types, (part.dtype for part in self.parts.values()))
        return torch.cat([tensor.reshape(len(tensor), -1).to(dtype) for tensor in tensors], dim=1)


class FunctionOfRows(nn.Module):
    """F of several inputs, as a function of rows that hold them side by side.

    Args:
        f: F of the inputs: called with a tuple's one after the other, with a dict's by name.
        inputs: How they lie in a row.
    """

    def __init__(self, f: Function, inputs: SeveralInputs):
        super().__init__()
        self.f, self.inputs = f, inputs

    def forward(self, rows: Tensor, *arguments: Any, **keywords: Any) -> Any:
        inputs = self.inputs.like_x(self.inputs.apart(rows))
        if isinstance(inputs, dict):
            return self.f(*arguments, **inputs, **keywords)
        return self.f(*inputs, *arguments, **keywords)


def as_tensor(name: str, value: Any, f: Function) -> tuple[Any, tuple[str, ...] | None]:
    """The tensor in an array or table, in the dtype and on the device of f's parameters, and its column names.

    A tensor or a number comes back as it is.
    """
    if value is None or isinstance(value, Tensor | int | float):
        return value, None
    tensor, names = read_floats(name, value)
    parameters = f.parameters() if isinstance(f, nn.Module) else ()
    like = next((parameter for parameter in parameters if parameter.is_floating_point()), tensor)
    return tensor.to(like.device, like.dtype), names


def _named(argument: str, values: tuple[Any, ...] | dict[str, Any]) -> dict[str, Any]:
    """The entries of a tuple or dict under the names that an error message gives them."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    return {f"{argument}[{key!r}]": value for key, value in items}
