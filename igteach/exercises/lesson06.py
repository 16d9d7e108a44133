"""Lesson 06's checker: two gaps, Shapley values, and which axiom a method breaks."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor, nn

from igteach.axioms.checks import AXIOMS, TITLES, Method, axiom_table
from igteach.core.attribution import Attribution
from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.exercises.common import random_network
from igteach.methods.gradients import gradient, gradient_times_input
from igteach.methods.integrated_gradients import integrated_gradients

METHODS: dict[str, Method] = {
    "the gradient": gradient,
    "gradient times input": gradient_times_input,
    "Integrated Gradients": integrated_gradients,
}


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


# Cases that an answer is checked on


def _invariance_gap_cases(rng: torch.Generator) -> list[Case]:
    """Each method, with two random networks, an input and a baseline."""
    cases = []
    for name, method in METHODS.items():
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"{name} and two functions", (method, random_network(rng), random_network(rng), x, baseline)))
    return cases


def _completeness_gap_cases(rng: torch.Generator) -> list[Case]:
    """Methods that are not complete, each with a random network, an input and a baseline."""
    cases = []
    for number, name in enumerate(("the gradient", "gradient times input", "the gradient"), start=1):
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"{name} and function {number}", (METHODS[name], random_network(rng), x, baseline)))
    return cases


def _shapley_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with an input and a baseline."""
    cases = []
    for number in range(3):
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"function {number + 1}", (random_network(rng), x, baseline)))
    return cases


def _broken_axiom_cases(rng: torch.Generator) -> list[Case]:
    """The broken methods in random order."""
    methods = list(BROKEN_METHODS.values())
    order = torch.randperm(len(methods), generator=rng).tolist()
    return [Case(f"method {number}", (methods[i],)) for number, i in enumerate(order, start=1)]


# Helpers of the solutions and of the mistakes


