"""Lesson 00's cases: the three numbers to look at first in any attribution."""

import torch

from igteach.exercises.cases.families import TanhUnit
from igteach.exercises.checker import Case, Task


def _to_share_cases(rng: torch.Generator) -> list[Case]:
    """Random functions of 4 features, each with an input and a baseline."""
    weights = torch.randn(3, 4, generator=rng)
    points = torch.randn(3, 2, 1, 4, generator=rng)
    cases = []
    for number in range(3):
        x, baseline = points[number]
        cases.append(
            Case(f"function {number + 1}", (TanhUnit(weights[number], torch.zeros(()), offset=1.0), x, baseline))
        )
    return cases


def _residual_cases(rng: torch.Generator) -> list[Case]:
    """Random shares, with F at the input and at the baseline."""
    cases = []
    for shape in ((4,), (3, 3), (2, 5)):
        values = torch.randn(shape, generator=rng)
        f_input, f_baseline = torch.randn(2, generator=rng).tolist()
        cases.append(Case(f"values of shape {shape}", (values, f_input, f_baseline)))
    return cases


def _strongest_pixel_cases(rng: torch.Generator) -> list[Case]:
    """Random maps whose strongest value is negative, and one where it is positive."""
    cases = []
    for shape, strongest in (((3, 4), -9.0), ((8, 8), -9.0), ((5, 2), -9.0), ((4, 6), 9.0)):
        values = torch.randn(shape, generator=rng)
        values.view(-1)[int(torch.randint(values.numel(), (), generator=rng))] = strongest
        cases.append(Case(f"a map of shape {shape}", (values,)))
    return cases


TASKS = [
    Task("00.1", _to_share_cases),
    Task("00.2", _residual_cases),
    Task("00.3", _strongest_pixel_cases),
]
