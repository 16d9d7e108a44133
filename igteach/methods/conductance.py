"""Integrated Gradients through a hidden layer: how much of F(x) - F(x') flows through each of its units."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution, accumulator
from igteach.core.devices import full_precision
from igteach.core.error_estimate import with_error
from igteach.core.evaluation import forward, forward_at_ends, frozen_parameters, repeat_target, target_of
from igteach.core.functions import Baseline, Function, Target
from igteach.core.integration import Integrand, integrate_batch
from igteach.core.paths import StraightPath, broadcast_alphas
from igteach.core.quadrature import Cells
from igteach.core.validation import check_arguments, default_batch_size


def neuron_conductance(
    f: Function,
    layer: nn.Module,
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    steps: int = 64,
    rule: str = "midpoint",
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
        steps: Gradients for each example.
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
    x, baseline, target = check_arguments(f, x, baseline, target)
    batch_size = default_batch_size(x, batch_size)

    def integrand_of(chunk: slice) -> LayerIntegrand:
        return LayerIntegrand(f, StraightPath(baseline[chunk], x[chunk]), target_of(target, chunk), layer)

    values, distances = integrate_batch(integrand_of, x, rule, steps, batch_size)
    f_baseline, f_input = forward_at_ends(f, baseline, x, target, batch_size)
    return with_error(Attribution(values, f_input, f_baseline, steps), distances)


@dataclass(frozen=True, eq=False)
class LayerIntegrand(Integrand):
    """The gradient of F by the units of a layer times their velocity, while x is on its path.

    Attributes:
        f: F, as every method takes it.
        path: The path of x.
        target: The class of each example (batch,), or None.
        layer: A module that f calls once.
    """

    layer: nn.Module

    def values(self, cells: Cells) -> Tensor:
        edges, _ = self._on_path(torch.cat([cells.starts[:1], cells.ends]))  # a cell starts where the one before ends
        displacements = edges.diff(dim=0)
        _, gradients = self._on_path(cells.nodes)
        return gradients * displacements / broadcast_alphas(cells.ends - cells.starts, displacements[0])

    def _on_path(self, alphas: Tensor) -> tuple[Tensor, Tensor]:
        """The units and F's gradient by them at each alpha of the path: each (alphas, batch, *units)."""
        points = self.path.points(alphas)
        found = layer_output_and_gradient(
            self.f, self.layer, points.flatten(0, 1), repeat_target(self.target, len(points))
        )
        units, gradients = (each.view(*points.shape[:2], *each.shape[1:]).to(accumulator(points)) for each in found)
        return units, gradients


def layer_output_and_gradient(
    f: Function, layer: nn.Module, points: Tensor, target: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The output of a layer at the points (N, *features), and the gradient of F by it: each (N, *units).

    Raises:
        ValueError: f does not call the layer exactly once, or the layer's output is not a tensor of N rows.
    """
    outputs: list[Tensor] = []

    def keep(module: nn.Module, arguments: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor) or len(output) != len(points):
            received = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                f"layer gives {received} for {len(points)} rows; pass one that gives a tensor (rows, *units)"
            )
        outputs.append(output.detach().requires_grad_())
        return outputs[-1].clone()  # what comes next may work in place

    handle = layer.register_forward_hook(keep)
    try:
        with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(f), full_precision():
            value = forward(f, points, target)
            if len(outputs) != 1:
                raise ValueError(f"layer is called {len(outputs)} times by f; pass a module that f calls once")
            (gradient,) = torch.autograd.grad(value.sum(), outputs)
    finally:
        handle.remove()
    return outputs[0].detach(), gradient
