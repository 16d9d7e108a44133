"""Lesson 04's solutions and mistakes: walking a path, Integrated Gradients, a path with corners."""

from itertools import pairwise

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import gradients_on_line, input_gradient
from igteach.methods.integrated_gradients import integrated_gradients

# Solutions


def walk(f: Function, stops: Tensor) -> Tensor:
    """Exercise 04.1: F at the last stop minus F at the first, from the slope in the middle of each piece."""
    middles = (stops[1:] + stops[:-1]) / 2
    return (input_gradient(f, middles) * stops.diff(dim=0)).sum()


def my_integrated_gradients(f: Function, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """Exercise 04.2: Integrated Gradients along the straight path, by the midpoint rule."""
    return (x - baseline) * gradients_on_line(f, x, baseline, _midpoints(steps)).mean(0)


def along(f: Function, stops: Tensor) -> Tensor:
    """Exercise 04.3: Integrated Gradients along a path with corners."""
    shares = [my_integrated_gradients(f, end[None], start[None], 64) for start, end in pairwise(stops)]
    return torch.cat(shares).sum(0)


# Helpers of the solutions and of the mistakes


def _midpoints(steps: int) -> Tensor:
    """The alphas in the middle of equal steps."""
    return (torch.arange(steps).double() + 0.5) / steps


def _ig_at(alphas: Tensor, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Integrated Gradients from the mean gradient at these alphas."""
    return (x - baseline) * gradients_on_line(f, x, baseline, alphas).mean(0)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["04.1"],
        solution=walk,
        mistakes=[
            Mistake(
                "You used the slope at the end of the path for every piece. Each has its own slope, at its midpoint.",
                lambda f, p: (input_gradient(f, p[-1:]) * (p[-1] - p[0])).sum(),
            ),
            Mistake(
                "You took the slope where each piece begins. Take it at the midpoint.",
                lambda f, p: (input_gradient(f, p[:-1]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "You took the slope where each piece ends. Take it at the midpoint.",
                lambda f, p: (input_gradient(f, p[1:]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "That is the true change. Add it up from slopes and pieces.", lambda f, p: (f(p[-1:]) - f(p[:1]))[0]
            ),
            Mistake(
                "You did not multiply by the piece.",
                lambda f, p: input_gradient(f, (p[1:] + p[:-1]) / 2).sum(),
            ),
            Mistake(
                "Each slope belongs to its own piece, not to the whole distance from the first stop to the last.",
                lambda f, p: (input_gradient(f, (p[1:] + p[:-1]) / 2) * (p[-1] - p[0])).sum(),
            ),
            Mistake("You averaged over the pieces; add them up.", lambda f, p: walk(f, p) / (len(p) - 1)),
            Mistake(
                "You walked the path backwards: a piece is where it ends minus where it begins.",
                lambda f, p: -walk(f, p),
            ),
            Mistake("You took an absolute value. The sign belongs to the answer.", lambda f, p: walk(f, p).abs()),
        ],
    ),
    Exercise(
        task=TASKS["04.2"],
        solution=my_integrated_gradients,
        mistakes=[
            Mistake(
                "You averaged the gradients but did not multiply by x - baseline.",
                lambda f, x, b, n: gradients_on_line(f, x, b, _midpoints(n)).mean(0, keepdim=True),
            ),
            Mistake(
                "You multiplied by x. The displacement is x - baseline.",
                lambda f, x, b, n: x * gradients_on_line(f, x, b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "You added up the gradients; average them.", lambda f, x, b, n: n * my_integrated_gradients(f, x, b, n)
            ),
            Mistake(
                "Your path runs from 0 to x. It must begin at the baseline.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x, 0 * b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "Your path runs backwards, or x and the baseline have changed places.",
                lambda f, x, b, n: my_integrated_gradients(f, b, x, n),
            ),
            Mistake(
                "You took one gradient, at x. Average the gradients along the path.",
                lambda f, x, b, n: _ig_at(torch.ones(1).double(), f, x, b),
            ),
            Mistake(
                "You took absolute values. Gradients of opposite sign must be able to cancel.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x, b, _midpoints(n)).abs().mean(0),
            ),
            Mistake(
                "That is the sum over all features. Keep one share for each.",
                lambda f, x, b, n: my_integrated_gradients(f, x, b, n).sum(),
            ),
            Mistake(
                "Close. Your alphas lie at the left ends of the pieces; put them in the middle: (k + 1/2) / steps.",
                lambda f, x, b, n: _ig_at(torch.arange(n).double() / n, f, x, b),
            ),
            Mistake(
                "Close. Your alphas lie at the right ends of the pieces; put them in the middle: (k + 1/2) / steps.",
                lambda f, x, b, n: _ig_at((torch.arange(n).double() + 1) / n, f, x, b),
            ),
            Mistake(
                "Close. Your alphas run from 0 to 1, both ends with full weight; put them in the middle of the pieces.",
                lambda f, x, b, n: _ig_at(torch.linspace(0, 1, n).double(), f, x, b),
            ),
        ],
    ),
    Exercise(
        task=TASKS["04.3"],
        solution=along,
        mistakes=[
            Mistake(
                "That is the straight path from the first stop to the last. Yours must pass through the others.",
                lambda f, p: my_integrated_gradients(f, p[-1:], p[:1], 64)[0],
            ),
            Mistake(
                "Within the default tolerance that is right, but the check wants 64 steps per leg: pass steps=64.",
                lambda f, p: integrated_gradients(f, p[1:], p[:-1]).values.sum(0),
            ),
            Mistake("You walked the first leg only.", lambda f, p: along(f, p[:2])),
            Mistake("You walked the last leg only.", lambda f, p: along(f, p[-2:])),
            Mistake(
                "Every leg has full weight: add the shares, do not average them.",
                lambda f, p: along(f, p) / (len(p) - 1),
            ),
            Mistake(
                "Your legs all start at the first stop. A leg starts where the one before it ended.",
                lambda f, p: torch.cat([my_integrated_gradients(f, end[None], p[:1], 64) for end in p[1:]]).sum(0),
            ),
            Mistake(
                "You walked the path backwards: look at which end of a leg is its baseline.", lambda f, p: -along(f, p)
            ),
            Mistake("That is the sum over all features. Keep one share for each.", lambda f, p: along(f, p).sum()),
        ],
    ),
]
