"""Answers to lesson 06 as students write them."""

from itertools import combinations, permutations
from math import factorial

import torch

from igteach import axioms


def distance(method, f, g, x, b):
    one, other = (method(function, x, b).values.flatten().tolist() for function in (f, g))
    apart = sum(abs(u - v) for u, v in zip(one, other, strict=True))
    return apart / max(sum(map(abs, one)), sum(map(abs, other)))


def both(method, f, g, x, b):
    return method(f, x, b).values, method(g, x, b).values


def norm(t):
    return t.abs().sum()


def missing(method, f, x, b):
    return abs(1 - method(f, x, b).values.sum() / (f(x) - f(b)))


def missed(method, f, x, b):
    return method(f, x, b).values.sum() - (f(x) - f(b))


def by_coalitions(f, x, b):
    """Shapley's own formula: over the sets of features that have moved before."""
    n = x.shape[1]
    shares = torch.zeros_like(x)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            for moved in combinations(others, size):
                without = b.clone()
                without[0, list(moved)] = x[0, list(moved)]
                with_i = without.clone()
                with_i[0, i] = x[0, i]
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                shares[0, i] += weight * (f(with_i) - f(without))[0]
    return shares


def over(orders, f, x, b, again=True):
    shares, here = torch.zeros_like(x), b.clone()
    for order in orders:
        here = b.clone() if again else here
        for i in order:
            before = f(here)
            here[0, i] = x[0, i]
            shares[0, i] += (f(here) - before)[0]
    return shares / len(orders)


ALL = list(permutations(range(3)))


def found(method):
    results = {name: check(method) for name, check in axioms.AXIOMS.items()}
    return min(results, key=lambda name: results[name].holds)


RIGHT = {
    "06.1": distance,
    "06.2": missing,
    "06.3": by_coalitions,
    "06.4": found,
}
WRONG = [
    ("06.1", lambda m, f, g, x, b: abs(f(x) - g(x)) / torch.maximum(f(x).abs(), g(x).abs()), "You compared F itself"),
    ("06.1", lambda *a: abs(both(*a)[0].sum() - both(*a)[1].sum()) / max(map(norm, both(*a))), "opposite sign cancel"),
    ("06.1", lambda *a: norm(both(*a)[0] - both(*a)[1]), "units of F"),
    ("06.1", lambda *a: norm(both(*a)[0] - both(*a)[1]) / norm(both(*a)[0]), "which function comes first. Divide"),
    ("06.1", lambda *a: norm(both(*a)[0] - both(*a)[1]) / norm(both(*a)[1]), "you divide by the second"),
    ("06.1", lambda *a: norm(both(*a)[0] - both(*a)[1]) / sum(map(norm, both(*a))), "both sums together"),
    ("06.1", lambda *a: max(abs(both(*a)[0] - both(*a)[1])[0]) / max(map(norm, both(*a))), "one largest difference"),
    ("06.1", lambda *a: abs(both(*a)[0] - both(*a)[1]) / max(map(norm, both(*a))), "one number is wanted"),
    ("06.1", lambda m, f, g, x, b: distance(m, f, g, b, x), "your answer is off"),
    ("06.2", missed, "residual with its sign"),
    ("06.2", lambda *a: abs(missed(*a)), "residual in absolute value"),
    ("06.2", lambda m, f, x, b: abs(missed(m, f, x, b)) / (f(x) - f(b)), "F(x) - F(x') too"),
    ("06.2", lambda m, f, x, b: missed(m, f, x, b) / (f(x) - f(b)), "Take the absolute value of the ratio"),
    ("06.2", lambda m, f, x, b: abs(m(f, x, b).values.sum() - f(x)) / abs(f(x)), "left out F at the baseline"),
    ("06.2", lambda m, f, x, b: abs(missed(m, f, x, b)) / abs(f(x)), "You divided by F(x)"),
    ("06.2", lambda m, f, x, b: abs(missed(m, f, x, b)) / abs(m(f, x, b).values.sum()), "by what was distributed"),
    ("06.2", lambda m, f, x, b: abs(m(f, x, b).values - (f(x) - f(b))) / abs(f(x) - f(b)), "one number is wanted"),
    ("06.2", lambda m, f, x, b: abs(m(f, x, b).residual) / abs(f(x) - f(b)), "stopped with TypeError"),
    ("06.3", lambda f, x, b: over([(0, 1, 2)], f, x, b), "first to last"),
    ("06.3", lambda f, x, b: over([(2, 1, 0)], f, x, b), "last to first"),
    ("06.3", lambda f, x, b: over([(0, 1, 2), (2, 1, 0)], f, x, b), "an order and its reverse"),
    ("06.3", lambda f, x, b: over(ALL[::3] + ALL[1:2], f, x, b), "your answer is off"),
    ("06.3", lambda f, x, b: over([(0, 1, 2), (1, 2, 0), (2, 0, 1)], f, x, b), "You rotated the order"),
    ("06.3", lambda f, x, b: over(ALL, f, x, b) * len(ALL), "You added up over the orders"),
    ("06.3", lambda f, x, b: over(ALL, f, x, b) * 2, "divided by the number of features"),
    ("06.3", lambda f, x, b: over(ALL, f, x, b, again=False), "Only your first order starts at the baseline"),
    ("06.3", lambda f, x, b: (f(b + torch.eye(3) * (x - b)) - f(b))[None], "away from the baseline"),
    ("06.3", lambda f, x, b: (f(x) - f(x + torch.eye(3) * (b - x)))[None], "That is occlusion"),
    ("06.3", lambda f, x, b: -by_coalitions(f, x, b), "sign is flipped"),
    ("06.3", lambda f, x, b: by_coalitions(f, x, b)[0], "yours has shape (3,)"),
    ("06.4", lambda m: next(name for name, put in axioms.AXIOMS.items() if put(m).holds), "Look for one that does not"),
    ("06.4", lambda m: [name for name, put in axioms.AXIOMS.items() if put(m).holds][-1], "the last that does"),
    ("06.4", lambda m: axioms.TITLES[list(axioms.AXIOMS).index(found(m))], "the title in the table's head"),
    ("06.4", lambda m: "completeness", "You say completeness for every method"),
    (
        "06.4",
        lambda m: [name for name in axioms.AXIOMS if not axioms.AXIOMS[name](m).holds],
        "a text in quotes is wanted",
    ),
    ("06.4", lambda m: axioms.AXIOMS[found(m)], "a text in quotes is wanted"),
    ("06.4", lambda m: found(m).replace("_", " "), "your answer is off"),
    ("06.4", lambda m: found(None), "stopped with TypeError"),
]
