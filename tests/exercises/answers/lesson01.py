"""Answers to lesson 01 as students write them."""

import numpy as np
import torch


def slope(f, x, chosen=None):
    x = x.detach().clone().requires_grad_()
    values = f(x) if chosen is None else f(x)[:, chosen]
    values.sum().backward()
    return x.grad


def finite_difference(f, x, feature, step):
    rows = x.repeat(2, 1)
    rows[0, feature] += step
    rows[1, feature] -= step
    right, left = f(rows)
    return float(right - left) / (2 * step)


def of_lists(f, x, feature, step):
    ends = []
    for sign in (1, -1):
        row = x[0].tolist()
        row[feature] += sign * step
        ends.append(f(torch.tensor([row]).to(x)).item())
    return np.array((ends[0] - ends[1]) / (2 * step))


def by_an_eye(f, x, feature, step):
    nudge = step * torch.eye(x.shape[1]).to(x)[feature]
    return (f(x + nudge) - f(x - nudge)) / step / 2


def twice_in_place(f, x, feature, step):
    up, down = x.clone(), x.clone()
    up[:, feature] += step
    down[:, feature] -= step
    return f(up)[0] / (2 * step) - f(down)[0] / (2 * step)


def nudged_for_good(f, x, feature, step):
    x[0, feature] += step
    right = f(x)
    x[0, feature] -= step
    return ((right - f(x)) / (2 * step))[0]


def put_back_by_steps(f, x, feature, step):
    x[0, feature] += step
    right = f(x)
    x[0, feature] -= 2 * step
    return (right - f(x)) / (2 * step)


def one_and_the_same(f, x, feature, step):
    up = down = x
    up[0, feature] += step
    down[0, feature] -= step
    return (f(up) - f(down)) / (2 * step)


def halved(f, x, feature, step):
    nudge = torch.zeros_like(x)
    nudge[0, feature] = step
    return ((f(x + nudge) - f(x - nudge)) / 2 * step)[0]


def all_at_once(f, x, feature, step):
    nudge = torch.full_like(x, step)
    return ((f(x + nudge) - f(x - nudge)) / (2 * step))[0]


def two_sided(f, x, feature, nudge, step):
    moved = nudge * torch.eye(3)[feature]
    return (f(x + moved) - f(x - moved)) / (2 * step)


def parabola(f, x, d, h):
    ahead, here, behind = f(torch.cat([x + h * d, x, x - h * d]))
    return (ahead - behind) / (2 * h), (ahead + behind - 2 * here) / (2 * h * h)


def trusted_step(f, x, d, h):
    a, b = parabola(f, x, d, h)
    return abs(float(a)) / (10 * abs(float(b)))


def by_polyfit(f, x, d, h):
    b, a, _ = np.polyfit([-h, 0, h], [f(x + t * d).item() for t in (-h, 0, h)], 2)
    return abs(a / b) / 10


def by_solving(f, x, d, h):
    t = torch.tensor([-h, 0.0, h]).double()
    _, a, b = torch.linalg.solve(torch.stack([t**0, t, t**2], dim=1), f(x + t[:, None] * d))
    return (a / b).abs() / 10


def by_parts(f, x, d, h):
    ahead, behind = f(x + h * d) - f(x), f(x - h * d) - f(x)
    odd, even = (ahead - behind) / 2, (ahead + behind) / 2
    return h * torch.sqrt((odd / even) ** 2) / 10


def middle_forgotten(f, x, d, h):
    ahead, behind = f(x + h * d), f(x - h * d)
    return 0.1 * ((ahead - behind) / (2 * h)).abs() / ((ahead + behind) / (2 * h**2)).abs()


def tried_out(f, x, d, h):
    a, b = parabola(f, x, d, h)
    tried = torch.arange(1, 10**5).double() / 10**4
    enough = (b * tried**2).abs() >= 0.1 * (a * tried + b * tried**2).abs()
    return tried[enough.int().argmax()]


def saliency_of_lead(f, x, leader, rival):
    jacobian = torch.func.jacrev(lambda row: f(row[None])[0])(x[0])
    return (jacobian[leader] - jacobian[rival]).abs()[None]


def by_a_mask(f, x, leader, rival):
    x = x.clone().requires_grad_()
    chosen = torch.zeros(3).double()
    chosen[leader], chosen[rival] = 1, -1
    (gradient,) = torch.autograd.grad(torch.einsum("nc,c->", f(x), chosen), x)
    return [[abs(number) for number in gradient[0].tolist()]]


def by_backward(f, x, leader, rival):
    x = x.clone().requires_grad_()
    logits = f(x)
    (logits[0, leader] - logits[0, rival]).backward()
    return torch.where(x.grad < 0, -x.grad, x.grad)


def accumulated(f, x, leader, rival):
    x = x.clone().requires_grad_()
    f(x)[0, leader].backward()
    f(x)[0, rival].backward()
    return x.grad.abs()


def by_autograd(lead):
    def answer(f, x, leader, rival):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(lead(f(x), leader, rival), x)[0].abs()

    return answer


def lead_of(f, x, a, b):
    return slope(f, x, a) - slope(f, x, b)


