"""The affine stem of a network: done once an example along a straight path, not once a step.

Up to its first non-linearity a network is affine, h = A x + c. Along a straight path h goes straight, too, and the
gradient by x is A' times that by h: a weighted sum of gradients is A' times the weighted sum of those by h. So are
the differences that the error estimate is made of, up to the sum of the squares of the second differences, feature by
feature. Of that one it takes a sketch: the second differences are dealt out to SKETCH_SIZE sums in turn, each with a sign
drawn once for all, and the squares of these sums add up to that of the second differences on average over the signs.
Source of the sketch: Charikar, Chen and Farach-Colton (2002); see also Alon, Matias and Szegedy (1996).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import batchnorm

from igteach.core.attribution import accumulator
from igteach.core.devices import full_precision
from igteach.core.error_estimate import NEIGHBOURS, distance
from igteach.core.evaluation import forward_with_gradient, frozen_parameters
from igteach.core.functions import Function, Logit, Probability
from igteach.core.paths import StraightPath
from igteach.core.quadrature import parabola_corrections

POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)
AFFINE = (nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, *POOLING, nn.Flatten, nn.Dropout, nn.Identity)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
SKETCH_SIZE = 4
NUM_SUMS = 4 + SKETCH_SIZE  # weighted sums that go back through the stem
FEWEST_STEPS = 2 * NUM_SUMS  # with fewer, or with
FEWEST_PRODUCTS = 48  # fewer multiplications for an output of the stem, the stem alone is no slower


class ChannelsFirst(nn.Module):
    """Takes channels last, in which pooling takes a fifth of the time on a CPU."""

    def forward(self, x: Tensor) -> Tensor:
        return x.movedim(-1, 1)


@dataclass(frozen=True, eq=False)
class SplitModel:
    """F as rest(h), with h = affine(x) and its channels last."""

    affine: nn.Sequential
    rest: Function

    def path(self, path: StraightPath) -> StraightPath:
        """That of h."""
        with torch.no_grad(), full_precision():
            ends = [self.affine(x.clone()).movedim(1, -1).contiguous() for x in (path.baseline, path.x)]
        return StraightPath(*ends)

    def back(self, x: Tensor, pulls: Tensor) -> Tensor:
        """The gradients by x of the products of affine(x) with each of pulls (k, batch, *): (k, batch, *features)."""
        with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(self.affine), full_precision():
            points = x.clone().requires_grad_()
            out = self.affine(points)
            return torch.stack([torch.autograd.grad(out, points, pull, retain_graph=True)[0] for pull in pulls])


def split(f: Function, x: Tensor, steps: int) -> SplitModel | None:
    """F in two, where it is an nn.Sequential, nested or in logit() or probability(), that begins with affine layers.

    None where it is not, or where it gains nothing: for few steps, and on a GPU, which waits for calls, not for sums.
    """
    wrappers, model = list[type[Logit]](), f
    while isinstance(model, Logit) and type(model) in (Logit, Probability):
        wrappers.append(type(model))
        model = model.model
    if not isinstance(model, nn.Sequential) or steps < FEWEST_STEPS or x.device.type != "cpu":
        return None
    if x.dtype not in (torch.float32, torch.float64):
        return None
    layers = list(_layers(model))
    length = next((i for i, layer in enumerate(layers) if not _is_affine(layer)), 0)
    affine, rest = nn.Sequential(*layers[:length]), cast(Function, nn.Sequential(ChannelsFirst(), *layers[length:]))
    if not any(layer.weight[0].numel() >= FEWEST_PRODUCTS for layer in affine if isinstance(layer, WEIGHTED)):
        return None
    for wrapper in reversed(wrappers):
        rest = wrapper(rest)
    return SplitModel(affine, rest)


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """What a module applies one after the other, as far as its class says so."""
    plain = type(module).forward is nn.Sequential.forward and "forward" not in vars(module)
    if not plain or _is_hooked(module):
        yield module
        return
    for child in module.children():
        yield from _layers(child)


def _is_affine(layer: nn.Module) -> bool:
    if isinstance(layer, batchnorm._BatchNorm) and (layer.training or layer.running_mean is None):
        return False
    return type(layer) in (*AFFINE, *WEIGHTED) and "forward" not in vars(layer) and not _is_hooked(layer)


def _is_hooked(module: nn.Module) -> bool:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return any(getattr(module, kind) for kind in kinds)


def integrate(
    stem: SplitModel,
    path: StraightPath,
    inner: StraightPath,
    target: Tensor | None,
    nodes: Tensor,
    weights: Tensor,
    chunk_size: int,
) -> tuple[Tensor, Tensor]:
    """What `igteach.core.integration` has without a stem: the weighted sum of gradients times x - x', its L1 distance.

    inner is stem.path(path); nodes, weights (steps, 1 or batch); at_once: nodes. Returns (batch, *features), (batch,).
    """
    batch = len(path.x)
    rows = torch.cat([weights[None], parabola_corrections(nodes, weights)[None], _second_differences(nodes)])
    rows = rows.to(inner.x).expand(-1, -1, batch).permute(2, 0, 1)  # (batch, NUM_SUMS, steps)
    sums = inner.x.new_zeros(batch, NUM_SUMS, inner.x[0].numel())
    for chunk in torch.arange(len(nodes)).split(chunk_size):
        points = inner.points(nodes[chunk]).flatten(0, 1)
        _, gradients = forward_with_gradient(stem.rest, points, None if target is None else target.repeat(len(chunk)))
        sums.baddbmm_(rows[:, :, chunk], gradients.view(len(chunk), batch, -1).transpose(0, 1))
        del points, gradients  # before the next ones are made
    pulls = stem.back(path.x, sums.view(batch, NUM_SUMS, *inner.x.shape[1:]).transpose(0, 1).movedim(-1, 2))
    pulls = pulls.to(accumulator(pulls))
    values, smooth, first, last, *probes = pulls.mul_(path.x - path.baseline)
    return values, distance(torch.stack(probes).square().sum(0), smooth, first, last)


def _second_differences(nodes: Tensor) -> Tensor:
    """The weights of values at the nodes (steps, batch) in the first of them, the last, SKETCH_SIZE sums: (k, steps, batch).

    Each is (difference of values) (distance of nodes), differenced twice more, as in core.error_estimate.IntegrandVariation.
    """
    count = len(nodes) - NEIGHBOURS + 1
    signs = torch.randint(2, (count,), generator=torch.Generator().manual_seed(0)).to(nodes) * 2 - 1
    shares = nodes.new_zeros(2 + SKETCH_SIZE, count)
    shares[0, 0] = shares[1, -1] = 1
    shares[2 + torch.arange(count) % SKETCH_SIZE, torch.arange(count)] = signs
    gaps = functional.pad(shares, (0, 2)) - 2 * functional.pad(shares, (1, 1)) + functional.pad(shares, (2, 0))
    gaps = gaps[..., None] * nodes.diff(dim=0)
    return functional.pad(gaps, (0, 0, 1, 0)) - functional.pad(gaps, (0, 0, 0, 1))
