"""Answers to lesson 05 as students write them."""

from itertools import pairwise

import numpy as np
import torch

import igteach


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def zeros_of(weight, bias, x, baseline):
    """By the rule of three between the unit's values at both ends."""
    start, end = weight @ baseline + bias, weight @ x + bias
    return start / (start - end)


def kinks(weight, bias, x, baseline):
    start, end = weight @ baseline + bias, weight @ x + bias
    switches = start * end < 0
    return np.sort((start[switches] / (start[switches] - end[switches])).numpy())


def legs(f, x, b, ends):
    shares = 0
    for left, right in pairwise(ends):
        shares = shares + (right - left) * slope(f, b + (left + right) / 2 * (x - b))
    return shares * (x - b)


def exact(f, x, b, alphas):
    return legs(f, x, b, [0.0, *alphas.tolist(), 1.0])


def _al(w, b, x, x0):
    return -(w @ x0 + b) / (w @ (x - x0))


def _in(a):
    return a[(a > 0) & (a < 1)]


def _grads(f, pts):
    pts = pts.detach().clone().requires_grad_()
    return torch.autograd.grad(f(pts).sum(), pts)[0]


def _ends(al, x):
    return torch.cat([torch.zeros(1).to(x), al.to(x), torch.ones(1).to(x)])


def _es(f, x, x0, al, mids=None, lens=None, factor=None):
    e = _ends(al, x)
    m = (e[1:] + e[:-1]) / 2 if mids is None else mids(e)
    lengths = e.diff() if lens is None else lens(e)
    g = _grads(f, x0 + m[:, None] * (x - x0))
    return (x - x0 if factor is None else factor(x, x0)) * (lengths @ g)


def total_of(t):
    return t.abs().sum()


def plain_loops(weight, bias, x, baseline):
    found = []
    for row, c in zip(weight.tolist(), bias.tolist(), strict=False):
        start = sum((p * q for p, q in zip(row, baseline.tolist(), strict=False))) + c
        end = sum((p * q for p, q in zip(row, x.tolist(), strict=False))) + c
        if start * end < 0:
            found.append(start / (start - end))
    return sorted(found)


def numpy_again(weight, bias, x, baseline):
    w, b, x1, x0 = (each.numpy() for each in (weight, bias, x, baseline))
    with np.errstate(divide="ignore", invalid="ignore"):
        a = -(w @ x0 + b) / (w @ (x1 - x0))
    return np.sort(a[(a > 0) & (a < 1)])


def linear_layer_float64(weight, bias, x, baseline):
    ends = torch.nn.functional.linear(torch.stack([baseline, x]).double(), weight.double(), bias.double())
    a = ends[0] / (ends[0] - ends[1])
    return torch.sort(a[torch.logical_and(a > 0, a < 1)])[0]


def einsum_float32(weight, bias, x, baseline):
    w, b, x, x0 = (e.float() for e in (weight, bias, x, baseline))
    c = torch.einsum("uf,f->u", w, x0) + b
    d = torch.einsum("uf,f->u", w, x - x0)
    a = -c / d
    return torch.msort(a[(a > 0) & (a < 1)])


def loop_with_igteach_gradient(f, x, baseline, alphas):
    ends = [0.0, *alphas.tolist(), 1.0]
    total = torch.zeros_like(x)
    for a, b in pairwise(ends):
        total += (b - a) * igteach.gradient(f, baseline + (a + b) / 2 * (x - baseline)).values
    return total * (x - baseline)


def vmap_grad(f, x, baseline, alphas):
    one = torch.func.grad(lambda z: f(z[None])[0])
    e = _ends(alphas, x)
    m = (e[1:] + e[:-1]) / 2
    pts = baseline + m[:, None] * (x - baseline)
    g = torch.stack([one(p) for p in pts])
    return torch.einsum("p,pf->f", e.diff(), g)[None] * (x - baseline)


def numpy_out(f, x, baseline, alphas):
    e = np.concatenate([[0.0], alphas.numpy(), [1.0]])
    out = np.zeros(x.shape)
    for k in range(len(e) - 1):
        mid = float(e[k] + e[k + 1]) / 2
        out += (e[k + 1] - e[k]) * igteach.gradient(f, baseline + mid * (x - baseline)).values.numpy()
    return out * (x - baseline).numpy()


def backward_on_a_leaf(f, x, baseline, alphas):
    ends = torch.nn.functional.pad(alphas, (1, 1))
    ends[-1] = 1
    points = torch.lerp(baseline, x, ((ends[1:] + ends[:-1]) / 2)[:, None]).detach().requires_grad_(True)
    f(points).sum().backward()
    return (ends.diff()[:, None] * points.grad).sum(0, keepdim=True) * (x - baseline)


def sum_of_a_geometric_series_loop(c, m, f):
    r = float(total_of(m - c) / total_of(f - m))
    step, total = (float(total_of(f - m)), 0.0)
    for _ in range(200):
        step /= r
        total += step
    return total


