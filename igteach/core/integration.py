"""The integral of gradient times velocity along a path, in memory that grows neither with steps nor with the batch.

An `Integrand` has values at the nodes of cells that [0, 1] is cut into, and adds them up chunk by chunk. PathIntegrand
is the plain one; core.affine_prefix has one that passes the affine start of a network once, methods.conductance one for
the units of a layer. `integrate_batch` takes the examples of a batch in turn.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from igteach.core.attribution import accumulator
from igteach.core.error_estimate import IntegrandVariation
from igteach.core.evaluation import forward_batched, forward_with_gradient, repeat_target
from igteach.core.functions import Function
from igteach.core.paths import Path, broadcast_alphas
from igteach.core.quadrature import Cells, nodes_and_weights, parabola_corrections, warped_nodes_and_weights
from igteach.core.validation import check_count


class RunningSums(Protocol):
    """What is kept while the values of an integrand pass by, a chunk of cells at a time."""

    def add(self, values: Tensor, chunk: Tensor) -> None:
        """Take the values (nodes, batch, ...) at the cells with the indices `chunk`."""

    def result(self) -> tuple[Tensor, Tensor | None]:
        """The integral (batch, ...) and the L1 distance to expect between it and the true one: (batch,) or None."""


@dataclass(frozen=True, eq=False)
class Integrand(ABC):
    """What is integrated over alpha, along the paths of some examples.

    Attributes:
        f: F, as every method takes it.
        path: The path of each example, from x' to x.
        target: The class of each example (batch,), or None.
    """

    f: Function
    path: Path
    target: Tensor | None

    @abstractmethod
    def values(self, cells: Cells) -> Tensor:
        """The integrand at the cells' nodes: (nodes, batch, ...)."""

    def running_sums(self, cells: Cells) -> RunningSums:
        """Where the values at the cells are added up, chunk by chunk."""
        return WeightedSums(cells)

    def integrate(self, cells: Cells, chunk_size: int) -> tuple[Tensor, Tensor | None]:
        """The weighted sum over the cells, and how far it may be from the integral.

        Args:
            cells: All of [0, 1].
            chunk_size: Cells at once, at most: memory grows with it and not with the number of cells.

        Returns:
            The integral (batch, *features), and the L1 distance to expect (batch,), or None for fewer than 4 cells.
        """
        sums = self.running_sums(cells)
        for chunk in torch.arange(len(cells)).split(chunk_size):
            sums.add(self.values(cells[chunk]), chunk)
        return sums.result()

    def path_values(self, count: int, chunk_size: int) -> Tensor:
        """F at `count` equally spaced alphas, 0 and 1 included, at most chunk_size at once: (count, batch)."""
        found = []
        for alphas in torch.linspace(0, 1, count, dtype=torch.float64).split(chunk_size):
            points = self.path.points(alphas).flatten(0, 1)
            found.append(forward_batched(self.f, points, repeat_target(self.target, len(alphas)), len(points)))
        return torch.cat(found).view(count, -1)


@dataclass(frozen=True, eq=False)
class PathIntegrand(Integrand):
    """The gradient of F at the points of a path, times the velocity of the path there."""

    def values(self, cells: Cells) -> Tensor:
        points = self.path.points(cells.nodes)
        _, gradients = forward_with_gradient(self.f, points.flatten(0, 1), repeat_target(self.target, len(points)))
        values = gradients.reshape(points.shape).to(accumulator(points), copy=True)
        return values.mul_(self.path.velocities(cells.starts, cells.ends))


class WeightedSums:
    """Two running sums of the values: weighted by the cells, and by the corrections that the error estimate uses."""

    def __init__(self, cells: Cells):
        self.nodes = cells.nodes
        self.weights = torch.stack([cells.weights, parabola_corrections(cells.nodes, cells.weights)])
        self.sums = torch.zeros(())
        self.variation = IntegrandVariation()

    def add(self, values: Tensor, chunk: Tensor) -> None:
        weights = self.weights[:, chunk].to(values)
        self.sums = self.sums + torch.einsum("snb,nb...->sb...", weights, values)
        self.variation.add(values, broadcast_alphas(self.nodes[chunk], values[0]))

    def result(self) -> tuple[Tensor, Tensor | None]:
        integral, correction = self.sums
        return integral, self.variation.distance(correction)


def integrate_batch(
    integrand_of: Callable[[slice], Integrand],
    like: Tensor,
    rule: str,
    steps: int,
    batch_size: int,
    progress: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """The integrals of a batch of examples, as many of them at once as batch_size rows allow.

    Args:
        integrand_of: Gives the integrand of some examples of the batch.
        like: (batch, ...), of the dtype that is wanted.
        rule: One of `core.quadrature.RULES`, or "warped".
        steps: Cells for each example.
        batch_size: Rows of F at once, at most.
        progress: Show a bar.

    Returns:
        The integrals (batch, *features), and the L1 distances to expect (batch,), or None for fewer than 4 steps.
    """
    check_count("steps", steps, 1)
    examples_at_once = max(1, batch_size // steps)
    cells_at_once = max(1, batch_size // examples_at_once)
    values, distances = like.new_empty(0), []
    for first in _with_progress(range(0, len(like), examples_at_once), progress):
        chunk = slice(first, first + examples_at_once)
        integrand = integrand_of(chunk)
        cells = _cells(integrand, rule, steps, cells_at_once)
        integral, distance = integrand.integrate(cells, cells_at_once)
        if first == 0:
            values = like.new_empty(len(like), *integral.shape[1:])
        values[chunk] = integral
        distances.append(distance)
    known = [distance for distance in distances if distance is not None]
    return values, torch.cat(known) if known else None


def _cells(integrand: Integrand, rule: str, steps: int, chunk_size: int) -> Cells:
    """[0, 1] cut as the rule says; the warped one looks at F along the path first."""
    if rule != "warped":
        return Cells.of(*nodes_and_weights(rule, steps))
    return Cells.of(*warped_nodes_and_weights(integrand.path_values(steps // 2 + 3, chunk_size), steps))


def _with_progress(work: range, progress: bool) -> Iterable[int]:
    if not progress:
        return work
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm") from None
    bar: Iterable[int] = tqdm(work, desc="integrated gradients", unit="chunk")
    return bar
