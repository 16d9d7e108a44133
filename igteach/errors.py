"""How far a weighted sum of gradients is from the integral, judged from how they change from node to node.

Let g be what is integrated, one number a feature. Its values at the nodes show three sources of error.

kinks   Where a ReLU switches, g jumps by some J. The jump lies anywhere in a gap between two nodes, d apart, so the sum
        misses or adds part of J d: about at random, with variance J^2 d^2 / 12. Differences of neighbours times their gap
        show the J d; second differences of these forget the smooth part of g, and have 6 times the variance.
smooth  Where g bends, the parabola through neighbouring nodes knows the error of a cell: quadrature.corrections.
ends    Beyond the first node and the last nothing is seen: g may go on changing as fast as beside them.

The estimate is MARGIN times the larger of kinks + smooth and ends / 2, summed over the features; and never less than the
residual, which is the sum of all errors with their signs. MARGIN and the form were chosen on networks of seeds 1 and 2,
and `python tests/benchmarks/error_estimates.py` reports on others. Known to be missed: a g that blows up towards an end
of the path (a layer norm at an embedding of zeros) is further off than the estimate says, about twofold.
"""

import math

import torch
from torch import Tensor

from igteach.attribution import SMALLEST_DIFFERENCE, accumulator

MARGIN = 1.5  # the estimate is to hold in at least 95 of 100 cases
NEIGHBOURS = 4  # nodes that a second difference of differences takes


class Changes:
    """What is remembered of g from node to node: a few tensors of its shape, however many nodes there are."""

    def __init__(self) -> None:
        self.tail: tuple[Tensor, ...] = ()
        self.squares: Tensor | float = 0.0
        self.first: Tensor | None = None
        self.last: Tensor | None = None

    def add(self, g: Tensor, nodes: Tensor) -> None:
        """Take note of g (nodes, batch, *features) at the next nodes, which broadcast to it."""
        if self.tail:
            g, nodes = torch.cat([self.tail[0], g]), torch.cat([self.tail[1], nodes])
        self.tail = g[1 - NEIGHBOURS :].clone(), nodes[1 - NEIGHBOURS :]
        second = (g.diff(dim=0) * nodes.diff(dim=0)).diff(n=2, dim=0)
        if len(second):
            self.squares = self.squares + second.square().sum(0)
            self.first = second[0].abs() if self.first is None else self.first
            self.last = second[-1].abs()

    def distance(self, smooth: Tensor) -> Tensor | None:
        """The L1 distance to the integral that is to be expected: (batch,), or None after fewer than 4 nodes.

        smooth (batch, *features) is the sum of g weighted by quadrature.corrections.
        """
        if self.first is None or self.last is None:
            return None
        kinks = torch.as_tensor(self.squares).div(12 * 6).sqrt()
        inside, ends = kinks + smooth.abs(), (self.first + self.last) / 2
        return MARGIN * torch.maximum(inside.flatten(1).sum(1), ends.flatten(1).sum(1))
