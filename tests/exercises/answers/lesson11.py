"""Answers to lesson 11 as students write them."""

import math
import statistics
from itertools import permutations

import numpy as np
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


def shapley_by_numpy(v):
    shares = []
    for i in range(3):
        before, after = np.moveaxis(v.numpy(), i, 0)
        gain = after - before
        shares.append(gain[0, 0] / 3 + (gain[0, 1] + gain[1, 0]) / 6 + gain[1, 1] / 3)
    return shares


def shapley_by_weights(v):
    weights = torch.tensor([[1 / 3, 1 / 6], [1 / 6, 1 / 3]], dtype=v.dtype)
    return torch.stack([(v.diff(dim=i).squeeze(i) * weights).sum() for i in range(3)])


def shapley_by_einsum(v):
    weights = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64) / 6
    return torch.einsum("nab,ab->n", torch.stack(gains(v)).double(), weights)


def samples_needed(pulls, tolerance):
    n, strength = 1, pulls.mean(0).abs().sum()
    while pulls.std(0).sum() / n**0.5 / strength > tolerance:
        n += 1
    return n


def samples_by_numpy(pulls, tolerance):
    p = pulls.numpy()
    estimate = (p.std(0, ddof=1) / np.sqrt(len(p))).sum() / np.abs(p.mean(0)).sum()
    return int(np.ceil(len(p) * (estimate / tolerance) ** 2))


def samples_by_statistics(pulls, tolerance):
    columns = pulls.T.tolist()
    spread, strength = sum(map(statistics.stdev, columns)), sum(abs(statistics.mean(column)) for column in columns)
    return math.ceil((spread / strength / tolerance) ** 2)


def samples_in_float32(pulls, tolerance):
    p = pulls.float()
    return torch.ceil(p.var(0).sqrt().sum() ** 2 / (tolerance * p.mean(0).abs().sum()) ** 2)


def conductance(heights, slopes):
    total = torch.zeros(heights.shape[1])
    for k in range(len(slopes)):
        total += slopes[k] * (heights[k + 1] - heights[k])
    return total


def conductance_by_lists(heights, slopes):
    h, s = heights.tolist(), slopes.tolist()
    return [sum(s[k][u] * (h[k + 1][u] - h[k][u]) for k in range(len(s))) for u in range(len(h[0]))]


def conductance_by_numpy(heights, slopes):
    return (slopes.numpy() * np.diff(heights.numpy(), axis=0)).sum(axis=0)


def conductance_by_einsum(heights, slopes):
    return torch.einsum("su,su->u", slopes.double(), (heights[1:] - heights[:-1]).double())


def jumps(thresholds, feature, left, right, start, end):
    shares = torch.zeros(len(start))
    for k in range(len(thresholds)):
        i = feature[k]
        before = left[k] if start[i] <= thresholds[k] else right[k]
        after = left[k] if end[i] <= thresholds[k] else right[k]
        shares[i] += after - before
    return shares


def jumps_by_crossings(thresholds, feature, left, right, start, end):
    shares = [0.0] * len(start)
    for t, i, low, high in zip(thresholds.tolist(), feature.tolist(), left.tolist(), right.tolist(), strict=True):
        if float(start[i]) <= t < float(end[i]):
            shares[i] += high - low
        if float(end[i]) <= t < float(start[i]):
            shares[i] += low - high
    return shares


def jumps_by_numpy(thresholds, feature, left, right, start, end):
    t, f, low, high, a, b = (each.numpy() for each in (thresholds, feature, left, right, start, end))
    shares = np.zeros(len(a))
    np.add.at(shares, f, np.where(b[f] > t, high, low) - np.where(a[f] > t, high, low))
    return shares


def jumps_one_feature_at_a_time(thresholds, feature, left, right, start, end):
    def forest(point):
        return torch.where(point[feature] > thresholds, right, left).sum()

    shares = []
    for i in range(len(start)):
        moved = start.clone()
        moved[i] = end[i]
        shares.append(forest(moved) - forest(start))
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


def below_the_threshold(t, feature, left, right, start, end):
    before = torch.where(start[feature] < t, left, right)
    after = torch.where(end[feature] < t, left, right)
    return torch.zeros_like(start).index_add(0, feature, after - before)


def to_the_right_only(t, feature, left, right, start, end):
    shares = torch.zeros_like(start)
    for k, i in enumerate(feature):
        if start[i] <= t[k] < end[i]:
            shares[i] += right[k] - left[k]
    return shares


