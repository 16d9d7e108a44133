"""Lesson 07's cases: a baseline's opinion, a step towards zero, the mean over many baselines, the median."""

import torch

from igteach.exercises.cases.families import SoftmaxClassifier, TanhNetwork
from igteach.exercises.checker import Case, Task
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients


def _opinion_cases(rng: torch.Generator) -> list[Case]:
    """Random softmax classifiers, each with a baseline."""
    cases = []
    for classes in (3, 4, 6):
        weight = torch.randn(5, classes, generator=rng)
        baseline = torch.randn(1, 5, generator=rng)
        cases.append(Case(f"a network of {classes} classes", (SoftmaxClassifier(weight), baseline)))
    return cases


def _step_to_zero_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with a point."""
    return [
        Case(f"function {number + 1}", (_smooth_function(rng), torch.randn(1, 3, generator=rng).double()))
        for number in range(3)
    ]


def _expected_attribution_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with an input and several baselines."""
    cases = []
    for count in (2, 3, 5):
        x = torch.randn(1, 3, generator=rng).double()
        baselines = torch.randn(count, 3, generator=rng).double()
        cases.append(Case(f"{count} baselines", (_smooth_function(rng), x, baselines)))
    return cases


def _median_patient_cases(rng: torch.Generator) -> list[Case]:
    """Random tables with a row for each patient."""
    cases = []
    for patients in (5, 7, 11):
        table = torch.randn(patients, 4, generator=rng).exp() * torch.arange(1, 5)
        cases.append(Case(f"a table of {patients} patients", (table,)))
    return cases


def _smooth_function(rng: torch.Generator) -> TanhNetwork:
    """A smooth function of 3 features, without a symmetry that could hide a wrong answer."""
    inner = torch.randn(3, 3, generator=rng).double()
    outer = torch.randn(3, generator=rng).double()
    return TanhNetwork(inner, outer, bias=0.3, offset=2.0)


TASKS = [
    Task("07.1", _opinion_cases),
    Task("07.2", _step_to_zero_cases),
    Task("07.3", _expected_attribution_cases, tools=(gradient, integrated_gradients)),
    Task("07.4", _median_patient_cases),
]
