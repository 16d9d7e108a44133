"""Answers to lesson 03 as students write them."""

import numpy as np
import torch

import igteach


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def nearest(f, candidates, neutral):
    distances = [abs(float(f(row[None])[0]) - neutral) for row in candidates]
    return distances.index(min(distances))


def one_by_one(f, candidates, neutral):
    best, scores = 0, f(candidates).tolist()
    for i, score in enumerate(scores):
        if abs(score - neutral) < abs(scores[best] - neutral):
            best = i
    return best


def good_enough(f, candidates, neutral):
    for i, score in enumerate(f(candidates).tolist()):
        if abs(score - neutral) < 0.1:
            return i
    return 0


def frequencies(counts):
    return [count / sum(counts.tolist()) for count in counts.tolist()]


def in_place(text, corpus):
    text /= text.sum()
    corpus /= corpus.sum()
    return text - corpus


def raw_shares(f, measured, background, mean, deviation):
    measured = measured.clone().requires_grad_()
    f((measured - mean) / deviation).sum().backward()
    return (measured.grad * (measured - background)).detach().numpy()


def by_loop(f, measured, background, mean, deviation):
    standardised = ((measured - mean) / deviation)[0]
    slopes = torch.func.grad(lambda row: f(row[None])[0])(standardised).tolist()
    went = (measured - background)[0].tolist()
    return [[slopes[i] * went[i] / float(deviation[i]) for i in range(len(went))]]


def both_standardised(f, measured, background, mean, deviation):
    x, baseline = (measured - mean) / deviation, (background - mean) / deviation
    return igteach.gradient(f, x).values * (x - baseline)


def standardised_for_good(f, measured, background, mean, deviation):
    measured -= mean
    measured /= deviation
    background -= mean
    background /= deviation
    return slope(f, measured) * (measured - background)


