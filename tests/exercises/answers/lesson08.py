"""Answers to lesson 08 as students write them."""

import math

import numpy as np
import torch


def relevance_mass(values, mask):
    pixels = values.numpy().sum(axis=0)
    return np.abs(pixels[mask.numpy()]).sum() / np.abs(pixels).sum()


def black(mean, deviation, height, width):
    return torch.stack([torch.full((height, width), float((0 - m) / d)) for m, d in zip(mean, deviation, strict=True)])[
        None
    ]


def log_odds(logits, target):
    rest = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1)
    return logits[:, target] - rest.logsumexp(1)


def reach(scores, draws):
    means = [float(scores[row].mean()) for row in draws]
    return np.percentile(means, [2.5, 97.5])


def sorted_out(scores, draws):
    means = sorted(scores[draws].mean(dim=1).tolist())
    return [means[int(0.025 * len(means))], means[int(0.975 * len(means))]]


def zero_for_the_target(logits, target):
    others = logits.clone()
    others[:, target] = 0
    return logits[:, target] - others.logsumexp(dim=1)


Q = torch.tensor([0.025, 0.975])


def _q(t, dim=None):
    return t.quantile(Q.to(t)) if dim is None else t.quantile(Q.to(t), dim=dim)


def _rest(z, t):
    r = z.clone()
    r[:, t] = -torch.inf
    return r


def _st(maps, corners, h, w, how):
    out = torch.zeros(h, w)
    n = torch.zeros(h, w)
    s = maps.shape[1]
    for m, (t, left) in zip(maps, corners.tolist(), strict=False):
        if how == "last":
            out[t : t + s, left : left + s] = m
        else:
            out[t : t + s, left : left + s] += m
        n[t : t + s, left : left + s] += 1
    return (out, n)


def numpy_again(logits, target):
    z = logits.numpy().astype(np.float64)
    rest = np.delete(z, target, axis=1)
    top = rest.max(1, keepdims=True)
    return z[:, target] - (top[:, 0] + np.log(np.exp(rest - top).sum(1)))


def loops_math(logits, target):
    out = []
    for row in logits.tolist():
        rest = [v for k, v in enumerate(row) if k != target]
        top = max(rest)
        out.append(row[target] - top - math.log(sum(math.exp(v - top) for v in rest)))
    return out


def pixel_loops_double(maps, corners, height, width):
    whole = torch.zeros(height, width, dtype=torch.float64)
    for k in range(len(maps)):
        for i in range(maps.shape[1]):
            for j in range(maps.shape[2]):
                whole[int(corners[k, 0]) + i, int(corners[k, 1]) + j] += maps[k, i, j].item() / len(maps)
    return whole


def index_add(maps, corners, height, width):
    s = maps.shape[1]
    rows = corners[:, 0, None, None] + torch.arange(s)[:, None]
    cols = corners[:, 1, None, None] + torch.arange(s)
    flat = torch.zeros(height * width).index_add(0, (rows * width + cols).flatten(), maps.flatten())
    return flat.view(height, width) / maps.shape[0]


