"""Answers to lesson 10 as students write them."""

import torch

import igteach


def in_batches(f, x, baseline, steps, rows):
    total = torch.zeros_like(x)
    for start in range(0, steps, rows):
        alphas = (torch.arange(start, min(start + rows, steps)) + 0.5) / steps
        points = baseline + alphas[:, None] * (x - baseline)
        total += igteach.gradient(f, points).values.sum(0) / steps
    return total * (x - baseline)


def in_one(f, x, baseline, steps, rows):
    return in_batches(f, x, baseline, steps, steps)


def from_zero(f, x, baseline, steps, rows):
    alphas = [(k % rows + 0.5) / steps for k in range(steps)]
    return sum(igteach.gradient(f, torch.lerp(baseline, x, alpha)).values for alpha in alphas) / steps * (x - baseline)


def last_batch(f, x, baseline, steps, rows):
    for start in range(0, steps, rows):
        alphas = (torch.arange(start, min(start + rows, steps)) + 0.5) / steps
        total = igteach.gradient(f, baseline + alphas[:, None] * (x - baseline)).values.sum(0)
    return total * (x - baseline) / steps


def left_ends(f, x, baseline, steps, rows):
    slopes = [igteach.gradient(f, torch.lerp(baseline, x, k / steps)).values for k in range(steps)]
    return sum(slopes) / steps * (x - baseline)


def rows_that_fit(sizes, each, taken, budget):
    rows = 1
    while taken + sum((rows + 1) * each * int(size) for size in sizes) <= budget:
        rows += 1
    return rows


def gradients_spent(estimates, counts, tolerance):
    total = 0
    for row in estimates.tolist():
        within = [count for count, estimate in zip(counts.tolist(), row, strict=True) if estimate <= tolerance]
        total += within[0] if within else int(counts[-1])
    return total


def strictly_below(estimates, counts, tolerance):
    return gradients_spent(estimates, counts, tolerance - 1e-12)


def unsettled_free(estimates, counts, tolerance):
    return sum(gradients_spent(row[None], counts, tolerance) for row in estimates if (row <= tolerance).any())


def my_pictures(is_done, rank, processes):
    return [i for i in range(len(is_done)) if i % processes == rank and not is_done[i]]


def left(is_done):
    return torch.tensor([i for i in range(len(is_done)) if not is_done[i]])


def beyond_the_end(is_done, rank, processes):
    mine = torch.arange(rank, len(is_done) + 1, processes)
    return mine[~is_done[mine]]


RIGHT = {"10.2": in_batches, "10.3": rows_that_fit, "10.1": gradients_spent, "10.4": my_pictures}
WRONG = [
    ("10.2", in_one, "7 rows at once, and 3 fit"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n // r * r, r) * (n // r * r) / n, "your answer is off"),
    ("10.2", left_ends, "put them in the middle"),
    ("10.2", last_batch, "only the last batch"),
    ("10.2", from_zero, "begins at the baseline again"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r) * n, "1 / steps of the path"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r) / (x - b), "How far did each feature go"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r).sum(), "a tensor of shape (1, 3) is wanted"),
    ("10.3", lambda sizes, each, taken, budget: budget // (sizes.sum() * each), "already taken"),
    ("10.3", lambda sizes, each, taken, budget: max(1, (budget - taken) // int(sizes.sum())), "takes some bytes"),
    (
        "10.3",
        lambda sizes, each, taken, budget: max(1, (budget - taken) // int(sizes.max() * each)),
        "the largest layer",
    ),
    ("10.3", lambda sizes, each, taken, budget: max(1, (budget - taken) // int(sizes[0] * each)), "the first layer"),
    ("10.3", lambda sizes, each, taken, budget: rows_that_fit(sizes, each, taken, budget) + 1, "On layers of"),
    ("10.3", lambda sizes, each, taken, budget: (budget - taken) // int(sizes.sum() * each) + 1, "one row too many"),
    ("10.3", lambda sizes, each, taken, budget: (budget - taken) // int(sizes.sum() * each), "none fits"),
    ("10.3", lambda sizes, each, taken, budget: max(1, (budget - taken) / int(sizes.sum() * each)), "round down"),
    ("10.3", lambda sizes, each, taken, budget: (budget - taken) // (sizes * each), "one number is wanted"),
    ("10.1", strictly_below, "equal to it"),
    ("10.1", unsettled_free, "not free"),
    ("10.1", lambda e, counts, t: len(e) * max(gradients_spent(row[None], counts, t) for row in e), "the hardest one"),
    ("10.1", lambda e, counts, t: len(e) * gradients_spent(e.mean(0)[None], counts, t), "stop together"),
    ("10.1", lambda e, counts, t: gradients_spent(e, torch.arange(len(counts)) + 1, t), "number of rounds"),
    ("10.1", lambda e, counts, t: gradients_spent(e, counts, t) / len(e), "mean per picture"),
    ("10.1", lambda e, counts, t: gradients_spent(e, counts.roll(-1), t), "On 4 pictures"),
    ("10.4", lambda done, rank, n: left(done), "every process"),
    ("10.4", lambda done, rank, n: left(done)[rank::n], "dealt out what is left"),
    ("10.4", lambda done, rank, n: torch.arange(rank, len(done), n), "redo what is already done"),
    ("10.4", lambda done, rank, n: my_pictures(~done, rank, n), "done already"),
    ("10.4", lambda done, rank, n: my_pictures(done, 0, n), "Begin at your rank"),
    ("10.4", lambda done, rank, n: [i for i in range(rank + 1, len(done), n) if not done[i]], "one too late"),
    ("10.4", beyond_the_end, "IndexError"),
]
