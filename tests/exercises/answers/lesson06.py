"""Answers to lesson 06 as students write them."""

import itertools
import math
from itertools import combinations, permutations
from math import factorial

import numpy as np
import torch

import igteach
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


def _v(method, f, x, b):
    return method(f, x, b).values


def _obo(f, x, b, order):
    here, s = (b.clone(), torch.zeros_like(x))
    for i in order:
        before = f(here)
        here[:, i] = x[:, i]
        s[:, i] = (f(here) - before).flatten()
    return s


def _stale(f, x, b, order):
    here, s = (b.clone(), torch.zeros_like(x))
    before = f(here)
    for i in order:
        here[:, i] = x[:, i]
        s[:, i] = (f(here) - before).flatten()
    return s


def _subsets(f, x, b, weight):
    n = x.shape[1]
    out = torch.zeros_like(x)
    for i in range(n):
        rest = [j for j in range(n) if j != i]
        for size in range(n):
            for chosen in itertools.combinations(rest, size):
                low = b.clone()
                for j in chosen:
                    low[:, j] = x[:, j]
                high = low.clone()
                high[:, i] = x[:, i]
                out[:, i] += weight(size, n) * (f(high) - f(low))
    return out


def _back(o):
    inv = torch.empty_like(o)
    inv[o] = torch.arange(len(o))
    return inv


def _og(m, f, x, b, o, fo, so, below=None):
    old = m(f, x, b).values
    new = m(lambda z: f(z[:, fo]), x[:, o], b[:, o]).values[:, so]
    return (new - old).abs().sum() / (old.abs().sum() if below is None else below(old, new))


I3 = torch.arange(3)


def python_max(method, f, g, x, baseline):
    one, other = (method(f, x, baseline).values, method(g, x, baseline).values)
    return ((one - other).abs().sum() / max(one.abs().sum(), other.abs().sum())).item()


def numpy(method, f, g, x, baseline):
    one = np.asarray(method(f, x, baseline).values.detach(), dtype=np.float64)
    other = np.asarray(method(g, x, baseline).values.detach(), dtype=np.float64)
    return np.abs(one - other).sum() / np.maximum(np.abs(one).sum(), np.abs(other).sum())


def loops(method, f, g, x, baseline):
    one = method(f, x, baseline).values.flatten().tolist()
    other = method(g, x, baseline).values.flatten().tolist()
    top = sum((abs(a - b) for a, b in zip(one, other, strict=False)))
    return top / max(sum(map(abs, one)), sum(map(abs, other)))


def larger_ratio_of_two_minimum(method, f, g, x, baseline):
    one, other = (method(f, x, baseline).values, method(g, x, baseline).values)
    d = torch.dist(one, other, p=1)
    return torch.minimum(d / one.abs().sum(), d / other.abs().sum())


def numpy_accumulation(f, x, baseline):
    n = x.shape[1]
    out = np.zeros((1, n))
    orders = list(permutations(range(n)))
    for order in orders:
        mask = torch.zeros(1, n, dtype=torch.bool)
        last = f(baseline).item()
        for i in order:
            mask[0, i] = True
            now = f(torch.where(mask, x, baseline)).item()
            out[0, i] += (now - last) / len(orders)
            last = now
    return out


def loop(method):
    for name, check in axioms.AXIOMS.items():
        if not check(method).holds:
            return name
    return None


def inverse_by_scatter(method, f, x, baseline, order):
    b = _back(order)
    old = method(f, x, baseline).values
    new = method(lambda z: f(z[:, b]), x[:, order], baseline[:, order]).values
    return (new - old[:, order]).abs().sum() / old.abs().sum()


def loops_list_index(method, f, x, baseline, order):
    o = order.tolist()
    back = [o.index(i) for i in range(len(o))]
    old = method(f, x, baseline).values[0].tolist()
    new = method(lambda z: f(torch.stack([z[:, i] for i in back], dim=1)), x[:, o], baseline[:, o]).values[0].tolist()
    return sum(abs(old[i] - new[back[i]]) for i in range(len(o))) / sum(map(abs, old))