RIGHT = {
    "01.1": [finite_difference, of_lists, by_an_eye, twice_in_place],
    "01.4": [trusted_step, by_polyfit, by_solving, by_parts],
    "01.5": [
        saliency_of_lead,
        by_a_mask,
        by_backward,
        lambda f, x, a, b: np.abs(slope(f, x, a).numpy() - slope(f, x, b).numpy()),
    ],
}
WRONG = [
    ("01.1", halved, "multiplied by the step. Mind the brackets"),
    ("01.1", all_at_once, "every feature at once"),
    ("01.1", lambda f, x, i, h: slope(f, x)[0, i], "That is the gradient itself"),
    ("01.1", nudged_for_good, "points are one step apart"),
    ("01.1", put_back_by_steps, "overwrites what it was given"),
    ("01.1", one_and_the_same, "compared F with itself"),
    ("01.1", lambda f, x, i, h: 2 * finite_difference(f, x, i, h), "two steps apart"),
    ("01.1", lambda f, x, i, h: -finite_difference(f, x, i, h), "right minus left"),
    ("01.1", lambda f, x, i, h: abs(finite_difference(f, x, i, h)), "You took the absolute value"),
    ("01.1", lambda f, x, i, h: finite_difference(f, x, i, h) * 2 * h, "divided by the distance"),
    ("01.1", lambda f, x, i, h: (f(x + h * torch.eye(3)[i]) - f(x)) / h, "one side only"),
    ("01.1", lambda f, x, i, h: (f(x) - f(x - h * torch.eye(3)[i])) / h, "left side only"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i, h / 2, h), "half a step to either side"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i - 1, h, h), "what is asked for"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i, 1, h), "Your step is 1, though"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i, 1, 1), "Your step is 1, not"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i, h / 2, h / 2), "Go a whole step to either side"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i, h * x[0, i], h), "what is asked for"),
    ("01.1", lambda f, x, i, h: two_sided(f, x, i, 0.01, 0.01), "what is asked for"),
    ("01.1", lambda f, x, i, h: (f(x + h * torch.eye(3)[i]) + f(x - h * torch.eye(3)[i])) / 2 / h, "You added the two"),
    ("01.4", lambda f, x, d, h: trusted_step(f, x, d, h) / 2, "second derivative"),
    ("01.4", lambda f, x, d, h: 0.01 / trusted_step(f, x, d, h), "upside down"),
    ("01.4", lambda f, x, d, h: 10 * trusted_step(f, x, d, h), "as large as the whole promise"),
    ("01.4", lambda f, x, d, h: torch.divide(*parabola(f, x, d, h)) / 10, "may be negative"),
    ("01.4", lambda f, x, d, h: trusted_step(f, x, d, h) / h, "counts steps of h"),
    ("01.4", lambda f, x, d, h: abs((f(x + h * d) - f(x)) / h / parabola(f, x, d, h)[1]) / 10, "one side only"),
    ("01.4", lambda f, x, d, h: 0.1 * abs((slope(f, x) * d).sum() / parabola(f, x, d, h)[1]), "F is a box"),
    ("01.4", lambda f, x, d, h: 2 * trusted_step(f, x, d, h), "2 h apart"),
    ("01.4", lambda f, x, d, h: trusted_step(f, x, d, h) * d.norm(), "multiplied by the length of d"),
    ("01.4", lambda f, x, d, h: trusted_step(f, x, d, h) ** 0.5, "no square root"),
    ("01.4", lambda f, x, d, h: 10 * abs(float(torch.divide(*parabola(f, x, d, h)))), "ten times the promise"),
    ("01.4", lambda f, x, d, h: abs(float(torch.divide(*parabola(f, x, d, h)))) / 9, "not of the whole change"),
    ("01.4", middle_forgotten, "contain 2 F(x)"),
    ("01.4", tried_out, "what is asked for"),
    ("01.4", lambda f, x, d, h: h / 10 / trusted_step(f, x, d, h), "what is asked for"),
    ("01.4", lambda f, x, d, h: trusted_step(f, x, d, h) * d, "one number is wanted"),
    ("01.5", lead_of, "with its sign"),
    ("01.5", lambda f, x, a, b: slope(f, x, a).abs() - slope(f, x, b).abs(), "one saliency from the other"),
    ("01.5", lambda f, x, a, b: (slope(f, x, a).abs() - slope(f, x, b).abs()).abs(), "compared two saliencies"),
    ("01.5", lambda f, x, a, b: slope(f, x, a).abs() + slope(f, x, b).abs(), "added up two saliencies"),
    ("01.5", lambda f, x, a, b: slope(f, x, a).abs(), "the leader alone"),
    ("01.5", lambda f, x, a, b: slope(f, x, b).abs(), "the rival alone"),
    ("01.5", lambda f, x, a, b: slope(f, x).abs(), "the logits of all classes"),
    ("01.5", accumulated, "or their gradients"),
    ("01.5", by_autograd(lambda z, a, b: z.softmax(1)[0, a] - z.softmax(1)[0, b]), "Leave the softmax out"),
    ("01.5", by_autograd(lambda z, a, b: z[0, a] / z[0, b]), "the right sum"),
    ("01.5", by_autograd(lambda z, a, b: z[a] - z[b]), "your code stopped with"),
    ("01.5", lambda f, x, a, b: abs(lead_of(f, x, a, b) * x), "multiplied by the input"),
    ("01.5", lambda f, x, a, b: lead_of(f, x, a, b) ** 2, "squared"),
    ("01.5", lambda f, x, a, b: lead_of(f, x, a, b).abs() / lead_of(f, x, a, b).abs().amax(), "maximum of 1"),
    ("01.5", lambda f, x, a, b: lead_of(f, x, a, b).clamp(min=0), "numbers"),
    ("01.5", lambda f, x, a, b: lead_of(f, x, a, b).abs().sum(), "a tensor of shape (1, 3) is wanted"),
    ("01.5", lambda f, x, a, b: lead_of(f, x, a, b).abs()[0], "yours has shape (3,)"),
]
