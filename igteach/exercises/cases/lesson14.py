"""Lesson 14's cases: the place where F is read, two inputs, unexplained stretches of a path, a diagnosis."""

import torch
from torch import Tensor

from igteach.exercises.cases.families import GatedTanhUnit, SteppedTanhUnit
from igteach.exercises.checker import Case, Task


def _read_out_cases(rng: torch.Generator) -> list[Case]:
    """Logits of padded series, their lengths, and a class."""
    cases = []
    for series, steps, classes, target in ((3, 6, 4, 2), (4, 7, 3, 0), (5, 9, 5, 4)):
        logits = torch.randn(series, steps, classes, generator=rng)
        lengths = 2 + torch.randperm(steps - 2, generator=rng)[:series]
        description = f"{series} series of up to {steps} steps, lengths {lengths.tolist()}, class {target}"
        cases.append(Case(description, (logits, lengths, target)))
    return cases


def _two_inputs_cases(rng: torch.Generator) -> list[Case]:
    """Functions of two inputs, with both inputs and both baselines."""
    cases = []
    for number, (wide, long, steps) in enumerate(((2, 3, 50), (3, 2, 50), (4, 3, 2)), start=1):
        f = GatedTanhUnit(
            torch.randn(wide, generator=rng).double(),
            torch.randn(1, generator=rng).item(),
            torch.randn(long, generator=rng).double(),
            1 + torch.rand(1, generator=rng).item(),
        )
        first, first_start = torch.randn(2, 1, wide, generator=rng).double()
        second, second_start = torch.randn(2, 1, long, generator=rng).double()
        arguments = (f, first, second, first_start, second_start, steps)
        cases.append(Case(f"function {number}, of {wide} and {long} features, {steps} steps", arguments))
    return cases


def _unexplained_cases(rng: torch.Generator) -> list[Case]:
    """Units with a step somewhere on the path."""
    cases = []
    for number, stretches in enumerate((8, 10, 12), start=1):
        weight, normal, x, baseline = torch.randn(4, 3, generator=rng).double()
        along = (baseline + (0.2 + 0.6 * torch.rand(1, generator=rng).item()) * (x - baseline)) @ normal
        height = 1 + torch.rand(1, generator=rng).item()
        f = SteppedTanhUnit(weight, torch.randn(1, generator=rng).item(), normal, float(along), height)
        cases.append(Case(f"model {number}, {stretches} stretches", (f, x[None], baseline[None], stretches)))
    return cases


def _diagnosis_cases(rng: torch.Generator) -> list[Case]:
    """What was measured on models: each diagnosis, near and on its borders, and what looks like another."""
    again, last, gap = (_between(rng, low, high) for low, high in ((0.052, 0.09), (0.032, 0.049), (0.035, 0.048)))
    half_and_less, half_and_more = 0.5 - _between(rng, 0.01, 0.08), 0.5 + _between(rng, 0.01, 0.08)
    first = _between(rng, 0.5, 0.9)
    ties = torch.tensor([0.25] + 8 * [-0.03125] + 7 * [0.0], dtype=torch.float64)
    alone = torch.tensor(15 * [0.0] + [-0.05], dtype=torch.float64)
    measured = [
        (again, [0.02, 0.3, 0.01], _spread(rng, 0.6)),
        (_between(rng, 0.3, 0.6), [0.7, 0.3, 0.4], _one_large(rng, 0.3, half_and_more)),
        (0.0, [-0.8, 0.4, 0.06], _spread(rng, 0.3)),
        (0.0, [0.3, 0.32, 0.31], _one_large(rng, gap, half_and_more)),
        (0.05, [-0.9, -0.8, -0.85], _one_large(rng, 0.8, half_and_more)),
        (last, [0.3, -0.2, last / 2], _spread(rng, 0.4)),
        (0.0, [-first, 0.4, -last], _spread(rng, 0.5)),
        (0.0, [0.0625, 0.4, 0.05], _spread(rng, 0.3)),
        (0.0, [first, -0.7, -first * half_and_less], _one_large(rng, 0.2, half_and_more)),
        (0.0, [-first, 0.5, first * half_and_less], _spread(rng, 0.3)),
        (0.0, [-first, 0.1, -first * half_and_more], _one_large(rng, 0.5, half_and_more)),
        (0.0, [0.5, 0.1, -0.25], _spread(rng, gap)),
        (0.0, [-0.4, -0.41, -0.4], _spread(rng, gap)),
        (0.0, [0.02, 0.3, 0.29], _spread(rng, 2 * gap)),
        (0.0, [0.3, 0.31, 0.3], -_one_large(rng, 0.3, half_and_more)),
        (0.0, [-0.5, -0.5, -0.5], _one_large(rng, 0.5, half_and_less)),
        (0.0, [-0.5, -0.5, -0.5], ties),
        (0.0, [0.4, 0.4, 0.4], alone),
        (0.0, [0.04, 0.3, -0.03], _spread(rng, 0.5)),
    ]
    shuffled = [measured[place] for place in torch.randperm(len(measured), generator=rng).tolist()]
    return [
        Case(f"case {number}", (once_more, torch.tensor(residuals, dtype=torch.float64), gaps))
        for number, (once_more, residuals, gaps) in enumerate(shuffled, start=1)
    ]


def _between(rng: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * torch.rand(1, generator=rng).item()


def _spread(rng: torch.Generator, total: float) -> Tensor:
    """(16,), gaps of both signs, about equally large: of this total strength."""
    gaps = (0.5 + torch.rand(16, generator=rng)).double()
    gaps[torch.randperm(16, generator=rng)[:7]] *= -1
    return gaps / gaps.abs().sum() * total


def _one_large(rng: torch.Generator, total: float, share: float) -> Tensor:
    """(16,), gaps of this total strength, of which one has such a share."""
    gaps = _spread(rng, 1.0)
    place = int(torch.randint(16, (1,), generator=rng))
    gaps[place] = 0
    gaps = gaps / gaps.abs().sum() * (1 - share)
    gaps[place] = share
    return gaps * total


TASKS = [
    Task("14.1", _read_out_cases),
    Task("14.2", _two_inputs_cases),
    Task("14.3", _unexplained_cases),
    Task("14.4", _diagnosis_cases),
]
