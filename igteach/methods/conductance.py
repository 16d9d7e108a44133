"""Integrated Gradients through a hidden layer: what of F(x) - F(x') flows through each of its units."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution, accumulator
from igteach.core.devices import full_precision
from igteach.core.error_estimate import with_error
from igteach.core.evaluation import forward, forward_batched, frozen_parameters
from igteach.core.functions import Baseline, Function, Target
from igteach.core.integration import integrate
from igteach.core.paths import StraightPath, broadcast_alphas
from igteach.core.quadrature import nodes_and_weights
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

    It is IG along the curve that the units y then take: for unit j the integral of dF/dy_j dy_j over the path.

    layer  a module that f calls once, and whose output is a tensor (batch, *units)
    Returns an Attribution whose values have the shape of that output. They add up to F(x) - F(x') where all that F
    learns of x goes through the layer; where something goes past it, the residual is what went.
    Raises TypeError or ValueError for a layer that is none, or as integrated_gradients.
    Source: Dhamdhere, Sundararajan and Yan (2019); Lundstrom et al. (2022).
    """
    if not isinstance(layer, nn.Module):
        raise TypeError(f"layer is {type(layer).__name__}; pass a module of f, such as model[2]")
    x, baseline, target = check_arguments(f, x, baseline, target)
    batch_size = default_batch_size(x, batch_size)
    nodes, weights = nodes_and_weights(rule, steps)
    rest = nodes.view(steps, 1), weights.view(steps, 1)
    chunk_size = max(1, batch_size // steps)  # examples
    values, distances = [], []
    for chunk in torch.arange(len(x)).split(chunk_size):
        path, chosen = StraightPath(baseline[chunk], x[chunk]), None if target is None else target[chunk]
        total, distance = integrate(partial(_pull, f, layer, path, chosen), *rest, max(1, batch_size // chunk_size))
        values.append(total)
        distances.append(distance)
    at_ends = forward_batched(f, x, target, batch_size), forward_batched(f, baseline, target, batch_size)
    answer = Attribution(torch.cat(values).to(x), *at_ends, steps)
    return with_error(answer, torch.cat([d for d in distances if d is not None]) if steps > 3 else None)


def _pull(
    f: Function,
    layer: nn.Module,
    path: StraightPath,
    target: Tensor | None,
    alphas: Tensor,
    starts: Tensor,
    ends: Tensor,
) -> Tensor:
    """Gradient by the units times their velocity, at each node: (nodes, batch, *units)."""

    def units(places: Tensor, gradient: bool = False) -> Tensor:
        points = path.points(places)
        chosen = None if target is None else target.repeat(len(points))
        seen = at_layer(f, layer, points.flatten(0, 1), chosen)[int(gradient)]
        return seen.view(*points.shape[:2], *seen.shape[1:]).to(accumulator(points))

    ways = units(torch.cat([starts[:1], ends])).diff(dim=0)  # a cell starts where the one before it ends
    return units(alphas, gradient=True) * ways / broadcast_alphas(ends - starts, ways[0])


def at_layer(f: Function, layer: nn.Module, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """The output of the layer at the points (N, ...), and the gradient of F by it: each (N, *units)."""
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
