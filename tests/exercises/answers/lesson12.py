"""Answers to lesson 12 as students write them."""

import numpy as np
import torch
from scipy.stats import kendalltau, pearsonr, spearmanr
from torch.nn.functional import avg_pool2d, pad


def ranks_by_corrcoef(a, b):
    ranks = [each.argsort().argsort().double() for each in (a, b)]
    return torch.corrcoef(torch.stack(ranks))[0, 1]


def ranks_by_numpy(a, b):
    return np.corrcoef(np.argsort(np.argsort(a.numpy())), np.argsort(np.argsort(b.numpy())))[0, 1]


def ranks_by_distances(a, b):
    n, distance = len(a), (a.argsort().argsort() - b.argsort().argsort()).double()
    return 1 - 6 * float((distance**2).sum()) / (n * (n * n - 1))


def window(maps, size):
    strength = np.abs(maps.numpy().sum(axis=1)).mean(axis=0)
    best, place = -1.0, None
    for row in range(strength.shape[0] - size + 1):
        for column in range(strength.shape[1] - size + 1):
            mean = strength[row : row + size, column : column + size].mean()
            if mean > best:
                best, place = mean, [row, column]
    return place


def window_by_pooling(maps, size):
    means = avg_pool2d(maps.sum(1).abs().mean(0)[None], size, stride=1)[0]
    return divmod(int(means.argmax()), means.shape[1])


def window_by_unfold(maps, size):
    sums = maps.double().sum(1).abs().mean(0).unfold(0, size, 1).unfold(1, size, 1).sum((-1, -2))
    return list(np.unravel_index(sums.argmax().item(), sums.shape))


