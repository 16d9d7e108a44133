"""Lesson 10's cases: what a tolerance costs, IG in batches that fit, the rows that fit, when a run is done."""

import torch

from igteach.exercises.cases.families import CrampedTanhUnit
from igteach.exercises.checker import Case, Task


def _gradients_spent_cases(rng: torch.Generator) -> list[Case]:
    """Estimates of pictures after each round: of one that is easy, one that rises again, and one that is hard.

    The hard one settles in the last round of the last case, where the mean is low before that, and else never.
    """
    cases = []
    for pictures, rounds, settles in ((4, 5, False), (6, 4, False), (5, 6, True)):
        counts = (9 + 2 * torch.randint(2, 6, (rounds,), generator=rng)).cumsum(0)
        estimates = (0.02 + 0.3 * torch.rand(pictures, rounds, generator=rng).double()).sort(1, descending=True).values
        easy, rises, hard = torch.randperm(pictures, generator=rng)[:3].tolist()
        estimates[easy] = 0.05
        estimates[rises, 1], estimates[rises, 2:] = 0.04, 0.06
        estimates[hard] += 0.07
        if settles:
            estimates[:, -2] = estimates[:, -2].clamp(max=0.03)
            estimates[hard, -2:] = torch.tensor([0.06, 0.03]).double()
        cases.append(Case(f"{pictures} pictures, {rounds} rounds", (estimates, counts, 0.05)))
    return cases


def _in_batches_cases(rng: torch.Generator) -> list[Case]:
    """Functions that stop at more rows than are allowed, each with an input, a baseline and a number of steps."""
    cases = []
    for steps, rows in ((7, 2), (10, 4), (9, 5)):
        weight, x, baseline = torch.randn(3, 3, generator=rng).double()
        f = CrampedTanhUnit(weight, 0.3, rows)
        cases.append(Case(f"{steps} steps, {rows} rows at once", (f, x[None], baseline[None], steps, rows)))
    return cases


def _rows_that_fit_cases(rng: torch.Generator) -> list[Case]:
    """Layers of which the largest is neither first nor last, with a budget for some rows and a part of one more."""
    cases = []
    for layers, each, part_of_a_row in ((3, 4, 0.3), (5, 2, 0.7), (4, 8, 0.0)):
        sizes = torch.randint(10, 50, (layers,), generator=rng)
        sizes[1] = 60
        bytes_of_a_row = int(sizes.sum()) * each
        taken = int((0.5 + torch.rand(1, generator=rng)) * bytes_of_a_row)
        rows = int(torch.randint(3, 9, (1,), generator=rng))
        budget = taken + int((rows + part_of_a_row) * bytes_of_a_row)
        words = f"layers of {sizes.tolist()}, {each} bytes a number, {taken} of {budget} bytes taken"
        cases.append(Case(words, (sizes, each, taken, budget)))
    return [*cases, Case("a budget too small for one row", (torch.tensor([50, 90]), 4, 1000, 1500))]


def _finishing_time_cases(rng: torch.Generator) -> list[Case]:
    """Pictures of which some are done, and processes of unlike speeds.

    In the second case the last picture decides; in the last one a process has nothing left to do.
    """
    cases = []
    for pictures, processes in ((12, 3), (16, 4), (20, 5)):
        gradients = 10 * torch.randint(2, 30, (pictures,), generator=rng)
        is_done = torch.rand(pictures, generator=rng) < 0.3
        is_done[0], is_done[-1] = True, False
        speeds = 20 * torch.randint(2, 9, (processes,), generator=rng)
        if processes == 4:
            gradients[-1] = 6000
        if processes == 5:
            is_done[1::processes] = True
        cases.append(Case(f"{pictures} pictures, {processes} processes", (gradients, is_done, speeds)))
    return cases


TASKS = [
    Task("10.1", _gradients_spent_cases),
    Task("10.2", _in_batches_cases),
    Task("10.3", _rows_that_fit_cases),
    Task("10.5", _finishing_time_cases),
]
