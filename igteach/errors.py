"""How far a weighted sum of gradients is from the integral, judged from how g, the integrand, changes between nodes.

kinks   Where a ReLU switches, g jumps by J somewhere between two nodes d apart; the error's variance is (J d)^2 / 12.
        Second differences of (difference of g) d forget the smooth part of g, and have 6 times the variance of J d.
smooth  Where g bends, the parabola through three nodes knows the error of a cell: quadrature.corrections.
ends    Before the first node and after the last one nothing is seen: g may change there as fast as beside them.

The estimate: MARGIN times the larger of kinks + smooth and ends / 2, summed over features; never less than |residual|.
`python tests/benchmarks/error_estimates.py` reports how it does, on other networks than it was made on. Its weakness:
where g blows up at an end of the path (a layer norm at an embedding of zeros) it may be half the error.
"""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from igteach.attribution import SMALLEST_DIFFERENCE, Attribution, l1_norm

MARGIN = 1.5  # the estimate is to hold in at least 95 of 100 cases
NEIGHBOURS = 4  # nodes that a second difference of differences takes


class Changes:
    """What is remembered of g from node to node: a few tensors of its shape, however many nodes there are."""

    def __init__(self) -> None:
        self.last: tuple[Tensor, Tensor] | None = None  # g, and the node
        self.differences: list[Tensor] = []  # of the last two gaps: J d in the words above
        self.squares: Tensor | None = None  # the sum of those of the second differences
        self.ends: tuple[Tensor, Tensor] | None = None  # the first second difference and the last

    def add(self, values: Tensor, nodes: Tensor) -> None:
        """Take note of g at the next nodes: values (nodes, batch, *features), nodes broadcast to it."""
        for g, node in zip(values, nodes, strict=True):
            if self.last:
                self.differences.append((g - self.last[0]).mul_(node - self.last[1]))
            if len(self.differences) == 3:
                before, here, after = self.differences
                second, self.differences = before.add_(after).sub_(here, alpha=2), [here, after]
                self.squares = second.square() if self.squares is None else self.squares.addcmul_(second, second)
                self.ends = (self.ends[0] if self.ends else second), second
            self.last = g, node
        self.last = g.clone(), node  # lets go of the other values

    def distance(self, smooth: Tensor) -> Tensor | None:
        """The L1 distance to the integral that is to be expected: (batch,), or None after fewer than 4 nodes.

        smooth (batch, *features) is the sum of g weighted by quadrature.corrections.
        """
        return None if self.squares is None or self.ends is None else distance(self.squares, smooth, *self.ends)


def distance(squares: Tensor, smooth: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """The estimate of the L1 distance (batch,), from what Changes remembers; each (batch, *features)."""
    middle, ends = (squares / (12 * 6)).sqrt() + smooth.abs(), (first.abs() + last.abs()) / 2
    return MARGIN * torch.maximum(middle.flatten(1).sum(1), ends.flatten(1).sum(1))


def with_error(answer: Attribution, distance: Tensor | None) -> Attribution:
    """The answer with an error_estimate, from the L1 distance to the true values that is to be expected (batch,).

    |residual| is less than that distance, and |F(x) - F(x')| less than the L1 norm of the true values.
    """
    if distance is None or answer.residual is None:
        return answer
    relative = torch.maximum(distance, answer.residual.abs().to(distance)) / size(answer)
    return replace(answer, error_estimate=relative.clamp_min(torch.finfo(answer.values.dtype).eps).to(answer.f_input))


def size(answer: Attribution) -> Tensor:
    """(batch,) what errors are relative to: the L1 norm of the values, or |F(x) - F(x')| where that is more."""
    l1 = l1_norm(answer.values)
    f_input, f_baseline = answer.f_input.to(l1), cast(Tensor, answer.f_baseline).to(l1)
    rounding = SMALLEST_DIFFERENCE * torch.maximum(f_input.abs(), f_baseline.abs())
    largest = torch.stack([l1, (f_input - f_baseline).abs(), rounding]).amax(0)
    return largest.clamp_min(torch.finfo(l1.dtype).tiny)
