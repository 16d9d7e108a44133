"""Lesson 07's checker: a baseline's opinion, a step towards zero, the mean over many baselines, the median."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.exercises.common import input_gradient
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients

# Solutions


def opinion(f: Function, baseline: Tensor) -> Tensor:
    """Exercise 07.1: by how much the largest probability at a baseline exceeds an even share."""
    p = f(baseline)[0]
    return p.max() - 1 / len(p)


def step_to_zero(f: Function, x: Tensor) -> Tensor:
    """Exercise 07.2: where the linear estimate of F reaches zero by the shortest step from x."""
    slope = input_gradient(f, x)
    return x - f(x) * slope / slope.square().sum()


def expected_attribution(f: Function, x: Tensor, baselines: Tensor) -> Tensor:
    """Exercise 07.3: the mean of IG over several baselines."""
    copies = x.repeat(len(baselines), 1)
    return _ig(f, copies, baselines).mean(0, keepdim=True)


def median_patient(table: Tensor) -> Tensor:
    """Exercise 07.4: the median of each measurement, as one row."""
    return table.median(dim=0, keepdim=True).values


# Cases that an answer is checked on


def _opinion_cases(rng: torch.Generator) -> list[Case]:
    """Random softmax classifiers, each with a baseline."""
    cases = []
    for classes in (3, 4, 6):
        weight = torch.randn(5, classes, generator=rng)
        baseline = torch.randn(1, 5, generator=rng)
        cases.append(Case(f"a network of {classes} classes", (_softmax_classifier(weight), baseline)))
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


def _softmax_classifier(weight: Tensor) -> Function:
    return lambda batch: (batch @ weight.to(batch)).softmax(dim=1)


def _smooth_function(rng: torch.Generator) -> Function:
    """A smooth function of 3 features, without a symmetry that could hide a wrong answer."""
    inner = torch.randn(3, 3, generator=rng).double()
    outer = torch.randn(3, generator=rng).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch) + 0.3) @ outer.to(batch) + 2.0


# Helpers of the solutions and of the mistakes


def _ig(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline).values


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        id="07.1",
        solution=opinion,
        cases=_opinion_cases,
        mistakes=[
            Mistake("That is the largest probability. What would it be if nothing were said?", lambda f, b: f(b).max()),
            Mistake(
                "You looked at the smallest probability. Baselines betray themselves by what they say, so look at the "
                "largest.",
                lambda f, b: 1 / f(b).shape[1] - f(b).min(),
            ),
            Mistake(
                "You took the spread between the largest and the smallest; compare the largest with an even share.",
                lambda f, b: f(b).max() - f(b).min(),
            ),
            Mistake(
                "You looked at class 0 only. A baseline may speak for any class.",
                lambda f, b: f(b)[0, 0] - 1 / f(b).shape[1],
            ),
            Mistake(
                "One half is even where there are two classes. How many columns are there?",
                lambda f, b: f(b).max() - 0.5,
            ),
        ],
    ),
    Exercise(
        id="07.2",
        solution=step_to_zero,
        cases=_step_to_zero_cases,
        mistakes=[
            Mistake(
                "You went uphill: at your point a linear F is twice F(x).", lambda f, x: 2 * x - step_to_zero(f, x)
            ),
            Mistake("That is the step. The point where it leads is wanted.", lambda f, x: step_to_zero(f, x) - x),
            Mistake(
                "You divided by the length of the slope once. Try F(x) = 10 x at x = 1: where do you land?",
                lambda f, x: x - f(x) * input_gradient(f, x) / input_gradient(f, x).norm(),
            ),
            Mistake(
                "You went F(x) times the slope. Try F(x) = 10 x at x = 1: where do you land?",
                lambda f, x: x - f(x) * input_gradient(f, x),
            ),
            Mistake(
                "You let every feature alone bring F to zero; together they overshoot.",
                lambda f, x: x - f(x) / input_gradient(f, x),
            ),
            Mistake(
                "You moved every feature by the same amount. The shortest step, by a ruler, moves most where "
                "the slope is largest.",
                lambda f, x: x - f(x) * input_gradient(f, x).sign() / input_gradient(f, x).abs().sum(),
            ),
        ],
    ),
    Exercise(
        id="07.3",
        solution=expected_attribution,
        cases=_expected_attribution_cases,
        mistakes=[
            Mistake(
                "You averaged the baselines and explained once. Explain against each, then average the explanations.",
                lambda f, x, bs: _ig(f, x, bs.mean(0, keepdim=True)),
            ),
            Mistake(
                "You added the explanations up; their sum explains F(x) - F(x') several times over.",
                lambda f, x, bs: len(bs) * expected_attribution(f, x, bs),
            ),
            Mistake("You used the first baseline only.", lambda f, x, bs: _ig(f, x, bs[:1])),
            Mistake("You used the last baseline only.", lambda f, x, bs: _ig(f, x, bs[-1:])),
            Mistake(
                "Input and baseline have changed places: the walk leads from the baseline to x.",
                lambda f, x, bs: -expected_attribution(f, x, bs),
            ),
            Mistake(
                "You took the gradient at x only, and not along the way.",
                lambda f, x, bs: input_gradient(f, x) * (x - bs).mean(0, keepdim=True),
            ),
        ],
        tools=(gradient, integrated_gradients),
    ),
    Exercise(
        id="07.4",
        solution=median_patient,
        cases=_median_patient_cases,
        mistakes=[
            Mistake("That is the mean patient.", lambda table: table.mean(0, keepdim=True)),
            Mistake(
                "You took the patient in the middle of the table; the table is not sorted.",
                lambda table: table[len(table) // 2][None],
            ),
            Mistake(
                "You sorted all measurements together. Each measurement has a median of its own.",
                lambda table: table.median().expand(1, table.shape[1]),
            ),
            Mistake(
                "You went half-way between the smallest and the largest. Half of the patients should lie below.",
                lambda table: (table.amin(0, keepdim=True) + table.amax(0, keepdim=True)) / 2,
            ),
        ],
    ),
]
