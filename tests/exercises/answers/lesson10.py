"""Answers to lesson 10 as students write them."""

import torch


def bytes_kept(sizes, rows, each):
    return torch.tensor(sum(rows * each * int(size) for size in sizes))


def rows_that_fit(budget, fixed, each):
    rows = 1
    while fixed + (rows + 1) * each <= budget:
        rows += 1
    return torch.tensor(rows)


def in_pieces(slopes, weights, rows):
    total = torch.zeros(slopes.shape[1])
    for start in range(0, len(weights), rows):
        total += (weights[start : start + rows, None] * slopes[start : start + rows]).sum(0)
    return total


def my_part(count, rank, processes):
    return torch.tensor([i for i in range(count) if i % processes == rank])


RIGHT = {"10.2": bytes_kept, "10.3": rows_that_fit, "10.1": in_pieces, "10.4": my_part}
WRONG = [
    ("10.2", lambda s, rows, each: s.sum() * rows, "takes some bytes"),
    ("10.2", lambda s, rows, each: s.sum() * each, "keeps its own"),
    ("10.2", lambda s, rows, each: s.max() * rows * each, "largest layer"),
    ("10.2", lambda s, rows, each: s * rows * each, "one number is wanted"),
    ("10.3", lambda b, f, e: torch.tensor(max(1, b // e)), "taken already"),
    ("10.3", lambda b, f, e: torch.tensor(max(1, -((f - b) // e))), "rounded up"),
    ("10.3", lambda b, f, e: torch.tensor((b - f) // e), "None fits"),
    ("10.3", lambda b, f, e: torch.tensor(max(1, (b - f) / e)), "round down"),
    ("10.1", lambda s, w, r: sum(s[i : i + r].T @ w[i : i + r] for i in range(0, len(w) - r + 1, r)), "left it out"),
    ("10.1", lambda s, w, r: sum(w[: len(p)] @ p for p in s.split(r)), "its own"),
    ("10.1", lambda s, w, r: w.split(r)[-1] @ s.split(r)[-1], "last piece only"),
    ("10.1", lambda s, w, r: s.sum(0), "left out the weights"),
    ("10.4", lambda n, r, p: torch.arange(n), "every process"),
    ("10.4", lambda n, r, p: torch.arange(r, n // p * p, p), "belong to nobody"),
    ("10.4", lambda n, r, p: torch.arange(0, n, p), "Begin at your rank"),
    ("10.4", lambda n, r, p: torch.arange(r + 1, n, p), "one too late"),
]
