"""The checks of lesson 04: walking a path, Integrated Gradients, a path with corners."""

from itertools import pairwise

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients


def _curved(draw: torch.Generator) -> Function:
    inner, outer = torch.randn(3, 4, generator=draw).double(), torch.randn(4, generator=draw).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch)) @ outer.to(batch) + 0.7


def _walks(draw: torch.Generator) -> list[Case]:
    cases = []
    for number, steps in enumerate((2, 5, 8)):
        x, baseline = torch.randn(2, 1, 3, generator=draw).double()
        cases.append(Case(f"function {number + 1} with {steps} steps", (_curved(draw), x, baseline, steps)))
    return cases


def _paths(draw: torch.Generator) -> list[Case]:
    cases = []
    for number, stops in enumerate((3, 4, 6)):
        path = torch.randn(stops, 3, generator=draw).double()
        cases.append(Case(f"function {number + 1} and {stops} stops", (_curved(draw), path)))
    return cases


def _gradients(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """At each alpha of the straight path: (alphas, features)."""
    points = (baseline + alphas[:, None] * (x - baseline)).requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def _midpoints(steps: int) -> Tensor:
    return (torch.arange(steps).double() + 0.5) / steps


def _slopes(f: Function, points: Tensor) -> Tensor:
    points = points.clone().requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def walk(f: Function, stops: Tensor) -> Tensor:
    return (_slopes(f, (stops[1:] + stops[:-1]) / 2) * stops.diff(dim=0)).sum()


def integrated(f: Function, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    return (x - baseline) * _gradients(f, x, baseline, _midpoints(steps)).mean(0)


def along(f: Function, stops: Tensor) -> Tensor:
    return torch.cat([integrated(f, end[None], start[None], 64) for start, end in pairwise(stops)]).sum(0)


def _at(alphas: Tensor, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return (x - baseline) * _gradients(f, x, baseline, alphas).mean(0)


EXERCISES = [
    Exercise(
        "04.1",
        walk,
        _paths,
        [
            Mistake(
                "You used the slope at the end of the path for all. Each piece has its own slope, in its middle.",
                lambda f, p: (_slopes(f, p[-1:]) * (p[-1] - p[0])).sum(),
            ),
            Mistake(
                "You took the slope where each piece begins. Take it in the middle of the piece.",
                lambda f, p: (_slopes(f, p[:-1]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "You took the slope where each piece ends. Take it in the middle of the piece.",
                lambda f, p: (_slopes(f, p[1:]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "That is the true change. Add it up from slopes and pieces.", lambda f, p: (f(p[-1:]) - f(p[:1]))[0]
            ),
            Mistake(
                "You did not multiply by the piece that was walked.",
                lambda f, p: _slopes(f, (p[1:] + p[:-1]) / 2).sum(),
            ),
            Mistake(
                "Each slope belongs to its own piece, not to the whole distance from the first stop to the last.",
                lambda f, p: (_slopes(f, (p[1:] + p[:-1]) / 2) * (p[-1] - p[0])).sum(),
            ),
            Mistake("You averaged over the pieces; add them up.", lambda f, p: walk(f, p) / (len(p) - 1)),
            Mistake(
                "You walked the path backwards: a piece is where it ends less where it begins.",
                lambda f, p: -walk(f, p),
            ),
            Mistake("You took a size. The sign belongs to the answer.", lambda f, p: walk(f, p).abs()),
        ],
    ),
    Exercise(
        "04.2",
        integrated,
        _walks,
        [
            Mistake(
                "You averaged the gradients but did not multiply by x - baseline.",
                lambda f, x, b, n: _gradients(f, x, b, _midpoints(n)).mean(0, keepdim=True),
            ),
            Mistake(
                "You multiplied by x. The way that was walked is x - baseline.",
                lambda f, x, b, n: x * _gradients(f, x, b, _midpoints(n)).mean(0),
            ),
            Mistake("You added up the gradients; average them.", lambda f, x, b, n: n * integrated(f, x, b, n)),
            Mistake(
                "Your path runs from 0 to x. It must begin at the baseline.",
                lambda f, x, b, n: (x - b) * _gradients(f, x, 0 * b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "Your path runs backwards, or x and the baseline have changed places.",
                lambda f, x, b, n: integrated(f, b, x, n),
            ),
            Mistake(
                "You took one gradient, at x. Average the gradients along the way.",
                lambda f, x, b, n: _at(torch.ones(1).double(), f, x, b),
            ),
            Mistake(
                "You took sizes of gradients. Those of opposite sign must be able to cancel.",
                lambda f, x, b, n: (x - b) * _gradients(f, x, b, _midpoints(n)).abs().mean(0),
            ),
            Mistake(
                "That is the sum over all features. Keep one share for each.",
                lambda f, x, b, n: integrated(f, x, b, n).sum(),
            ),
            Mistake(
                "Close. Your alphas lie at the ends of the pieces; put them in the middle: (k + 1/2) / steps.",
                lambda f, x, b, n: _at(torch.arange(n).double() / n, f, x, b),
            ),
            Mistake(
                "Close. Your alphas lie at the right ends of the pieces; put them in the middle: (k + 1/2) / steps.",
                lambda f, x, b, n: _at((torch.arange(n).double() + 1) / n, f, x, b),
            ),
            Mistake(
                "Close. Your alphas run from 0 to 1, both ends counted in full; put them in the middles.",
                lambda f, x, b, n: _at(torch.linspace(0, 1, n).double(), f, x, b),
            ),
        ],
    ),
    Exercise(
        "04.3",
        along,
        _paths,
        [
            Mistake(
                "That is the straight path from the first stop to the last. Yours must pass through the others.",
                lambda f, p: integrated(f, p[-1:], p[:1], 64)[0],
            ),
            Mistake("You walked the first leg only.", lambda f, p: along(f, p[:2])),
            Mistake("You walked the last leg only.", lambda f, p: along(f, p[-2:])),
            Mistake(
                "Every leg counts in full: add the shares, do not average them.",
                lambda f, p: along(f, p) / (len(p) - 1),
            ),
            Mistake(
                "Your legs all start at the first stop. A leg starts where the one before it ended.",
                lambda f, p: torch.cat([integrated(f, end[None], p[:1], 64) for end in p[1:]]).sum(0),
            ),
            Mistake(
                "You walked the path backwards: look at which end of a leg is its baseline.", lambda f, p: -along(f, p)
            ),
            Mistake("That is the sum over all features. Keep one share for each.", lambda f, p: along(f, p).sum()),
        ],
        tools=(gradient, integrated_gradients),
    ),
]
