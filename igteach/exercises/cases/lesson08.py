"""Lesson 08's cases: the fraction inside a mask, the reach of luck, black in a network's units, log odds."""

import torch

from igteach.exercises.checker import Case, Task


def _inside_cases(rng: torch.Generator) -> list[Case]:
    """Random maps of three colours, each with a random mask."""
    cases = []
    for height, width in ((4, 5), (6, 6), (5, 8)):
        values = torch.randn(3, height, width, generator=rng) + 0.3
        mask = torch.rand(height, width, generator=rng) < 0.4
        mask[1, 1], mask[2, 2] = True, False
        cases.append(Case(f"a map of {height} by {width} pixels", (values, mask)))
    return cases


def _reach_of_luck_cases(rng: torch.Generator) -> list[Case]:
    """Scores of pictures, each with 400 redraws of their indices."""
    cases = []
    for pictures in (10, 25, 60):
        scores = torch.rand(pictures, generator=rng) ** 3
        draws = torch.randint(pictures, (400, pictures), generator=rng)
        cases.append(Case(f"{pictures} pictures", (scores, draws)))
    return cases


def _black_cases(rng: torch.Generator) -> list[Case]:
    """Means and standard deviations of the colours, each with the height and width of a picture."""
    cases = []
    for height, width in ((2, 3), (4, 4), (5, 2)):
        mean, deviation = (0.3 + 0.4 * torch.rand(3, generator=rng) for _ in range(2))
        cases.append(Case(f"pictures of {height} by {width}", (mean, deviation, height, width)))
    return cases


def _log_odds_cases(rng: torch.Generator) -> list[Case]:
    """Random logits, each with a target that is neither the first nor the last class."""
    cases = []
    for rows, classes in ((1, 4), (3, 5), (2, 10)):
        target = 1 + int(torch.randint(classes - 2, (1,), generator=rng))
        cases.append(Case(f"{classes} classes", (2 * torch.randn(rows, classes, generator=rng), target)))
    saturated = torch.tensor([[40.0, 0.0, -1.0], [-60.0, 0.0, 45.0]])  # probabilities of 1 to the last digit, and of 0
    return [*cases, Case("a class that is certain", (saturated, 0))]


TASKS = [
    Task("08.1", _inside_cases),
    Task("08.2", _reach_of_luck_cases),
    Task("08.3", _black_cases),
    Task("08.4", _log_odds_cases),
]
