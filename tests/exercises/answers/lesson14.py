"""Answers to lesson 14 as students write them."""

import numpy as np
import torch

import igteach


def read_out(logits, lengths, target):
    return torch.stack([series[int(length) - 1, target] for series, length in zip(logits, lengths, strict=True)])


def read_by_index(logits, lengths, target):
    return logits[range(len(logits)), lengths - 1, target]


def read_by_numpy(logits, lengths, target):
    return logits.numpy()[np.arange(len(logits)), lengths.numpy() - 1, target].astype(np.float64)


def read_by_gather(logits, lengths, target):
    return list(logits[..., target].gather(1, (lengths - 1)[:, None])[:, 0])


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


def both_at_once(f, first, second, first_start, second_start, steps):
    return moved(f, first, second, first_start, second_start, steps, middles(steps))


def both_by_torch_func(f, first, second, first_start, second_start, steps):
    alphas, far, wide = middles(steps)[:, None], first - first_start, second - second_start
    slopes = torch.func.grad(lambda p, q: f(p, q).sum(), argnums=(0, 1))
    g, h = slopes(first_start + alphas * far, second_start + alphas * wide)
    return torch.stack([torch.einsum("nf,f->", g, far[0]), torch.einsum("nf,f->", h, wide[0])]) / steps


def both_side_by_side(f, first, second, first_start, second_start, steps):
    width, x = first.shape[1], torch.cat([first, second], 1)
    start = torch.cat([first_start, second_start], 1)
    points = (start + middles(steps)[:, None] * (x - start)).requires_grad_()
    (slopes,) = torch.autograd.grad(f(points[:, :width], points[:, width:]).sum(), points)
    shares = (slopes.mean(0) * (x - start)[0]).numpy()
    return [shares[:width].sum(), shares[width:].sum()]


def unexplained(f, x, baseline, stretches):
    gaps = []
    for k in range(stretches):
        low, middle, high = (baseline + alpha / stretches * (x - baseline) for alpha in (k, k + 0.5, k + 1))
        middle = middle.clone().requires_grad_()
        f(middle).sum().backward()
        gaps.append(float(f(high) - f(low)) - float((middle.grad * (x - baseline)).sum()) / stretches)
    return gaps


def unexplained_by_diff(f, x, baseline, stretches):
    ends = torch.linspace(0, 1, stretches + 1)[:, None]
    slopes = igteach.gradient(f, baseline + middles(stretches)[:, None] * (x - baseline)).values
    return f(baseline + ends * (x - baseline)).diff() - (slopes * (x - baseline)).sum(1) / stretches


def unexplained_by_numpy(f, x, baseline, stretches):
    heights = f(torch.lerp(baseline, x, torch.linspace(0, 1, stretches + 1)[:, None].to(x))).numpy()
    slopes = igteach.gradient(f, torch.lerp(baseline, x, middles(stretches)[:, None])).values.numpy()
    return np.diff(heights) - slopes @ ((x - baseline)[0].numpy() / stretches)


def unexplained_by_jvp(f, x, baseline, stretches):
    def along(alphas):
        return f(baseline + alphas[:, None] * (x - baseline))

    middle = middles(stretches)
    _, rise = torch.func.jvp(along, (middle,), (torch.ones_like(middle),))
    heights = along(torch.linspace(0, 1, stretches + 1))
    return heights[1:] - heights[:-1] - rise / stretches


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


def diagnose_in_a_list(again, residuals, gaps):
    r, g = np.abs(residuals.numpy()), np.abs(gaps.numpy())
    rules = [
        (again >= 0.05, "chance"),
        (r[-1] < 0.05, "nothing"),
        (r[-1] < 0.5 * r[0], "steps"),
        (g.sum() < 0.05, "count"),
        (g.max() > 0.5 * g.sum(), "jump"),
    ]
    return next((word for applies, word in rules if applies), "slopes")


