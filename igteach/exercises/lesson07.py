"""The checks of lesson 07: a baseline's opinion, a step towards zero, the attribution over many baselines, the median."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients


def _classifiers(draw: torch.Generator) -> list[Case]:
    cases = []
    for classes in (3, 4, 6):
        weight = torch.randn(5, classes, generator=draw)
        baseline = torch.randn(1, 5, generator=draw)
        cases.append(Case(f"a network of {classes} classes", (_softmax_of(weight), baseline)))
    return cases


def _softmax_of(weight: Tensor) -> Function:
    return lambda batch: (batch @ weight.to(batch)).softmax(dim=1)


def _smooth(draw: torch.Generator) -> Function:
    inner, outer = torch.randn(3, 3, generator=draw).double(), torch.randn(3, generator=draw).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch) + 0.3) @ outer.to(batch) + 2.0


def _points(draw: torch.Generator) -> list[Case]:
    return [
        Case(f"function {number + 1}", (_smooth(draw), torch.randn(1, 3, generator=draw).double()))
        for number in range(3)
    ]


def _crowds(draw: torch.Generator) -> list[Case]:
    cases = []
    for many in (2, 3, 5):
        x, crowd = torch.randn(1, 3, generator=draw).double(), torch.randn(many, 3, generator=draw).double()
        cases.append(Case(f"{many} baselines", (_smooth(draw), x, crowd)))
    return cases


def _tables(draw: torch.Generator) -> list[Case]:
    return [
        Case(f"a table of {rows} patients", (torch.randn(rows, 4, generator=draw).exp() * torch.arange(1, 5),))
        for rows in (5, 7, 11)
    ]


def opinion(f: Function, baseline: Tensor) -> Tensor:
    p = f(baseline)[0]
    return p.max() - 1 / len(p)


def step_to_zero(f: Function, x: Tensor) -> Tensor:
    slope = _slope(f, x)
    return x - f(x) * slope / slope.square().sum()


def over_baselines(f: Function, x: Tensor, baselines: Tensor) -> Tensor:
    return integrated_gradients(f, x.repeat(len(baselines), 1), baselines).values.mean(0, keepdim=True)


def median_patient(patients: Tensor) -> Tensor:
    return patients.median(dim=0, keepdim=True).values


def _slope(f: Function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def _ig(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline).values


EXERCISES = [
    Exercise(
        "07.1",
        opinion,
        _classifiers,
        [
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
        "07.2",
        step_to_zero,
        _points,
        [
            Mistake(
                "You went uphill: at your point a linear F is twice F(x).", lambda f, x: 2 * x - step_to_zero(f, x)
            ),
            Mistake("That is the step. The point where it leads is wanted.", lambda f, x: step_to_zero(f, x) - x),
            Mistake(
                "You divided by the length of the slope once. Try F(x) = 10 x at x = 1: where do you land?",
                lambda f, x: x - f(x) * _slope(f, x) / _slope(f, x).norm(),
            ),
            Mistake(
                "You went F(x) times the slope. Try F(x) = 10 x at x = 1: where do you land?",
                lambda f, x: x - f(x) * _slope(f, x),
            ),
            Mistake(
                "You let every feature alone bring F to zero; together they overshoot.",
                lambda f, x: x - f(x) / _slope(f, x),
            ),
            Mistake(
                "You moved every feature by the same amount. The shortest step, by a ruler, moves most where "
                "the slope is largest.",
                lambda f, x: x - f(x) * _slope(f, x).sign() / _slope(f, x).abs().sum(),
            ),
        ],
    ),
    Exercise(
        "07.3",
        over_baselines,
        _crowds,
        [
            Mistake(
                "You averaged the baselines and explained once. Explain against each, then average the explanations.",
                lambda f, x, many: _ig(f, x, many.mean(0, keepdim=True)),
            ),
            Mistake(
                "You added the explanations up; their sum explains F(x) - F(x') several times over.",
                lambda f, x, many: len(many) * over_baselines(f, x, many),
            ),
            Mistake("You used the first baseline only.", lambda f, x, many: _ig(f, x, many[:1])),
            Mistake("You used the last baseline only.", lambda f, x, many: _ig(f, x, many[-1:])),
            Mistake(
                "Input and baseline have changed places: the walk leads from the baseline to x.",
                lambda f, x, many: -over_baselines(f, x, many),
            ),
            Mistake(
                "You took the gradient at x only, and not along the way.",
                lambda f, x, many: _slope(f, x) * (x - many).mean(0, keepdim=True),
            ),
        ],
        tools=(gradient, integrated_gradients),
    ),
    Exercise(
        "07.4",
        median_patient,
        _tables,
        [
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
