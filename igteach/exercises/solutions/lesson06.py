"""Lesson 06's solutions and mistakes.

A gap between functions and one between orders, Shapley values, the axiom that is broken.
"""

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


def shapley(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 06.3: Shapley values, as a feature's mean gain over all orders of the features."""
    return _mean_over_orders(f, x, baseline, list(permutations(range(x.shape[1]))))


def broken_axiom(method: Method) -> str:
    """Exercise 06.4: the name of the axiom that a method breaks."""
    return next(axiom for axiom, broken_method in BROKEN_METHODS.items() if broken_method is method)


def order_gap(method: Method, f: Function, x: Tensor, baseline: Tensor, order: Tensor) -> Tensor:
    """Exercise 06.5: how far the shares move if the features come in another order."""
    return _apart(*_in_both_orders(method, f, x, baseline, order))


# Helpers of the solutions and of the mistakes


def _gap_between(rule: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 06.1 that applies this rule to the two functions' shares."""
    return lambda method, f, g, x, b: rule(method(f, x, b).values, method(g, x, b).values)


def _in_both_orders(
    method: Method,
    f: Function,
    x: Tensor,
    baseline: Tensor,
    order: Tensor,
    to_f: Tensor | None = None,
    to_shares: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The shares before and after the features are put in order; `to_f` and `to_shares` put them back."""
    back = order.argsort()
    for_f = back if to_f is None else to_f
    after = method(lambda z: f(z[:, for_f]), x[:, order], baseline[:, order]).values
    return method(f, x, baseline).values, after[:, back if to_shares is None else to_shares]


def _over_both(before: Tensor, after: Tensor) -> Tensor:
    return (after - before).abs().sum() / (before.abs().sum() + after.abs().sum())


def _apart(before: Tensor, after: Tensor) -> Tensor:
    return (after - before).abs().sum() / before.abs().sum()


def _mean_over_orders(f: Function, x: Tensor, baseline: Tensor, orders: list[tuple[int, ...]]) -> Tensor:
    """The mean of the features' gains over some orders."""
    return torch.stack([gains_in_order(f, x, baseline, order) for order in orders]).mean(0)


def _gains_alone(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """How much F changes if one feature alone goes from its baseline to its value: (1, features)."""
    one_moved = baseline + torch.eye(x.shape[1]).to(x) * (x - baseline)
    return (f(one_moved) - f(baseline))[None]


def _gains_since_the_start(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """The mean over all orders of F after a feature has moved, minus F at the baseline."""
    orders = list(permutations(range(x.shape[1])))
    total = torch.zeros_like(x)
    for order in orders:
        gains = gains_in_order(f, x, baseline, order)[0, list(order)]
        total[0, list(order)] += gains.cumsum(0)
    return total / len(orders)


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
            Mistake(
                "You compared one difference with one share, the largest of each. Every feature counts: add up both.",
                _gap_between(lambda a, b: (a - b).abs().max() / torch.maximum(a.abs().max(), b.abs().max())),
            ),
            Mistake(
                "Your gap can be negative: differences of opposite sign cancel. Take absolute values first, then add.",
                _gap_between(lambda a, b: (a - b).sum() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
            Mistake(
                "You divided by sums in which shares of opposite sign cancel. Take absolute values first, then add.",
                _gap_between(lambda a, b: (a - b).abs().sum() / torch.maximum(a.sum(), b.sum())),
            ),
            Mistake(
                "You divided by the smaller of the two sums. Divide by the larger.",
                _gap_between(lambda a, b: (a - b).abs().sum() / torch.minimum(a.abs().sum(), b.abs().sum())),
            ),
            Mistake(
                "You divided by the mean of the two sums. Divide by the larger.",
                _gap_between(lambda a, b: 2 * (a - b).abs().sum() / (a.abs().sum() + b.abs().sum())),
            ),
            Mistake(
                "You took the larger share feature by feature. Add up each function's |shares|, then take the larger.",
                _gap_between(lambda a, b: (a - b).abs().sum() / torch.maximum(a.abs(), b.abs()).sum()),
            ),
            Mistake(
                "You divided feature by feature. Add up first, then divide the one sum by the other.",
                _gap_between(lambda a, b: ((a - b).abs() / torch.maximum(a.abs(), b.abs())).mean()),
            ),
            Mistake(
                "You compared the two sums of |shares|. Explanations of equal strength may lie far apart: take the "
                "difference share by share.",
                _gap_between(
                    lambda a, b: (a.abs().sum() - b.abs().sum()).abs() / torch.maximum(a.abs().sum(), b.abs().sum())
                ),
            ),
            Mistake(
                "You averaged the differences and added up the shares. Add up both.",
                _gap_between(lambda a, b: (a - b).abs().mean() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
            Mistake(
                "Your gap is 0 for any two functions. Did you ask the method about the same function twice?",
                _gap_between(lambda a, b: torch.zeros(())),
            ),
            Mistake(
                "You did not pass the baseline, so the method took zeros.",
                lambda method, f, g, x, b: invariance_gap(method, f, g, x, 0 * b),
            ),
            Mistake(
                "x and the baseline have changed places.",
                lambda method, f, g, x, b: invariance_gap(method, f, g, b, x),
            ),
            Mistake(
                "Differences of opposite sign cancel in your sum. And divide by how large the shares are.",
                _gap_between(lambda a, b: (a - b).sum().abs()),
            ),
            Mistake(
                "You took norms, roots of sums of squares. Add up absolute values.",
                _gap_between(lambda a, b: (a - b).norm() / torch.maximum(a.norm(), b.norm())),
            ),
            Mistake(
                "You divided by the change of F. Divide by how large the shares are.",
                lambda method, f, g, x, b: (
                    (method(f, x, b).values - method(g, x, b).values).abs().sum() / (f(x) - f(b)).abs()[0]
                ),
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
            Mistake(
                "The sign is flipped: begin at the baseline, and take F after the move minus F before it.",
                lambda f, x, b: -shapley(f, x, b),
            ),
            Mistake(
                "You compared every move with the start of its order. Ask F again before each feature moves.",
                _gains_since_the_start,
            ),
            Mistake(
                "Your orders begin at 0. Begin at the baseline.",
                lambda f, x, b: shapley(f, x, torch.zeros_like(b)),
            ),
            Mistake(
                "Each of your orders writes over the one before, and you divide what is left. Add the gains up: +=.",
                lambda f, x, b: gains_in_order(f, x, b, (2, 1, 0)) / 6,
            ),
            Mistake(
                "You looked at each feature's first and last move. In some orders it moves in between.",
                lambda f, x, b: (_gains_alone(f, x, b) - _gains_alone(f, b, x)) / 2,
            ),
            Mistake(
                "You gave the same weight to every set of features that may have moved before. The orders do not: "
                "count how many lead to each set.",
                lambda f, x, b: 1.5 * shapley(f, x, b) - (_gains_alone(f, x, b) - _gains_alone(f, b, x)) / 4,
            ),
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
            *(
                Mistake(
                    f"You say {axiom} for every method. Run each check on the method, and look at its result.",
                    lambda method, axiom=axiom: axiom,
                )
                for axiom in AXIOMS
            ),
            Mistake(
                "You return all names. Return the one whose check does not hold.",
                lambda method: ", ".join(AXIOMS),
            ),
        ],
    ),
    Exercise(
        task=TASKS["06.5"],
        solution=order_gap,
        mistakes=[
            Mistake(
                "You reordered x and the baseline, but not what F expects: it still takes the features in the old "
                "order.",
                lambda m, f, x, b, order: _apart(*_in_both_orders(m, f, x, b, order, to_f=torch.arange(x.shape[1]))),
            ),
            Mistake(
                "You compare the shares of different features. Put the new shares back into the old order.",
                lambda m, f, x, b, order: _apart(
                    *_in_both_orders(m, f, x, b, order, to_shares=torch.arange(x.shape[1]))
                ),
            ),
            Mistake(
                "F gets its features in a wrong order. `order` leads from the old order to the new one, and F needs "
                "the way back.",
                lambda m, f, x, b, order: _apart(*_in_both_orders(m, f, x, b, order, to_f=order)),
            ),
            Mistake(
                "You put the shares back by `order`, which leads from the old order to the new one. Which order undoes "
                "it?",
                lambda m, f, x, b, order: _apart(*_in_both_orders(m, f, x, b, order, to_shares=order)),
            ),
            Mistake(
                "`order` does not undo itself: neither F nor the shares are back in the old order. Which order does?",
                lambda m, f, x, b, order: _apart(*_in_both_orders(m, f, x, b, order, to_f=order, to_shares=order)),
            ),
            Mistake(
                "You reordered x and left the baseline as it was.",
                lambda m, f, x, b, order: _apart(
                    m(f, x, b).values, _in_both_orders(m, f, x, b[:, order.argsort()], order)[1]
                ),
            ),
            Mistake(
                "You reordered the shares that you had. Ask the method again, about x, x' and F in the new order.",
                lambda m, f, x, b, order: _apart(m(f, x, b).values, m(f, x, b).values[:, order]),
            ),
            Mistake(
                "You put F into the new order, and left x and the baseline in the old one.",
                lambda m, f, x, b, order: _apart(
                    m(f, x, b).values, _in_both_orders(m, f, x[:, order.argsort()], b[:, order.argsort()], order)[1]
                ),
            ),
            Mistake(
                "Your gap is always 0. The sum of the shares and F itself are the same in any order: compare share by "
                "share.",
                lambda m, f, x, b, order: torch.zeros(()),
            ),
            Mistake(
                "Your gap changes with the units of F. Divide by the sum of |shares|.",
                lambda m, f, x, b, order: order_gap(m, f, x, b, order) * m(f, x, b).values.abs().sum(),
            ),
            Mistake(
                "You divided by the sum of the shares, in which opposite signs cancel. Take absolute values first.",
                lambda m, f, x, b, order: (
                    order_gap(m, f, x, b, order) * m(f, x, b).values.abs().sum() / m(f, x, b).values.sum().abs()
                ),
            ),
            Mistake(
                "You divided by the sum of |shares| in the new order. Divide by that in the old order.",
                lambda m, f, x, b, order: _apart(*reversed(_in_both_orders(m, f, x, b, order))),
            ),
            Mistake(
                "You added up both sums of |shares| below. Divide by that in the old order.",
                lambda m, f, x, b, order: _over_both(*_in_both_orders(m, f, x, b, order)),
            ),
        ],
    ),
]
