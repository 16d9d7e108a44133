"""Lesson 04's solutions and mistakes: walking a path, Integrated Gradients, the shares of strokes."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import gradients_on_line, input_gradient
from igteach.methods.integrated_gradients import integrated_gradients

# Solutions


def walk(f: Function, stops: Tensor) -> Tensor:
    """Exercise 04.1: F at the last stop minus F at the first, from the slope in the middle of each piece."""
    middles = (stops[1:] + stops[:-1]) / 2
    return (input_gradient(f, middles) * stops.diff(dim=0)).sum()


def my_integrated_gradients(f: Function, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """Exercise 04.2: Integrated Gradients along the straight path, by the midpoint rule."""
    return (x - baseline) * gradients_on_line(f, x, baseline, _midpoints(steps)).mean(0)


def stroke_shares(f: Function, baseline: Tensor, strokes: Tensor) -> Tensor:
    """Exercise 04.4: Integrated Gradients of the amounts of strokes."""
    return strokes @ gradients_on_line(f, _drawn(baseline, strokes), baseline, _midpoints(64)).mean(0)


# Helpers of the solutions and of the mistakes


def _midpoints(steps: int) -> Tensor:
    """The alphas in the middle of equal steps."""
    return (torch.arange(steps).double() + 0.5) / steps


def _ig_at(alphas: Tensor, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Integrated Gradients from the mean gradient at these alphas."""
    return (x - baseline) * gradients_on_line(f, x, baseline, alphas).mean(0)


def _drawn(baseline: Tensor, strokes: Tensor) -> Tensor:
    """The baseline plus all strokes."""
    return baseline + strokes.sum(0)


def _pixel_shares(f: Function, baseline: Tensor, strokes: Tensor) -> Tensor:
    """Integrated Gradients of the features: (features,)."""
    return my_integrated_gradients(f, _drawn(baseline, strokes), baseline, 64)[0]


def _equal_weights(strokes: Tensor) -> Tensor:
    """For every stroke that touches a feature the same fraction of it."""
    touches = (strokes != 0).double()
    return touches / touches.sum(0).clamp(min=1)


def _proportions(strokes: Tensor) -> Tensor:
    """Each stroke over the sum of all; 0 where they cancel."""
    return (strokes / strokes.sum(0)).nan_to_num(0.0, 0.0, 0.0)


def _in_turn(f: Function, baseline: Tensor, strokes: Tensor) -> Tensor:
    """How much F gains with each stroke, drawn one after the other."""
    return f(torch.cat([baseline, baseline + strokes.cumsum(0)])).diff()


