"""Lesson 05's cases: kinks on the path, exact IG between them, an error without the truth."""

import torch
from torch import Tensor

from igteach.exercises.cases.families import ReluNetwork
from igteach.exercises.checker import Case, Task


def _remaining_error_cases(rng: torch.Generator) -> list[Case]:
    """Shares with n, 2n and 4n steps of rules whose error falls by some factor with each doubling."""
    cases = []
    for shape, factor in (((3,), 2.0), ((1, 6), 4.0), ((2, 4), 2.8)):
        truth, off = torch.randn(2, *shape, generator=rng).double()
        shares = [truth + off / factor**doublings for doublings in range(3)]
        cases.append(Case(f"shares of shape {shape}", tuple(shares)))
    return cases


def _kinks_cases(rng: torch.Generator) -> list[Case]:
    """Layers of 5 units: 3 have their kink on the path, one before it and one after it; in one layer at its ends."""
    cases = [Case(f"layer {number}", _layer_with_kinks(rng)[:4]) for number in (1, 2, 3)]
    weight = (torch.randint(1, 4, (3, 2), generator=rng) / 4).double()  # sums of eighths are exact
    x, baseline = torch.tensor([2.0, 3.0]).double(), torch.tensor([-1.0, 1.0]).double()
    stops = torch.stack([baseline, x, (x + baseline) / 2])
    return [*cases, Case("a layer with kinks at both ends", (weight, -(weight * stops).sum(1), x, baseline))]


def _exact_shares_cases(rng: torch.Generator) -> list[Case]:
    """ReLU networks with one hidden layer, each with an input, a baseline and the kinks between them."""
    cases = []
    for number in (1, 2, 3):
        weight, bias, x, baseline, alphas = _layer_with_kinks(rng)
        f = ReluNetwork(weight, bias, torch.randn(5, generator=rng).double())
        cases.append(Case(f"network {number}", (f, x[None], baseline[None], alphas)))
    return cases


def _layer_with_kinks(rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Weight, bias, x, baseline and the sorted alphas of 3 units' kinks; the other 2 switch at -0.4 and at 1.5."""
    weight = torch.randn(5, 3, generator=rng).double()
    x, baseline = torch.randn(2, 3, generator=rng).double()
    alphas = (torch.rand(3, generator=rng) * 0.8 + 0.1).double()
    of_units = torch.cat([alphas, torch.tensor([-0.4, 1.5]).double()])[torch.randperm(5, generator=rng)]
    crossings = baseline + of_units[:, None] * (x - baseline)
    bias = -(weight * crossings).sum(1)
    return weight, bias, x, baseline, alphas.sort().values


TASKS = [
    Task("05.2", _kinks_cases),
    Task("05.3", _exact_shares_cases),
    Task("05.4", _remaining_error_cases),
]
