"""Lesson 02's cases: what the gradient leaves out, occlusion, a scale-free sensitivity, where F does its work."""

import torch

from igteach.exercises.cases.families import SineNetwork, TanhUnit
from igteach.exercises.checker import Case, Task


def _saturating_cases(rng: torch.Generator) -> list[Case]:
    """A falling function and two rising ones, each with an input and a baseline.

    In double precision: where F is nearly flat, single precision would leave the right answer itself wrong.
    """
    cases = []
    for number in range(3):
        f = _saturating_function(rng, falls=number == 0)
        scales = torch.tensor([1.5, -1.0]).view(2, 1, 1)
        x, baseline = (torch.rand(2, 1, 3, generator=rng) * scales + 0.2).double()
        cases.append(Case(f"function {number + 1}", (f, x, baseline)))
    return cases


def _saturating_function(rng: torch.Generator, falls: bool) -> TanhUnit:
    """A function of 3 features that rises or falls, and levels off."""
    weight = (torch.rand(3, generator=rng) + 0.5).double()
    shift = torch.randn((), generator=rng).double()
    return TanhUnit(weight, shift, scale=-2.0, offset=0.3) if falls else TanhUnit(weight, shift, scale=2.0)


def _climbing_cases(rng: torch.Generator) -> list[Case]:
    """The saturating functions, two that swing (the second starts in the wrong direction), a late one, a fast one."""
    swinging = [_swinging_case(number, rng) for number in (4, 5)]
    return [*_saturating_cases(rng), *swinging, _late_case(rng), _fast_case(rng)]


def _swinging_case(number: int, rng: torch.Generator) -> Case:
    """A sine that goes through about one period: forwards, or backwards and with its sign flipped."""
    weight = torch.randn(3, 1, generator=rng).double()
    f = SineNetwork(weight, torch.tensor([2.0 if number == 4 else -2.0]).double())
    along, anywhere = weight.T / weight.square().sum(), torch.randn(2, 1, 3, generator=rng).double()
    period = 2 * torch.pi if number == 4 else -2 * torch.pi
    phases = 0.3 * torch.rand(1, generator=rng).double() - 0.1 + torch.tensor([[period + 0.9], [0.0]])
    x, baseline = anywhere - (anywhere @ weight - phases[:, :, None]) * along
    return Case(f"function {number}", (f, x, baseline))


def _late_case(rng: torch.Generator) -> Case:
    """A function that makes its change between alpha = 0.99 and x."""
    weight = torch.randn(3, generator=rng).double()
    f = TanhUnit(weight, torch.zeros(()).double(), offset=0.3)
    along, anywhere = weight / weight.square().sum(), torch.randn(2, 1, 3, generator=rng).double()
    heights = torch.tensor([0.9, -300.0]).double()
    x, baseline = anywhere - (anywhere @ weight - heights[:, None])[:, :, None] * along
    return Case("function 6", (f, x, baseline))


def _fast_case(rng: torch.Generator) -> Case:
    """A sine so fast that a hundredth of the path takes it from below 0.9 of its change to above 1.1."""
    weight = torch.randn(3, 1, generator=rng).double()
    along, anywhere = weight.T / weight.square().sum(), torch.randn(2, 1, 3, generator=rng).double()
    start = 0.1 * torch.rand(1, 1, generator=rng).double() - 1.7
    phases = torch.stack([torch.full_like(start, 12 * torch.pi - 0.728), start])
    x, baseline = anywhere - (anywhere @ weight - phases) * along
    return Case("function 7", (SineNetwork(weight, torch.ones(1).double()), x, baseline))


TASKS = [
    Task("02.1", _saturating_cases),
    Task("02.2", _saturating_cases),
    Task("02.3", _saturating_cases),
    Task("02.4", _climbing_cases),
]