def diagnose_nested(again, residuals, gaps):
    r, g = residuals.abs(), gaps.abs()
    if again < 0.05:
        if r[2] >= 0.05:
            if r[2] >= r[0] / 2:
                if g.sum() >= 0.05:
                    return "jump" if bool((g > g.sum() / 2).any()) else "slopes"
                return "count"
            return "steps"
        return "nothing"
    return "chance"


def diagnose_by_any(again, residuals, gaps):
    few, _, most = [abs(each) for each in residuals.tolist()]
    sizes = [abs(gap) for gap in gaps.tolist()]
    path = "jump" if any(size > sum(sizes) - size for size in sizes) else "slopes"
    path = "count" if sum(sizes) < 0.05 else path
    answer = "steps" if most < few / 2 else path
    answer = "nothing" if most < 0.05 else answer
    return "chance" if again >= 0.05 else answer


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


def per_feature(f, a, b, a0, b0, n):
    p, q = a0 + middles(n)[:, None] * (a - a0), b0 + middles(n)[:, None] * (b - b0)
    g, h = torch.autograd.grad(f(p.requires_grad_(), q.requires_grad_()).sum(), (p, q))
    return (g.mean(0) * (a - a0)[0]), (h.mean(0) * (b - b0)[0])


def both_ends(f, a, b, a0, b0, n):
    return moved(f, a, b, a0, b0, n, torch.linspace(0, 1, n).double())


def residuals_first(again, residuals, gaps):
    return "nothing" if residuals[2].abs() < 0.05 else diagnose(again, residuals, gaps)


def steps_before_nothing(again, residuals, gaps):
    shrinks = again < 0.05 and residuals[2].abs() < residuals[0].abs() / 2
    return "steps" if shrinks else diagnose(again, residuals, gaps)


def sum_before_abs(again, residuals, gaps):
    word, total = diagnose(again, residuals, gaps), gaps.sum().abs()
    if word in ("chance", "nothing", "steps"):
        return word
    if total < 0.05:
        return "count"
    return "jump" if gaps.abs().max() > total / 2 else "slopes"


def largest_gap(again, residuals, gaps):
    word = diagnose(again, residuals, gaps)
    return "count" if word in ("jump", "slopes") and gaps.abs().max() < 0.05 else word


def path_only(gaps):
    return "jump" if gaps.abs().max() > gaps.abs().sum() / 2 else "slopes"


def nothing_or_steps(again, residuals, gaps, size):
    """What `diagnose` says where another residual is asked for "nothing"."""
    if again >= 0.05:
        return "chance"
    if abs(size) < 0.05:
        return "nothing"
    return "steps" if abs(residuals[2]) < abs(residuals[0]) / 2 else diagnose(0.0, torch.ones(3), gaps)


def upside_down(again, residuals, gaps):
    few, _, most = residuals.abs()
    if again >= 0.05 or most < 0.05:
        return diagnose(again, residuals, gaps)
    return "steps" if few / most < 0.5 else diagnose(0.0, torch.ones(3), gaps)


def jump_first(again, residuals, gaps):
    word = diagnose(again, residuals, gaps)
    return "jump" if word == "count" and path_only(gaps) == "jump" else word


def largest_with_sign(again, residuals, gaps):
    word = diagnose(again, residuals, gaps)
    if word != "jump":
        return word
    return "jump" if max(gaps) > gaps.abs().sum() / 2 else "slopes"


def no_count(again, residuals, gaps):
    word = diagnose(again, residuals, gaps)
    return path_only(gaps) if word == "count" else word


def swapped(again, residuals, gaps):
    word = diagnose(again, residuals, gaps)
    return {"jump": "slopes", "slopes": "jump"}.get(word, word)


def twice_the_mean(again, residuals, gaps):
    word = diagnose(again, residuals, gaps)
    return "jump" if word == "slopes" and gaps.abs().max() > 2 * gaps.abs().mean() else word


