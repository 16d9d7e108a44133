"""Lesson 01's cases: finite differences, how far a promise holds, the saliency of a lead."""

import torch

from igteach.exercises.cases.families import SineNetwork
from igteach.exercises.checker import Case, Task


def _finite_difference_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with a point, a feature and a step."""
    cases = []
    for number, step in enumerate((0.1, 0.25, 0.15), start=1):
        x = torch.randn(1, 3, generator=rng).double()
        feature = int(torch.randint(3, (), generator=rng))
        cases.append(Case(f"function {number}, feature {feature}", (_smooth_function(rng), x, feature, step)))
    return cases


def _trusted_step_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with a point, a direction and the distance of the outer points.

    They bend down, up and down, and the second and third one fall.
    """
    cases = []
    for number, distance in enumerate((0.2, 0.1, 0.3), start=1):
        x, direction = torch.randn(2, 1, 3, generator=rng).double()
        inner, outer = torch.randn(3, 3, generator=rng).double(), torch.randn(3, generator=rng).double()
        ahead, here, behind = SineNetwork(inner, outer)(x + distance * torch.tensor([[1.0], [0.0], [-1.0]]) * direction)
        bends_up = bool(ahead + behind > 2 * here)
        outer = outer if bends_up == (number == 2) else -outer
        rises = bool(ahead > behind) == (bends_up == (number == 2))
        direction = direction if rises == (number == 1) else -direction
        f = SineNetwork(inner, outer)
        cases.append(Case(f"function {number} with h = {distance}", (f, x, direction, distance)))
    return cases


def _lead_cases(rng: torch.Generator) -> list[Case]:
    """Smooth networks of three classes, each with a point and two classes."""
    cases = []
    for number in (1, 2, 3):
        leader, rival = torch.randperm(3, generator=rng)[:2].tolist()
        inner, outer = torch.randn(2, 3, 3, generator=rng).double()
        x = torch.randn(1, 3, generator=rng).double()
        description = f"network {number}, class {leader} over class {rival}"
        cases.append(Case(description, (SineNetwork(inner, outer), x, leader, rival)))
    return cases


def _smooth_function(rng: torch.Generator) -> SineNetwork:
    return SineNetwork(torch.randn(3, 3, generator=rng).double(), torch.randn(3, generator=rng).double())


TASKS = [
    Task("01.1", _finite_difference_cases, tools=()),
    Task("01.4", _trusted_step_cases, tools=()),
    Task("01.5", _lead_cases, tools=()),
]
