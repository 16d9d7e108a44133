"""The integral of gradient times velocity along a path: refined where it is wrong, or by a fixed rule.

[0, 1] is cut into a few cells for each example, with a node in the middle of each. A cell whose integrand differs most
from its neighbours' is cut in three; the middle keeps its node, so that no gradient is thrown away. That goes on until
the error estimate is below the tolerance or the gradients allowed are spent. A fixed rule is the same without cutting.
Rows of all examples fill the batches together, and the device is waited for once a round.

F at x' and x comes from passes without gradients, which cost less. One node rides along there: F must be the same again
among the other nodes, or the rows of f depend on one another, or on chance. So f is asked for the gradients at all
nodes, for two ends an example, and for one row more.

Memory: gradients of cells that may still be cut are kept, up to `room_for` of them. Beyond that the cells that need a
cut least are closed: counted, and forgotten but for a sample by which the error is judged.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.error_estimate import (
    FEWEST_NODES,
    MARGIN,
    MARGIN_OF_A_STOP,
    MARGIN_UNCUT,
    expected_l1_error,
    with_error,
)
from igteach.core.evaluation import check_finite, forward_at_ends
from igteach.core.integrands import Cells, Evaluated, Integrand
from igteach.core.partition import FIRST_CELLS, Numbers, Partition
from igteach.core.quadrature import nodes_and_weights
from igteach.core.validation import check_count

FEATURES_JUDGED = 4096  # a fixed draw of so many features decides where an example is cut, and when it is done
BYTES_KEPT_ON_CPU = 2**29
SHARE_KEPT = 0.25  # of the free memory of another device
FEWEST_KEPT = 27  # gradients, however large they are
BATCHES_ADMITTED = 16  # of first rows: what is under way together is judged in a few large steps
MAX_EVALUATIONS = 1024


@dataclass(frozen=True)
class Goal:
    """What an integral has to reach.

    Attributes:
        tolerance: The error estimate to go below.
        max_evaluations: Gradients for an example, at most.
        steps: Gradients for an example by a fixed rule, instead; None is by need.
        rule: One of `core.quadrature.RULES`, with steps; None is the midpoint rule.
        batch_size: Rows of F at once, at most.
        progress: Whether to show a bar.
    """

    tolerance: float
    max_evaluations: int
    steps: int | None
    rule: str | None
    batch_size: int
    progress: bool = False

    def check(self) -> None:
        """Raises ValueError if a number is out of range, or rule comes without steps."""
        if self.steps is None and self.rule is not None:
            raise ValueError(f"rule is {self.rule!r}, but steps is None; pass steps=64, or leave rule out")
        if self.steps is not None:
            nodes_and_weights(self.rule or "midpoint", self.steps)
            return
        if not self.tolerance > 0:
            raise ValueError(f"tolerance is {self.tolerance}; pass a number above 0: 0.02 is 2% of the values' L1 norm")
        check_count("max_evaluations", self.max_evaluations, FEWEST_NODES)  # fewer give no error estimate

    def first_cells(self) -> tuple[Numbers, Numbers]:
        """The nodes and the widths of the cells to begin with."""
        if self.steps is not None:
            nodes, widths = nodes_and_weights(self.rule or "midpoint", self.steps)
        else:
            nodes, widths = nodes_and_weights("midpoint", min(FIRST_CELLS, self.max_evaluations))
        return nodes.numpy(), widths.numpy()


def integrate(integrand: Integrand, start: Tensor, end: Tensor, goal: Goal) -> Attribution:
    """The integrals of a batch of examples, as an answer with its error estimate and F along the path.

    Args:
        integrand: What is integrated.
        start: x' of each path, (batch, *features of f).
        end: x of each path, in the same shape.
        goal: When to stop.

    Raises:
        ValueError: F or its gradient is not finite, or the rows of f depend on one another or on chance.
    """
    goal.check()
    first_node = torch.from_numpy(goal.first_cells()[0][:1])
    beside = integrand.points(torch.zeros(1, dtype=torch.long, device="cpu"), first_node)
    f_start, f_end, f_beside = forward_at_ends(integrand.f, (start, end), integrand.per_row, goal.batch_size, beside)
    work = _Work(integrand, goal, torch.stack([f_start, f_end], 1).cpu().double().numpy(), float(f_beside))
    with _bar(goal.steps and goal.steps * len(end), goal.progress) as advance:
        while work.waiting or work.active:
            work.admit()
            work.evaluate(advance)
            work.settle()
    partitions = [work.done[example] for example in range(len(end))]
    distances = torch.stack([work.distances[example] for example in range(len(end))]) if work.distances else None
    evaluations = goal.steps or torch.tensor([len(each) for each in partitions], device=end.device)
    path_values = tuple(torch.from_numpy(each.path_values()) for each in partitions)
    answer = with_error(Attribution(work.values, f_end, f_start, evaluations, path_values=path_values), distances)
    if goal.steps is not None or answer.error_estimate is None:
        return answer
    return replace(answer, converged=answer.error_estimate <= goal.tolerance)


class _Work:
    """A batch of examples: those that wait, those under way, and those that are done."""

    def __init__(self, integrand: Integrand, goal: Goal, ends: Numbers, f_beside: float):
        self.integrand, self.goal, self.ends, self.f_beside = integrand, goal, ends, f_beside
        like, count = integrand.like, integrand.num_values
        self.features = features_judged(count).to(like.device) if count > FEATURES_JUDGED else None
        self.room = room_for(integrand.size * like.element_size(), like.device)
        self.first = goal.first_cells()
        self.waiting, self.active = deque(range(len(like))), list[Partition]()
        self.values = torch.empty_like(like)
        self.distances, self.done = dict[int, Tensor](), dict[int, Partition]()
        self.rows_are_checked = False

    def admit(self) -> None:
        """Take examples in until their first rows fill BATCHES_ADMITTED batches, or memory has no room for more."""
        each = len(self.first[0])
        rows = sum(len(partition.missing) for partition in self.active)
        kept = sum(max(partition.kept, FEWEST_KEPT) for partition in self.active)
        while self.waiting:
            full = rows + each > BATCHES_ADMITTED * self.goal.batch_size or kept + max(each, FEWEST_KEPT) > self.room
            if self.active and full:
                return
            example = self.waiting.popleft()
            self.active.append(Partition(example, *self.first, *self.ends[example].tolist()))
            rows, kept = rows + each, kept + max(each, FEWEST_KEPT)

    def evaluate(self, advance: Callable[[int], object]) -> None:
        """Find F and its gradient at all nodes where they are missing; say after each batch how many these were."""
        rows = [(partition, cell) for partition in self.active for cell in partition.missing]
        found = list[Evaluated]()
        for batch in in_batches(rows, self.goal.batch_size):
            examples = torch.tensor([partition.example for partition, _ in batch], device="cpu")
            alphas = torch.tensor(
                [partition.nodes[cell] for partition, cell in batch], dtype=torch.float64, device="cpu"
            )
            found.append(self.integrand.evaluate(examples, alphas))
            for (partition, cell), gradient in zip(batch, found[-1].gradients, strict=True):
                partition.gradients[cell] = gradient
            self.make_room()
            advance(len(batch))
        f, slopes = heard(found)
        if not self.rows_are_checked:
            self.check_same_row(f[0], found[0])
            self.rows_are_checked = True
        for (partition, cell), value, slope in zip(rows, f, slopes, strict=True):
            partition.f[cell], partition.slopes[cell] = value, slope

    def check_same_row(self, f: float, found: Evaluated) -> None:
        """Raises ValueError unless F at the first node is the same, up to rounding, as it was beside x' and x."""
        slack = min(0.1, 1000 * torch.finfo(found.f.dtype).eps)
        apart, largest = abs(f - self.f_beside), max(abs(f), abs(self.f_beside))
        # If large terms cancel in F, their rounding is large beside F: compare with the terms.
        if apart > slack * largest and apart > slack * float(self.integrand.terms(found)):
            raise ValueError(
                f"f gives {self.f_beside:.6g} for a row beside two others and {f:.6g} for it in another batch; "
                "f must treat each row independently and be deterministic"
            )

    def make_room(self) -> None:
        """Close the cells that need a cut least, while more gradients are kept than there is room for."""
        excess = sum(partition.kept - len(partition.missing) for partition in self.active) - self.room
        if excess <= 0 or self.features is None or not self.integrand.closes:
            return
        for partition in sorted(self.active, key=lambda each: -each.kept):
            chosen = partition.least_needed(excess + self.goal.batch_size)
            if chosen:
                widths = torch.from_numpy(partition.widths)[:, None]
                some = cells_of([partition], widths).part(chosen, [0])
                partition.close(chosen, self.integrand.integral(some)[0], self.features)
            excess -= len(chosen)
            if excess <= 0:
                return

    def settle(self) -> None:
        """Judge the examples under way: finish some, and cut the cells of the others."""
        unsettled = list[Partition]()
        for _, group in groupby(sorted(self.active, key=len), key=len):
            unsettled += self.judge(list(group))
        self.active = sorted(unsettled, key=lambda partition: partition.example)
        for partition in self.active:
            partition.cut(self.to_cut(partition))

    def judge(self, partitions: list[Partition]) -> list[Partition]:
        """Finish those of some partitions, with as many cells each, that are done; the others."""
        cells = cells_of(partitions, self.weights(partitions))
        if len(cells.nodes) < FEWEST_NODES:
            return self.finish(partitions, cells, None)
        values = self.integrand.values(cells, self.features)
        expected = self.margin(cells) * expected_l1_error(values, cells.nodes, cells.widths, cells.weights)
        sizes = torch.einsum("nb,nbf->bf", cells.weights.to(values), values).abs().sum(1)
        relative = expected / sizes.clamp_min(torch.finfo(sizes.dtype).tiny)
        if self.goal.steps is not None:
            return self.finish(partitions, cells, relative)
        heard = torch.cat([expected[None], sizes[None], values.diff(dim=0).abs().sum(2)]).cpu().double()
        heard *= self.integrand.num_values / values.shape[2]
        for partition, column, (error, size, *apart) in zip(partitions, cells.weights.T, heard.T.numpy(), strict=True):
            partition.judge(np.array(apart))
            partition.estimate(error, size, column.numpy())
        ended = [i for i, partition in enumerate(partitions) if self.has_ended(partition)]
        others = [partition for i, partition in enumerate(partitions) if i not in ended]
        if ended:
            chosen = [partitions[i] for i in ended]
            others += self.finish(chosen, cells.part(range(len(cells.nodes)), ended), relative[ended])
        return others

    def margin(self, cells: Cells) -> float:
        """What the error to expect is multiplied by."""
        if self.goal.steps is not None:
            return MARGIN
        return MARGIN_UNCUT if len(cells.nodes) == len(self.first[0]) else MARGIN_OF_A_STOP

    def has_ended(self, partition: Partition) -> bool:
        """Whether an example is below the tolerance, or cannot be cut any more."""
        return partition.error <= self.goal.tolerance or not self.may_cut(partition)

    def may_cut(self, partition: Partition) -> bool:
        """Whether there are gradients left to spend on an example, and a cell to spend them on."""
        return bool(self.to_cut(partition))

    def to_cut(self, partition: Partition) -> list[int]:
        """The cells of an example that are cut next, within its gradients."""
        return partition.to_cut((self.goal.max_evaluations - len(partition)) // 2)

    def weights(self, partitions: list[Partition]) -> Tensor:
        """How much each node counts, (cells, partitions)."""
        nodes, widths, is_closed = (
            torch.from_numpy(np.stack([getattr(partition, name) for partition in partitions], 1))
            for name in ("nodes", "widths", "is_closed")
        )
        return widths if self.goal.steps is not None else self.integrand.weights(nodes, widths, ~is_closed)

    def finish(self, partitions: list[Partition], cells: Cells, relative: Tensor | None) -> list[Partition]:
        """Keep the integrals of some examples; those are left that turn out to be above the tolerance after all."""
        totals = self.integrals(partitions, cells)
        sizes = totals.flatten(1).abs().sum(1).clamp_min(torch.finfo(totals.dtype).tiny)
        distances = None if relative is None else relative * sizes
        if distances is not None and not any(partition.counted is not None for partition in partitions):
            margin = self.margin(cells)
            distances = margin * self.integrand.distance(cells, self.features, distances / margin)
        left = list[Partition]()
        for i, partition in enumerate(partitions):
            if distances is not None:
                if self.is_above(partition, float(distances[i] / sizes[i])):
                    left.append(partition)
                    continue
                self.distances[partition.example] = distances[i]
            self.values[partition.example] = totals[i]
            self.done[partition.example] = partition.finished()
            self.integrand.forget(partition.example)
        return left

    def is_above(self, partition: Partition, relative: float) -> bool:
        """Whether an example that was taken to be below the tolerance is above it, and can be cut further."""
        if self.goal.steps is not None or not self.integrand.judged_by_others or partition.counted is not None:
            return False
        partition.scale *= relative / partition.error if partition.error > 0 else 1
        return relative > self.goal.tolerance and self.may_cut(partition)

    def integrals(self, partitions: list[Partition], cells: Cells) -> Tensor:
        """The integrals of some examples, (partitions, *features)."""
        if all(partition.counted is None for partition in partitions):
            return self.integrand.integral(cells)
        totals = []
        for i, partition in enumerate(partitions):
            is_open = np.flatnonzero(~partition.is_closed).tolist()
            parts = [self.integrand.integral(cells.part(is_open, [i]))[0]] if is_open else []
            totals.append(torch.stack(parts if partition.counted is None else [*parts, partition.counted]).sum(0))
        return torch.stack(totals)


def cells_of(partitions: list[Partition], weights: Tensor) -> Cells:
    """The cells of partitions with as many each."""
    nodes, widths = (
        torch.from_numpy(np.stack([getattr(partition, name) for partition in partitions], 1))
        for name in ("nodes", "widths")
    )
    gradients = list(map(list, zip(*(partition.gradients for partition in partitions), strict=True)))
    examples = torch.tensor([partition.example for partition in partitions], device="cpu")
    return Cells(examples, nodes, widths.cumsum(0) - widths, widths, weights, gradients)


@cache
def features_judged(size: int) -> Tensor:
    """The same FEATURES_JUDGED of `size` features on every machine, in order."""
    return (
        torch.randperm(size, generator=torch.Generator().manual_seed(0), device="cpu")[:FEATURES_JUDGED].sort().values
    )


def room_for(num_bytes: int, device: torch.device) -> int:
    """How many gradients of so many bytes are kept at once."""
    most = BYTES_KEPT_ON_CPU
    if device.type == "cuda":
        most = int(SHARE_KEPT * torch.cuda.mem_get_info(device)[0])
    return max(FEWEST_KEPT, most // num_bytes)


def in_batches(rows: list[tuple[Partition, int]], batch_size: int) -> Iterator[list[tuple[Partition, int]]]:
    """The rows in as few batches as there can be, of about the same size."""
    count = -(-len(rows) // batch_size)
    for i in range(count):
        yield rows[len(rows) * i // count : len(rows) * (i + 1) // count]


def heard(found: list[Evaluated]) -> tuple[list[float], list[float]]:
    """F and its slopes at the rows, once the device has found them; NaN for slopes that are not known.

    Raises:
        ValueError: F or its gradient is not finite.
    """
    f = torch.cat([each.f for each in found])
    finite = torch.stack([each.finite for each in found]).all(0).to(f)
    slopes = torch.cat([torch.full_like(each.f, torch.nan) if each.slopes is None else each.slopes for each in found])
    answer = torch.cat([finite, f, slopes.to(f)]).cpu().double().tolist()
    check_finite(torch.tensor(answer[:2], device="cpu") > 0)
    return answer[2 : 2 + len(f)], answer[2 + len(f) :]


@contextmanager
def _bar(total: int | None, shown: bool) -> Iterator[Callable[[int], object]]:
    if not shown:
        yield lambda finished: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm") from None
    with tqdm(total=total, desc="integrated gradients", unit=" gradients") as bar:
        yield bar.update
