"""Lesson 06's cases: a gap between functions and one between orders, Shapley values, the axiom that is broken."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from igteach.axioms.checks import AXIOMS, Method, axiom_table
from igteach.core.attribution import Attribution
from igteach.core.functions import Function
from igteach.exercises.cases.families import random_network
from igteach.exercises.checker import Case, Task
from igteach.methods.gradients import gradient, gradient_times_input
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.shapley import shapley_values

METHODS: dict[str, Method] = {
    "the gradient": gradient,
    "gradient times input": gradient_times_input,
    "Integrated Gradients": integrated_gradients,
}


def _invariance_gap_cases(rng: torch.Generator) -> list[Case]:
    """Each method, with two random networks, an input and a baseline."""
    cases = []
    for name, method in METHODS.items():
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"{name} and two functions", (method, random_network(rng), random_network(rng), x, baseline)))
    return cases


def _shapley_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with an input and a baseline."""
    cases = []
    for number in range(3):
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        cases.append(Case(f"function {number + 1}", (random_network(rng), x, baseline)))
    return cases


def _broken_axiom_cases(rng: torch.Generator) -> list[Case]:
    """The distorted methods in random order."""
    order = torch.randperm(len(DISTORTED_METHODS), generator=rng).tolist()
    return [Case(f"method {number}", (DISTORTED_METHODS[i],)) for number, i in enumerate(order, start=1)]


def _order_gap_cases(rng: torch.Generator) -> list[Case]:
    """Methods that go from feature to feature, each with a random network, an input, a baseline and a new order."""
    cases = []
    for name, order in (("first to last", (1, 2, 0)), ("last to first", (2, 0, 1)), ("first to last", (2, 0, 1))):
        x, baseline = torch.randn(2, 1, 3, generator=rng).double()
        arguments = (IN_TURN[name], random_network(rng), x, baseline, torch.tensor(order))
        cases.append(Case(f"the method that goes from {name}, and the order {order}", arguments))
    return cases


def _ig(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline, steps=64).values


def _halved(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, halved."""
    return _ig(f, x, baseline) / 2


def _rolled(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, but if a single feature differs from its baseline, the next one gets its share."""
    shares = _ig(f, x, baseline)
    if (x != baseline).sum() == 1:
        return shares.roll(1, dims=1)
    return shares


def _even(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """F(x) - F(x') in equal shares, also for a feature that F ignores."""
    return (f(x) - f(baseline)).reshape(-1, 1).expand(x.shape) / x.shape[1]


def _by_first_layer(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG, but the gains in one order of the features if the network's first layer has a negative bias."""
    layers = f.modules() if isinstance(f, nn.Module) else ()
    biases = [layer.bias for layer in layers if isinstance(layer, nn.Linear)]
    if biases and (biases[0] < 0).any():
        return gains_in_order(f, x, baseline, (0, 1))
    return _ig(f, x, baseline)


def gains_in_order(f: Function, x: Tensor, baseline: Tensor, order: tuple[int, ...]) -> Tensor:
    """How much F changes as each feature in turn goes from its baseline to its value.

    Args:
        f: A function of a batch, with one value a row.
        x: The input, (1, features).
        baseline: The baseline, (1, features).
        order: The order in which the features move.

    Returns:
        The gain of each feature, (1, features).
    """
    point = baseline.clone()
    gains = torch.zeros_like(x)
    for i in order:
        before = f(point)
        point[:, i] = x[:, i]
        gains[:, i] = (f(point) - before).flatten()
    return gains


def _rising_or_falling(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """IG where F rises, Shapley values where it falls."""
    if f(x) < f(baseline):
        return shapley_values(f, x, baseline).values
    return _ig(f, x, baseline)


def _first_to_last(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """The features' gains from the first feature to the last."""
    return gains_in_order(f, x, baseline, tuple(range(x.shape[1])))


def _last_to_first(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """The features' gains from the last feature to the first."""
    last_to_first = tuple(reversed(range(x.shape[1])))
    return gains_in_order(f, x, baseline, last_to_first)


def _as_method(shares: Callable[[Function, Tensor, Tensor], Tensor]) -> Method:
    """A function that returns shares, as a method that returns an Attribution."""

    def method(f: Function, x: Tensor, baseline: Tensor, target: None = None) -> Attribution:
        return replace(gradient_times_input(f, x, baseline, target), values=shares(f, x, baseline))

    return method


# Each is complete, sensitive, invariant, linear and symmetric but for one of these; exercise 06.4 asks for which.
DISTORTED_METHODS: tuple[Method, ...] = tuple(
    _as_method(shares) for shares in (_halved, _rolled, _even, _by_first_layer, _rising_or_falling, _last_to_first)
)
IN_TURN = {"first to last": _as_method(_first_to_last), "last to first": _as_method(_last_to_first)}
NAMED_METHODS = METHODS | IN_TURN | {f"distorted method {n}": m for n, m in enumerate(DISTORTED_METHODS, start=1)}

TASKS = [
    Task("06.1", _invariance_gap_cases, tools=tuple(METHODS.values())),
    Task("06.3", _shapley_cases),
    Task("06.4", _broken_axiom_cases, tools=(axiom_table, *AXIOMS.values())),
    Task("06.5", _order_gap_cases),
]
