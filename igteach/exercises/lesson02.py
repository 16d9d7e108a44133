"""The checks of lesson 02: what the gradient leaves unexplained, occlusion, a scale-free sensitivity."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake


def _saturating(draw: torch.Generator) -> Function:
    weights = torch.rand(3, generator=draw) + 0.5
    shift = torch.randn((), generator=draw)
    return lambda batch: 2 * torch.tanh(batch @ weights.to(batch) + shift.to(batch))


def _falling(draw: torch.Generator) -> Function:
    rising = _saturating(draw)
    return lambda batch: 0.3 - rising(batch)


def _pairs(draw: torch.Generator) -> list[Case]:
    cases = []
    for number in range(3):
        f = _saturating(draw) if number else _falling(draw)
        x, baseline = torch.rand(2, 1, 3, generator=draw) * torch.tensor([1.5, -1.0]).view(2, 1, 1) + 0.2
        cases.append(Case(f"function {number + 1}", (f, x, baseline)))
    return cases


def _gradient(f: Function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def _change(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return (f(x) - f(baseline))[0]


def unexplained(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return _change(f, x, baseline) - (_gradient(f, x) * (x - baseline)).sum()


def occlusion(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return _replaced(f, x, x, baseline)


def _replaced(f: Function, x: Tensor, start: Tensor, filling: Tensor) -> Tensor:
    """F(x) - F(start with one feature taken from filling), for each feature: shape of x."""
    rows = start.repeat(x.shape[1], 1)
    rows.fill_diagonal_(0)
    rows += torch.diag(filling[0])
    return (f(x) - f(rows))[None]


def _one_after_another(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    rows = torch.stack([torch.cat([baseline[0, : i + 1], x[0, i + 1 :]]) for i in range(x.shape[1])])
    return (f(x) - f(rows))[None]


def scale_free(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return _gradient(f, x).norm() * (x - baseline).norm() / _change(f, x, baseline).abs()


EXERCISES = [
    Exercise(
        "02.1",
        unexplained,
        _pairs,
        [
            Mistake(
                "You have what the gradient explains. The question is what it leaves out of F(x) - F(x').",
                lambda f, x, b: (_gradient(f, x) * (x - b)).sum(),
            ),
            Mistake(
                "The sign is turned round: the change of F first, then what is explained.",
                lambda f, x, b: -unexplained(f, x, b),
            ),
            Mistake(
                "You multiplied the gradient by x; the way travelled is x - baseline.",
                lambda f, x, b: _change(f, x, b) - (_gradient(f, x) * x).sum(),
            ),
            Mistake(
                "You forgot what the baseline scores: the change is F(x) - F(x').",
                lambda f, x, b: f(x)[0] - (_gradient(f, x) * (x - b)).sum(),
            ),
            Mistake(
                "You took the gradient at the baseline; it is wanted at x.",
                lambda f, x, b: _change(f, x, b) - (_gradient(f, b) * (x - b)).sum(),
            ),
            Mistake("You took a size. The sign belongs to the answer.", lambda f, x, b: unexplained(f, x, b).abs()),
        ],
    ),
    Exercise(
        "02.2",
        occlusion,
        _pairs,
        [
            Mistake(
                "The sign is turned round: a feature that holds F up gets a positive share.",
                lambda f, x, b: -occlusion(f, x, b),
            ),
            Mistake(
                "You replaced the feature by 0. Replace it by its value in the baseline.",
                lambda f, x, b: _replaced(f, x, x, 0 * b),
            ),
            Mistake(
                "You kept the one feature and replaced the others; it is the other way round.",
                lambda f, x, b: _replaced(f, x, b, x),
            ),
            Mistake(
                "Each feature must be put back before the next one is replaced: start from x every time.",
                _one_after_another,
            ),
            Mistake(
                "You have F of the changed inputs. How far is that below F(x)?",
                lambda f, x, b: f(x)[0] - occlusion(f, x, b),
            ),
            Mistake("You took a size. The sign belongs to the answer.", lambda f, x, b: occlusion(f, x, b).abs()),
        ],
    ),
    Exercise(
        "02.3",
        scale_free,
        _pairs,
        [
            Mistake(
                "You left F(x) - F(x') out: multiply F by ten, and your number grows tenfold.",
                lambda f, x, b: _gradient(f, x).norm() * (x - b).norm(),
            ),
            Mistake(
                "You left the distance out: measure x in other units, and your number changes.",
                lambda f, x, b: _gradient(f, x).norm() / _change(f, x, b).abs(),
            ),
            Mistake(
                "You divided by F(x); divide by how much F changed.",
                lambda f, x, b: scale_free(f, x, b) * _change(f, x, b).abs() / f(x)[0].abs(),
            ),
            Mistake(
                "A norm is a length: take the square root of the sum of squares.",
                lambda f, x, b: _gradient(f, x).norm() ** 2 * (x - b).norm() ** 2 / _change(f, x, b).abs(),
            ),
            Mistake(
                "You added up sizes; the Euclidean norm is wanted.",
                lambda f, x, b: _gradient(f, x).abs().sum() * (x - b).abs().sum() / _change(f, x, b).abs(),
            ),
        ],
    ),
]
