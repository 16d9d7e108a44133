"""Lesson 00's cases: the three numbers to look at first in any attribution."""

import torch

from igteach.exercises.cases.families import TanhUnit
from igteach.exercises.checker import Case, Task


def _to_share_cases(rng: torch.Generator) -> list[Case]:
    """Random functions of 4 features, each with an input and a baseline."""
    weights = torch.randn(3, 4, generator=rng)
    points = torch.randn(3, 2, 1, 4, generator=rng)
    cases = []
    for number in range(3):
        x, baseline = points[number]
        cases.append(
            Case(f"function {number + 1}", (TanhUnit(weights[number], torch.zeros(()), offset=1.0), x, baseline))
        )
    return cases


def _residual_cases(rng: torch.Generator) -> list[Case]:
    """Random shares, with F at the input and at the baseline."""
    cases = []
    for shape in ((4,), (3, 3), (2, 5)):
        values = torch.randn(shape, generator=rng)
        f_input, f_baseline = torch.randn(2, generator=rng).tolist()
        cases.append(Case(f"values of shape {shape}", (values, f_input, f_baseline)))
    return cases


def _strongest_pixel_cases(rng: torch.Generator) -> list[Case]:
    """Faint maps of three colours with a strongest pixel, three times negative and once positive.

    Two other pixels are misleading: one has the strongest single colour, the other has colours that cancel. And a whole
    row, elsewhere, is stronger in all than the row of the strongest pixel.
    """
    cases = []
    for rows, columns, share in ((3, 4, -9.0), (8, 8, -9.0), (5, 2, -9.0), (4, 6, 9.0)):
        values = 0.1 * torch.randn(3, rows, columns, generator=rng)
        places = torch.randperm(rows * columns, generator=rng).tolist()
        strongest, one_colour, cancelling = places[:3]
        elsewhere = (strongest // columns + 1) % rows
        values[:, elsewhere] += 1.7
        pixels = values.view(3, -1)
        colours = torch.randperm(3, generator=rng)
        pixels[:, strongest] = share / 3 * torch.tensor([1.1, 0.9, 1.0])
        pixels[:, one_colour] = torch.tensor([7.0, 0.1, -0.2])[colours]
        pixels[:, cancelling] = torch.tensor([5.5, -5.0, 0.0])[colours]
        cases.append(Case(f"a map of {rows} by {columns} pixels", (values,)))
    return cases


TASKS = [
    Task("00.1", _to_share_cases),
    Task("00.2", _residual_cases),
    Task("00.4", _strongest_pixel_cases),
]
