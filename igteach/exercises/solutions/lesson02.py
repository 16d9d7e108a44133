"""Lesson 02's solutions and mistakes: what the gradient leaves unexplained, occlusion, a scale-free sensitivity."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import input_gradient

# Solutions


def unexplained(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 02.1: what the gradient at x leaves unexplained of F(x) - F(x')."""
    return _change_of_f(f, x, baseline) - (input_gradient(f, x) * (x - baseline)).sum()


def occlusion(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 02.2: by how much F falls if one feature at a time is set to its baseline."""
    return _loss_by_replacing(f, x, x, baseline)


def scale_free(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 02.3: the gradient's norm in units of F(x) - F(x') and of the distance from x' to x."""
    return input_gradient(f, x).norm() * (x - baseline).norm() / _change_of_f(f, x, baseline).abs()


# Helpers of the solutions and of the mistakes


def _change_of_f(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return (f(x) - f(baseline))[0]


def _loss_by_replacing(f: Function, x: Tensor, start: Tensor, filling: Tensor) -> Tensor:
    """F(x) minus F at `start` with one feature taken from `filling`, for each feature: (1, features)."""
    rows = start.repeat(x.shape[1], 1)
    rows.fill_diagonal_(0)
    rows += torch.diag(filling[0])
    return (f(x) - f(rows))[None]


def _cumulative_occlusion(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Occlusion in which no feature is put back before the next one is replaced."""
    rows = x.repeat(x.shape[1], 1)
    for i, row in enumerate(rows):
        row[: i + 1] = baseline[0, : i + 1]
    return (f(x) - f(rows))[None]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["02.1"],
        solution=unexplained,
        mistakes=[
            Mistake(
                "You have what the gradient explains. The question is what it leaves out of F(x) - F(x').",
                lambda f, x, b: (input_gradient(f, x) * (x - b)).sum(),
            ),
            Mistake(
                "The sign is flipped: it is the change of F minus what is explained.",
                lambda f, x, b: -unexplained(f, x, b),
            ),
            Mistake(
                "You multiplied the gradient by x; the displacement is x - baseline.",
                lambda f, x, b: _change_of_f(f, x, b) - (input_gradient(f, x) * x).sum(),
            ),
            Mistake(
                "You forgot what the baseline scores: the change is F(x) - F(x').",
                lambda f, x, b: f(x)[0] - (input_gradient(f, x) * (x - b)).sum(),
            ),
            Mistake(
                "You took the gradient at the baseline; it is wanted at x.",
                lambda f, x, b: _change_of_f(f, x, b) - (input_gradient(f, b) * (x - b)).sum(),
            ),
            Mistake("You took the absolute value. Keep the sign.", lambda f, x, b: unexplained(f, x, b).abs()),
        ],
    ),
    Exercise(
        task=TASKS["02.2"],
        solution=occlusion,
        mistakes=[
            Mistake(
                "The sign is flipped: a feature that holds F up gets a positive share.",
                lambda f, x, b: -occlusion(f, x, b),
            ),
            Mistake(
                "You replaced the feature by 0. Replace it by its value in the baseline.",
                lambda f, x, b: _loss_by_replacing(f, x, x, 0 * b),
            ),
            Mistake(
                "You kept one feature and replaced the others; it is the other way round.",
                lambda f, x, b: _loss_by_replacing(f, x, b, x),
            ),
            Mistake(
                "Each feature must be put back before the next one is replaced: start from x every time.",
                _cumulative_occlusion,
            ),
            Mistake(
                "You have F of the changed inputs. How far is that below F(x)?",
                lambda f, x, b: f(x)[0] - occlusion(f, x, b),
            ),
            Mistake("You took the absolute value. Keep the sign.", lambda f, x, b: occlusion(f, x, b).abs()),
        ],
    ),
    Exercise(
        task=TASKS["02.3"],
        solution=scale_free,
        mistakes=[
            Mistake(
                "You left F(x) - F(x') out: multiply F by ten, and your number grows tenfold.",
                lambda f, x, b: input_gradient(f, x).norm() * (x - b).norm(),
            ),
            Mistake(
                "You left the distance out: measure x in other units, and your number changes.",
                lambda f, x, b: input_gradient(f, x).norm() / _change_of_f(f, x, b).abs(),
            ),
            Mistake(
                "You divided by F(x); divide by how much F changed.",
                lambda f, x, b: scale_free(f, x, b) * _change_of_f(f, x, b).abs() / f(x)[0].abs(),
            ),
            Mistake(
                "A norm is a length: take the square root of the sum of squares.",
                lambda f, x, b: input_gradient(f, x).norm() ** 2 * (x - b).norm() ** 2 / _change_of_f(f, x, b).abs(),
            ),
            Mistake(
                "You added up absolute values; the Euclidean norm is wanted.",
                lambda f, x, b: input_gradient(f, x).abs().sum() * (x - b).abs().sum() / _change_of_f(f, x, b).abs(),
            ),
        ],
    ),
]
