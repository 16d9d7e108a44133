"""Answers to lesson 07 as students write them."""

import numpy as np
import torch

import igteach


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def ig(f, x, b, steps=64):
    total = torch.zeros_like(x)
    for k in range(steps):
        total += slope(f, b + (k + 0.5) / steps * (x - b)) / steps
    return total * (x - b)


def default(f, x, b):
    return igteach.integrated_gradients(f, x, b).values


def opinion(f, baseline):
    p = f(baseline).flatten().tolist()
    return max(p) - sum(p) / len(p)


def step_to_zero(f, x):
    direction = slope(f, x) / slope(f, x).norm()
    return x - f(x) / slope(f, x).norm() * direction


def over_baselines(f, x, baselines):
    return sum(ig(f, x, baseline[None]) for baseline in baselines) / len(baselines)


def _g(f, x):
    return igteach.gradient(f, x).values


def _ig(f, x, b, steps=64):
    return igteach.integrated_gradients(f, x, b, steps=steps).values


def fits(x, r, c, least):
    return ((c - x).abs()[:, r] >= least).all(1)


def opinions(f, c):
    return f(c).amax(1) - 1 / f(c).shape[1]


def by(worth):
    """A choice among the candidates that fit, by the least of something about the probabilities."""

    def choice(f, x, r, c, least):
        left = c[fits(x, r, c, least)]
        return left[worth(f(left)).argmin()][None]

    return choice


def autograd(f, x):
    z = x.clone().requires_grad_(True)
    y = f(z)
    y.sum().backward()
    return (z - y[:, None] * z.grad / (z.grad * z.grad).sum(dim=1, keepdim=True)).detach()


def func_grad_dot(f, x):
    g, y = torch.func.grad_and_value(lambda z: f(z[None])[0])(x[0])
    return (x[0] - y / torch.dot(g, g) * g)[None]


def pinv_list(f, x):
    g = _g(f, x)[0].tolist()
    y = float(f(x))
    s = sum(v * v for v in g)
    return [[a - y * v / s for a, v in zip(x[0].tolist(), g, strict=False)]]


def loop_sum(f, x, baselines):
    total = torch.zeros_like(x)
    for each in baselines:
        total = total + igteach.integrated_gradients(f, x, each[None], steps=64).values
    return total / len(baselines)


def numpy_mean(f, x, baselines):
    return np.mean(
        [igteach.integrated_gradients(f, x, each[None], steps=64).values.numpy() for each in baselines], axis=0
    )


def own_midpoint_sum(f, x, baselines):
    alphas = (torch.arange(64) + 0.5) / 64
    out = torch.zeros_like(x)
    for b in baselines:
        pts = (b + alphas[:, None].to(x) * (x - b)).detach().requires_grad_()
        g = torch.autograd.grad(f(pts).sum(), pts)[0].mean(0)
        out += (x - b) * g / len(baselines)
    return out


def loop(f, x, region, candidates, least):
    best = None
    for c in candidates:
        fit = all(abs(float(c[i] - x[0, i])) >= least for i in range(len(c)) if region[i])
        if fit and (best is None or f(c[None]).max() < f(best[None]).max()):
            best = c
    return best[None]


def numpy_again(f, x, region, candidates, least):
    ok = (np.abs(candidates.numpy() - x.numpy()) >= least)[:, region.numpy()].all(axis=1)
    p = f(candidates).numpy().max(axis=1)
    return candidates.numpy()[np.where(ok, p, np.inf).argmin()][None]


def return_inside_loop(f, x, bs):
    total = torch.zeros_like(x)
    for b in bs:
        total += _ig(f, x, b[None])
        return total / len(bs)
    return None


def skips_first(f, x, bs):
    return torch.stack([_ig(f, x, b[None]) for b in bs[1:]]).mean(0)


def running_halves(f, x, bs):
    total = _ig(f, x, bs[:1])
    for b in bs[1:]:
        total = (total + _ig(f, x, b[None])) / 2
    return total


