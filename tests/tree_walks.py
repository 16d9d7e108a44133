"""Shares of a function of jumps, found without a look at any tree: what the trees' shares are compared with."""

from itertools import permutations, product

import numpy as np

PIECES, NARROWEST, GOLDEN = 256, 1e-5, 0.381966


def by_orders(f, start, end):
    """The mean over all orders in which the features can go from start to end, each (pieces, features)."""
    features = start.shape[1]
    sets = np.array(list(product([False, True], repeat=features)))
    corners = np.where(sets, end[:, None], start[:, None])  # (pieces, sets, features)
    values = f(corners.reshape(-1, features)).reshape(len(start), -1)
    orders, total = list(permutations(range(features))), np.zeros(start.shape)
    for order in orders:
        gone = np.array([sum(2 ** (features - 1 - i) for i in order[:k]) for k in range(features + 1)])
        total[:, list(order)] += np.diff(values[:, gone], axis=1)
    return total / len(orders), np.ptp(values, axis=1) > 1e-12


def walked(f, start, end, jumps=False):
    """IG without a look at any threshold: F along the path, and in each short piece of it the mean over all orders.

    `jumps`, (features,), bool, says which features stay as they are until the path is half-way and then are at its end.
    """

    def point(alpha):
        return np.where(
            jumps, np.where(alpha <= 0.5, start, end), np.where(alpha == 1, end, start + alpha * (end - start))
        )

    edges = np.clip((np.arange(PIECES + 2) - GOLDEN) / PIECES, 0, 1)  # no crossing of round numbers falls on an edge
    low, high = edges[:-1, None], edges[1:, None]
    while True:
        shares, some_jump = by_orders(f, point(low), point(high))
        if (high - low).max() < NARROWEST or not some_jump.any():
            return shares.sum(0)
        low, high = low[some_jump], high[some_jump]
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