def path_from_zero_m_x(f, x, b, a):
    e = _ends(a, x)
    m, lengths = ((e[1:] + e[:-1]) / 2, e.diff())
    return (x - b) * (lengths @ _grads(f, m[:, None] * x))


def path_forgets_baseline_m_x_b(f, x, b, a):
    e = _ends(a, x)
    m, lengths = ((e[1:] + e[:-1]) / 2, e.diff())
    return (x - b) * (lengths @ _grads(f, m[:, None] * (x - b)))


def x_m_x_b(f, x, b, a):
    e = _ends(a, x)
    m, lengths = ((e[1:] + e[:-1]) / 2, e.diff())
    return (x - b) * (lengths @ _grads(f, x + m[:, None] * (x - b)))


def path_backwards_points(f, x, b, a):
    e = _ends(a, x)
    m, lengths = ((e[1:] + e[:-1]) / 2, e.diff())
    return (x - b) * (lengths @ _grads(f, x + m[:, None] * (b - x)))


def one_row_a_piece_not_summed(f, x, b, a):
    e = _ends(a, x)
    m, lengths = ((e[1:] + e[:-1]) / 2, e.diff())
    return (x - b) * lengths[:, None] * _grads(f, b + m[:, None] * (x - b))


def gradient_wrt_x_factor_m(f, x, b, a):
    e = _ends(a, x)
    m, lengths = ((e[1:] + e[:-1]) / 2, e.diff())
    g = _grads(f, b + m[:, None] * (x - b)) * m[:, None]
    return (x - b) * (lengths @ g)


