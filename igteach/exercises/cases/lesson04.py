"""Lesson 04's cases: walking a path, Integrated Gradients, a path with corners."""

import torch

from igteach.exercises.cases.families import random_network
from igteach.exercises.checker import Case, Task
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients


def _path_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with the stops of a path."""
    cases = []
    for number, stops in enumerate((3, 4, 6)):
        path = torch.randn(stops, 3, generator=rng).double()
        cases.append(Case(f"function {number + 1} and {stops} stops", (random_network(rng), path)))
    return cases


def _integration_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with an input, a baseline and a number of steps."""
    cases = []
    for number, steps in enumerate((2, 5, 8)):
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"function {number + 1} with {steps} steps", (random_network(rng), x, baseline, steps)))
    return cases


TASKS = [
    Task("04.1", _path_cases),
    Task("04.2", _integration_cases),
    Task("04.3", _path_cases, tools=(gradient, integrated_gradients)),
]