RIGHT = {
    "14.1": [read_out, read_by_index, read_by_numpy, read_by_gather],
    "14.2": [two_inputs, both_at_once, both_by_torch_func, both_side_by_side],
    "14.3": [unexplained, unexplained_by_diff, unexplained_by_numpy, unexplained_by_jvp],
    "14.4": [diagnose, diagnose_in_a_list, diagnose_nested, diagnose_by_any],
}
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
    ("14.1", lambda z, n, t: z[:, n.min() - 1, t], "length of the shortest"),
    ("14.1", lambda z, n, t: z[:, n[0] - 1, t], "length of the first"),
    ("14.1", lambda z, n, t: z[range(len(z)), -n, t], "counted from the end"),
    ("14.1", lambda z, n, t: [float(s[:k, t].sum()) for s, k in zip(z, n, strict=True)], "added up the steps"),
    ("14.1", lambda z, n, t: z[range(len(z)), n - 1].max(1).values, "whichever class"),
    ("14.1", lambda z, n, t: z[:, n - 1, t], "one step of each"),
    ("14.1", lambda z, n, t: z[range(len(z)), n - 1, 0], "times the right sum"),
    ("14.2", lambda *a: [each.abs().sum() for each in per_feature(*a)], "over the features"),
    ("14.2", lambda *a: [each.mean() for each in per_feature(*a)], "mean over the features"),
    ("14.2", both_ends, "both ends included"),
    ("14.2", lambda *a: moved(*a, middles(a[-1])).sum(), "one number for both"),
    ("14.2", lambda *a: torch.cat(per_feature(*a)), "Add up those of each input"),
    ("14.3", lambda f, x, b, n: unexplained(f, x, b, n)[::-1], "runs from x to the baseline"),
    ("14.3", lambda f, x, b, n: unexplained(f, b, x, n), "walked from x"),
    ("14.3", lambda f, x, b, n: torch.tensor(unexplained(f, x, b, n)) / (f(x) - f(b)).abs(), "divided by the change"),
    ("14.3", lambda f, x, b, n: unexplained(f, x, 0 * b, n), "path begins at zero"),
    ("14.3", lambda f, x, b, n: unexplained(f, x, b, n - 1), "one stretch fewer"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, a0, b0, n, middles(50)), "ignore `steps`"),
    ("14.2", lambda f, a, b, a0, b0, n: moved(f, a, b, a0, b0, n, middles(100)), "ignore `steps`"),
    ("14.4", lambda a, r, g: nothing_or_steps(a, r, g, r.abs().max()), "the largest residual"),
    ("14.4", lambda a, r, g: nothing_or_steps(a, r, g, r[0]), "Use the one with the most"),
    ("14.4", upside_down, "upside down"),
    ("14.4", jump_first, "whether the gaps count"),
    ("14.4", largest_with_sign, "F may jump down"),
    ("14.4", residuals_first, "looked at the residuals before"),
    ("14.4", steps_before_nothing, "whether it counts at all"),
    ("14.4", lambda a, r, g: diagnose(a, r * torch.tensor([2.0, 1.0, 1.0]), g), "Less is not enough"),
    ("14.4", lambda a, r, g: diagnose(a, r[[1, 1, 2]], g), "the one before"),
    ("14.4", largest_gap, "Many small ones add up"),
    ("14.4", lambda a, r, g: diagnose(1.0 if a > 0 else 0.0, r, g), "count as the same"),
    ("14.4", no_count, "the fourth question"),
    ("14.4", swapped, "swapped the last two"),
    ("14.4", twice_the_mean, "twice the mean"),
    ("14.4", sum_before_abs, "cancel if you add them up first"),
    ("14.4", lambda a, r, g: diagnose(a, r, g).capitalize(), "in small letters"),
    ("14.4", lambda a, r, g: "steps", "yours is 'steps' for"),
]
