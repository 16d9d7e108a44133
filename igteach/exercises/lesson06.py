"""The checks of lesson 06: two gaps, Shapley values, and which axiom a method breaks."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor, nn

from igteach.axioms.checks import AXIOMS, TITLES, Method, axiom_table
from igteach.core.attribution import Attribution
from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.methods.gradients import gradient, gradient_times_input
from igteach.methods.integrated_gradients import integrated_gradients

METHODS: dict[str, Method] = {
    "the gradient": gradient,
    "gradient times input": gradient_times_input,
    "Integrated Gradients": integrated_gradients,
}


def _curved(draw: torch.Generator) -> Function:
    inner, outer = torch.randn(3, 4, generator=draw).double(), torch.randn(4, generator=draw).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch)) @ outer.to(batch) + 0.7


def _pairs(draw: torch.Generator) -> list[Case]:
    cases = []
    for name, method in METHODS.items():
        x, baseline = torch.randn(2, 1, 3, generator=draw).double()
        cases.append(Case(f"{name} and two functions", (method, _curved(draw), _curved(draw), x, baseline)))
    return cases


def _single(draw: torch.Generator) -> list[Case]:
    cases = []
    for number, name in enumerate(("the gradient", "gradient times input", "the gradient"), start=1):
        x, baseline = torch.randn(2, 1, 3, generator=draw).double()
        cases.append(Case(f"{name} and function {number}", (METHODS[name], _curved(draw), x, baseline)))
    return cases


def _functions(draw: torch.Generator) -> list[Case]:
    cases = []
    for number in range(3):
        x, baseline = torch.randn(2, 1, 3, generator=draw).double()
        cases.append(Case(f"function {number + 1}", (_curved(draw), x, baseline)))
    return cases


def invariance_gap(method: Method, f: Function, g: Function, x: Tensor, baseline: Tensor) -> Tensor:
    one, other = method(f, x, baseline).values, method(g, x, baseline).values
    return (one - other).abs().sum() / torch.maximum(one.abs().sum(), other.abs().sum())


def _of_two(rule: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda method, f, g, x, b: rule(method(f, x, b).values, method(g, x, b).values)


def completeness_gap(method: Method, f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    change = (f(x) - f(baseline))[0]
    return (method(f, x, baseline).values.sum() - change).abs() / change.abs()


def _of_sum(rule: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda method, f, x, b: rule(method(f, x, b).values.sum(), f(x)[0], f(b)[0])


def in_order(f: Function, x: Tensor, baseline: Tensor, order: tuple[int, ...]) -> Tensor:
    """What F changes by while each feature in turn goes from its baseline to its value: shape of x."""
    here, shares = baseline.clone(), torch.zeros_like(x)
    for i in order:
        before = f(here)
        here[:, i] = x[:, i]
        shares[:, i] = (f(here) - before).flatten()
    return shares


def over_orders(f: Function, x: Tensor, baseline: Tensor, orders: list[tuple[int, ...]]) -> Tensor:
    return torch.stack([in_order(f, x, baseline, order) for order in orders]).mean(0)


def shapley(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return over_orders(f, x, baseline, list(permutations(range(x.shape[1]))))


def _alone(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """What F changes by where each feature alone goes from its baseline to its value: (1, features)."""
    return (f(baseline + torch.eye(x.shape[1]).to(x) * (x - baseline)) - f(baseline))[None]


def _integrated(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline).values


def _halved(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return _integrated(f, x, baseline) / 2


def _to_the_neighbour(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, but a feature that moves alone leaves its share to the next one."""
    return _integrated(f, x, baseline).roll(int((x != baseline).sum() == 1), dims=1)


