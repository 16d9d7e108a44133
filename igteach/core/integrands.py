"""What is integrated along a path: the gradient of F times the velocity of the path, for rows (example, alpha).

`StraightIntegrand` is the plain one, `CurvedIntegrand` that of any path; core.affine_prefix has one that passes the
affine start of a network once, methods.conductance one for the units of a layer.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from igteach.core.attribution import accumulator
from igteach.core.evaluation import unchecked_with_gradient
from igteach.core.functions import Function
from igteach.core.paths import CurvedPath, StraightPath
from igteach.core.per_row import PerRow
from igteach.core.quadrature import parabola_weights

CPU_AT_ONCE, GPU_AT_ONCE = 2**19, 2**23  # numbers added up in one go: caches are small, each go on a GPU costs
NODES_AT_ONCE = 8  # and at least so many nodes: each go reads and writes the sums


@dataclass(frozen=True, eq=False)
class Evaluated:
    """F and its gradients at some rows.

    Attributes:
        f: F, (rows,).
        gradients: What an integrand keeps of each row, (rows, size).
        slopes: The derivative of F by alpha, (rows,), or None where the integrand does not know it.
        finite: What `core.evaluation.check_finite` takes.
    """

    f: Tensor
    gradients: Tensor
    slopes: Tensor | None
    finite: Tensor


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of [0, 1] of some examples, with as many cells each.

    Attributes:
        examples: Which examples, on the CPU, (batch,).
        nodes: Where the gradients are, ascending, float64 on the CPU, (cells, batch).
        starts: Where the cells begin, in the same form.
        widths: Of the cells, in the same form.
        weights: How much each gradient counts, in the same form.
        gradients: What `Evaluated` holds of each node: for each cell a list of tensors (size,), one an example; or of
            closed cells, at the features that are judged.
    """

    examples: Tensor
    nodes: Tensor
    starts: Tensor
    widths: Tensor
    weights: Tensor
    gradients: list[list[Tensor]]

    def part(self, cells: Sequence[int], examples: Sequence[int]) -> "Cells":
        """Some of the cells of some of the examples."""
        rows, columns = (
            torch.tensor(cells, dtype=torch.long, device="cpu")[:, None],
            torch.tensor(examples, dtype=torch.long, device="cpu"),
        )
        return Cells(
            self.examples[columns],
            self.nodes[rows, columns],
            self.starts[rows, columns],
            self.widths[rows, columns],
            self.weights[rows, columns],
            [[self.gradients[cell][example] for example in examples] for cell in cells],
        )


@dataclass(frozen=True, eq=False)
class Integrand(ABC):
    """What is integrated over alpha, along the path of each example.

    Attributes:
        f: F, as every method takes it.
        per_row: The target and the further arguments of each example.
    """

    f: Function
    per_row: PerRow

    @property
    @abstractmethod
    def like(self) -> Tensor:
        """A tensor (batch, *features) of the shape, dtype and device of the integrals."""

    @property
    def num_values(self) -> int:
        """Features of `values`."""
        return self.like[0].numel()

    @property
    def size(self) -> int:
        """Numbers in what is kept of a gradient."""
        return self.num_values

    @property
    def closes(self) -> bool:
        """Whether the cells count one by one, so that some can be counted before the others are known."""
        return True

    @abstractmethod
    def points(self, examples: Tensor, alphas: Tensor) -> Tensor:
        """Where f is evaluated at rows of an example and an alpha each: (rows, *features)."""

    @abstractmethod
    def evaluate(self, examples: Tensor, alphas: Tensor) -> Evaluated:
        """F and its gradient at rows (rows,): each has an example and an alpha, both on the CPU."""

    @abstractmethod
    def values(self, cells: Cells, features: Tensor | None) -> Tensor:
        """The integrand at the nodes, (cells, batch, features): at all features, or at those with the given indices."""

    def weights(self, nodes: Tensor, widths: Tensor, is_open: Tensor) -> Tensor:
        """How much each value counts where cells were cut by need, each (cells, batch); its width if it is not open."""
        return widths

    @property
    def judged_by_others(self) -> bool:
        """Whether `values` are of other features than the integral, so that `distance` has to be asked."""
        return False

    def distance(self, cells: Cells, features: Tensor | None, distance: Tensor) -> Tensor:
        """What core.error_estimate.expected_l1_error says of the integral, (batch,), given what it says of `values`."""
        return distance

    def terms(self, found: Evaluated) -> Tensor:
        """How large the terms are whose sum is F in the first row, for an idea of their rounding."""
        return (found.gradients[0] * self.like[0].flatten()).abs().sum()

    def integral(self, cells: Cells) -> Tensor:
        """The weighted sum of the values, (batch, *features)."""
        values = self.values(cells, None)
        values = values.to(accumulator(values))
        total = torch.einsum("nb,nbf->bf", cells.weights.to(values), values)
        return total.view(-1, *self.like.shape[1:])

    def forget(self, example: int) -> None:  # noqa: B027 (most keep nothing)
        """Let go of what is kept for an example that is done."""