RIGHT = {
    "05.2": [kinks, plain_loops, numpy_again, linear_layer_float64, einsum_float32],
    "05.3": [exact, loop_with_igteach_gradient, vmap_grad, numpy_out, backward_on_a_leaf],
    "05.4": [
        lambda c, m, f: total_of(f - m) ** 2 / (total_of(m - c) - total_of(f - m)),
        lambda c, m, f: total_of((f - m) ** 2 / (f - 2 * m + c)),
        lambda c, m, f: (
            np.abs(f.numpy() - m.numpy()).sum()
            / (np.abs(m.numpy() - c.numpy()).sum() / np.abs(f.numpy() - m.numpy()).sum() - 1)
        ),
        sum_of_a_geometric_series_loop,
    ],
}
WRONG = [
    ("05.2", lambda *a: zeros_of(*a).sort().values, "do not lie on the path"),
    ("05.2", zeros_of, "and sort the rest"),
    ("05.2", lambda *a: zeros_of(*a)[(zeros_of(*a) > 0) & (zeros_of(*a) < 1)], "Those are the right alphas"),
    ("05.2", lambda w, b, x, start: kinks(w, b, x, start * 0), "It must begin at the baseline"),
    ("05.2", lambda w, b, x, start: kinks(w, b, start + x, start), "Your path ends at baseline + x"),
    ("05.2", lambda w, b, x, start: kinks(w, b * 0, x, start), "left out the bias"),
    ("05.2", lambda w, b, x, start: 1 - kinks(w, b, x, start)[::-1], "from x to the baseline"),
    ("05.2", lambda *a: kinks(*a)[:1], "is wanted"),
    (
        "05.2",
        lambda w, b, x, x0: _in((w @ x0 + b) / (w @ (x - x0))).sort().values,
        "A sign is flipped: put one of your alphas in, and see whether its unit is 0 there",
    ),
    (
        "05.2",
        lambda w, b, x, x0: _in(-(w @ x0 + b) / (w @ (x - x0) + b)).sort().values,
        "You counted the bias in what changes along the path, too",
    ),
    (
        "05.2",
        lambda w, b, x, x0: _in(-(w @ (x - x0)) / (w @ x0 + b)).sort().values,
        "You divided the wrong way round: put one of your alphas in, and see whether its unit is 0 there",
    ),
    (
        "05.2",
        lambda w, b, x, x0: torch.cat([torch.zeros(1).to(x), _in(_al(w, b, x, x0)).sort().values, torch.ones(1).to(x)]),
        "0 and 1 are not to be added: keep only alphas at which a unit passes through 0, strictly between the ends",
    ),
    (
        "05.2",
        lambda w, b, x, x0: (lambda a: a[a > 0])(_al(w, b, x, x0)).sort().values,
        "You kept alphas beyond 1, where the path has ended",
    ),
    (
        "05.2",
        lambda w, b, x, x0: (lambda a: a[a < 1])(_al(w, b, x, x0)).sort().values,
        "You kept alphas below 0, before the path begins",
    ),
    ("05.2", lambda w, b, x, x0: _in(_al(w, b, x, x0)).sort().indices, "Those are places in a list"),
    (
        "05.2",
        lambda w, b, x, x0: (lambda a, s: a[(a > 0) & (a < 1) & (s > 0)])(_al(w, b, x, x0), w @ (x - x0)).sort().values,
        "Those are the units that switch on",
    ),
    ("05.2", lambda w, b, x, x0: len(_in(_al(w, b, x, x0))), "That is how many kinks there are"),
    (
        "05.2",
        lambda w, b, x, x0: x0 + _in(_al(w, b, x, x0)).sort().values[:, None] * (x - x0),
        "Those are points of the path",
    ),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, alphas.tolist()), "before the first kink, and the path after"),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, [0.0, *alphas.tolist()]), "left out the path after the last kink."),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, [*alphas.tolist(), 1.0]), "before the first kink."),
    ("05.3", lambda f, x, b, alphas: exact(f, x, b, alphas) / (x - b), "How far did each feature go"),
    ("05.3", lambda f, x, b, alphas: exact(f, x, b, alphas) / (x - b) * x, "You multiplied by x."),
    ("05.3", lambda f, x, b, alphas: legs(f, x, b, [k / 4 for k in range(5)]), "pieces of equal length"),
    ("05.3", lambda f, x, b, alphas: exact(f, x, b, alphas).sum(), "Keep one share for each"),
    ("05.3", lambda f, x, b, alphas: slope(f, x) * (x - b), "your answer is off"),
    (
        "05.3",
        lambda f, x, b, a: _es(f, x, b, a, factor=lambda x, b: b - x),
        "The sign is flipped: each feature went from the baseline to x",
    ),
    (
        "05.3",
        lambda f, x, b, a: _es(f, x, b, a, mids=lambda e: e[:-1]),
        "You took the gradients at the kinks, where they jump",
    ),
    (
        "05.3",
        lambda f, x, b, a: _es(f, x, b, a, mids=lambda e: e[1:]),
        "You took each gradient where its piece ends, at a kink",
    ),
    (
        "05.3",
        lambda f, x, b, a: _es(f, x, b, a, lens=lambda e: torch.full_like(e[1:], 1 / (len(e) - 1))),
        "Your pieces all count the same",
    ),
    (
        "05.3",
        lambda f, x, b, a: _es(f, x, b, a, lens=lambda e: torch.ones_like(e[1:])),
        "You added up the gradients without the lengths of their pieces",
    ),
    (
        "05.3",
        lambda f, x, b, a: _es(f, x, b, a, mids=lambda e: e.diff() / 2),
        "Half the length of a piece is not its middle: the piece does not begin at 0",
    ),
    ("05.3", path_from_zero_m_x, "Your points lie between 0 and x"),
    (
        "05.3",
        path_forgets_baseline_m_x_b,
        "Your points do not begin at the baseline: you took alpha times the displacement, and added no baseline",
    ),
    ("05.3", x_m_x_b, "Your points begin at x and lead away from the baseline"),
    ("05.3", path_backwards_points, "Your points run from x to the baseline, while the alphas count from the baseline"),
    ("05.3", one_row_a_piece_not_summed, "Those are the shares of single pieces"),
    ("05.3", gradient_wrt_x_factor_m, "You differentiated with respect to x, so each gradient has a factor alpha"),
    ("05.4", lambda c, m, f: total_of(f - m), "That is how far the last doubling moved the shares"),
    ("05.4", lambda c, m, f: total_of(f - m) / 2, "You halved the last change, whatever the shares do"),
    (
        "05.4",
        lambda c, m, f: total_of(f - m) / 3,
        "You took for granted that each doubling leaves a quarter of the error",
    ),
    (
        "05.4",
        lambda c, m, f: total_of(f - m) / (total_of(m - c) / total_of(f - m)),
        "That is how far the next doubling would move the shares",
    ),
    (
        "05.4",
        lambda c, m, f: total_of(m - c) / (total_of(m - c) / total_of(f - m) - 1),
        "That is the error of the second answer",
    ),
    (
        "05.4",
        lambda c, m, f: total_of(f - m) / (total_of(f - m) / total_of(m - c) - 1),
        "Your ratio of the two changes is upside down, so your error is negative",
    ),
    (
        "05.4",
        lambda c, m, f: (f - m).sum() / ((m - c).sum() / (f - m).sum() - 1),
        "You added up the changes with their signs, so they cancel",
    ),
    (
        "05.4",
        lambda c, m, f: f + (f - m) / (total_of(m - c) / total_of(f - m) - 1),
        "Those are the shares that you expect after all doublings",
    ),
    ("05.2", lambda w, b, x, x0: _in(-(w @ x + b) / (w @ (x - x0))).sort().values, "You began at x"),
    ("05.2", lambda w, b, x, x0: _in(-b / (w @ (x - x0))).sort().values, "a unit is not its bias"),
    ("05.2", lambda w, b, x, x0: _in(_al(w, b, x, x0)).sort(), "values and indices, and you return both"),
    (
        "05.4",
        lambda c, m, f: total_of(f - m) / (total_of(m - c) / total_of(f - m) - 1) / total_of(f),
        "You divided by the sum of the finest |shares|",
    ),
    ("05.4", lambda c, m, f: (f - m).norm() ** 2 / ((m - c).norm() - (f - m).norm()), "You took norms"),
]
