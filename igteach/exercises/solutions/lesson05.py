"""Lesson 05's solutions and mistakes: the error of shares, kinks on the path, exact IG between them."""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import gradients_on_line

# Solutions


def error_of_shares(values: Tensor, truth: Tensor) -> Tensor:
    """Exercise 05.1: the L1 error of the shares, relative to the L1 norm of the true ones."""
    return (values - truth).abs().sum() / truth.abs().sum()


def kinks(weight: Tensor, bias: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 05.2: the alphas between 0 and 1 at which a unit of a ReLU layer switches, sorted."""
    return _inside_path(_crossings(weight, bias, x, baseline))


def exact_shares(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """Exercise 05.3: exact IG of a piecewise linear network whose kinks are known."""
    return _sum_over_pieces(_with_path_ends(alphas), f, x, baseline)


# Helpers of the solutions and of the mistakes


def _crossings(weight: Tensor, bias: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
    """The alphas at which the units change sign, inside or outside the path: (units,)."""
    return -(weight @ baseline + bias) / (weight @ (x - baseline))


def _inside_path(alphas: Tensor) -> Tensor:
    """The alphas between 0 and 1, sorted."""
    return alphas[(alphas > 0) & (alphas < 1)].sort().values


def _sum_over_pieces(ends: Tensor, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG from the gradient in the middle of each piece, weighted by its length; `ends` are where pieces meet."""
    middles = (ends[1:] + ends[:-1]) / 2
    return (x - baseline) * (ends.diff() @ gradients_on_line(f, x, baseline, middles))


def _with_path_ends(alphas: Tensor) -> Tensor:
    """The alphas with 0 before them and 1 after them."""
    return torch.cat([torch.zeros(1).double(), alphas.double(), torch.ones(1).double()])


def _with_equal_weights(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """IG as if all pieces were equally long."""
    ends = _with_path_ends(alphas)
    middles = (ends[1:] + ends[:-1]) / 2
    return (x - baseline) * gradients_on_line(f, x, baseline, middles).mean(0)


# Answers to exercise 05.2, by the message that tells what is wrong with them.
KINK_MISTAKES: dict[str, Callable[..., Tensor]] = {
    "Your path begins at 0. It must begin at the baseline.": lambda w, b, x, baseline: kinks(w, b, x, 0 * x),
    "Your path ends at baseline + x. It must end at x: try alpha = 1.": (
        lambda w, b, x, baseline: _inside_path(-(w @ baseline + b) / (w @ x))
    ),
    "You left out the bias.": lambda w, b, x, baseline: kinks(w, 0 * b, x, baseline),
    "A sign is flipped: put one of your alphas in, and see whether its unit is 0 there.": lambda *layer: _inside_path(
        -_crossings(*layer)
    ),
    "Your path runs from x to the baseline.": lambda w, b, x, baseline: kinks(w, b, baseline, x),
}


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["05.1"],
        solution=error_of_shares,
        mistakes=[
            Mistake(
                "You added up with signs, so errors cancel. That is the residual again.",
                lambda v, t: (v - t).sum() / t.sum(),
            ),
            Mistake(
                "You took the absolute value after adding up, so errors cancel. Take it before.",
                lambda v, t: (v - t).sum().abs() / t.abs().sum(),
            ),
            Mistake(
                "You compare absolute values, so a share of the wrong sign passes.",
                lambda v, t: (v.abs() - t.abs()).abs().sum() / t.abs().sum(),
            ),
            Mistake(
                "That is the error in units of F. Make it a fraction of the true shares.",
                lambda v, t: (v - t).abs().sum(),
            ),
            Mistake(
                "You divide by the sum of the true shares, where opposite signs cancel. Add up their absolute values.",
                lambda v, t: (v - t).abs().sum() / t.sum().abs(),
            ),
            Mistake(
                "You measure against the values in question. Measure against the truth.",
                lambda v, t: (v - t).abs().sum() / v.abs().sum(),
            ),
            Mistake(
                "That is a Euclidean norm. Absolute values are wanted, not squares.",
                lambda v, t: (v - t).norm() / t.norm(),
            ),
            Mistake(
                "You divided share by share, so the error of a tiny share counts as much as that of a large one.",
                lambda v, t: ((v - t) / t).abs().mean(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["05.2"],
        solution=kinks,
        mistakes=[
            Mistake(
                "Some of your alphas do not lie on the path, which runs from 0 to 1.",
                lambda *a: _crossings(*a).sort().values,
            ),
            Mistake(
                "Some of your alphas do not lie on the path, which runs from 0 to 1. Drop them, and sort the rest.",
                _crossings,
            ),
            Mistake(
                "Those are the right alphas. Sort them.",
                lambda *a: _crossings(*a)[(_crossings(*a) > 0) & (_crossings(*a) < 1)],
            ),
            *(Mistake(message, answer) for message, answer in KINK_MISTAKES.items()),
        ],
    ),
    Exercise(
        task=TASKS["05.3"],
        solution=exact_shares,
        mistakes=[
            Mistake(
                "Your pieces all count the same. A long piece counts for more than a short one.", _with_equal_weights
            ),
            Mistake(
                "You left out the path before the first kink, and the path after the last.",
                lambda f, x, b, alphas: _sum_over_pieces(alphas, f, x, b),
            ),
            Mistake(
                "You left out the path after the last kink.",
                lambda f, x, b, alphas: _sum_over_pieces(_with_path_ends(alphas)[:-1], f, x, b),
            ),
            Mistake(
                "You left out the path before the first kink.",
                lambda f, x, b, alphas: _sum_over_pieces(_with_path_ends(alphas)[1:], f, x, b),
            ),
            Mistake(
                "That is the average gradient. How far did each feature go?",
                lambda f, x, b, alphas: exact_shares(f, x, b, alphas) / (x - b),
            ),
            Mistake(
                "You multiplied by x. Each feature went from the baseline to x.",
                lambda f, x, b, alphas: exact_shares(f, x, b, alphas) / (x - b) * x,
            ),
            Mistake(
                "You took the gradients at the kinks, where they jump. Take them in between.",
                lambda f, x, b, alphas: (
                    (x - b)
                    * (_with_path_ends(alphas).diff() @ gradients_on_line(f, x, b, _with_path_ends(alphas)[:-1]))
                ),
            ),
            Mistake(
                "You added up the gradients without the lengths of their pieces.",
                lambda f, x, b, alphas: _with_equal_weights(f, x, b, alphas) * (len(alphas) + 1),
            ),
            Mistake(
                "You cut the path into pieces of equal length. The kinks say where to cut.",
                lambda f, x, b, alphas: _sum_over_pieces(torch.linspace(0, 1, len(alphas) + 2).double(), f, x, b),
            ),
            Mistake(
                "That is the sum over all features. Keep one share for each.",
                lambda f, x, b, alphas: exact_shares(f, x, b, alphas).sum(),
            ),
        ],
    ),
]