@dataclass(frozen=True, eq=False)
class StraightIntegrand(Integrand):
    """The gradient of F at the points of straight paths, times x - x'."""

    path: StraightPath

    @property
    def like(self) -> Tensor:
        return self.path.x

    def points(self, examples: Tensor, alphas: Tensor) -> Tensor:
        return self.path.rows(examples, alphas)[0]

    def evaluate(self, examples: Tensor, alphas: Tensor) -> Evaluated:
        points, velocities = self.path.rows(examples, alphas)
        f, gradients, finite = unchecked_with_gradient(self.f, points, self.per_row[examples])
        gradients = gradients.flatten(1)
        return Evaluated(f, gradients, row_sums(gradients, velocities.flatten(1)), finite)

    def values(self, cells: Cells, features: Tensor | None) -> Tensor:
        velocities = self.path.velocities(cells.examples).flatten(1)
        return stacked(cells.gradients, features) * (velocities if features is None else velocities[:, features])

    def weights(self, nodes: Tensor, widths: Tensor, is_open: Tensor) -> Tensor:
        return parabola_weights(nodes, widths, is_open)

    def integral(self, cells: Cells) -> Tensor:
        """The weighted sum of the gradients, a few nodes at a time, times x - x'."""
        total = weighted_sums(cells.gradients, cells.weights[None], accumulator(self.like))[0]
        return total.mul_(self.path.velocities(cells.examples).flatten(1)).view(-1, *self.like.shape[1:])


@dataclass(frozen=True, eq=False)
class CurvedIntegrand(Integrand):
    """The gradient of F at the points of curved paths, times the displacement over a cell by its width."""

    path: CurvedPath
    end: Tensor  # of the paths, (batch, *features)

    @property
    def like(self) -> Tensor:
        return self.end

    def points(self, examples: Tensor, alphas: Tensor) -> Tensor:
        return self.path.rows(examples, alphas)

    def evaluate(self, examples: Tensor, alphas: Tensor) -> Evaluated:
        points = self.points(examples, alphas)
        f, gradients, finite = unchecked_with_gradient(self.f, points, self.per_row[examples])
        return Evaluated(f, gradients.flatten(1), None, finite)

    def values(self, cells: Cells, features: Tensor | None) -> Tensor:
        starts, ends = cells.starts, (cells.starts + cells.widths).clamp(max=1)
        examples = cells.examples.expand(len(ends), -1).flatten()
        moved = self.path.rows(examples, ends.flatten()) - self.path.rows(examples, starts.flatten())
        moved = moved.flatten(1) if features is None else moved.flatten(1)[:, features]
        velocities = moved.view(*ends.shape, -1) / (ends - starts).to(moved)[..., None]
        return stacked(cells.gradients, features) * velocities


def stacked(gradients: list[list[Tensor]], features: Tensor | None) -> Tensor:
    """The gradients of each cell and example in one tensor, (cells, batch, features)."""
    rows = [row for cell in gradients for row in cell]
    if features is not None:
        rows = [row if len(row) == len(features) else row.index_select(0, features) for row in rows]
    return torch.stack(rows).view(len(gradients), len(gradients[0]), -1)


def weighted_sums(gradients: list[list[Tensor]], weights: Tensor, dtype: torch.dtype) -> Tensor:
    """The sums of the gradients of each example by some weights (sums, cells, batch): (sums, batch, size)."""
    first, batch = gradients[0][0], len(gradients[0])
    numbers = CPU_AT_ONCE if first.device.type == "cpu" else GPU_AT_ONCE
    at_once = max(NODES_AT_ONCE, numbers // (first.numel() * batch))
    by_example = weights.permute(2, 0, 1).to(first.device, dtype)
    total = torch.zeros(batch, len(weights), first.numel(), dtype=dtype, device=first.device)
    for start in range(0, len(gradients), at_once):
        chunk = slice(start, start + at_once)
        values = stacked(gradients[chunk], None).to(dtype)
        total.baddbmm_(by_example[:, :, chunk], values.transpose(0, 1))
    return total.transpose(0, 1)


def row_sums(gradients: Tensor, velocities: Tensor) -> Tensor:
    """The sum over the features of gradient times velocity, row by row: (rows,)."""
    return torch.einsum("rf,rf->r", gradients, velocities)
