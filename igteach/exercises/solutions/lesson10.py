"""Lesson 10's solutions and mistakes.

What a tolerance costs, IG in batches that fit, the rows that fit, when a run is done.
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


def finishing_time(gradients: Tensor, is_done: Tensor, speeds: Tensor) -> Tensor:
    """Exercise 10.5: the seconds until the last process has done its pictures."""
    return (_dealt_out(gradients * ~is_done, len(speeds)) / speeds).max()


# Helpers of the solutions and of the mistakes


def _last_rounds(estimates: Tensor, tolerance: float) -> Tensor:
    """The round after which each picture stops: the first within the tolerance, else the last one."""
    is_within = estimates <= tolerance
    first = is_within.int().argmax(1)
    return torch.where(is_within.any(1), first, estimates.shape[1] - 1)


def _rounds_above(estimates: Tensor, tolerance: float) -> Tensor:
    """How many rounds each picture has before the first within the tolerance."""
    return (estimates > tolerance).int().cumprod(1).sum(1)


def _rounds_before(estimates: Tensor, tolerance: float) -> Tensor:
    """The round before the one after which each picture stops; -1 if that is the first."""
    return _last_rounds(estimates, tolerance) - 1


def _last_rounds_within(estimates: Tensor, tolerance: float) -> Tensor:
    """The last round within the tolerance of each picture; if there is none, the last of all."""
    return estimates.shape[1] - 1 - (estimates <= tolerance).flip(1).int().argmax(1)


def _stopping_together(estimates: Tensor, counts: Tensor, tolerance: float) -> Tensor:
    """What is spent if every picture goes on until the mean estimate is within the tolerance."""
    return len(estimates) * counts[_last_rounds(estimates.mean(0, keepdim=True), tolerance)[0]]


def _gradients_by_batch(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> list[Tensor]:
    """The gradients at the midpoints, batch by batch."""
    return [gradients_on_line(f, x, baseline, alphas) for alphas in _midpoints(steps).split(rows)]


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
    return _at_shares_of_the_way(f, x, baseline, torch.arange(steps).double() / steps, rows)


def _from_the_baseline_again(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """IG as if every batch were at the places of the first."""
    first, *others = _gradients_by_batch(f, x, baseline, steps, rows)
    batches = [first, *(first[: len(batch)] for batch in others)]
    return (x - baseline) * torch.cat(batches).mean(0)


def _at_shares_of_the_way(
    f: Function, x: Tensor, start: Tensor, alphas: Tensor, rows: int, displacement: Tensor | None = None
) -> Tensor:
    """IG by the mean gradient at some alphas of the path from a start; the displacement is x - start if not given."""
    slopes = torch.cat([gradients_on_line(f, x, start, some) for some in alphas.split(rows)]).mean(0)
    return (x - start if displacement is None else displacement) * slopes


def _each_batch_the_whole_path(f: Function, x: Tensor, baseline: Tensor, steps: int, rows: int) -> Tensor:
    """IG as if every batch had midpoints of its own, from the baseline to x."""
    sizes = [min(rows, steps - first) for first in range(0, steps, rows)]
    alphas = torch.cat([(torch.arange(size).double() + 0.5) / size for size in sizes])
    return _at_shares_of_the_way(f, x, baseline, alphas, rows)


def _midpoints(steps: int) -> Tensor:
    return (torch.arange(steps).double() + 0.5) / steps


def _rows(bytes_of_a_row: int, bytes_left: int) -> Tensor:
    return torch.tensor(max(1, bytes_left // bytes_of_a_row)).double()


def _dealt_out(work: Tensor, processes: int) -> Tensor:
    """(processes,), the work of each if pictures are dealt out one by one."""
    return torch.stack([work[rank::processes].sum() for rank in range(processes)]).double()


def _largest_of_each(work: Tensor, processes: int) -> Tensor:
    """(processes,), the largest picture of each if they are dealt out one by one."""
    return torch.stack([work[rank::processes].max() for rank in range(processes)]).double()


def _in_blocks(work: Tensor, processes: int) -> Tensor:
    """(processes,), the work of each if the list is cut into blocks, one for each process."""
    return torch.stack([block.sum() for block in work.tensor_split(processes)]).double()


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
            Mistake(
                "That is what each picture took. Add them up: one number is wanted.",
                lambda e, counts, tolerance: counts[_last_rounds(e, tolerance)].double(),
            ),
            Mistake(
                "You stop one round too early: the round whose estimate is within the tolerance was spent, too.",
                lambda e, counts, tolerance: torch.cat([0 * counts[:1], counts])[_rounds_above(e, tolerance)].sum(),
            ),
            Mistake(
                "You added up the counts of several rounds. Each count holds the rounds before it already.",
                lambda e, counts, tolerance: counts.cumsum(0)[_last_rounds(e, tolerance)].sum(),
            ),
            Mistake(
                "You counted every round that is within the tolerance. A picture stops after the first of them.",
                lambda e, counts, tolerance: ((e <= tolerance) * counts).sum(),
            ),
            Mistake(
                "You added up the counts of all rounds above the tolerance. Each count holds the rounds before it "
                "already.",
                lambda e, counts, tolerance: ((e > tolerance) * counts).sum(),
            ),
            Mistake(
                "You took the last round within the tolerance. A picture stops after the first.",
                lambda e, counts, tolerance: counts[_last_rounds_within(e, tolerance)].sum(),
            ),
            Mistake(
                "You took the round with the smallest estimate. A picture stops after the first round that is within "
                "the tolerance.",
                lambda e, counts, tolerance: counts[e.argmin(1)].sum(),
            ),
            Mistake(
                "You took the round before. A picture stops after the first round within the tolerance, or after the "
                "last of all: that round is spent, too.",
                lambda e, counts, tolerance: counts[_rounds_before(e, tolerance).clamp(min=0)].sum(),
            ),
            Mistake(
                "You took the round before, and for the first round that is index -1, the last. A picture stops after "
                "the first round within the tolerance.",
                lambda e, counts, tolerance: counts[_rounds_before(e, tolerance)].sum(),
            ),
            Mistake(
                "A picture that is never within the tolerance counts as done after its first round in yours. It runs "
                "to the last.",
                lambda e, counts, tolerance: counts[(e <= tolerance).int().argmax(1)].sum(),
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
            Mistake(
                "Each of your batches goes along the whole path. Make the midpoints once, for all the steps, then "
                "split them.",
                _each_batch_the_whole_path,
            ),
            Mistake(
                "Your alphas run from 0 to 1, both ends included. The midpoint rule takes the middle of each step.",
                lambda f, x, b, n, rows: _at_shares_of_the_way(f, x, b, torch.linspace(0, 1, n).double(), rows),
            ),
            Mistake(
                "You multiplied by x. The path begins at the baseline: multiply by x - x'.",
                lambda f, x, b, n, rows: _at_shares_of_the_way(f, x, b, _midpoints(n), rows, x),
            ),
            Mistake(
                "Your points are alpha times (x - x'), so they begin at zero. Add the baseline.",
                lambda f, x, b, n, rows: _at_shares_of_the_way(f, x - b, 0 * b, _midpoints(n), rows, x - b),
            ),
            Mistake(
                "You divided by the rows of a batch. The mean is over all the steps.",
                lambda f, x, b, n, rows: n / rows * in_batches(f, x, b, n, rows),
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
            Mistake(
                "You rounded to the nearest whole number. A row that fits in part does not fit: round down.",
                lambda sizes, each, taken, budget: torch.tensor(
                    max(1, round((budget - taken) / (int(sizes.sum()) * each)))
                ).double(),
            ),
            Mistake(
                "You took the mean of the layers. All of them are kept at once: add them up.",
                lambda sizes, each, taken, budget: torch.tensor(
                    max(1, int((budget - taken) // (sizes.double().mean() * each)))
                ).double(),
            ),
            Mistake(
                "You took four bytes for a number, as in the text. The bytes are given: each.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes, 4, taken, budget),
            ),
            Mistake(
                "What is already taken is no longer free: subtract it from the budget. You added it.",
                lambda sizes, each, taken, budget: rows_that_fit(sizes, each, -taken, budget),
            ),
            Mistake(
                "You counted what is already taken once for each row. It is taken once.",
                lambda sizes, each, taken, budget: _rows(int(sizes.sum()) * each + taken, budget),
            ),
            Mistake(
                "You counted the layers. How many numbers does a row keep in them?",
                lambda sizes, each, taken, budget: _rows(len(sizes) * each, budget - taken),
            ),
            Mistake(
                "You subtracted taken from a number of rows. It is in bytes: subtract before you divide.",
                lambda sizes, each, taken, budget: torch.tensor(budget // (int(sizes.sum()) * each) - taken).double(),
            ),
            Mistake(
                "You say one row every time, and more would fit. Do you divide by too much, or the wrong way round, or "
                "subtract taken, which is in bytes, after you divide?",
                lambda sizes, each, taken, budget: torch.ones(()),
            ),
        ],
    ),
    Exercise(
        task=TASKS["10.5"],
        solution=finishing_time,
        mistakes=[
            Mistake(
                "You counted pictures that are done. They cost nothing more.",
                lambda gradients, done, speeds: finishing_time(gradients, done & False, speeds),
            ),
            Mistake(
                "Those are the pictures that are done. How much is left?",
                lambda gradients, done, speeds: finishing_time(gradients, ~done, speeds),
            ),
            Mistake(
                "You dealt out what is left. Pictures are dealt out by their number, done or not.",
                lambda gradients, done, speeds: (_dealt_out(gradients[~done], len(speeds)) / speeds).max(),
            ),
            Mistake(
                "You cut the list into blocks. Pictures are dealt out one by one: rank, rank + processes.",
                lambda gradients, done, speeds: (_in_blocks(gradients * ~done, len(speeds)) / speeds).max(),
            ),
            Mistake(
                "You let the processes share the work until all is done. Each has its own pictures, and one that is "
                "done waits for the others.",
                lambda gradients, done, speeds: (gradients * ~done).sum() / speeds.sum(),
            ),
            Mistake(
                "That is when the first process is done. The run is done with the last.",
                lambda gradients, done, speeds: (_dealt_out(gradients * ~done, len(speeds)) / speeds).min(),
            ),
            Mistake(
                "That is when the last in the list of processes is done. Another may take longer.",
                lambda gradients, done, speeds: (_dealt_out(gradients * ~done, len(speeds)) / speeds)[-1],
            ),
            Mistake(
                "You averaged over the processes. The run is done when the last of them is.",
                lambda gradients, done, speeds: (_dealt_out(gradients * ~done, len(speeds)) / speeds).mean(),
            ),
            Mistake(
                "You added up the seconds of the processes. They work at the same time.",
                lambda gradients, done, speeds: (_dealt_out(gradients * ~done, len(speeds)) / speeds).sum(),
            ),
            Mistake(
                "You took the process with the most gradients. A fast one may do more in less time: compare seconds.",
                lambda gradients, done, speeds: (
                    _dealt_out(gradients * ~done, len(speeds)).max()
                    / speeds[_dealt_out(gradients * ~done, len(speeds)).argmax()]
                ),
            ),
            Mistake(
                "You took the slowest process. One that is faster may have more to do, and be done later.",
                lambda gradients, done, speeds: (
                    _dealt_out(gradients * ~done, len(speeds))[speeds.argmin()] / speeds.min()
                ),
            ),
            Mistake(
                "That is gradients, not seconds. How many does each process take in a second?",
                lambda gradients, done, speeds: _dealt_out(gradients * ~done, len(speeds)).max(),
            ),
            Mistake(
                "You counted pictures. One may take ten times the gradients of another.",
                lambda gradients, done, speeds: finishing_time(torch.ones_like(gradients), done, speeds),
            ),
            Mistake(
                "You multiplied by the speeds: seconds are gradients over gradients per second.",
                lambda gradients, done, speeds: (_dealt_out(gradients * ~done, len(speeds)) * speeds).max(),
            ),
            Mistake(
                "That is the number of the process that is done last. After how many seconds is it done?",
                lambda gradients, done, speeds: (_dealt_out(gradients * ~done, len(speeds)) / speeds).argmax().double(),
            ),
            Mistake(
                "You took the largest picture of each process. It has to do all of its pictures.",
                lambda gradients, done, speeds: (_largest_of_each(gradients * ~done, len(speeds)) / speeds).max(),
            ),
            Mistake(
                "That is the largest picture at the slowest speed. Each process has pictures and a speed of its own.",
                lambda gradients, done, speeds: (gradients * ~done).max() / speeds.min(),
            ),
            Mistake(
                "You gave all that is left to the slowest process. Each has its own pictures.",
                lambda gradients, done, speeds: (gradients * ~done).sum() / speeds.min(),
            ),
            Mistake(
                "You have the seconds of each process. When is the whole run done? One number is wanted.",
                lambda gradients, done, speeds: _dealt_out(gradients * ~done, len(speeds)) / speeds,
            ),
        ],
    ),
]
