"""Answers to lesson 13 as students write them."""

import math

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot


def pair_baseline(table, ids, other, keeps):
    start = table[other].clone()
    for place in range(len(ids)):
        if keeps[place]:
            start[place] = table[ids[place]]
    return start


def baseline_of_ids(table, ids, other, keeps):
    return table[torch.where(keeps, ids, other)]


def baseline_by_lists(table, ids, other, keeps):
    rows = zip(ids.tolist(), other.tolist(), keeps.tolist(), strict=True)
    return [table[mine].tolist() if kept else table[theirs].tolist() for mine, theirs, kept in rows]


def baseline_by_numpy(table, ids, other, keeps):
    start, kept = table.numpy()[other.numpy()].astype(np.float64), keeps.numpy()
    start[kept] = table.numpy()[ids.numpy()[kept]]
    return start


def word_matrix(slopes, x, start, word_of):
    shares = torch.einsum("atw,tw->at", slopes, x - start)
    found = torch.zeros(len(slopes), int(word_of.max()) + 1)
    return found.index_add(1, word_of, shares)


def words_by_loops(slopes, x, start, word_of):
    found = np.zeros((len(slopes), int(word_of.max()) + 1))
    for answer in range(len(slopes)):
        for token, word in enumerate(word_of.tolist()):
            found[answer, word] += float((slopes[answer, token] * (x - start)[token]).sum())
    return found


def words_by_one_hot(slopes, x, start, word_of):
    return (slopes.double() * (x - start)).sum(2) @ one_hot(word_of).double()


def words_by_stack(slopes, x, start, word_of):
    return grouped((slopes * (x - start)).sum(2), word_of)


def head_shares(written, slopes, heads):
    total = torch.zeros(written.shape[-1])
    for step in range(len(slopes)):
        total = total + (slopes[step] * (written[step + 1] - written[step])).sum(0)
    return torch.stack([part.sum() for part in total.chunk(heads)])


def heads_by_einsum(written, slopes, heads):
    change = (written[1:] - written[:-1]).unflatten(2, (heads, -1)).double()
    return torch.einsum("pthw,pthw->h", change, slopes.unflatten(2, (heads, -1)).double())


def heads_by_numpy(written, slopes, heads):
    flow = np.diff(written.numpy(), axis=0) * slopes.numpy()
    width = flow.shape[2] // heads
    return [flow[:, :, head * width : (head + 1) * width].sum() for head in range(heads)]


def heads_by_reshape(written, slopes, heads):
    return (written.diff(dim=0) * slopes).sum((0, 1)).reshape(heads, -1).sum(1)


def log_p(logits, ids, prompt):
    """(2, tokens of the answer)."""
    return logits.double().log_softmax(-1)[:, prompt - 1 : -1].gather(2, ids[:, prompt:, None])[..., 0]


def two_answers(logits, ids, prompt):
    first, second = log_p(logits, ids, prompt).sum(1)
    return first - second


def answers_by_loops(logits, ids, prompt):
    totals = []
    for row, read in zip(logits.tolist(), ids.tolist(), strict=True):
        places = range(prompt, len(read))
        totals.append(sum(row[k - 1][read[k]] - math.log(sum(map(math.exp, row[k - 1]))) for k in places))
    return totals[0] - totals[1]


def answers_by_numpy(logits, ids, prompt):
    p = np.exp(logits.double().numpy())
    p /= p.sum(-1, keepdims=True)
    chances = [np.prod([p[row, k - 1, ids[row, k]] for k in range(prompt, ids.shape[1])]) for row in (0, 1)]
    return np.log(chances[0] / chances[1])


def answers_by_cross_entropy(logits, ids, prompt):
    """The tokens of the prompt are as likely in both rows, and cancel."""
    first, second = (cross_entropy(logits[row, :-1], ids[row, 1:], reduction="sum") for row in (0, 1))
    return second - first


def read_too_late(logits, ids, prompt):
    z = logits.log_softmax(-1)
    return sum(z[0, k, ids[0, k]] - z[1, k, ids[1, k]] for k in range(prompt, ids.shape[1]))


def read_too_early(logits, ids, prompt):
    z = logits.log_softmax(-1)
    return sum(z[0, k - 2, ids[0, k]] - z[1, k - 2, ids[1, k]] for k in range(prompt, ids.shape[1]))


def logits_alone(logits, ids, prompt):
    return sum(logits[0, k - 1, ids[0, k]] - logits[1, k - 1, ids[1, k]] for k in range(prompt, ids.shape[1]))


