"""Lesson 10's cases: a sum in pieces, the bytes of a batch, the rows that fit, one process's part of the work."""

import torch

from igteach.exercises.checker import Case, Task


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


TASKS = [
    Task("10.1", _in_pieces_cases),
    Task("10.2", _bytes_kept_cases),
    Task("10.3", _rows_that_fit_cases),
    Task("10.4", _my_part_cases),
]
