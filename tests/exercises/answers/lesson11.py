"""Answers to lesson 11 as students write them."""

from itertools import permutations

import torch


def shapley(v):
    shares = torch.zeros(3)
    for order in permutations(range(3)):
        moved = [0, 0, 0]
        for i in order:
            before = v[tuple(moved)]
            moved[i] = 1
            shares[i] += v[tuple(moved)] - before
    return shares / 6


def standard_error(pulls):
    n = pulls.shape[0]
    return (((pulls - pulls.mean(dim=0)) ** 2).sum(dim=0) / (n - 1) / n).sqrt()


def conductance(heights, slopes):
    total = torch.zeros(heights.shape[1])
    for k in range(len(slopes)):
        total += slopes[k] * (heights[k + 1] - heights[k])
    return total


def jumps(thresholds, feature, left, right, start, end):
    shares = torch.zeros(len(start))
    for k in range(len(thresholds)):
        i = feature[k]
        before = left[k] if start[i] <= thresholds[k] else right[k]
        after = left[k] if end[i] <= thresholds[k] else right[k]
        shares[i] += after - before
    return shares


def each_crossing_to_the_right(t, feature, left, right, start, end):
    shares = torch.zeros(len(start))
    for k, i in enumerate(feature):
        if (start[i] <= t[k]) != (end[i] <= t[k]):
            shares[i] += right[k] - left[k]
    return shares


def the_last_stump_wins(t, feature, left, right, start, end):
    shares = torch.zeros(len(start))
    for k, i in enumerate(feature):
        shares[i] = (left[k] if end[i] <= t[k] else right[k]) - (left[k] if start[i] <= t[k] else right[k])
    return shares


def gains(v):
    return [v.select(i, 1) - v.select(i, 0) for i in range(3)]


RIGHT = {"11.1": shapley, "11.2": standard_error, "11.3": conductance, "11.4": jumps}
WRONG = [
    ("11.1", lambda v: torch.stack([g[0, 0] for g in gains(v)]), "alone"),
    ("11.1", lambda v: torch.stack([g[1, 1] for g in gains(v)]), "moved each feature last"),
    ("11.1", lambda v: torch.stack([(g[0, 0] + g[1, 1]) / 2 for g in gains(v)]), "come second"),
    ("11.1", lambda v: torch.stack([g.mean() for g in gains(v)]), "same weight"),
    ("11.1", lambda v: 6 * shapley(v), "more than there is"),
    ("11.1", lambda v: v[1, 1, 1] - v[0, 0, 0], "tensor of shape"),
    ("11.2", lambda pulls: pulls.std(dim=0), "single samples"),
    ("11.2", lambda pulls: pulls.std(dim=0) / pulls.shape[0], "more slowly"),
    ("11.2", lambda pulls: pulls.var(dim=0) / pulls.shape[0], "root comes last"),
    ("11.2", lambda pulls: torch.tensor(pulls.numpy().std(axis=0)) / pulls.shape[0] ** 0.5, "one less"),
    ("11.2", lambda pulls: pulls.mean(dim=0), "the mean itself"),
    ("11.3", lambda heights, slopes: slopes.mean(dim=0), "How far did the unit go"),
    ("11.3", lambda heights, slopes: slopes.mean(dim=0) * (heights[-1] - heights[0]), "pair each slope"),
    ("11.3", lambda heights, slopes: (slopes * heights[1:]).sum(dim=0), "not by how far"),
    ("11.3", lambda heights, slopes: (slopes * heights.diff(dim=0)).mean(dim=0), "add them up"),
    ("11.3", lambda heights, slopes: (slopes * heights.diff(dim=0)).sum(), "tensor of shape"),
    ("11.4", lambda t, f, left, right, a, b: torch.zeros(len(a)).index_add(0, f, right - left), "stays on one side"),
    ("11.4", each_crossing_to_the_right, "from right to left"),
    ("11.4", the_last_stump_wins, "several stumps"),
    ("11.4", lambda t, f, left, right, a, b: jumps(t, f, left, right, a, b) * (b - a), "however long the step"),
]