def without_signs(t, feature, left, right, start, end):
    shares = torch.zeros_like(start)
    for k, i in enumerate(feature):
        if (start[i] <= t[k]) != (end[i] <= t[k]):
            shares[i] += (right[k] - left[k]).abs()
    return shares


def two_orders(v):
    there = torch.stack([v[1, 0, 0] - v[0, 0, 0], v[1, 1, 0] - v[1, 0, 0], v[1, 1, 1] - v[1, 1, 0]])
    back = torch.stack([v[1, 1, 1] - v[0, 1, 1], v[0, 1, 1] - v[0, 0, 1], v[0, 0, 1] - v[0, 0, 0]])
    return (there + back) / 2


def without_the_start(v):
    v = v.clone()
    v[0, 0, 0] = 0
    return shapley(v)


def of_one(pulls):
    return float(pulls.std(0).sum() / pulls.mean(0).abs().sum())


def three_orders(v):
    shares = torch.zeros(3)
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        moved = [0, 0, 0]
        for i in order:
            before = v[tuple(moved)]
            moved[i] = 1
            shares[i] += v[tuple(moved)] - before
    return shares / 3


def strictly_upward(t, feature, left, right, start, end):
    shares = torch.zeros_like(start)
    for k, i in enumerate(feature):
        if start[i] < t[k] < end[i]:
            shares[i] += right[k] - left[k]
    return shares


def strictly_between(t, feature, left, right, start, end):
    shares = torch.zeros_like(start)
    for k, i in enumerate(feature):
        if start[i] < t[k] < end[i]:
            shares[i] += right[k] - left[k]
        elif end[i] < t[k] < start[i]:
            shares[i] += left[k] - right[k]
    return shares


def crossings(t, feature, left, right, start, end):
    shares = torch.zeros_like(start)
    for k, i in enumerate(feature):
        shares[i] += (start[i] <= t[k]) != (end[i] <= t[k])
    return shares