RIGHT = {
    "07.1": [
        opinion,
        lambda f, b: f(b)[0].max() - f(b)[0].mean(),
        lambda f, b: max(f(b)[0].tolist()) - 1 / len(f(b)[0]),
        lambda f, b: f(b).detach().numpy().max() - 1 / f(b).shape[1],
        lambda f, b: f(b).amax(dim=1) - 1 / f(b).size(1),
    ],
    "07.2": [
        step_to_zero,
        lambda f, x: x.numpy() - f(x).item() * _g(f, x).numpy() / (_g(f, x).numpy() ** 2).sum(),
        autograd,
        func_grad_dot,
        pinv_list,
    ],
    "07.3": [
        over_baselines,
        lambda f, x, bs: igteach.integrated_gradients(f, x.expand_as(bs), bs, steps=64).values.mean(0, keepdim=True),
        loop_sum,
        numpy_mean,
        own_midpoint_sum,
    ],
    "07.5": [
        loop,
        numpy_again,
        lambda f, x, r, c, least: next(
            row for row in c[f(c).amax(1).argsort()] if ((row - x[0]).abs()[r] >= least).all()
        )[None],
        lambda f, x, r, c, least: (lambda left: left[opinions(f, left).argmin()].unsqueeze(0).double())(
            c[(c - x).abs().masked_fill(~r, torch.inf).amin(1) >= least]
        ),
    ],
}
WRONG = [
    ("07.1", lambda f, b: max(f(b)[0].tolist()), "largest probability"),
    ("07.1", lambda f, b: (f(b) - 1 / f(b).numel()).abs()[0].min(), "On a network of 3 classes"),
    ("07.1", lambda f, b: 1 / f(b).shape[1] - f(b)[0].amin(), "smallest probability"),
    ("07.1", lambda f, b: f(b).amax() - f(b).amin(), "spread"),
    ("07.1", lambda f, b: f(b)[0][0] - f(b).mean(), "class 0 only"),
    ("07.1", lambda f, b: f(b).max() - 1 / 2, "One half is even"),
    ("07.1", lambda f, b: f(b).max() - 1 / b.shape[1], "divided by the number of features"),
    ("07.1", lambda f, b: f(b)[0] - f(b).mean(), "one number is wanted"),
    ("07.1", lambda f, b: f(b)[0].max() - 0.1, "One tenth is even for ten classes"),
    ("07.1", lambda f, b: f(b)[0].max() / (1 / f(b).shape[1]), "You divided by an even probability"),
    ("07.1", lambda f, b: 1 - f(b)[0].max(), "That is how far the network is from certain"),
    (
        "07.1",
        lambda f, b: f(b).softmax(dim=1)[0].max() - 1 / f(b).shape[1],
        "f returns probabilities already, and a second softmax evens them out",
    ),
    (
        "07.1",
        lambda f, b: f(b)[0].max() - 1 / len(f(b)),
        "The length of f(baseline) is the number of rows, and there is one",
    ),
    ("07.1", lambda f, b: f(b)[0].argmax() - 1 / f(b).shape[1], "You took the number of the class (argmax)"),
    ("07.1", lambda f, b: f(torch.zeros_like(b))[0].max() - 1 / f(b).shape[1], "You asked about zeros"),
    ("07.2", lambda f, x: x + f(x) * slope(f, x) / slope(f, x).pow(2).sum(), "uphill"),
    ("07.2", lambda f, x: -f(x) * slope(f, x) / slope(f, x).pow(2).sum(), "That is the step"),
    ("07.2", lambda f, x: x - f(x) * slope(f, x) / torch.linalg.norm(slope(f, x)), "once"),
    ("07.2", lambda f, x: x - f(x) * slope(f, x), "times the slope"),
    ("07.2", lambda f, x: x - f(x) / slope(f, x), "on its own"),
    ("07.2", lambda f, x: x - f(x) * torch.sign(slope(f, x)) / slope(f, x).abs().sum(), "by the same amount"),
    ("07.2", lambda f, x: x - 0.1 * slope(f, x), "On function 1"),
    ("07.2", lambda f, x: f(x) / slope(f, x).norm(), "a tensor of shape (1, 3) is wanted"),
    (
        "07.2",
        lambda f, x: x - _g(f, x) / _g(f, x).pow(2).sum(),
        "You forgot F(x): the larger it is, the longer the step",
    ),
    ("07.2", lambda f, x: x - _g(f, x), "That is a step of gradient descent"),
    ("07.2", lambda f, x: x - f(x)[0] / _g(f, x).sum() ** 2 * _g(f, x), "You added up the slope and squared the sum"),
    (
        "07.2",
        lambda f, x: x - 0.2 * f(x)[0] / _g(f, x).pow(2).sum() * _g(f, x),
        "That is a fifth of the step, as in adversarial",
    ),
    ("07.2", lambda f, x: x - f(x)[0] / _g(f, x).pow(2).mean() * _g(f, x), "You averaged the squares"),
    ("07.2", lambda f, x: x - _g(f, x) / _g(f, x).norm(), "Your step has length 1 wherever you are"),
    ("07.2", lambda f, x: x - f(x)[0] / _g(f, x).pow(2).sum() * x, "You moved along x"),
    ("07.2", lambda f, x: x - f(x)[0] / x.pow(2).sum() * _g(f, x), "You divided by the squared norm of x"),
    (
        "07.2",
        lambda f, x: x - f(x)[0] / _g(f, torch.zeros_like(x)).pow(2).sum() * _g(f, torch.zeros_like(x)),
        "You took the slope at 0",
    ),
    ("07.3", lambda f, x, many: ig(f, x, many.mean(dim=0, keepdim=True)), "averaged the baselines"),
    ("07.3", lambda f, x, many: sum(ig(f, x, b[None]) for b in many), "added the explanations up"),
    ("07.3", lambda f, x, many: sum(default(f, x, b[None]) for b in many) / len(many), "pass steps=64"),
    ("07.3", lambda f, x, many: ig(f, x, many[0][None]), "first baseline only"),
    ("07.3", lambda f, x, many: [ig(f, x, b[None]) for b in many][-1], "last baseline only"),
    ("07.3", lambda f, x, many: sum(ig(f, b[None], x) for b in many) / len(many), "changed places"),
    ("07.3", lambda f, x, many: (slope(f, x) * (x - many)).mean(0)[None], "gradient at x only"),
    ("07.3", lambda f, x, many: torch.cat([ig(f, x, b[None]) for b in many]), "one by one"),
    (
        "07.3",
        lambda f, x, many: torch.cat([ig(f, x, b[None]) for b in many]).median(0).values[None],
        "median of the explanations",
    ),
    (
        "07.3",
        lambda f, x, bs: _ig(f, x, bs.median(0, keepdim=True).values),
        "You explained once, against the median of the baselines",
    ),
    (
        "07.3",
        lambda f, x, bs: sum(_ig(f, x, b[None]) for b in bs) / x.shape[1],
        "You divided by the number of features",
    ),
    (
        "07.3",
        lambda f, x, bs: torch.stack([_ig(f, x, b[None]).abs() for b in bs]).mean(0),
        "You averaged absolute values",
    ),
    ("07.3", lambda f, x, bs: torch.cat([_ig(f, x, b[None]) for b in bs]), "Those are the explanations one by one"),
    ("07.3", lambda f, x, bs: _ig(f, x, None), "You explained against zeros"),
    (
        "07.3",
        lambda f, x, bs: torch.stack([_ig(f, x, b[None], 1) for b in bs]).mean(0),
        "You took one step a baseline; 64 are asked for",
    ),
    (
        "07.3",
        lambda f, x, bs: torch.cat([_ig(f, x, b[None]) for b in bs]).median(0, keepdim=True).values,
        "You took the median of the explanations",
    ),
    (
        "07.3",
        lambda f, x, bs: (
            torch.cat([_ig(f, x, b[None]) / (x - b) for b in bs]).mean(0, keepdim=True) * (x - bs.mean(0, keepdim=True))
        ),
        "You averaged the gradients and the displacements apart from each other",
    ),
    ("07.3", return_inside_loop, "You divided by the number of baselines and counted only the first"),
    ("07.3", skips_first, "You left out the first baseline"),
    ("07.3", running_halves, "You halve again with each baseline, so the last one counts most"),
    (
        "07.5",
        lambda f, x, r, c, least: c[opinions(f, c).argmin()][None],
        "That one is the most neutral, but features that you ask about equal it, and get nothing",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(c[((c - x).abs() >= least).all(1)]),
        "You want every feature to speak",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(
            c[((c - x).abs()[:, r] >= least).any(1)]
        ),
        "In yours some feature of the region can speak, and another cannot",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(c[((x - c)[:, r] >= least).all(1)]),
        "You took x minus the baseline with its sign",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: c[opinions(f, c[fits(x, r, c, least)]).argmin()][None],
        "You found its number among the candidates that were left, and used it in the full list",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmax()][None])(c[fits(x, r, c, least)]),
        "That one has the strongest opinion of those that let the region speak",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: c[fits(x, r, c, least)][:1],
        "You took the first candidate that lets the region speak",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(c[((c - x).abs()[:, r] > least).all(1)]),
        "You want more than `least`",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(c[(c != x)[:, r].all(1)]),
        "In yours every feature of the region moves, but one moves less than `least`",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(
            c[((c - x).abs()[:, ~r] >= least).all(1)]
        ),
        "You looked outside the region",
    ),
    ("07.2", lambda f, x: x - f(x) / _g(f, x).pow(2).sum(), "In which direction does it go?"),
    ("07.3", lambda f, x, bs: igteach.expected_gradients(f, x, bs).values, "draws baselines and points at random"),
    *(
        ("07.5", by(worth), words)
        for worth, words in (
            (lambda p: -p.min(1).values, "The smallest probability decides"),
            (lambda p: (p - 0.5).abs().amax(1), "The smallest probability decides"),
            (lambda p: p.amax(1) - p.amin(1), "has a say"),
            (lambda p: (p - p.mean(1, keepdim=True)).abs().amax(1), "has a say"),
            (lambda p: (p - 1 / p.shape[1]).abs().sum(1), "how uneven all the classes are"),
            (lambda p: (p - 1 / p.shape[1]).norm(dim=1), "how uneven all the classes are"),
            (lambda p: p.std(1), "how uneven all the classes are"),
            (lambda p: (p * p.log()).sum(1), "how uneven all the classes are"),
            (lambda p: p.sort(1).values[:, -1] - p.sort(1).values[:, -2], "the lead over the second"),
            (lambda p: (p.amax(1) - 1 / 2).abs(), "One half is even for two"),
        )
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(c[((c - x)[:, r] >= least).all(1)]),
        "A baseline below x is as far away",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[opinions(f, d).argmin()][None])(c[((c - x).abs()[:, r] < least).all(1)]),
        "You kept what is nearer to x",
    ),
    (
        "07.5",
        lambda f, x, r, c, least: (lambda d: d[f(d).max(dim=0).values.argmin()][None])(c[fits(x, r, c, least)]),
        "over the candidates (dim=0)",
    ),
]
