"""The checks of lesson 10: a sum in pieces, bytes of a batch, rows that fit, a process's part of the work."""

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Exercise, Mistake


def _kept(draw: torch.Generator) -> list[Case]:
    cases = []
    for layers, each in ((3, 4), (5, 2), (4, 8)):
        sizes = torch.randint(1, 10, (layers,), generator=draw)
        rows = int(torch.randint(2, 6, (1,), generator=draw))
        cases.append(Case(f"{layers} layers, {rows} rows, {each} bytes a number", (sizes, rows, each)))
    return cases


def _budgets(draw: torch.Generator) -> list[Case]:
    cases = []
    for part in (0.3, 0.7):
        fixed, each = (int(1000 * (1 + torch.rand(1, generator=draw))) for _ in range(2))
        budget = fixed + int((int(torch.randint(3, 9, (1,), generator=draw)) + part) * each)
        cases.append(Case(f"{budget} bytes, of which {fixed} are taken and {each} go to a row", (budget, fixed, each)))
    return [*cases, Case("a budget that is too small for one row", (1500, 1000, 900))]


def _counts(draw: torch.Generator) -> list[Case]:
    cases = []
    for count, processes in ((8, 3), (11, 4), (14, 5)):  # the remainder reaches the rank
        rank = 1 + int(torch.randint(count % processes - 1, (1,), generator=draw))
        cases.append(Case(f"process {rank} of {processes}, {count} pictures", (count, rank, processes)))
    return cases


def _sums(draw: torch.Generator) -> list[Case]:
    cases = []
    for steps, rows in ((7, 3), (10, 4), (9, 5)):
        weights = torch.rand(steps, generator=draw)
        slopes = torch.randn(steps, 3, generator=draw)
        cases.append(Case(f"{steps} steps, {rows} at once", (slopes, weights, rows)))
    return cases


def bytes_kept(sizes: Tensor, rows: int, each: int) -> Tensor:
    return sizes.double().sum() * rows * each


def rows_that_fit(budget: int, fixed: int, each: int) -> Tensor:
    return torch.tensor(max(1, (budget - fixed) // each)).double()


def in_pieces(slopes: Tensor, weights: Tensor, rows: int) -> Tensor:
    return weights @ slopes


def my_part(count: int, rank: int, processes: int) -> Tensor:
    return torch.arange(rank, count, processes).double()


def _last_piece_lost(slopes: Tensor, weights: Tensor, rows: int) -> Tensor:
    whole = len(weights) // rows * rows
    return weights[:whole] @ slopes[:whole]


EXERCISES = [
    Exercise(
        "10.1",
        in_pieces,
        _sums,
        [
            Mistake(
                "The last piece is shorter than the others, and you left it out.",
                _last_piece_lost,
            ),
            Mistake(
                "You used the same weights for every piece. Each step has its own.",
                lambda s, w, rows: sum(w[: len(part)] @ part for part in s.split(rows)),
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
        "10.2",
        bytes_kept,
        _kept,
        [
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
        "10.3",
        rows_that_fit,
        _budgets,
        [
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
        "10.4",
        my_part,
        _counts,
        [
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