RIGHT = {
    "11.1": [shapley, shapley_by_numpy, shapley_by_weights, shapley_by_einsum],
    "11.3": [conductance, conductance_by_lists, conductance_by_numpy, conductance_by_einsum],
    "11.4": [jumps, jumps_by_crossings, jumps_by_numpy, jumps_one_feature_at_a_time],
    "11.5": [samples_needed, samples_by_numpy, samples_by_statistics, samples_in_float32],
}
WRONG = [
    ("11.1", lambda v: torch.stack([g[0, 0] for g in gains(v)]), "alone"),
    ("11.1", lambda v: torch.stack([g[1, 1] for g in gains(v)]), "moved each feature last"),
    ("11.1", lambda v: torch.stack([(g[0, 0] + g[1, 1]) / 2 for g in gains(v)]), "come second"),
    ("11.1", lambda v: torch.stack([g.mean() for g in gains(v)]), "same weight"),
    ("11.1", lambda v: 6 * shapley(v), "more than there is"),
    ("11.1", lambda v: v[1, 1, 1] - v[0, 0, 0], "tensor of shape"),
    ("11.3", lambda heights, slopes: slopes.mean(dim=0), "How far did the unit go"),
    ("11.3", lambda heights, slopes: slopes.mean(dim=0) * (heights[-1] - heights[0]), "pair each slope"),
    ("11.3", lambda heights, slopes: (slopes * heights[1:]).sum(dim=0), "not by how far"),
    ("11.3", lambda heights, slopes: (slopes * heights.diff(dim=0)).mean(dim=0), "add them up"),
    ("11.3", lambda heights, slopes: (slopes * heights.diff(dim=0)).sum(), "tensor of shape"),
    ("11.4", lambda t, f, left, right, a, b: torch.zeros(len(a)).index_add(0, f, right - left), "stays on one side"),
    ("11.4", each_crossing_to_the_right, "from right to left"),
    ("11.4", the_last_stump_wins, "several stumps"),
    ("11.4", lambda t, f, left, right, a, b: jumps(t, f, left, right, a, b) * (b - a), "however long the step"),
    ("11.1", lambda v: 2 * shapley(v), "divided by three"),
    ("11.1", lambda v: torch.stack([g.sum() / 3 for g in gains(v)]), "the weight of both"),
    ("11.1", without_the_start, "left out v[0, 0, 0]"),
    ("11.1", lambda v: [float(v[1, 1, 1] - v[0, 0, 0]) / 3] * 3, "all three the same"),
    ("11.1", two_orders, "the reverse of the other"),
    ("11.1", lambda v: shapley(v)[[0, 0, 0]], "its own index"),
    ("11.1", lambda v: shapley(v).flip(0), "in another order"),
    ("11.3", lambda heights, slopes: (slopes * heights[:-1]).sum(dim=0), "before each step"),
    ("11.3", lambda heights, slopes: heights[-1] - heights[0], "How much of it does F feel"),
    ("11.3", lambda heights, slopes: (slopes * heights.diff(dim=0)).abs().sum(dim=0), "added up absolute values"),
    ("11.3", lambda heights, slopes: (slopes.abs() * heights.diff(dim=0)).sum(dim=0), "absolute values of the slopes"),
    ("11.3", lambda heights, slopes: slopes.sum(dim=0) * (heights[-1] - heights[0]), "multiplied once"),
    ("11.3", lambda heights, slopes: slopes.mean(dim=0) * heights[-1], "where the unit ends"),
    ("11.4", below_the_threshold, "exactly at the threshold"),
    ("11.4", to_the_right_only, "left to right only"),
    ("11.4", without_signs, "keep its sign"),
    ("11.4", lambda *a: -jumps(*a), "its sign is flipped"),
    ("11.5", lambda p, t: math.ceil(len(p) * of_one(p) / len(p) ** 0.5 / t), "fall like 1/n"),
    ("11.5", lambda p, t: samples_needed(p, t) - len(p), "how many more"),
    ("11.5", lambda p, t: len(p) * samples_needed(p, t), "once more"),
    ("11.5", lambda p, t: math.ceil(float(p.std(0).sum() / t) ** 2), "did not compare with the shares"),
    ("11.5", lambda p, t: math.ceil(float(p.std(0).sum() / p.mean(0).sum() / t) ** 2), "in which they cancel"),
    ("11.5", lambda p, t: math.ceil(float(p.std(0).sum() / p.abs().mean(0).sum() / t) ** 2), "before the mean"),
    ("11.5", lambda p, t: int((of_one(p) / t) ** 2), "rounded down"),
    ("11.5", lambda p, t: round((of_one(p) / t) ** 2), "nearest whole number"),
    ("11.5", lambda p, t: (of_one(p) / t) ** 2, "no fraction of a sample"),
    ("11.5", lambda p, t: math.ceil(of_one(p) / t), "did not square"),
    ("11.5", lambda p, t: math.ceil(of_one(p) ** 2 / t), "Square the tolerance"),
    ("11.5", lambda p, t: of_one(p) / len(p) ** 0.5, "error estimate of the first run"),
    ("11.5", lambda p, t: max(len(p), samples_needed(p, t)), "never go below"),
    ("11.5", lambda p, t: (p.std(0) / p.mean(0).abs() / t).square().ceil(), "a number for each feature"),
    ("11.5", lambda p, t: math.ceil((of_one(p) * len(p) ** 0.5 / t) ** 2), "the spread of one sample already"),
    ("11.1", three_orders, "three orders of six"),
    ("11.1", lambda v: torch.stack([g.sum() / 6 + (g[0, 1] + g[1, 0]) / 6 for g in gains(v)]), "have changed places"),
    ("11.1", lambda v: torch.stack([(g[0, 1] + g[1, 0]) / 2 for g in gains(v)]), "moved each feature second"),
    ("11.3", lambda heights, slopes: slopes.sum(dim=0), "You added up the slopes. How far"),
    ("11.3", lambda heights, slopes: (slopes * (heights[1:] - heights[0])).sum(dim=0), "from where it began"),
    ("11.3", lambda heights, slopes: slopes[-1] * (heights[-1] - heights[0]), "the last slope"),
    ("11.4", crossings, "You counted crossings"),
    ("11.4", strictly_upward, "miss those that begin at the threshold"),
    ("11.4", strictly_between, "begin or end at a threshold"),
    ("11.5", lambda p, t: int((of_one(p) / t) ** 2) + 1, "that is one too many"),
    ("11.5", lambda p, t: max(0, samples_needed(p, t) - len(p)), "or none where the first run is enough"),
    ("11.5", lambda p, t: math.ceil((of_one(p) / len(p) ** 0.5 / t) ** 2), "estimate for that of one sample"),
    ("11.5", lambda p, t: math.ceil(float(p.var(0).sum() / p.mean(0).abs().sum() / t) ** 2), "You took variances"),
    ("11.5", lambda p, t: math.ceil((100 * of_one(p) / t) ** 2), "for percent"),
]
