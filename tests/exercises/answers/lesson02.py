"""Answers to lesson 02 as students write them."""

import math

import numpy as np
import torch

import igteach


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


def by_jvp(f, x, baseline):
    _, promised = torch.autograd.functional.jvp(lambda point: f(point).sum(), x, x - baseline)
    return np.float64(f(x).item() - f(baseline).item() - promised.item())


def rows_of_lists(f, x, baseline):
    rows = []
    for i, value in enumerate(baseline[0].tolist()):
        row = x[0].tolist()
        row[i] = value
        rows.append(row)
    return [[f(x).item() - left for left in f(torch.tensor(rows).to(x)).tolist()]]


def masked(f, x, baseline):
    falls = np.zeros(tuple(x.shape))
    for i in range(x.shape[1]):
        mask = torch.zeros_like(x)
        mask[0, i] = 1
        falls[0, i] = f(x).item() - f(x - mask * (x - baseline)).item()
    return falls


def in_numpy(f, x, baseline):
    steepness, distance = (np.linalg.norm(each.numpy()) for each in (slope(f, x), x - baseline))
    return steepness * distance / np.abs(f(x).item() - f(baseline).item())


def by_square_roots(f, x, baseline):
    squares = float((slope(f, x) ** 2).sum()) * float(((x - baseline) ** 2).sum())
    return math.sqrt(squares) / abs(float(f(x)) - float(f(baseline)))


def each_by(change):
    """Occlusion that does something else to feature i."""

    def answer(f, x, baseline):
        falls = []
        for i in range(x.shape[1]):
            changed = x.clone()
            change(changed, i, baseline)
            falls.append(f(x) - f(changed))
        return torch.stack(falls).reshape(x.shape)

    return answer


def never_copied(f, x, baseline):
    falls = []
    for i in range(x.shape[1]):
        changed = x
        changed[0, i] = baseline[0, i]
        falls.append(f(x) - f(changed))
    return torch.stack(falls).reshape(x.shape)


def without_the_last(f, x, baseline):
    falls = occlusion(f, x, baseline).clone()
    falls[0, -1] = 0
    return falls


def returned_too_early(f, x, baseline):
    for i in range(x.shape[1]):
        changed = x.clone()
        changed[0, i] = baseline[0, i]
        return f(x) - f(changed)
    return None


def alphas_of(points=101):
    return torch.linspace(0, 1, points).double()[:, None]


def made(f, x, baseline, path):
    """Which fraction of its change F has made at each point of a path."""
    return (f(path) - f(baseline)) / (f(x) - f(baseline))


def line(x, baseline, points=101):
    return baseline + alphas_of(points) * (x - baseline)


def first(arrived):
    return int(arrived.int().argmax()) / (len(arrived) - 1)


def nearly_there(f, x, baseline):
    start, end = f(baseline).item(), f(x).item()
    for k in range(101):
        now = f(baseline + k / 100 * (x - baseline)).item()
        if (now - start) / (end - start) >= 0.9:
            break
    return k / 100


def by_numpy(f, x, baseline):
    values = np.array([f(torch.lerp(baseline, x, k / 100)).item() for k in range(101)])
    return np.linspace(0, 1, 101)[np.argmax((values - values[0]) / (values[-1] - values[0]) > 0.9)]


def what_is_left(f, x, baseline):
    left = (f(x) - f(line(x, baseline))) / (f(x) - f(baseline))
    return alphas_of()[left < 0.1].min()


def by_nonzero(f, x, baseline):
    values = f(line(x.float(), baseline.float()).float())
    return alphas_of()[((values - values[0]) / (values[-1] - values[0]) >= 0.9).nonzero()[0]]


def of_the_range(f, x, baseline):
    values = f(line(x, baseline))
    return first(values - values.min() >= 0.9 * (values.max() - values.min()))


def close_to_the_end(f, x, baseline):
    values = f(line(x, baseline))
    return (((f(x) - values).abs() <= 0.1 * (f(x) - f(baseline)).abs()).int().argmax()) / 100


def arrived_for_good(f, x, baseline):
    alpha = 1.0
    while made(f, x, baseline, baseline + (alpha - 0.01) * (x - baseline)).item() > 0.9:
        alpha -= 0.01
    return alpha