def over_the_text(logits, ids, prompt):
    return logits_alone(logits.log_softmax(1), ids, prompt)


def of_pair(pair):
    return pair[0] - pair[1]


def last_tokens(shares, word_of):
    return torch.stack([shares[:, word_of == k][:, -1] for k in range(int(word_of.max()) + 1)], 1)


def first_tokens(shares, word_of):
    return torch.stack([shares[:, word_of == k][:, 0] for k in range(int(word_of.max()) + 1)], 1)


def grouped(scores, w):
    return torch.stack([scores[:, w == k].sum(1) for k in range(int(w.max()) + 1)], 1)


def of_heads(numbers, h):
    return numbers.reshape(h, -1).sum(1)


RIGHT = {
    "13.2": [pair_baseline, baseline_of_ids, baseline_by_lists, baseline_by_numpy],
    "13.3": [word_matrix, words_by_loops, words_by_one_hot, words_by_stack],
    "13.4": [head_shares, heads_by_einsum, heads_by_numpy, heads_by_reshape],
    "13.5": [two_answers, answers_by_loops, answers_by_numpy, answers_by_cross_entropy],
}
WRONG = [
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
    ("13.2", lambda e, i, o, k: torch.where(k[:, None], e[i], (e[i] + e[o]) / 2), "start halfway"),
    ("13.2", lambda e, i, o, k: torch.cat([e[i[:1]], e[o[1:]]]), "the first token and no other"),
    ("13.2", lambda e, i, o, k: torch.where(k, i, o), "Look up their embeddings"),
    ("13.2", lambda e, i, o, k: e[o[~k]], "a row for every token"),
    ("13.3", lambda g, x, b, w: grouped(g.norm(dim=2), w), "norm of the slopes"),
    ("13.3", lambda g, x, b, w: last_tokens((g * (x - b)).sum(2), w), "kept only the last one"),
    ("13.3", lambda g, x, b, w: grouped(g.sum(2) * (x - b).sum(1), w), "Multiply first"),
    ("13.3", lambda g, x, b, w: grouped((g * (x - b)).sum(2), w)[:, :-1], "last word is missing"),
    ("13.4", lambda y, g, h: of_heads((g[0] * (y[-1] - y[0])).sum(0), h), "from the other end"),
    ("13.4", lambda y, g, h: of_heads((y[-1] - y[0]).sum(0), h), "How much of it does F feel"),
    ("13.4", lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)).reshape(h, -1).norm(dim=1), "norm over a head"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0))[:-1].sum((0, 1)), h), "the last step of the path"),
    ("13.4", lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)), "those of each head"),
    ("13.3", lambda g, x, b, w: first_tokens((g * (x - b)).sum(2), w), "only the first one"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0)).sum((0, 1)), h).abs(), "may speak against"),
    ("13.4", lambda y, g, h: of_heads((g * y.diff(dim=0)).sum((0, 1)).abs(), h), "before you added up a head"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n)[:, :-1].sum(1)), "left out the last token"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n)[:, 0] + log_p(z, ids, n)[:, 1]), "Answers may have more"),
    ("13.5", lambda z, ids, n: log_p(z, ids, n).sum(), "Subtract"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n).exp().sum(1).log()), "then took the logarithm"),
    ("13.5", read_too_late, "one place earlier"),
    ("13.5", read_too_early, "one place too early"),
    ("13.5", logits_alone, "added up logits"),
    ("13.5", over_the_text, "over the tokens of the text"),
    ("13.5", lambda z, ids, n: two_answers(z[:, 1:], ids[:, 1:], n), "left out the last"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n)[:, 0]), "the first tokens alone"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n)[:, -1]), "the last tokens alone"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n).mean(1)), "mean per token"),
    ("13.5", lambda z, ids, n: -two_answers(z, ids, n), "flipped"),
    ("13.5", lambda z, ids, n: log_p(z, ids, n)[0].sum(), "first answer alone"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n).sum(1).exp()), "difference of probabilities"),
    ("13.5", lambda z, ids, n: two_answers(z, ids, n).exp(), "ratio of the probabilities"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n).exp().sum(1)), "They multiply"),
    ("13.5", lambda z, ids, n: two_answers(z[:1].expand(2, -1, -1), ids, n), "has read the second answer"),
    ("13.5", lambda z, ids, n: log_p(z, ids, n).sum(1), "F is their difference"),
    ("13.5", lambda z, ids, n: of_pair(log_p(z, ids, n)), "a difference for each token"),
]
