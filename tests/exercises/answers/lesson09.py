"""Answers to lesson 09 as students write them."""

import numpy as np
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


def _n(w):
    return int(w.max()) + 1


def _last(s, w):
    out = torch.zeros(_n(w)).to(s)
    for v, k in zip(s, w, strict=False):
        out[k] += v
    return out


def _t4(f, n, i, j):

    def row(*gone):
        r = torch.ones(1, n)
        for k in gone:
            r[0, k] = 0
        return f(r)[0]

    return (row(), row(i), row(j), row(i, j))


def clone_and_mask(embeddings, special, pad):
    out = embeddings.clone()
    out[~special] = pad
    return out


def dict_list(scores, word_of):
    found = {}
    for s, k in zip(scores.tolist(), word_of.tolist(), strict=False):
        if k != -1:
            found[k] = found.get(k, 0.0) + s
    return [found[k] for k in sorted(found)]


def together(f, words, first, second):
    there = torch.ones(4, words)
    there[[1, 3], first] = 0
    there[[2, 3], second] = 0
    a, b, c, d = f(there)
    return a - b - c + d


def numpy_double(f, words, first, second):
    rows = np.ones((4, words))
    rows[1, first] = rows[2, second] = rows[3, first] = rows[3, second] = 0
    a, b, c, d = f(torch.from_numpy(rows)).numpy()
    return a - b - c + d


def cut_all(f, n, i, j):
    there = torch.ones(4, n)
    there[1, i] = there[2, j] = 0
    there[3] = 0
    a, b, c, d = f(there)
    return a - b - c + d