RIGHT = {
    "02.1": [
        unexplained,
        by_jvp,
        lambda f, x, b: f(x) - f(b) - torch.einsum("ni,ni->n", igteach.gradient(f, x).values, x - b),
        lambda f, x, b: f(x)[0] - f(b)[0] - (slope(f, x) * (x - b)).sum(),
    ],
    "02.2": [
        occlusion,
        rows_of_lists,
        masked,
        each_by(lambda changed, i, b: changed[0].__setitem__(i, b[0, i])),
    ],
    "02.3": [
        scale_free,
        in_numpy,
        by_square_roots,
        lambda f, x, b: (
            torch.linalg.vector_norm(torch.func.grad(lambda point: f(point).sum())(x) / (f(x) - f(b)))
            * torch.dist(x, b)
        ),
    ],
    "02.4": [nearly_there, by_numpy, what_is_left, by_nonzero],
}
WRONG = [
    ("02.1", lambda f, x, b: (slope(f, x) * (x - b)).sum(), "what the gradient explains"),
    ("02.1", lambda f, x, b: (slope(f, x) * (x - b)).sum() - f(x) + f(b), "sign is flipped"),
    ("02.1", lambda f, x, b: abs(unexplained(f, x, b)), "You took the absolute value"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, x) * x).sum(), "multiplied the gradient by x"),
    ("02.1", lambda f, x, b: f(x) - (slope(f, x) * (x - b)).sum(), "what the baseline scores"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, b) * (x - b)).sum(), "gradient at the baseline"),
    ("02.1", lambda f, x, b: f(x) - f(b) - slope(f, x) * (x - b), "one number is wanted"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, x) * (b - x)).sum(), "added, not subtracted"),
    ("02.1", lambda f, x, b: f(x) - (f(b) - (slope(f, x) * (x - b)).sum()), "added, not subtracted"),
    ("02.1", lambda f, x, b: f(x) - f(b), "the whole change of F"),
    ("02.1", lambda f, x, b: f(x) - f(b) - slope(f, x).sum(), "You subtracted slopes"),
    ("02.1", lambda f, x, b: f(x) - f(b) - slope(f, x).sum() * (x - b).sum(), "feature by feature first"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, x) * (x - b)).mean(), "You averaged over the features"),
    ("02.1", lambda f, x, b: unexplained(f, x, b) / (f(x) - f(b)), "divided by the change of F"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, (x + b) / 2) * (x - b)).sum(), "what is asked for"),
    ("02.1", lambda f, x, b: f(x) - f(b) - (slope(f, x) * (x - b))[0, 0], "what is asked for"),
    ("02.1", lambda f, x, b: 0.0, "Everywhere it is zero"),
    ("02.1", lambda f, x, b: unexplained(f, b, x), "On function 1"),
    ("02.2", never_put_back, "put back"),
    ("02.2", never_copied, "You compared x with itself"),
    ("02.2", zeroed, "by 0"),
    ("02.2", step_by_step, "compared with the step before"),
    ("02.2", lambda f, x, b: -occlusion(f, x, b), "sign is flipped"),
    ("02.2", lambda f, x, b: occlusion(f, x, b).abs(), "You took the absolute value"),
    ("02.2", lambda f, x, b: f(x) - f(b + torch.eye(3) * (x - b)).reshape(1, -1), "other way round"),
    ("02.2", lambda f, x, b: f(b + torch.eye(3) * (x - b)).reshape(1, -1) - f(b), "switched features on"),
    ("02.2", lambda f, x, b: f(x + torch.eye(3) * (b - x)).reshape(1, -1), "How far is that below F(x)?"),
    ("02.2", lambda f, x, b: f(x) - f(b), "a tensor of shape (1, 3) is wanted"),
    ("02.2", lambda f, x, b: (f(x) - f(b)).expand(1, 3), "replaced all features at once"),
    ("02.2", each_by(lambda changed, i, b: changed[0, i].sub_(b[0, i])), "moved the feature by its value"),
    ("02.2", lambda f, x, b: slope(f, x) * (x - b), "Occlusion needs no gradient"),
    ("02.2", lambda f, x, b: occlusion(f, x, b) / (x - b), "how far the feature moved"),
    ("02.2", lambda f, x, b: occlusion(f, x, b) / occlusion(f, x, b).sum(), "Everywhere it is"),
    ("02.2", without_the_last, "1 of its 3 numbers is off"),
    ("02.2", lambda f, x, b: occlusion(f, x, b)[:, :2], "a tensor of shape (1, 3) is wanted"),
    ("02.2", returned_too_early, "a tensor of shape (1, 3) is wanted"),
    ("02.2", lambda f, x, b: occlusion(f, x, b).T, "yours has shape (3, 1)"),
    ("02.3", lambda f, x, b: torch.linalg.norm(slope(f, x)) * torch.linalg.norm(x - b), "left F(x) - F(x') out"),
    ("02.3", lambda f, x, b: slope(f, x).norm() / (f(x) - f(b)).abs(), "left the distance out"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / f(x).abs(), "divided by F(x)"),
    ("02.3", lambda f, x, b: (slope(f, x) ** 2).sum() * ((x - b) ** 2).sum() / (f(x) - f(b)).abs(), "square root"),
    ("02.3", lambda f, x, b: slope(f, x).norm(p=1) * (x - b).norm(p=1) / (f(x) - f(b)).abs(), "added up absolute"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / (f(x) - f(b)), "never negative"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / (f(b) - f(x)), "On function"),
    ("02.3", lambda f, x, b: 1 / scale_free(f, x, b), "upside down"),
    ("02.3", lambda f, x, b: slope(f, x).norm() / (x - b).norm() / (f(x) - f(b)).abs(), "multiply by it"),
    (
        "02.3",
        lambda f, x, b: ((slope(f, x) * (x - b)).sum() / (f(x) - f(b))).abs(),
        "multiplied slopes by displacements",
    ),
    ("02.3", lambda f, x, b: (slope(f, x) * (x - b)).norm() / (f(x) - f(b)).abs(), "the norm of a product"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * x.norm() / (f(x) - f(b)).abs(), "You took the norm of x"),
    ("02.3", lambda f, x, b: slope(f, b).norm() * (x - b).norm() / (f(x) - f(b)).abs(), "gradient at the baseline"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x.norm() - b.norm()) / (f(x) - f(b)).abs(), "subtracted two norms"),
    ("02.3", lambda f, x, b: slope(f, x).abs().max() * (x - b).norm() / (f(x) - f(b)).abs(), "what is asked for"),
    ("02.3", lambda f, x, b: scale_free(f, x, b) / 3, "Everywhere it is 0.333 times"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / (1 + (f(x) - f(b)).abs()), "what is asked for"),
    ("02.3", lambda f, x, b: slope(f, x).norm() * (x - b).norm() / (f(x).abs() - f(b).abs()).abs(), "asked for"),
    ("02.3", lambda f, x, b: slope(f, x).abs() * (x - b).norm() / (f(x) - f(b)).abs(), "one number is wanted"),
    ("02.4", lambda f, x, b: first(f(line(x, b)) >= 0.9 * f(x)), "nine tenths of F(x)"),
    ("02.4", lambda f, x, b: first(f(line(x, b)) - f(b) > 0.9 * (f(x) - f(b))), "That holds where F rises"),
    ("02.4", lambda f, x, b: first(made(f, x, b, line(x, b)).abs() > 0.9), "in the wrong direction"),
    ("02.4", lambda f, x, b: (made(f, x, b, line(x, b)) > 0.9).int().argmax(), "That is an index"),
    ("02.4", lambda f, x, b: first(made(f, x, b, alphas_of() * x) > 0.9), "Your path starts at 0"),
    ("02.4", lambda f, x, b: first(made(f, x, b, b + alphas_of() * x) > 0.9), "which ends beyond x"),
    ("02.4", lambda f, x, b: first(made(f, x, b, line(b, x)) > 0.9), "runs backwards"),
    ("02.4", lambda f, x, b: 1 - nearly_there(f, x, b), "You count from x"),
    ("02.4", lambda f, x, b: alphas_of()[made(f, x, b, line(x, b)) < 0.9].max(), "the first counts"),
    ("02.4", lambda f, x, b: first(made(f, x, b, line(x, b)) > 0.1), "There a tenth"),
    ("02.4", lambda f, x, b: nearly_there(f, x, b) - 0.01, "the last alpha before"),
    ("02.4", lambda f, x, b: first(made(f, x, b, line(x, b)) > 0.5), "what is asked for"),
    ("02.4", lambda f, x, b: (made(f, x, b, line(x, b)) < 0.9).double().mean(), "In some cases it is larger"),
    ("02.4", lambda f, x, b: first(made(f, x, b, line(x, b, 100)) > 0.9), "they are no hundredths"),
    ("02.4", lambda f, x, b: first(made(f, x, b, line(x, b))[:-1] > 0.9) * 0.99, "You left out alpha = 1"),
    ("02.4", lambda f, x, b: first(-(made(f, x, b, line(x, b)) - 0.9).abs() > -0.02), "what is asked for"),
    ("02.4", lambda f, x, b: first(f(line(x, b)) > 0.9 * f(line(x, b)).max()), "nine tenths of the highest F"),
    ("02.4", of_the_range, "nine tenths of F's range"),
    ("02.4", close_to_the_end, "You waited until F was close to F(x)"),
    ("02.4", lambda f, x, b: alphas_of()[(made(f, x, b, line(x, b)) - 0.9).abs().argmin()], "nearest to nine tenths"),
    ("02.4", lambda f, x, b: int((made(f, x, b, line(x, b)) < 0.9).sum()) / 100, "You counted alphas"),
    ("02.4", lambda f, x, b: np.searchsorted(made(f, x, b, line(x, b)).numpy(), 0.9) / 100, "A search by halves"),
    ("02.4", arrived_for_good, "From there on F stays"),
    ("02.4", lambda f, x, b: alphas_of()[made(f, x, b, line(x, b)) > 0.9], "one number is wanted"),
]
