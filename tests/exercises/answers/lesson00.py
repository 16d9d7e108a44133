"""Answers to lesson 00 as students write them."""

import numpy as np
import torch


def to_share(f, x, baseline):
    at_input, at_baseline = f(torch.cat([x, baseline])).tolist()
    return at_input - at_baseline


def residual(values, f_input, f_baseline):
    return sum(values.double().flatten().tolist()) + f_baseline - f_input


def strongest_pixel(values):
    table = np.abs(values.numpy())
    return np.array(np.unravel_index(table.argmax(), table.shape))


RIGHT = {
    "00.1": to_share,
    "00.2": residual,
    "00.3": strongest_pixel,
}
WRONG = [
    ("00.1", lambda f, x, b: f(x).sum(), "input alone"),
    ("00.1", lambda f, x, b: f(b)[0] - f(x)[0], "sign is flipped"),
    ("00.1", lambda f, x, b: f(x - b).item(), "difference of the two inputs"),
    ("00.1", lambda f, x, b: f(x) + f(b), "On function"),
    ("00.1", lambda f, x, b: f(x) / f(b), "On function"),
    ("00.1", lambda f, x, b: x - b, "one number is wanted"),
    ("00.2", lambda v, a, b: float(v.sum()) - a, "not with F(x)"),
    ("00.2", lambda v, a, b: a - b - float(v.sum()), "sign is flipped"),
    ("00.2", lambda v, a, b: v.mean() - (a - b), "averaged"),
    ("00.2", lambda v, a, b: v.abs().sum() - a + b, "added up absolute values"),
    ("00.2", lambda v, a, b: v - (a - b), "one number is wanted"),
    ("00.2", lambda v, a, b: v.sum() - (a + b), "On values of shape (4,)"),
    ("00.2", lambda v, a, b: v.sum(dim=0) - (a - b), "On values of shape (3, 3) yours has shape (3,)"),
    ("00.3", lambda v: torch.tensor(np.unravel_index(v.numpy().argmax(), v.shape)), "strong and negative"),
    ("00.3", lambda v: v.abs().flatten().argmax(), "flat index"),
    ("00.3", lambda v: torch.tensor(strongest_pixel(v)).flip(0), "swapped"),
    ("00.3", lambda v: torch.tensor(strongest_pixel(v)) + 1, "counted from one"),
    ("00.3", lambda v: v.abs().max(), "a tensor of shape (2,) is wanted"),
]
