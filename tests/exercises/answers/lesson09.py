"""Answers to lesson 09 as students write them."""

import torch


def baseline_of(embeddings, special, pad):
    start = embeddings.clone()
    start[~special] = pad
    return start


def token_scores(slopes, x, start):
    return torch.einsum("tw,tw->t", slopes, x - start)


def word_scores(scores, word_of):
    sums = torch.zeros(int(word_of.max()) + 1)
    for score, word in zip(scores, word_of.tolist(), strict=True):
        if word >= 0:
            sums[word] += score
    return sums


def flip_rate(before, after, label):
    flips = [b for a, b in zip(before.tolist(), after.tolist(), strict=True) if a != label]
    return torch.tensor(sum(b == label for b in flips) / len(flips))


RIGHT = {"09.1": baseline_of, "09.2": token_scores, "09.3": word_scores, "09.4": flip_rate}
WRONG = [
    ("09.1", lambda e, s, p: p.repeat(len(e), 1), "they stay"),
    ("09.1", lambda e, s, p: torch.where(s[:, None], p, e), "The wrong ones"),
    ("09.1", lambda e, s, p: e * s[:, None], "No token has that embedding"),
    ("09.1", lambda e, s, p: e.clone(), "no token has moved"),
    ("09.1", lambda e, s, p: torch.where(s[:, None], e, e.mean(0, keepdim=True)), "still holds the text"),
    ("09.1", lambda e, s, p: torch.cat([e[:1], p.repeat(len(e) - 2, 1), e[-1:]]), "in between as well"),
    ("09.1", lambda e, s, p: torch.cat([e[:1], p[None]]), "a tensor of shape"),
    ("09.2", lambda g, x, b: g.sum(dim=1), "slopes alone"),
    ("09.2", lambda g, x, b: (g * x).sum(dim=1), "begins at the baseline"),
    ("09.2", lambda g, x, b: (g * (x - b)).norm(dim=1), "no sign"),
    ("09.2", lambda g, x, b: (g * (x - b)).abs().sum(dim=1), "summed absolute values"),
    ("09.2", lambda g, x, b: (g * (x - b)).mean(dim=1), "no longer add up"),
    ("09.2", lambda g, x, b: (g * (b - x)).sum(dim=1), "sign is flipped"),
    ("09.2", lambda g, x, b: (g * (x - b)).sum(dim=0), "summed over the tokens"),
    ("09.3", lambda s, w: torch.stack([s[w == k].mean() for k in range(int(w.max()) + 1)]), "took the mean"),
    ("09.3", lambda s, w: torch.stack([s[w == k].max() for k in range(int(w.max()) + 1)]), "largest piece"),
    ("09.3", lambda s, w: torch.stack([s[w == k][0] for k in range(int(w.max()) + 1)]), "first piece"),
    ("09.3", lambda s, w: torch.stack([s[w == k].abs().sum() for k in range(int(w.max()) + 1)]), "keep the signs"),
    ("09.3", lambda s, w: s[1:-1], "a tensor of shape (3,) is wanted"),
    ("09.4", lambda b, a, k: (a == k).float().mean(), "had it before"),
    ("09.4", lambda b, a, k: ((a == k) & (b != k)).float().mean(), "divided by all"),
    ("09.4", lambda b, a, k: (a != b)[b != k].float().mean(), "every change"),
    ("09.4", lambda b, a, k: (a[b == k] == k).float().mean(), "kept it"),
    ("09.4", lambda b, a, k: ((a == k) & (b != k)).sum().float(), "The fraction is wanted"),
]
