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
    """Exercise 00.4: row and column of the pixel whose three shares add up to most, in absolute value."""
    return _place(values.sum(0).abs())


# Helpers of the solutions and of the mistakes


def _place(pixels: Tensor, row_length: int | None = None) -> Tensor:
    """Row and column of the largest number; the length of a row may be mistaken."""
    return torch.tensor(divmod(int(pixels.argmax()), row_length or pixels.shape[1]))


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
            Mistake(
                "You compared with an input of zeros. Compare with the baseline that you are given.",
                lambda f, x, b: (f(x) - f(0 * x))[0],
            ),
            Mistake("You added what the baseline scores; subtract it.", lambda f, x, b: (f(x) + f(b))[0]),
            Mistake(
                "You divided by what the baseline scores; the difference is wanted.", lambda f, x, b: (f(x) / f(b))[0]
            ),
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
            Mistake(
                "Mind the brackets: to subtract F(x) - F(x') is to subtract F(x) and to add F(x').",
                lambda v, a, b: v.sum() - a - b,
            ),
            Mistake("You subtracted F(x') - F(x); it is F(x) - F(x').", lambda v, a, b: v.sum() - (b - a)),
            Mistake("That is the sum of the values. How far is it from F(x) - F(x')?", lambda v, a, b: v.sum()),
            Mistake(
                "You divided by F(x) - F(x'). The residual is a difference, in the units of F.",
                lambda v, a, b: residual(v, a, b) / (a - b),
            ),
        ],
    ),
    Exercise(
        task=TASKS["00.4"],
        solution=strongest_pixel,
        mistakes=[
            Mistake(
                "You dropped the signs (absolute values or squares) before you added up the colours. "
                "Within a pixel, too, shares may cancel.",
                lambda v: _place(v.abs().sum(0)),
            ),
            Mistake(
                "That is the pixel with the strongest single colour. What do its three colours come to?",
                lambda v: _place(v.abs().amax(0)),
            ),
            Mistake("You looked at one of the three colours only.", lambda v: _place(v[0].abs())),
            Mistake(
                "A share can be strong and negative. You looked for the most positive one.",
                lambda v: _place(v.sum(0)),
            ),
            Mistake(
                "A share can be strong and positive. You looked for the most negative one.",
                lambda v: _place(-v.sum(0)),
            ),
            Mistake("That is the weakest pixel.", lambda v: _place(-v.sum(0).abs())),
            Mistake("That is the flat index. Turn it into a row and a column.", lambda v: v.sum(0).abs().argmax()),
            Mistake("Row and column are swapped.", lambda v: strongest_pixel(v).flip(0)),
            Mistake("You counted from one; rows and columns count from zero.", lambda v: strongest_pixel(v) + 1),
            Mistake(
                "The flat index counts through one row after another. How many pixels are there in a row?",
                lambda v: _place(v.sum(0).abs(), v.shape[1]),
            ),
            Mistake(
                "Those are the strongest row and the strongest column. The strongest pixel may lie elsewhere.",
                lambda v: torch.stack([v.sum(0).abs().sum(1).argmax(), v.sum(0).abs().sum(0).argmax()]),
            ),
        ],
    ),
]
