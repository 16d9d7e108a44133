"""Lesson 08's solutions and mistakes.

The fraction inside a mask, the reach of luck, black in a network's units, log odds.
"""

import torch
from torch import Tensor

from igteach.evaluate import relevance_mass
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def inside(values: Tensor, mask: Tensor) -> Tensor:
    """Exercise 08.1: the fraction of a map's absolute shares that lies inside the mask."""
    return relevance_mass(values[None], mask[None])[0]


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


# Helpers of the solutions and of the mistakes


def _one_colour(colour: Tensor, height: int, width: int) -> Tensor:
    """A picture of one colour, (1, 3, height, width)."""
    return colour.view(1, 3, 1, 1).expand(1, 3, height, width)


def _central_interval(numbers: Tensor, fraction: float) -> Tensor:
    """The interval that holds this fraction of the numbers, and leaves out as many below as above."""
    return numbers.quantile(torch.tensor([(1 - fraction) / 2, (1 + fraction) / 2]).to(numbers))


def _fraction_inside(strength: Tensor, mask: Tensor) -> Tensor:
    """The fraction of a map's sum that lies inside the mask."""
    return strength[mask].sum() / strength.sum()


def _logits_of_others(logits: Tensor, target: int) -> Tensor:
    """The logits of all classes but the target."""
    return logits[:, torch.arange(logits.shape[1]) != target]


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["08.1"],
        solution=inside,
        mistakes=[
            Mistake(
                "You took absolute values colour by colour. A pixel has one share: add up its colours first.",
                lambda values, mask: _fraction_inside(values.abs().sum(0), mask),
            ),
            Mistake(
                "You kept the signs, so shares for and against cancel. A share's strength does not depend on its sign.",
                lambda values, mask: _fraction_inside(values.sum(0), mask),
            ),
            Mistake(
                "You counted positive shares only. A share against the answer also says where the network looked.",
                lambda values, mask: _fraction_inside(values.sum(0).clamp(min=0), mask),
            ),
            Mistake("That is the fraction outside.", lambda values, mask: 1 - inside(values, mask)),
            Mistake(
                "You compared means. A mask of one strong pixel would win; compare sums.",
                lambda values, mask: values.sum(0).abs()[mask].mean() / values.sum(0).abs().mean(),
            ),
            Mistake(
                "That is the fraction of the picture under the mask, whatever the map. Where do the values come in?",
                lambda values, mask: mask.float().mean(),
            ),
            Mistake(
                "You compared inside with outside. Compare inside with all.",
                lambda values, mask: values.sum(0).abs()[mask].sum() / values.sum(0).abs()[~mask].sum(),
            ),
        ],
    ),
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
                "High comes before low in your answer.", lambda scores, draws: reach_of_luck(scores, draws).flip(0)
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
                lambda logits, target: logits[:, target] - _logits_of_others(logits, target).exp().sum(1).add(1).log(),
            ),
            Mistake("You have for and against the wrong way round.", lambda logits, target: -log_odds(logits, target)),
        ],
    ),
]
