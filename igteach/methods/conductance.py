"""Integrated Gradients through a hidden layer: how much of F(x) - F(x') flows through each of its units."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.devices import full_precision
from igteach.core.evaluation import chosen_output, forward, frozen_parameters, is_finite
from igteach.core.functions import Baseline, Function, Target
from igteach.core.integrands import Cells, Evaluated, Integrand, stacked
from igteach.core.integration import MAX_EVALUATIONS, Goal, integrate
from igteach.core.paths import StraightPath
from igteach.core.per_row import PerRow
from igteach.core.validation import check_inputs, default_batch_size


def neuron_conductance(
    f: Function,
    layer: nn.Module,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    steps: int | None = None,
    rule: str | None = None,
    batch_size: int | None = None,
) -> Attribution:
    """The share of each unit of a layer in F(x) - F(x'), along the straight path of the input from x' to x.

    It is IG along the curve that the activations y trace out: for unit j the integral of dF/dy_j dy_j over the path.

    Args:
        f: As for `integrated_gradients`.
        layer: A module that f calls once, and whose output is a tensor (batch, *units).
        x: The inputs (batch, *features).
        baseline: As for `integrated_gradients`.
        target: As for `integrated_gradients`.
        tolerance: As for `integrated_gradients`.
        max_evaluations: As for `integrated_gradients`.
        steps: As for `integrated_gradients`.
        rule: As for `integrated_gradients`.
        batch_size: As for `integrated_gradients`.

    Returns:
        An Attribution whose values have the shape of the layer's output. They add up to F(x) - F(x') if x
        affects F only through this layer; otherwise the residual is what bypasses it.

    Raises:
        TypeError: layer is not a module; and as for `integrated_gradients`.
        ValueError: f does not call the layer exactly once, or the layer's output is not a tensor with a row for each
            input row; and as for `integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> answer = igteach.neuron_conductance(model, model[1], torch.ones(1, 2))
        >>> tuple(answer.values.shape)
        (1, 2)

    Source:
        Dhamdhere, Sundararajan and Yan (2019), https://arxiv.org/abs/1805.12233; Lundstrom et al. (2022),
        https://arxiv.org/abs/2202.11912.
    """
    if not isinstance(layer, nn.Module):
        raise TypeError(f"layer is {type(layer).__name__}; pass a module of f, such as model[2]")
    x, baseline, per_row = check_inputs(f, x, baseline, target)
    goal = Goal(tolerance, max_evaluations, steps, rule, default_batch_size(x, batch_size))
    ends = [layer_output(f, layer, each, per_row, goal.batch_size) for each in (baseline, x)]
    integrand = LayerIntegrand(f, per_row, StraightPath(baseline, x), layer, StraightPath(*ends))
    return integrate(integrand, baseline, x, goal)


@dataclass(frozen=True, eq=False)
class LayerIntegrand(Integrand):
    """The gradient of F by the units of a layer times their velocity, while x is on its path.

    A cell's displacement is that of the units between the middles of the ways to the neighbouring nodes.

    Attributes:
        f: F, as every method takes it.
        per_row: The target and the further arguments of each example.
        path: The path of x.
        layer: A module that f calls once.
        units: Its output at both ends of the path.
    """

    path: StraightPath
    layer: nn.Module
    units: StraightPath

    @property
    def like(self) -> Tensor:
        return self.units.x

    @property
    def size(self) -> int:
        return 2 * self.num_values

    @property
    def closes(self) -> bool:
        return False

    def points(self, examples: Tensor, alphas: Tensor) -> Tensor:
        return self.path.rows(examples, alphas)[0]

    def evaluate(self, examples: Tensor, alphas: Tensor) -> Evaluated:
        points = self.points(examples, alphas)
        f, units, gradients = layer_output_and_gradient(self.f, self.layer, points, self.per_row[examples])
        kept = torch.cat([gradients.flatten(1), units.flatten(1)], 1)
        return Evaluated(f, kept, None, torch.stack([is_finite(f), is_finite(gradients)]))

    def values(self, cells: Cells, features: Tensor | None) -> Tensor:
        chosen = torch.arange(self.num_values, device=self.like.device) if features is None else features
        gradients, units = (stacked(cells.gradients, chosen + first) for first in (0, self.num_values))
        start, end = (each.flatten(1)[:, chosen][None] for each in self.units.ends(cells.examples))
        edges = torch.cat([start, (units[1:] + units[:-1]) / 2, end])
        return gradients * edges.diff(dim=0) / cells.widths.to(units)[..., None]

    def terms(self, found: Evaluated) -> Tensor:
        return (found.gradients[0, : self.num_values] * found.gradients[0, self.num_values :]).abs().sum()


def layer_output(f: Function, layer: nn.Module, points: Tensor, per_row: PerRow, batch_size: int) -> Tensor:
    """The output of a layer at the points (N, *features), at most batch_size at once: (N, *units)."""
    found = []
    for chunk in torch.arange(len(points), device="cpu").split(batch_size):
        with _watched(layer, len(chunk), detached=False) as outputs, torch.no_grad():
            forward(f, points[chunk], per_row[chunk])
        found.append(_only(outputs))
    return torch.cat(found)


def layer_output_and_gradient(
    f: Function, layer: nn.Module, points: Tensor, per_row: PerRow
) -> tuple[Tensor, Tensor, Tensor]:
    """F at the points (N, *features), the output of a layer there, and the gradient of F by it: (N,), 2 x (N, *units).

    Raises:
        ValueError: f does not call the layer exactly once, or the layer's output is not a tensor of N rows.
    """
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        frozen_parameters(f),
        full_precision(),
        _watched(layer, len(points), detached=True) as outputs,
    ):
        value = chosen_output(f, points, per_row)
        (gradient,) = torch.autograd.grad(value.sum(), [_only(outputs)])
    return value.detach(), outputs[0].detach(), gradient


@contextmanager
def _watched(layer: nn.Module, rows: int, detached: bool) -> Iterator[list[Tensor]]:
    """Within this context the outputs of a layer are kept; what comes next gets copies, which it may change.

    Args:
        layer: The layer.
        rows: Rows that each output must have.
        detached: Whether the outputs are to be what a gradient is taken by.
    """
    outputs: list[Tensor] = []

    def keep(module: nn.Module, arguments: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor) or len(output) != rows:
            received = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(f"layer gives {received} for {rows} rows; pass one that gives a tensor (rows, *units)")
        outputs.append(output.detach().requires_grad_(detached))
        return outputs[-1].clone()

    handle = layer.register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


def _only(outputs: list[Tensor]) -> Tensor:
    if len(outputs) != 1:
        raise ValueError(f"layer is called {len(outputs)} times by f; pass a module that f calls once")
    return outputs[0]
