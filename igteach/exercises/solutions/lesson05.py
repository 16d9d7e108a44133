"""Lesson 05's solutions and mistakes: kinks on the path, exact IG between them, an error without the truth."""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import gradients_on_line, input_gradient

# Solutions


def kinks(weight: Tensor, bias: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 05.2: the alphas between 0 and 1 at which a unit of a ReLU layer switches, sorted."""
    return _inside_path(_crossings(weight, bias, x, baseline))


def exact_shares(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """Exercise 05.3: exact IG of a piecewise linear network whose kinks are known."""
    return _sum_over_pieces(_with_path_ends(alphas), f, x, baseline)


def remaining_error(coarse: Tensor, middle: Tensor, fine: Tensor) -> Tensor:
    """Exercise 05.4: the L1 error of the finest of three answers, each with twice the steps of the one before."""
    return _moved(middle, fine) / (_fall(coarse, middle, fine) - 1)


# Helpers of the solutions and of the mistakes


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """How far the shares moved: the sum of the absolute changes."""
    return (after - before).abs().sum()


def _fall(coarse: Tensor, middle: Tensor, fine: Tensor) -> Tensor:
    """By what factor the error falls if the steps are doubled."""
    return _moved(coarse, middle) / _moved(middle, fine)


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


def _slopes_at(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor, points: Tensor) -> Tensor:
    """IG from the gradients at one point a piece, weighted by the lengths of the pieces."""
    return (x - baseline) * (_with_path_ends(alphas).diff() @ input_gradient(f, points))


def _middles(alphas: Tensor) -> Tensor:
    """The middle of each piece, (pieces, 1)."""
    ends = _with_path_ends(alphas)
    return ((ends[1:] + ends[:-1]) / 2)[:, None]


def _times_alpha(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """IG from gradients that were taken with respect to x: each has its alpha as a factor."""
    ends, middles = _with_path_ends(alphas), _middles(alphas)
    return (x - baseline) * (ends.diff() @ (middles * gradients_on_line(f, x, baseline, middles[:, 0])))


def _rising_kinks(weight: Tensor, bias: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
    """The kinks of the units that switch on."""
    rising = weight @ (x - baseline) > 0
    return kinks(weight[rising], bias[rising], x, baseline)


def _unsorted_kinks(*layer: Tensor) -> Tensor:
    """The kinks in the order of the units."""
    alphas = _crossings(*layer)
    return alphas[(alphas > 0) & (alphas < 1)]


# Answers to exercise 05.2, by the message that tells what is wrong with them.
KINK_MISTAKES: dict[str, Callable[..., Tensor]] = {
    "Some of your alphas do not lie on the path, which runs from 0 to 1.": lambda *a: _crossings(*a).sort().values,
    "Some of your alphas do not lie on the path, which runs from 0 to 1. Drop them, and sort the rest.": _crossings,
    "Those are the right alphas. Sort them.": _unsorted_kinks,
    "Those are the right alphas, from last to first. Sort them upwards.": lambda *a: kinks(*a).flip(0),
    "Those are places in a list. sort() returns values and indices: take the values.": (
        lambda *a: _unsorted_kinks(*a).sort().indices.double()
    ),
    "You kept alphas beyond 1, where the path has ended.": lambda *a: _crossings(*a)[_crossings(*a) > 0].sort().values,
    "You kept alphas below 0, before the path begins.": lambda *a: _crossings(*a)[_crossings(*a) < 1].sort().values,
    "You kept 0 or 1, where a unit is 0 at an end of the path. Keep what lies strictly between.": (
        lambda *a: _crossings(*a)[(_crossings(*a) >= 0) & (_crossings(*a) <= 1)].sort().values
    ),
    "0 and 1 are not to be added: keep only alphas at which a unit passes through 0, strictly between the ends.": (
        lambda *a: _with_path_ends(kinks(*a))
    ),
    "Your path begins at 0. It must begin at the baseline.": lambda w, b, x, baseline: kinks(w, b, x, 0 * x),
    "Your path ends at baseline + x. It must end at x: try alpha = 1.": (
        lambda w, b, x, baseline: _inside_path(-(w @ baseline + b) / (w @ x))
    ),
    "You left out the bias.": lambda w, b, x, baseline: kinks(w, 0 * b, x, baseline),
    "You counted the bias in what changes along the path, too. It stays the same from x' to x.": (
        lambda w, b, x, baseline: _inside_path(-(w @ baseline + b) / (w @ (x - baseline) + b))
    ),
    "A sign is flipped: put one of your alphas in, and see whether its unit is 0 there.": lambda *layer: _inside_path(
        -_crossings(*layer)
    ),
    "You divided the wrong way round: put one of your alphas in, and see whether its unit is 0 there.": (
        lambda *layer: _inside_path(1 / _crossings(*layer))
    ),
    "Your path runs from x to the baseline.": lambda w, b, x, baseline: kinks(w, b, baseline, x),
    "Those are the units that switch on. Where a unit switches off there is a kink as well.": _rising_kinks,
    "You began at x. The path begins at the baseline.": lambda w, b, x, baseline: _inside_path(
        -(w @ x + b) / (w @ (x - baseline))
    ),
    "Where the path begins a unit is not its bias, but weight @ baseline + bias.": lambda w, b, x, baseline: (
        _inside_path(-b / (w @ (x - baseline)))
    ),
    "sort() returns values and indices, and you return both. Take the values.": lambda *a: torch.stack(
        [*(each.double() for each in _unsorted_kinks(*a).sort())]
    ),
    "That is how many kinks there are. Where are they?": lambda *layer: torch.tensor(float(len(kinks(*layer)))),
    "Those are points of the path. Their alphas are wanted.": (
        lambda w, b, x, baseline: baseline + kinks(w, b, x, baseline)[:, None] * (x - baseline)
    ),
}
# Answers to exercise 05.3 that take each piece's gradient in the wrong place.
MISPLACED_GRADIENTS: dict[str, Callable[..., Tensor]] = {
    "You took the gradients at the kinks, where they jump. Take them in between.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, b + _with_path_ends(a)[:-1, None] * (x - b))
    ),
    "You took each gradient where its piece ends, at a kink. Take it in the middle of the piece.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, b + _with_path_ends(a)[1:, None] * (x - b))
    ),
    "Half the length of a piece is not its middle: the piece does not begin at 0.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, b + _with_path_ends(a).diff()[:, None] / 2 * (x - b))
    ),
    "Your points do not begin at the baseline: you took alpha times the displacement, and added no baseline.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, _middles(a) * (x - b))
    ),
    "Your points lie between 0 and x. The path begins at the baseline.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, _middles(a) * x)
    ),
    "Your points begin at x and lead away from the baseline.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, x + _middles(a) * (x - b))
    ),
    "Your points run from x to the baseline, while the alphas count from the baseline.": (
        lambda f, x, b, a: _slopes_at(f, x, b, a, x + _middles(a) * (b - x))
    ),
}


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["05.2"],
        solution=kinks,
        mistakes=[Mistake(message, answer) for message, answer in KINK_MISTAKES.items()],
    ),
    Exercise(
        task=TASKS["05.3"],
        solution=exact_shares,
        mistakes=[
            *(Mistake(message, answer) for message, answer in MISPLACED_GRADIENTS.items()),
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
                "The sign is flipped: each feature went from the baseline to x.",
                lambda f, x, b, alphas: -exact_shares(f, x, b, alphas),
            ),
            Mistake(
                "You differentiated with respect to x, so each gradient has a factor alpha. Differentiate with respect "
                "to the points.",
                _times_alpha,
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
            Mistake(
                "Those are the shares of single pieces. Add them up.",
                lambda f, x, b, alphas: (
                    (x - b)
                    * _with_path_ends(alphas).diff()[:, None]
                    * gradients_on_line(f, x, b, _middles(alphas)[:, 0])
                ),
            ),
        ],
    ),
    Exercise(
        task=TASKS["05.4"],
        solution=remaining_error,
        mistakes=[
            Mistake(
                "That is how far the last doubling moved the shares. How far is there still to go?",
                lambda coarse, middle, fine: _moved(middle, fine),
            ),
            Mistake(
                "You halved the last change, whatever the shares do. See how fast these shares settle.",
                lambda coarse, middle, fine: _moved(middle, fine) / 2,
            ),
            Mistake(
                "You took for granted that each doubling leaves a quarter of the error. See how fast these shares "
                "settle.",
                lambda coarse, middle, fine: _moved(middle, fine) / 3,
            ),
            Mistake(
                "That is how far the next doubling would move the shares. Others would follow: add up all that is to "
                "come.",
                lambda coarse, middle, fine: _moved(middle, fine) / _fall(coarse, middle, fine),
            ),
            Mistake(
                "That is the error of the second answer. The last one has had another doubling.",
                lambda coarse, middle, fine: _moved(coarse, middle) / (_fall(coarse, middle, fine) - 1),
            ),
            Mistake(
                "That is the error of the first answer. The last one has had two doublings more.",
                lambda coarse, middle, fine: (
                    _moved(coarse, middle) ** 2 / _moved(middle, fine) / (_fall(coarse, middle, fine) - 1)
                ),
            ),
            Mistake(
                "Your ratio of the two changes is upside down, so your error is negative.",
                lambda coarse, middle, fine: _moved(middle, fine) / (1 / _fall(coarse, middle, fine) - 1),
            ),
            Mistake(
                "That is by what factor the error falls. The error itself is wanted.",
                lambda coarse, middle, fine: _fall(coarse, middle, fine),
            ),
            Mistake(
                "You added up the changes with their signs, so they cancel. Take absolute values before you add up.",
                lambda coarse, middle, fine: (
                    (fine - middle).sum().abs() / ((middle - coarse).sum() / (fine - middle).sum() - 1)
                ),
            ),
            Mistake(
                "That is how far the shares moved from the first answer to the last. How far is there still to go?",
                lambda coarse, middle, fine: _moved(coarse, fine),
            ),
            Mistake(
                "Those are the shares that you expect after all doublings. How far from them is the last answer?",
                lambda coarse, middle, fine: fine + (fine - middle) / (_fall(coarse, middle, fine) - 1),
            ),
            Mistake(
                "You divided by the sum of the finest |shares|. The error itself is wanted, not a fraction.",
                lambda coarse, middle, fine: remaining_error(coarse, middle, fine) / fine.abs().sum(),
            ),
            Mistake(
                "You took norms, roots of sums of squares. Add up absolute values.",
                lambda coarse, middle, fine: (
                    (fine - middle).norm() / ((middle - coarse).norm() / (fine - middle).norm() - 1)
                ),
            ),
            Mistake(
                "You averaged over the shares. Add their absolute errors up.",
                lambda coarse, middle, fine: remaining_error(coarse, middle, fine) / fine.numel(),
            ),
        ],
    ),
]
