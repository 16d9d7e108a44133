"""Answers to lesson 04 as students write them."""

import torch


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def walk(f, x, b, steps):
    total = 0.0
    for k in range(steps):
        middle = b * (1 - (k + 0.5) / steps) + x * ((k + 0.5) / steps)
        total += float((slope(f, middle) * (x - b)).sum()) / steps
    return total


def ig(f, x, b, steps):
    share = torch.zeros_like(x)
    for k in range(steps):
        share += slope(f, b + (k + 0.5) / steps * (x - b)) / steps
    return share * (x - b)


def averaged(f, x, b, alphas):
    return sum(slope(f, b + alpha * (x - b)) for alpha in alphas) / len(alphas)


RIGHT = {
    "04.1": walk,
    "04.2": ig,
    "04.3": lambda f, b, c, x: (ig(f, c, b, 64) + ig(f, x, c, 64)).numpy(),
}
WRONG = [
    ("04.1", lambda f, x, b, n: (slope(f, x) * (x - b)).sum(), "slope at the end for every piece"),
    ("04.1", lambda f, x, b, n: (averaged(f, x, b, [k / n for k in range(n)]) * (x - b)).sum(), "each piece begins"),
    ("04.1", lambda f, x, b, n: (averaged(f, x, b, [k / n for k in range(1, n + 1)]) * (x - b)).sum(), "piece ends"),
    ("04.1", lambda f, x, b, n: n * walk(f, x, b, n), "n-th part"),
    ("04.1", lambda f, x, b, n: f(x) - f(b), "true change"),
    ("04.1", lambda f, x, b, n: ig(f, x, b, n), "one number is wanted"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) / (x - b), "did not multiply by x - baseline"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) / (x - b) * x, "You multiplied by x."),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) * n, "average them"),
    ("04.2", lambda f, x, b, n: ig(f, b, x, n), "changed places"),
    ("04.2", lambda f, x, b, n: slope(f, x) * (x - b), "You took one gradient"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n).sum(), "Keep one share for each"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, torch.linspace(0, 1, n).tolist()) * (x - b), "both ends"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n + 1), "your answer is off"),
    ("04.3", lambda f, b, c, x: ig(f, x, b, 64), "straight path"),
    ("04.3", lambda f, b, c, x: ig(f, c, b, 64), "first leg only"),
    ("04.3", lambda f, b, c, x: (ig(f, c, b, 64) + ig(f, x, c, 64)) / 2, "do not average"),
    ("04.3", lambda f, b, c, x: ig(f, c, b, 64) + ig(f, x, b, 64), "starts where the first one ended"),
    ("04.3", lambda f, b, c, x: (ig(f, c, b, 64) + ig(f, x, c, 64)).sum(), "shape"),
]
