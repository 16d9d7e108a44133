"""Lesson 08's solutions and mistakes.

The reach of luck, black in a network's units, log odds, a map from windows.
"""

import math

import torch
from torch import Tensor, nn

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def reach_of_luck(scores: Tensor, draws: Tensor) -> Tensor:
    """Exercise 08.2: the central 95% of the means of redrawn pictures (the bootstrap)."""
    return _central_interval(scores[draws].mean(1), 0.95)


def black(mean: Tensor, deviation: Tensor, height: int, width: int) -> Tensor:
    """Exercise 08.3: a black picture in the standardised units of a network."""
    return _one_colour(-mean / deviation, height, width)


def log_odds(logits: Tensor, target: int) -> Tensor:
    """Exercise 08.4: the logarithm of the odds of the target class, from the logits."""
    others = logits.clone()
    others[:, target] = -torch.inf
    return logits[:, target] - others.logsumexp(1)


def stitched(maps: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """Exercise 08.5: the map of a picture, from those of its windows."""
    return _sum_of_windows(maps, corners, height, width) / len(maps)


# Helpers of the solutions and of the mistakes


def _sum_of_windows(maps: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """The maps, each in its place, added up."""
    total = torch.zeros(height, width)
    side = maps.shape[1]
    for each, (top, left) in zip(maps, corners.tolist(), strict=True):
        total[top : top + side, left : left + side] += each
    return total


def _last_window(maps: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """The maps, each in its place, over those before."""
    total = torch.zeros(height, width)
    side = maps.shape[1]
    for each, (top, left) in zip(maps, corners.tolist(), strict=True):
        total[top : top + side, left : left + side] = each
    return total


def _cover(maps: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """How many windows see each pixel."""
    return _sum_of_windows(torch.ones_like(maps), corners, height, width)


def _swapped(maps: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """The windows at (left, top), as far as they lie in the picture."""
    side = max(height, width)
    return stitched(maps, corners.flip(1), side, side)[:height, :width]


def _in_one_corner(maps: Tensor, corners: Tensor, height: int, width: int) -> Tensor:
    """As if every window stood at the corner of the picture."""
    return stitched(maps, torch.zeros_like(corners), height, width)


def _one_colour(colour: Tensor, height: int, width: int) -> Tensor:
    """A picture of one colour, (1, 3, height, width)."""
    return colour.view(1, 3, 1, 1).expand(1, 3, height, width)


def _central_interval(numbers: Tensor, fraction: float) -> Tensor:
    """The interval that holds this fraction of the numbers, and leaves out as many below as above."""
    return numbers.quantile(torch.tensor([(1 - fraction) / 2, (1 + fraction) / 2]).to(numbers))


def _bell_curve(numbers: Tensor, deviation: Tensor) -> Tensor:
    """The mean, and 1.96 deviations to either side."""
    return numbers.mean() + deviation * torch.tensor([-1.96, 1.96])


def _logits_of_others(logits: Tensor, target: int) -> Tensor:
    """The logits of all classes but the target."""
    return logits[:, torch.arange(logits.shape[1]) != target]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["08.2"],
        solution=reach_of_luck,
        mistakes=[
            Mistake(
                "Those are limits for single pictures. How far does the *mean* move when other pictures are drawn?",
                lambda scores, draws: _central_interval(scores, 0.95),
            ),
            Mistake(
                "Those are the smallest and largest mean: draw more often and they drift apart. Cut the tails off.",
                lambda scores, draws: torch.stack(torch.aminmax(scores[draws].mean(1))),
            ),
            Mistake(
                "You left out 5% at each end, so 90% lies between. Half of the 5% belongs to each end.",
                lambda scores, draws: _central_interval(scores[draws].mean(1), 0.9),
            ),
            Mistake(
                "You took the median of each redraw; the mean is asked for.",
                lambda scores, draws: _central_interval(scores[draws].median(1).values, 0.95),
            ),
            Mistake(
                "You averaged over the redraws, picture by picture. Each redraw has one mean.",
                lambda scores, draws: _central_interval(scores[draws].mean(0), 0.95),
            ),
            Mistake(
                "Nearly. You took two redraws from the sorted list; 2.5% falls between two of them, and quantile() "
                "interpolates.",
                lambda scores, draws: scores[draws].mean(1).sort().values[[len(draws) // 40, 39 * len(draws) // 40]],
            ),
            Mistake(
                "Nearly. You counted in from both ends of the sorted list; 2.5% falls between two redraws, and "
                "quantile() interpolates.",
                lambda scores, draws: scores[draws].mean(1).sort().values[[len(draws) // 40, -len(draws) // 40 - 1]],
            ),
            Mistake(
                "You took a bell curve for granted: the mean of the redraws, and 2 deviations to either side. Count "
                "the redraws.",
                lambda scores, draws: (
                    scores[draws].mean() + scores[draws].mean(1).std() * torch.tensor([-2.0, 2.0]).to(scores)
                ),
            ),
            Mistake(
                "High comes before low in your answer.", lambda scores, draws: reach_of_luck(scores, draws).flip(0)
            ),
            Mistake(
                "You left out 5% at the top and nothing at the bottom. Half of the 5% belongs to each end.",
                lambda scores, draws: scores[draws].mean(1).quantile(torch.tensor([0.0, 0.95])),
            ),
            Mistake(
                "Half of your redraws lie between: 2.5% is 0.025, not 0.25.",
                lambda scores, draws: _central_interval(scores[draws].mean(1), 0.5),
            ),
            Mistake(
                "You put all redraws together. Average each redraw first.",
                lambda scores, draws: _central_interval(scores[draws].flatten(), 0.95),
            ),
            Mistake(
                "You looked at one redraw. How far do the means of all of them reach?",
                lambda scores, draws: _central_interval(scores[draws[0]], 0.95),
            ),
            Mistake(
                "You took two limits within each redraw, and averaged those. Each redraw has one mean; take the limits "
                "of the means.",
                lambda scores, draws: scores[draws].quantile(torch.tensor([0.025, 0.975]), dim=1).mean(1),
            ),
            Mistake(
                "You took a bell curve for granted: the mean of the redraws, and 1.96 deviations to either side. Count "
                "the redraws.",
                lambda scores, draws: _bell_curve(scores[draws].mean(1), scores[draws].mean(1).std()),
            ),
            Mistake(
                "You took a bell curve for granted, and made no use of the redraws.",
                lambda scores, draws: _bell_curve(scores, scores.std() / len(scores) ** 0.5),
            ),
            Mistake(
                "Those are distances from the mean score. The limits themselves are wanted.",
                lambda scores, draws: reach_of_luck(scores, draws) - scores.mean(),
            ),
            Mistake(
                "Those are limits for the sum of a redraw. The mean is asked for.",
                lambda scores, draws: _central_interval(scores[draws].sum(1), 0.95),
            ),
            Mistake(
                "Those are limits for the numbers of the pictures. Look their scores up: scores[draws].",
                lambda scores, draws: _central_interval(draws.double().mean(1), 0.95),
            ),
            Mistake(
                "That is how wide the interval is. Where does it begin, and where does it end?",
                lambda scores, draws: reach_of_luck(scores, draws).diff(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["08.3"],
        solution=black,
        mistakes=[
            Mistake(
                "Those are zeros: the mean colour, once the mean is subtracted. What does a black pixel become?",
                lambda mean, deviation, height, width: torch.zeros(1, 3, height, width),
            ),
            Mistake(
                "That is brighter than the mean colour. Watch the sign: what is 0 minus the mean?",
                lambda mean, deviation, height, width: _one_colour(mean / deviation, height, width),
            ),
            Mistake(
                "You subtracted the mean and stopped. The network divides by the deviation, too.",
                lambda mean, deviation, height, width: _one_colour(-mean, height, width),
            ),
            Mistake(
                "You multiplied by the deviation.",
                lambda mean, deviation, height, width: _one_colour(-mean * deviation, height, width),
            ),
            Mistake(
                "That is white.",
                lambda mean, deviation, height, width: _one_colour((1 - mean) / deviation, height, width),
            ),
            Mistake(
                "That is the mean colour before the preprocessing. A black pixel is 0 there.",
                lambda mean, deviation, height, width: _one_colour(mean, height, width),
            ),
            Mistake(
                "You wrote -1. That is black for the network of this lesson; this one has another mean and deviation.",
                lambda mean, deviation, height, width: torch.full((1, 3, height, width), -1.0),
            ),
            Mistake(
                "You divided the deviation by the mean. It is the other way round.",
                lambda mean, deviation, height, width: _one_colour(-deviation / mean, height, width),
            ),
            Mistake(
                "You used the first colour's mean and deviation for all. Each colour has its own.",
                lambda mean, deviation, height, width: _one_colour((-mean / deviation)[:1].expand(3), height, width),
            ),
            Mistake(
                "You averaged over the colours. Each has its own mean and deviation.",
                lambda mean, deviation, height, width: _one_colour(
                    (-mean.mean() / deviation.mean()).expand(3), height, width
                ),
            ),
            Mistake(
                "You took the mean for one of pixels from 0 to 255. Here they run from 0 to 1.",
                lambda mean, deviation, height, width: _one_colour(-255 * mean / deviation, height, width),
            ),
            Mistake(
                "You squared the deviation. Divide by it as it is.",
                lambda mean, deviation, height, width: _one_colour(-mean / deviation**2, height, width),
            ),
            Mistake(
                "You took the square root of the deviation, which is no variance. Divide by it as it is.",
                lambda mean, deviation, height, width: _one_colour(-mean / deviation.sqrt(), height, width),
            ),
            Mistake(
                "You subtracted the mean twice.",
                lambda mean, deviation, height, width: _one_colour(-2 * mean / deviation, height, width),
            ),
            Mistake(
                "The right colours, and one pixel. Repeat it over the picture.",
                lambda mean, deviation, height, width: (-mean / deviation).view(1, 3, 1, 1),
            ),
        ],
    ),
    Exercise(
        task=TASKS["08.5"],
        solution=stitched,
        mistakes=[
            Mistake(
                "You divided each pixel by the number of windows that see it. F divides by the number of all windows, "
                "so the map must, too.",
                lambda *a: _sum_of_windows(*a) / _cover(*a).clamp(min=1),
            ),
            Mistake(
                "You added the windows' maps up. F is the mean of the windows, not their sum.",
                _sum_of_windows,
            ),
            Mistake(
                "Where windows overlap the last one wins in yours. Every window counts: add them up.",
                lambda *a: _last_window(*a) / len(a[0]),
            ),
            Mistake(
                "Where windows overlap the last one wins in yours, and nothing is divided. F is the mean of all.",
                _last_window,
            ),
            Mistake(
                "Row and column are swapped: a corner is (top, left).",
                _swapped,
            ),
            Mistake(
                "Each window stands on its head or on its side in yours.",
                lambda maps, corners, height, width: stitched(maps.mT, corners, height, width),
            ),
            Mistake(
                "You put all windows into the corner of the picture. Each has its own place.",
                _in_one_corner,
            ),
            Mistake(
                "You divided by the number of pixels of a window. F divides by the number of windows.",
                lambda *a: _sum_of_windows(*a) / a[0][0].numel(),
            ),
            Mistake(
                "You divided by the most windows that see one pixel. F divides by the number of all windows.",
                lambda *a: _sum_of_windows(*a) / _cover(*a).max(),
            ),
            Mistake(
                "You took absolute values. Shares of one pixel in two windows may cancel: keep the signs.",
                lambda maps, *a: stitched(maps.abs(), *a),
            ),
            Mistake(
                "You left out the last window.",
                lambda maps, corners, *a: _sum_of_windows(maps[:-1], corners[:-1], *a) / len(maps),
            ),
        ],
    ),
    Exercise(
        task=TASKS["08.4"],
        solution=log_odds,
        mistakes=[
            Mistake(
                "That is the probability. Odds are the chance for, over the chance against.",
                lambda logits, target: logits.softmax(1)[:, target],
            ),
            Mistake(
                "That is the logarithm of the probability: the class itself is still among its rivals.",
                lambda logits, target: logits.log_softmax(1)[:, target],
            ),
            Mistake(
                "That is the logit; the other classes have no say in it.", lambda logits, target: logits[:, target]
            ),
            Mistake(
                "Those are the odds. Their logarithm is wanted.", lambda logits, target: log_odds(logits, target).exp()
            ),
            Mistake(
                "You asked only the strongest rival. All of them count against.",
                lambda logits, target: logits[:, target] - _logits_of_others(logits, target).amax(1),
            ),
            Mistake(
                "You took the mean logit of the rivals. Chances add up as exponentials.",
                lambda logits, target: logits[:, target] - _logits_of_others(logits, target).mean(1),
            ),
            Mistake(
                "You put 0 in the target's place: that is a rival whose logit is 0. Which logit has no chance at all?",
                lambda logits, target: (
                    logits[:, target] - nn.functional.pad(_logits_of_others(logits, target), (1, 0)).logsumexp(1)
                ),
            ),
            Mistake("You have for and against the wrong way round.", lambda logits, target: -log_odds(logits, target)),
            Mistake(
                "You added up the rivals' logits. Chances add up as exponentials.",
                lambda logits, target: logits[:, target] - _logits_of_others(logits, target).sum(1),
            ),
            Mistake(
                "That is the logarithm of the chance against. Compare it with the chance for.",
                lambda logits, target: _logits_of_others(logits, target).logsumexp(1) - logits.logsumexp(1),
            ),
            Mistake(
                "You took the class that the network prefers. The target is given.",
                lambda logits, target: torch.cat([log_odds(row[None], int(row.argmax())) for row in logits]),
            ),
            Mistake(
                "You left out the last class in place of the target.",
                lambda logits, target: logits[:, target] - logits[:, :-1].logsumexp(1),
            ),
            Mistake(
                "That is a logarithm to base 10. Take the natural one.",
                lambda logits, target: log_odds(logits, target) / math.log(10),
            ),
            Mistake(
                "That is a logarithm to base 2. Take the natural one.",
                lambda logits, target: log_odds(logits, target) / math.log(2),
            ),
            Mistake(
                "You took logits for chances. Chances are proportional to their exponentials.",
                lambda logits, target: (logits[:, target] / _logits_of_others(logits, target).sum(1)).log(),
            ),
            Mistake(
                "Right, until a logit is large: in float32 exp(100) overflows. logsumexp does not.",
                lambda logits, target: logits[:, target] - _logits_of_others(logits, target).exp().sum(1).log(),
            ),
            Mistake(
                "Right, until p rounds to 0 or 1. The right side of the formula does not.",
                lambda logits, target: (logits.softmax(1)[:, target] / (1 - logits.softmax(1)[:, target])).log(),
            ),
        ],
    ),
]
