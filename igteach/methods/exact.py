"""Integrated Gradients of a piecewise-linear network, without any quadrature error.

Along the straight path such a network is linear between kinks: the places where a unit switches on or off, or
another element of a pooling window takes the lead. Between two kinks the gradient is constant, so IG is a finite sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Baseline, Target
from igteach.core.validation import check_arguments, default_batch_size
from igteach.methods.piecewise_linear import PIECEWISE_LINEAR, chain, competing_inputs, network_behind

CLOSEST = 1e-13  # kinks nearer than this on [0, 1] count as one: rounding cannot tell them apart
ELEMENTS_AT_ONCE = 2**20  # activations of one layer held at once; a longer path is walked in stretches


@dataclass(frozen=True, eq=False, repr=False)
class ExactAttribution(Attribution):
    """An Attribution in float64, whatever the dtype of x, with the ends of the linear pieces of F on the path."""

    pieces: tuple[
        Tensor, ...
    ]  # of each example (k + 1,): 0 = p_0 < ... < p_k = 1; evaluations says k, one gradient each


def exact_integrated_gradients(
    model: nn.Module, x: Tensor, baseline: Baseline = None, target: Target = None, *, max_pieces: int = 100_000
) -> ExactAttribution:
    """The exact share of each feature in F(x) - F(x'), for the logits F of a piecewise-linear network.

    model       a chain of layers in AFFINE and PIECEWISE_LINEAR or functions in AS_LAYER, nested or in logit(); copied to float64
    x           (batch, *features), floating point; baseline and target are as for integrated_gradients
    max_pieces  of one example, at most

    A unit that sits on its kink along a whole piece (a ReLU at exactly 0, a tie in a pooling window) has no gradient
    there, and gets the one of autograd: ReLU'(0) = 0, LeakyReLU'(0) = its negative slope, one of the tied elements.
    Completeness holds all the same, but two ways to write one function may then get different shares.
    Raises TypeError for a model that is no such chain, ValueError for too many pieces, and as integrated_gradients.
    Source: Sotoudeh and Thakur (2019), ExactLine.
    """
    network = network_behind(model).double()
    layers = chain(network)
    x, baseline, target = check_arguments(model, x, baseline, target)
    if x.device.type == "mps":
        raise ValueError("x is on mps, which has no float64; pass x.cpu() and model.cpu()")
    x, baseline = x.double(), baseline.double()
    values, pieces, batch_size = torch.empty_like(x), [], default_batch_size(x, None)
    for i, ends in enumerate(torch.stack([baseline, x], dim=1)):
        pieces.append(_breakpoints(layers, ends, max_pieces))
        values[i] = _integral(network, ends, None if target is None else target[i], pieces[i], batch_size)
    f_input, f_baseline = (forward_batched(network, points, target, batch_size) for points in (x, baseline))
    spent, error = torch.tensor([len(ends) - 1 for ends in pieces], device=x.device), torch.zeros_like(f_input)
    return ExactAttribution(values, f_input, f_baseline, spent, error_estimate=error, pieces=tuple(pieces))


def _integral(network: nn.Module, ends: Tensor, target: Tensor | None, alphas: Tensor, batch_size: int) -> Tensor:
    """(x - x') times the sum over the pieces of length times gradient; ends are x' and x, alphas the pieces' ends."""
    total = torch.zeros_like(ends[0])
    for left, right in zip(alphas[:-1].split(batch_size), alphas[1:].split(batch_size), strict=True):
        points = _interpolated(ends.new_tensor([0, 1]), ends, (left + right) / 2)
        _, gradients = forward_with_gradient(network, points, None if target is None else target.expand(len(points)))
        total += torch.tensordot(right - left, gradients, dims=1)
    return total * (ends[1] - ends[0])


@torch.no_grad()
def _breakpoints(layers: list[nn.Module], ends: Tensor, max_pieces: int) -> Tensor:
    """The ends of the linear pieces on the way from ends[0] to ends[1], as alphas: (k + 1,)."""
    found = [ends.new_zeros(1)]
    for right_ends in _pieces(layers, ends.new_tensor([0, 1]), ends):
        found.append(right_ends)
        if sum(map(len, found)) - 1 > max_pieces:
            raise ValueError(f"more than {max_pieces=} linear pieces; raise max_pieces or use integrated_gradients")
    return torch.cat(found)


def _pieces(layers: list[nn.Module], alphas: Tensor, values: Tensor) -> Iterator[Tensor]:
    """The right ends of the linear pieces, a stretch of the path at a time.

    alphas (breakpoints,) are the kinks of the layers before; values (breakpoints, *features) what they give there.
    """
    for i, layer in enumerate(layers):
        if isinstance(layer, PIECEWISE_LINEAR):
            refined = _merged(alphas, _kinks(alphas, competing_inputs(layer, values)))
            chunk_size = max(1, ELEMENTS_AT_ONCE // values[0].numel() - 1)  # pieces
            for start in range(0, len(refined) - 1, chunk_size):
                stretch = refined[start : start + chunk_size + 1]
                yield from _pieces(layers[i + 1 :], stretch, layer(_interpolated(alphas, values, stretch)))
            return
        values = layer(values)
    yield alphas[1:]


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


def _kinks(alphas: Tensor, competing_inputs: Tensor) -> Tensor:
    """Where another one of the competing_inputs becomes the largest, each being linear between the breakpoints: (kinks,)."""
    leads = competing_inputs == competing_inputs.amax(-1, keepdim=True)
    steady = (leads[:-1] & leads[1:]).any(-1)  # the largest at both ends is the largest in between
    piece, unit = torch.nonzero(~steady, as_tuple=True)
    value = competing_inputs[piece, unit]
    slope = competing_inputs[piece + 1, unit] - value
    leader = value.argmax(-1, keepdim=True)
    found = [alphas[:0]]
    while len(piece):
        gain = slope - slope.gather(1, leader)
        share, leader = (value.gather(1, leader) - value).div(gain).where(gain > 0, torch.inf).min(1, keepdim=True)
        more = share[:, 0] < 1
        piece, value, slope, leader, share = (chunk[more] for chunk in (piece, value, slope, leader, share))
        found.append(torch.lerp(alphas[piece], alphas[piece + 1], share[:, 0].clamp(min=0)))
    return torch.cat(found)