def _slopes_by_x(f: Function, x: Tensor, baseline: Tensor, steps: int) -> Tensor:
    """Gradients on the line with respect to x, which moves a point by alpha only."""
    alphas = _midpoints(steps)
    return alphas[:, None] * gradients_on_line(f, x, baseline, alphas)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["04.1"],
        solution=walk,
        mistakes=[
            Mistake(
                "You used the slope at the end of the path for every piece. Each has its own slope, at its midpoint.",
                lambda f, p: (input_gradient(f, p[-1:]) * (p[-1] - p[0])).sum(),
            ),
            Mistake(
                "You took the slope where each piece begins. Take it at the midpoint.",
                lambda f, p: (input_gradient(f, p[:-1]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "You took the slope where each piece ends. Take it at the midpoint.",
                lambda f, p: (input_gradient(f, p[1:]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "That is the true change. Add it up from slopes and pieces.", lambda f, p: (f(p[-1:]) - f(p[:1]))[0]
            ),
            Mistake(
                "You did not multiply by the piece.",
                lambda f, p: input_gradient(f, (p[1:] + p[:-1]) / 2).sum(),
            ),
            Mistake(
                "Each slope belongs to its own piece, not to the whole distance from the first stop to the last.",
                lambda f, p: (input_gradient(f, (p[1:] + p[:-1]) / 2) * (p[-1] - p[0])).sum(),
            ),
            Mistake("You averaged over the pieces; add them up.", lambda f, p: walk(f, p) / (len(p) - 1)),
            Mistake(
                "You walked the path backwards: a piece is where it ends minus where it begins.",
                lambda f, p: -walk(f, p),
            ),
            Mistake("You took an absolute value. The sign belongs to the answer.", lambda f, p: walk(f, p).abs()),
            Mistake(
                "Your points are not midpoints: half of the sum of both ends is wanted.",
                lambda f, p: (input_gradient(f, p[1:] + p[:-1]) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "Your points are not midpoints: stops[1:] + stops[:-1] / 2 halves one end only. Mind the brackets.",
                lambda f, p: (input_gradient(f, p[1:] + p[:-1] / 2) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "Your points are half of each piece. The midpoint is half of the sum of its ends.",
                lambda f, p: (input_gradient(f, p.diff(dim=0) / 2) * p.diff(dim=0)).sum(),
            ),
            Mistake(
                "You averaged the slopes over the pieces. Each slope belongs to its own piece, however long that is.",
                lambda f, p: (input_gradient(f, (p[1:] + p[:-1]) / 2).mean(0) * (p[-1] - p[0])).sum(),
            ),
            Mistake(
                "You averaged the slopes at the two ends of a piece. Take the slope at its midpoint.",
                lambda f, p: ((input_gradient(f, p)[1:] + input_gradient(f, p)[:-1]) / 2 * p.diff(dim=0)).sum(),
            ),
            Mistake("You left out the last piece.", lambda f, p: walk(f, p[:-1])),
            Mistake("That is the last piece alone. Add all of them up.", lambda f, p: walk(f, p[-2:])),
            Mistake("That is the first piece alone. Add all of them up.", lambda f, p: walk(f, p[:2])),
            Mistake(
                "Your pieces all begin at the first stop. A piece begins where the one before it ends.",
                lambda f, p: (input_gradient(f, (p[1:] + p[:-1]) / 2) * (p[1:] - p[0])).sum(),
            ),
            Mistake(
                "You averaged over pieces and features; add them up.",
                lambda f, p: walk(f, p) / p[1:].numel(),
            ),
            Mistake(
                "You took lengths. A slope and a piece have signs, feature by feature.",
                lambda f, p: (input_gradient(f, (p[1:] + p[:-1]) / 2).norm(dim=1) * p.diff(dim=0).norm(dim=1)).sum(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["04.2"],
        solution=my_integrated_gradients,
        mistakes=[
            Mistake(
                "You averaged the gradients but did not multiply by x - baseline.",
                lambda f, x, b, n: gradients_on_line(f, x, b, _midpoints(n)).mean(0, keepdim=True),
            ),
            Mistake(
                "You multiplied by x. The displacement is x - baseline.",
                lambda f, x, b, n: x * gradients_on_line(f, x, b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "You added up the gradients; average them.", lambda f, x, b, n: n * my_integrated_gradients(f, x, b, n)
            ),
            Mistake(
                "Your path runs from 0 to x. It must begin at the baseline.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x, 0 * b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "Your path runs backwards, or x and the baseline have changed places.",
                lambda f, x, b, n: my_integrated_gradients(f, b, x, n),
            ),
            Mistake(
                "You took one gradient, at x. Average the gradients along the path.",
                lambda f, x, b, n: _ig_at(torch.ones(1).double(), f, x, b),
            ),
            Mistake(
                "You took absolute values. Gradients of opposite sign must be able to cancel.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x, b, _midpoints(n)).abs().mean(0),
            ),
            Mistake(
                "Your shares have lost their signs.",
                lambda f, x, b, n: my_integrated_gradients(f, x, b, n).abs(),
            ),
            Mistake(
                "Your path is baseline + alpha * x, which ends beyond x. How far is it from the baseline to x?",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x + b, b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "Your points are alpha * (x - baseline). They must start at the baseline.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x - b, 0 * b, _midpoints(n)).mean(0),
            ),
            Mistake(
                "Your points lie beyond x. The path runs from the baseline to x.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, 2 * x - b, x, _midpoints(n)).mean(0),
            ),
            Mistake(
                "You took x as it is, from a baseline of zeros. Use the baseline that you are given.",
                lambda f, x, b, n: my_integrated_gradients(f, x, 0 * b, n),
            ),
            Mistake(
                "Each of your slopes is multiplied by its alpha. Did you differentiate through the path, with respect "
                "to x? Take the gradient with respect to the point itself.",
                lambda f, x, b, n: (x - b) * _slopes_by_x(f, x, b, n).mean(0),
            ),
            Mistake(
                "You averaged over the features, too. Average over the steps only.",
                lambda f, x, b, n: (x - b) * gradients_on_line(f, x, b, _midpoints(n)).mean(),
            ),
            Mistake(
                "You took the average of F, not of its gradient.",
                lambda f, x, b, n: (x - b) * f(b + _midpoints(n)[:, None] * (x - b)).mean(),
            ),
            Mistake(
                "There are as many midpoints as pieces. Divide by steps, not by steps - 1.",
                lambda f, x, b, n: my_integrated_gradients(f, x, b, n) * n / (n - 1),
            ),
            Mistake(
                "That is the sum over all features. Keep one share for each.",
                lambda f, x, b, n: my_integrated_gradients(f, x, b, n).sum(),
            ),
            Mistake(
                "Close. Your alphas lie at the left ends of the pieces; put them in the middle: (k + 1/2) / steps.",
                lambda f, x, b, n: _ig_at(torch.arange(n).double() / n, f, x, b),
            ),
            Mistake(
                "Close. Your alphas lie at the right ends of the pieces; put them in the middle: (k + 1/2) / steps.",
                lambda f, x, b, n: _ig_at((torch.arange(n).double() + 1) / n, f, x, b),
            ),
            Mistake(
                "You divided by the number of steps twice.",
                lambda f, x, b, n: my_integrated_gradients(f, x, b, n) / n,
            ),
            Mistake(
                "Mind the brackets: (k + 1/2) / steps.",
                lambda f, x, b, n: _ig_at(torch.arange(n).double() + 0.5 / n, f, x, b),
            ),
            Mistake(
                "You took one slope, at the middle. Average over all steps.",
                lambda f, x, b, n: _ig_at(_midpoints(1), f, x, b),
            ),
            Mistake(
                "Close. You ignore `steps`: take as many points as you are given.",
                lambda f, x, b, n: my_integrated_gradients(f, x, b, 64),
            ),
            Mistake(
                "Close. Your alphas run from 0 to 1, one more than there are steps; put them in the middle of the "
                "pieces.",
                lambda f, x, b, n: _ig_at(torch.linspace(0, 1, n + 1).double(), f, x, b),
            ),
            Mistake(
                "Close. Your alphas run from 0 to 1, both ends with full weight; put them in the middle of the pieces.",
                lambda f, x, b, n: _ig_at(torch.linspace(0, 1, n).double(), f, x, b),
            ),
        ],
    ),
    Exercise(
        task=TASKS["04.4"],
        solution=stroke_shares,
        mistakes=[
            Mistake(
                "You drew each stroke alone, on the baseline. Here all of them are drawn together.",
                lambda f, b, s: f(b + s) - f(b),
            ),
            Mistake(
                "You took each stroke away from the finished picture: that is occlusion, at the end of the path.",
                lambda f, b, s: f(_drawn(b, s)) - f(_drawn(b, s) - s),
            ),
            Mistake("You drew the strokes one after the other. That is a path with corners.", _in_turn),
            Mistake(
                "You gave a feature's whole share to every stroke that touches it, and paid some twice.",
                lambda f, b, s: (s != 0).double() @ _pixel_shares(f, b, s),
            ),
            Mistake(
                "You split a crossing pixel equally. Strokes move it by different amounts.",
                lambda f, b, s: (_equal_weights(s) * _pixel_shares(f, b, s)).sum(1),
            ),
            Mistake(
                "Where strokes cancel, x - x' is 0, yet each moved. Multiply by the average slope, not by the share.",
                lambda f, b, s: (_proportions(s) * _pixel_shares(f, b, s)).sum(1),
            ),
            Mistake(
                "You multiplied shares by strokes; a share already contains its displacement.",
                lambda f, b, s: (s * _pixel_shares(f, b, s)).sum(1),
            ),
            Mistake(
                "You took the slope at the end of the path. Average it over the path.",
                lambda f, b, s: s @ input_gradient(f, _drawn(b, s)).sum(0),
            ),
            Mistake("You added up the slopes; average them.", lambda f, b, s: 64 * stroke_shares(f, b, s)),
            Mistake(
                "You took the slope where each step begins. Take it in the middle.",
                lambda f, b, s: s @ gradients_on_line(f, _drawn(b, s), b, _midpoints(64) - 1 / 128).mean(0),
            ),
            Mistake(
                "You took the slope where each step ends. Take it in the middle.",
                lambda f, b, s: s @ gradients_on_line(f, _drawn(b, s), b, _midpoints(64) + 1 / 128).mean(0),
            ),
            Mistake(
                "Your path starts at 0. It must start at the baseline.",
                lambda f, b, s: s @ gradients_on_line(f, s.sum(0)[None], 0 * b, _midpoints(64)).mean(0),
            ),
            Mistake(
                "Your picture is the sum of the strokes. It is the baseline plus the strokes.",
                lambda f, b, s: s @ gradients_on_line(f, s.sum(0)[None], b, _midpoints(64)).mean(0),
            ),
            Mistake(
                "You walked the path backwards: from nothing to full.",
                lambda f, b, s: -stroke_shares(f, b, s),
            ),
            Mistake(
                "That is the sum over all strokes. Keep one share for each.",
                lambda f, b, s: stroke_shares(f, b, s).sum(),
            ),
            Mistake(
                "Those are the shares of the features. Each feature's share is made by several strokes.",
                _pixel_shares,
            ),
            Mistake("Your shares have lost their signs.", lambda f, b, s: stroke_shares(f, b, s).abs()),
            Mistake(
                "Within the default tolerance that is right, but the check wants 64 steps: pass steps=64.",
                lambda f, b, s: integrated_gradients(lambda a: f(b + a @ s), torch.ones(1, len(s)).double()).values[0],
            ),
        ],
    ),
]
