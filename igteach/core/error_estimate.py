"""How far a weighted sum of gradients is from the integral, judged from how g, the integrand, changes between nodes.

jumps   Where a ReLU switches, g jumps somewhere between two nodes. A jump J, its place equally likely everywhere in a
        gap, adds J^2 v to the variance of the error; v is known from the nodes and the weights. J is the difference
        across the gap, or what the slopes beside it do not foretell of it (a third difference), whichever is smaller.
smooth  What the parabola rule says instead: zero where the weights are its own. v is that of its weights.
ends    Before the first node and after the last one nothing is seen: g may change there as in the gap beside.

The estimate: a margin times the larger of jumps + smooth and ends / 2, summed over features; at least |residual|.
`python tests/benchmarks/error_estimates.py` reports how it does. Its weaknesses: what lies between two nodes and leaves
no trace at them is unseen; and on a smooth F the parabola rule is an order better than the estimate knows.
"""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from igteach.core.attribution import SMALLEST_DIFFERENCE, Attribution, l1_norm, leaves
from igteach.core.quadrature import parabola_weights

MARGIN = 1.5  # the estimate is to hold in at least 95 of 100 cases
MARGIN_OF_A_STOP = 2.0  # also where the estimate decides when to stop, which is more often when it is low than high
MARGIN_UNCUT = 4.0  # and before the first cut, when several jumps in one wide gap cancel at its ends
FEWEST_NODES = 4  # that a third difference takes


def expected_l1_error(values: Tensor, nodes: Tensor, widths: Tensor, weights: Tensor) -> Tensor:
    """The L1 distance to expect between a weighted sum of values and the integral, without a margin: (batch,).

    Args:
        values: g at the nodes, (nodes, batch, features); at least FEWEST_NODES nodes.
        nodes: Ascending, float64, (nodes, batch).
        widths: Of the cells of the nodes, (nodes, batch).
        weights: How much each value counts, (nodes, batch).
    """
    jumps = jumps_between(values, jump_weights(nodes))
    parabolas = parabola_weights(nodes, widths)
    spreads = jump_spreads(nodes, parabolas).to(values)[..., None]
    smooth = torch.einsum("nb,nbf->bf", (parabolas - weights).to(values), values)
    first, last = nodes[0].to(values)[:, None], (1 - nodes[-1]).to(values)[:, None]
    ends = (jumps[0].abs() * first + jumps[-1].abs() * last) / 2
    middle = (jumps * spreads).square_().sum(0).sqrt_() + smooth.abs()
    return torch.maximum(middle.sum(1), ends.sum(1))


def jump_weights(nodes: Tensor) -> Tensor:
    """The weights of four neighbouring values in the third difference across each gap.

    It is zero where g is a parabola, and J where g jumps by J in this gap and nowhere else.

    Args:
        nodes: Ascending, float64, (nodes, batch); at least FEWEST_NODES.

    Returns:
        The weights (nodes - 1, 4, batch), for the values whose indices `neighbours` gives.
    """
    near = neighbours(len(nodes))
    four = nodes[near]  # (gaps, 4, batch)
    apart = four[:, :, None] - four[:, None]
    products = (apart + torch.eye(4, dtype=nodes.dtype, device="cpu")[:, :, None]).prod(2)
    weights = 1 / products
    gap = torch.arange(len(near), device="cpu") - near[:, 0]  # its place among the four
    behind = (torch.arange(4, device="cpu") > gap[:, None])[..., None]
    return weights / (weights * behind).sum(1, keepdim=True)


def neighbours(count: int) -> Tensor:
    """The indices of the four nodes around each gap of `count` nodes: (count - 1, 4)."""
    return torch.arange(-1, count - 2, device="cpu").clamp(0, count - 4)[:, None] + torch.arange(4, device="cpu")


def jumps_between(values: Tensor, third: Tensor) -> Tensor:
    """By how much g jumps in each gap beyond what its slopes foretell: (nodes - 1, batch, features).

    Args:
        values: (nodes, batch, features).
        third: What `jump_weights` gives.
    """
    plain, foretold = values.diff(dim=0), third_differences(values, third)
    is_smaller = foretold.abs().sum(2, keepdim=True) < plain.abs().sum(2, keepdim=True)
    return torch.where(is_smaller, foretold, plain)


def third_differences(values: Tensor, third: Tensor) -> Tensor:
    """The third difference across each gap, with the weights of `jump_weights`: (nodes - 1, batch, features)."""
    near, third = neighbours(len(values)).to(values.device), third.to(values)[..., None]
    total = values[near[:, 0]] * third[:, 0]
    for place in range(1, 4):
        total = total.addcmul_(values[near[:, place]], third[:, place])
    return total


def jump_matrix(values: Tensor, nodes: Tensor) -> Tensor:
    """The weights of all values in what `jumps_between` gives: (nodes - 1, nodes, batch), float64 on the CPU.

    Args:
        values: g at the nodes, (nodes, batch, features).
        nodes: (nodes, batch).
    """
    count, third = len(nodes), jump_weights(nodes)
    plain, foretold = values.diff(dim=0).abs().sum(2), third_differences(values, third).abs().sum(2)
    rows = torch.arange(count - 1, device="cpu")[:, None]
    weights = torch.zeros(count - 1, count, nodes.shape[1], dtype=nodes.dtype, device="cpu")
    weights[rows, neighbours(count)] = third
    difference = torch.zeros_like(weights)
    difference[rows, rows] = -1.0
    difference[rows, rows + 1] = 1.0
    return torch.where((foretold < plain).cpu()[:, None], weights, difference)


def jump_spreads(nodes: Tensor, weights: Tensor) -> Tensor:
    """The standard deviation of the error that a jump by 1 in each gap makes: (nodes - 1, batch).

    Its place is equally likely everywhere in the gap; the sum counts it from the first node behind the gap.
    """
    gaps, middles = nodes.diff(dim=0), (nodes[1:] + nodes[:-1]) / 2
    counted = 1 - weights.cumsum(0)[:-1]
    return (gaps.square() / 12 + (counted - (1 - middles)).square()).sqrt()


def with_error(answer: Attribution, distance: Tensor | None) -> Attribution:
    """The answer with an error_estimate, from the L1 distance to expect between its values and the true ones.

    The estimate is never below what the residual proves: |residual| is at most the distance, and |F(x) - F(x')| at
    most the L1 norm of the true values.

    Args:
        answer: An Attribution without an error estimate.
        distance: (batch,), or None where nothing is known; the answer is then returned as it is.
    """
    if distance is None or answer.residual is None:
        return answer
    relative = torch.maximum(distance, answer.residual.abs().to(distance)) / error_scale(answer)
    rounding = max(torch.finfo(tensor.dtype).eps for tensor in leaves(answer.values))
    return replace(answer, error_estimate=relative.clamp_min(rounding).to(answer.f_input))


def error_scale(answer: Attribution) -> Tensor:
    """What errors are relative to (batch,): the L1 norm of the values, or |F(x) - F(x')| where that is larger."""
    l1 = l1_norm(answer.values)
    f_input, f_baseline = answer.f_input.to(l1), cast(Tensor, answer.f_baseline).to(l1)
    rounding = SMALLEST_DIFFERENCE * torch.maximum(f_input.abs(), f_baseline.abs())
    largest = torch.stack([l1, (f_input - f_baseline).abs(), rounding]).amax(0)
    return largest.clamp_min(torch.finfo(l1.dtype).tiny)
