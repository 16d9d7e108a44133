"""Answers to lesson 04 as students write them."""

from itertools import pairwise

import numpy as np
import torch

import igteach


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def walk(f, stops):
    total = 0.0
    for start, end in pairwise(stops):
        total += float((slope(f, (start + end)[None] / 2) * (end - start)).sum())
    return total


def ig(f, x, b, steps):
    share = torch.zeros_like(x)
    for k in range(steps):
        share += slope(f, b + (k + 0.5) / steps * (x - b)) / steps
    return share * (x - b)


def averaged(f, x, b, alphas):
    return sum(slope(f, b + alpha * (x - b)) for alpha in alphas) / len(alphas)


def midpoints(steps):
    return ((torch.arange(steps) + 0.5) / steps).tolist()


def middles(stops):
    return (stops[1:] + stops[:-1]) / 2


def pieces_of(stops):
    return stops[1:] - stops[:-1]


def one_package_point(f, x, b, steps):
    path = b + (torch.arange(steps).to(x) + 0.5)[:, None] / steps * (x - b)
    return (x - b) * igteach.gradient(f, path).values.mean(dim=0)


def with_numpy(f, x, b, steps):
    slopes = [igteach.gradient(f, b + alpha * (x - b)).values[0].tolist() for alpha in midpoints(steps)]
    return np.mean(slopes, axis=0)[None] * (x - b).numpy()


def by_func(f, x, b, steps):
    edges = torch.linspace(0, 1, steps + 1).double()
    path = torch.lerp(b, x, ((edges[1:] + edges[:-1]) / 2)[:, None])
    slopes = torch.stack([torch.func.grad(lambda row: f(row[None])[0])(point) for point in path])
    return torch.einsum("kf,nf->nf", slopes, x - b) / steps


def through_the_path(f, x, b, steps):
    x = x.clone().requires_grad_()
    path = b + torch.tensor(midpoints(steps))[:, None] * (x - b)
    return torch.autograd.grad(f(path).sum(), x)[0] * (x - b).detach() / steps


def stroke_shares(f, baseline, strokes):
    shares, x = np.zeros(len(strokes)), baseline + strokes.sum(0)
    for alpha in midpoints(64):
        gradient = slope(f, baseline + alpha * (x - baseline))[0]
        for number, stroke in enumerate(strokes):
            shares[number] += float(gradient @ stroke) / 64
    return shares


def by_amounts(f, baseline, strokes):
    amounts = torch.tensor(midpoints(64)).to(strokes)[:, None].repeat(1, len(strokes)).requires_grad_()
    (gradient,) = torch.autograd.grad(f(baseline + amounts @ strokes).sum(), amounts)
    return list(gradient.mean(dim=0))


def mean_slope(f, x, baseline, alphas):
    return sum(slope(f, baseline + alpha * (x - baseline)) for alpha in alphas)[0] / len(alphas)


def finished(baseline, strokes):
    return baseline + strokes.sum(dim=0, keepdim=True)


def in_turn(f, baseline, strokes):
    shares, now = [], baseline
    for stroke in strokes:
        shares.append(f(now + stroke) - f(now))
        now = now + stroke
    return torch.cat(shares)


def by_size(f, baseline, strokes):
    weights = strokes.abs() / strokes.abs().sum(0)
    return (weights * ig(f, finished(baseline, strokes), baseline, 64)).sum(1)


def split_equally(f, baseline, strokes):
    touches = strokes != 0
    return (touches / touches.sum(0).clamp(min=1) * ig(f, finished(baseline, strokes), baseline, 64)).sum(1)


def safely_by_proportion(f, baseline, strokes):
    total = strokes.sum(0)
    weights = torch.where(total == 0, 0.0, strokes / total)
    return (weights * ig(f, finished(baseline, strokes), baseline, 64)).sum(1)


def by_proportion(f, baseline, strokes):
    weights = strokes / strokes.sum(0)
    return (weights * ig(f, finished(baseline, strokes), baseline, 64)).sum(1)


