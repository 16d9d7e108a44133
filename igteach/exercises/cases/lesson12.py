"""Lesson 12's cases: rank correlation, a deletion curve, the strongest window, a proof."""

import torch
from torch import Tensor

from igteach.exercises.cases.families import TanhNetwork
from igteach.exercises.checker import Case, Task


def _rank_correlation_cases(rng: torch.Generator) -> list[Case]:
    """Pairs of maps that agree in part; in the second pair, large in the one is small in the other."""
    cases = []
    for places, slope in ((6, 0.7), (9, -1.5), (15, 0.7)):
        a = torch.randn(places, generator=rng).double()
        b = (slope * a + torch.randn(places, generator=rng)).exp()
        cases.append(Case(f"two maps of {places} places", (a, b)))
    return cases


def _deletion_curve_cases(rng: torch.Generator) -> list[Case]:
    """Networks that read a table, with a row of it, the shares of its features, and a reference."""
    cases = []
    for features in (4, 5, 7):
        f = TanhNetwork(torch.randn(features, 4, generator=rng).double(), torch.randn(4, generator=rng).double())
        x, shares, reference = torch.randn(3, 1, features, generator=rng).double()
        cases.append(Case(f"a row of {features} features", (f, x, shares, reference)))
    return cases


def _strongest_window_cases(rng: torch.Generator) -> list[Case]:
    """Maps that share a strong window of mixed signs, and eight windows that a known mistake finds stronger."""
    cases = []
    for pictures, size in ((4, 2), (6, 3), (5, 4)):
        height, width = 3 * (size + 1), 3 * (size + 1) + 2
        maps = torch.randn(pictures, 3, height, width, generator=rng)
        for patch, cell in zip(_patches(pictures, size), torch.randperm(9, generator=rng).tolist(), strict=True):
            shift_down, shift_right = torch.randint(2, (2,), generator=rng).tolist()
            row, column = cell // 3 * (size + 1) + shift_down, cell % 3 * (size + 1) + shift_right
            maps[:, :, row : row + size, column : column + size] += patch
        cases.append(Case(f"{pictures} maps of {height} by {width} pixels, windows of {size}", (maps, size)))
    return cases


def _patches(pictures: int, size: int) -> list[Tensor]:
    """(pictures, 3, size, size) each: the strongest window, then a decoy for each way of missing it."""
    of_picture = 1 - 2 * (torch.arange(pictures) % 2).view(-1, 1, 1, 1)  # for in one picture, against in the next
    of_pixel = 1 - 2 * ((torch.arange(size)[:, None] + torch.arange(size)) % 2)
    strongest = 4.0 * of_picture * of_pixel.expand(pictures, 3, size, size)
    nothing = torch.zeros_like(strongest)
    by_signs, one_pixel, cancelling, first_colour = (nothing.clone() for _ in range(4))
    for_it, against_it, first, last = (nothing.clone() for _ in range(4))
    by_signs += 3.0 * of_picture
    one_pixel[:, :, 0, 0] = 9.0 * of_picture[..., 0, 0]
    cancelling += torch.tensor([0.0, 9.0, -9.0]).view(3, 1, 1)
    first_colour += torch.tensor([6.0, -5.0, -1.0]).view(3, 1, 1)
    for_it[1:3], against_it[1:3] = 4.0, -5.0
    first[0], last[-1] = 5.0, -7.0
    return [strongest, by_signs, one_pixel, cancelling, first_colour, for_it, against_it, first, last]


def _proof_cases(rng: torch.Generator) -> list[Case]:
    """Predictions for the same pictures: as they are, without the mark, and with it inserted."""
    cases = []
    for pictures, classes in ((24, 3), (40, 4), (60, 5)):
        label = 1 + int(torch.randint(classes - 1, (1,), generator=rng))
        y = torch.randint(classes, (pictures,), generator=rng)
        y[:4] = label
        y[4:8] = 0
        as_is, without, inserted = (_predictions(y, classes, wrong, label, rng) for wrong in (0.2, 0.7, 0.6))
        cases.append(Case(f"{pictures} pictures of {classes} classes", (as_is, without, inserted, y, label)))
    return cases


def _predictions(y: Tensor, classes: int, fraction_wrong: float, label: int, rng: torch.Generator) -> Tensor:
    """Predictions of which about this fraction was drawn at random: in half of these, it is the label."""
    is_label = torch.rand(len(y), generator=rng) < 0.5
    other_guess = torch.randint(classes, y.shape, generator=rng)
    guess = torch.where(is_label, torch.tensor(label), other_guess)
    is_guessed = torch.rand(len(y), generator=rng) < fraction_wrong
    return torch.where(is_guessed, guess, y)


TASKS = [
    Task("12.1", _rank_correlation_cases),
    Task("12.5", _deletion_curve_cases),
    Task("12.3", _strongest_window_cases),
    Task("12.4", _proof_cases),
]
