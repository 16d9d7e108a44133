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

from igteach.core.attribution import Attribution
from igteach.core.functions import Function
from igteach.core.tables import few_names, read_floats
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
        f, x, baseline, restored = as_one_input(f, x, baseline, baseline_name)
        call.arguments |= {f_name: f, x_name: x, baseline_name: baseline}
        return restored(method(*call.args, **call.kwargs))

    return with_any_inputs  # type: ignore[return-value]


def as_one_input(
    f: Function, x: Inputs, baseline: Any, baseline_name: str = "baseline"
) -> tuple[Function, Any, Any, Callable[[Attribution], Attribution]]:
    """f, x and the baseline for x in one tensor; and what gives an answer the form, or the names, of x.

    Args:
        f: F, as a user has it.
        x: A tensor, an array, a table, or a tuple or dict of them.
        baseline: In a form that goes with x, or None.
        baseline_name: "baseline", or "baselines" for some that do not broadcast.
    """
    if isinstance(x, tuple | dict):
        inputs = SeveralInputs.of(f, x)
        side_by_side = inputs.baselines if baseline_name == "baselines" else inputs.baseline
        start = None if baseline is None else side_by_side(baseline)
        return FunctionOfRows(f, inputs), inputs.rows, start, inputs.restored
    x, names = as_tensor("x", x, f)
    baseline, others = as_tensor(baseline_name, baseline, f)
    are_named = others is not None and others != tuple(map(str, range(len(others))))
    if names and others and are_named and names != others:
        raise ValueError(
            f"{baseline_name} has the columns {few_names(others)}, and x has {few_names(names)}; pass those of x, in "
            "its order"
        )
    return f, x, baseline, lambda answer: replace(answer, feature_names=names) if names else answer


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
                raise TypeError(
                    f"{name} is {part.dtype}, which has no gradient; pass {name}.float() where it is a picture or a "
                    f"measurement, or ids in arguments=({name},)"
                )
            parts[name] = check_floating(name, part).detach()
            if part.dim() == 0:
                raise ValueError(f"{name} is a single number; pass a tensor with an entry for each example")
        if not parts:
            raise ValueError("x is empty; pass a tensor, or a tuple or dict of tensors")
        first, *others = parts
        for name in others:
            here, there = parts[name], parts[first]
            if len(here) != len(there):
                raise ValueError(f"{name} has {len(here)} examples, {first} has {len(there)}; pass as many of each")
            if here.device != there.device:
                raise ValueError(
                    f"{name} is on {here.device}, {first} on {there.device}; pass {name}.to({first}.device)"
                )
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

    def restored(self, answer: Attribution) -> Attribution:
        """An answer for `rows`, with values in the form of x."""
        return replace(answer, values=self.like_x(self.apart(answer.values)))

    def _given(self, argument: str, value: Any) -> dict[str, Any]:
        """What was passed for each input, by name."""
        if isinstance(value, dict) != (self.keys is not None) or not isinstance(value, tuple | dict):
            form = "tuple" if self.keys is None else "dict"
            raise TypeError(
                f"{argument} is {type(value).__name__}; x is a {form}: pass a {form} with one for each input"
            )
        if len(value) != len(self.parts) or (self.keys is not None and set(value) != set(self.keys)):
            expected = len(self.parts) if self.keys is None else self.keys
            received = f"{len(value)} inputs" if self.keys is None else f"the inputs {tuple(value)}"
            raise ValueError(f"{argument} has {received}, x has {expected}; pass one for each")
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
