"""Answers to lesson 13 as students write them."""

import torch


def contrast(logits, target, against):
    last = logits[:, logits.shape[1] - 1]
    return last[:, target].sub(last[:, against])


def pair_baseline(table, ids, other, keeps):
    start = table[other].clone()
    for place in range(len(ids)):
        if keeps[place]:
            start[place] = table[ids[place]]
    return start


def word_matrix(slopes, x, start, word_of):
    shares = torch.einsum("atw,tw->at", slopes, x - start)
    found = torch.zeros(len(slopes), int(word_of.max()) + 1)
    return found.index_add(1, word_of, shares)


def head_shares(written, slopes, heads):
    total = torch.zeros(written.shape[-1])
    for step in range(len(slopes)):
        total = total + (slopes[step] * (written[step + 1] - written[step])).sum(0)
    return torch.stack([part.sum() for part in total.chunk(heads)])


def grouped(scores, w):
    return torch.stack([scores[:, w == k].sum(1) for k in range(int(w.max()) + 1)], 1)


def of_heads(numbers, h):
    return numbers.reshape(h, -1).sum(1)


RIGHT = {"13.1": contrast, "13.2": pair_baseline, "13.3": word_matrix, "13.4": head_shares}
WRONG = [
    ("13.1", lambda z, t, a: z[:, 0, t] - z[:, 0, a], "first position"),
    ("13.1", lambda z, t, a: z.mean(1)[:, t] - z.mean(1)[:, a], "averaged over all positions"),
    ("13.1", lambda z, t, a: z[:, :, t] - z[:, :, a], "every position"),
    ("13.1", lambda z, t, a: z[:, -1, a] - z[:, -1, t], "flipped"),
    ("13.1", lambda z, t, a: z[:, -1, t], "alone"),
    ("13.1", lambda z, t, a: z.softmax(-1)[:, -1, t] - z.softmax(-1)[:, -1, a], "difference of probabilities"),
    ("13.1", lambda z, t, a: z.log_softmax(-1)[:, -1, t], "log-probability"),
    ("13.1", lambda z, t, a: z[:, -2, t] - z[:, -2, a], "position before the last"),
    ("13.2", lambda e, i, o, k: e[o] * ~k[:, None], "set the tokens that are kept to zero"),
    ("13.2", lambda e, i, o, k: 0.5 * e[i] + 0.5 * e[o], "halfway between the prompts"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).norm(dim=2), w), "norm over the embedding"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).sum(2), w) / w.bincount(), "mean over a word's tokens"),
    ("13.4", lambda y, g, h: of_heads((g[-1] * (y[-1] - y[0])).sum(0), h), "attribution patching"),
    ("13.4", lambda y, g, h: of_heads((g.sum(0) * (y[-1] - y[0])).sum(0), h), "sum of the slopes"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0)).sum(0).mean(0), h), "mean over tokens"),
    ("13.4", lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)).reshape(h, -1).mean(1), "mean over a head's numbers"),
    ("13.2", lambda e, i, o, k: e[o], "they need their own"),
    ("13.2", lambda e, i, o, k: e[i], "no token would move"),
    ("13.2", lambda e, i, o, k: torch.where(k[:, None], e[o], e[i]), "wrong ones"),
    ("13.2", lambda e, i, o, k: e[i] * k[:, None], "never settles"),
    ("13.2", lambda e, i, o, k: (e[i] - e[o]) * ~k[:, None], "the point x' itself"),
    ("13.2", lambda e, i, o, k: torch.where(k[:, None], e[i], e.mean(0)), "mean of the table"),
    ("13.3", lambda g, x, b, w: grouped(g.sum(2), w), "slopes alone"),
    ("13.3", lambda g, x, b, w: grouped((g * x).sum(2), w), "begins at the baseline"),
    ("13.3", lambda g, x, b, w: grouped((g * (b - x)).sum(2), w), "flipped"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).abs().sum(2), w), "within an embedding cancel"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).sum(2).abs(), w), "tokens may speak for and against"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).mean(2), w), "no longer add up"),
    ("13.3", lambda g, x, b, w: (g * (x - b)).sum(2), "column for each token"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).sum(2), w).T, "swapped"),
    ("13.4", lambda y, g, h: of_heads((g * y[1:]).sum((0, 1)), h), "not by how it changes"),
    ("13.4", lambda y, g, h: of_heads((g * y[:-1]).sum((0, 1)), h), "before each step"),
    ("13.4", lambda y, g, h: of_heads((g.mean(0) * (y[-1] - y[0])).sum(0), h), "step by step"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0)).mean(0).sum(0), h), "averaged over the steps"),
    ("13.4", lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)).reshape(-1, h).sum(0), "side by side"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0)).abs().sum((0, 1)), h), "absolute values"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0))[:, -1].sum(0), h), "last token only"),
    ("13.4", lambda y, g, h: of_heads((g * (y[:-1] - y[1:])).sum((0, 1)), h), "flipped"),
    ("13.4", lambda y, g, h: of_heads(g.sum((0, 1)), h), "slopes alone"),
]
