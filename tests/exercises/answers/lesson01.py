"""Answers to lesson 01 as students write them."""

import torch


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def finite_difference(f, x, feature, step):
    rows = x.repeat(2, 1)
    rows[0, feature] += step
    rows[1, feature] -= step
    right, left = f(rows)
    return float(right - left) / (2 * step)


def first_order(f, x, d):
    return torch.autograd.functional.jvp(lambda point: f(point).sum(), x, d)[1]


def saliency(f, x):
    gradient = torch.func.grad(lambda row: f(row[None])[0])(x[0])
    return torch.where(gradient < 0, -gradient, gradient)[None].numpy()


def nudged_for_good(f, x, feature, step):
    x[0, feature] += step
    right = f(x)
    x[0, feature] -= step
    return ((right - f(x)) / (2 * step))[0]


def halved(f, x, feature, step):
    nudge = torch.zeros_like(x)
    nudge[0, feature] = step
    return ((f(x + nudge) - f(x - nudge)) / 2 * step)[0]


def all_at_once(f, x, feature, step):
    nudge = torch.full_like(x, step)
    return ((f(x + nudge) - f(x - nudge)) / (2 * step))[0]


RIGHT = {
    "01.1": finite_difference,
    "01.2": first_order,
    "01.3": saliency,
}
WRONG = [
    ("01.1", halved, "On function 1"),
    ("01.1", all_at_once, "every feature at once"),
    ("01.1", lambda f, x, i, h: slope(f, x)[0, i], "your answer is off"),
    ("01.1", nudged_for_good, "On function 1"),
    ("01.1", lambda f, x, i, h: 2 * finite_difference(f, x, i, h), "two steps apart"),
    ("01.1", lambda f, x, i, h: -finite_difference(f, x, i, h), "right minus left"),
    ("01.1", lambda f, x, i, h: finite_difference(f, x, i, h) * 2 * h, "divided by the distance"),
    ("01.1", lambda f, x, i, h: (f(x + h * torch.eye(3)[i]) - f(x)) / h, "one side only"),
    ("01.1", lambda f, x, i, h: (f(x) - f(x - h * torch.eye(3)[i])) / h, "left side only"),
    ("01.2", lambda f, x, d: f(x + d) - f(x), "true change"),
    ("01.2", lambda f, x, d: f(x) + (slope(f, x) * d).sum(), "leave F(x) out"),
    ("01.2", lambda f, x, d: slope(f, x) * d, "Add them up"),
    ("01.2", lambda f, x, d: slope(f, x).sum(), "weight it by the step"),
    ("01.2", lambda f, x, d: (slope(f, x + d) * d).sum(), "wanted at x"),
    ("01.2", lambda f, x, d: (slope(f, x).abs() * d.abs()).sum(), "You took absolute values"),
    ("01.2", lambda f, x, d: (slope(f, x) * d).mean(), "On function 1"),
    ("01.3", lambda f, x: slope(f, x), "with its sign"),
    ("01.3", lambda f, x: slope(f, x).pow(2), "squared"),
    ("01.3", lambda f, x: abs(slope(f, x) * x), "multiplied by the input"),
    ("01.3", lambda f, x: slope(f, x).abs() / slope(f, x).abs().amax(), "maximum of 1"),
    ("01.3", lambda f, x: slope(f, x).abs().sum(), "a tensor of shape (1, 3) is wanted"),
    ("01.3", lambda f, x: slope(f, x).abs()[0], "yours has shape (3,)"),
]
