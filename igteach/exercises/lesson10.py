"""Lesson 10's checker: a sum in pieces, the bytes of a batch, the rows that fit, one process's part of the work."""

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Exercise, Mistake

# Solutions


def in_pieces(slopes: Tensor, weights: Tensor, rows: int) -> Tensor:
    """Exercise 10.1: the weighted sum of slopes, which may be added up piece by piece."""
    return weights @ slopes


def bytes_kept(sizes: Tensor, rows: int, each: int) -> Tensor:
    """Exercise 10.2: the bytes that a batch keeps in its layers for the backward pass."""
    return sizes.double().sum() * rows * each


def rows_that_fit(budget: int, fixed: int, each: int) -> Tensor:
    """Exercise 10.3: how many rows fit into the budget of memory, at least one."""
    return torch.tensor(max(1, (budget - fixed) // each)).double()


def my_part(count: int, rank: int, processes: int) -> Tensor:
    """Exercise 10.4: the indices of the pictures that one process works on."""
    return torch.arange(rank, count, processes).double()


# Cases that an answer is checked on


def _in_pieces_cases(rng: torch.Generator) -> list[Case]:
    """Slopes and weights of steps, and how many rows to evaluate at once."""
    cases = []
    for steps, rows in ((7, 3), (10, 4), (9, 5)):
        weights = torch.rand(steps, generator=rng)
        slopes = torch.randn(steps, 3, generator=rng)
        cases.append(Case(f"{steps} steps, {rows} at once", (slopes, weights, rows)))
    return cases


def _bytes_kept_cases(rng: torch.Generator) -> list[Case]:
    """The sizes of layers, the rows of a batch, and the bytes of a number."""
    cases = []
    for layers, each in ((3, 4), (5, 2), (4, 8)):
        sizes = torch.randint(1, 10, (layers,), generator=rng)
        rows = int(torch.randint(2, 6, (1,), generator=rng))
        cases.append(Case(f"{layers} layers, {rows} rows, {each} bytes a number", (sizes, rows, each)))
    return cases


def _rows_that_fit_cases(rng: torch.Generator) -> list[Case]:
    """A budget, the bytes that are taken already, and the bytes of a row."""
    cases = []
    for fraction_left in (0.3, 0.7):
        fixed = int(1000 * (1 + torch.rand(1, generator=rng)))
        each = int(1000 * (1 + torch.rand(1, generator=rng)))
        rows = int(torch.randint(3, 9, (1,), generator=rng))
        budget = fixed + int((rows + fraction_left) * each)
        cases.append(Case(f"{budget} bytes, of which {fixed} are taken and {each} go to a row", (budget, fixed, each)))
    return [*cases, Case("a budget that is too small for one row", (1500, 1000, 900))]


def _my_part_cases(rng: torch.Generator) -> list[Case]:
    """Numbers of pictures that the processes cannot share evenly, and the rank of one process, which gets one more."""
    cases = []
    for count, processes in ((8, 3), (11, 4), (14, 5)):
        rank = 1 + int(torch.randint(count % processes - 1, (1,), generator=rng))
        cases.append(Case(f"process {rank} of {processes}, {count} pictures", (count, rank, processes)))
    return cases


# Helpers of the solutions and of the mistakes


def _without_last_piece(slopes: Tensor, weights: Tensor, rows: int) -> Tensor:
    """The sum without the steps of a last, shorter piece."""
    in_full_pieces = len(weights) // rows * rows
    return weights[:in_full_pieces] @ slopes[:in_full_pieces]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        id="10.1",
        solution=in_pieces,
        cases=_in_pieces_cases,
        mistakes=[
            Mistake(
                "The last piece is shorter than the others, and you left it out.",
                _without_last_piece,
            ),
            Mistake(
                "You used the same weights for every piece. Each step has its own.",
                lambda s, w, rows: sum(w[: len(piece)] @ piece for piece in s.split(rows)),
            ),
            Mistake(
                "You kept the last piece only. Add each to what there is.",
                lambda s, w, rows: w.split(rows)[-1] @ s.split(rows)[-1],
            ),
            Mistake("You left out the weights.", lambda s, w, rows: s.sum(0)),
            Mistake(
                "You averaged over the pieces, which are not equally long. Add up.",
                lambda s, w, rows: w @ s / len(s.split(rows)),
            ),
        ],
    ),
    Exercise(
        id="10.2",
        solution=bytes_kept,
        cases=_bytes_kept_cases,
        mistakes=[
            Mistake("Those are numbers. Each of them takes some bytes.", lambda s, rows, each: s.sum() * rows),
            Mistake("That is for one row. Every row keeps its own.", lambda s, rows, each: s.sum() * each),
            Mistake(
                "You took the largest layer. All of them are kept until the way back.",
                lambda s, rows, each: s.max() * rows * each,
            ),
            Mistake(
                "You multiplied the sizes of the layers. What is kept adds up.",
                lambda s, rows, each: s.double().prod() * rows * each,
            ),
        ],
    ),
    Exercise(
        id="10.3",
        solution=rows_that_fit,
        cases=_rows_that_fit_cases,
        mistakes=[
            Mistake(
                "You forgot what is taken already, before the first row.",
                lambda budget, fixed, each: torch.tensor(max(1, budget // each)),
            ),
            Mistake(
                "You rounded up. The last row would not fit.",
                lambda budget, fixed, each: torch.tensor(max(1, -(-(budget - fixed) // each))),
            ),
            Mistake(
                "None fits, you say. One row must be tried all the same; with none there is no answer.",
                lambda budget, fixed, each: torch.tensor((budget - fixed) // each),
            ),
            Mistake(
                "Half a row cannot be evaluated: round down.",
                lambda budget, fixed, each: torch.tensor(max(1.0, (budget - fixed) / each)),
            ),
        ],
    ),
    Exercise(
        id="10.4",
        solution=my_part,
        cases=_my_part_cases,
        mistakes=[
            Mistake("That is all of them: every process would do all the work.", lambda n, r, p: torch.arange(n)),
            Mistake(
                "You left the remainder out: the pictures at the end belong to nobody.",
                lambda n, r, p: torch.arange(r, n // p * p, p),
            ),
            Mistake(
                "Every process would begin at picture 0. Begin at your rank.", lambda n, r, p: torch.arange(0, n, p)
            ),
            Mistake(
                "Ranks count from 0. Yours begins one too late, and picture 0 belongs to nobody.",
                lambda n, r, p: torch.arange(r + 1, n, p),
            ),
        ],
    ),
]