RIGHT = {
    "09.1": [
        baseline_of,
        lambda e, s, p: e * s[:, None] + p * ~s[:, None],
        lambda e, s, p: np.where(s.numpy()[:, None], e.numpy(), p.numpy()),
        lambda e, s, p: [r.tolist() if k else p.tolist() for r, k in zip(e, s, strict=False)],
        clone_and_mask,
    ],
    "09.3": [
        word_scores,
        lambda s, w: torch.zeros(_n(w), dtype=s.dtype).index_add(0, w[w >= 0], s[w >= 0]),
        lambda s, w: np.bincount(w.numpy()[w.numpy() >= 0], weights=s.numpy()[w.numpy() >= 0]),
        lambda s, w: torch.einsum("t,tw->w", s.double(), (w[:, None] == torch.arange(_n(w))).double()),
        dict_list,
    ],
    "09.4": [
        flip_rate,
        lambda b, a, label: (
            sum((q == label for p, q in zip(b.tolist(), a.tolist(), strict=False) if p != label))
            / sum(p != label for p in b.tolist())
        ),
        lambda b, a, label: np.mean(a.numpy()[b.numpy() != label] == label),
        lambda b, a, label: ((b != label) & (a == label)).sum().float() / (b != label).sum(),
        lambda b, a, label: (a[b != label] == label).float().mean().item(),
    ],
    "09.5": [
        lambda f, n, i, j: (lambda a, b, c, d: a - b - c + d)(*_t4(f, n, i, j)),
        lambda f, n, i, j: (lambda a, b, c, d: (a - c).item() - (b - d).item())(*_t4(f, n, i, j)),
        lambda f, n, i, j: torch.einsum("k,k->", torch.stack(_t4(f, n, i, j)), torch.tensor([1.0, -1, -1, 1])),
        numpy_double,
    ],
}
WRONG = [
    ("09.1", lambda e, s, p: p.repeat(len(e), 1), "they stay"),
    ("09.1", lambda e, s, p: torch.where(s[:, None], p, e), "The wrong ones"),
    ("09.1", lambda e, s, p: e * s[:, None], "No token has that embedding"),
    ("09.1", lambda e, s, p: e.clone(), "no token has moved"),
    ("09.1", lambda e, s, p: torch.where(s[:, None], e, e.mean(0, keepdim=True)), "still holds the text"),
    ("09.1", lambda e, s, p: torch.cat([e[:1], p.repeat(len(e) - 2, 1), e[-1:]]), "in between as well"),
    ("09.1", lambda e, s, p: torch.cat([e[:1], p[None]]), "a tensor of shape"),
    ("09.1", lambda e, s, p: torch.cat([e[:1], p.expand_as(e)[1:]]), "You kept the first token only"),
    ("09.1", lambda e, s, p: e * s[:, None] + p, "You added the padding to the special tokens"),
    ("09.1", lambda e, s, p: torch.where(s[:, None], torch.zeros_like(e), p), "Your special tokens are zeros"),
    ("09.1", lambda e, s, p: e - torch.where(s[:, None], e, p), "That is the displacement, x minus the baseline"),
    ("09.1", lambda e, s, p: torch.where(s[:, None], e, (e + p) / 2), "You went halfway to the padding"),
    ("09.1", lambda e, s, p: torch.cat([p.expand_as(e)[:-1], e[-1:]]), "You kept the last token only"),
    (
        "09.1",
        lambda e, s, p: torch.where(s[:, None], e, p.mean()),
        "You put one number into all places of an embedding",
    ),
    (
        "09.1",
        lambda e, s, p: torch.where(s[:, None], e[0], p),
        "All your special tokens have the embedding of the first",
    ),
    ("09.3", lambda s, w: torch.stack([s[w == k].mean() for k in range(int(w.max()) + 1)]), "took the mean"),
    ("09.3", lambda s, w: torch.stack([s[w == k].max() for k in range(int(w.max()) + 1)]), "largest piece"),
    ("09.3", lambda s, w: torch.stack([s[w == k][0] for k in range(int(w.max()) + 1)]), "first piece"),
    ("09.3", lambda s, w: torch.stack([s[w == k].abs().sum() for k in range(int(w.max()) + 1)]), "keep the signs"),
    ("09.3", lambda s, w: s[1:-1], "a tensor of shape (3,) is wanted"),
    (
        "09.3",
        lambda s, w: torch.stack([s[w == k][-1] for k in range(_n(w))]),
        "You kept the last piece of each word only",
    ),
    (
        "09.3",
        lambda s, w: torch.stack([s[w == k][s[w == k].abs().argmax()] for k in range(_n(w))]),
        "You took the strongest piece of a word",
    ),
    ("09.3", lambda s, w: torch.stack([s[w == k].sum() for k in range(int(w.max()))]), "You left out the last word"),
    (
        "09.3",
        lambda s, w: torch.stack([s[w == k].sum() for k in range(-1, _n(w))]),
        "You counted the special tokens as a word, the first of yours",
    ),
    ("09.3", lambda s, w: torch.stack([s[w == k].sum() for k in range(len(s))]), "You have a number for each token"),
    ("09.3", lambda s, w: torch.stack([s[w == k].sum() for k in range(1, _n(w))]), "You left out word 0"),
    ("09.3", lambda s, w: _last(s, w), "Special tokens ended up in the last word: -1 is the last place of a list"),
    (
        "09.3",
        lambda s, w: torch.zeros(_n(w)).to(s).index_add(0, w.clamp(min=0), s),
        "Special tokens ended up in word 0",
    ),
    ("09.3", lambda s, w: s[w >= 0], "Those are the tokens without the special ones"),
    ("09.3", lambda s, w: s[w >= 0].sum(), "That is the sum of all words"),
    (
        "09.3",
        lambda s, w: torch.stack([s[w <= k].sum() for k in range(_n(w))]),
        "Each of your words holds those before it, and special tokens, too",
    ),
    ("09.4", lambda b, a, k: (a == k).float().mean(), "had it before"),
    ("09.4", lambda b, a, k: ((a == k) & (b != k)).float().mean(), "divided by all"),
    ("09.4", lambda b, a, k: (a != b)[b != k].float().mean(), "every change"),
    ("09.4", lambda b, a, k: (a[b == k] == k).float().mean(), "kept it"),
    ("09.4", lambda b, a, k: ((a == k) & (b != k)).sum().float(), "The fraction is wanted"),
    (
        "09.4",
        lambda b, a, label: (a == label).double().mean() - (b == label).double().mean(),
        "You subtracted two fractions, so texts that lost the label hide others that got it",
    ),
    ("09.4", lambda b, a, label: (a != label)[b == label].double().mean(), "You counted the texts that lost the label"),
    (
        "09.4",
        lambda b, a, label: (b != label)[a == label].double().mean(),
        "You divided by the texts that have the label afterwards",
    ),
    ("09.4", lambda b, a, label: (a == label)[a != b].double().mean(), "You divided by the texts that changed"),
    ("09.4", lambda b, a, label: (a != label)[b != label].double().mean(), "That is the fraction that did not flip"),
    ("09.4", lambda b, a, label: (b == label)[a != label].double().mean(), "before and after have changed places"),
    (
        "09.4",
        lambda b, a, label: ((b != label) & (a == label)).sum() / (b == label).sum(),
        "You divided by the texts that had the label before",
    ),
    (
        "09.4",
        lambda b, a, label: ((a == label).sum() - (b == label).sum()) / (b != label).sum(),
        "You counted how many more texts have it afterwards",
    ),
    (
        "09.4",
        lambda b, a, label: (a == label).sum() / (b != label).sum(),
        "You divided by the right texts, and counted others as well: some had the label before",
    ),
    (
        "09.4",
        lambda b, a, label: ((b != label) & (a == label)).sum() // (b != label).sum(),
        "Your result is 0 in every case",
    ),
    ("09.5", lambda *a: (lambda a, b, c, d: a - d)(*_t4(*a)), "That is what both words do in all"),
    (
        "09.5",
        lambda *a: (lambda a, b, c, d: a - b - c)(*_t4(*a)),
        "F without either word is now subtracted twice, once with each text that lacks a word",
    ),
    ("09.5", lambda *a: (lambda a, b, c, d: a - b - c - d)(*_t4(*a)), "You subtracted F without either word"),
    (
        "09.5",
        lambda *a: (lambda a, b, c, d: b + c - a - d)(*_t4(*a)),
        "The sign is flipped: if two words say more together than apart, your number should be positive",
    ),
    (
        "09.5",
        lambda *a: (lambda a, b, c, d: a - b)(*_t4(*a)),
        "That is what the first word does while the second is there",
    ),
    (
        "09.5",
        lambda *a: (lambda a, b, c, d: a - c)(*_t4(*a)),
        "That is what the second word does while the first is there",
    ),
    (
        "09.5",
        lambda *a: (lambda a, b, c, d: a - b + (a - c))(*_t4(*a)),
        "You cut each word from the whole text, and added up what is lost",
    ),
    ("09.5", lambda *a: (lambda a, b, c, d: (a - b - c + d).abs())(*_t4(*a)), "You took the absolute value"),
    ("09.5", lambda *a: (lambda a, b, c, d: b + c - 2 * d)(*_t4(*a)), "Those are the words' own parts, added up"),
    (
        "09.5",
        lambda f, n, i, j: (
            lambda e: f((e[i] + e[j])[None])[0] - f(e[i][None])[0] - f(e[j][None])[0] + f(torch.zeros(1, n))[0]
        )(torch.eye(n)),
        "You began with an empty text",
    ),
    ("09.5", lambda *a: (lambda a, b, c, d: c - d)(*_t4(*a)), "the first word does while the second is cut"),
    ("09.5", lambda *a: (lambda a, b, c, d: b - d)(*_t4(*a)), "the second word does while the first is cut"),
    (
        "09.5",
        lambda *a: (lambda a, b, c, d: (a - b) + (c - d))(*_t4(*a)),
        "with the second there and with the second cut",
    ),
    ("09.5", lambda *a: (lambda a, b, c, d: d - b - c)(*_t4(*a)), "left out F of the text with both words"),
    ("09.5", cut_all, "every word is cut"),
    ("09.5", lambda f, n, i, j: together(f, n, i - 1, j - 1), "count from zero already"),
]
