"""Answers to lesson 03 as students write them."""

import torch


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def nearest(f, candidates, neutral):
    distances = [abs(float(f(row[None])[0]) - neutral) for row in candidates]
    return distances.index(min(distances))


RIGHT = {
    "03.1": lambda text, corpus: [float(t) / float(text.sum()) for t in text] - corpus.numpy() / float(corpus.sum()),
    "03.2": nearest,
    "03.3": lambda f, x, b: slope(f, x) * x - slope(f, x) * b,
}
WRONG = [
    ("03.1", lambda t, c: t - c, "compare frequencies"),
    ("03.1", lambda t, c: t.div(t.sum()), "Subtract those of the corpus"),
    ("03.1", lambda t, c: c / c.sum() - t / t.sum(), "sign is flipped"),
    ("03.1", lambda t, c: (t - c) / t.sum(), "its own length"),
    ("03.1", lambda t, c: t / t.max() - c / c.max(), "your answer is off"),
    ("03.2", lambda f, c, n: int(f(c).argmin()), "lowest score"),
    ("03.2", lambda f, c, n: f(c).argmax().item(), "highest score"),
    ("03.2", lambda f, c, n: torch.sort((f(c) - n) ** 2).indices[-1], "furthest from neutral"),
    ("03.2", lambda f, c, n: min(f(c).tolist(), key=lambda v: abs(v - n)), "index of the candidate"),
    ("03.2", lambda f, c, n: (f(c) - n).abs(), "one number is wanted"),
    ("03.3", lambda f, x, b: slope(f, x) * x, "multiply by x - baseline"),
    ("03.3", lambda f, x, b: slope(f, x), "How far did each feature go"),
    ("03.3", lambda f, x, b: slope(f, b) * (x - b), "wanted at x"),
    ("03.3", lambda f, x, b: slope(f, x) * (b - x), "not back"),
    ("03.3", lambda f, x, b: (slope(f, x) * (x - b)).sum(), "Keep one for each feature"),
    ("03.3", lambda f, x, b: (slope(f, x) * (x - b)).mean(1), "a tensor of shape (1, 3) is wanted"),
]
