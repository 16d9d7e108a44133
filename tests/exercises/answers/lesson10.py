"""Answers to lesson 10 as students write them."""

import math

import numpy as np
import torch

import igteach


def in_batches(f, x, baseline, steps, rows):
    total = torch.zeros_like(x)
    for start in range(0, steps, rows):
        alphas = (torch.arange(start, min(start + rows, steps)) + 0.5) / steps
        points = baseline + alphas[:, None] * (x - baseline)
        total += igteach.gradient(f, points).values.sum(0) / steps
    return total * (x - baseline)


def one_by_one(f, x, baseline, steps, rows):
    total = 0.0
    for k in range(steps):
        point = (baseline + (k + 0.5) / steps * (x - baseline)).requires_grad_()
        f(point).sum().backward()
        total = total + point.grad
    return total / steps * (x - baseline)


def by_torch_func(f, x, baseline, steps, rows):
    slopes = torch.func.grad(lambda points: f(points).sum())
    total = torch.zeros_like(x[0])
    for first in range(0, steps, rows):
        alphas = (torch.arange(first, min(first + rows, steps)) + 0.5) / steps
        total = total + slopes(torch.lerp(baseline, x, alphas[:, None].to(x))).sum(0)
    return (total / steps)[None] * (x - baseline)


def mean_of_all(f, x, baseline, steps, rows):
    alphas = torch.linspace(0.5 / steps, 1 - 0.5 / steps, steps, dtype=torch.float64)
    slopes = []
    for some in alphas.split(rows):
        points = (baseline + some[:, None] * (x - baseline)).float().requires_grad_()
        slopes.append(torch.autograd.grad(f(points), points, torch.ones(len(points)))[0])
    return torch.einsum("f,nf->nf", torch.cat(slopes).double().mean(0), x - baseline).numpy()


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


def both_ends(f, x, baseline, steps, rows):
    alphas = torch.linspace(0, 1, steps).tolist()
    return sum(igteach.gradient(f, torch.lerp(baseline, x, alpha)).values for alpha in alphas) / steps * (x - baseline)


def in_so_many_batches(f, x, baseline, steps, rows):
    """chunk takes the number of pieces, not their size."""
    total = torch.zeros_like(x)
    for some in ((torch.arange(steps) + 0.5) / steps).chunk(rows):
        total += igteach.gradient(f, baseline + some[:, None] * (x - baseline)).values.sum(0) / steps
    return total * (x - baseline)


def each_its_own_midpoints(f, x, baseline, steps, rows):
    total, done = torch.zeros_like(x), 0
    while done < steps:
        count = min(rows, steps - done)
        alphas = (torch.arange(count) + 0.5) / count
        total += igteach.gradient(f, baseline + alphas[:, None] * (x - baseline)).values.sum(0)
        done += count
    return total / steps * (x - baseline)


def points_from_zero(f, x, baseline, steps, rows):
    return in_batches(f, x - baseline, 0 * baseline, steps, rows)


def rows_that_fit(sizes, each, taken, budget):
    rows = 1
    while taken + sum((rows + 1) * each * int(size) for size in sizes) <= budget:
        rows += 1
    return rows


def rows_by_numpy(sizes, each, taken, budget):
    return max(1, math.floor((budget - taken) / float(np.asarray(sizes).sum() * each)))