RIGHT = {
    "04.1": [
        walk,
        lambda f, stops: (igteach.gradient(f, middles(stops)).values * pieces_of(stops)).sum(),
        lambda f, stops: torch.einsum("pf,pf->", slope(f, middles(stops)), torch.diff(stops, dim=0)),
        lambda f, stops: np.sum(slope(f, middles(stops)).numpy() * np.diff(stops.numpy(), axis=0)),
    ],
    "04.2": [ig, one_package_point, with_numpy, by_func],
    "04.4": [
        stroke_shares,
        by_amounts,
        lambda f, b, s: torch.einsum("sf,f->s", s, mean_slope(f, finished(b, s), b, midpoints(64))),
        lambda f, b, s: igteach.integrated_gradients(
            lambda amounts: f(b + amounts @ s), torch.ones(1, len(s)).to(s), torch.zeros(1, len(s)).to(s), steps=64
        ).values[0],
    ],
}
WRONG = [
    ("04.1", lambda f, p: (slope(f, p[-1:]) * (p[-1] - p[0])).sum(), "slope at the end of the path"),
    ("04.1", lambda f, p: (slope(f, p[:-1]) * p.diff(dim=0)).sum(), "each piece begins"),
    ("04.1", lambda f, p: (slope(f, p[1:]) * p.diff(dim=0)).sum(), "each piece ends"),
    ("04.1", lambda f, p: walk(f, p.flip(0)), "backwards"),
    ("04.1", lambda f, p: abs(walk(f, p)), "You took an absolute value"),
    ("04.1", lambda f, p: f(p)[-1] - f(p)[0], "true change"),
    ("04.1", lambda f, p: slope(f, (p[1:] + p[:-1]) / 2).sum(), "multiply by the piece"),
    ("04.1", lambda f, p: (slope(f, p[1:] + p[:-1]) * p.diff(dim=0)).sum(), "half of the sum of both ends"),
    ("04.1", lambda f, p: (slope(f, p[1:] + p[:-1] / 2) * p.diff(dim=0)).sum(), "halves one end only"),
    ("04.1", lambda f, p: (slope(f, (p[1:] - p[:-1]) / 2) * p.diff(dim=0)).sum(), "half of each piece"),
    ("04.1", lambda f, p: (slope(f, middles(p)).mean(0) * (p[-1] - p[0])).sum(), "however long that is"),
    ("04.1", lambda f, p: (slope(f, middles(p)) * (p[-1] - p[0])).sum(), "not to the whole distance"),
    ("04.1", lambda f, p: (slope(f, middles(p)) * p.diff(dim=0)).mean(), "over pieces and features"),
    ("04.1", lambda f, p: (slope(f, middles(p)) * p.diff(dim=0)).mean(0).sum(), "averaged over the pieces"),
    ("04.1", lambda f, p: ((slope(f, p)[1:] + slope(f, p)[:-1]) / 2 * p.diff(dim=0)).sum(), "at the two ends"),
    ("04.1", lambda f, p: walk(f, p[:-1]), "left out the last piece"),
    ("04.1", lambda f, p: walk(f, p[-2:]), "the last piece alone"),
    ("04.1", lambda f, p: walk(f, p[:2]), "the first piece alone"),
    ("04.1", lambda f, p: (slope(f, middles(p)) * (p[1:] - p[0])).sum(), "all begin at the first stop"),
    ("04.1", lambda f, p: (slope(f, middles(p)).norm(dim=1) * p.diff(dim=0).norm(dim=1)).sum(), "You took lengths"),
    ("04.1", lambda f, p: (slope(f, middles(p)) * p.diff(dim=0).abs()).sum(), "what is asked for"),
    ("04.1", lambda f, p: slope(f, (p[1:] + p[:-1]) / 2) * p.diff(dim=0), "one number is wanted"),
    ("04.1", lambda f, p: (slope(f, middles(p)) * p.diff(dim=0)).sum(0), "one number is wanted"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) / (x - b), "did not multiply by x - baseline"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) / (x - b) * x, "You multiplied by x."),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) * n, "average them"),
    ("04.2", lambda f, x, b, n: ig(f, b, x, n), "changed places"),
    ("04.2", lambda f, x, b, n: slope(f, x) * (x - b), "You took one gradient"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n).sum(), "Keep one share for each"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, torch.linspace(0, 1, n).tolist()) * (x - b), "both ends"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, [k / n for k in range(n)]) * (x - b), "the left ends"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, [(k + 1) / n for k in range(n)]) * (x - b), "the right ends"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, [k / n for k in range(1, n)]) * (x - b) * (n - 1) / n, "sum"),
    ("04.2", lambda f, x, b, n: averaged(f, x, 0 * b, midpoints(n)) * (x - b), "Your path runs from 0 to x"),
    ("04.2", lambda f, x, b, n: averaged(f, x - b, 0 * b, midpoints(n)) * (x - b), "alpha * (x - baseline)"),
    ("04.2", lambda f, x, b, n: averaged(f, x + b, b, midpoints(n)) * (x - b), "baseline + alpha * x"),
    ("04.2", lambda f, x, b, n: averaged(f, 2 * x - b, x, midpoints(n)) * (x - b), "points lie beyond x"),
    ("04.2", lambda f, x, b, n: ig(f, x, 0 * b, n), "a baseline of zeros"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n).abs(), "lost their signs"),
    ("04.2", through_the_path, "Did you differentiate through the path"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, midpoints(n)).mean() * (x - b), "over the features, too"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n) * n / (n - 1), "not by steps - 1"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, torch.linspace(0, 1, n + 1).tolist()) * (x - b), "one more than"),
    ("04.2", lambda f, x, b, n: averaged(f, x, b, [k + 0.5 / n for k in range(n)]) * (x - b), "Mind the brackets"),
    ("04.2", lambda f, x, b, n: (x - b) / n * averaged(f, x, b, midpoints(n)), "number of steps twice"),
    ("04.2", lambda f, x, b, n: slope(f, (x + b) / 2) * (x - b), "one slope, at the middle"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, 64), "You ignore `steps`"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, 50), "You ignore `steps`"),
    ("04.2", lambda f, x, b, n: igteach.integrated_gradients(f, x, b).values, "off by"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n + 1), "off by"),
    ("04.2", lambda f, x, b, n: ig(f, x, b, n)[0], "a tensor of shape (1, 3) is wanted"),
    ("04.4", lambda f, b, s: f(b + s) - f(b), "drew each stroke alone"),
    ("04.4", lambda f, b, s: f(finished(b, s)) - f(finished(b, s) - s), "that is occlusion"),
    ("04.4", in_turn, "a path with corners"),
    ("04.4", lambda f, b, s: (ig(f, finished(b, s), b, 64) * (s != 0)).sum(1), "paid some twice"),
    ("04.4", lambda f, b, s: (slope(f, finished(b, s)) * s).sum(1), "the slope at the end of the path"),
    ("04.4", lambda f, b, s: 64 * stroke_shares(f, b, s), "average them"),
    ("04.4", lambda f, b, s: -stroke_shares(f, b, s), "backwards"),
    ("04.4", lambda f, b, s: abs(stroke_shares(f, b, s)), "lost their signs"),
    ("04.4", lambda f, b, s: stroke_shares(f, b, s).sum(), "Keep one share for each"),
    ("04.4", lambda f, b, s: s @ mean_slope(f, s.sum(0)[None], 0 * b, midpoints(64)), "Your path starts at 0"),
    ("04.4", lambda f, b, s: s @ mean_slope(f, s.sum(0)[None], b, midpoints(64)), "the baseline plus the strokes"),
    ("04.4", lambda f, b, s: ig(f, finished(b, s), b, 64)[0], "the shares of the features"),
    ("04.4", lambda f, b, s: ig(f, finished(b, s), b, 64).sum() * torch.ones(len(s)) / len(s), "Its first number is"),
    ("04.4", by_size, "Its first number is"),
    ("04.4", by_proportion, "Where strokes cancel"),
    ("04.4", safely_by_proportion, "Where strokes cancel"),
    ("04.4", split_equally, "You split a crossing pixel equally"),
    ("04.4", lambda f, b, s: (ig(f, finished(b, s), b, 64) * s).sum(1), "already contains its displacement"),
    ("04.4", lambda f, b, s: s @ mean_slope(f, finished(b, s), b, midpoints(4)), "Its first number is"),
    ("04.4", lambda f, b, s: s @ mean_slope(f, finished(b, s), b, [k / 64 for k in range(64)]), "each step begins"),
    ("04.4", lambda f, b, s: s @ mean_slope(f, finished(b, s), b, [k / 64 for k in range(1, 65)]), "each step ends"),
    ("04.4", lambda f, b, s: s * mean_slope(f, finished(b, s), b, midpoints(64)), "a tensor of shape (2,) is wanted"),
]
