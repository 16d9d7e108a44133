"""Lesson 01's cases: finite differences, the first-order estimate, saliency."""

import torch

from igteach.exercises.cases.families import SineNetwork
from igteach.exercises.checker import Case, Task


def _finite_difference_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with a point, a feature and a step."""
    cases = []
    for number in range(3):
        x = torch.randn(1, 3, generator=rng).double()
        feature = int(torch.randint(3, (), generator=rng))
        cases.append(Case(f"function {number + 1}, feature {feature}", (_smooth_function(rng), x, feature, 1e-2)))
    return cases


def _first_order_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with a point and a step of all features."""
    cases = []
    for number in range(3):
        x, step = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"function {number + 1}", (_smooth_function(rng), x, step)))
    return cases


def _saliency_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with a point."""
    return [
        Case(f"function {number + 1}", (_smooth_function(rng), torch.randn(1, 3, generator=rng).double()))
        for number in range(3)
    ]


def _smooth_function(rng: torch.Generator) -> SineNetwork:
    return SineNetwork(torch.randn(3, 3, generator=rng).double(), torch.randn(3, generator=rng).double())


TASKS = [
    Task("01.1", _finite_difference_cases, tools=()),
    Task("01.2", _first_order_cases),
    Task("01.3", _saliency_cases, tools=()),
]
