"""Lesson 01's checker: finite differences, the first-order estimate, saliency."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.exercises.common import input_gradient

# Solutions


def finite_difference(f: Function, x: Tensor, feature: int, step: float) -> Tensor:
    """Exercise 01.1: the slope along one feature, from a step to either side."""
    rise = f(_nudged(x, feature, step)) - f(_nudged(x, feature, -step))
    return (rise / (2 * step))[0]


def first_order(f: Function, x: Tensor, step: Tensor) -> Tensor:
    """Exercise 01.2: the change of F for a small step, estimated from the gradient at x."""
    return (input_gradient(f, x) * step).sum()


def saliency(f: Function, x: Tensor) -> Tensor:
    """Exercise 01.3: the gradient in absolute value."""
    return input_gradient(f, x).abs()


# Cases that an answer is checked on


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


def _smooth_function(rng: torch.Generator) -> Function:
    """A smooth function of a batch, without a symmetry that could hide a wrong answer."""
    inner = torch.randn(3, 3, generator=rng).double()
    outer = torch.randn(3, generator=rng).double()
    return lambda batch: torch.sin(batch @ inner.to(batch) + 0.3) @ outer.to(batch) + 2.0


# Helpers of the solutions and of the mistakes


def _nudged(x: Tensor, feature: int, step: float) -> Tensor:
    """x with one feature moved by a step."""
    nudge = torch.zeros_like(x)
    nudge[:, feature] = step
    return x + nudge


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        id="01.1",
        solution=finite_difference,
        cases=_finite_difference_cases,
        mistakes=[
            Mistake(
                "You divided by the step, but the two points are two steps apart.",
                lambda f, x, i, h: 2 * finite_difference(f, x, i, h),
            ),
            Mistake(
                "You looked to one side only. Step to both sides: the error shrinks with the step squared.",
                lambda f, x, i, h: ((f(_nudged(x, i, h)) - f(x)) / h)[0],
            ),
            Mistake(
                "You looked to the left side only. Step to both sides: the error shrinks with the step squared.",
                lambda f, x, i, h: ((f(x) - f(_nudged(x, i, -h))) / h)[0],
            ),
            Mistake(
                "You nudged every feature at once; nudge the one that was asked for.",
                lambda f, x, i, h: ((f(x + h) - f(x - h)) / (2 * h))[0],
            ),
            Mistake("The sign is turned round: right minus left.", lambda f, x, i, h: -finite_difference(f, x, i, h)),
            Mistake(
                "You have the difference of the two values; it still has to be divided by the distance.",
                lambda f, x, i, h: 2 * h * finite_difference(f, x, i, h),
            ),
            Mistake(
                "You took a size. The sign belongs to the answer.",
                lambda f, x, i, h: finite_difference(f, x, i, h).abs(),
            ),
        ],
        tools=(),
    ),
    Exercise(
        id="01.2",
        solution=first_order,
        cases=_first_order_cases,
        mistakes=[
            Mistake(
                "That is an estimate of F(x + d). The question is by how much F changes: leave F(x) out.",
                lambda f, x, d: f(x)[0] + first_order(f, x, d),
            ),
            Mistake(
                "That is the true change. Estimate it from the gradient at x alone.",
                lambda f, x, d: (f(x + d) - f(x))[0],
            ),
            Mistake(
                "You took the gradient at x + d. It is wanted at x.",
                lambda f, x, d: (input_gradient(f, x + d) * d).sum(),
            ),
            Mistake(
                "One number for each feature is not yet an estimate of F. Add them up.",
                lambda f, x, d: input_gradient(f, x) * d,
            ),
            Mistake(
                "You added up the gradient; weight it with the step d first.",
                lambda f, x, d: input_gradient(f, x).sum(),
            ),
            Mistake(
                "You took sizes. A gradient and a step have signs, and they count.",
                lambda f, x, d: (input_gradient(f, x) * d).abs().sum(),
            ),
        ],
    ),
    Exercise(
        id="01.3",
        solution=saliency,
        cases=_saliency_cases,
        mistakes=[
            Mistake("That is the gradient with its sign. Saliency shows its size.", input_gradient),
            Mistake(
                "You multiplied by the input. That is another method, and lesson 3 comes to it.",
                lambda f, x: (input_gradient(f, x) * x).abs(),
            ),
            Mistake("You squared the gradient; the size is wanted.", lambda f, x: input_gradient(f, x) ** 2),
            Mistake(
                "You scaled the map to a maximum of 1. Keep the units: F per unit of x.",
                lambda f, x: saliency(f, x) / saliency(f, x).max(),
            ),
        ],
        tools=(),
    ),
]
