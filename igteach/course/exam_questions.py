"""Exam questions on paper, whose numbers are drawn: each has its answer by hand, and by the package."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import torch
from sklearn.tree import DecisionTreeRegressor
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.functions import Function
from igteach.core.quadrature import nodes_and_weights
from igteach.evaluate.masks import relevance_mass
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients, path_gradients
from igteach.methods.shapley import shapley_values
from igteach.methods.trees import tree_integrated_gradients


@dataclass(frozen=True, eq=False)
class ExamQuestion:
    """A question, and its answer twice.

    Attributes:
        lesson: the lesson that taught it, such as "04".
        text: what is asked, with the numbers drawn.
        answer: the way to it, in a few sentences.
        by_hand: the numbers asked for, from a closed form.
        by_package: the same numbers, as the package finds them.
        points: one for each number, and one for each thing to be said in words.
    """

    lesson: str
    text: str
    answer: str
    by_hand: tuple[float, ...]
    by_package: tuple[float, ...]
    points: int


def draw_questions(seed: int) -> list[ExamQuestion]:
    """Draw an exam.

    Args:
        seed: another seed, other numbers.

    Returns:
        One question of each kind, in the order of the lessons.

    Example:
        >>> [question.lesson for question in draw_questions(0)]
        ['02', '03', '04', '04', '05', '05', '06', '08', '11', '11', '12']
    """
    return [kind(Random(f"{seed} {kind.__name__}")) for kind in KINDS]


def _saturated(draw: Random) -> ExamQuestion:
    stop = draw.randint(2, 5)
    x = stop + draw.randint(1, 4)
    f = _of_columns(lambda x1: x1.clamp(max=stop))
    here, start = _row([x]), _row([0])
    return ExamQuestion(
        "02",
        f"F(x) = min(x, {stop}), x = {x}, x' = 0. Give the gradient at x, and the share of x by Integrated Gradients. "
        "Say in one sentence why they differ.",
        f"F is flat beyond {stop}: the gradient at x is 0. On the path it is 1 until x passes {stop}, so the share is "
        f"{stop}, all of F(x) - F(x'). The gradient sees a nudge at the end, the share the whole path.",
        (0.0, float(stop)),
        (*_values(gradient(f, here)), *_values(integrated_gradients(f, here, start, tolerance=1e-3))),
        3,
    )


def _two_baselines(draw: Random) -> ExamQuestion:
    weights = [draw.choice([-3, -2, 2, 3]) for _ in range(2)]
    x = [draw.randint(3, 6) for _ in range(2)]
    mean = [each - draw.choice([-2, -1, 1, 2]) for each in x]
    f = _of_columns(lambda x1, x2: weights[0] * x1 + weights[1] * x2)
    by_hand, by_package = [], []
    for baseline in ([0, 0], mean):
        by_hand += [float(w * (a - b)) for w, a, b in zip(weights, x, baseline, strict=True)]
        by_package += _values(integrated_gradients(f, _row(x), _row(baseline)))
    return ExamQuestion(
        "03",
        f"F(x1, x2) = {weights[0]} x1 {_signed(weights[1])} x2 at x = {_point(x)}. Give both shares, first from x' = "
        f"(0, 0), then from the average input, x' = {_point(mean)}. Is either wrong? Say what each of them answers.",
        f"F is linear, so a share is the weight times (x - x'): {_list(by_hand[:2])} from zero, {_list(by_hand[2:])} "
        "from the average. The first says how the input differs from none at all, the second how it differs from what "
        "usually comes. Neither is wrong; they are answers to two questions.",
        tuple(by_hand),
        tuple(by_package),
        5,
    )


def _monomial(draw: Random) -> ExamQuestion:
    power, scale, slope = draw.randint(2, 4), draw.randint(2, 3), draw.choice([-3, -2, 2, 3])
    x = [draw.randint(1, 2), draw.randint(1, 3), draw.randint(1, 4)]
    f = _of_columns(lambda x1, x2, x3: scale * x1**power * x2 + slope * x3)
    product = scale * x[0] ** power * x[1]
    by_hand = (product * power / (power + 1), product / (power + 1), float(slope * x[2]))
    return ExamQuestion(
        "04",
        f"F(x1, x2, x3) = {scale} x1^{power} x2 {_signed(slope)} x3 at x = {_point(x)}, x' = 0. Give the three shares "
        "by Integrated Gradients.",
        f"Along the straight path x1^{power} x2 grows with alpha^{power + 1}. Its derivative along x1, times x1, is "
        f"{power} times as large as that along x2, times x2, at every alpha: {product} is distributed {power} to 1. x3 "
        f"enters linearly. The shares are {_list(by_hand)}.",
        by_hand,
        tuple(_values(integrated_gradients(f, _row(x), torch.zeros(1, 3), tolerance=1e-3))),
        3,
    )


def _other_path(draw: Random) -> ExamQuestion:
    scale, x = draw.randint(2, 5), [draw.randint(1, 4), draw.randint(1, 4)]
    f = _of_columns(lambda x1, x2: scale * x1 * x2)
    corners = torch.tensor([[[0.0, 0.0]], [[float(x[0]), 0.0]], [[float(x[0]), float(x[1])]]])
    total = float(scale * x[0] * x[1])
    return ExamQuestion(
        "04",
        f"F(x1, x2) = {scale} x1 x2 at x = {_point(x)}, x' = (0, 0). Give the shares on the straight path, and on the "
        "path on which x1 moves first, then x2. What do the two answers have in common?",
        f"Straight: half of {total:g} each. While x1 moves, x2 is 0 and F stays 0, so on the other path x2 gets all of "
        f"it: (0, {total:g}). Both add up to F(x) - F(x'), as on any path.",
        (total / 2, total / 2, 0.0, total),
        (
            *_values(integrated_gradients(f, _row(x), torch.zeros(1, 2))),
            *_values(path_gradients(f, corners, steps=64)),
        ),
        5,
    )


def _left_sum(draw: Random) -> ExamQuestion:
    steps, x = draw.choice([4, 5, 8, 10]), draw.randint(1, 3)
    total = x**2
    left = sum(2 * x * k / steps for k in range(steps)) * x / steps
    f, ends = _of_columns(torch.square), (_row([x]), _row([0]))
    by_rule = integrated_gradients(f, *ends, steps=steps, rule="left")
    found = _values(by_rule)[0]
    return ExamQuestion(
        "05",
        f"F(x) = x^2 at x = {x}, x' = 0, with {steps} gradients at alpha = 0, 1/{steps}, ..., {steps - 1}/{steps}. "
        "What is the share, and the residual as a fraction of F(x) - F(x')? What would the midpoints give?",
        f"The gradient at alpha is 2 alpha {x}. The mean of the {steps} alphas is {(steps - 1) / (2 * steps):.4g}, not "
        f"1/2: the share is {left:.4g} of {total}, and the residual is {-1 / steps:.4g} of it. The gradient is linear "
        f"in alpha, so midpoints give {total} exactly.",
        (left, -1 / steps, float(total)),
        (found, found / total - 1, *_values(integrated_gradients(f, *ends, steps=steps))),
        3,
    )


def _gradient_in_x(f: Function, alphas: Tensor, x: Tensor) -> Tensor:
    """(1, features), the mean over alphas of the gradient of F(alpha x) with respect to x."""
    x = x.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(f(alphas[:, None] * x).mean(), x)
    return slopes


@dataclass(frozen=True)
class Bug:
    """A mistake in Integrated Gradients from x' = 0, and what becomes of a linear F.

    Attributes:
        fraction: of F(x) - F(x') that n steps add up to.
        run: what the code with the mistake in it adds up to, of F, x (1, features) and n.
    """

    fraction: Callable[[int], float]
    run: Callable[[Function, Tensor, int], Tensor]


def _gradients(f: Function, alphas: Tensor, x: Tensor) -> Tensor:
    """(n, features), at the points of the straight path from 0."""
    points = (alphas[:, None] * x).requires_grad_()
    return torch.autograd.grad(f(points).sum(), points)[0]


def _midpoints(n: int) -> Tensor:
    return nodes_and_weights("midpoint", n)[0].float()


def _ends_halved(n: int) -> Tensor:
    weights = torch.ones(n, 1)
    weights[0] = weights[-1] = 0.5
    return weights


BUGS = {
    "alpha was applied twice: the gradient of F(x' + alpha (x - x')) with respect to x already has one": Bug(
        lambda n: 0.5, lambda f, x, n: (_gradient_in_x(f, _midpoints(n), x) * x).sum()
    ),
    "the gradients were added up, and not divided by their number": Bug(
        lambda n: n, lambda f, x, n: (_gradients(f, _midpoints(n), x).sum(0) * x).sum()
    ),
    "n points with both ends, and the weights 1/n at all but 1/(2n) at the ends: they sum to (n - 1)/n": Bug(
        lambda n: (n - 1) / n,
        lambda f, x, n: (_gradients(f, torch.linspace(0, 1, n), x) * _ends_halved(n) / n * x).sum(),
    ),
    "n + 1 points, divided by n": Bug(
        lambda n: (n + 1) / n, lambda f, x, n: (_gradients(f, torch.linspace(0, 1, n + 1), x) / n * x).sum()
    ),
    "x' - x was used in place of x - x'": Bug(
        lambda n: -1.0, lambda f, x, n: (_gradients(f, _midpoints(n), x).mean(0) * -x).sum()
    ),
}


def _symptom(draw: Random) -> ExamQuestion:
    total, words = draw.choice([2, 5, 8]), draw.choice(list(BUGS))
    counts, bug = [5, 10, 20], BUGS[words]
    f = _of_columns(lambda x1, x2: x1 + (total - 1) * x2)
    sums = [bug.run(f, torch.ones(1, 2), n).item() for n in counts]
    said = ", ".join(f"{each:g} with n = {n}" for n, each in zip(counts, sums, strict=True))
    fractions = tuple(bug.fraction(n) for n in counts)
    return ExamQuestion(
        "05",
        f"F is linear, and F(x) - F(x') = {total}. A colleague's Integrated Gradients adds up to {said}. Give each "
        "sum as a fraction of what it should be, name the most likely mistake, and say how to mend it.",
        f"The fractions are {_list(fractions)}: {words}.",
        fractions,
        tuple(each / total for each in sums),
        5,
    )


def _two_networks(draw: Random) -> ExamQuestion:
    c, x2 = draw.randint(1, 3), draw.randint(1, 3)
    x1 = x2 + c + draw.randint(1, 4)
    f = _of_columns(lambda a, b: (a.relu() - c - b.relu()).relu())
    g = _of_columns(lambda a, b: ((a - c).relu() - b.relu()).relu())
    factor = (x1 - x2 - c) / (x1 - x2)
    by_hand = (x1 * factor, -x2 * factor)
    found = [_values(integrated_gradients(each, _row([x1, x2]), torch.zeros(1, 2), tolerance=1e-3)) for each in (f, g)]
    return ExamQuestion(
        "06",
        f"f = ReLU(ReLU(x1) - {c} - ReLU(x2)) and g = ReLU(ReLU(x1 - {c}) - ReLU(x2)) are equal everywhere. Give the "
        f"shares of both at x = ({x1}, {x2}), x' = (0, 0), by Integrated Gradients. Which axiom is this, and name a "
        "method that breaks it.",
        f"On the path the output is 0 until alpha = {c}/{x1 - x2}, and then rises with slopes 1 and -1: each share is "
        f"(x - x') times {factor:.4g}, times -1 for x2: {_list(by_hand)}, for f as for g. Implementation invariance; "
        "DeepLIFT, for one, gives other shares on g.",
        by_hand * 2,
        (*found[0], *found[1]),
        6,
    )


def _probability(draw: Random) -> ExamQuestion:
    weights = [draw.choice([-2, 2]), 3]
    x = [draw.randint(1, 2), draw.randint(1, 2)]
    logit = sum(w * each for w, each in zip(weights, x, strict=True))
    probability = 1 / (1 + math.exp(-logit))
    factor = (probability - 0.5) / logit
    by_hand = tuple(w * each * factor for w, each in zip(weights, x, strict=True))
    f = _of_columns(lambda x1, x2: (weights[0] * x1 + weights[1] * x2).sigmoid())
    return ExamQuestion(
        "08",
        f"The logit of a network is z = {weights[0]} x1 + 3 x2, its probability sigmoid(z). At x = {_point(x)}, x' = "
        f"(0, 0), sigmoid(z(x)) = {probability:.4f}. Give the shares of the logit and of the probability. What is the "
        "same, and what differs?",
        f"The logit is linear: {_list([w * each for w, each in zip(weights, x, strict=True)])}. On the path the "
        f"gradient of the probability is that of the logit times the same number for both: the shares keep their ratio "
        f"and add up to {probability:.4f} - 0.5: {_list(by_hand)}.",
        (*(float(w * each) for w, each in zip(weights, x, strict=True)), *by_hand),
        (
            *_values(
                integrated_gradients(_of_columns(lambda x1, x2: weights[0] * x1 + 3 * x2), _row(x), torch.zeros(1, 2))
            ),
            *_values(integrated_gradients(f, _row(x), torch.zeros(1, 2), tolerance=1e-3)),
        ),
        5,
    )


def _smaller_of_two(draw: Random) -> ExamQuestion:
    low = draw.randint(1, 4)
    x = [low, low + draw.randint(1, 4)]
    f = _of_columns(lambda x1, x2: torch.minimum(x1, x2))
    return ExamQuestion(
        "11",
        f"F(x1, x2) = min(x1, x2) at x = {_point(x)}, x' = (0, 0). Give the shares by Integrated Gradients and the "
        "Shapley values. Why do they differ, though both add up?",
        f"On the straight path x1 is the smaller one throughout, and gets everything: ({low}, 0). Whichever moves last "
        f"makes the whole change, so over both orders each gets half: ({low / 2:g}, {low / 2:g}). They walk other "
        "paths.",
        (float(low), 0.0, low / 2, low / 2),
        (
            *_values(integrated_gradients(f, _row(x), torch.zeros(1, 2))),
            *_values(shapley_values(f, _row(x), torch.zeros(1, 2))),
        ),
        5,
    )


def _tree(draw: Random) -> ExamQuestion:
    x = [draw.randint(4, 9), draw.randint(4, 9)]
    first, second = map(float, draw.sample([1, 2, 3], 2))
    if first * x[1] == second * x[0]:
        second += 0.5  # the path would cross both splits at once
    neither, one, both = draw.sample(range(10), 3)
    crosses_first = first / x[0] < second / x[1]
    by_hand = (one - neither, both - one) if crosses_first else (both - neither, 0)
    places = [[first + left, second + low] for left in (-0.25, 0.25) for low in (-0.25, 0.25)]
    model = DecisionTreeRegressor(random_state=0).fit(places, [neither, neither, one, both])
    return ExamQuestion(
        "11",
        f"A tree: if x1 > {first:g}, then ({both} if x2 > {second:g} else {one}), else {neither}. x = {_point(x)}, "
        "x' = (0, 0). Give the shares of x1 and x2 by Integrated Gradients.",
        f"x1 crosses its split at alpha = {first:g}/{x[0]}, x2 at {second:g}/{x[1]}. Each jump of F belongs to the "
        f"feature that crosses: {_list(by_hand)}.",
        tuple(float(each) for each in by_hand),
        tuple(_values(tree_integrated_gradients(model, _row(x), torch.zeros(1, 2)))),
        2,
    )


def _inside_the_mask(draw: Random) -> ExamQuestion:
    inside, outside = (
        [draw.choice([-4, 3, 5]), draw.choice([-2, 6])],
        [draw.choice([-3, 2]), 1, -1, draw.choice([2, 3])],
    )
    pixels, mask = _row([*inside, *outside]).view(1, 1, 2, 3), torch.tensor([[[True, True, False], [False] * 3]])
    fraction = sum(map(abs, inside)) / sum(map(abs, [*inside, *outside]))
    return ExamQuestion(
        "12",
        f"A map of six pixels has the shares {_list([*inside, *outside])}; the first two pixels are the object. Give "
        "the fraction of its strength that lies inside the mask, and what a map at random would have. What does the "
        "fraction not say?",
        f"Strength is |share|: {fraction:.4g}, against 2/6 at random. It does not say how strong the map is overall, "
        "nor whether the network uses the object: a map of edges may have as much.",
        (fraction, 1 / 3),
        (relevance_mass(pixels, mask).item(), relevance_mass(torch.ones_like(pixels), mask).item()),
        3,
    )


def _of_columns(function: Callable[..., Tensor]) -> Function:
    """F from a function of the features, each (N,)."""
    return lambda x: function(*x.unbind(1))


KINDS: tuple[Callable[[Random], ExamQuestion], ...] = (
    _saturated,
    _two_baselines,
    _monomial,
    _other_path,
    _left_sum,
    _symptom,
    _two_networks,
    _probability,
    _smaller_of_two,
    _tree,
    _inside_the_mask,
)


def _row(numbers: Sequence[float]) -> Tensor:
    return torch.tensor([[float(each) for each in numbers]])


def _values(answer: Attribution) -> list[float]:
    assert isinstance(answer.values, Tensor)
    return answer.values.flatten().tolist()


def _signed(number: int) -> str:
    """A number after a sign with spaces around it, as between two terms."""
    return f"{'-' if number < 0 else '+'} {abs(number)}"


def _point(numbers: Sequence[int]) -> str:
    return f"({', '.join(str(each) for each in numbers)})"


def _list(numbers: Sequence[float]) -> str:
    return ", ".join(f"{each:.4g}" for each in numbers)
