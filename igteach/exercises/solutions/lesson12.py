"""Lesson 12's solutions and mistakes.

Rank correlation, a deletion curve, the strongest window, a proof.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def rank_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Exercise 12.1: Spearman's rank correlation of two maps."""
    return _cosine(_centred(_ranks(a)), _centred(_ranks(b)))


def strongest_window(maps: Tensor, size: int) -> Tensor:
    """Exercise 12.3: row and column of the window with the largest mean of absolute shares."""
    return torch.tensor(_strongest_window_of(_strength(maps), size))


def proof(as_is: Tensor, without: Tensor, inserted: Tensor, y: Tensor, label: int) -> Tensor:
    """Exercise 12.4: how often the class is predicted: as it is, without the mark, and with it inserted into others."""
    own = y == label
    return _hit_rates(as_is[own] == label, without[own] == label, inserted[~own] == label)


def deletion_curve(f: Function, x: Tensor, shares: Tensor, reference: Tensor) -> Tensor:
    """Exercise 12.5: F as the features of a row are replaced, one after another, the largest share first."""
    return _curve(f, x, reference, shares[0].argsort(descending=True))


# Helpers of the solutions and of the mistakes


def _ranks(a: Tensor) -> Tensor:
    return a.argsort().argsort().double()


def _centred(a: Tensor) -> Tensor:
    return a - a.mean()


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum() / (a.norm() * b.norm())


def _curve(f: Function, x: Tensor, reference: Tensor, order: Tensor) -> Tensor:
    """(features + 1,), F as the features are replaced in this order."""
    is_replaced = order.argsort() < torch.arange(len(order) + 1)[:, None]
    return f(torch.where(is_replaced, reference, x)).detach()


def _one_at_a_time(f: Function, x: Tensor, shares: Tensor, reference: Tensor) -> Tensor:
    """F with each feature alone replaced, the largest share first; before these, F at x."""
    is_replaced = torch.eye(x.shape[1])[shares[0].argsort(descending=True)].bool()
    return torch.cat([f(x), f(torch.where(is_replaced, reference, x))]).detach()


def _strongest_window_of(strength: Tensor, size: int) -> tuple[int, int]:
    """Row and column of the window with the largest mean."""
    return _strongest_in(avg_pool2d(strength[None], size, stride=1)[0])


def _strongest_in(means: Tensor) -> tuple[int, int]:
    """Row and column of the largest number of a table."""
    return divmod(int(means.argmax()), means.shape[1])


def _strength(maps: Tensor) -> Tensor:
    """(height, width), the mean over the pictures of the absolute shares."""
    return maps.sum(1).abs().mean(0)


def _strongest_of_any_picture(maps: Tensor, size: int) -> Tensor:
    """The window with the largest mean in a single picture."""
    means = avg_pool2d(maps.sum(1).abs(), size, stride=1)
    return torch.tensor(_strongest_in(means.amax(0)))


def _shifted_window(maps: Tensor, size: int, by: float) -> Tensor:
    return strongest_window(maps, size) + by


def _hit_rates(*hits: Tensor) -> Tensor:
    """The fraction of hits in each of these."""
    return torch.stack([of_one_kind.double().mean() for of_one_kind in hits])