RIGHT = {
    "03.1": [
        lambda text, corpus: [float(t) / float(text.sum()) for t in text] - corpus.numpy() / float(corpus.sum()),
        lambda text, corpus: [t - c for t, c in zip(frequencies(text), frequencies(corpus), strict=True)],
        lambda text, corpus: (text * corpus.sum() - corpus * text.sum()) / (text.sum() * corpus.sum()),
        lambda text, corpus: torch.nn.functional.normalize(torch.stack([corpus, text]), p=1).diff(dim=0)[0].float(),
    ],
    "03.2": [
        nearest,
        one_by_one,
        lambda f, c, n: int(np.argmin(np.abs(f(c).numpy() - n))),
        lambda f, c, n: torch.sort((f(c) - n) ** 2).indices[:1].double(),
        lambda f, c, n: min(range(len(c)), key=lambda i: abs(f(c[i : i + 1]).item() - n)),
    ],
    "03.4": [
        raw_shares,
        by_loop,
        both_standardised,
        lambda f, x, b, m, d: torch.einsum("nf,f,nf->nf", slope(f, (x - m) / d), 1 / d, x - b),
    ],
}
WRONG = [
    ("03.1", lambda t, c: t - c, "compare frequencies"),
    ("03.1", lambda t, c: t.div(t.sum()), "Subtract those of the corpus"),
    ("03.1", lambda t, c: c / c.sum() - t / t.sum(), "sign is flipped"),
    ("03.1", lambda t, c: (t / t.sum() - c / c.sum()).abs(), "You took the absolute value"),
    ("03.1", lambda t, c: (t - c) / t.sum(), "the length of the text. Each has its own length"),
    ("03.1", lambda t, c: (t - c) / c.sum(), "the length of the corpus. Each has its own length"),
    ("03.1", lambda t, c: (t - c) / (t + c).sum(), "the length of the two together"),
    ("03.1", lambda t, c: (t - c) / (t.sum() - c.sum()), "before you divided"),
    ("03.1", lambda t, c: t / len(t) - c / len(c), "how many different words"),
    ("03.1", lambda t, c: t / t.max() - c / c.max(), "the largest count"),
    ("03.1", lambda t, c: (t / t.sum()) / (c / c.sum()), "You divided one by the other"),
    ("03.1", lambda t, c: (t / t.sum() - c / c.sum()).clamp(min=0), "Keep the negative differences"),
    ("03.1", lambda t, c: t - c / c.sum() * t.sum(), "Your numbers count words"),
    ("03.1", lambda t, c: t.softmax(0) - c.softmax(0), "Its sum is right"),
    ("03.1", lambda t, c: (t + 1) / (t + 1).sum() - (c + 1) / (c + 1).sum(), "Its sum is right"),
    ("03.1", lambda t, c: t / t.norm() - c / c.norm(), "those asked for cancel"),
    ("03.1", lambda t, c: t / t.sum() - c, "the text, but not the corpus"),
    ("03.1", lambda t, c: t - c / c.sum(), "the corpus, but not the text"),
    ("03.1", lambda t, c: t - c * t.sum() / c.sum(), "Your numbers count words"),
    ("03.1", lambda t, c: torch.log(t / t.sum()) - torch.log(c / c.sum()), "You compared logarithms"),
    ("03.1", lambda t, c: torch.log((t / t.sum()) / (c / c.sum())), "You compared logarithms"),
    ("03.1", in_place, "overwrites what it was given"),
    ("03.1", lambda t, c: (t / t.sum() - c / c.sum()).argmax(), "a tensor of shape (4,) is wanted"),
    ("03.2", lambda f, c, n: int(f(c).argmin()), "lowest score"),
    ("03.2", lambda f, c, n: (f(c) - n).argmin(), "lowest score"),
    ("03.2", lambda f, c, n: f(c).argmax().item(), "highest score"),
    ("03.2", lambda f, c, n: torch.sort((f(c) - n) ** 2).indices[-1], "furthest from neutral"),
    ("03.2", lambda f, c, n: min(f(c).tolist(), key=lambda v: abs(v - n)), "index of the candidate"),
    ("03.2", lambda f, c, n: (f(c) - n).abs().min(), "the distance from neutral"),
    ("03.2", lambda f, c, n: (f(c) - n).abs(), "one number is wanted"),
    ("03.2", lambda f, c, n: (f(c) - n).abs().argsort(), "one number is wanted"),
    ("03.2", lambda f, c, n: c[(f(c) - n).abs().argmin()], "one number is wanted"),
    ("03.2", lambda f, c, n: f(c).abs().argmin(), "nearest to zero"),
    ("03.2", lambda f, c, n: (f(c).abs() - n).argmin(), "nearest to zero"),
    ("03.2", lambda f, c, n: (f(c).abs() - abs(n)).abs().argmin(), "absolute value of scores"),
    ("03.2", lambda f, c, n: (f(c) - 0.5).abs().argmin(), "compared with one half"),
    ("03.2", lambda f, c, n: nearest(f, c, n) + 1, "counted from one"),
    ("03.2", lambda f, c, n: (c - n).abs().sum(1).argmin(), "Compare the scores"),
    ("03.2", lambda f, c, n: f(c - n).abs().argmin(), "from the inputs"),
    ("03.2", lambda f, c, n: c.abs().sum(1).argmin(), "the smallest values"),
    ("03.2", lambda f, c, n: (f(c) - f(c).mean()).abs().argmin(), "nearest to the mean score"),
    ("03.2", lambda f, c, n: (f(c) - n).masked_fill(f(c) < n, 9).argmin(), "above neutral only"),
    ("03.2", lambda f, c, n: (f(c) - n).masked_fill(f(c) > n, -9).argmax(), "below neutral only"),
    ("03.2", good_enough, "near enough"),
    ("03.4", lambda f, x, b, m, d: slope(f, x) * (x - b), "You asked the network at raw measurements. It"),
    ("03.4", lambda f, x, b, m, d: slope(f, x) * ((x - m) / d - (b - m) / d), "at raw measurements, though"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d) * (x - b), "The units must cancel"),
    ("03.4", lambda f, x, b, m, d: both_standardised(f, x, b, m, d) * d, "The units must cancel"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d) * ((x - m) / d - b), "but not the background"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d) * (x - m) / d, "You measured from the mean"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d) * (x - b - m) / d, "In a difference the mean cancels"),
    ("03.4", lambda f, x, b, m, d: both_standardised(f, x, b, m, d) / d, "twice"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d) * (x - b) * d, "You multiplied by the deviation"),
    ("03.4", lambda f, x, b, m, d: slope(f, (b - m) / d) * (x - b) / d, "gradient at the background"),
    ("03.4", lambda f, x, b, m, d: -raw_shares(f, x, b, m, d), "not back"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d) / d, "slope per raw unit"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - m) / d), "slope per deviation"),
    ("03.4", lambda f, x, b, m, d: both_standardised(f, x, b, m, d).abs(), "You took absolute values"),
    ("03.4", lambda f, x, b, m, d: slope(f, x - m / d) * (x - b), "Everywhere it is zero"),
    ("03.4", lambda f, x, b, m, d: slope(f, x - m / d) * (x - b) / d, "Mind the brackets"),
    ("03.4", lambda f, x, b, m, d: slope(f, (x - b) / d) * (x - b) / d, "You asked at the displacement"),
    ("03.4", lambda f, x, b, m, d: slope(f, x - m) * (x - b), "the right sum"),
    ("03.4", standardised_for_good, "overwrites what it was given"),
    ("03.4", lambda f, x, b, m, d: raw_shares(f, x, b, m, d).sum(), "Keep one for each measurement"),
    ("03.4", lambda f, x, b, m, d: raw_shares(f, x, b, m, d)[0], "a tensor of shape (1, 3) is wanted"),
]
