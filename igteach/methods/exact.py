"""Integrated Gradients of a piecewise-linear network, without any quadrature error.

Along the straight path such a network is linear between kinks: the places where a unit switches on or off, or another
element of a pooling window becomes the largest. Between two kinks the gradient is constant, so IG is a finite sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched, forward_with_gradient
from igteach.core.functions import Baseline, Target
from igteach.core.per_row import PerRow
from igteach.core.validation import check_arguments, default_batch_size
from igteach.methods.piecewise_linear import PIECEWISE_LINEAR, competing_inputs, layer_chain, network_behind

CLOSEST = 1e-13  # kinks nearer than this on [0, 1] count as one: rounding cannot tell them apart
ELEMENTS_AT_ONCE = 2**20  # activations of one layer held at once; a longer path is taken in stretches


@dataclass(frozen=True, eq=False, repr=False)
class ExactAttribution(Attribution):
    """An Attribution in float64, whatever the dtype of x, with the linear pieces of F on the path.

    Attributes:
        values: the shares, in the shape of x and the units of F.
        f_input: (batch,), F(x).
        f_baseline: (batch,), F(x').
        evaluations: (batch,), the number of linear pieces of each example: one gradient each.
        error_estimate: (batch,), zeros.
        converged: None.
        pieces: for each example the ends of its linear pieces, as alphas 0 = p_0 < ... < p_k = 1, (k + 1,).
    """

    pieces: tuple[Tensor, ...]


def exact_integrated_gradients(
    model: nn.Module, x: Tensor, baseline: Baseline = None, target: Target = None, *, max_pieces: int = 100_000
) -> ExactAttribution:
    """The exact share of each feature in F(x) - F(x'), for the logits F of a piecewise-linear network.

    A unit that stays on its kink along a whole piece (a ReLU at exactly 0, a tie in a pooling window) has no gradient
    there, and gets the one that autograd gives: ReLU'(0) = 0, LeakyReLU'(0) = its negative slope, one of the tied
    elements. Completeness holds all the same, but two ways to write one function may then get different shares.

    Args:
        model: a chain of layers, of the kinds in `core.affine_prefix.AFFINE` and `piecewise_linear.PIECEWISE_LINEAR`
            or functions in `piecewise_linear.AS_LAYER`, nested or in logit(); a copy of it works in float64.
        x: (batch, *features), floating point.
        baseline: x', a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if the model gives one number for each row.
        max_pieces: the largest number of linear pieces of an example.

    Returns:
        The attribution, in units of F and complete but for rounding.

    Raises:
        TypeError: if the model is not such a chain, or as `igteach.integrated_gradients`.
        ValueError: if an example has more pieces than max_pieces, or as `igteach.integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from igteach.axioms import cases
        >>> answer = igteach.exact_integrated_gradients(cases.SATURATING, torch.tensor([[2.0]]))  # 1 - ReLU(1 - x)
        >>> answer.values.tolist(), answer.pieces[0].tolist()
        ([[1.0]], [0.0, 0.5, 1.0])

    Source:
        Sotoudeh and Thakur (2019), ExactLine, https://arxiv.org/abs/1908.06214.
    """
    with torch.inference_mode(False):
        network = network_behind(model).double()
    layers = layer_chain(network)
    x, baseline, per_row = check_arguments(model, x, baseline, target)
    if x.device.type == "mps":
        raise ValueError("x is on mps, which has no float64; pass x.cpu() and model.cpu()")
    x, baseline = x.double(), baseline.double()
    batch_size = default_batch_size(x, None)
    values = torch.empty_like(x)
    pieces = []
    for i in range(len(x)):
        ends = torch.stack([baseline[i], x[i]])
        breakpoints = _breakpoints(layers, ends, max_pieces)
        values[i] = _sum_over_pieces(network, ends, per_row[i : i + 1], breakpoints, batch_size)
        pieces.append(breakpoints)
    f_input = forward_batched(network, x, per_row, batch_size)
    f_baseline = forward_batched(network, baseline, per_row, batch_size)
    evaluations = torch.tensor([len(breakpoints) - 1 for breakpoints in pieces], device=x.device)
    no_error = torch.zeros_like(f_input)
    return ExactAttribution(values, f_input, f_baseline, evaluations, error_estimate=no_error, pieces=tuple(pieces))


def _sum_over_pieces(network: nn.Module, ends: Tensor, per_row: PerRow, breakpoints: Tensor, batch_size: int) -> Tensor:
    """(x - x') times the sum of length times gradient over the pieces of one example: (*features).

    ends (2, *features) are x' and x; breakpoints (pieces + 1,) the ends of the pieces.
    """
    total = torch.zeros_like(ends[0])
    all_lefts, all_rights = torch.split(breakpoints[:-1], batch_size), torch.split(breakpoints[1:], batch_size)
    for left, right in zip(all_lefts, all_rights, strict=True):
        points = _interpolate(ends.new_tensor([0, 1]), ends, (left + right) / 2)
        _, gradients = forward_with_gradient(network, points, per_row.of(0, len(points)))
        total += torch.tensordot(right - left, gradients, dims=1)
    return total * (ends[1] - ends[0])


@torch.no_grad()
def _breakpoints(layers: list[nn.Module], ends: Tensor, max_pieces: int) -> Tensor:
    """The ends of the linear pieces between ends[0] and ends[1], as alphas: (pieces + 1,)."""
    stretches = [ends.new_zeros(1)]
    num_pieces = 0
    for right_ends in _right_ends(layers, ends.new_tensor([0, 1]), ends):
        stretches.append(right_ends)
        num_pieces += len(right_ends)
        if num_pieces > max_pieces:
            raise ValueError(f"more than {max_pieces=} linear pieces; raise max_pieces or use integrated_gradients")
    return torch.cat(stretches)


def _right_ends(layers: list[nn.Module], alphas: Tensor, values: Tensor) -> Iterator[Tensor]:
    """The right ends of the linear pieces, one stretch of the path at a time.

    alphas (breakpoints,) are the kinks of the layers before; values (breakpoints, *features) the activations there.
    """
    for i, layer in enumerate(layers):
        if not isinstance(layer, PIECEWISE_LINEAR):
            values = layer(values)
            continue
        refined = _merge(alphas, _kinks(alphas, competing_inputs(layer, values)))
        stretch_length = max(1, ELEMENTS_AT_ONCE // values[0].numel() - 1)  # in pieces
        for start in range(0, len(refined) - 1, stretch_length):
            stretch = refined[start : start + stretch_length + 1]
            activations = layer(_interpolate(alphas, values, stretch))
            yield from _right_ends(layers[i + 1 :], stretch, activations)
        return
    yield alphas[1:]


def _merge(alphas: Tensor, new: Tensor) -> Tensor:
    """Old and new breakpoints in order, without a new one that is CLOSEST or nearer to another."""
    new = new.sort().values
    right = torch.searchsorted(alphas, new).clamp(1, len(alphas) - 1)
    to_previous = new.diff(prepend=alphas[:1])
    to_left, to_right = new - alphas[right - 1], alphas[right] - new
    nearest = torch.stack([to_previous, to_left, to_right]).amin(0)
    return torch.cat([alphas, new[nearest > CLOSEST]]).sort().values


def _interpolate(alphas: Tensor, values: Tensor, new_alphas: Tensor) -> Tensor:
    """The values at other alphas, linear between the breakpoints: (new alphas, *features)."""
    right = torch.searchsorted(alphas, new_alphas).clamp(1, len(alphas) - 1)
    weight = (new_alphas - alphas[right - 1]) / (alphas[right] - alphas[right - 1])
    return torch.lerp(values[right - 1], values[right], weight.view(-1, *[1] * (values.dim() - 1)))


def _kinks(alphas: Tensor, competitors: Tensor) -> Tensor:
    """The alphas where another one of the competing inputs of a unit becomes the largest: (kinks,).

    competitors (breakpoints, units, elements) are linear between the breakpoints. In a piece where the largest one
    changes, the leader at the left end is followed until the first other overtakes it, which then leads, and so on.
    """
    is_largest = competitors == competitors.amax(-1, keepdim=True)
    never_changes = (is_largest[:-1] & is_largest[1:]).any(-1)  # the largest at both ends is the largest in between
    piece, unit = torch.nonzero(~never_changes, as_tuple=True)
    start = competitors[piece, unit]
    slope = competitors[piece + 1, unit] - start
    leader = start.argmax(-1, keepdim=True)
    kinks = [alphas[:0]]
    while len(piece):
        lead = start.gather(1, leader) - start
        gain = slope - slope.gather(1, leader)
        overtaken_at = lead.div(gain).where(gain > 0, torch.inf)  # from 0 to 1 within the piece
        position, leader = overtaken_at.min(1, keepdim=True)
        is_overtaken = position[:, 0] < 1
        piece, start, slope = piece[is_overtaken], start[is_overtaken], slope[is_overtaken]
        leader, position = leader[is_overtaken], position[is_overtaken]
        kinks.append(torch.lerp(alphas[piece], alphas[piece + 1], position[:, 0].clamp(min=0)))
    return torch.cat(kinks)
