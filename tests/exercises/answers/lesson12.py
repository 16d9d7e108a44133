"""Answers to lesson 12 as students write them."""

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr


def window(maps, size):
    strength = np.abs(maps.numpy().sum(axis=1)).mean(axis=0)
    best, place = -1.0, None
    for row in range(strength.shape[0] - size + 1):
        for column in range(strength.shape[1] - size + 1):
            mean = strength[row : row + size, column : column + size].mean()
            if mean > best:
                best, place = mean, [row, column]
    return place


def delete(x, values, reference, k):
    left, height, width = x.clone(), *x.shape[1:]
    worth = values.sum(0)
    order = sorted(((r, c) for r in range(height) for c in range(width)), key=lambda p: -float(worth[p]))
    for r, c in order[:k]:
        left[:, r, c] = reference[:, r, c]
    return left


def rates(a, w, i, y, label):
    own = [n for n in range(len(y)) if y[n] == label]
    rest = [n for n in range(len(y)) if y[n] != label]
    return [sum(float(p[n] == label) for n in some) / len(some) for p, some in ((a, own), (w, own), (i, rest))]


def by_colour(x, values, reference, k):
    left = x.clone()
    first = values.flatten().topk(k).indices
    left.view(-1)[first] = reference.flatten()[first]
    return left


RIGHT = {
    "12.1": lambda a, b: float(spearmanr(a, b).statistic),
    "12.2": delete,
    "12.3": window,
    "12.4": rates,
}
WRONG = [
    ("12.1", lambda a, b: float(pearsonr(a, b).statistic), "correlation of the values"),
    ("12.1", lambda a, b: torch.corrcoef(torch.stack([a.argsort(), b.argsort()]).double())[0, 1], "argsort lists"),
    ("12.1", lambda a, b: float(spearmanr(a.abs(), b.abs()).statistic), "ranked magnitudes"),
    ("12.1", lambda a, b: float(spearmanr(a, -b).statistic), "reversed"),
    ("12.1", lambda a, b: a, "one number is wanted"),
    ("12.2", lambda x, v, r, k: delete(x, -v, r, k), "least important"),
    ("12.2", by_colour, "one by one"),
    ("12.2", lambda x, v, r, k: delete(r, v, x, k), "insertion"),
    ("12.2", lambda x, v, r, k: delete(x, v, 0 * r, k), "blackened"),
    ("12.2", lambda x, v, r, k: x, "Nothing was replaced"),
    ("12.2", lambda x, v, r, k: delete(x, v, r, k + 1), "your answer is off"),
    ("12.3", lambda m, s: window(m.mean(0, keepdim=True), s), "kept the signs"),
    ("12.3", lambda m, s: window(m.abs(), s), "colour by colour"),
    ("12.3", lambda m, s: window(m, 1), "single pixel"),
    ("12.3", lambda m, s: window(m, s)[::-1], "column before row"),
    ("12.3", lambda m, s: [p + s // 2 for p in window(m, s)], "middle of the window"),
    ("12.4", lambda a, w, i, y, t: [float((p == y).double().mean()) for p in (a, w, i)], "accuracies"),
    ("12.4", lambda a, w, i, y, t: [*rates(a, w, i, y, t)[:2], float((i == t).double().mean())], "leave them out"),
    ("12.4", lambda a, w, i, y, t: [*rates(a, w, i, y, t)[:2], float((i == y)[y != t].double().mean())], "still right"),
    ("12.4", lambda a, w, i, y, t: rates(a, i, w, y, t), "wrong way round"),
    ("12.4", lambda a, w, i, y, t: torch.tensor(rates(a, w, i, y, t)).mean(), "a tensor of shape (3,) is wanted"),
]
