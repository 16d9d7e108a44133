"""How far a weighted sum of gradients is from the integral, judged from how g, the integrand, changes between nodes.

kinks   Where a ReLU switches, g jumps by J somewhere between two nodes d apart; the error's variance is (J d)^2 / 12.
        Second differences of (difference of g) d forget the smooth part of g, and have 6 times the variance of J d.
smooth  Where g bends, the parabola through three nodes knows the error of a cell: quadrature.parabola_corrections.
ends    Before the first node and after the last one nothing is seen: g may change there as fast as beside them.

The estimate: MARGIN times the larger of kinks + smooth and ends / 2, summed over features; never less than |residual|.
`python tests/benchmarks/error_estimates.py` reports how it does, on other networks than it was made on. Its weakness:
where g blows up at an end of the path (a layer norm at an embedding of zeros) it may be half the error.
"""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from igteach.core.attribution import SMALLEST_DIFFERENCE, Attribution, l1_norm

MARGIN = 1.5  # the estimate is to hold in at least 95 of 100 cases
NEIGHBOURS = 4  # nodes that a second difference of differences takes
CPU_AT_ONCE, GPU_AT_ONCE = 2**19, 2**23  # numbers of g looked at in one go: caches are small, each go on a GPU costs


class IntegrandVariation:
    """What is remembered of g from node to node: a few tensors of its shape, however many nodes there are.

    Attributes:
        last: g at the last node and that node, each with a first axis of 1.
        differences: (difference of g) d across the last two gaps.
        squares: The sum of the squares of the second differences.
        ends: The first second difference and the last.
    """

    def __init__(self) -> None:
        self.last: tuple[Tensor, Tensor] | None = None
        self.differences: Tensor | None = None
        self.squares: Tensor | None = None
        self.ends: tuple[Tensor, Tensor] | None = None

    def add(self, values: Tensor, nodes: Tensor) -> None:
        """Take note of g at the next nodes: values (nodes, batch, *features), nodes broadcast to it."""
        numbers_at_once = CPU_AT_ONCE if values.device.type == "cpu" else GPU_AT_ONCE
        nodes_at_once = max(1, numbers_at_once // values[0].numel())
        for g, t in zip(values.split(nodes_at_once), nodes.split(nodes_at_once), strict=True):
            if self.last:
                g, t = torch.cat([self.last[0], g]), torch.cat([self.last[1], t])
            gaps = g.diff(dim=0).mul_(t.diff(dim=0))
            if self.differences is not None:
                gaps = torch.cat([self.differences, gaps])
            if len(gaps) >= 3:
                second = (gaps[:-2] + gaps[2:]).sub_(gaps[1:-1], alpha=2)
                squares = second.square().sum(0)
                self.squares = squares if self.squares is None else self.squares.add_(squares)
                self.ends = (self.ends[0] if self.ends else second[0].clone()), second[-1].clone()
            self.last, self.differences = (g[-1:].clone(), t[-1:]), gaps[-2:].clone()

    def distance(self, smooth: Tensor) -> Tensor | None:
        """The L1 distance to expect between the weighted sum and the integral: (batch,).

        Args:
            smooth: The sum of g weighted by quadrature.parabola_corrections, (batch, *features).

        Returns:
            The distance, or None after fewer than 4 nodes.
        """
        if self.squares is None or self.ends is None:
            return None
        return expected_l1_error(self.squares, smooth, *self.ends)


def expected_l1_error(squares: Tensor, smooth: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """The L1 distance to expect (batch,), from what IntegrandVariation remembers; each argument (batch, *features)."""
    middle = (squares / (12 * 6)).sqrt() + smooth.abs()
    ends = (first.abs() + last.abs()) / 2
    return MARGIN * torch.maximum(middle.flatten(1).sum(1), ends.flatten(1).sum(1))


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
    return replace(answer, error_estimate=relative.clamp_min(torch.finfo(answer.values.dtype).eps).to(answer.f_input))


def error_scale(answer: Attribution) -> Tensor:
    """What errors are relative to (batch,): the L1 norm of the values, or |F(x) - F(x')| where that is larger."""
    l1 = l1_norm(answer.values)
    f_input, f_baseline = answer.f_input.to(l1), cast(Tensor, answer.f_baseline).to(l1)
    rounding = SMALLEST_DIFFERENCE * torch.maximum(f_input.abs(), f_baseline.abs())
    largest = torch.stack([l1, (f_input - f_baseline).abs(), rounding]).amax(0)
    return largest.clamp_min(torch.finfo(l1.dtype).tiny)