RIGHT = {
    "08.2": [
        reach,
        lambda s, d: np.percentile(s.numpy()[d.numpy()].mean(1), [2.5, 97.5]),
        lambda s, d: tuple(np.quantile([s[row].mean().item() for row in d], q) for q in (0.025, 0.975)),
        lambda s, d: torch.stack([s[d].mean(dim=1).quantile(0.025), s[d].mean(dim=1).quantile(0.975)]),
        lambda s, d: torch.quantile(
            torch.gather(s.double().expand(len(d), -1), 1, d).mean(-1),
            torch.tensor([0.025, 0.975], dtype=torch.float64),
        ),
    ],
    "08.3": [
        black,
        lambda m, d, h, w: (torch.zeros(1, 3, h, w).to(m) - m[:, None, None]) / d[:, None, None],
        lambda m, d, h, w: np.tile((-m.numpy() / d.numpy()).reshape(1, 3, 1, 1), (1, 1, h, w)),
        lambda m, d, h, w: [[[[-a / b] * w for _ in range(h)] for a, b in zip(m.tolist(), d.tolist(), strict=False)]],
        lambda m, d, h, w: torch.stack([torch.full((h, w), -(m[c] / d[c]).item()) for c in range(3)])[None],
    ],
    "08.4": [
        log_odds,
        lambda z, t: z[:, t] - torch.cat([z[:, :t], z[:, t + 1 :]], 1).logsumexp(1),
        lambda z, t: z.double()[:, t] - z.double().masked_fill(torch.arange(z.shape[1]) == t, -torch.inf).logsumexp(1),
        numpy_again,
        loops_math,
    ],
    "08.5": [
        lambda m, c, h, w: (
            sum(
                (
                    np.pad(a, ((t, h - t - len(a)), (left, w - left - len(a))))
                    for a, (t, left) in zip(m.numpy(), c.tolist(), strict=False)
                )
            )
            / len(m)
        ),
        lambda m, c, h, w: torch.stack(
            [
                torch.nn.functional.pad(a, (left, w - left - len(a), t, h - t - len(a)))
                for a, (t, left) in zip(m, c.tolist(), strict=False)
            ]
        ).mean(0),
        pixel_loops_double,
        index_add,
    ],
}
WRONG = [
    ("08.2", lambda s, d: s.quantile(torch.tensor([0.025, 0.975])), "single pictures"),
    ("08.2", lambda s, d: torch.stack([s[d].mean(1).min(), s[d].mean(1).max()]), "Cut the tails"),
    ("08.2", lambda s, d: s[d].mean(1).quantile(torch.tensor([0.05, 0.95])), "Half of the 5%"),
    ("08.2", lambda s, d: s[d].median(1).values.quantile(torch.tensor([0.025, 0.975])), "the mean is asked"),
    ("08.2", lambda s, d: s[d].mean(0).quantile(torch.tensor([0.025, 0.975])), "picture by picture"),
    ("08.2", lambda s, d: reach(s, d)[::-1], "High comes before low"),
    ("08.2", sorted_out, "from the sorted list"),
    ("08.2", lambda s, d: s[d].mean(1).quantile(0.975), "a tensor of shape (2,) is wanted"),
    ("08.2", lambda s, d: [float(s.mean() - s.std()), float(s.mean() + s.std())], "On 10 pictures"),
    ("08.2", lambda s, d: _q(s[d].flatten()), "You put all redraws together"),
    (
        "08.2",
        lambda s, d: s[d].mean(1).mean() + torch.tensor([-1.96, 1.96]).to(s) * s[d].mean(1).std(),
        "You took a bell curve for granted: the mean of the redraws, and 1.96 deviations to either side",
    ),
    (
        "08.2",
        lambda s, d: s.mean() + torch.tensor([-1.96, 1.96]).to(s) * s.std() / len(s) ** 0.5,
        "You took a bell curve for granted, and made no use of the redraws",
    ),
    ("08.2", lambda s, d: _q(s[d].sum(1)), "Those are limits for the sum of a redraw"),
    ("08.2", lambda s, d: _q(s[d].mean(1)) - s.mean(), "Those are distances from the mean score"),
    ("08.2", lambda s, d: _q(s[d].mean(1)).diff(), "That is how wide the interval is"),
    (
        "08.2",
        lambda s, d: s[d].mean(1).quantile(torch.tensor([0.25, 0.75]).to(s)),
        "Half of your redraws lie between: 2.5% is 0.025, not 0.25",
    ),
    ("08.2", lambda s, d: _q(s[d[0]]), "You looked at one redraw"),
    ("08.2", lambda s, d: _q(s[d], 1).mean(1), "You took two limits within each redraw, and averaged those"),
    ("08.2", lambda s, d: _q(d.to(s).mean(1)), "Those are limits for the numbers of the pictures"),
    ("08.3", lambda m, d, h, w: torch.zeros(1, 3, h, w), "mean colour"),
    ("08.3", lambda m, d, h, w: (m / d).view(1, 3, 1, 1).repeat(1, 1, h, w), "Watch the sign"),
    ("08.3", lambda m, d, h, w: (-m).view(1, 3, 1, 1).repeat(1, 1, h, w), "divides by the deviation"),
    ("08.3", lambda m, d, h, w: (-m * d).view(1, 3, 1, 1).repeat(1, 1, h, w), "multiplied by"),
    ("08.3", lambda m, d, h, w: ((1 - m) / d).view(1, 3, 1, 1).repeat(1, 1, h, w), "That is white"),
    ("08.3", lambda m, d, h, w: (-m / d).view(3, 1, 1).repeat(1, h, w), "a tensor of shape (1, 3, 2, 3) is wanted"),
    ("08.3", lambda m, d, h, w: torch.full((1, 3, h, w), float(-(m / d).mean())), "On pictures of 2 by 3"),
    ("08.3", lambda m, d, h, w: (-m.mean() / d.mean()).expand(1, 3, h, w), "You averaged over the colours"),
    ("08.3", lambda m, d, h, w: (-m / d).view(1, 3, 1, 1), "The right colours, and one pixel"),
    (
        "08.3",
        lambda m, d, h, w: (-255 * m / d).view(1, 3, 1, 1).expand(1, 3, h, w),
        "You took the mean for one of pixels from 0 to 255",
    ),
    ("08.3", lambda m, d, h, w: -torch.ones(1, 3, h, w).to(m), "You wrote -1"),
    (
        "08.3",
        lambda m, d, h, w: (0 - d / m).view(1, 3, 1, 1).expand(1, 3, h, w),
        "You divided the deviation by the mean",
    ),
    (
        "08.3",
        lambda m, d, h, w: (-m / d)[0].expand(1, 3, h, w),
        "You used the first colour's mean and deviation for all",
    ),
    ("08.3", lambda m, d, h, w: ((-m - m) / d).view(1, 3, 1, 1).expand(1, 3, h, w), "You subtracted the mean twice"),
    (
        "08.3",
        lambda m, d, h, w: (-m / d.sqrt()).view(1, 3, 1, 1).expand(1, 3, h, w),
        "You took the square root of the deviation, which is no variance",
    ),
    ("08.3", lambda m, d, h, w: (-m / d**2).view(1, 3, 1, 1).expand(1, 3, h, w), "You squared the deviation"),
    ("08.4", lambda z, t: torch.softmax(z, dim=1)[:, t], "That is the probability"),
    ("08.4", lambda z, t: z[:, t] - torch.logsumexp(z, dim=1), "still among its rivals"),
    ("08.4", lambda z, t: z[:, t], "no say in it"),
    ("08.4", lambda z, t: 1 / (1 / z.softmax(1)[:, t] - 1), "logarithm is wanted"),
    ("08.4", lambda z, t: z[:, t] - torch.cat([z[:, :t], z[:, t + 1 :]], 1).max(1).values, "only the strongest rival"),
    ("08.4", lambda z, t: z[:, t] - torch.cat([z[:, :t], z[:, t + 1 :]], 1).mean(1), "mean logit"),
    ("08.4", lambda z, t: -log_odds(z, t), "wrong way round"),
    ("08.4", zero_for_the_target, "a rival whose logit is 0"),
    ("08.4", lambda z, t: log_odds(z, t)[:, None], "a tensor of shape"),
    ("08.4", lambda z, t: z[:, t] - z.mean(1), "On 4 classes"),
    ("08.4", lambda z, t: z[:, t] - (z.sum(1) - z[:, t]), "You added up the rivals' logits"),
    ("08.4", lambda z, t: (z[:, t] - _rest(z, t).logsumexp(1)) / math.log(10), "That is a logarithm to base 10"),
    ("08.4", lambda z, t: (z[:, t] - _rest(z, t).logsumexp(1)) / math.log(2), "That is a logarithm to base 2"),
    ("08.4", lambda z, t: (1 - z.softmax(1)[:, t]).log(), "That is the logarithm of the chance against"),
    (
        "08.4",
        lambda z, t: torch.stack([r[r.argmax()] - _rest(r[None], int(r.argmax())).logsumexp(1)[0] for r in z]),
        "You took the class that the network prefers",
    ),
    ("08.4", lambda z, t: z[:, t] - z[:, :-1].logsumexp(1), "You left out the last class in place of the target"),
    (
        "08.5",
        lambda m, c, h, w: (lambda o, n: o / n.clamp(min=1))(*_st(m, c, h, w, "add")),
        "You divided each pixel by the number of windows that see it",
    ),
    ("08.5", lambda m, c, h, w: _st(m, c, h, w, "add")[0], "You added the windows' maps up"),
    (
        "08.5",
        lambda m, c, h, w: _st(m, c, h, w, "last")[0],
        "Where windows overlap the last one wins in yours, and nothing is divided",
    ),
    (
        "08.5",
        lambda m, c, h, w: _st(m, c, h, w, "last")[0] / len(m),
        "Where windows overlap the last one wins in yours",
    ),
    (
        "08.5",
        lambda m, c, h, w: _st(m, c, h, w, "add")[0] / m[0].numel(),
        "You divided by the number of pixels of a window",
    ),
    (
        "08.5",
        lambda m, c, h, w: _st(m.mT, c, h, w, "add")[0] / len(m),
        "Each window stands on its head or on its side in yours",
    ),
    (
        "08.5",
        lambda m, c, h, w: _st(m, c.flip(1), max(h, w), max(h, w), "add")[0][:h, :w] / len(m),
        "Row and column are swapped: a corner is (top, left)",
    ),
    ("08.5", lambda m, c, h, w: _st(m.abs(), c, h, w, "add")[0] / len(m), "You took absolute values"),
    ("08.2", lambda s, d: s[d].mean(1).sort().values[[10, -11]], "You counted in from both ends"),
    (
        "08.2",
        lambda s, d: [float(s[d].mean() - 2 * s[d].mean(1).std()), float(s[d].mean() + 2 * s[d].mean(1).std())],
        "and 2 deviations to either side",
    ),
    ("08.4", lambda z, t: z[:, t] - _rest(z, t).exp().sum(1).log(), "in float32 exp(100) overflows"),
    ("08.4", lambda z, t: (z.softmax(1)[:, t] / (1 - z.softmax(1)[:, t])).log(), "p rounds to 0 or 1"),
    ("08.4", lambda z, t: (z[:, t] / (z.sum(1) - z[:, t])).log(), "You took logits for chances"),
]
