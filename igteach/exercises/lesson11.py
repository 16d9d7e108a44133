"""The checks of lesson 11: Shapley values from a table, a standard error, the share of a unit, the jumps of stumps."""

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Exercise, Mistake


def _tables(draw: torch.Generator) -> list[Case]:
    return [Case(f"table {n} of F", (torch.randn(2, 2, 2, generator=draw),)) for n in (1, 2, 3)]


def _samples(draw: torch.Generator) -> list[Case]:
    cases = []
    for samples, features in ((6, 2), (10, 4), (25, 3)):
        pulls = torch.randn(samples, features, generator=draw) + 0.5
        cases.append(Case(f"{samples} samples of {features} features", (pulls,)))
    return cases


def _layers(draw: torch.Generator) -> list[Case]:
    cases = []
    for steps, units in ((4, 3), (7, 2), (5, 5)):
        heights = torch.randn(steps + 1, units, generator=draw)
        slopes = torch.randn(steps, units, generator=draw)
        cases.append(Case(f"{units} units, {steps} steps", (heights, slopes)))
    return cases


def _stumps(draw: torch.Generator) -> list[Case]:
    cases = []
    for features, stumps in ((2, 5), (3, 8), (4, 10)):
        thresholds, left, right = torch.randn(3, stumps, generator=draw)
        feature = torch.randint(features, (stumps,), generator=draw)
        start, end = 1.5 * torch.randn(2, features, generator=draw)
        cases.append(Case(f"{stumps} stumps, {features} features", (thresholds, feature, left, right, start, end)))
    return cases


def shapley(v: Tensor) -> Tensor:
    return _weighted(v, (1 / 3, 1 / 6, 1 / 3))


def standard_error(pulls: Tensor) -> Tensor:
    return pulls.std(0) / len(pulls) ** 0.5


def conductance(heights: Tensor, slopes: Tensor) -> Tensor:
    return (slopes * heights.diff(dim=0)).sum(0)


def jumps(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    gains = _at(end, thresholds, feature, left, right) - _at(start, thresholds, feature, left, right)
    return torch.zeros_like(start).index_add(0, feature, gains)


def _weighted(v: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """Each feature's gains over the sets of the two others, weighted by how many of them have moved: 0, 1 or 2."""
    by_size = torch.tensor([[weights[0], weights[1]], [weights[1], weights[2]]])
    return torch.stack([((v.select(i, 1) - v.select(i, 0)) * by_size).sum() for i in range(3)])


def _one_order(v: Tensor) -> Tensor:
    return torch.stack([v[1, 0, 0] - v[0, 0, 0], v[1, 1, 0] - v[1, 0, 0], v[1, 1, 1] - v[1, 1, 0]])


def _at(x: Tensor, thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor) -> Tensor:
    return torch.where(x[feature] <= thresholds, left, right)


def _always(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    return torch.zeros_like(start).index_add(0, feature, right - left)


def _rightwards(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    crossed = (start[feature] <= thresholds) != (end[feature] <= thresholds)
    return torch.zeros_like(start).index_add(0, feature, crossed * (right - left))


def _last_alone(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    gains, shares = _at(end, thresholds, feature, left, right) - _at(start, thresholds, feature, left, right), 0 * start
    for k, i in enumerate(feature.tolist()):
        shares[i] = gains[k]
    return shares


def _only_end(thresholds: Tensor, feature: Tensor, left: Tensor, right: Tensor, start: Tensor, end: Tensor) -> Tensor:
    return torch.zeros_like(start).index_add(0, feature, _at(end, thresholds, feature, left, right))


EXERCISES = [
    Exercise(
        "11.1",
        shapley,
        _tables,
        [
            Mistake(
                "You moved each feature alone, with the others at the baseline. Others may have moved before it.",
                lambda v: _weighted(v, (1, 0, 0)),
            ),
            Mistake(
                "You moved each feature last. In most orders it is not the last.", lambda v: _weighted(v, (0, 0, 1))
            ),
            Mistake(
                "First or last, you say. A feature may also come second, after one of the two others.",
                lambda v: _weighted(v, (1 / 2, 0, 1 / 2)),
            ),
            Mistake(
                "You gave all four sets the same weight. Count: in how many of the six orders does a feature find "
                "exactly this set before it?",
                lambda v: _weighted(v, (1 / 4, 1 / 4, 1 / 4)),
            ),
            Mistake("That is one order: first, second, third. Average over all of them.", _one_order),
            Mistake(
                "You added over the six orders; average, or more is given out than F went.", lambda v: 6 * shapley(v)
            ),
            Mistake("The sign is turned round: F after the move, less F before it.", lambda v: -shapley(v)),
        ],
    ),
    Exercise(
        "11.2",
        standard_error,
        _samples,
        [
            Mistake(
                "That is how far single samples lie apart. Their mean is steadier the more there are.",
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
                "Nearly: your spread is that around the samples' own mean, which makes it too small. torch's std "
                "divides by one less.",
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
        "11.3",
        conductance,
        _layers,
        [
            Mistake(
                "You averaged the slopes and stopped. How far did the unit go meanwhile?",
                lambda heights, slopes: slopes.mean(0),
            ),
            Mistake(
                "Mean slope times the whole way: right if the unit went evenly. It goes fast here and slowly there, "
                "so pair each slope with its own step.",
                lambda heights, slopes: slopes.mean(0) * (heights[-1] - heights[0]),
            ),
            Mistake(
                "You multiplied by where the unit is, not by how far it goes.",
                lambda heights, slopes: (slopes * heights[1:]).sum(0),
            ),
            Mistake(
                "You averaged over the steps. Each product is a piece of F already; add them up.",
                lambda heights, slopes: conductance(heights, slopes) / len(slopes),
            ),
            Mistake(
                "A step back counts as well, with its sign; you took sizes.",
                lambda heights, slopes: (slopes * heights.diff(dim=0).abs()).sum(0),
            ),
            Mistake(
                "You walked backwards: a step is where it ends, less where it starts.",
                lambda heights, slopes: -conductance(heights, slopes),
            ),
        ],
    ),
    Exercise(
        "11.4",
        jumps,
        _stumps,
        [
            Mistake(
                "You let every stump jump. A path that stays on one side of the threshold does not feel it.", _always
            ),
            Mistake("Some of your jumps have the wrong sign: a path may also cross from right to left.", _rightwards),
            Mistake("A feature may have several stumps, and you kept its last jump only. Add them up.", _last_alone),
            Mistake("That is F at the end. What was it at the start?", _only_end),
            Mistake(
                "You multiplied the jumps by the way. A jump is a piece of F as it is, however long the way.",
                lambda t, feature, left, right, start, end: jumps(t, feature, left, right, start, end) * (end - start),
            ),
            Mistake(
                "You shared each jump among all features. It belongs to the one that crossed.",
                lambda t, feature, left, right, start, end: (
                    jumps(t, feature, left, right, start, end).mean() + 0 * start
                ),
            ),
        ],
    ),
]
