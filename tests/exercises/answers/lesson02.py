"""Answers to lesson 02 as students write them."""

import torch


def slope(f, x):
    x = x.detach().clone().requires_grad_()
    f(x).sum().backward()
    return x.grad


def unexplained(f, x, baseline):
    missing = f(x) - f(baseline)
    for i in range(x.shape[1]):
        missing = missing - slope(f, x)[0, i] * (x[0, i] - baseline[0, i])
    return missing.item()


def occlusion(f, x, baseline):
    one = torch.eye(x.shape[1])
    return f(x) - f((1 - one) * x + one * baseline).reshape(1, -1)


def scale_free(f, x, baseline):
    steepness = slope(f, x).pow(2).sum().sqrt()
    average = (f(x) - f(baseline)).abs() / torch.dist(x, baseline)
    return steepness / average


def never_put_back(f, x, baseline):
    before, falls = f(x).clone(), []
    for i in range(x.shape[1]):
        x[0, i] = baseline[0, i]
        falls.append(before - f(x))
    return torch.stack(falls).reshape(1, -1)


def step_by_step(f, x, baseline):
    falls, now = [], x.clone()
    for i in range(x.shape[1]):
        before = f(now)
        now[0, i] = baseline[0, i]
        falls.append(before - f(now))
    return torch.stack(falls).reshape(1, -1)


def zeroed(f, x, baseline):
    falls = []
    for i in range(x.shape[1]):
        changed = x.clone()
        changed[0, i] = 0
        falls.append(f(x) - f(changed))
    return torch.stack(falls).reshape(x.shape)


RIGHT = {
    "02.1": unexplained,
    "02.2": occlusion,
    "02.3": scale_free,
}
WRONG = [
    ("02.1", lambda f, x, b: (slope(f, x) * (x - b)).sum(), "what the gradient explains"),
    ("02.1", lambda f, x, b: (slope(f, x) * (x - b)).sum() - f(x) + f(b), "sign is flipped"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, x) * x).sum(), "multiplied the gradient by x"),
    ("02.1", lambda f, x, b: f(x) - (slope(f, x) * (x - b)).sum(), "what the baseline scores"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, b) * (x - b)).sum(), "gradient at the baseline"),
    ("02.1", lambda f, x, b: f(x) - f(b) - slope(f, x) * (x - b), "one number is wanted"),
    ("02.1", lambda f, x, b: unexplained(f, b, x), "On function 1"),
    ("02.2", never_put_back, "put back"),
    ("02.2", zeroed, "by 0"),
    ("02.2", step_by_step, "On function 1"),
    ("02.2", lambda f, x, b: -occlusion(f, x, b), "sign is flipped"),
    ("02.2", lambda f, x, b: f(x) - f(b + torch.eye(3) * (x - b)).reshape(1, -1), "other way round"),
    ("02.2", lambda f, x, b: f(x + torch.eye(3) * (b - x)).reshape(1, -1), "How far is that below F(x)?"),
    ("02.2", lambda f, x, b: f(x) - f(b), "a tensor of shape (1, 3) is wanted"),
    ("02.3", lambda f, x, b: torch.linalg.norm(slope(f, x)) * torch.linalg.norm(x - b), "left F(x) - F(x') out"),
    ("02.3", lambda f, x, b: slope(f, x).norm() / (f(x) - f(b)).abs(), "left the distance out"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / f(x).abs(), "divided by F(x)"),
    ("02.3", lambda f, x, b: (slope(f, x) ** 2).sum() * ((x - b) ** 2).sum() / (f(x) - f(b)).abs(), "square root"),
    ("02.3", lambda f, x, b: slope(f, x).norm(p=1) * (x - b).norm(p=1) / (f(x) - f(b)).abs(), "added up absolute"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / (f(b) - f(x)), "On function"),
    ("02.3", lambda f, x, b: slope(f, x).abs() * (x - b).norm() / (f(x) - f(b)).abs(), "one number is wanted"),
]
