"""Lesson 07's solutions and mistakes.

A baseline's opinion, a step towards zero, the mean over many baselines, the median.
"""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import input_gradient
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
    """Exercise 07.3: the mean of IG over several baselines, with 64 steps each."""
    copies = x.repeat(len(baselines), 1)
    return _ig(f, copies, baselines).mean(0, keepdim=True)


def median_patient(table: Tensor) -> Tensor:
    """Exercise 07.4: the median of each measurement, as one row."""
    return table.median(dim=0, keepdim=True).values


# Helpers of the solutions and of the mistakes


def _ig(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline, steps=64).values


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["07.1"],
        solution=opinion,
        mistakes=[
            Mistake(
                "That is the largest probability. What would it be if the network had no opinion?",
                lambda f, b: f(b).max(),
            ),
            Mistake(
                "You looked at the smallest probability. Baselines betray themselves by what they say, so look at the "
                "largest.",
                lambda f, b: 1 / f(b).shape[1] - f(b).min(),
            ),
            Mistake(
                "You took the spread from smallest to largest; compare the largest with an even probability.",
                lambda f, b: f(b).max() - f(b).min(),
            ),
            Mistake(
                "You looked at class 0 only. A baseline may speak for any class.",
                lambda f, b: f(b)[0, 0] - 1 / f(b).shape[1],
            ),
            Mistake(
                "One half is even for two classes. How many columns are there?",
                lambda f, b: f(b).max() - 0.5,
            ),
        ],
    ),
    Exercise(
        task=TASKS["07.2"],
        solution=step_to_zero,
        mistakes=[
            Mistake(
                "You went uphill: at your point a linear F is twice F(x).", lambda f, x: 2 * x - step_to_zero(f, x)
            ),
            Mistake("That is the step. The point it leads to is wanted.", lambda f, x: step_to_zero(f, x) - x),
            Mistake(
                "You divided by the length of the slope only once. Try F(x) = 10 x at x = 1: where do you land?",
                lambda f, x: x - f(x) * input_gradient(f, x) / input_gradient(f, x).norm(),
            ),
            Mistake(
                "Your step was F(x) times the slope. Try F(x) = 10 x at x = 1: where do you land?",
                lambda f, x: x - f(x) * input_gradient(f, x),
            ),
            Mistake(
                "You let every feature bring F to zero on its own; together they overshoot.",
                lambda f, x: x - f(x) / input_gradient(f, x),
            ),
            Mistake(
                "You moved every feature by the same amount. The shortest step, by a ruler, moves most where "
                "the slope is steepest.",
                lambda f, x: x - f(x) * input_gradient(f, x).sign() / input_gradient(f, x).abs().sum(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["07.3"],
        solution=expected_attribution,
        mistakes=[
            Mistake(
                "You averaged the baselines and explained once. Explain against each, then average the explanations.",
                lambda f, x, bs: _ig(f, x, bs.mean(0, keepdim=True)),
            ),
            Mistake(
                "You added the explanations up; their sum explains F(x) - F(x') several times over.",
                lambda f, x, bs: len(bs) * expected_attribution(f, x, bs),
            ),
            Mistake(
                "Within the default tolerance that is right, but the check wants 64 steps: pass steps=64.",
                lambda f, x, bs: torch.cat([integrated_gradients(f, x, b[None]).values for b in bs]).mean(0)[None],
            ),
            Mistake("You used the first baseline only.", lambda f, x, bs: _ig(f, x, bs[:1])),
            Mistake("You used the last baseline only.", lambda f, x, bs: _ig(f, x, bs[-1:])),
            Mistake(
                "Input and baseline have changed places: the path leads from the baseline to x.",
                lambda f, x, bs: -expected_attribution(f, x, bs),
            ),
            Mistake(
                "You took the gradient at x only, not along the path.",
                lambda f, x, bs: input_gradient(f, x) * (x - bs).mean(0, keepdim=True),
            ),
        ],
    ),
    Exercise(
        task=TASKS["07.4"],
        solution=median_patient,
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
