"""Lesson 02's solutions and mistakes: what the gradient leaves out, occlusion, steepness, where F does its work."""

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


def nearly_there(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 02.4: the first alpha at which F has made nine tenths of its change."""
    return _first_alpha(_made(f, x, baseline) > 0.9)


# Helpers of the solutions and of the mistakes


def _on_the_path(f: Function, x: Tensor, baseline: Tensor, points: int = 101) -> Tensor:
    """F at equally spaced points of the straight path: (points,)."""
    return f(baseline + torch.linspace(0, 1, points)[:, None].double() * (x - baseline))


def _made(f: Function, x: Tensor, baseline: Tensor, points: int = 101) -> Tensor:
    """Which fraction of its change F has made at each of them."""
    return (_on_the_path(f, x, baseline, points) - f(baseline)) / (f(x) - f(baseline))


def _of_its_range(values: Tensor) -> Tensor:
    """The values, from 0 for the lowest to 1 for the highest."""
    return (values - values.min()) / (values.max() - values.min())


def _first_alpha(arrived: Tensor) -> Tensor:
    """The alpha of the first point that has arrived; 0 if none has."""
    return arrived.int().argmax().double() / 100


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
            Mistake(
                "What the slopes explain is added, not subtracted. Mind the brackets, and from where to where x moved.",
                lambda f, x, b: _change_of_f(f, x, b) + (input_gradient(f, x) * (x - b)).sum(),
            ),
            Mistake("That is the whole change of F. Subtract what the slopes explain of it.", _change_of_f),
            Mistake(
                "You subtracted slopes. A slope explains nothing before it is multiplied by a displacement.",
                lambda f, x, b: _change_of_f(f, x, b) - input_gradient(f, x).sum(),
            ),
            Mistake(
                "You added up slopes and displacements, and then multiplied. Multiply feature by feature first.",
                lambda f, x, b: _change_of_f(f, x, b) - input_gradient(f, x).sum() * (x - b).sum(),
            ),
            Mistake(
                "You averaged over the features. Their contributions add up.",
                lambda f, x, b: _change_of_f(f, x, b) - (input_gradient(f, x) * (x - b)).mean(),
            ),
            Mistake(
                "You divided by the change of F. What is unexplained is wanted in the units of F.",
                lambda f, x, b: unexplained(f, x, b) / _change_of_f(f, x, b),
            ),
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
            Mistake(
                "You compared x with itself. Is what you changed a copy? .clone() makes one.",
                lambda f, x, b: 0 * x,
            ),
            Mistake(
                "You switched features on, from the baseline. Switch them off, from x.",
                lambda f, x, b: -_loss_by_replacing(f, b, b, x),
            ),
            Mistake(
                "You replaced all features at once; replace one at a time.",
                lambda f, x, b: _change_of_f(f, x, b) * torch.ones_like(x),
            ),
            Mistake(
                "You compared with the step before. Compare every time with the whole x, with nothing else replaced.",
                lambda f, x, b: _cumulative_occlusion(f, x, b).diff(prepend=torch.zeros(1, 1)),
            ),
            Mistake(
                "You divided by how far the feature moved. A fall is in the units of F.",
                lambda f, x, b: occlusion(f, x, b) / (x - b),
            ),
            Mistake(
                "You moved the feature by its value in the baseline. Put that value in its place.",
                lambda f, x, b: _loss_by_replacing(f, x, x, x - b),
            ),
            Mistake(
                "That is gradient times displacement. Occlusion needs no gradient: it asks F itself.",
                lambda f, x, b: input_gradient(f, x) * (x - b),
            ),
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
            Mistake(
                "Divide by how much F changed, not by its sign as well: the ratio is never negative.",
                lambda f, x, b: scale_free(f, x, b) * _change_of_f(f, x, b).sign(),
            ),
            Mistake("The ratio is upside down.", lambda f, x, b: 1 / scale_free(f, x, b)),
            Mistake(
                "You divided by the distance; multiply by it, or the ratio has a unit.",
                lambda f, x, b: scale_free(f, x, b) / (x - b).norm() ** 2,
            ),
            Mistake(
                "You multiplied slopes by displacements. Here each of the two is measured first, by its own norm.",
                lambda f, x, b: (input_gradient(f, x) * (x - b)).sum().abs() / _change_of_f(f, x, b).abs(),
            ),
            Mistake(
                "You took the norm of a product. Here each of the two is measured by its own norm.",
                lambda f, x, b: (input_gradient(f, x) * (x - b)).norm() / _change_of_f(f, x, b).abs(),
            ),
            Mistake(
                "You took the norm of x. The distance is from x' to x.",
                lambda f, x, b: input_gradient(f, x).norm() * x.norm() / _change_of_f(f, x, b).abs(),
            ),
            Mistake(
                "You took the gradient at the baseline; it is wanted at x.",
                lambda f, x, b: input_gradient(f, b).norm() * (x - b).norm() / _change_of_f(f, x, b).abs(),
            ),
            Mistake(
                "You subtracted two norms. The distance is the norm of the difference.",
                lambda f, x, b: scale_free(f, x, b) * (x.norm() - b.norm()) / (x - b).norm(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["02.4"],
        solution=nearly_there,
        mistakes=[
            Mistake(
                "You waited for nine tenths of F(x). What counts is its change from F(x').",
                lambda f, x, b: _first_alpha(_on_the_path(f, x, b) > 0.9 * f(x)),
            ),
            Mistake(
                "That holds where F rises. Where it falls, its change is negative, and so is what it has made of it.",
                lambda f, x, b: _first_alpha(_on_the_path(f, x, b) - f(b) > 0.9 * _change_of_f(f, x, b)),
            ),
            Mistake(
                "You took the absolute value of what is made. On its way F may first go in the wrong direction.",
                lambda f, x, b: _first_alpha(_made(f, x, b).abs() > 0.9),
            ),
            Mistake(
                "Your path is baseline + alpha * x, which ends beyond x.",
                lambda f, x, b: _first_alpha((_on_the_path(f, x + b, b) - f(b)) / _change_of_f(f, x, b) > 0.9),
            ),
            Mistake("That is an index. Which alpha stands there?", lambda f, x, b: 100 * nearly_there(f, x, b)),
            Mistake(
                "Your path starts at 0. It must start at the baseline.",
                lambda f, x, b: _first_alpha(
                    ((_on_the_path(f, x, 0 * b) - f(b)) / _change_of_f(f, x, b)) > 0.9,
                ),
            ),
            Mistake(
                "Your path runs backwards: alpha is 0 at the baseline.",
                lambda f, x, b: _first_alpha(_made(f, x, b).flip(0) > 0.9),
            ),
            Mistake("You count from x; alpha is 0 at the baseline.", lambda f, x, b: 1 - nearly_there(f, x, b)),
            Mistake(
                "That is the last alpha at which F is not there. It may come, leave and come again: the first counts.",
                lambda f, x, b: (_made(f, x, b) <= 0.9).nonzero().max().double() / 100,
            ),
            Mistake(
                "You waited until F was close to F(x). It may overshoot: it has made nine tenths as soon as it is past "
                "them.",
                lambda f, x, b: _first_alpha((_made(f, x, b) - 1).abs() <= 0.1),
            ),
            Mistake(
                "That is where F is nearest to nine tenths of its change. Find the first alpha where it has made them.",
                lambda f, x, b: (_made(f, x, b) - 0.9).abs().argmin().double() / 100,
            ),
            Mistake(
                "You counted alphas. F may fall back after it has arrived: find the first alpha.",
                lambda f, x, b: (_made(f, x, b) <= 0.9).sum().double() / 100,
            ),
            Mistake(
                "A search by halves expects numbers that only rise. F may fall back: find the first alpha.",
                lambda f, x, b: torch.searchsorted(_made(f, x, b), 0.9).double() / 100,
            ),
            Mistake(
                "From there on F stays. It may have arrived before, and left again: the first alpha counts.",
                lambda f, x, b: ((_made(f, x, b) <= 0.9).nonzero().max() + 1).double() / 100,
            ),
            Mistake(
                "You took nine tenths of F's range on the path. F may overshoot: what counts is F(x) - F(x').",
                lambda f, x, b: _first_alpha(_of_its_range(_on_the_path(f, x, b)) > 0.9),
            ),
            Mistake(
                "You took nine tenths of the highest F on the path. What counts is the change from F(x') to F(x).",
                lambda f, x, b: _first_alpha(_on_the_path(f, x, b) > 0.9 * _on_the_path(f, x, b).max()),
            ),
            Mistake(
                "You tried 100 alphas from 0 to 1, and they are no hundredths. Try 101.",
                lambda f, x, b: _first_alpha(_made(f, x, b, points=100) > 0.9) * 100 / 99,
            ),
            Mistake(
                "You left out alpha = 1, and F may arrive there.",
                lambda f, x, b: _first_alpha(_made(f, x, b)[:-1] > 0.9),
            ),
            Mistake(
                "There a tenth of the change is made. Nine tenths are wanted.",
                lambda f, x, b: _first_alpha(_made(f, x, b) > 0.1),
            ),
            Mistake(
                "That is the last alpha before F has made nine tenths. The first after it is wanted.",
                lambda f, x, b: nearly_there(f, x, b) - 0.01,
            ),
        ],
    ),
]
