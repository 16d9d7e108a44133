"""Lesson 01's solutions and mistakes: finite differences, how far a promise holds, the saliency of a lead."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import input_gradient

# Solutions


def finite_difference(f: Function, x: Tensor, feature: int, step: float) -> Tensor:
    """Exercise 01.1: the slope along one feature, from a step to either side."""
    rise = f(_nudged(x, feature, step)) - f(_nudged(x, feature, -step))
    return (rise / (2 * step))[0]


def trusted_step(f: Function, x: Tensor, direction: Tensor, distance: float) -> Tensor:
    """Exercise 01.4: the step at which the error of the first-order promise is a tenth of the promise."""
    slope, bend = _parabola(f, x, direction, distance)
    return (slope / bend).abs() / 10


def saliency_of_lead(f: Function, x: Tensor, leader: int, rival: int) -> Tensor:
    """Exercise 01.5: the absolute gradient of the difference of two logits."""
    return _gradient_of(f, x, leader).sub(_gradient_of(f, x, rival)).abs()


# Helpers of the solutions and of the mistakes


def _nudged(x: Tensor, feature: int, step: float) -> Tensor:
    """x with one feature moved by a step."""
    nudge = torch.zeros_like(x)
    nudge[:, feature] = step
    return x + nudge


def _parabola(f: Function, x: Tensor, direction: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """a and b of the parabola F(x) + a t + b t^2 through three values on a line."""
    ahead, here, behind = (f(x + t * direction)[0] for t in (distance, 0.0, -distance))
    return (ahead - behind) / (2 * distance), (ahead + behind - 2 * here) / (2 * distance**2)


def _tenth_of_what_happened(f: Function, x: Tensor, direction: Tensor, distance: float) -> Tensor:
    """The step at which the error is a tenth of the change of the parabola."""
    ratio = torch.divide(*_parabola(f, x, direction, distance))
    return ratio.abs() / (10 - ratio.sign())


def _one_sided(f: Function, x: Tensor, direction: Tensor, distance: float) -> Tensor:
    """The step that follows from a slope to one side."""
    _, bend = _parabola(f, x, direction, distance)
    return ((f(x + distance * direction) - f(x))[0] / distance / bend).abs() / 10


def _without_the_middle(f: Function, x: Tensor, direction: Tensor, distance: float) -> Tensor:
    """The step that follows from a bend in which F(x) is not subtracted."""
    slope, bend = _parabola(f, x, direction, distance)
    return (slope / (bend + f(x)[0] / distance**2)).abs() / 10


def _gradient_of(f: Function, x: Tensor, chosen: int) -> Tensor:
    return input_gradient(lambda points: f(points)[:, chosen], x)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["01.1"],
        solution=finite_difference,
        mistakes=[
            Mistake(
                "You divided by the step, but the two points are two steps apart.",
                lambda f, x, i, h: 2 * finite_difference(f, x, i, h),
            ),
            Mistake(
                "You looked to one side only. Step to both sides: the error shrinks with the step squared.",
                lambda f, x, i, h: ((f(_nudged(x, i, h)) - f(x)) / h)[0],
            ),
            Mistake(
                "You looked to the left side only. Step to both sides: the error shrinks with the step squared.",
                lambda f, x, i, h: ((f(x) - f(_nudged(x, i, -h))) / h)[0],
            ),
            Mistake(
                "You nudged every feature at once; nudge only the one asked for.",
                lambda f, x, i, h: ((f(x + h) - f(x - h)) / (2 * h))[0],
            ),
            Mistake("The sign is flipped: it is right minus left.", lambda f, x, i, h: -finite_difference(f, x, i, h)),
            Mistake(
                "You have the difference of the two values; it must still be divided by the distance.",
                lambda f, x, i, h: 2 * h * finite_difference(f, x, i, h),
            ),
            Mistake(
                "You took the absolute value. Keep the sign.",
                lambda f, x, i, h: finite_difference(f, x, i, h).abs(),
            ),
            Mistake(
                "You divided by 2 and multiplied by the step. Mind the brackets: divide by 2 * step.",
                lambda f, x, i, h: h * h * finite_difference(f, x, i, h),
            ),
            Mistake(
                "Your points are one step apart, and you divided by two steps. One of them must be on the other side.",
                lambda f, x, i, h: ((f(_nudged(x, i, h)) - f(x)) / (2 * h))[0],
            ),
            Mistake(
                "Close. That is the gradient itself. The check wants the difference over the step that it gives you.",
                lambda f, x, i, h: input_gradient(f, x)[0, i],
            ),
            Mistake(
                "You added the two values; subtract one from the other.",
                lambda f, x, i, h: ((f(_nudged(x, i, h)) + f(_nudged(x, i, -h))) / (2 * h))[0],
            ),
            Mistake(
                "Your points are half a step to either side, and you divided by two steps.",
                lambda f, x, i, h: finite_difference(f, x, i, h / 2) / 2,
            ),
            Mistake(
                "Your points are half a step away. Go a whole step to either side.",
                lambda f, x, i, h: finite_difference(f, x, i, h / 2),
            ),
            Mistake(
                "Your step is 1, though you divided by twice `step`.",
                lambda f, x, i, h: finite_difference(f, x, i, 1.0) / h,
            ),
            Mistake("Your step is 1, not `step`.", lambda f, x, i, h: finite_difference(f, x, i, 1.0)),
            Mistake(
                "You compared F with itself. Are your two points copies, or both of them x?",
                lambda f, x, i, h: 0 * f(x)[0],
            ),
        ],
    ),
    Exercise(
        task=TASKS["01.4"],
        solution=trusted_step,
        mistakes=[
            Mistake(
                "The ratio is upside down: the less F bends, the further the promise holds.",
                lambda f, x, d, h: 1 / trusted_step(f, x, d, h) / 100,
            ),
            Mistake(
                "Is your b the second derivative? That is twice b.",
                lambda f, x, d, h: trusted_step(f, x, d, h) / 2,
            ),
            Mistake(
                "There the error is as large as the whole promise. It is to be a tenth of it.",
                lambda f, x, d, h: 10 * trusted_step(f, x, d, h),
            ),
            Mistake(
                "Your t may be negative. Error and promise are compared by their absolute values.",
                lambda f, x, d, h: torch.divide(*_parabola(f, x, d, h)) / 10,
            ),
            Mistake(
                "Your t counts steps of h, or you divided by h once where it is twice. t counts in steps of d.",
                lambda f, x, d, h: trusted_step(f, x, d, h) / h,
            ),
            Mistake(
                "The outer points are 2 h apart: is that what you divided by?",
                lambda f, x, d, h: 2 * trusted_step(f, x, d, h),
            ),
            Mistake(
                "You multiplied by the length of d. t counts in steps of d, however long d is.",
                lambda f, x, d, h: d.norm() * trusted_step(f, x, d, h),
            ),
            Mistake(
                "Your error is a tenth of what happened. It is to be a tenth of what was promised.",
                _tenth_of_what_happened,
            ),
            Mistake(
                "The error is to be a tenth of the promise, not of the whole change.",
                lambda f, x, d, h: 10 / 9 * trusted_step(f, x, d, h),
            ),
            Mistake(
                "There the error is ten times the promise. Solve |b| t² = |a| t / 10 for t.",
                lambda f, x, d, h: 100 * trusted_step(f, x, d, h),
            ),
            Mistake(
                "You need no square root: the promise is |a| t, and one t cancels.",
                lambda f, x, d, h: trusted_step(f, x, d, h).sqrt(),
            ),
            Mistake("The two outer values contain 2 F(x). Subtract it before you divide.", _without_the_middle),
            Mistake("Your slope looks to one side only, and the bend gets into it. Use both outer points.", _one_sided),
            Mistake(
                "Close. You took the gradient for a; but F is a box. Estimate a from the values.",
                lambda f, x, d, h: ((input_gradient(f, x) * d).sum() / _parabola(f, x, d, h)[1]).abs() / 10,
            ),
        ],
    ),
    Exercise(
        task=TASKS["01.5"],
        solution=saliency_of_lead,
        mistakes=[
            Mistake(
                "That is the gradient with its sign. Saliency shows its absolute value.",
                lambda f, x, a, b: _gradient_of(f, x, a) - _gradient_of(f, x, b),
            ),
            Mistake(
                "You subtracted one saliency from the other. A nudge that moves both logits the same way, or opposite "
                "ways, looks the same there: subtract first, and drop the sign afterwards.",
                lambda f, x, a, b: _gradient_of(f, x, a).abs() - _gradient_of(f, x, b).abs(),
            ),
            Mistake(
                "You compared two saliencies, whose signs are lost. Subtract first, and drop the sign afterwards.",
                lambda f, x, a, b: (_gradient_of(f, x, a).abs() - _gradient_of(f, x, b).abs()).abs(),
            ),
            Mistake(
                "You added up two saliencies. A nudge that raises both logits alike does not move the lead.",
                lambda f, x, a, b: _gradient_of(f, x, a).abs() + _gradient_of(f, x, b).abs(),
            ),
            Mistake(
                "That is the saliency of the leader alone. Its lead depends on the rival, too.",
                lambda f, x, a, b: _gradient_of(f, x, a).abs(),
            ),
            Mistake(
                "That is the saliency of the rival alone. F is the lead of one class over the other.",
                lambda f, x, a, b: _gradient_of(f, x, b).abs(),
            ),
            Mistake(
                "You added the logits, or their gradients; a lead is a difference.",
                lambda f, x, a, b: (_gradient_of(f, x, a) + _gradient_of(f, x, b)).abs(),
            ),
            Mistake(
                "You added up the logits of all classes. A lead is the difference of two.",
                lambda f, x, a, b: input_gradient(lambda points: f(points).sum(1), x).abs(),
            ),
            Mistake(
                "You took the lead of probabilities. Leave the softmax out: F is a difference of logits.",
                lambda f, x, a, b: saliency_of_lead(lambda points: f(points).softmax(1), x, a, b),
            ),
            Mistake(
                "You multiplied by the input. That is another method, for lesson 03.",
                lambda f, x, a, b: (saliency_of_lead(f, x, a, b) * x).abs(),
            ),
            Mistake(
                "You squared the gradient; its absolute value is wanted.",
                lambda f, x, a, b: saliency_of_lead(f, x, a, b) ** 2,
            ),
            Mistake(
                "You scaled the map to a maximum of 1. Keep the units: F per unit of x.",
                lambda f, x, a, b: saliency_of_lead(f, x, a, b) / saliency_of_lead(f, x, a, b).max(),
            ),
        ],
    ),
]
