"""Answers to lesson 00 as students write them."""

import math

import numpy as np
import torch


def to_share(f, x, baseline):
    at_input, at_baseline = f(torch.cat([x, baseline])).tolist()
    return at_input - at_baseline


def residual(values, f_input, f_baseline):
    return sum(values.double().flatten().tolist()) + f_baseline - f_input


def strongest_pixel(values):
    table = np.abs(values.numpy().sum(axis=0))
    return np.array(np.unravel_index(table.argmax(), table.shape))


def by_loops(values):
    largest, place = -1.0, None
    for row in range(values.shape[1]):
        for column in range(values.shape[2]):
            size = abs(sum(float(values[colour, row, column]) for colour in range(3)))
            if size > largest:
                largest, place = size, (row, column)
    return place


def row_by_row(values):
    per_row = torch.einsum("crk->rk", values.double()).square().max(dim=1)
    row = per_row.values.argmax()
    return [row, per_row.indices[row]]


def place_of(pixels, row_length):
    return torch.tensor(divmod(int(pixels.argmax()), row_length))


def divided(values):
    pixels = values.sum(0).abs()
    index = int(pixels.argmax())
    return torch.tensor([index / pixels.shape[1], index % pixels.shape[1]])


RIGHT = {
    "00.1": [
        to_share,
        lambda f, x, b: f(x)[0] - f(b)[0],
        lambda f, x, b: -torch.diff(f(torch.cat([x, b]))),
        lambda f, x, b: [np.float64(f(x.double()).sum()) - float(f(b.double()))],
    ],
    "00.2": [
        residual,
        lambda v, a, b: v.sum() - (a - b),
        lambda v, a, b: math.fsum([*v.double().reshape(-1).tolist(), b, -a]),
        lambda v, a, b: np.sum(v.numpy(), dtype=np.float64) - np.float64(a) + np.float64(b),
    ],
    "00.4": [
        strongest_pixel,
        by_loops,
        row_by_row,
        lambda v: (v.sum(0).abs() == v.sum(0).abs().max()).nonzero()[0].float(),
        lambda v: list(np.unravel_index(int((v[0] + v[1] + v[2]).abs().argmax()), tuple(v.shape[1:]))),
    ],
}
WRONG = [
    ("00.1", lambda f, x, b: f(x).sum(), "input alone"),
    ("00.1", lambda f, x, b: f(b)[0] - f(x)[0], "sign is flipped"),
    ("00.1", lambda f, x, b: f(x - b).item(), "difference of the two inputs"),
    ("00.1", lambda f, x, b: abs(f(x) - f(b)), "You took the absolute value"),
    ("00.1", lambda f, x, b: f(x)[0] - f(torch.zeros_like(x))[0], "an input of zeros"),
    ("00.1", lambda f, x, b: f(x) + f(b), "You added what the baseline scores"),
    ("00.1", lambda f, x, b: f(x) / f(b), "You divided by what the baseline scores"),
    ("00.1", lambda f, x, b: x - b, "one number is wanted"),
    ("00.1", lambda f, x, b: (x - b).sum(), "what is asked for"),
    ("00.1", lambda f, x, b: (f(x) - f(b)) / f(b), "what is asked for"),
    ("00.1", lambda f, x, b: round(float(f(x) - f(b)), 1), "what is asked for"),
    ("00.1", lambda f, x, b: f(x[0]) - f(b[0]), "f takes a batch (N, features)"),
    ("00.1", lambda f, x, b: (f(x)[0], f(b)[0]), "yours has shape (2,); one number is wanted"),
    ("00.1", lambda f, x, b: str(f(x) - f(b)) and None, "returns nothing"),
    ("00.2", lambda v, a, b: float(v.sum()) - a, "not with F(x)"),
    ("00.2", lambda v, a, b: a - b - float(v.sum()), "sign is flipped"),
    ("00.2", lambda v, a, b: v.mean() - (a - b), "averaged"),
    ("00.2", lambda v, a, b: v.abs().sum() - a + b, "added up absolute values"),
    ("00.2", lambda v, a, b: abs(v.sum() - (a - b)), "You took the absolute value"),
    ("00.2", lambda v, a, b: v - (a - b), "one number is wanted"),
    ("00.2", lambda v, a, b: v.sum() - (a + b), "Mind the brackets"),
    ("00.2", lambda v, a, b: v.sum() - a - b, "Mind the brackets"),
    ("00.2", lambda v, a, b: v.sum() - (b - a), "You subtracted F(x') - F(x)"),
    ("00.2", lambda v, a, b: v.sum(), "How far is it from F(x) - F(x')?"),
    ("00.2", lambda v, a, b: (v.sum() - (a - b)) / (a - b), "in the units of F"),
    ("00.2", lambda v, a, b: (v.sum() - (a - b)) ** 2, "what is asked for"),
    ("00.2", lambda v, a, b: v.sum(dim=0) - (a - b), "On values of shape (3, 3) yours has shape (3,)"),
    ("00.2", lambda v, a, b: v.sum(dim=1) - (a - b), "stopped with IndexError"),
    ("00.2", lambda v, a, b: sum(v) - (a - b), "On values of shape (3, 3) yours has shape (3,)"),
    ("00.4", lambda v: place_of(v.sum(0), v.shape[2]), "strong and negative"),
    ("00.4", lambda v: place_of(-v.sum(0), v.shape[2]), "strong and positive"),
    ("00.4", lambda v: place_of(-v.sum(0).abs(), v.shape[2]), "the weakest pixel"),
    ("00.4", lambda v: place_of(v.abs().sum(0), v.shape[2]), "before you added up the colours"),
    ("00.4", lambda v: place_of(v.square().sum(0), v.shape[2]), "dropped the signs (absolute values or squares)"),
    ("00.4", lambda v: place_of(v.abs().max(0).values, v.shape[2]), "strongest single colour"),
    ("00.4", lambda v: place_of(v.max(0).values, v.shape[2]), "strongest single colour"),
    ("00.4", lambda v: place_of(v[0].abs(), v.shape[2]), "one of the three colours"),
    ("00.4", lambda v: place_of(v.sum(0).abs(), v.shape[1]), "How many pixels are there in a row?"),
    ("00.4", lambda v: place_of(v.sum(0).abs(), v.shape[0]), "Its first number is right"),
    ("00.4", lambda v: place_of(v.abs(), v.shape[2]), "On a map of 3 by 4 pixels your answer is off"),
    ("00.4", lambda v: place_of(v.sum(-1).abs(), v.shape[1]), "On a map of 3 by 4 pixels your answer is off"),
    ("00.4", divided, "and its second right"),
    ("00.4", lambda v: v.sum(0).abs().flatten().argmax(), "flat index"),
    ("00.4", lambda v: torch.tensor(strongest_pixel(v)).flip(0), "swapped"),
    ("00.4", lambda v: torch.tensor(strongest_pixel(v)) + 1, "counted from one"),
    ("00.4", lambda v: [v.sum(0).abs().sum(1).argmax(), v.sum(0).abs().sum(0).argmax()], "strongest row and"),
    ("00.4", lambda v: v.sum(0).abs().max(), "a tensor of shape (2,) is wanted"),
    ("00.4", lambda v: v.sum(0).abs().argmax(dim=1), "a tensor of shape (2,) is wanted"),
    ("00.4", lambda v: [0, *by_loops(v)], "a tensor of shape (2,) is wanted"),
]
