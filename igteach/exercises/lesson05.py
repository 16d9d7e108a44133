"""The checks of lesson 05: the trapezoid's weights, the error of shares, kinks on the path, exact IG between them."""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake


def _points(draw: torch.Generator) -> list[Case]:
    """Two points, where there are ends alone, and two numbers of more."""
    numbers = [2, *(3 + torch.randperm(10, generator=draw)[:2]).sort().values.tolist()]
    return [Case(f"{points} points", (points,)) for points in numbers]


def _answers(draw: torch.Generator) -> list[Case]:
    cases = []
    for shape in ((3,), (1, 6), (2, 4)):
        truth = torch.randn(shape, generator=draw).double()
        off = truth + 0.3 * torch.randn(shape, generator=draw).double()
        cases.append(Case(f"shares of shape {shape}", (off, truth)))
    return cases


def _layers(draw: torch.Generator) -> list[Case]:
    """Layers of 5 units: 3 switch on the path, one before it and one after it; every slip finds a kink, too."""
    cases: list[Case] = []
    while len(cases) < 3:
        weight, (x, baseline) = torch.randn(5, 3, generator=draw).double(), torch.randn(2, 3, generator=draw).double()
        places = torch.cat([torch.rand(3, generator=draw) * 0.8 + 0.1, torch.tensor([-0.4, 1.5])]).double()
        places = places[torch.randperm(5, generator=draw)]
        crossings = baseline + places[:, None] * (x - baseline)
        layer = weight, -(weight * crossings).sum(1), x, baseline
        if all(len(slip(*layer)) for slip in SLIPS.values()):
            cases.append(Case(f"layer {len(cases) + 1}", layer))
    return cases


def _networks(draw: torch.Generator) -> list[Case]:
    cases = []
    for case in _layers(draw):
        weight, bias, x, baseline = case.arguments
        outer = torch.randn(5, generator=draw).double()
        f = _one_hidden_layer(weight, bias, outer)
        cases.append(Case(case.words.replace("layer", "network"), (f, x[None], baseline[None], kinks(*case.arguments))))
    return cases


def _one_hidden_layer(weight: Tensor, bias: Tensor, outer: Tensor) -> Function:
    return lambda batch: torch.relu(batch @ weight.to(batch).T + bias.to(batch)) @ outer.to(batch)


