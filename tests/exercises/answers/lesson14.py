"""Answers to lesson 14 as students write them."""

import torch


def read_out(logits, lengths, target):
    return torch.stack([series[int(length) - 1, target] for series, length in zip(logits, lengths, strict=True)])


def two_inputs(f, first, second, first_start, second_start, steps):
    totals = [0.0, 0.0]
    for k in range(steps):
        alpha = (k + 0.5) / steps
        a = (first_start + alpha * (first - first_start)).detach().requires_grad_()
        b = (second_start + alpha * (second - second_start)).detach().requires_grad_()
        f(a, b).sum().backward()
        totals[0] += float((a.grad * (first - first_start)).sum()) / steps
        totals[1] += float((b.grad * (second - second_start)).sum()) / steps
    return totals


def unexplained(f, x, baseline, stretches):
    gaps = []
    for k in range(stretches):
        low, middle, high = (baseline + alpha / stretches * (x - baseline) for alpha in (k, k + 0.5, k + 1))
        middle = middle.clone().requires_grad_()
        f(middle).sum().backward()
        gaps.append(float(f(high) - f(low)) - float((middle.grad * (x - baseline)).sum()) / stretches)
    return gaps


def diagnose(again, residuals, gaps):
    if again >= 0.05:
        return "chance"
    few, _, most = (abs(float(each)) for each in residuals)
    sizes = [abs(float(gap)) for gap in gaps]
    if most < 0.05:
        return "nothing"
    if 2 * most < few:
        return "steps"
    if sum(sizes) < 0.05:
        return "count"
    if 2 * max(sizes) > sum(sizes):
        return "jump"
    return "slopes"


def moved(f, a, b, a0, b0, n, at):
    """The shares where the gradients are taken at alphas `at`."""
    p = (a0 + at[:, None] * (a - a0)).requires_grad_()
    q = (b0 + at[:, None] * (b - b0)).requires_grad_()
    g, h = torch.autograd.grad(f(p, q).sum(), (p, q))
    return torch.stack([(g.mean(0) * (a - a0)).sum(), (h.mean(0) * (b - b0)).sum()])


def middles(n):
    return (torch.arange(n).double() + 0.5) / n


def held(f, a, b, a0, b0, n):
    """Each input moves while the other stays at its baseline."""
    none_a, none_b = 1e-9 * (a - a0) + a0, 1e-9 * (b - b0) + b0
    return torch.stack([moved(f, a, none_b, a0, b0, n, middles(n))[0], moved(f, none_a, b, a0, b0, n, middles(n))[1]])


def without_chance(again, residuals, gaps):
    return diagnose(0.0, residuals, gaps)


def by_few_steps(again, residuals, gaps):
    return diagnose(again, residuals[[0, 0, 0]], gaps)


def with_signs(again, residuals, gaps):
    if again >= 0.05:
        return "chance"
    if residuals[2] < 0.05:
        return "nothing"
    if residuals[2] < residuals[0] / 2:
        return "steps"
    return diagnose(again, torch.ones(3), gaps)


RIGHT = {"14.1": read_out, "14.2": two_inputs, "14.3": unexplained, "14.4": diagnose}
WRONG = [
    ("14.1", lambda z, n, t: z[:, -1][:, t], "that is padding"),
    ("14.1", lambda z, n, t: z[range(len(z)), n, t], "one step too late"),
    ("14.1", lambda z, n, t: z[range(len(z)), n - 2, t], "one step too early"),
    ("14.1", lambda z, n, t: z[:, 0][:, t], "first step"),
    ("14.1", lambda z, n, t: z.mean(1)[:, t], "padding included"),
    ("14.1", lambda z, n, t: [float(s[:k, t].mean()) for s, k in zip(z, n, strict=True)], "after its last step"),
    ("14.1", lambda z, n, t: z[range(len(z)), n - 1], "one number for each series"),
    ("14.1", lambda z, n, t: z.softmax(-1)[range(len(z)), n - 1, t], "probability"),
    ("14.1", lambda z, n, t: z[:, n.max() - 1, t], "a length of its own"),
    ("14.2", held, "stayed at its baseline"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, a0, b0, n, torch.ones(1).double()), "at the end of the path"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, 0 * a, 0 * b, n, middles(n)), "begins at the baselines"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, a0, b0, n, middles(n)) * n, "summed over the steps"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, a0, b0, n, middles(n))[[1, 0]], "swapped"),
    ("14.2", lambda f, a, b, a0, b0, n: -moved(f, a, b, a0, b0, n, middles(n)), "flipped"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, a0, b0, n, middles(n)).abs(), "keeps its sign"),
    ("14.3", lambda f, x, b, n: [-gap for gap in unexplained(f, x, b, n)], "flipped"),
    ("14.3", lambda f, x, b, n: [abs(gap) for gap in unexplained(f, x, b, n)], "absolute values"),
    ("14.3", lambda f, x, b, n: float(sum(unexplained(f, x, b, n))), "their sum"),
    ("14.3", lambda f, x, b, n: torch.tensor(unexplained(f, x, b, n)).cumsum(0), "added up along the path"),
    ("14.4", without_chance, "the same answer twice"),
    ("14.4", by_few_steps, "fewest steps"),
    ("14.4", with_signs, "compare absolute values"),
    ("14.4", lambda a, r, g: {"jump": "slopes"}.get(diagnose(a, r, g), diagnose(a, r, g)), "one large gap"),
]
