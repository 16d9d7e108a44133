"""Answers to lesson 04 as students write them."""

from itertools import pairwise

import torch

import igteach


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def walk(f, stops):
    total = 0.0
    for start, end in pairwise(stops):
        total += float((slope(f, (start + end)[None] / 2) * (end - start)).sum())
    return total


def along(f, stops):
    return sum(ig(f, end[None], start[None], 64) for start, end in pairwise(stops))[0]


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
    "04.3": lambda f, stops: along(f, stops).numpy(),
}
WRONG = [
    ("04.1", lambda f, p: (slope(f, p[-1:]) * (p[-1] - p[0])).sum(), "slope at the end of the path"),
    ("04.1", lambda f, p: (slope(f, p[:-1]) * p.diff(dim=0)).sum(), "each piece begins"),
    ("04.1", lambda f, p: (slope(f, p[1:]) * p.diff(dim=0)).sum(), "each piece ends"),
    ("04.1", lambda f, p: walk(f, p.flip(0)), "backwards"),
    ("04.1", lambda f, p: abs(walk(f, p)), "You took an absolute value"),
    ("04.1", lambda f, p: f(p)[-1] - f(p)[0], "true change"),
    ("04.1", lambda f, p: slope(f, (p[1:] + p[:-1]) / 2).sum(), "multiply by the piece"),
    ("04.1", lambda f, p: slope(f, (p[1:] + p[:-1]) / 2) * p.diff(dim=0), "one number is wanted"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) / (x - b), "did not multiply by x - baseline"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) / (x - b) * x, "You multiplied by x."),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) * n, "average them"),
    ("04.2", lambda f, x, b, n: ig(f, b, x, n), "changed places"),
    ("04.2", lambda f, x, b, n: slope(f, x) * (x - b), "You took one gradient"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n).sum(), "Keep one share for each"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, torch.linspace(0, 1, n).tolist()) * (x - b), "both ends"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n + 1), "your answer is off"),
    ("04.3", lambda f, p: ig(f, p[-1:], p[:1], 64)[0], "straight path"),
    ("04.3", lambda f, p: igteach.integrated_gradients(f, p[1:], p[:-1]).values.sum(0), "pass steps=64"),
    ("04.3", lambda f, p: along(f, p[:2]), "first leg only"),
    ("04.3", lambda f, p: along(f, p) / (len(p) - 1), "do not average"),
    ("04.3", lambda f, p: sum(ig(f, end[None], p[:1], 64) for end in p[1:])[0], "where the one before it ended"),
    ("04.3", lambda f, p: along(f, p.flip(0)), "backwards"),
    ("04.3", lambda f, p: along(f, p).sum(), "Keep one share for each"),
]
