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


RIGHT = {
    "07.1": opinion,
    "07.2": step_to_zero,
    "07.3": over_baselines,
    "07.4": lambda table: np.median(table.numpy(), axis=0)[None],
}
WRONG = [
    ("07.1", lambda f, b: max(f(b)[0].tolist()), "largest probability"),
    ("07.1", lambda f, b: (f(b) - 1 / f(b).numel()).abs()[0].min(), "On a network of 3 classes"),
    ("07.1", lambda f, b: 1 / f(b).shape[1] - f(b)[0].amin(), "smallest probability"),
    ("07.1", lambda f, b: f(b).amax() - f(b).amin(), "spread"),
    ("07.1", lambda f, b: f(b)[0][0] - f(b).mean(), "class 0 only"),
    ("07.1", lambda f, b: f(b).max() - 1 / 2, "One half is even"),
    ("07.1", lambda f, b: f(b).max() - 1 / b.shape[1], "On a network of 3 classes"),
    ("07.1", lambda f, b: f(b)[0] - f(b).mean(), "one number is wanted"),
    ("07.2", lambda f, x: x + f(x) * slope(f, x) / slope(f, x).pow(2).sum(), "uphill"),
    ("07.2", lambda f, x: -f(x) * slope(f, x) / slope(f, x).pow(2).sum(), "That is the step"),
    ("07.2", lambda f, x: x - f(x) * slope(f, x) / torch.linalg.norm(slope(f, x)), "once"),
    ("07.2", lambda f, x: x - f(x) * slope(f, x), "times the slope"),
    ("07.2", lambda f, x: x - f(x) / slope(f, x), "on its own"),
    ("07.2", lambda f, x: x - f(x) * torch.sign(slope(f, x)) / slope(f, x).abs().sum(), "by the same amount"),
    ("07.2", lambda f, x: x - 0.1 * slope(f, x), "On function 1"),
    ("07.2", lambda f, x: f(x) / slope(f, x).norm(), "a tensor of shape (1, 3) is wanted"),
    ("07.3", lambda f, x, many: ig(f, x, many.mean(dim=0, keepdim=True)), "averaged the baselines"),
    ("07.3", lambda f, x, many: sum(ig(f, x, b[None]) for b in many), "added the explanations up"),
    ("07.3", lambda f, x, many: sum(default(f, x, b[None]) for b in many) / len(many), "pass steps=64"),
    ("07.3", lambda f, x, many: ig(f, x, many[0][None]), "first baseline only"),
    ("07.3", lambda f, x, many: [ig(f, x, b[None]) for b in many][-1], "last baseline only"),
    ("07.3", lambda f, x, many: sum(ig(f, b[None], x) for b in many) / len(many), "changed places"),
    ("07.3", lambda f, x, many: (slope(f, x) * (x - many)).mean(0)[None], "gradient at x only"),
    ("07.3", lambda f, x, many: torch.cat([ig(f, x, b[None]) for b in many]), "a tensor of shape (1, 3) is wanted"),
    ("07.3", lambda f, x, many: torch.cat([ig(f, x, b[None]) for b in many]).median(0).values[None], "On 2 baselines"),
    ("07.4", lambda table: table.mean(dim=0)[None], "mean patient"),
    ("07.4", lambda table: table[table.shape[0] // 2 : table.shape[0] // 2 + 1], "not sorted"),
    ("07.4", lambda table: torch.full((1, 4), float(table.median())), "all measurements together"),
    ("07.4", lambda table: (table.min(0).values + table.max(0).values)[None] / 2, "half-way"),
    ("07.4", lambda table: table.median(dim=1).values, "a tensor of shape (1, 4) is wanted"),
    ("07.4", lambda table: table.sort(0).values[0][None], "On a table of 5 patients"),
]
