"""Lesson 12's solutions and mistakes.

Rank correlation, a picture without its first pixels, the strongest window, a proof.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def rank_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Exercise 12.1: Spearman's rank correlation of two maps."""
    return _cosine(_centred(_ranks(a)), _centred(_ranks(b)))


def without_first(x: Tensor, values: Tensor, reference: Tensor, k: int) -> Tensor:
    """Exercise 12.2: the picture with its k most important pixels replaced by the reference."""
    return _replace_largest(x, reference, values.sum(0), k)


def strongest_window(maps: Tensor, size: int) -> Tensor:
    """Exercise 12.3: row and column of the window with the largest mean of absolute shares."""
    return torch.tensor(_strongest_window_of(maps.sum(1).abs().mean(0), size))


def proof(as_is: Tensor, without: Tensor, inserted: Tensor, y: Tensor, label: int) -> Tensor:
    """Exercise 12.4: how often the class is predicted: as it is, without the mark, and with it inserted into others."""
    own = y == label
    return _hit_rates(as_is[own] == label, without[own] == label, inserted[~own] == label)


# Helpers of the solutions and of the mistakes


def _ranks(a: Tensor) -> Tensor:
    return a.argsort().argsort().double()


def _centred(a: Tensor) -> Tensor:
    return a - a.mean()


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum() / (a.norm() * b.norm())


def _replace_largest(x: Tensor, reference: Tensor, importance: Tensor, k: int) -> Tensor:
    """x with the k most important places replaced; importance is (height, width), or (3, height, width) by colour."""
    flat = importance.flatten()
    is_replaced = torch.zeros_like(flat, dtype=torch.bool)
    is_replaced[flat.topk(k).indices] = True
    return torch.where(is_replaced.view_as(importance), reference, x)


def _strongest_window_of(strength: Tensor, size: int) -> tuple[int, int]:
    """Row and column of the window with the largest mean."""
    means = avg_pool2d(strength[None], size, stride=1)[0]
    return divmod(int(means.argmax()), means.shape[1])


def _shifted_window(maps: Tensor, size: int, by: float) -> Tensor:
    return strongest_window(maps, size) + by


def _hit_rates(*hits: Tensor) -> Tensor:
    """The fraction of hits in each of these."""
    return torch.stack([of_one_kind.double().mean() for of_one_kind in hits])


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
        ],
    ),
    Exercise(
        task=TASKS["12.2"],
        solution=without_first,
        mistakes=[
            Mistake("You took the least important first.", lambda x, values, r, k: without_first(x, -values, r, k)),
            Mistake(
                "You ranked by magnitude. A pixel that speaks against the answer goes last.",
                lambda x, values, r, k: _replace_largest(x, r, values.sum(0).abs(), k),
            ),
            Mistake(
                "You chose colours one by one. A pixel goes as a whole, by the sum over its colours.",
                lambda x, values, r, k: _replace_largest(x, r, values, k),
            ),
            Mistake(
                "You kept only the first k pixels, and the rest is gone: that is a point on the insertion curve.",
                lambda x, values, r, k: without_first(r, values, x, k),
            ),
            Mistake(
                "You blackened the pixels. They should become those of the reference.",
                lambda x, values, r, k: without_first(x, values, torch.zeros_like(r), k),
            ),
            Mistake("Nothing was replaced. Change a copy, and return that.", lambda x, values, r, k: x),
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
                lambda maps, size: torch.tensor(_strongest_window_of(maps.sum(1).abs().mean(0), 1)),
            ),
            Mistake("That is column before row.", lambda maps, size: strongest_window(maps, size).flip(0)),
            Mistake(
                "That is the middle of the window. Its upper left pixel is asked for.",
                lambda maps, size: _shifted_window(maps, size, size // 2),
            ),
            Mistake(
                "You divided by the width of the picture. The table of windows is narrower.",
                lambda maps, size: torch.tensor(
                    divmod(int(avg_pool2d(maps.sum(1).abs().mean(0)[None], size, stride=1)[0].argmax()), maps.shape[3])
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
        ],
    ),
]
