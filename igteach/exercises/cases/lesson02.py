"""Lesson 02's cases: what the gradient leaves unexplained, occlusion, a scale-free sensitivity."""

import torch

from igteach.exercises.cases.families import TanhUnit
from igteach.exercises.checker import Case, Task


def _saturating_cases(rng: torch.Generator) -> list[Case]:
    """A falling function and two rising ones, each with an input and a baseline.

    In double precision: where F is nearly flat, single precision would leave the right answer itself wrong.
    """
    cases = []
    for number in range(3):
        f = _saturating_function(rng, falls=number == 0)
        scales = torch.tensor([1.5, -1.0]).view(2, 1, 1)
        x, baseline = (torch.rand(2, 1, 3, generator=rng) * scales + 0.2).double()
        cases.append(Case(f"function {number + 1}", (f, x, baseline)))
    return cases


def _saturating_function(rng: torch.Generator, falls: bool) -> TanhUnit:
    """A function of 3 features that rises or falls, and levels off."""
    weight = (torch.rand(3, generator=rng) + 0.5).double()
    shift = torch.randn((), generator=rng).double()
    return TanhUnit(weight, shift, scale=-2.0, offset=0.3) if falls else TanhUnit(weight, shift, scale=2.0)


TASKS = [
    Task("02.1", _saturating_cases),
    Task("02.2", _saturating_cases),
    Task("02.3", _saturating_cases),
]
