"""Lesson 07's cases: a baseline's opinion, a step towards zero, the mean over many baselines, a choice."""

import torch
from torch import Tensor

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
        Case(f"function {number}", (_smooth_function(rng, offset), torch.randn(1, 3, generator=rng).double()))
        for number, offset in enumerate((2.0, -3.0, 2.0), start=1)  # F is negative in one of them
    ]


def _expected_attribution_cases(rng: torch.Generator) -> list[Case]:
    """Smooth functions, each with an input and several baselines."""
    cases = []
    for count in (2, 3, 5):
        x = torch.randn(1, 3, generator=rng).double()
        baselines = torch.randn(count, 3, generator=rng).double()
        cases.append(Case(f"{count} baselines", (_smooth_function(rng), x, baselines)))
    return cases


# What the candidates that fit make of the classes, for some numbers of classes. The largest probability, and it alone,
# puts the first one first; the smallest, a spread, an entropy, a lead, or one half would choose another.
FIT = {
    3: ((0.45, 0.45, 0.10), (0.50, 0.25, 0.25)),
    4: ((0.40, 0.39, 0.20, 0.01), (0.42, 0.42, 0.08, 0.08), (0.46, 0.27, 0.17, 0.10)),
    5: (
        (0.30, 0.25, 0.25, 0.15, 0.05),
        (0.60, 0.10, 0.10, 0.10, 0.10),
        (0.52, 0.20, 0.15, 0.10, 0.03),
        (0.36, 0.36, 0.20, 0.05, 0.03),
    ),
}


def _choice_cases(rng: torch.Generator) -> list[Case]:
    """Classifiers with an input, a region of it, and candidates: which of them fit, and which is the most neutral."""
    return [*_silent_cases(rng), *(_measure_case(classes, rng) for classes in FIT)]


def _measure_case(classes: int, rng: torch.Generator) -> Case:
    """A classifier that is given what it says of each candidate. Of those that fit, two are strongly opinionated."""
    strong = [0.8, *[0.2 / (classes - 1)] * (classes - 1)]
    even = [1 / classes] * classes
    said = torch.tensor([*FIT[classes], strong, strong, even, strong])
    x = torch.randint(-8, 9, (1, 12), generator=rng) / 8
    region = torch.arange(12) % 3 == int(torch.randint(3, (1,), generator=rng))
    inside = region.nonzero().flatten()
    distance = (3 + torch.randint(6, (len(said), 12), generator=rng)) / 8
    sign = 2 * torch.randint(2, distance.shape, generator=rng) - 1
    sign[:, inside[:2]] = torch.tensor([1, -1])
    sign[-4, inside], sign[-3, inside] = 1, -1
    candidates = x + sign * distance
    candidates[-2, inside[0]] = x[0, inside[0]]
    candidates[-1, inside] = x[0, inside]
    weight = torch.linalg.lstsq(candidates.double(), said.double().log(), driver="gelsd").solution.float()
    columns, rows = (torch.randperm(count, generator=rng) for count in (classes, len(said)))
    f = SoftmaxClassifier(weight[:, columns])
    return Case(f"a network of {classes} classes", (f, x, region, candidates[rows], 0.25))


def _silent_cases(rng: torch.Generator) -> list[Case]:
    """The more neutral a candidate, the less it lets features speak."""
    cases = []
    for number in (1, 2, 3):
        x = torch.randint(-8, 9, (1, 9), generator=rng) / 8
        others = 1 + torch.randperm(8, generator=rng)
        region = torch.zeros(9, dtype=torch.bool)
        region[others[:4]] = True
        candidates = _candidates(x, others[:4], others[4:], rng)
        weight = 0.02 * torch.randn(9, 4, generator=rng)
        weight[0] += torch.tensor([1.0, 0.4, -0.3, -1.1])[torch.randperm(4, generator=rng)]  # it decides
        shuffled = candidates[torch.randperm(len(candidates), generator=rng)]
        cases.append(Case(f"network {number}", (SoftmaxClassifier(weight), x, region, shuffled, 0.25)))
    return cases


def _candidates(x: Tensor, inside: Tensor, outside: Tensor, rng: torch.Generator) -> Tensor:
    """Ten baselines for x, from neutral to opinionated: feature 0 says which class. The fifth is the right one."""
    distance = (3 + torch.randint(6, (10, 9), generator=rng)) / 8
    candidates = x + distance * (2 * torch.randint(2, (10, 9), generator=rng) - 1)
    candidates[:, 0] = 0.2 + torch.arange(10) / 4
    candidates[0, inside] = x[0, inside]
    candidates[[0, 1, 3, 4, 5], outside[0]] = x[0, outside[0]]
    candidates[[1, 2], inside[0]] = x[0, inside[0]]
    candidates[3, inside[1]] = x[0, inside[1]] + 0.125
    candidates[4, inside[:2]] = x[0, inside[:2]] + torch.tensor([0.25, -0.25])
    candidates[[5, 6], inside[0]] = x[0, inside[0]] + 0.5
    candidates[7, inside] = x[0, inside] - 0.5
    candidates[8, inside] = x[0, inside] + 3
    return candidates


def _smooth_function(rng: torch.Generator, offset: float = 2.0) -> TanhNetwork:
    """A smooth function of 3 features, without a symmetry that could hide a wrong answer."""
    inner = torch.randn(3, 3, generator=rng).double()
    outer = torch.randn(3, generator=rng).double()
    return TanhNetwork(inner, outer, bias=0.3, offset=offset)


TASKS = [
    Task("07.1", _opinion_cases),
    Task("07.2", _step_to_zero_cases),
    Task("07.3", _expected_attribution_cases, tools=(gradient, integrated_gradients)),
    Task("07.5", _choice_cases),
]
