"""Integrated Gradients of a piecewise-linear network, without any quadrature error.

Along the straight path such a network is linear between kinks: the places where a unit switches on or off, or
another element of a pooling window takes the lead. Between two kinks the gradient is constant, so IG is a finite sum.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from igteach.attribution import Attribution
from igteach.gradients import gradients_at, rows_at_once, values_at
from igteach.paths import StraightPath
from igteach.scores import Function, Logit, Probability, check_arguments

KINKED = (nn.ReLU, nn.LeakyReLU, nn.MaxPool2d)
POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)
AFFINE = (nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, *POOLING, nn.Flatten, nn.Dropout, nn.Identity)
AS_LAYER: dict[Any, type[nn.Module]] = {  # functions and methods in a forward: the layer of the same arguments
    **dict.fromkeys((F.relu, torch.relu, "relu"), nn.ReLU),
    **dict.fromkeys((torch.flatten, "flatten"), nn.Flatten),
    F.leaky_relu: nn.LeakyReLU,
    F.max_pool2d: nn.MaxPool2d,
    F.avg_pool2d: nn.AvgPool2d,
    F.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
}
CLOSEST = 1e-13  # kinks nearer than this on [0, 1] count as one: rounding cannot tell them apart
ELEMENTS_AT_ONCE = 2**20  # activations of one layer held at once; a longer path is walked in stretches


@dataclass(frozen=True, eq=False, repr=False)
class ExactAttribution(Attribution):
    """An Attribution with the linear pieces of F along the path. All of it is float64, whatever the dtype of x.

    evaluations (batch,) pieces of each example: one gradient was spent on each
    pieces      for each example the ends of its pieces on [0, 1]: 0 = p_0 < p_1 < ... < p_k = 1, shape (k + 1,)
    """

    pieces: tuple[Tensor, ...]


def exact_integrated_gradients(
    model: nn.Module,
    x: Tensor,
    baseline: Tensor | float | None = None,
    target: int | Tensor | None = None,
    *,
    max_pieces: int = 100_000,
) -> ExactAttribution:
    """The exact share of each feature in F(x) - F(x'), for the logits F of a piecewise-linear network.

    model       a chain of the layers in AFFINE and KINKED (or functions in AS_LAYER), nested as you like, alone or in
                logit(); computed in a float64 copy
    x           (batch, *features), floating point
    baseline    a number, or broadcasts to x; None is zeros in the units that the model takes
    target      an int, (batch,), or None where the model gives one number a row
    max_pieces  of one example, at most

    A unit that sits on its kink along a whole piece (a ReLU at exactly 0, a tie in a pooling window) has no gradient
    there. Autograd's convention is used: ReLU'(0) = 0, LeakyReLU'(0) = its negative slope, and of tied elements PyTorch
    picks one. Completeness holds all the same, but two ways to write one function may then get different shares. A
    unit that is there only up to rounding falls on one side or the other.

    Raises TypeError for a model that is not such a chain, ValueError for a path of too many pieces, and what
    integrated_gradients raises.
    Source: Sotoudeh and Thakur (2019), ExactLine.
    """
    network = _network(model)
    layers = _chain(network)
    x, baseline, target = check_arguments(model, x, baseline, target)
    if x.device.type == "mps":
        raise ValueError("x is on mps, which has no float64; pass x.cpu() and model.cpu()")
    x, baseline = x.double(), baseline.double()

    values, pieces = torch.empty_like(x), []
    for i in range(len(x)):
        path = StraightPath(baseline[i : i + 1], x[i : i + 1])
        pieces.append(_breakpoints(layers, torch.cat([path.baseline, path.x]), max_pieces))
        values[i] = _integral(network, path, None if target is None else target[i], pieces[i])
    rows = rows_at_once(x, None)
    return ExactAttribution(
        values,
        f_input=values_at(network, x, target, rows),
        f_baseline=values_at(network, baseline, target, rows),
        evaluations=torch.tensor([len(ends) - 1 for ends in pieces], device=x.device),
        error_estimate=torch.zeros(len(x), dtype=x.dtype, device=x.device),
        pieces=tuple(pieces),
    )


def _integral(network: nn.Module, path: StraightPath, target: Tensor | None, ends: Tensor) -> Tensor:
    """(x - x') times the sum over the pieces of length times gradient: the shape of one example."""
    midpoints, lengths = (ends[1:] + ends[:-1]) / 2, ends.diff()
    total = torch.zeros_like(path.x[0])
    rows = rows_at_once(path.x, None)
    for alphas, shares in zip(midpoints.split(rows), lengths.split(rows), strict=True):
        points = path.points(alphas)[:, 0]
        _, gradients = gradients_at(network, points, None if target is None else target.expand(len(points)))
        total += torch.tensordot(shares, gradients, dims=1)
    return total * (path.x - path.baseline)[0]


def _network(model: Function) -> nn.Module:
    """A float64 copy of the network behind logit()."""
    while type(model) is Logit:
        model = model.model
    if isinstance(model, Probability):
        raise TypeError("model is a probability, which is not piecewise linear; pass the model itself or logit(model)")
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {type(model).__name__}; exact IG follows the layers of an nn.Module")
    return copy.deepcopy(model).double()


def _chain(network: nn.Module) -> list[nn.Module]:
    """The layers that `network` applies one after the other; a TypeError where it is no such chain."""
    root = nn.Sequential(network)
    try:
        graph = fx.Tracer().trace(root)
    except Exception as error:  # whatever the model's own forward does with a stand-in for its input
        name = type(network).__name__
        raise TypeError(f"model {name} cannot be followed: {error}; write its forward as a chain of layers") from error
    layers = []
    node = next(reversed(graph.nodes))
    while node.op != "placeholder":
        if node.op != "output":
            layers.append(_layer(node, root))
        node = node.all_input_nodes[0]
    return layers[::-1]


def _layer(node: fx.Node, root: nn.Module) -> nn.Module:
    """What a node of the traced graph computes, as a layer."""
    what = getattr(node.target, "__name__", str(node.target))
    if node.op == "call_module":
        layer = root.get_submodule(str(node.target))
        if isinstance(layer, AFFINE + KINKED):
            return layer
        what = f"{type(layer).__name__}, its layer {what.removeprefix('0.')!r}"
    elif len(node.all_input_nodes) > 1:
        what += " of several tensors (as in a residual connection)"
    elif node.target in AS_LAYER:
        return AS_LAYER[node.target](*node.args[1:], **node.kwargs)
    raise TypeError(
        f"model uses {what}, which exact IG does not support; it follows one chain of "
        f"{', '.join(kind.__name__ for kind in AFFINE + KINKED)}; for other models use integrated_gradients"
    )


@torch.no_grad()
def _breakpoints(layers: list[nn.Module], ends: Tensor, max_pieces: int) -> Tensor:
    """The ends of the linear pieces on the way from ends[0] to ends[1], as alphas: (k + 1,)."""
    whole = torch.tensor([0.0, 1.0], dtype=ends.dtype, device=ends.device)
    found, count = [whole[:1]], 0
    for right_ends in _pieces(layers, whole, ends):
        found.append(right_ends)
        count += len(right_ends)
        if count > max_pieces:
            raise ValueError(
                f"the path crosses more than max_pieces={max_pieces} linear pieces; raise max_pieces, or use "
                "integrated_gradients, whose cost does not depend on the pieces"
            )
    return torch.cat(found)


def _pieces(layers: list[nn.Module], alphas: Tensor, values: Tensor) -> Iterator[Tensor]:
    """The right ends of the linear pieces, a stretch of the path at a time.

    alphas (breakpoints,) are the kinks of the layers before; values (breakpoints, *features) what they give there.
    """
    if not layers:
        yield alphas[1:]
        return
    layer, *rest = layers
    if not isinstance(layer, KINKED):
        yield from _pieces(rest, alphas, layer(values))
        return
    refined = _merged(alphas, _kinks(alphas, _rivals(layer, values)))
    at_once = max(1, ELEMENTS_AT_ONCE // values[0].numel() - 1)  # pieces
    for start in range(0, len(refined) - 1, at_once):
        stretch = refined[start : start + at_once + 1]
        yield from _pieces(rest, stretch, layer(_interpolated(alphas, values, stretch)))


def _merged(alphas: Tensor, new: Tensor) -> Tensor:
    """Old and new breakpoints in order, without a new one that is CLOSEST or nearer to another."""
    new = new.sort().values
    right = torch.searchsorted(alphas, new).clamp(1, len(alphas) - 1)
    gaps = torch.stack([new.diff(prepend=alphas[:1]), new - alphas[right - 1], alphas[right] - new])
    return torch.cat([alphas, new[gaps.amin(0) > CLOSEST]]).sort().values


def _interpolated(alphas: Tensor, values: Tensor, at: Tensor) -> Tensor:
    """The values at other places, between breakpoints where they are linear: (places, *features)."""
    right = torch.searchsorted(alphas, at).clamp(1, len(alphas) - 1)
    share = (at - alphas[right - 1]) / (alphas[right] - alphas[right - 1])
    return torch.lerp(values[right - 1], values[right], share.view(-1, *(1,) * (values.dim() - 1)))


def _rivals(layer: nn.Module, values: Tensor) -> Tensor:
    """The elements of which a kinked layer looks for the largest: (breakpoints, units, elements)."""
    if not isinstance(layer, nn.MaxPool2d):
        return torch.stack([values, torch.zeros_like(values)], dim=-1).flatten(1, -2)
    shape = layer(values[:1]).shape[-2:]
    rows, columns = (_taken(layer, values.shape[axis], shape[axis], axis).to(values.device) for axis in (-2, -1))
    windows = rows[:, None, :, None] * values.shape[-1] + columns[None, :, None, :]
    return values.flatten(-2)[..., windows.flatten(2)].flatten(1, -2)


def _taken(layer: nn.MaxPool2d, size: int, windows: int, axis: int) -> Tensor:
    """Which of `size` positions each pooling window takes along an axis; padding repeats one of its own positions."""
    options = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    kernel, stride, padding, dilation = (int(torch.tensor(option).expand(2)[axis]) for option in options)
    taken = torch.arange(windows)[:, None] * stride - padding + torch.arange(kernel) * dilation
    inside = (taken >= 0) & (taken < size)
    own = taken.where(inside, torch.tensor(size)).amin(1, keepdim=True)
    return taken.where(inside, own)


def _kinks(alphas: Tensor, rivals: Tensor) -> Tensor:
    """Where another one of the rivals becomes the largest, each being linear between the breakpoints: (kinks,)."""
    leads = rivals == rivals.amax(-1, keepdim=True)
    steady = (leads[:-1] & leads[1:]).any(-1)  # the largest at both ends is the largest in between
    piece, unit = torch.nonzero(~steady, as_tuple=True)
    value = rivals[piece, unit]
    slope = rivals[piece + 1, unit] - value
    leader = value.argmax(-1, keepdim=True)
    found = [alphas[:0]]
    while len(piece):
        gain = slope - slope.gather(1, leader)
        share, leader = (value.gather(1, leader) - value).div(gain).where(gain > 0, torch.inf).min(1, keepdim=True)
        more = share[:, 0] < 1
        piece, value, slope, leader, share = (part[more] for part in (piece, value, slope, leader, share))
        found.append(torch.lerp(alphas[piece], alphas[piece + 1], share[:, 0].clamp(min=0)))
    return torch.cat(found)
