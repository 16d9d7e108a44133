"""Lesson 04's cases: walking a path, Integrated Gradients, the shares of strokes."""

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


def _stroke_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with a baseline and strokes, the first two of which cancel in one feature."""
    cases = []
    for number, count in enumerate((2, 3, 4), start=1):
        baseline = torch.randn(1, 3, generator=rng).double()
        strokes = torch.randn(count, 3, generator=rng).double()
        strokes[torch.arange(count), torch.randint(3, (count,), generator=rng)] = 0
        strokes[:2, 1] = torch.tensor([0.8, -0.8])
        cases.append(Case(f"function {number} and {count} strokes", (random_network(rng), baseline, strokes)))
    return cases


TASKS = [
    Task("04.1", _path_cases),
    Task("04.2", _integration_cases),
    Task("04.4", _stroke_cases, tools=(gradient, integrated_gradients)),
]