def permutation_matrix(method, f, x, baseline, order):
    p = torch.eye(len(order)).to(x)[:, order]
    old = method(f, x, baseline).values
    new = method(lambda z: f(z @ p.T), x @ p, baseline @ p).values @ p.T
    return ((new - old).abs().sum() / old.abs().sum()).item()


def numpy_again(method, f, x, baseline, order):
    back = torch.from_numpy(np.argsort(order.numpy()))
    old = method(f, x, baseline).values.numpy()
    new = method(lambda z: f(z[:, back]), x[:, order], baseline[:, order]).values.numpy()
    return np.abs(new[:, back.numpy()] - old).sum() / np.abs(old).sum()


def overwritten_and_divided(f, x, b):
    s, n = (torch.zeros_like(x), 0)
    for o in permutations(range(x.shape[1])):
        n += 1
        here = b.clone()
        for i in o:
            before = f(here)
            here[:, i] = x[:, i]
            s[:, i] = (f(here) - before).flatten()
    return s / n


def starts_at_zeros(f, x, b):
    return torch.stack([_obo(f, x, torch.zeros_like(x), o) for o in permutations(range(x.shape[1]))]).mean(0)


RIGHT = {
    "06.1": [distance, python_max, numpy, loops, larger_ratio_of_two_minimum],
    "06.3": [
        by_coalitions,
        lambda f, x, b: torch.stack([_obo(f, x, b, o) for o in permutations(range(x.shape[1]))]).mean(0),
        lambda f, x, b: _subsets(
            f, x, b, lambda s, n: math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n)
        ),
        lambda f, x, b: igteach.shapley_values(f, x, b).values,
        numpy_accumulation,
    ],
    "06.4": [
        found,
        loop,
        lambda m: next(n for n, c in axioms.AXIOMS.items() if not c(m).holds),
        lambda m: {c(m).holds: n for n, c in axioms.AXIOMS.items()}[False],
        lambda m: min(axioms.AXIOMS, key=lambda n: axioms.AXIOMS[n](m).holds),
    ],
    "06.5": [inverse_by_scatter, loops_list_index, permutation_matrix, numpy_again],
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
    ("06.1", lambda m, f, g, x, b: distance(m, f, g, b, x), "have changed places"),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b) - _v(m, g, x, b)).abs().sum()
            / torch.minimum(_v(m, f, x, b).abs().sum(), _v(m, g, x, b).abs().sum())
        ),
        "You divided by the smaller of the two sums",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b) - _v(m, g, x, b)).abs().sum()
            / torch.maximum(_v(m, f, x, b).abs(), _v(m, g, x, b).abs()).sum()
        ),
        "You took the larger share feature by feature",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b) - _v(m, g, x, b)).abs() / torch.maximum(_v(m, f, x, b).abs(), _v(m, g, x, b).abs())
        ).mean(),
        "You divided feature by feature",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (m(f, x).values - m(g, x).values).abs().sum()
            / torch.maximum(m(f, x).values.abs().sum(), m(g, x).values.abs().sum())
        ),
        "You did not pass the baseline, so the method took zeros",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b) - _v(m, g, x, b)).abs().mean()
            / torch.maximum(_v(m, f, x, b).abs().sum(), _v(m, g, x, b).abs().sum())
        ),
        "You averaged the differences and added up the shares",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b) - _v(m, g, x, b)).abs().max()
            / torch.maximum(_v(m, f, x, b).abs().max(), _v(m, g, x, b).abs().max())
        ),
        "You compared one difference with one share, the largest of each",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (_v(m, f, x, b) - _v(m, f, x, b)).abs().sum() / _v(m, f, x, b).abs().sum(),
        "Your gap is 0 for any two functions",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b).abs().sum() - _v(m, g, x, b).abs().sum()).abs()
            / torch.maximum(_v(m, f, x, b).abs().sum(), _v(m, g, x, b).abs().sum())
        ),
        "You compared the two sums of |shares|",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (
            (_v(m, f, x, b) - _v(m, g, x, b)).abs().sum()
            / ((_v(m, f, x, b).abs().sum() + _v(m, g, x, b).abs().sum()) / 2)
        ),
        "You divided by the mean of the two sums",
    ),
    (
        "06.1",
        lambda m, f, g, x, b: (_v(m, f, x, b) - _v(m, g, x, b)).abs().sum() / (f(x) - f(b)).abs()[0],
        "You divided by the change of F",
    ),
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
    ("06.3", overwritten_and_divided, "Each of your orders writes over the one before, and you divide what is left"),
    ("06.3", starts_at_zeros, "Your orders begin at 0"),
    (
        "06.3",
        lambda f, x, b: torch.stack([_stale(f, x, b, o) for o in permutations(range(x.shape[1]))]).mean(0),
        "You compared every move with the start of its order",
    ),
    (
        "06.3",
        lambda f, x, b: torch.cat(
            [
                (
                    f(x)
                    - f(torch.where(torch.arange(x.shape[1]) == i, b, x))
                    + f(torch.where(torch.arange(x.shape[1]) == i, x, b))
                    - f(b)
                )
                / 2
                for i in range(x.shape[1])
            ]
        )[None],
        "You looked at each feature's first and last move",
    ),
    (
        "06.3",
        lambda f, x, b: _subsets(f, x, b, lambda s, n: 1 / 2 ** (n - 1)),
        "You gave the same weight to every set of features that may have moved before",
    ),
    (
        "06.4",
        lambda m: next((name for name, put in axioms.AXIOMS.items() if put(m).holds)),
        "Look for one that does not",
    ),
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
    ("06.4", lambda m: list(axioms.AXIOMS)[-1], "You say symmetry for every method"),
    (
        "06.5",
        lambda m, f, x, b, o: _og(m, f, x, b, o, I3, o.argsort()),
        "You reordered x and the baseline, but not what F expects: it still takes the features in the old order",
    ),
    ("06.5", lambda m, f, x, b, o: _og(m, f, x, b, o, o.argsort(), I3), "You compare the shares of different features"),
    (
        "06.5",
        lambda m, f, x, b, o: _og(m, f, x, b, o, o, o),
        "`order` does not undo itself: neither F nor the shares are back in the old order",
    ),
    ("06.5", lambda m, f, x, b, o: _og(m, f, x, b, o, o, o.argsort()), "F gets its features in a wrong order"),
    (
        "06.5",
        lambda m, f, x, b, o: _og(m, f, x, b, o, o.argsort(), o),
        "You put the shares back by `order`, which leads from the old order to the new one",
    ),
    (
        "06.5",
        lambda m, f, x, b, o: _og(m, f, x, b, o, o.argsort(), o.argsort(), lambda p, q: 1.0),
        "Your gap changes with the units of F",
    ),
    (
        "06.5",
        lambda m, f, x, b, o: (
            (m(lambda z: f(z[:, o.argsort()]), x[:, o], b[:, o]).values.sum() - m(f, x, b).values.sum())
            / m(f, x, b).values.abs().sum()
        ),
        "Your gap is always 0",
    ),
    ("06.1", lambda *a: abs((both(*a)[0] - both(*a)[1]).sum()), "cancel in your sum. And divide"),
    (
        "06.1",
        lambda *a: (both(*a)[0] - both(*a)[1]).norm() / max(both(*a)[0].norm(), both(*a)[1].norm()),
        "You took norms",
    ),
    ("06.4", lambda m: next(n for n, c in axioms.AXIOMS.items() if not c(m)), "ask its .holds"),
    (
        "06.5",
        lambda m, f, x, b, o: (m(f, x, b).values[:, o] - m(f, x, b).values).abs().sum() / m(f, x, b).values.abs().sum(),
        "You reordered the shares that you had",
    ),
    (
        "06.5",
        lambda m, f, x, b, o: (
            (m(lambda z: f(z[:, o.argsort()]), x, b).values[:, o.argsort()] - m(f, x, b).values).abs().sum()
            / m(f, x, b).values.abs().sum()
        ),
        "You put F into the new order, and left x",
    ),
]