def window_by_running_sums(maps, size):
    sums = pad(maps.sum(1).abs().sum(0).double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    inside = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return torch.stack(torch.unravel_index(inside.argmax(), inside.shape)).float()


def curve(f, x, shares, reference):
    left, points = x.clone(), [f(x).item()]
    for i in sorted(range(x.shape[1]), key=lambda i: -shares[0, i].item()):
        left[0, i] = reference[0, i]
        points.append(f(left).item())
    return points


def curve_by_numpy(f, x, shares, reference):
    order = np.argsort(-shares.numpy()[0])
    rows = np.repeat(x.numpy(), len(order) + 1, axis=0)
    for k, i in enumerate(order):
        rows[k + 1 :, i] = reference.numpy()[0, i]
    return f(torch.from_numpy(rows)).numpy()


def curve_by_where(f, x, shares, reference):
    rank = shares[0].argsort(descending=True).argsort()
    return f(torch.where(rank < torch.arange(x.shape[1] + 1)[:, None], reference, x))


def curve_by_a_mask(f, x, shares, reference):
    count = x.shape[1]
    gone = torch.zeros(count + 1, count, dtype=x.dtype)
    gone[:, shares[0].argsort(descending=True)] = torch.ones(count + 1, count, dtype=x.dtype).tril(-1)
    return list(f((1 - gone) * x + gone * reference))


def rates(a, w, i, y, label):
    own = [n for n in range(len(y)) if y[n] == label]
    rest = [n for n in range(len(y)) if y[n] != label]
    return [sum(float(p[n] == label) for n in some) / len(some) for p, some in ((a, own), (w, own), (i, rest))]


def rates_by_masks(as_is, without, inserted, y, label):
    own = y == label
    hits = as_is[own] == label, without[own] == label, inserted[~own] == label
    return torch.stack([hit.float().mean() for hit in hits])


def rates_by_numpy(as_is, without, inserted, y, label):
    own = y.numpy() == label
    pairs = (as_is, own), (without, own), (inserted, ~own)
    return np.array([np.mean(answers.numpy()[some] == label) for answers, some in pairs])


def rates_by_products(as_is, without, inserted, y, label):
    own = (y == label).double()
    a, w, i = ((each == label).double() for each in (as_is, without, inserted))
    return torch.stack([a @ own / own.sum(), w @ own / own.sum(), i @ (1 - own) / (1 - own).sum()])


def each_alone(f, x, shares, reference):
    points = [f(x)]
    for i in shares[0].argsort(descending=True):
        left = x.clone()
        left[0, i] = reference[0, i]
        points.append(f(left))
    return torch.cat(points)


def the_same_row(f, x, shares, reference):
    left = x.clone()
    rows = [left]
    for i in shares[0].argsort(descending=True):
        left[0, i] = reference[0, i]
        rows.append(left)
    return f(torch.cat(rows))


def one_clone_for_all(f, x, shares, reference):
    rows, left = [x], x.clone()
    for feature in shares[0].argsort(descending=True):
        left[0, feature] = reference[0, feature]
        rows.append(left)
    return f(torch.cat(rows))


def spoils_the_input(f, x, shares, reference):
    points = [f(x)]
    for i in shares[0].argsort(descending=True):
        x[0, i] = reference[0, i]
        points.append(f(x))
    return torch.cat(points)


def by_ranks(f, x, shares, reference):
    return curve(f, x, -shares.argsort(descending=True).argsort().argsort().double(), reference)


def by_shares_alone(f, x, shares, reference):
    return f(x) - torch.cat([torch.zeros(1), shares[0].sort(descending=True).values.cumsum(0)])


def pooled(strength, size, stride):
    means = avg_pool2d(strength[None], size, stride)[0]
    return torch.tensor(divmod(int(means.argmax()), means.shape[1]))


def padded_window(maps, size):
    means = avg_pool2d(strength_of(maps)[None], size, stride=1, padding=size // 2)[0]
    return divmod(int(means.argmax()), means.shape[1])


def strength_of(maps):
    return maps.sum(1).abs().mean(0)


def with_rate(rates, place, other):
    return [float(other) if k == place else rate for k, rate in enumerate(rates)]


def rate(hits):
    return hits.double().mean()


RIGHT = {
    "12.1": [
        lambda a, b: float(spearmanr(a, b).statistic),
        ranks_by_corrcoef,
        ranks_by_numpy,
        ranks_by_distances,
    ],
    "12.3": [window, window_by_pooling, window_by_unfold, window_by_running_sums],
    "12.4": [rates, rates_by_masks, rates_by_numpy, rates_by_products],
    "12.5": [curve, curve_by_numpy, curve_by_where, curve_by_a_mask],
}
WRONG = [
    ("12.1", lambda a, b: float(pearsonr(a, b).statistic), "correlation of the values"),
    ("12.1", lambda a, b: torch.corrcoef(torch.stack([a.argsort(), b.argsort()]).double())[0, 1], "argsort lists"),
    ("12.1", lambda a, b: float(spearmanr(a.abs(), b.abs()).statistic), "ranked magnitudes"),
    ("12.1", lambda a, b: float(spearmanr(a, -b).statistic), "reversed"),
    ("12.1", lambda a, b: abs(ranks_by_numpy(a, b)), "dropped the sign"),
    ("12.1", lambda a, b: ranks_by_numpy(a, b) ** 2, "squared"),
    ("12.1", lambda a, b: float(pearsonr(a.sort().values, b.sort().values).statistic), "sorted the values"),
    ("12.1", lambda a, b: float(pearsonr(a.argsort().argsort(), b).statistic), "the first map only"),
    ("12.1", lambda a, b: float(pearsonr(a, b.argsort().argsort()).statistic), "the second map only"),
    ("12.1", lambda a, b: torch.corrcoef(torch.stack([a.argsort(), b.argsort()]).double())[0, 0], "with itself"),
    ("12.1", lambda a, b: rate(a.argsort().argsort() == b.argsort().argsort()), "the fraction of places"),
    ("12.1", lambda a, b: float(kendalltau(a, b).statistic), "what is asked for"),
    ("12.1", lambda a, b: a, "one number is wanted"),
    ("12.3", lambda m, s: window(m.mean(0, keepdim=True), s), "kept the signs"),
    ("12.3", lambda m, s: window(m.abs(), s), "colour by colour"),
    ("12.3", lambda m, s: window(m, 1), "single pixel"),
    ("12.3", lambda m, s: window(m, s)[::-1], "column before row"),
    ("12.3", lambda m, s: [p + s // 2 for p in window(m, s)], "middle of the window"),
    ("12.3", lambda m, s: [p + s - 1 for p in window(m, s)], "lower right pixel"),
    ("12.3", lambda m, s: pooled(m.sum(1).mean(0), s, 1), "no absolute values"),
    ("12.3", lambda m, s: pooled(avg_pool2d(m.sum(1), s, 1).abs().mean(0), 1, 1), "pixel by pixel"),
    ("12.3", lambda m, s: pooled(strength_of(m), s, s), "side by side"),
    ("12.3", lambda m, s: s * pooled(strength_of(m), s, s), "multiples of their size"),
    ("12.3", lambda m, s: window(m[:1], s), "first picture alone"),
    ("12.3", lambda m, s: window(m[-1:], s), "one picture alone"),
    ("12.3", lambda m, s: window(m[:, :1], s), "one colour"),
    ("12.3", lambda m, s: pooled(-strength_of(m), s, 1), "weakest"),
    ("12.3", lambda m, s: divmod(int(avg_pool2d(strength_of(m)[None], s, 1).argmax()), m.shape[3]), "is narrower"),
    ("12.3", lambda m, s: window(m, 8), "8 pixels wide"),
    ("12.3", padded_window, "did you pad"),
    ("12.4", lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 2, rate((i != t)[y != t])), "are not called"),
    (
        "12.4",
        lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 2, rate((i == t)[(y != t) & (a != t)])),
        "leaves out",
    ),
    (
        "12.4",
        lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 1, rate((w == t)[(y == t) & (a == t)])),
        "found before",
    ),
    ("12.4", lambda a, w, i, y, t: rates(a, w, i, a, t), "What they are, y says"),
    ("12.4", lambda a, w, i, y, t: [float((p == y).double().mean()) for p in (a, w, i)], "accuracies"),
    ("12.4", lambda a, w, i, y, t: [*rates(a, w, i, y, t)[:2], float((i == t).double().mean())], "leave them out"),
    ("12.4", lambda a, w, i, y, t: [*rates(a, w, i, y, t)[:2], float((i == y)[y != t].double().mean())], "still right"),
    ("12.4", lambda a, w, i, y, t: rates(a, i, w, y, t), "wrong way round"),
    ("12.4", lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 1, rate(w[y == t] != t)), "the fraction lost"),
    ("12.4", lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 2, rate((i != y)[y != t])), "the others were wrong"),
    ("12.4", lambda a, w, i, y, t: [rate(p == t) for p in (a, w, i)], "among all pictures"),
    (
        "12.4",
        lambda a, w, i, y, t: [rate((a == t) & (y == t)), rate((w == t) & (y == t)), rate((i == t) & (y != t))],
        "divided by all pictures",
    ),
    ("12.4", lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 2, rate(i[y == t] == t)), "makes the others look"),
    ("12.4", lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 1, rate(w[y != t] == t)), "is about the others"),
    (
        "12.4",
        lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 1, rate(a[y == t] == t) - rate(w[y == t] == t)),
        "the fall from the first",
    ),
    (
        "12.4",
        lambda a, w, i, y, t: with_rate(rates(a, w, i, y, t), 2, rate(i[y != t] == t) - rate(a[y != t] == t)),
        "called the class before",
    ),
    ("12.4", lambda a, w, i, y, t: [rate(y[a == t] == t), rate(y[w == t] == t), rate(y[i == t] != t)], "precisions"),
    ("12.4", lambda a, w, i, y, t: torch.tensor(rates(a, w, i, y, t)) * 100, "100 times what is asked for"),
    ("12.4", lambda a, w, i, y, t: torch.tensor(rates(a, w, i, y, t)).mean(), "a tensor of shape (3,) is wanted"),
    ("12.5", each_alone, "stays replaced"),
    ("12.5", lambda f, x, v, r: curve(f, x, -v, r), "least important"),
    ("12.5", lambda f, x, v, r: curve(f, x, v.abs(), r), "by magnitude"),
    ("12.5", lambda f, x, v, r: curve(f, r, v, x), "insertion"),
    ("12.5", lambda f, x, v, r: curve(f, x, v, 0 * r), "to zero"),
    ("12.5", lambda f, x, v, r: curve(f, x, v, r)[1:], "begins with F(x)"),
    ("12.5", lambda f, x, v, r: curve(f, x, v, r)[:-1], "one feature early"),
    ("12.5", lambda f, x, v, r: curve(f, x, -torch.arange(x.shape[1])[None], r), "in the order of the table"),
    ("12.5", by_ranks, "the ranks for the order"),
    ("12.5", lambda f, x, v, r: f(x) - torch.tensor(curve(f, x, v, r)), "how far F falls"),
    ("12.5", lambda f, x, v, r: torch.tensor(curve(f, x, v, r)) / f(x), "divided by F(x)"),
    ("12.5", lambda f, x, v, r: sum(curve(f, x, v, r)) / (x.shape[1] + 1), "a mean of the curve"),
    ("12.5", lambda f, x, v, r: curve(f, x, v, r)[::-1], "backwards"),
    ("12.5", the_same_row, "the same row again"),
    ("12.5", one_clone_for_all, "one tensor, changed again and again"),
    ("12.5", spoils_the_input, "overwrites what it was given"),
    ("12.5", by_shares_alone, "order only: ask f"),
]
