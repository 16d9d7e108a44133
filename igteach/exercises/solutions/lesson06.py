"""Lesson 06's solutions and mistakes: two gaps, Shapley values, and which axiom a method breaks."""

from collections.abc import Callable
from itertools import permutations

import torch
from torch import Tensor

from igteach.axioms.checks import AXIOMS, TITLES, Method
from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.cases.lesson06 import DISTORTED_METHODS, gains_in_order
from igteach.exercises.judging import Exercise, Mistake

BROKEN_AXIOMS = (
    "completeness",
    "sensitivity_a",
    "sensitivity_b",
    "implementation_invariance",
    "linearity",
    "symmetry",
)
BROKEN_METHODS = dict(zip(BROKEN_AXIOMS, DISTORTED_METHODS, strict=True))  # each breaks this axiom, and no other


# Solutions


def invariance_gap(method: Method, f: Function, g: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 06.1: how far the shares of two functions lie apart, relative to the larger sum of absolute shares."""
    of_f = method(f, x, baseline).values
    of_g = method(g, x, baseline).values
    larger = torch.maximum(of_f.abs().sum(), of_g.abs().sum())
    return (of_f - of_g).abs().sum() / larger


def completeness_gap(method: Method, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 06.2: the residual in absolute value, relative to |F(x) - F(x')|."""
    change = (f(x) - f(baseline))[0]
    return (method(f, x, baseline).values.sum() - change).abs() / change.abs()


def shapley(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 06.3: Shapley values, as a feature's mean gain over all orders of the features."""
    return _mean_over_orders(f, x, baseline, list(permutations(range(x.shape[1]))))


def broken_axiom(method: Method) -> str:
    """Exercise 06.4: the name of the axiom that a method breaks."""
    return next(axiom for axiom, broken_method in BROKEN_METHODS.items() if broken_method is method)


# Helpers of the solutions and of the mistakes


def _gap_between(rule: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 06.1 that applies this rule to the two functions' shares."""
    return lambda method, f, g, x, b: rule(method(f, x, b).values, method(g, x, b).values)


def _gap_of_sum(rule: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 06.2 that applies this rule to the sum of the shares, F(x) and F(x')."""
    return lambda method, f, x, b: rule(method(f, x, b).values.sum(), f(x)[0], f(b)[0])


def _mean_over_orders(f: Function, x: Tensor, baseline: Tensor, orders: list[tuple[int, ...]]) -> Tensor:
    """The mean of the features' gains over some orders."""
    return torch.stack([gains_in_order(f, x, baseline, order) for order in orders]).mean(0)


def _gains_alone(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """How much F changes if one feature alone goes from its baseline to its value: (1, features)."""
    one_moved = baseline + torch.eye(x.shape[1]).to(x) * (x - baseline)
    return (f(one_moved) - f(baseline))[None]


def _axioms_that_hold(method: Method) -> list[str]:
    return [axiom for axiom in AXIOMS if axiom != broken_axiom(method)]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["06.1"],
        solution=invariance_gap,
        mistakes=[
            Mistake(
                "You compared F itself. Two networks may agree on F and disagree on the shares: compare the shares.",
                lambda method, f, g, x, b: (f(x) - g(x)).abs()[0] / torch.maximum(f(x).abs(), g(x).abs())[0],
            ),
            Mistake(
                "Differences of opposite sign cancel in your sum. Take absolute values first, then add.",
                _gap_between(lambda a, b: (a - b).sum().abs() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
            Mistake(
                "Your gap changes with the units of F. Divide by how large the shares are.",
                _gap_between(lambda a, b: (a - b).abs().sum()),
            ),
            Mistake(
                "Your gap depends on which function comes first. Divide by the larger of the two sums.",
                _gap_between(lambda a, b: (a - b).abs().sum() / a.abs().sum()),
            ),
            Mistake(
                "Your gap depends on which function comes first: you divide by the second. Take the larger of the two.",
                _gap_between(lambda a, b: (a - b).abs().sum() / b.abs().sum()),
            ),
            Mistake(
                "You divided by both sums together. Divide by the larger of the two.",
                _gap_between(lambda a, b: (a - b).abs().sum() / (a.abs().sum() + b.abs().sum())),
            ),
            Mistake(
                "You took the one largest difference. Every feature counts: add up all absolute differences.",
                _gap_between(lambda a, b: (a - b).abs().max() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
        ],
    ),
    Exercise(
        task=TASKS["06.2"],
        solution=completeness_gap,
        mistakes=[
            Mistake(
                "That is the residual with its sign. A gap has none, and is relative to the change of F.",
                _gap_of_sum(lambda total, at_x, at_b: total - (at_x - at_b)),
            ),
            Mistake(
                "That is the residual in absolute value. Is it large? Divide by |F(x) - F(x')|.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs()),
            ),
            Mistake(
                "Your gap has a sign. Take the absolute value of F(x) - F(x') too.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / (at_x - at_b)),
            ),
            Mistake(
                "Your gap has a sign. Take the absolute value of the ratio.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)) / (at_x - at_b)),
            ),
            Mistake(
                "You left out F at the baseline. The change to distribute is F(x) - F(x').",
                _gap_of_sum(lambda total, at_x, at_b: (total - at_x).abs() / at_x.abs()),
            ),
            Mistake(
                "You divided by F(x). Divide by the change of F, |F(x) - F(x')|.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / at_x.abs()),
            ),
            Mistake(
                "You divided by what was distributed. Divide by what was to be distributed, |F(x) - F(x')|.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / total.abs()),
            ),
        ],
    ),
    Exercise(
        task=TASKS["06.3"],
        solution=shapley,
        mistakes=[
            Mistake(
                "That is one order: first to last. Average over all orders.",
                lambda f, x, b: gains_in_order(f, x, b, (0, 1, 2)),
            ),
            Mistake(
                "That is one order: last to first. Average over all orders.",
                lambda f, x, b: gains_in_order(f, x, b, (2, 1, 0)),
            ),
            Mistake(
                "You averaged an order and its reverse. Three features have more than two orders.",
                lambda f, x, b: _mean_over_orders(f, x, b, [(0, 1, 2), (2, 1, 0)]),
            ),
            Mistake(
                "You rotated the order, which gives as many orders as there are features. There are more.",
                lambda f, x, b: _mean_over_orders(f, x, b, [(0, 1, 2), (1, 2, 0), (2, 0, 1)]),
            ),
            Mistake(
                "You added up over the orders. Average, or the shares add up to more than F(x) - F(x').",
                lambda f, x, b: 6 * shapley(f, x, b),
            ),
            Mistake(
                "Too much is distributed: you divided by the number of features. Divide by the number of orders.",
                lambda f, x, b: 2 * shapley(f, x, b),
            ),
            Mistake(
                "Only your first order starts at the baseline, the others where it ended. Start each at the baseline.",
                lambda f, x, b: gains_in_order(f, x, b, (0, 1, 2)) / 6,
            ),
            Mistake(
                "You moved each feature alone, away from the baseline. Here others may have moved before it.",
                _gains_alone,
            ),
            Mistake(
                "You moved each feature back from x, alone. That is occlusion; here features move one after another.",
                lambda f, x, b: -_gains_alone(f, b, x),
            ),
            Mistake("The sign is flipped: F after the move, minus F before it.", lambda f, x, b: -shapley(f, x, b)),
        ],
    ),
    Exercise(
        task=TASKS["06.4"],
        solution=broken_axiom,
        mistakes=[
            Mistake(
                "That axiom holds for this method. Look for one that does not.",
                lambda method: _axioms_that_hold(method)[0],
            ),
            Mistake(
                "That axiom holds for this method; it is the last that does.",
                lambda method: _axioms_that_hold(method)[-1],
            ),
            Mistake(
                "That is the title in the table's head. Return the name, as in the keys of axioms.AXIOMS.",
                lambda method: TITLES[list(AXIOMS).index(broken_axiom(method))],
            ),
            Mistake(
                "You say completeness for every method. Run each check on the method, and look at its result.",
                lambda method: "completeness",
            ),
            Mistake(
                "You return all names. Return the one whose check does not hold.",
                lambda method: ", ".join(AXIOMS),
            ),
        ],
    ),
]