def _but(place: int, other: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The answer to 12.4 with another number at one place."""

    def answer(*given: Any) -> Tensor:
        return torch.stack([other(*given) if number == place else rate for number, rate in enumerate(proof(*given))])

    return answer


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["12.1"],
        solution=rank_correlation,
        mistakes=[
            Mistake(
                "That is the correlation of the values. Use their ranks instead.",
                lambda a, b: _cosine(_centred(a), _centred(b)),
            ),
            Mistake(
                "argsort lists which place comes first, second, third. The rank of a place is where it stands in that "
                "list.",
                lambda a, b: _cosine(_centred(a.argsort().double()), _centred(b.argsort().double())),
            ),
            Mistake(
                "You did not subtract the mean rank, so even a reversed order seems to agree.",
                lambda a, b: _cosine(_ranks(a), _ranks(b)),
            ),
            Mistake(
                "You ranked magnitudes. Signs count here: what was for the answer and is now against it has moved.",
                lambda a, b: rank_correlation(a.abs(), b.abs()),
            ),
            Mistake("One of your orders is reversed.", lambda a, b: -rank_correlation(a, b)),
            Mistake(
                "Divide by both lengths. Yours grows with the number of places.",
                lambda a, b: (_centred(_ranks(a)) * _centred(_ranks(b))).sum(),
            ),
            Mistake(
                "You dropped the sign. Two maps in opposite order do not agree: -1.",
                lambda a, b: rank_correlation(a, b).abs(),
            ),
            Mistake("You squared the correlation.", lambda a, b: rank_correlation(a, b).square()),
            Mistake(
                "You sorted the values. Then nobody knows which place they were from.",
                lambda a, b: _cosine(_centred(a.sort().values), _centred(b.sort().values)),
            ),
            Mistake("You ranked the first map only.", lambda a, b: _cosine(_centred(_ranks(a)), _centred(b))),
            Mistake("You ranked the second map only.", lambda a, b: _cosine(_centred(a), _centred(_ranks(b)))),
            Mistake(
                "That is the correlation of a map with itself. The one of both stands beside the diagonal.",
                lambda a, b: torch.ones(()),
            ),
            Mistake(
                "That is the fraction of places with the same rank. In a correlation a rank that is off by one still "
                "counts nearly in full.",
                lambda a, b: (_ranks(a) == _ranks(b)).double().mean(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["12.5"],
        solution=deletion_curve,
        mistakes=[
            Mistake(
                "You replaced each feature alone. What is replaced stays replaced when the next one follows.",
                _one_at_a_time,
            ),
            Mistake(
                "After the first your rows are all the same: one tensor, changed again and again. Clone before each "
                "change.",
                lambda f, x, v, r: torch.cat([f(x), f(r).expand(x.shape[1])]),
            ),
            Mistake("You took the least important first.", lambda f, x, v, r: deletion_curve(f, x, -v, r)),
            Mistake(
                "You ranked by magnitude. A feature that speaks against the answer goes last.",
                lambda f, x, v, r: deletion_curve(f, x, v.abs(), r),
            ),
            Mistake(
                "You began with the reference and put features back: that is the insertion curve.",
                lambda f, x, v, r: deletion_curve(f, r, v, x),
            ),
            Mistake(
                "You set the features to zero. They should become those of the reference.",
                lambda f, x, v, r: deletion_curve(f, x, v, 0 * r),
            ),
            Mistake(
                "Your curve begins after the first feature is gone. It begins with F(x).",
                lambda f, x, v, r: deletion_curve(f, x, v, r)[1:],
            ),
            Mistake(
                "Your curve ends one feature early. It ends when all of them are replaced.",
                lambda f, x, v, r: deletion_curve(f, x, v, r)[:-1],
            ),
            Mistake(
                "You replaced the features in the order of the table. The shares say in which order.",
                lambda f, x, v, r: _curve(f, x, r, torch.arange(x.shape[1])),
            ),
            Mistake(
                "You took the ranks for the order. argsort lists which feature goes first, second, third.",
                lambda f, x, v, r: _curve(f, x, r, v[0].argsort(descending=True).argsort()),
            ),
            Mistake(
                "That is how far F falls. The curve holds F itself.",
                lambda f, x, v, r: f(x) - deletion_curve(f, x, v, r),
            ),
            Mistake(
                "You subtracted shares from F(x). They give the order only: ask f.",
                lambda f, x, v, r: (
                    f(x) - torch.cat([torch.zeros(1).to(v), v[0].sort(descending=True).values.cumsum(0)])
                ),
            ),
            Mistake(
                "You divided by F(x). The curve holds F itself.",
                lambda f, x, v, r: deletion_curve(f, x, v, r) / f(x),
            ),
            Mistake(
                "That is one number, a mean of the curve. All of its points are asked for.",
                lambda f, x, v, r: deletion_curve(f, x, v, r).mean(),
            ),
            Mistake(
                "Your curve runs backwards: F(x) comes first.", lambda f, x, v, r: deletion_curve(f, x, v, r).flip(0)
            ),
            Mistake(
                "You changed the same row again and again, and so all points are the last one. Keep copies: .clone().",
                lambda f, x, v, r: f(r).repeat(x.shape[1] + 1),
            ),
        ],
    ),
    Exercise(
        task=TASKS["12.3"],
        solution=strongest_window,
        mistakes=[
            Mistake(
                "You kept the signs, and what speaks for the class in one picture cancels what speaks against it in "
                "another. Take absolute values before the mean over pictures.",
                lambda maps, size: torch.tensor(_strongest_window_of(maps.sum(1).mean(0).abs(), size)),
            ),
            Mistake(
                "You took absolute values colour by colour. First add up the colours of a pixel.",
                lambda maps, size: torch.tensor(_strongest_window_of(maps.abs().sum(1).mean(0), size)),
            ),
            Mistake(
                "That is the strongest single pixel. A window is judged by its mean.",
                lambda maps, size: torch.tensor(_strongest_window_of(_strength(maps), 1)),
            ),
            Mistake(
                "You took no absolute values. A window that speaks against the class is strong, too.",
                lambda maps, size: torch.tensor(_strongest_window_of(maps.sum(1).mean(0), size)),
            ),
            Mistake(
                "You took absolute values after the mean over a window, in which signs cancel. Take them pixel by "
                "pixel.",
                lambda maps, size: torch.tensor(_strongest_in(avg_pool2d(maps.sum(1), size, stride=1).abs().mean(0))),
            ),
            Mistake(
                "You looked at one colour. First add up the colours of a pixel.",
                lambda maps, size: strongest_window(maps[:, :1], size),
            ),
            Mistake(
                "You looked at the first picture alone. Average over the pictures.",
                lambda maps, size: strongest_window(maps[:1], size),
            ),
            Mistake(
                "That window is strong in one picture alone. Take the mean over the pictures first.",
                _strongest_of_any_picture,
            ),
            Mistake(
                "Your windows stand side by side. A window may begin at every pixel: stride=1.",
                lambda maps, size: torch.tensor(_strongest_in(avg_pool2d(_strength(maps)[None], size)[0])),
            ),
            Mistake(
                "Your windows begin at multiples of their size. A window may begin at every pixel.",
                lambda maps, size: size * torch.tensor(_strongest_in(avg_pool2d(_strength(maps)[None], size)[0])),
            ),
            Mistake(
                "That is the lower right pixel of the window. Its upper left one is asked for.",
                lambda maps, size: _shifted_window(maps, size, size - 1),
            ),
            Mistake(
                "That is the weakest window.",
                lambda maps, size: torch.tensor(_strongest_in(-avg_pool2d(_strength(maps)[None], size, stride=1)[0])),
            ),
            Mistake("That is column before row.", lambda maps, size: strongest_window(maps, size).flip(0)),
            Mistake(
                "That is the middle of the window: did you pad? Its upper left pixel is asked for.",
                lambda maps, size: _shifted_window(maps, size, size // 2),
            ),
            Mistake(
                "Your windows are 8 pixels wide, whatever `size` says.",
                lambda maps, size: strongest_window(maps, 8),
            ),
            Mistake(
                "You divided by the width of the picture. The table of windows is narrower.",
                lambda maps, size: torch.tensor(
                    divmod(int(avg_pool2d(_strength(maps)[None], size, stride=1)[0].argmax()), maps.shape[3])
                ),
            ),
        ],
    ),
    Exercise(
        task=TASKS["12.4"],
        solution=proof,
        mistakes=[
            Mistake(
                "You computed accuracies over all pictures. The first two numbers are about the class alone.",
                lambda a, w, i, y, label: _hit_rates(a == y, w == y, i == y),
            ),
            Mistake(
                "Your third number counts the pictures of the class as well. They had the mark before; leave them out.",
                lambda a, w, i, y, label: torch.cat([proof(a, w, i, y, label)[:2], _hit_rates(i == label)]),
            ),
            Mistake(
                "Your third number says how often the others were still right. How often are they called the class?",
                lambda a, w, i, y, label: torch.cat([proof(a, w, i, y, label)[:2], _hit_rates((i == y)[y != label])]),
            ),
            Mistake(
                "Your first two numbers take all answers that name the class, whatever the truth. Take the pictures "
                "that are of the class.",
                lambda a, w, i, y, label: torch.cat([_hit_rates(a == label, w == label), proof(a, w, i, y, label)[2:]]),
            ),
            Mistake(
                "Those are counts. Divide each by the number of pictures it is about.",
                lambda a, w, i, y, label: (
                    proof(a, w, i, y, label) * torch.stack([(y == label).sum(), (y == label).sum(), (y != label).sum()])
                ),
            ),
            Mistake(
                "Without and inserted are the wrong way round.",
                lambda a, w, i, y, label: proof(a, i, w, y, label),
            ),
            Mistake(
                "Your second number is the fraction lost. Say how many are still found without the mark.",
                _but(1, lambda a, w, i, y, label: (w != label)[y == label].double().mean()),
            ),
            Mistake(
                "Your second number is the fall from the first. Say how many are found without the mark.",
                _but(1, lambda a, w, i, y, label: ((a == label).double() - (w == label).double())[y == label].mean()),
            ),
            Mistake(
                "Your third number says how often the others were wrong. How often are they called the class?",
                _but(2, lambda a, w, i, y, label: (i != y)[y != label].double().mean()),
            ),
            Mistake(
                "You divided by all pictures. The first two numbers are about those of the class, the third about the "
                "others.",
                lambda a, w, i, y, label: _hit_rates(
                    (a == label) & (y == label), (w == label) & (y == label), (i == label) & (y != label)
                ),
            ),
            Mistake(
                "You counted how often the class is named among all pictures. The first two numbers are about those of "
                "the class, the third about the others.",
                lambda a, w, i, y, label: _hit_rates(a == label, w == label, i == label),
            ),
            Mistake(
                "Your third number is about the pictures of the class. Is it the mark that makes the others look like "
                "it?",
                _but(2, lambda a, w, i, y, label: (i == label)[y == label].double().mean()),
            ),
            Mistake(
                "Your second number is about the others. Without the mark, how many of the class are still found?",
                _but(1, lambda a, w, i, y, label: (w == label)[y != label].double().mean()),
            ),
            Mistake(
                "You subtracted from the third number what was called the class before. The rate itself is asked for.",
                _but(2, lambda a, w, i, y, label: ((i == label).double() - (a == label).double())[y != label].mean()),
            ),
            Mistake(
                "Your third number says how many of the others are not called the class. How many are?",
                _but(2, lambda a, w, i, y, label: (i != label)[y != label].double().mean()),
            ),
            Mistake(
                "Your third number leaves out others that were called the class before. All of the others count.",
                _but(2, lambda a, w, i, y, label: (i == label)[(y != label) & (a != label)].double().mean()),
            ),
            Mistake(
                "Your second number is about those of the class that were found before. All of the class count.",
                _but(1, lambda a, w, i, y, label: (w == label)[(y == label) & (a == label)].double().mean()),
            ),
            Mistake(
                "You took the pictures that the network calls the class for those of the class. What they are, y says.",
                lambda a, w, i, y, label: proof(a, w, i, a, label),
            ),
            Mistake(
                "Those are precisions: of the pictures called the class, how many are of it. Start from the truth.",
                lambda a, w, i, y, label: _hit_rates(
                    (y == label)[a == label], (y == label)[w == label], (y != label)[i == label]
                ),
            ),
        ],
    ),
]
