"""Lesson 07's solutions and mistakes.

A baseline's opinion, a step towards zero, the mean over many baselines, a choice.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import input_gradient
from igteach.methods.expected_gradients import expected_gradients
from igteach.methods.integrated_gradients import integrated_gradients

# Solutions


def opinion(f: Function, baseline: Tensor) -> Tensor:
    """Exercise 07.1: by how much the largest probability at a baseline exceeds an even share."""
    p = f(baseline)[0]
    return p.max() - 1 / len(p)


def step_to_zero(f: Function, x: Tensor) -> Tensor:
    """Exercise 07.2: where the linear estimate of F reaches zero by the shortest step from x."""
    slope = input_gradient(f, x)
    return x - f(x) * slope / slope.square().sum()


def expected_attribution(f: Function, x: Tensor, baselines: Tensor) -> Tensor:
    """Exercise 07.3: the mean of IG over several baselines, with 64 steps each."""
    copies = x.repeat(len(baselines), 1)
    return _ig(f, copies, baselines).mean(0, keepdim=True)


def choose_baseline(f: Function, x: Tensor, region: Tensor, candidates: Tensor, least: float) -> Tensor:
    """Exercise 07.5: the most neutral candidate that is far enough from x everywhere in the region."""
    return _most_neutral(f, candidates, _speaks(x, candidates, least)[:, region].all(dim=1))


# Helpers of the solutions and of the mistakes


def _ig(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return integrated_gradients(f, x, baseline, steps=64).values


def _opinions(f: Function, baselines: Tensor) -> Tensor:
    """The opinion of each of several baselines: (baselines,)."""
    p = f(baselines)
    return p.amax(dim=1) - 1 / p.shape[1]


def _speaks(x: Tensor, candidates: Tensor, least: float) -> Tensor:
    """Whether each feature is far enough away from its baseline: (candidates, features)."""
    return (candidates - x).abs() >= least


def _most_neutral(f: Function, candidates: Tensor, fit: Tensor) -> Tensor:
    """The fit candidate with the weakest opinion."""
    return candidates[_opinions(f, candidates).masked_fill(~fit, torch.inf).argmin()][None].clone()


def _chosen_by(fit_of: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 07.5 that goes by which features speak, (candidates, features), and by the region."""
    return lambda f, x, region, candidates, least: _most_neutral(
        f, candidates, fit_of(_speaks(x, candidates, least), region)
    )


