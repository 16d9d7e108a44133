"""Lesson 12's cases: rank correlation, a picture without its first pixels, the strongest window, a proof."""

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Task


def _rank_correlation_cases(rng: torch.Generator) -> list[Case]:
    """Pairs of maps that agree in part."""
    cases = []
    for places in (6, 9, 15):
        a = torch.randn(places, generator=rng).double()
        b = (0.7 * a + torch.randn(places, generator=rng)).exp()
        cases.append(Case(f"two maps of {places} places", (a, b)))
    return cases


def _without_first_cases(rng: torch.Generator) -> list[Case]:
    """Random pictures, each with a map, a reference and a number of pixels."""
    cases = []
    for height, width, k in ((3, 4, 3), (5, 5, 7), (4, 6, 10)):
        x, reference = torch.rand(2, 3, height, width, generator=rng)
        values = torch.randn(3, height, width, generator=rng)
        cases.append(Case(f"{k} pixels of {height} by {width}", (x, values, reference, k)))
    return cases


def _strongest_window_cases(rng: torch.Generator) -> list[Case]:
    """Maps that share a strong window, with decoys for the known mistakes."""
    cases = []
    for pictures, height, width, size in ((4, 6, 9, 2), (6, 8, 7, 3), (5, 9, 12, 4)):
        maps = torch.randn(pictures, 3, height, width, generator=rng)
        row = 1 + int(torch.randint(height - size - 1, (1,), generator=rng))
        column = 1 + int(torch.randint(width - size - 1, (1,), generator=rng))
        sign = 1 - 2 * (torch.arange(pictures) % 2).view(-1, 1, 1, 1)  # for in one picture, against in the next
        maps[:, :, row : row + size, column : column + size] += 2.5 * sign
        maps[:, :, 0, 0] += 5.0  # one strong pixel
        maps[0, :, -size:, -size:] += 6.0  # windows that are strong in one picture alone
        maps[-1, :, :size, -size:] += 6.0
        maps[:, :, -size:, :size] += torch.tensor([6.0, -6.0, 0.0]).view(1, 3, 1, 1)  # colours that cancel
        cases.append(Case(f"{pictures} maps of {height} by {width} pixels, windows of {size}", (maps, size)))
    return cases


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
    Task("12.2", _without_first_cases),
    Task("12.3", _strongest_window_cases),
    Task("12.4", _proof_cases),
]
