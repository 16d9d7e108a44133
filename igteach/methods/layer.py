"""Integrated Gradients of a layer: along the straight line between what it takes or gives at x' and at x.

What watches a layer, and puts other values in their place, is here for `methods.conductance`, too.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.devices import full_precision
from igteach.core.evaluation import chosen_output, forward, frozen_parameters, recurrent_layers
from igteach.core.functions import Baseline, Function, Target
from igteach.core.inputs import Inputs, as_one_input
from igteach.core.integrands import StraightIntegrand
from igteach.core.integration import MAX_EVALUATIONS, Goal, integrate
from igteach.core.paths import StraightPath
from igteach.core.per_row import Arguments, PerRow
from igteach.core.plain_modules import hooked
from igteach.core.validation import INDEX_DTYPES, check_count, check_inputs, default_batch_size


def layer_integrated_gradients(
    f: Function,
    layer: nn.Module,
    x: Inputs,
    baseline: Baseline = None,
    target: Target = None,
    *,
    arguments: Arguments = (),
    at: str = "output",
    index: int = 0,
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    steps: int | None = None,
    rule: str | None = None,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each unit of a layer in F(x) - F(x'), along the straight path of the units, as Captum's LayerIG.

    The units go straight from their values at x' to those at x, while everything else in f is as it is at x. For
    `neuron_conductance` the input goes straight from x' to x, and the units take the curve that follows from it.

    Args:
        f: As for `integrated_gradients`.
        layer: A module that f calls once.
        x: As for `integrated_gradients`; or integers, as an embedding takes.
        baseline: As for `integrated_gradients`; of integers where x is. None is zeros.
        target: As for `integrated_gradients`.
        arguments: As for `integrated_gradients`.
        at: "output", or "input" for what goes into the layer.
        index: Which tensor, where several go in or come out (of an LSTM or attention, for instance), counted from 0.
        tolerance: As for `integrated_gradients`.
        max_evaluations: As for `integrated_gradients`.
        steps: As for `integrated_gradients`.
        rule: As for `integrated_gradients`.
        batch_size: As for `integrated_gradients`.

    Returns:
        An Attribution whose values have the shape of the layer's tensor. They add up to F(x) - F(x') if x affects F
        only through it; otherwise the residual is what bypasses it. Its path values are F along the path of the units.

    Raises:
        TypeError: layer is not a module, or its tensor has no gradient; and as for `integrated_gradients`.
        ValueError: f does not call the layer exactly once, or its tensor has not a row for each input row; and as for
            `integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        >>> answer = igteach.layer_integrated_gradients(model, model[1], torch.ones(1, 2))
        >>> tuple(answer.values.shape), answer.verdict  # behind the layer F is linear
        ((1, 3), 'complete')

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365, at a layer, as in Captum: Kokhlikyan et al.
        (2020), https://arxiv.org/abs/2009.07896.
    """
    place = Place.checked(layer, at, index)
    f, x, baseline, _ = as_one_input(f, x, baseline)
    x, baseline, per_row = _check(f, x, baseline, target, arguments)
    goal = Goal(tolerance, max_evaluations, steps, rule, default_batch_size(x, batch_size))
    f_baseline, start = place.values(f, baseline, per_row, goal.batch_size)
    _, end = place.values(f, x, per_row, goal.batch_size)
    with_x = replace(per_row, arguments=(x, *per_row.arguments))
    answer = integrate(StraightIntegrand(Behind(f, place), with_x, StraightPath(start, end)), start, end, goal)
    return replace(answer, f_baseline=f_baseline)


def _check(f: Function, x: Any, baseline: Any, target: Target, arguments: Arguments) -> tuple[Tensor, Tensor, PerRow]:
    """As `check_inputs`, but x and the baseline may be integers."""
    if not isinstance(x, Tensor) or x.dtype not in INDEX_DTYPES:
        return check_inputs(f, x, baseline, target, arguments)
    if isinstance(baseline, Tensor):
        if baseline.dtype not in INDEX_DTYPES:
            raise TypeError(f"baseline is {baseline.dtype}, and x is {x.dtype}; pass integers")
        baseline = baseline.double()
    numbers, start, per_row = check_inputs(f, x.double(), baseline, target, arguments)
    return numbers.to(x.dtype), start.to(x.dtype), per_row


