"""Lesson 10's solutions and mistakes.

What a tolerance costs, IG in batches that fit, the rows that fit, one process's pictures.
"""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import gradients_on_line

# Solutions


def gradients_spent(estimates: Tensor, counts: Tensor, tolerance: float) -> Tensor:
    """Exercise 10.1: the gradients of all pictures, where each stops once its estimate is within the tolerance."""
    return counts[_last_rounds(estimates, tolerance)].sum().double()


def in_batches(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """Exercise 10.2: IG by the midpoint rule, with so many rows of f at once, at most."""
    return (x - baseline) * torch.cat(_gradients_by_batch(f, x, baseline, steps, rows)).mean(0)


def rows_that_fit(sizes: Tensor, each: int, taken: int, budget: int) -> Tensor:
    """Exercise 10.3: how many rows fit into the budget of memory, at least one."""
    return _rows(int(sizes.sum()) * each, budget - taken)


def my_pictures(is_done: Tensor, rank: int, processes: int) -> Tensor:
    """Exercise 10.4: the indices of the pictures that one process still has to do."""
    mine = torch.arange(rank, len(is_done), processes)
    return mine[~is_done[mine]].double()


# Helpers of the solutions and of the mistakes


def _last_rounds(estimates: Tensor, tolerance: float) -> Tensor:
    """The round after which each picture stops: the first within the tolerance, else the last one."""
    is_within = estimates <= tolerance
    first = is_within.int().argmax(1)
    return torch.where(is_within.any(1), first, estimates.shape[1] - 1)


def _stopping_together(estimates: Tensor, counts: Tensor, tolerance: float) -> Tensor:
    """What is spent if every picture goes on until the mean estimate is within the tolerance."""
    return len(estimates) * counts[_last_rounds(estimates.mean(0, keepdim=True), tolerance)[0]]


def _gradients_by_batch(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> list[Tensor]:
    """The gradients at the midpoints, batch by batch."""
    midpoints = (torch.arange(steps).double() + 0.5) / steps
    return [gradients_on_line(f, x, baseline, alphas) for alphas in midpoints.split(rows)]


def _without_last_batch(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """IG without the steps of a last, smaller batch."""
    *full, _ = _gradients_by_batch(f, x, baseline, steps, rows)
    return (x - baseline) * torch.cat(full).sum(0) / steps


def _mean_of_means(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """IG as if all batches had the same size."""
    means = [batch.mean(0) for batch in _gradients_by_batch(f, x, baseline, steps, rows)]
    return (x - baseline) * torch.stack(means).mean(0)


def _at_left_ends(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """IG with each gradient at the beginning of its step."""
    alphas = torch.arange(steps).double() / steps
    return (x - baseline) * torch.cat([gradients_on_line(f, x, baseline, some) for some in alphas.split(rows)]).mean(0)


def _from_the_baseline_again(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """IG as if every batch were at the places of the first."""
    first, *others = _gradients_by_batch(f, x, baseline, steps, rows)
    batches = [first, *(first[: len(batch)] for batch in others)]
    return (x - baseline) * torch.cat(batches).mean(0)


def _rows(bytes_of_a_row: int, bytes_left: int) -> Tensor:
    return torch.tensor(max(1, bytes_left // bytes_of_a_row)).double()


def _in_blocks(is_done: Tensor, rank: int, processes: int) -> Tensor:
    """The pictures of a process if the list is cut into blocks, one for each process."""
    block = torch.arange(len(is_done)).tensor_split(processes)[rank]
    return block[~is_done[block]]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["10.1"],
        solution=gradients_spent,
        mistakes=[
            Mistake(
                "All of your pictures go on until the hardest one is done. Each stops on its own.",
                lambda e, counts, tolerance: len(e) * counts[_last_rounds(e, tolerance).max()],
            ),
            Mistake(
                "Your pictures stop together, when their mean estimate is within the tolerance. Each stops on its own.",
                _stopping_together,
            ),
            Mistake(
                "A picture that never gets there is not free. What has it spent by the last round?",
                lambda e, counts, tolerance: counts[_last_rounds(e, tolerance)[(e <= tolerance).any(1)]].sum(),
            ),
            Mistake(
                "You let a picture go on after it was within the tolerance, because its estimate rose again later. By "
                "then it had stopped.",
                lambda e, counts, tolerance: counts[(e > tolerance).sum(1).clamp(max=len(counts) - 1)].sum(),
            ),
            Mistake(
                "You stop only below the tolerance. An estimate equal to it is within it.",
                lambda e, counts, tolerance: gradients_spent(e, counts, tolerance * (1 - 1e-9)),
            ),
            Mistake(
                "You stop one round too late: a round's estimate is known as soon as its gradients are spent.",
                lambda e, counts, tolerance: counts[(_last_rounds(e, tolerance) + 1).clamp(max=len(counts) - 1)].sum(),
            ),
            Mistake(
                "That is the number of rounds. What is asked for is gradients.",
                lambda e, counts, tolerance: (_last_rounds(e, tolerance) + 1).sum(),
            ),
            Mistake(
                "That is the mean per picture. What do all of them cost together?",
                lambda e, counts, tolerance: gradients_spent(e, counts, tolerance) / len(e),
            ),
        ],
    ),
    Exercise(
        task=TASKS["10.2"],
        solution=in_batches,
        mistakes=[
            Mistake("The last batch is smaller than the others, and you left it out.", _without_last_batch),
            Mistake(
                "You kept only the last batch. Add each one to a running sum.",
                lambda f, x, b, n, rows: (x - b) * _gradients_by_batch(f, x, b, n, rows)[-1].sum(0) / n,
            ),
            Mistake(
                "You averaged the means of the batches, but not all are equally large. Every step has the same weight.",
                _mean_of_means,
            ),
            Mistake(
                "That is the sum of the gradients. Each step is 1 / steps of the path.",
                lambda f, x, b, n, rows: n * in_batches(f, x, b, n, rows),
            ),
            Mistake(
                "That is the average gradient. How far did each feature go?",
                lambda f, x, b, n, rows: in_batches(f, x, b, n, rows) / (x - b),
            ),
            Mistake(
                "Close. Your alphas lie where the steps begin; put them in the middle: (k + 1/2) / steps.",
                _at_left_ends,
            ),
            Mistake(
                "Each of your batches begins at the baseline again. Where did the one before it end?",
                _from_the_baseline_again,
            ),
        ],
    ),
    Exercise(
        task=TASKS["10.3"],
        solution=rows_that_fit,
        mistakes=[
            Mistake(
                "You forgot what is already taken before the first row.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes, each, 0, budget),
            ),
            Mistake(
                "You counted numbers. Each takes some bytes.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes, 1, taken, budget),
            ),
            Mistake(
                "You counted only the largest layer. All of them are kept until the backward pass.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes.max(), each, taken, budget),
            ),
            Mistake(
                "You counted only the first layer. All of them are kept until the backward pass.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes[0], each, taken, budget),
            ),
            Mistake(
                "You counted only the last layer. All of them are kept until the backward pass.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes[-1], each, taken, budget),
            ),
            Mistake(
                "You rounded up. The last row would not fit.",
                lambda sizes, each, taken, budget: torch.tensor(
                    max(1, -(-(budget - taken) // (int(sizes.sum()) * each)))
                ).double(),
            ),
            Mistake(
                "That is one row too many.",
                lambda sizes, each, taken, budget: torch.tensor(
                    max(1, 1 + (budget - taken) // (int(sizes.sum()) * each))
                ).double(),
            ),
            Mistake(
                "You say that none fits. Try one row all the same; with none there is no answer.",
                lambda sizes, each, taken, budget: torch.tensor((budget - taken) // (int(sizes.sum()) * each)).double(),
            ),
            Mistake(
                "A fraction of a row cannot be evaluated: round down.",
                lambda sizes, each, taken, budget: torch.tensor(
                    max(1.0, (budget - taken) / (int(sizes.sum()) * each))
                ).double(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["10.4"],
        solution=my_pictures,
        mistakes=[
            Mistake(
                "That is all that is left: every process would do all the work.",
                lambda is_done, rank, processes: (~is_done).nonzero()[:, 0],
            ),
            Mistake(
                "You redo what is already done.",
                lambda is_done, rank, processes: torch.arange(rank, len(is_done), processes),
            ),
            Mistake(
                "Those are done already. Which are left?",
                lambda is_done, rank, processes: my_pictures(~is_done, rank, processes),
            ),
            Mistake(
                "You dealt out what is left. While other processes work, that list gets shorter, and two processes "
                "that read it at different moments deal it differently. Deal out all pictures, then leave out those "
                "of yours that are done.",
                lambda is_done, rank, processes: (~is_done).nonzero()[rank::processes, 0],
            ),
            Mistake(
                "Every process would begin at picture 0. Begin at your rank.",
                lambda is_done, rank, processes: my_pictures(is_done, 0, processes),
            ),
            Mistake(
                "Ranks count from 0. You begin one too late, and picture 0 belongs to nobody.",
                lambda is_done, rank, processes: my_pictures(is_done, rank + 1, processes),
            ),
            Mistake(
                "You cut the list into blocks. The docstring deals pictures out one by one: rank, rank + processes.",
                _in_blocks,
            ),
        ],
    ),
]
