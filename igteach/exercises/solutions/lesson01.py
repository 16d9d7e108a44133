"""Lesson 01's solutions and mistakes: finite differences, the first-order estimate, saliency."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import input_gradient

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


# Helpers of the solutions and of the mistakes


def _nudged(x: Tensor, feature: int, step: float) -> Tensor:
    """x with one feature moved by a step."""
    nudge = torch.zeros_like(x)
    nudge[:, feature] = step
    return x + nudge


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["01.1"],
        solution=finite_difference,
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
                "You nudged every feature at once; nudge only the one asked for.",
                lambda f, x, i, h: ((f(x + h) - f(x - h)) / (2 * h))[0],
            ),
            Mistake("The sign is flipped: it is right minus left.", lambda f, x, i, h: -finite_difference(f, x, i, h)),
            Mistake(
                "You have the difference of the two values; it must still be divided by the distance.",
                lambda f, x, i, h: 2 * h * finite_difference(f, x, i, h),
            ),
            Mistake(
                "You took the absolute value. Keep the sign.",
                lambda f, x, i, h: finite_difference(f, x, i, h).abs(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["01.2"],
        solution=first_order,
        mistakes=[
            Mistake(
                "That is an estimate of F(x + d). The question is how much F changes: leave F(x) out.",
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
                "One number for each feature is not yet the change of F. Add them up.",
                lambda f, x, d: input_gradient(f, x) * d,
            ),
            Mistake(
                "You added up the gradient; weight it by the step d first.",
                lambda f, x, d: input_gradient(f, x).sum(),
            ),
            Mistake(
                "You took absolute values. A gradient and a step have signs, and the signs count.",
                lambda f, x, d: (input_gradient(f, x) * d).abs().sum(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["01.3"],
        solution=saliency,
        mistakes=[
            Mistake("That is the gradient with its sign. Saliency shows its absolute value.", input_gradient),
            Mistake(
                "You multiplied by the input. That is another method, for lesson 03.",
                lambda f, x: (input_gradient(f, x) * x).abs(),
            ),
            Mistake("You squared the gradient; its absolute value is wanted.", lambda f, x: input_gradient(f, x) ** 2),
            Mistake(
                "You scaled the map to a maximum of 1. Keep the units: F per unit of x.",
                lambda f, x: saliency(f, x) / saliency(f, x).max(),
            ),
        ],
    ),
]