def rows_by_clamp(sizes, each, taken, budget):
    return ((budget - taken) // (sizes.sum() * each)).clamp(min=1)


def rows_by_lists(sizes, each, taken, budget):
    rows = (budget - taken) // (each * sum(sizes.tolist()))
    return rows if rows > 0 else 1


def gradients_spent(estimates, counts, tolerance):
    total = 0
    for row in estimates.tolist():
        within = [count for count, estimate in zip(counts.tolist(), row, strict=True) if estimate <= tolerance]
        total += within[0] if within else int(counts[-1])
    return total


def spent_with_break(estimates, counts, tolerance):
    total = 0
    for row in estimates:
        for estimate, count in zip(row, counts, strict=True):
            last = count
            if estimate <= tolerance:
                break
        total += last
    return total


def spent_by_numpy(estimates, counts, tolerance):
    within = estimates.numpy() <= tolerance
    last = np.where(within.any(1), within.argmax(1), within.shape[1] - 1)
    return counts.numpy()[last].sum()


def spent_by_cummin(estimates, counts, tolerance):
    rounds = (estimates.cummin(dim=1).values > tolerance).sum(dim=1)
    return counts.double()[rounds.clamp(max=estimates.shape[1] - 1)].sum()


def strictly_below(estimates, counts, tolerance):
    return gradients_spent(estimates, counts, tolerance - 1e-12)


def unsettled_free(estimates, counts, tolerance):
    return sum(gradients_spent(row[None], counts, tolerance) for row in estimates if (row <= tolerance).any())


def one_round_early(estimates, counts, tolerance):
    total = 0
    for row in estimates:
        spent = 0
        for estimate, count in zip(row, counts, strict=True):
            if estimate <= tolerance:
                break
            spent = count
        total += int(spent)
    return total


def rounds_added(estimates, counts, tolerance):
    total = 0
    for row in estimates:
        for estimate, count in zip(row, counts, strict=True):
            total += count
            if estimate <= tolerance:
                break
    return total


def first_if_none(estimates, counts, tolerance):
    return counts[(estimates <= tolerance).int().argmax(dim=1)].sum()


def finishing_time(gradients, is_done, speeds):
    seconds = [0.0] * len(speeds)
    for picture, (cost, done) in enumerate(zip(gradients.tolist(), is_done.tolist(), strict=True)):
        rank = picture % len(speeds)
        if not done:
            seconds[rank] += cost / float(speeds[rank])
    return max(seconds)


def finishing_by_ranks(gradients, is_done, speeds):
    seconds = []
    for rank in range(len(speeds)):
        mine = [i for i in range(rank, len(gradients), len(speeds)) if not is_done[i]]
        seconds.append(sum(int(gradients[i]) for i in mine) / float(speeds[rank]))
    return max(seconds)


def finishing_by_numpy(gradients, is_done, speeds):
    left, processes = np.where(is_done.numpy(), 0, gradients.numpy()), len(speeds)
    work = np.bincount(np.arange(len(left)) % processes, weights=left, minlength=processes)
    return (work / speeds.numpy()).max()


def finishing_by_index_add(gradients, is_done, speeds):
    rank = torch.arange(len(gradients)) % len(speeds)
    left = gradients.float().masked_fill(is_done, 0)
    return torch.zeros(len(speeds)).index_add(0, rank, left / speeds[rank]).amax()


def of_process(gradients, is_done, speeds):
    left = gradients * ~is_done
    return torch.stack([left[rank :: len(speeds)].sum() / speeds[rank] for rank in range(len(speeds))])


def in_blocks(gradients, is_done, speeds):
    size = math.ceil(len(gradients) / len(speeds))
    blocks = (gradients * ~is_done).split(size)
    return max(float(block.sum() / speed) for block, speed in zip(blocks, speeds, strict=True))


def without_the_last(gradients, is_done, speeds):
    left = (gradients * ~is_done)[:-1]
    return max(float(left[rank :: len(speeds)].sum() / speeds[rank]) for rank in range(len(speeds)))


def last_within(estimates, counts, tolerance):
    total = 0
    for row in estimates:
        last = counts[-1]
        for estimate, count in zip(row, counts, strict=True):
            if estimate <= tolerance:
                last = count
        total += last
    return total


def the_round_before(estimates, counts, tolerance):
    within = estimates <= tolerance
    last = torch.where(within.any(dim=1), within.int().argmax(dim=1), len(counts) - 1)
    return counts[last - 1].sum()


def the_round_before_or_the_first(estimates, counts, tolerance):
    within = estimates <= tolerance
    last = torch.where(within.any(dim=1), within.int().argmax(dim=1), len(counts) - 1)
    return counts[(last - 1).clamp(min=0)].sum()


def the_largest_of_each(gradients, is_done, speeds):
    left = gradients * ~is_done
    return max(float(left[rank :: len(speeds)].max() / speed) for rank, speed in enumerate(speeds))


RIGHT = {
    "10.1": [gradients_spent, spent_with_break, spent_by_numpy, spent_by_cummin],
    "10.2": [in_batches, one_by_one, by_torch_func, mean_of_all],
    "10.3": [rows_that_fit, rows_by_numpy, rows_by_clamp, rows_by_lists],
    "10.5": [finishing_time, finishing_by_ranks, finishing_by_numpy, finishing_by_index_add],
}
WRONG = [
    ("10.2", in_one, "7 rows at once, and 2 fit"),
    ("10.2", in_so_many_batches, "4 rows at once, and 2 fit"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n // r * r, r) * (n // r * r) / n, "your answer is off"),
    ("10.2", left_ends, "put them in the middle"),
    ("10.2", both_ends, "both ends included"),
    ("10.2", last_batch, "only the last batch"),
    ("10.2", from_zero, "begins at the baseline again"),
    ("10.2", each_its_own_midpoints, "along the whole path"),
    ("10.2", points_from_zero, "Add the baseline"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r) / (x - b) * x, "multiplied by x."),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r) * n / r, "by the rows of a batch"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r) * n, "1 / steps of the path"),
    ("10.2", lambda f, x, b, n, r: in_batches(f, x, b, n, r) / (x - b), "How far did each feature go"),
    ("10.2", lambda f, x, b, n, r: -in_batches(f, x, b, n, r), "its sign is flipped"),
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
    ("10.3", lambda s, each, taken, budget: max(1, round((budget - taken) / int(s.sum() * each))), "to the nearest"),
    ("10.3", lambda s, each, taken, budget: max(1, int((budget - taken) // (each * s.double().mean()))), "the mean"),
    ("10.3", lambda s, each, taken, budget: max(1, (budget - taken) // int(4 * s.sum())), "as in the text"),
    ("10.3", lambda s, each, taken, budget: max(1, (budget + taken) // int(each * s.sum())), "You added it"),
    ("10.3", lambda s, each, taken, budget: max(1, budget // (int(each * s.sum()) + taken)), "It is taken once"),
    ("10.3", lambda s, each, taken, budget: max(1, (budget - taken) // (each * len(s))), "counted the layers"),
    ("10.3", lambda s, each, taken, budget: max(1, int(each * s.sum()) // (budget - taken)), "the wrong way round"),
    ("10.3", lambda s, each, taken, budget: max(1, (budget - taken) // int(each * s.prod())), "divide by too much"),
    ("10.1", strictly_below, "equal to it"),
    ("10.1", unsettled_free, "not free"),
    ("10.1", one_round_early, "one round too early"),
    ("10.1", rounds_added, "several rounds"),
    ("10.1", first_if_none, "done after its first round"),
    ("10.1", lambda e, counts, t: sum(int((row <= t).long() @ counts) for row in e), "every round"),
    ("10.1", lambda e, counts, t: [gradients_spent(row[None], counts, t) for row in e], "Add them up"),
    ("10.1", lambda e, counts, t: len(e) * max(gradients_spent(row[None], counts, t) for row in e), "the hardest one"),
    ("10.1", lambda e, counts, t: len(e) * gradients_spent(e.mean(0)[None], counts, t), "stop together"),
    ("10.1", lambda e, counts, t: gradients_spent(e, torch.arange(len(counts)) + 1, t), "number of rounds"),
    ("10.1", lambda e, counts, t: gradients_spent(e, counts, t) / len(e), "mean per picture"),
    ("10.1", lambda e, counts, t: gradients_spent(e, counts.roll(-1), t), "On 4 pictures"),
    ("10.5", lambda g, done, s: finishing_time(g, torch.zeros_like(done), s), "cost nothing more"),
    ("10.5", lambda g, done, s: finishing_time(g, ~done, s), "How much is left"),
    ("10.5", lambda g, done, s: finishing_time(g[~done], done[~done], s), "dealt out what is left"),
    ("10.5", in_blocks, "into blocks"),
    ("10.5", without_the_last, "On 16 pictures, 4 processes"),
    ("10.5", lambda g, done, s: g[~done].sum() / s.sum(), "waits for the others"),
    ("10.5", lambda g, done, s: g[~done].sum() / len(s) / s.double().mean(), "waits for the others"),
    ("10.5", lambda g, done, s: of_process(g, done, s).min(), "the first process"),
    ("10.5", lambda g, done, s: of_process(g, done, s)[-1], "in the list of processes"),
    ("10.5", lambda g, done, s: of_process(g, done, s).mean(), "averaged over the processes"),
    ("10.5", lambda g, done, s: of_process(g, done, s).sum(), "at the same time"),
    ("10.5", lambda g, done, s: of_process(g, done, s)[s.argmin()], "the slowest process"),
    ("10.5", lambda g, done, s: finishing_time(g, done, torch.ones_like(s)), "gradients, not seconds"),
    ("10.5", lambda g, done, s: finishing_time(torch.ones_like(g), done, s), "ten times the gradients"),
    ("10.5", lambda g, done, s: finishing_time(g, done, 1 / s), "multiplied by the speeds"),
    ("10.5", of_process, "One number is wanted"),
    ("10.5", lambda g, done, s: (g * ~done).max() / s.min(), "at the slowest speed"),
    ("10.1", lambda e, counts, t: counts.expand_as(e)[e > t].sum(), "all rounds above the tolerance"),
    ("10.1", last_within, "You took the last round within"),
    ("10.1", lambda e, counts, t: counts[e.argmin(dim=1)].sum(), "the smallest estimate"),
    ("10.1", the_round_before, "index -1"),
    ("10.1", the_round_before_or_the_first, "that round is spent, too"),
    ("10.3", lambda s, each, taken, budget: budget // int(each * s.sum()) - taken, "It is in bytes"),
    ("10.3", lambda s, each, taken, budget: max(1, budget // int(each * s.sum()) - taken), "after you divide"),
    ("10.5", lambda g, done, s: of_process(g, done, s).argmax(), "the number of the process"),
    ("10.5", the_largest_of_each, "all of its pictures"),
    ("10.5", lambda g, done, s: g[~done].sum() / s.min(), "all that is left to the slowest"),
]
