"""Lesson 08's cases: the reach of luck, black in a network's units, log odds, a map from windows."""

import torch

from igteach.exercises.checker import Case, Task


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
    large = 95 + 3 * torch.rand(2, 4, generator=rng)  # whose exponentials overflow
    large[:, 2] += torch.tensor([4.0, -4.0])
    return [*cases, Case("a class that is certain", (saturated, 0)), Case("large logits", (large, 2))]


def _stitched_cases(rng: torch.Generator) -> list[Case]:
    """Maps of windows, some of which overlap and leave a gap, with their places in a picture."""
    cases = []
    for height, width, side, tops, lefts in (
        (4, 6, 3, (0, 0, 1), (0, 1, 3)),
        (5, 5, 2, (0, 1, 1, 3), (0, 1, 2, 3)),
        (3, 7, 2, (0, 0, 1, 1, 1), (0, 1, 1, 4, 5)),
    ):
        maps = torch.randn(len(tops), side, side, generator=rng)
        corners = torch.tensor([tops, lefts]).T
        cases.append(Case(f"{len(tops)} windows of {side} by {side} pixels", (maps, corners, height, width)))
    return cases


TASKS = [
    Task("08.2", _reach_of_luck_cases),
    Task("08.3", _black_cases),
    Task("08.5", _stitched_cases),
    Task("08.4", _log_odds_cases),
]