def _gradients(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """At each alpha of the straight path: (alphas, features)."""
    points = (baseline + alphas[:, None] * (x - baseline)).requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def trapezoid_weights(n: int) -> Tensor:
    weights = torch.ones(n).double() / (n - 1)
    weights[0] /= 2
    weights[-1] /= 2
    return weights


def relative_error(values: Tensor, truth: Tensor) -> Tensor:
    return (values - truth).abs().sum() / truth.abs().sum()


def _crossings(weight: Tensor, bias: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
    """The alphas at which the units change sign, wherever they lie: (units,)."""
    return -(weight @ baseline + bias) / (weight @ (x - baseline))


def _on_the_way(alphas: Tensor) -> Tensor:
    return alphas[(alphas > 0) & (alphas < 1)].sort().values


def kinks(weight: Tensor, bias: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
    return _on_the_way(_crossings(weight, bias, x, baseline))


SLIPS: dict[str, Callable[..., Tensor]] = {
    "Your path begins at 0. It must begin at the baseline.": lambda w, b, x, start: kinks(w, b, x, 0 * x),
    "Your path ends at baseline + x. It must end at x: put alpha = 1 into it.": (
        lambda w, b, x, start: _on_the_way(-(w @ start + b) / (w @ x))
    ),
    "You left the bias out.": lambda w, b, x, start: kinks(w, 0 * b, x, start),
    "A sign is turned round: put one of your alphas in, and see whether its unit is 0 there.": lambda *layer: (
        _on_the_way(-_crossings(*layer))
    ),
    "Your path runs from x to the baseline.": lambda w, b, x, start: kinks(w, b, start, x),
}


def _between(ends: Tensor, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Length times the gradient in the middle, over the pieces between these ends."""
    return (x - baseline) * (ends.diff() @ _gradients(f, x, baseline, (ends[1:] + ends[:-1]) / 2))


def _whole(alphas: Tensor) -> Tensor:
    return torch.cat([torch.zeros(1).double(), alphas.double(), torch.ones(1).double()])


def exact_shares(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    return _between(_whole(alphas), f, x, baseline)


def _pieces_alike(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """The mean over the pieces, as if all had one length."""
    ends = _whole(alphas)
    return (x - baseline) * _gradients(f, x, baseline, (ends[1:] + ends[:-1]) / 2).mean(0)


EXERCISES = [
    Exercise(
        "05.1",
        trapezoid_weights,
        _points,
        [
            Mistake(
                "All your points count alike. An end of the path belongs to one piece, a point inside to two.",
                lambda n: torch.full((n,), 1 / n).double(),
            ),
            Mistake(
                "Your ends count in full. What do your weights add up to?",
                lambda n: torch.full((n,), 1 / (n - 1)).double(),
            ),
            Mistake(
                "What do your weights add up to? Count the pieces between n points.",
                lambda n: trapezoid_weights(n) * (n - 1) / n,
            ),
            Mistake(
                "Only one of the two ends counts half in yours.",
                lambda n: trapezoid_weights(n) + 0.5 * torch.eye(n).double()[-1] / (n - 1),
            ),
            Mistake(
                "Your weights do not add up to 1: each piece has a length.", lambda n: trapezoid_weights(n) * (n - 1)
            ),
        ],
    ),
    Exercise(
        "05.2",
        relative_error,
        _answers,
        [
            Mistake(
                "You added up with signs, so that errors cancel. That is the residual again.",
                lambda v, t: (v - t).sum() / t.sum(),
            ),
            Mistake(
                "You took the size after adding up, so that errors cancel. Take it before.",
                lambda v, t: (v - t).sum().abs() / t.abs().sum(),
            ),
            Mistake(
                "You compare sizes, so that a share of the wrong sign passes.",
                lambda v, t: (v.abs() - t.abs()).abs().sum() / t.abs().sum(),
            ),
            Mistake(
                "That is the error in units of F. Make it a part of the true shares.", lambda v, t: (v - t).abs().sum()
            ),
            Mistake(
                "You divide by the sum of the true shares, where those of opposite sign cancel. Add up their sizes.",
                lambda v, t: (v - t).abs().sum() / t.sum().abs(),
            ),
            Mistake(
                "You measure against the values in question. Measure against the truth.",
                lambda v, t: (v - t).abs().sum() / v.abs().sum(),
            ),
            Mistake("That is a Euclidean norm. Sizes are wanted, not squares.", lambda v, t: (v - t).norm() / t.norm()),
            Mistake(
                "You divided share by share, so that the error of a tiny share counts as much as that of a large one.",
                lambda v, t: ((v - t) / t).abs().mean(),
            ),
        ],
    ),
    Exercise(
        "05.3",
        kinks,
        _layers,
        [
            Mistake(
                "Some of yours do not lie on the path, which runs from 0 to 1.", lambda *a: _crossings(*a).sort().values
            ),
            Mistake("Some of yours do not lie on the path, which runs from 0 to 1; and sort them.", _crossings),
            Mistake(
                "Those are the right ones. Sort them.",
                lambda *a: _crossings(*a)[(_crossings(*a) > 0) & (_crossings(*a) < 1)],
            ),
            *(Mistake(message, slip) for message, slip in SLIPS.items()),
        ],
    ),
    Exercise(
        "05.4",
        exact_shares,
        _networks,
        [
            Mistake("Your pieces count alike. A long piece counts for more than a short one.", _pieces_alike),
            Mistake(
                "You left the path before the first kink out, and that after the last.",
                lambda f, x, b, alphas: _between(alphas, f, x, b),
            ),
            Mistake(
                "You left the path after the last kink out.",
                lambda f, x, b, alphas: _between(_whole(alphas)[:-1], f, x, b),
            ),
            Mistake(
                "You left the path before the first kink out.",
                lambda f, x, b, alphas: _between(_whole(alphas)[1:], f, x, b),
            ),
            Mistake(
                "That is the average gradient. How far did each feature go?",
                lambda f, x, b, alphas: exact_shares(f, x, b, alphas) / (x - b),
            ),
            Mistake(
                "You multiplied by x. Each feature went from the baseline to x.",
                lambda f, x, b, alphas: exact_shares(f, x, b, alphas) / (x - b) * x,
            ),
            Mistake(
                "You took the gradients at the kinks, where they jump. Take them between.",
                lambda f, x, b, alphas: (x - b) * (_whole(alphas).diff() @ _gradients(f, x, b, _whole(alphas)[:-1])),
            ),
            Mistake(
                "Your gradients are added up without the lengths of their pieces.",
                lambda f, x, b, alphas: _pieces_alike(f, x, b, alphas) * (len(alphas) + 1),
            ),
            Mistake(
                "You cut the path into pieces of one length. The kinks say where to cut.",
                lambda f, x, b, alphas: _between(torch.linspace(0, 1, len(alphas) + 2).double(), f, x, b),
            ),
            Mistake(
                "That is the sum over all features. Keep one share for each.",
                lambda f, x, b, alphas: exact_shares(f, x, b, alphas).sum(),
            ),
        ],
    ),
]
