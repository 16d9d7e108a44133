"""Lesson 10's solutions and mistakes.

A sum in pieces, the bytes of a batch, the rows that fit, one process's part of the work.
"""

import torch
from torch import Tensor

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

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


# Helpers of the solutions and of the mistakes


def _without_last_piece(slopes: Tensor, weights: Tensor, rows: int) -> Tensor:
    """The sum without the steps of a last, shorter piece."""
    in_full_pieces = len(weights) // rows * rows
    return weights[:in_full_pieces] @ slopes[:in_full_pieces]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["10.1"],
        solution=in_pieces,
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
        task=TASKS["10.2"],
        solution=bytes_kept,
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
        task=TASKS["10.3"],
        solution=rows_that_fit,
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
        task=TASKS["10.4"],
        solution=my_part,
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