@dataclass(frozen=True, eq=False)
class Place:
    """A tensor that goes into a layer, or comes out of it.

    Attributes:
        layer: A module that f calls once.
        at: "input" or "output".
        index: Which tensor of those, counted from 0.
    """

    layer: nn.Module
    at: str
    index: int

    @classmethod
    def checked(cls, layer: nn.Module, at: str, index: int) -> "Place":
        """The place; TypeError or ValueError if there is no such one."""
        if not isinstance(layer, nn.Module):
            raise TypeError(f"layer is {type(layer).__name__}; pass a module of f, such as model[2]")
        if at not in ("input", "output"):
            raise ValueError(f"at is {at!r}; pass 'input' or 'output'")
        check_count("index", index, 0)
        return cls(layer, at, index)

    def values(self, f: Function, points: Tensor, per_row: PerRow, batch_size: int) -> tuple[Tensor, Tensor]:
        """F at the points (N, *features), and the tensor, found at most batch_size rows at once: (N,), (N, *units)."""
        found = []
        for chunk in torch.arange(len(points), device="cpu").split(batch_size):
            with torch.no_grad(), self.changed(len(chunk), torch.clone) as seen:
                value = forward(f, points[chunk], per_row[chunk])
            found.append((value, self.only(seen)))
        values, units = zip(*found, strict=True)
        return torch.cat(values), torch.cat(units)

    def gradient(self, f: Function, points: Tensor, per_row: PerRow) -> tuple[Tensor, Tensor, Tensor]:
        """F at the points (N, *features), the tensor there, and the gradient of F by it: (N,), 2 x (N, *units).

        Args:
            f: F.
            points: Where f is evaluated.
            per_row: The target and the further arguments of each row.

        Raises:
            ValueError: As `layer_integrated_gradients`.
        """
        leaves = list[Tensor]()

        def change(found: Tensor) -> Tensor:
            leaves.append(found.detach().clone().requires_grad_())
            return leaves[-1].clone()

        with ExitStack() as within:
            for context in (torch.inference_mode(False), torch.enable_grad(), frozen_parameters(f), full_precision()):
                within.enter_context(context)
            within.enter_context(recurrent_layers(f))
            within.enter_context(recurrent_layers(self.layer))
            seen = within.enter_context(self.changed(len(points), change))
            value = chosen_output(f, points, per_row.outside_inference())
            self.only(seen)
            by_units = torch.autograd.grad(value.sum(), leaves, allow_unused=True) if value.requires_grad else (None,)
        if by_units[0] is None:
            raise ValueError(self.unused)
        return value.detach(), leaves[0].detach(), by_units[0]

    @contextmanager
    def changed(self, rows: int, change: Callable[[Tensor], Tensor]) -> Iterator[list[Tensor]]:
        """Within this context the tensor is changed in the passes of this thread; those that were seen are listed.

        Args:
            rows: How many the tensor must have.
            change: What goes on in the tensor's place; must be a copy, as what comes next may work in place.
        """
        seen = list[Tensor]()

        def act(*received: Any) -> Any:
            tensors, form = tree_flatten(received if self.at == "input" else received[-1])
            numbers = [number for number, leaf in enumerate(tensors) if isinstance(leaf, Tensor)]
            self._check([tensors[number] for number in numbers], rows)
            tensor = tensors[numbers[self.index]]
            seen.append(tensor.detach().clone())
            tensors[numbers[self.index]] = change(tensor)
            return tree_unflatten(tensors, form)

        if self.at == "input":
            with hooked(self.layer.register_forward_pre_hook, act, with_kwargs=True):
                yield seen
        else:
            with hooked(self.layer.register_forward_hook, act):
                yield seen

    def _check(self, tensors: list[Tensor], rows: int) -> None:
        """Raises TypeError or ValueError unless there is such a tensor, with so many rows and a gradient."""
        if self.index >= len(tensors):
            count = "1 tensor" if len(tensors) == 1 else f"{len(tensors)} tensors"
            raise ValueError(f"index is {self.index}, but the layer's {self.at} has {count}; count from 0")
        tensor, which = tensors[self.index], f"tensor {self.index} of the layer's {self.at}"
        if tensor.dim() == 0 or len(tensor) != rows:
            shape = tuple(tensor.shape)
            raise ValueError(
                f"{which} has shape {shape} for {rows} rows; it must be (rows, *units): pass another index"
            )
        if not tensor.is_floating_point():
            raise TypeError(f"{which} is {tensor.dtype}, which has no gradient; pass another index, layer or at")

    @property
    def unused(self) -> str:
        """What to say where nothing depends on the tensor."""
        return f"f's output does not depend on the layer's {self.at} for autograd; pass another layer or index"

    def only(self, seen: list[Tensor]) -> Tensor:
        """The one tensor that was seen."""
        if len(seen) != 1:
            raise ValueError(
                f"layer is called {len(seen)} times by f; pass a module that f calls once, in the calling thread and "
                "neither compiled nor scripted"
            )
        return seen[0]


class Behind(nn.Module):
    """F as a function of a layer's tensor, for some x and the further arguments of f.

    Args:
        f: F, a function of x.
        place: Where the tensor is.
    """

    def __init__(self, f: Function, place: Place):
        super().__init__()
        self.f, self.place, self.layer = f, place, place.layer  # a layer of f, also where f is no module

    def forward(self, units: Tensor, x: Tensor, *arguments: Any, **keywords: Any) -> Any:
        with self.place.changed(len(x), lambda _: units) as seen:
            out = self.f(x.clone(), *arguments, **keywords)
        self.place.only(seen)
        if units.requires_grad and not any(
            isinstance(leaf, Tensor) and leaf.requires_grad for leaf in tree_leaves(out)
        ):
            raise ValueError(self.place.unused)
        return out
