"""The checks of lesson 04: walking in small steps, Integrated Gradients, a path with a corner."""

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.scores import Function


def _curved(draw: torch.Generator) -> Function:
    inner, outer = torch.randn(3, 4, generator=draw).double(), torch.randn(4, generator=draw).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch)) @ outer.to(batch) + 0.7


def _walks(draw: torch.Generator) -> list[Case]:
    cases = []
    for number, steps in enumerate((2, 5, 8)):
        x, baseline = torch.randn(2, 1, 3, generator=draw).double()
        cases.append(Case(f"function {number + 1} with {steps} steps", (_curved(draw), x, baseline, steps)))
    return cases


def _corners(draw: torch.Generator) -> list[Case]:
    cases = []
    for number in range(3):
        baseline, corner, x = torch.randn(3, 1, 3, generator=draw).double()
        cases.append(Case(f"function {number + 1}", (_curved(draw), baseline, corner, x)))
    return cases


def _gradients(f: Function, x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    """At each alpha of the straight path: (alphas, features)."""
    points = (baseline + alphas[:, None] * (x - baseline)).requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def _midpoints(steps: int) -> Tensor:
    return (torch.arange(steps).double() + 0.5) / steps


def walk(f: Function, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    return integrated(f, x, baseline, steps).sum()


def integrated(f: Function, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    return (x - baseline) * _gradients(f, x, baseline, _midpoints(steps)).mean(0)


def with_corner(f: Function, baseline: Tensor, corner: Tensor, x: Tensor) -> Tensor:
    return integrated(f, corner, baseline, 64) + integrated(f, x, corner, 64)


def _at(alphas: Tensor, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return (x - baseline) * _gradients(f, x, baseline, alphas).mean(0)


EXERCISES = [
    Exercise(
        "04.1",
        walk,
        _walks,
        [
            Mistake(
                "You used the slope at the end for every piece. Each piece has its own slope, in its middle.",
                lambda f, x, b, n: _at(torch.ones(1).double(), f, x, b).sum(),
            ),
            Mistake(
                "You took the slope where each piece begins. Take it in the middle of the piece.",
                lambda f, x, b, n: _at(torch.arange(n).double() / n, f, x, b).sum(),
            ),
            Mistake(
                "You took the slope where each piece ends. Take it in the middle of the piece.",
                lambda f, x, b, n: _at((torch.arange(n).double() + 1) / n, f, x, b).sum(),
            ),
            Mistake(
                "Each slope is multiplied by its own piece of the way, and a piece is the n-th part of x - baseline.",
                lambda f, x, b, n: n * walk(f, x, b, n),
            ),
            Mistake("That is the true change. Add it up from slopes and pieces.", lambda f, x, b, n: (f(x) - f(b))[0]),
            Mistake(
                "You did not multiply by the piece of the way that was walked.",
                lambda f, x, b, n: _gradients(f, x, b, _midpoints(n)).sum(),
            ),
            Mistake("You took a size. The sign belongs to the answer.", lambda f, x, b, n: walk(f, x, b, n).abs()),
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
            Mistake("That is the sum over all features. Keep one share for each.", walk),
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
        with_corner,
        _corners,
        [
            Mistake(
                "That is the straight path. Yours must pass through the corner.",
                lambda f, b, c, x: integrated(f, x, b, 64),
            ),
            Mistake("You walked the first leg only.", lambda f, b, c, x: integrated(f, c, b, 64)),
            Mistake("You walked the second leg only.", lambda f, b, c, x: integrated(f, x, c, 64)),
            Mistake(
                "Both legs count in full: add the shares of the two legs, do not average them.",
                lambda f, b, c, x: with_corner(f, b, c, x) / 2,
            ),
            Mistake(
                "Your second leg starts at the baseline again. It starts where the first one ended.",
                lambda f, b, c, x: integrated(f, c, b, 64) + integrated(f, x, b, 64),
            ),
            Mistake(
                "One leg runs backwards: look at which end is its baseline.",
                lambda f, b, c, x: integrated(f, c, b, 64) - integrated(f, x, c, 64),
            ),
        ],
    ),
]
