"""Answers to lesson 05 as students write them."""

from itertools import pairwise

import numpy as np
import torch


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def zeros_of(weight, bias, x, baseline):
    """By the rule of three between the unit's values at both ends."""
    start, end = weight @ baseline + bias, weight @ x + bias
    return start / (start - end)


def kinks(weight, bias, x, baseline):
    start, end = weight @ baseline + bias, weight @ x + bias
    switches = start * end < 0
    return np.sort((start[switches] / (start[switches] - end[switches])).numpy())


def legs(f, x, b, ends):
    shares = 0
    for left, right in pairwise(ends):
        shares = shares + (right - left) * slope(f, b + (left + right) / 2 * (x - b))
    return shares * (x - b)


def exact(f, x, b, alphas):
    return legs(f, x, b, [0.0, *alphas.tolist(), 1.0])


RIGHT = {
    "05.1": lambda v, t: torch.nn.functional.l1_loss(v, t, reduction="sum") / t.norm(p=1),
    "05.2": kinks,
    "05.3": exact,
}
WRONG = [
    ("05.1", lambda v, t: (v - t).sum() / t.sum(), "the residual again"),
    ("05.1", lambda v, t: abs(float(v.sum() - t.sum())) / float(t.abs().sum()), "Take it before"),
    ("05.1", lambda v, t: (v - t).abs().sum(), "fraction of the true shares"),
    ("05.1", lambda v, t: (v - t).abs().sum() / v.abs().sum(), "Measure against the truth"),
    ("05.1", lambda v, t: (v - t).abs().sum() / t.sum().abs(), "Add up their absolute values"),
    ("05.1", lambda v, t: torch.dist(v, t) / t.norm(), "Euclidean"),
    ("05.1", lambda v, t: ((v - t) / t).abs().mean(), "share by share"),
    ("05.1", lambda v, t: (v - t).abs().mean() / t.abs().sum(), "your answer is off"),
    ("05.1", lambda v, t: (v - t).abs() / t.abs().sum(), "one number is wanted"),
    ("05.2", lambda *a: zeros_of(*a).sort().values, "do not lie on the path"),
    ("05.2", zeros_of, "and sort the rest"),
    ("05.2", lambda *a: zeros_of(*a)[(zeros_of(*a) > 0) & (zeros_of(*a) < 1)], "Those are the right alphas"),
    ("05.2", lambda w, b, x, start: kinks(w, b, x, start * 0), "It must begin at the baseline"),
    ("05.2", lambda w, b, x, start: kinks(w, b, start + x, start), "Your path ends at baseline + x"),
    ("05.2", lambda w, b, x, start: kinks(w, b * 0, x, start), "left out the bias"),
    ("05.2", lambda w, b, x, start: 1 - kinks(w, b, x, start)[::-1], "from x to the baseline"),
    ("05.2", lambda *a: kinks(*a)[:1], "is wanted"),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, alphas.tolist()), "before the first kink, and the path after"),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, [0.0, *alphas.tolist()]), "left out the path after the last kink."),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, [*alphas.tolist(), 1.0]), "before the first kink."),
    ("05.3", lambda f, x, b, alphas: exact(f, x, b, alphas) / (x - b), "How far did each feature go"),
    ("05.3", lambda f, x, b, alphas: exact(f, x, b, alphas) / (x - b) * x, "You multiplied by x."),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, [k / 4 for k in range(5)]), "pieces of equal length"),
    ("05.3", lambda f, x, b, alphas: exact(f, x, b, alphas).sum(), "Keep one share for each"),
    ("05.3", lambda f, x, b, alphas: slope(f, x) * (x - b), "your answer is off"),
]