def _first_by(rank_of: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An answer to 07.5: of the candidates that may speak in the region, the first by this rank."""

    def answer(f: Function, x: Tensor, region: Tensor, candidates: Tensor, least: float) -> Tensor:
        fit = _speaks(x, candidates, least)[:, region].all(dim=1)
        rank = rank_of(f, x, region, candidates).double()
        return candidates[rank.masked_fill(~fit, torch.inf).argmin()][None].clone()

    return answer


def _by_probabilities(rank_of: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 07.5 that fits, and goes by another rank of the probabilities, (candidates, classes)."""
    return _first_by(lambda f, x, region, candidates: rank_of(f(candidates)))


def _largest_over_candidates(f: Function, x: Tensor, region: Tensor, candidates: Tensor, least: float) -> Tensor:
    """The number of the class whose largest probability over the candidates is smallest, taken for a candidate."""
    fit = candidates[_speaks(x, candidates, least)[:, region].all(dim=1)]
    return fit[f(fit).amax(0).argmin()][None]


def _number_among_the_fit(f: Function, x: Tensor, region: Tensor, candidates: Tensor, least: float) -> Tensor:
    """The candidate whose number is that of the right one among those that are left."""
    fit = candidates[_speaks(x, candidates, least)[:, region].all(dim=1)]
    return candidates[_opinions(f, fit).argmin()][None]


def _own_average(f: Function, x: Tensor, baselines: Tensor) -> Tensor:
    """The mean gradient over all paths, times the mean displacement."""
    copies = x.repeat(len(baselines), 1)
    gradients = _ig(f, copies, baselines) / (x - baselines)
    return gradients.mean(0, keepdim=True) * (x - baselines).mean(0, keepdim=True)


def _halved_again(f: Function, x: Tensor, baselines: Tensor) -> Tensor:
    """A running mean of two, which forgets the first baselines."""
    total = _ig(f, x, baselines[:1])
    for each in baselines[1:]:
        total = (total + _ig(f, x, each[None])) / 2
    return total


def _step(rule: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """An answer to 07.2 that makes the new point of x, F(x) and the slope."""
    return lambda f, x: rule(x, f(x), input_gradient(f, x))


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["07.1"],
        solution=opinion,
        mistakes=[
            Mistake(
                "That is the largest probability. What would it be if the network had no opinion?",
                lambda f, b: f(b).max(),
            ),
            Mistake(
                "You looked at the smallest probability. Baselines betray themselves by what they say, so look at the "
                "largest.",
                lambda f, b: 1 / f(b).shape[1] - f(b).min(),
            ),
            Mistake(
                "You took the spread from smallest to largest; compare the largest with an even probability.",
                lambda f, b: f(b).max() - f(b).min(),
            ),
            Mistake(
                "You looked at class 0 only. A baseline may speak for any class.",
                lambda f, b: f(b)[0, 0] - 1 / f(b).shape[1],
            ),
            Mistake(
                "One half is even for two classes. How many columns are there?",
                lambda f, b: f(b).max() - 0.5,
            ),
            Mistake(
                "One tenth is even for ten classes. How many columns are there?",
                lambda f, b: f(b).max() - 0.1,
            ),
            Mistake(
                "You divided by an even probability. Subtract it.",
                lambda f, b: f(b).max() * f(b).shape[1],
            ),
            Mistake(
                "That is how far the network is from certain. How far is it from even?",
                lambda f, b: 1 - f(b).max(),
            ),
            Mistake(
                "f returns probabilities already, and a second softmax evens them out.",
                lambda f, b: f(b).softmax(1).max() - 1 / f(b).shape[1],
            ),
            Mistake(
                "You divided by the number of features. Count the classes.",
                lambda f, b: f(b).max() - 1 / b.shape[1],
            ),
            Mistake(
                "The length of f(baseline) is the number of rows, and there is one. Count the classes in the row.",
                lambda f, b: f(b).max() - 1,
            ),
            Mistake(
                "You took the number of the class (argmax). Its probability is wanted.",
                lambda f, b: f(b).argmax() - 1 / f(b).shape[1],
            ),
            Mistake(
                "The sign is flipped: the largest probability, minus an even one.",
                lambda f, b: 1 / f(b).shape[1] - f(b).max(),
            ),
            Mistake(
                "You took the largest distance from even, above or below. Take that of the largest probability.",
                lambda f, b: (f(b) - 1 / f(b).shape[1]).abs().max(),
            ),
            Mistake(
                "You added up all distances from even. Take that of the largest probability.",
                lambda f, b: (f(b) - 1 / f(b).shape[1]).abs().sum(),
            ),
            Mistake(
                "You compared the largest probability with the next. Compare it with an even one.",
                lambda f, b: f(b)[0].topk(2).values[0] - f(b)[0].topk(2).values[1],
            ),
            Mistake(
                "You asked about zeros. Ask about the baseline.",
                lambda f, b: opinion(f, torch.zeros_like(b)),
            ),
        ],
    ),
    Exercise(
        task=TASKS["07.2"],
        solution=step_to_zero,
        mistakes=[
            Mistake(
                "You went uphill: at your point a linear F is twice F(x).", lambda f, x: 2 * x - step_to_zero(f, x)
            ),
            Mistake("That is the step. The point it leads to is wanted.", lambda f, x: step_to_zero(f, x) - x),
            Mistake(
                "You divided by the length of the slope only once. Try F(x) = 10 x at x = 1: where do you land?",
                _step(lambda x, value, slope: x - value * slope / slope.norm()),
            ),
            Mistake(
                "Your step was F(x) times the slope. Try F(x) = 10 x at x = 1: where do you land?",
                _step(lambda x, value, slope: x - value * slope),
            ),
            Mistake(
                "You let every feature bring F to zero on its own; together they overshoot.",
                _step(lambda x, value, slope: x - value / slope),
            ),
            Mistake(
                "You moved every feature by the same amount. The shortest step, by a ruler, moves most where "
                "the slope is steepest.",
                _step(lambda x, value, slope: x - value * slope.sign() / slope.abs().sum()),
            ),
            Mistake(
                "You took the absolute value of F. Where F is negative, the way to zero is uphill.",
                _step(lambda x, value, slope: x - value.abs() * slope / slope.square().sum()),
            ),
            Mistake(
                "You forgot F(x): the larger it is, the longer the step.",
                _step(lambda x, value, slope: x - slope / slope.square().sum()),
            ),
            Mistake(
                "That is a step of gradient descent. How far to go depends on F(x) and on how steep F is.",
                _step(lambda x, value, slope: x - slope),
            ),
            Mistake(
                "Your step has length 1 wherever you are. How far to go depends on F(x) and on how steep F is.",
                _step(lambda x, value, slope: x - slope / slope.norm()),
            ),
            Mistake(
                "You added up the slope and squared the sum. Square first, then add up.",
                _step(lambda x, value, slope: x - value * slope / slope.sum().square()),
            ),
            Mistake(
                "You averaged the squares. Add them up.",
                _step(lambda x, value, slope: x - value * slope / slope.square().mean()),
            ),
            Mistake(
                "That is a fifth of the step, as in adversarial. A full one is asked for.",
                _step(lambda x, value, slope: x - value * slope / slope.square().sum() / 5),
            ),
            Mistake(
                "You moved along x. The shortest step goes along the slope.",
                _step(lambda x, value, slope: x - value * x / slope.square().sum()),
            ),
            Mistake(
                "You divided by the squared norm of x. That of the slope is wanted.",
                _step(lambda x, value, slope: x - value * slope / x.square().sum()),
            ),
            Mistake(
                "You went two steps. One is asked for.",
                lambda f, x: step_to_zero(f, step_to_zero(f, x)),
            ),
            Mistake(
                "Your step is one number, the same for every feature. In which direction does it go?",
                _step(lambda x, value, slope: x - value / slope.square().sum()),
            ),
            Mistake(
                "You took the slope at 0. Take it at x.",
                lambda f, x: x - f(x) * input_gradient(f, 0 * x) / input_gradient(f, 0 * x).square().sum(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["07.3"],
        solution=expected_attribution,
        mistakes=[
            Mistake(
                "You averaged the baselines and explained once. Explain against each, then average the explanations.",
                lambda f, x, bs: _ig(f, x, bs.mean(0, keepdim=True)),
            ),
            Mistake(
                "You added the explanations up; their sum explains F(x) - F(x') several times over.",
                lambda f, x, bs: len(bs) * expected_attribution(f, x, bs),
            ),
            Mistake(
                "Within the default tolerance that is right, but the check wants 64 steps: pass steps=64.",
                lambda f, x, bs: torch.cat([integrated_gradients(f, x, b[None]).values for b in bs]).mean(0)[None],
            ),
            Mistake("You used the first baseline only.", lambda f, x, bs: _ig(f, x, bs[:1])),
            Mistake("You used the last baseline only.", lambda f, x, bs: _ig(f, x, bs[-1:])),
            Mistake(
                "Input and baseline have changed places: the path leads from the baseline to x.",
                lambda f, x, bs: -expected_attribution(f, x, bs),
            ),
            Mistake(
                "You took the gradient at x only, not along the path.",
                lambda f, x, bs: input_gradient(f, x) * (x - bs).mean(0, keepdim=True),
            ),
            Mistake("You explained against zeros. Use the baselines.", lambda f, x, bs: _ig(f, x, torch.zeros_like(x))),
            Mistake(
                "You explained once, against the median of the baselines. Explain against each, then average.",
                lambda f, x, bs: _ig(f, x, bs.median(0, keepdim=True).values),
            ),
            Mistake(
                "You divided by the number of features. Divide by the number of baselines.",
                lambda f, x, bs: expected_attribution(f, x, bs) * len(bs) / x.shape[1],
            ),
            Mistake(
                "You averaged absolute values. Shares have signs, and where explanations disagree they cancel.",
                lambda f, x, bs: _ig(f, x.repeat(len(bs), 1), bs).abs().mean(0, keepdim=True),
            ),
            Mistake(
                "You divided by the number of baselines and counted only the first. Does your loop return too early?",
                lambda f, x, bs: _ig(f, x, bs[:1]) / len(bs),
            ),
            Mistake(
                "You left out the first baseline.",
                lambda f, x, bs: expected_attribution(f, x, bs[1:]),
            ),
            Mistake(
                "You halve again with each baseline, so the last one counts most. Add all up, then divide once.",
                _halved_again,
            ),
            Mistake(
                "You took one step a baseline; 64 are asked for.",
                lambda f, x, bs: integrated_gradients(f, x.repeat(len(bs), 1), bs, steps=1).values.mean(0)[None],
            ),
            Mistake(
                "That draws baselines and points at random. Explain against each baseline, in 64 steps.",
                lambda f, x, bs: expected_gradients(f, x, bs).values,
            ),
            Mistake(
                "You averaged the gradients and the displacements apart from each other. Multiply first, then average.",
                _own_average,
            ),
            Mistake(
                "You took the median of the explanations. Their mean is asked for.",
                lambda f, x, bs: _ig(f, x.repeat(len(bs), 1), bs).median(0, keepdim=True).values,
            ),
            Mistake(
                "Those are the explanations one by one. Average them.",
                lambda f, x, bs: _ig(f, x.repeat(len(bs), 1), bs),
            ),
        ],
    ),
    Exercise(
        task=TASKS["07.5"],
        solution=choose_baseline,
        mistakes=[
            Mistake(
                "That one is the most neutral, but features that you ask about equal it, and get nothing.",
                _chosen_by(lambda speaks, region: torch.ones(len(speaks), dtype=torch.bool)),
            ),
            Mistake(
                "You want every feature to speak. Outside the region nobody asks: a feature may be silent there.",
                _chosen_by(lambda speaks, region: speaks.all(1)),
            ),
            Mistake(
                "In yours some feature of the region can speak, and another cannot. All of them must.",
                _chosen_by(lambda speaks, region: speaks[:, region].any(1)),
            ),
            Mistake(
                "You looked outside the region. What you ask about is inside.",
                _chosen_by(lambda speaks, region: speaks[:, ~region].all(1)),
            ),
            Mistake(
                "In yours every feature of the region moves, but one moves less than `least`.",
                lambda f, x, region, candidates, least: choose_baseline(f, x, region, candidates, 1e-6),
            ),
            Mistake(
                "You want more than `least`. A feature that is just so far away may speak.",
                lambda f, x, region, candidates, least: choose_baseline(f, x, region, candidates, least + 1e-6),
            ),
            Mistake(
                "You took x minus the baseline with its sign. A baseline above x is as far away as one below.",
                lambda f, x, region, candidates, least: _most_neutral(
                    f, candidates, (x - candidates >= least)[:, region].all(1)
                ),
            ),
            Mistake(
                "That one has the strongest opinion of those that let the region speak. The weakest is wanted.",
                _first_by(lambda f, x, region, candidates: -_opinions(f, candidates)),
            ),
            Mistake(
                "You took the first candidate that lets the region speak. Take the most neutral one.",
                _first_by(lambda f, x, region, candidates: torch.arange(len(candidates))),
            ),
            Mistake(
                "You took the candidate that is farthest from x in the region. Far enough is enough: take the most "
                "neutral one.",
                _first_by(lambda f, x, region, candidates: -(candidates - x).abs()[:, region].sum(1)),
            ),
            Mistake(
                "You took the candidate with the lowest probability of class 0. Near zero is not neutral: another "
                "class may be likely.",
                _first_by(lambda f, x, region, candidates: f(candidates)[:, 0]),
            ),
            Mistake(
                "You found its number among the candidates that were left, and used it in the full list.",
                _number_among_the_fit,
            ),
            Mistake(
                "You took the baseline minus x with its sign. A baseline below x is as far away as one above.",
                lambda f, x, region, candidates, least: _most_neutral(
                    f, candidates, (candidates - x >= least)[:, region].all(1)
                ),
            ),
            Mistake(
                "You kept what is nearer to x than `least`. Keep what is at least so far away.",
                lambda f, x, region, candidates, least: _most_neutral(
                    f, candidates, ((candidates - x).abs() < least)[:, region].all(1)
                ),
            ),
            Mistake(
                "You took the largest value of each class over the candidates (dim=0). Each candidate has a largest "
                "class: dim=1.",
                _largest_over_candidates,
            ),
            Mistake(
                "The smallest probability decides in yours. Compare the largest ones.",
                _by_probabilities(lambda p: -p.amin(1)),
            ),
            Mistake(
                "The smallest probability has a say in yours. Compare the largest ones alone.",
                _by_probabilities(lambda p: p.amax(1) - p.amin(1)),
            ),
            Mistake(
                "You measured how uneven all the classes are together. Compare the largest probabilities alone.",
                _by_probabilities(lambda p: p.square().sum(1)),
            ),
            Mistake(
                "You compared the lead over the second class. Two classes may share the lead, and both be likely: "
                "compare the largest probabilities alone.",
                _by_probabilities(lambda p: p.topk(2).values[:, 0] - p.topk(2).values[:, 1]),
            ),
            Mistake(
                "One half is even for two classes only. The smallest of the largest probabilities is wanted.",
                _by_probabilities(lambda p: (p.amax(1) - 0.5).abs()),
            ),
        ],
    ),
]
