"""Lesson 11's solutions and mistakes.

Shapley values from a table, a standard error, conductance, the jumps of stumps.
"""

import torch
from torch import Tensor

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def shapley_from_table(v: Tensor) -> Tensor:
    """Exercise 11.1: Shapley values of three features, from F on all their subsets."""
    return _weighted_gains(v, (1 / 3, 1 / 6, 1 / 3))


def standard_error(pulls: Tensor) -> Tensor:
    """Exercise 11.2: the standard error of the mean of the samples."""
    return pulls.std(0) / len(pulls) ** 0.5


def conductance_of(heights: Tensor, slopes: Tensor) -> Tensor:
    """Exercise 11.3: the conductance of the units of a layer."""
    return (slopes * heights.diff(dim=0)).sum(0)


def jumps(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Exercise 11.4: the sum of the stumps' jumps along a path, for each feature."""
    at_start = _stump_values(start, thresholds, feature, left, right)
    at_end = _stump_values(end, thresholds, feature, left, right)
    return torch.zeros_like(start).index_add(0, feature, at_end - at_start)


# Helpers of the solutions and of the mistakes


def _weighted_gains(v: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """Each feature's gains, weighted by how many of the two others have moved before it: 0, 1 or 2."""
    weight_of_set = torch.tensor([[weights[0], weights[1]], [weights[1], weights[2]]])
    gains = [v.select(i, 1) - v.select(i, 0) for i in range(3)]
    return torch.stack([(gain * weight_of_set).sum() for gain in gains])


def _gains_in_one_order(v: Tensor) -> Tensor:
    """The gains of the features in the order first, second, third."""
    return torch.stack([v[1, 0, 0] - v[0, 0, 0], v[1, 1, 0] - v[1, 0, 0], v[1, 1, 1] - v[1, 1, 0]])


def _stump_values(x: Tensor, thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """The value of each stump at x."""
    return torch.where(x[feature] <= thresholds, left, right)


def _every_stump_jumps(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """The jumps of all stumps, whether the path crosses their thresholds or not."""
    return torch.zeros_like(start).index_add(0, feature, right - left)


def _all_jumps_rightwards(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """The jumps of the stumps that the path crosses, as if always from left to right."""
    crossed = (start[feature] <= thresholds) != (end[feature] <= thresholds)
    return torch.zeros_like(start).index_add(0, feature, crossed * (right - left))


def _last_jump_only(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """One jump for each feature: that of its last stump."""
    at_start = _stump_values(start, thresholds, feature, left, right)
    at_end = _stump_values(end, thresholds, feature, left, right)
    shares = torch.zeros_like(start)
    for stump, i in enumerate(feature.tolist()):
        shares[i] = at_end[stump] - at_start[stump]
    return shares


def _values_at_end(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """The stumps' values at the end of the path, without those at the start."""
    at_end = _stump_values(end, thresholds, feature, left, right)
    return torch.zeros_like(start).index_add(0, feature, at_end)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["11.1"],
        solution=shapley_from_table,
        mistakes=[
            Mistake(
                "You moved each feature alone, with the others at the baseline. Others may have moved before it.",
                lambda v: _weighted_gains(v, (1, 0, 0)),
            ),
            Mistake(
                "You moved each feature last. In most orders it is not the last.",
                lambda v: _weighted_gains(v, (0, 0, 1)),
            ),
            Mistake(
                "You have first and last. A feature may also come second, after one of the two others.",
                lambda v: _weighted_gains(v, (1 / 2, 0, 1 / 2)),
            ),
            Mistake(
                "You gave all four sets the same weight. Count: in how many of the six orders does a feature find "
                "exactly this set before it?",
                lambda v: _weighted_gains(v, (1 / 4, 1 / 4, 1 / 4)),
            ),
            Mistake("That is one order: first, second, third. Average over all of them.", _gains_in_one_order),
            Mistake(
                "You added over the six orders. Average, or you attribute more than there is.",
                lambda v: 6 * shapley_from_table(v),
            ),
            Mistake("The sign is flipped: F after the move, minus F before it.", lambda v: -shapley_from_table(v)),
        ],
    ),
    Exercise(
        task=TASKS["11.2"],
        solution=standard_error,
        mistakes=[
            Mistake(
                "That is the spread of single samples. The more there are, the steadier their mean.",
                lambda pulls: pulls.std(0),
            ),
            Mistake(
                "You divided by the number of samples. Errors average out more slowly.",
                lambda pulls: pulls.std(0) / len(pulls),
            ),
            Mistake(
                "That is the square of it: variances add up, and the root comes last.",
                lambda pulls: pulls.var(0) / len(pulls),
            ),
            Mistake(
                "Nearly. Measured around the samples' own mean, your spread comes out too small. torch's std divides "
                "by one less than their number.",
                lambda pulls: pulls.std(0, unbiased=False) / len(pulls) ** 0.5,
            ),
            Mistake("That is the mean itself. How far may it be off?", lambda pulls: pulls.mean(0)),
            Mistake(
                "That is the error of the sum. The mean is the sum over the number of samples.",
                lambda pulls: pulls.std(0) * len(pulls) ** 0.5,
            ),
        ],
    ),
    Exercise(
        task=TASKS["11.3"],
        solution=conductance_of,
        mistakes=[
            Mistake(
                "You averaged the slopes and stopped. How far did the unit go meanwhile?",
                lambda heights, slopes: slopes.mean(0),
            ),
            Mistake(
                "Mean slope times the whole displacement would be right if the unit moved evenly. It goes fast here "
                "and slowly there, so pair each slope with its own step.",
                lambda heights, slopes: slopes.mean(0) * (heights[-1] - heights[0]),
            ),
            Mistake(
                "You multiplied by where the unit is, not by how far it goes.",
                lambda heights, slopes: (slopes * heights[1:]).sum(0),
            ),
            Mistake(
                "You averaged over the steps. Each product is a piece of F already; add them up.",
                lambda heights, slopes: conductance_of(heights, slopes) / len(slopes),
            ),
            Mistake(
                "A step back counts too, with its sign; you took absolute values.",
                lambda heights, slopes: (slopes * heights.diff(dim=0).abs()).sum(0),
            ),
            Mistake(
                "You walked backwards: a step is where it ends, minus where it starts.",
                lambda heights, slopes: -conductance_of(heights, slopes),
            ),
        ],
    ),
    Exercise(
        task=TASKS["11.4"],
        solution=jumps,
        mistakes=[
            Mistake(
                "You let every stump jump. A path that stays on one side of the threshold does not feel it.",
                _every_stump_jumps,
            ),
            Mistake(
                "Some of your jumps have the wrong sign: a path may also cross from right to left.",
                _all_jumps_rightwards,
            ),
            Mistake(
                "A feature may have several stumps, and you kept only its last jump. Add them up.", _last_jump_only
            ),
            Mistake("That is F at the end. What was it at the start?", _values_at_end),
            Mistake(
                "You multiplied the jumps by the displacement. A jump is a piece of F already, however long the step.",
                lambda t, feature, left, right, start, end: jumps(t, feature, left, right, start, end) * (end - start),
            ),
            Mistake(
                "You split each jump among all features. It belongs to the one that crossed.",
                lambda t, feature, left, right, start, end: (
                    jumps(t, feature, left, right, start, end).mean() + 0 * start
                ),
            ),
        ],
    ),
]