def _gap_between(rule: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 06.1 that applies this rule to the two functions' shares."""
    return lambda method, f, g, x, b: rule(method(f, x, b).values, method(g, x, b).values)


def _gap_of_sum(rule: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 06.2 that applies this rule to the sum of the shares, F(x) and F(x')."""
    return lambda method, f, x, b: rule(method(f, x, b).values.sum(), f(x)[0], f(b)[0])


def _gains_in_order(f: Function, x: Tensor, baseline: Tensor, order: tuple[int, ...]) -> Tensor:
    """How much F changes as each feature in turn goes from its baseline to its value: (1, features)."""
    point = baseline.clone()
    gains = torch.zeros_like(x)
    for i in order:
        before = f(point)
        point[:, i] = x[:, i]
        gains[:, i] = (f(point) - before).flatten()
    return gains


def _mean_over_orders(f: Function, x: Tensor, baseline: Tensor, orders: list[tuple[int, ...]]) -> Tensor:
    """The mean of the features' gains over some orders."""
    return torch.stack([_gains_in_order(f, x, baseline, order) for order in orders]).mean(0)


def _gains_alone(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """How much F changes if one feature alone goes from its baseline to its value: (1, features)."""
    one_moved = baseline + torch.eye(x.shape[1]).to(x) * (x - baseline)
    return (f(one_moved) - f(baseline))[None]


def _ig(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline).values


def _breaks_completeness(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, halved."""
    return _ig(f, x, baseline) / 2


def _breaks_sensitivity_a(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, but if a single feature differs from its baseline, the next one gets its share."""
    shares = _ig(f, x, baseline)
    if (x != baseline).sum() == 1:
        return shares.roll(1, dims=1)
    return shares


def _breaks_sensitivity_b(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """F(x) - F(x') in equal shares, also for a feature that F ignores."""
    return (f(x) - f(baseline)).reshape(-1, 1).expand(x.shape) / x.shape[1]


def _breaks_implementation_invariance(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, but the gains in one order of the features if the network's first layer has a negative bias."""
    layers = f.modules() if isinstance(f, nn.Module) else ()
    biases = [layer.bias for layer in layers if isinstance(layer, nn.Linear)]
    if biases and (biases[0] < 0).any():
        return _gains_in_order(f, x, baseline, (0, 1))
    return _ig(f, x, baseline)


def _breaks_linearity(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG where F rises, Shapley values where it falls."""
    if f(x) < f(baseline):
        return shapley(f, x, baseline)
    return _ig(f, x, baseline)


def _last_to_first(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """The features' gains from the last feature to the first, which breaks symmetry."""
    last_to_first = tuple(reversed(range(x.shape[1])))
    return _gains_in_order(f, x, baseline, last_to_first)


def _as_method(shares: Callable[[Function, Tensor, Tensor], Tensor]) -> Method:
    """A function that returns shares, as a method that returns an Attribution."""

    def method(f: Function, x: Tensor, baseline: Tensor, target: None = None) -> Attribution:
        return replace(gradient_times_input(f, x, baseline, target), values=shares(f, x, baseline))

    return method


def _axioms_that_hold(method: Method) -> list[str]:
    return [axiom for axiom in AXIOMS if axiom != broken_axiom(method)]


# Each method breaks the axiom of this name, and keeps the others.
BROKEN_METHODS: dict[str, Method] = {
    "completeness": _as_method(_breaks_completeness),
    "sensitivity_a": _as_method(_breaks_sensitivity_a),
    "sensitivity_b": _as_method(_breaks_sensitivity_b),
    "implementation_invariance": _as_method(_breaks_implementation_invariance),
    "linearity": _as_method(_breaks_linearity),
    "symmetry": _as_method(_last_to_first),
}


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        id="06.1",
        solution=invariance_gap,
        cases=_invariance_gap_cases,
        mistakes=[
            Mistake(
                "You compared F itself. Two networks may agree on F and disagree on the shares: compare the shares.",
                lambda method, f, g, x, b: (f(x) - g(x)).abs()[0] / torch.maximum(f(x).abs(), g(x).abs())[0],
            ),
            Mistake(
                "Differences of opposite sign cancel in your sum. Take their sizes first, then add.",
                _gap_between(lambda a, b: (a - b).sum().abs() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
            Mistake(
                "Measured in other units, F would get another gap from you. Divide by how large the shares are.",
                _gap_between(lambda a, b: (a - b).abs().sum()),
            ),
            Mistake(
                "Your gap depends on which function comes first. Divide by the larger of the two sums of sizes.",
                _gap_between(lambda a, b: (a - b).abs().sum() / a.abs().sum()),
            ),
            Mistake(
                "Your gap depends on which function comes first: you divide by the second. Take the larger of the two.",
                _gap_between(lambda a, b: (a - b).abs().sum() / b.abs().sum()),
            ),
            Mistake(
                "You divided by both sums of sizes together. Divide by the larger of the two.",
                _gap_between(lambda a, b: (a - b).abs().sum() / (a.abs().sum() + b.abs().sum())),
            ),
            Mistake(
                "You took the one largest difference. Every feature counts: add up the sizes of all differences.",
                _gap_between(lambda a, b: (a - b).abs().max() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
        ],
        tools=tuple(METHODS.values()),
    ),
    Exercise(
        id="06.2",
        solution=completeness_gap,
        cases=_completeness_gap_cases,
        mistakes=[
            Mistake(
                "That is the residual with its sign. A gap is a size, and relative to how far F went.",
                _gap_of_sum(lambda total, at_x, at_b: total - (at_x - at_b)),
            ),
            Mistake(
                "That is the size of the residual. Is it large? Divide by how far F went.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs()),
            ),
            Mistake(
                "Your gap has a sign. Take the size of F(x) - F(x') too, where you divide by it.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / (at_x - at_b)),
            ),
            Mistake(
                "Your gap has a sign. Take the size of the ratio.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)) / (at_x - at_b)),
            ),
            Mistake(
                "You left F at the baseline out. What is to be shared is F(x) - F(x').",
                _gap_of_sum(lambda total, at_x, at_b: (total - at_x).abs() / at_x.abs()),
            ),
            Mistake(
                "You divided by F(x). Divide by how far F went, |F(x) - F(x')|.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / at_x.abs()),
            ),
            Mistake(
                "You divided by what was given out. Divide by what was to be shared out, |F(x) - F(x')|.",
                _gap_of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / total.abs()),
            ),
        ],
        tools=tuple(METHODS.values()),
    ),
    Exercise(
        id="06.3",
        solution=shapley,
        cases=_shapley_cases,
        mistakes=[
            Mistake(
                "That is one order: first to last. Average over all orders.",
                lambda f, x, b: _gains_in_order(f, x, b, (0, 1, 2)),
            ),
            Mistake("That is one order: last to first. Average over all orders.", _last_to_first),
            Mistake(
                "You averaged an order and its reverse. Three features have more orders than two.",
                lambda f, x, b: _mean_over_orders(f, x, b, [(0, 1, 2), (2, 1, 0)]),
            ),
            Mistake(
                "You rotated the order, which gives as many orders as there are features. There are more.",
                lambda f, x, b: _mean_over_orders(f, x, b, [(0, 1, 2), (1, 2, 0), (2, 0, 1)]),
            ),
            Mistake(
                "You added over the orders; average, or more is given out than F went.",
                lambda f, x, b: 6 * shapley(f, x, b),
            ),
            Mistake(
                "Too much is given out: you divided by the number of features. Divide by the number of orders.",
                lambda f, x, b: 2 * shapley(f, x, b),
            ),
            Mistake(
                "Only your first order starts at the baseline, the others where it ended. Start each at the baseline.",
                lambda f, x, b: _gains_in_order(f, x, b, (0, 1, 2)) / 6,
            ),
            Mistake(
                "You moved each feature alone, away from the baseline. Here others may have moved before it.",
                _gains_alone,
            ),
            Mistake(
                "You took each feature alone back from x. That is occlusion; here features move one after another.",
                lambda f, x, b: -_gains_alone(f, b, x),
            ),
            Mistake("The sign is turned round: F after the move, less F before it.", lambda f, x, b: -shapley(f, x, b)),
        ],
    ),
    Exercise(
        id="06.4",
        solution=broken_axiom,
        cases=_broken_axiom_cases,
        mistakes=[
            Mistake(
                "That axiom holds for this method. Look for one that does not.",
                lambda method: _axioms_that_hold(method)[0],
            ),
            Mistake(
                "That axiom holds for this method, it is the last that does.",
                lambda method: _axioms_that_hold(method)[-1],
            ),
            Mistake(
                "That is the title in the table's head. Return the name, as the keys of axioms.AXIOMS have it.",
                lambda method: TITLES[list(AXIOMS).index(broken_axiom(method))],
            ),
            Mistake(
                "You say completeness of every method. Put the method to each check, and look at what it answers.",
                lambda method: "completeness",
            ),
            Mistake(
                "You return all names. Return the one whose check does not hold.",
                lambda method: ", ".join(AXIOMS),
            ),
        ],
        tools=(axiom_table, *AXIOMS.values()),
    ),
]
