"""Lesson 00's solutions and mistakes: the three numbers to look at first in any attribution."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def to_share(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 00.1: F(x) - F(x'), the difference that an attribution distributes."""
    return (f(x) - f(baseline))[0]


def residual(values: Tensor, f_input: float, f_baseline: float) -> Tensor:
    """Exercise 00.2: by how much the sum of the shares exceeds F(x) - F(x')."""
    return values.sum() - (f_input - f_baseline)


def strongest_pixel(values: Tensor) -> Tensor:
    """Exercise 00.3: row and column of the value that is largest in absolute value."""
    index = int(values.abs().argmax())
    return torch.tensor([index // values.shape[1], index % values.shape[1]])


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["00.1"],
        solution=to_share,
        mistakes=[
            Mistake("That is F at the input alone. What did the baseline score?", lambda f, x, b: f(x)[0]),
            Mistake(
                "The sign is flipped: the question is what x gained over the baseline.",
                lambda f, x, b: (f(b) - f(x))[0],
            ),
            Mistake(
                "You scored the difference of the two inputs; score each input, then take the difference.",
                lambda f, x, b: f(x - b)[0],
            ),
            Mistake("You took the absolute value. Keep the sign.", lambda f, x, b: to_share(f, x, b).abs()),
        ],
    ),
    Exercise(
        task=TASKS["00.2"],
        solution=residual,
        mistakes=[
            Mistake(
                "You added up absolute values. Shares have signs, and a negative one lowers the sum.",
                lambda v, a, b: v.abs().sum() - (a - b),
            ),
            Mistake("Compare the sum with the difference F(x) - F(x'), not with F(x).", lambda v, a, b: v.sum() - a),
            Mistake(
                "The sign is flipped: a sum that is too large makes a positive residual.",
                lambda v, a, b: a - b - v.sum(),
            ),
            Mistake("You averaged the values; they are shares, and shares add up.", lambda v, a, b: v.mean() - (a - b)),
            Mistake("You took the absolute value. Keep the sign.", lambda v, a, b: residual(v, a, b).abs()),
        ],
    ),
    Exercise(
        task=TASKS["00.3"],
        solution=strongest_pixel,
        mistakes=[
            Mistake(
                "A share can be strong and negative. You looked for the most positive one.",
                lambda v: torch.tensor(divmod(int(v.argmax()), v.shape[1])),
            ),
            Mistake("That is the flat index. Turn it into a row and a column.", lambda v: v.abs().argmax()),
            Mistake(
                "Row and column are swapped.",
                lambda v: torch.tensor(divmod(int(v.abs().argmax()), v.shape[1])[::-1]),
            ),
            Mistake("You counted from one; rows and columns count from zero.", lambda v: strongest_pixel(v) + 1),
        ],
    ),
]
