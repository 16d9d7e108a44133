"""Lesson 11's solutions and mistakes.

Shapley values from a table, how many samples it takes, conductance, the jumps of stumps.
"""

import torch
from torch import Tensor

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def shapley_from_table(v: Tensor) -> Tensor:
    """Exercise 11.1: Shapley values of three features, from F on all their subsets."""
    return _weighted_gains(v, (1 / 3, 1 / 6, 1 / 3))


def conductance_of(heights: Tensor, slopes: Tensor) -> Tensor:
    """Exercise 11.3: the conductance of the units of a layer."""
    return (slopes * heights.diff(dim=0)).sum(0)


def jumps(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Exercise 11.4: the sum of the stumps' jumps along a path, for each feature."""
    at_start = _stump_values(start, thresholds, feature, left, right)
    at_end = _stump_values(end, thresholds, feature, left, right)
    return torch.zeros_like(start).index_add(0, feature, at_end - at_start)


def samples_needed(pulls: Tensor, tolerance: float) -> Tensor:
    """Exercise 11.5: so many samples that the error estimate is within the tolerance, by what a first run shows."""
    return _samples(_relative_spread(pulls), tolerance)


# Helpers of the solutions and of the mistakes


def _weighted_gains(v: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """Each feature's gains, weighted by how many of the two others have moved before it: 0, 1 or 2."""
    weight_of_set = torch.tensor([[weights[0], weights[1]], [weights[1], weights[2]]])
    gains = [v.select(i, 1) - v.select(i, 0) for i in range(3)]
    return torch.stack([(gain * weight_of_set).sum() for gain in gains])


def _relative_spread(pulls: Tensor) -> Tensor:
    """The spread of single samples, as a fraction of the strength of all shares."""
    return pulls.std(0).sum() / pulls.mean(0).abs().sum()


def _samples(relative_spread: Tensor, tolerance: float) -> Tensor:
    return (relative_spread / tolerance).square().ceil().double()


def _gains_in_one_order(v: Tensor) -> Tensor:
    """The gains of the features in the order first, second, third."""
    return torch.stack([v[1, 0, 0] - v[0, 0, 0], v[1, 1, 0] - v[1, 0, 0], v[1, 1, 1] - v[1, 1, 0]])


def _gains_in_reverse(v: Tensor) -> Tensor:
    """The gains of the features in the order third, second, first."""
    return torch.stack([v[1, 1, 1] - v[0, 1, 1], v[0, 1, 1] - v[0, 0, 1], v[0, 0, 1] - v[0, 0, 0]])


def _gains_going_round(v: Tensor) -> Tensor:
    """The mean gains over the orders 1 2 3, 2 3 1 and 3 1 2."""
    turned = [_gains_in_one_order(v.permute(*(range(k, 3)), *range(k))).roll(k) for k in range(3)]
    return torch.stack(turned).mean(0)


def _from_nothing(v: Tensor) -> Tensor:
    """The Shapley values as if F of the baseline were 0."""
    v = v.clone()
    v[0, 0, 0] = 0.0
    return shapley_from_table(v)


def _mean_before(v: Tensor) -> Tensor:
    """The mean over the orders of F before each feature moves."""
    weights = torch.tensor([[1 / 3, 1 / 6], [1 / 6, 1 / 3]])
    return torch.stack([(v.select(i, 0) * weights).sum() for i in range(3)])


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


def _ties_go_right(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """The jumps of stumps that give left only below the threshold."""
    below = thresholds - 1e-6 * thresholds.abs()
    return jumps(below, feature, left, right, start, end)


def _jumps_one_way(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """The jumps of the stumps that the path crosses from left to right."""
    crossed = (start[feature] <= thresholds) & (end[feature] > thresholds)
    return torch.zeros_like(start).index_add(0, feature, crossed * (right - left))


def _strict_jumps(thresholds: Tensor, feature: Tensor, jump: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """The jumps of the stumps whose thresholds lie above the start and below the end, and at neither."""
    crossed = (start[feature] < thresholds) & (thresholds < end[feature])
    return torch.zeros_like(start).index_add(0, feature, crossed * jump)


def _absolute_jumps(
    thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """The jumps of the stumps that the path crosses, without their signs."""
    crossed = (start[feature] <= thresholds) != (end[feature] <= thresholds)
    return torch.zeros_like(start).index_add(0, feature, crossed * (right - left).abs())


def _mean_jumps(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """The mean of the jumps of each feature's stumps."""
    counts = feature.bincount(minlength=len(start)).clamp(min=1)
    return jumps(thresholds, feature, left, right, start, end) / counts


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
            Mistake(
                "You divided by three features. Three features have six orders.", lambda v: 2 * shapley_from_table(v)
            ),
            Mistake(
                "You gave each set with one other feature the weight of both. There are two such sets, and a feature "
                "comes second in two of six orders.",
                lambda v: _weighted_gains(v, (1 / 3, 1 / 3, 1 / 3)),
            ),
            Mistake(
                "You left out v[0, 0, 0]. Who moves first gains, too: F after the move, minus F before it.",
                _from_nothing,
            ),
            Mistake(
                "That is the mean of F after each move. How much of it is gained by the move?",
                lambda v: shapley_from_table(v) + _mean_before(v),
            ),
            Mistake(
                "You gave all three the same. Only the sum is the same, whatever F is.",
                lambda v: ((v[1, 1, 1] - v[0, 0, 0]) / 3).repeat(3),
            ),
            Mistake(
                "Those are two orders, one the reverse of the other. There are six.",
                lambda v: (_gains_in_one_order(v) + _gains_in_reverse(v)) / 2,
            ),
            Mistake(
                "Those are three orders of six, in which the features go round: each comes first once. Average over "
                "all six.",
                _gains_going_round,
            ),
            Mistake(
                "Your weights have changed places. In how many of the six orders does a feature come first, and in "
                "how many does it come after one given other?",
                lambda v: _weighted_gains(v, (1 / 6, 1 / 3, 1 / 6)),
            ),
            Mistake(
                "You moved each feature second. It may also come first, or last.",
                lambda v: _weighted_gains(v, (0, 1 / 2, 0)),
            ),
            Mistake(
                "All three are the first feature's. Each feature has its own index of v.",
                lambda v: shapley_from_table(v)[[0, 0, 0]],
            ),
        ],
    ),
    Exercise(
        task=TASKS["11.5"],
        solution=samples_needed,
        mistakes=[
            Mistake(
                "You took the error to fall like 1/n. It falls like one over the root of n.",
                lambda pulls, tolerance: (len(pulls) * _relative_spread(pulls) / len(pulls) ** 0.5 / tolerance).ceil(),
            ),
            Mistake(
                "That is how many more. How many are needed in all?",
                lambda pulls, tolerance: samples_needed(pulls, tolerance) - len(pulls),
            ),
            Mistake(
                "You took the spread of single samples for the error of their mean, and then let it fall with the root "
                "of n once more.",
                lambda pulls, tolerance: len(pulls) * samples_needed(pulls, tolerance),
            ),
            Mistake(
                "You did not compare with the shares. The tolerance is a fraction of all |share|.",
                lambda pulls, tolerance: _samples(pulls.std(0).sum(), tolerance),
            ),
            Mistake(
                "You compared with the sum of the shares, in which they cancel. The tolerance is a fraction of all "
                "|share|.",
                lambda pulls, tolerance: _samples(pulls.std(0).sum() / pulls.mean(0).sum(), tolerance),
            ),
            Mistake(
                "You took absolute values before the mean. The share is the mean of the pulls, with their signs.",
                lambda pulls, tolerance: _samples(pulls.std(0).sum() / pulls.abs().mean(0).sum(), tolerance),
            ),
            Mistake(
                "You rounded down. With the last sample missing the error is above the tolerance.",
                lambda pulls, tolerance: (_relative_spread(pulls) / tolerance).square().floor(),
            ),
            Mistake(
                "You rounded to the nearest whole number. The estimate has to be within the tolerance: round up.",
                lambda pulls, tolerance: (_relative_spread(pulls) / tolerance).square().round(),
            ),
            Mistake(
                "You did not square. If the estimate falls with the root of n, what must n be for half of it?",
                lambda pulls, tolerance: (_relative_spread(pulls) / tolerance).ceil(),
            ),
            Mistake(
                "You added up variances over the features. The estimate adds up their standard errors.",
                lambda pulls, tolerance: _samples(pulls.var(0).sum().sqrt() / pulls.mean(0).abs().sum(), tolerance),
            ),
            Mistake(
                "You rounded down and added one. Where the result is a whole number already, that is one too many.",
                lambda pulls, tolerance: (_relative_spread(pulls) / tolerance).square().floor() + 1,
            ),
            Mistake(
                "That is how many more, or none where the first run is enough. How many are needed in all?",
                lambda pulls, tolerance: (samples_needed(pulls, tolerance) - len(pulls)).clamp(min=0),
            ),
            Mistake(
                "You took the first run's estimate for that of one sample. By what did it divide the spread?",
                lambda pulls, tolerance: _samples(_relative_spread(pulls) / len(pulls) ** 0.5, tolerance),
            ),
            Mistake(
                "You multiplied by the root of the first run's number. std is the spread of one sample already.",
                lambda pulls, tolerance: _samples(_relative_spread(pulls) * len(pulls) ** 0.5, tolerance),
            ),
            Mistake(
                "You took variances. The estimate is made of standard deviations, their roots.",
                lambda pulls, tolerance: _samples(pulls.var(0).sum() / pulls.mean(0).abs().sum(), tolerance),
            ),
            Mistake(
                "You took the tolerance for percent. It is a fraction: 5% is 0.05.",
                lambda pulls, tolerance: _samples(100 * _relative_spread(pulls), tolerance),
            ),
            Mistake(
                "There is no fraction of a sample: round up.",
                lambda pulls, tolerance: (_relative_spread(pulls) / tolerance).square(),
            ),
            Mistake(
                "You never go below the number of the first run. Where it was more than enough, how many would do?",
                lambda pulls, tolerance: samples_needed(pulls, tolerance).clamp(min=len(pulls)),
            ),
            Mistake(
                "You divided variances by the tolerance. Square the tolerance as well.",
                lambda pulls, tolerance: (_relative_spread(pulls).square() / tolerance).ceil(),
            ),
            Mistake(
                "That is the error estimate of the first run. How many samples bring it down to the tolerance?",
                lambda pulls, tolerance: _relative_spread(pulls) / len(pulls) ** 0.5,
            ),
            Mistake(
                "You have a number for each feature. The tolerance is about all of them together.",
                lambda pulls, tolerance: _samples(pulls.std(0) / pulls.mean(0).abs(), tolerance),
            ),
            Mistake(
                "You asked for the feature that needs the most. The tolerance is about all of them together.",
                lambda pulls, tolerance: _samples((pulls.std(0) / pulls.mean(0).abs()).max(), tolerance),
            ),
            Mistake(
                "You measured the spread by dividing by n. torch's std divides by n - 1.",
                lambda pulls, tolerance: _samples(
                    pulls.std(0, unbiased=False).sum() / pulls.mean(0).abs().sum(), tolerance
                ),
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
            Mistake(
                "You multiplied by where the unit is before each step, not by how far it goes.",
                lambda heights, slopes: (slopes * heights[:-1]).sum(0),
            ),
            Mistake(
                "That is how far the units go. How much of it does F feel?",
                lambda heights, slopes: heights[-1] - heights[0],
            ),
            Mistake(
                "You added up absolute values. F may gain by a unit on one step and lose by it on the next: keep the "
                "signs.",
                lambda heights, slopes: (slopes * heights.diff(dim=0)).abs().sum(0),
            ),
            Mistake(
                "You added up the slopes and multiplied once, by the whole displacement. Multiply step by step.",
                lambda heights, slopes: slopes.sum(0) * (heights[-1] - heights[0]),
            ),
            Mistake(
                "You multiplied the mean slope by where the unit ends. A share has to do with how far it goes, step "
                "by step.",
                lambda heights, slopes: slopes.mean(0) * heights[-1],
            ),
            Mistake(
                "You added up the slopes. How far does the unit go on each step?",
                lambda heights, slopes: slopes.sum(0),
            ),
            Mistake(
                "You took how far the unit is from where it began. How far does it go on each step?",
                lambda heights, slopes: (slopes * (heights[1:] - heights[0])).sum(0),
            ),
            Mistake(
                "You multiplied the last slope by the whole displacement. Each step has a slope of its own.",
                lambda heights, slopes: slopes[-1] * (heights[-1] - heights[0]),
            ),
            Mistake(
                "You took absolute values of the slopes. A unit may lower F: keep the signs.",
                lambda heights, slopes: (slopes.abs() * heights.diff(dim=0)).sum(0),
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
            Mistake(
                "A value exactly at the threshold goes left: at most the threshold, not below it.",
                _ties_go_right,
            ),
            Mistake(
                "You count crossings from left to right only. A path may also cross from right to left.",
                _jumps_one_way,
            ),
            Mistake(
                "You count crossings from left to right only, and miss those that begin at the threshold, where a "
                "stump still gives left.",
                lambda t, feature, left, right, start, end: _strict_jumps(t, feature, right - left, start, end),
            ),
            Mistake(
                "You miss paths that begin or end at a threshold. A stump gives left there, so it crosses if the other "
                "end is above.",
                lambda t, feature, left, right, start, end: (
                    _strict_jumps(t, feature, right - left, start, end)
                    + _strict_jumps(t, feature, left - right, end, start)
                ),
            ),
            Mistake(
                "You counted crossings. How much does F jump at each?",
                lambda t, feature, left, right, start, end: _absolute_jumps(
                    t, feature, torch.zeros_like(left), torch.ones_like(right), start, end
                ),
            ),
            Mistake(
                "You took absolute values. A jump downwards takes away: keep its sign.",
                _absolute_jumps,
            ),
            Mistake(
                "You took the mean of a feature's jumps. F is the sum of the stumps: add them up.",
                _mean_jumps,
            ),
            Mistake(
                "You have a jump for each stump. Add up those of each feature.",
                lambda t, feature, left, right, start, end: (
                    _stump_values(end, t, feature, left, right) - _stump_values(start, t, feature, left, right)
                ),
            ),
        ],
    ),
]