def _evenly(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return (f(x) - f(baseline)).reshape(-1, 1).expand(x.shape) / x.shape[1]


def _by_the_first_bias(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, but features in order where the network's first layer has a negative bias."""
    layers = f.modules() if isinstance(f, nn.Module) else ()
    biases = [layer.bias for layer in layers if isinstance(layer, nn.Linear)]
    return in_order(f, x, baseline, (0, 1)) if biases and (biases[0] < 0).any() else _integrated(f, x, baseline)


def _by_the_change(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG where F rises, Shapley values where it falls."""
    return (shapley if f(x) < f(baseline) else _integrated)(f, x, baseline)


def _last_first(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return in_order(f, x, baseline, tuple(range(x.shape[1]))[::-1])


def _method(shares: Callable[[Function, Tensor, Tensor], Tensor]) -> Method:
    def method(f: Function, x: Tensor, baseline: Tensor, target: None = None) -> Attribution:
        return replace(gradient_times_input(f, x, baseline, target), values=shares(f, x, baseline))

    return method


BREAKS: dict[str, Method] = {  # each method breaks one axiom and keeps the others
    "completeness": _method(_halved),
    "sensitivity_a": _method(_to_the_neighbour),
    "sensitivity_b": _method(_evenly),
    "implementation_invariance": _method(_by_the_first_bias),
    "linearity": _method(_by_the_change),
    "symmetry": _method(_last_first),
}


def _suspects(draw: torch.Generator) -> list[Case]:
    methods = list(BREAKS.values())
    order = torch.randperm(len(methods), generator=draw).tolist()
    return [Case(f"method {number}", (methods[i],)) for number, i in enumerate(order, start=1)]


def broken_axiom(method: Method) -> str:
    return next(axiom for axiom, breaker in BREAKS.items() if breaker is method)


def _kept(method: Method) -> list[str]:
    return [axiom for axiom in AXIOMS if axiom != broken_axiom(method)]


EXERCISES = [
    Exercise(
        "06.1",
        invariance_gap,
        _pairs,
        [
            Mistake(
                "You compared F itself. Two networks may agree on F and disagree on the shares: compare the shares.",
                lambda method, f, g, x, b: (f(x) - g(x)).abs()[0] / torch.maximum(f(x).abs(), g(x).abs())[0],
            ),
            Mistake(
                "Differences of opposite sign cancel in your sum. Take their sizes first, then add.",
                _of_two(lambda a, b: (a - b).sum().abs() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
            Mistake(
                "Measured in other units, F would get another gap from you. Divide by how large the shares are.",
                _of_two(lambda a, b: (a - b).abs().sum()),
            ),
            Mistake(
                "Your gap depends on which function comes first. Divide by the larger of the two sums of sizes.",
                _of_two(lambda a, b: (a - b).abs().sum() / a.abs().sum()),
            ),
            Mistake(
                "Your gap depends on which function comes first: you divide by the second. Take the larger of the two.",
                _of_two(lambda a, b: (a - b).abs().sum() / b.abs().sum()),
            ),
            Mistake(
                "You divided by both sums of sizes together. Divide by the larger of the two.",
                _of_two(lambda a, b: (a - b).abs().sum() / (a.abs().sum() + b.abs().sum())),
            ),
            Mistake(
                "You took the one largest difference. Every feature counts: add up the sizes of all differences.",
                _of_two(lambda a, b: (a - b).abs().max() / torch.maximum(a.abs().sum(), b.abs().sum())),
            ),
        ],
        tools=tuple(METHODS.values()),
    ),
    Exercise(
        "06.2",
        completeness_gap,
        _single,
        [
            Mistake(
                "That is the residual with its sign. A gap is a size, and relative to how far F went.",
                _of_sum(lambda total, at_x, at_b: total - (at_x - at_b)),
            ),
            Mistake(
                "That is the size of the residual. Is it large? Divide by how far F went.",
                _of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs()),
            ),
            Mistake(
                "Your gap has a sign. Take the size of F(x) - F(x') too, where you divide by it.",
                _of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / (at_x - at_b)),
            ),
            Mistake(
                "Your gap has a sign. Take the size of the ratio.",
                _of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)) / (at_x - at_b)),
            ),
            Mistake(
                "You left F at the baseline out. What is to be shared is F(x) - F(x').",
                _of_sum(lambda total, at_x, at_b: (total - at_x).abs() / at_x.abs()),
            ),
            Mistake(
                "You divided by F(x). Divide by how far F went, |F(x) - F(x')|.",
                _of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / at_x.abs()),
            ),
            Mistake(
                "You divided by what was given out. Divide by what was to be shared out, |F(x) - F(x')|.",
                _of_sum(lambda total, at_x, at_b: (total - (at_x - at_b)).abs() / total.abs()),
            ),
        ],
        tools=tuple(METHODS.values()),
    ),
    Exercise(
        "06.3",
        shapley,
        _functions,
        [
            Mistake(
                "That is one order: first to last. Average over all orders.",
                lambda f, x, b: in_order(f, x, b, (0, 1, 2)),
            ),
            Mistake("That is one order: last to first. Average over all orders.", _last_first),
            Mistake(
                "You averaged an order and its reverse. Three features have more orders than two.",
                lambda f, x, b: over_orders(f, x, b, [(0, 1, 2), (2, 1, 0)]),
            ),
            Mistake(
                "You rotated the order, which gives as many orders as there are features. There are more.",
                lambda f, x, b: over_orders(f, x, b, [(0, 1, 2), (1, 2, 0), (2, 0, 1)]),
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
                lambda f, x, b: in_order(f, x, b, (0, 1, 2)) / 6,
            ),
            Mistake(
                "You moved each feature alone, away from the baseline. Here others may have moved before it.",
                _alone,
            ),
            Mistake(
                "You took each feature alone back from x. That is occlusion; here features move one after another.",
                lambda f, x, b: -_alone(f, b, x),
            ),
            Mistake("The sign is turned round: F after the move, less F before it.", lambda f, x, b: -shapley(f, x, b)),
        ],
    ),
    Exercise(
        "06.4",
        broken_axiom,
        _suspects,
        [
            Mistake("That axiom holds for this method. Look for one that does not.", lambda method: _kept(method)[0]),
            Mistake("That axiom holds for this method, it is the last that does.", lambda method: _kept(method)[-1]),
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
