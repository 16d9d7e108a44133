"""Lesson 09's solutions and mistakes.

A baseline for a text, scores of tokens, scores of words, how many predictions flip.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def baseline_of(embeddings: Tensor, special: Tensor, pad: Tensor) -> Tensor:
    """Exercise 09.1: the text's embeddings, with padding in the place of every token that is not special."""
    return torch.where(special[:, None], embeddings, pad)


def token_scores(slopes: Tensor, x: Tensor, start: Tensor) -> Tensor:
    """Exercise 09.2: one score for each token, the sum of its embedding's shares."""
    return (slopes * (x - start)).sum(1)


def word_scores(scores: Tensor, word_of: Tensor) -> Tensor:
    """Exercise 09.3: one score for each word, the sum over its tokens."""
    return _reduce_by_word(scores, word_of, torch.sum)


def flip_rate(before: Tensor, after: Tensor, label: int) -> Tensor:
    """Exercise 09.4: the fraction of texts without the label before that have it after."""
    had_other_label = before != label
    return (after[had_other_label] == label).double().mean()


# Helpers of the solutions and of the mistakes


def _reduce_by_word(scores: Tensor, word_of: Tensor, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """A number for each word, made from the scores of its tokens."""
    words = range(int(word_of.max()) + 1)
    return torch.stack([reduce(scores[word_of == word]) for word in words])


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["09.1"],
        solution=baseline_of,
        mistakes=[
            Mistake(
                "You replaced every token with padding. [CLS] and [SEP] are not words of the text; they stay.",
                lambda e, special, pad: pad.expand_as(e),
            ),
            Mistake(
                "The wrong ones: you kept the words and replaced the special tokens.",
                lambda e, special, pad: torch.where(special[:, None], pad, e),
            ),
            Mistake(
                "Those are zeros. No token has that embedding; take the padding's.",
                lambda e, special, pad: torch.where(special[:, None], e, torch.zeros(())),
            ),
            Mistake("That is the text itself; no token has moved.", lambda e, special, pad: e),
            Mistake(
                "You kept the first token and the last. A special token may stand in between as well: ask special.",
                lambda e, special, pad: torch.cat([e[:1], pad.expand_as(e[1:-1]), e[-1:]]),
            ),
            Mistake(
                "That is the mean of the text's own embeddings; it still holds the text.",
                lambda e, special, pad: torch.where(special[:, None], e, e.mean(0)),
            ),
        ],
    ),
    Exercise(
        task=TASKS["09.2"],
        solution=token_scores,
        mistakes=[
            Mistake(
                "You summed the slopes alone. A share is a slope times the displacement from the baseline.",
                lambda g, x, start: g.sum(1),
            ),
            Mistake(
                "You multiplied by the embedding. The path begins at the baseline, not at zero.",
                lambda g, x, start: (g * x).sum(1),
            ),
            Mistake(
                "You took a norm, which has no sign and does not add up.",
                lambda g, x, start: (g * (x - start)).norm(dim=1),
            ),
            Mistake(
                "You summed absolute values. Shares of one token may cancel: add them up with their signs.",
                lambda g, x, start: (g * (x - start)).abs().sum(1),
            ),
            Mistake(
                "You took the mean over the embedding. Then the scores no longer add up to F(x) - F(x').",
                lambda g, x, start: (g * (x - start)).mean(1),
            ),
            Mistake(
                "You walked from the text to the baseline; the sign is flipped.",
                lambda g, x, start: (g * (start - x)).sum(1),
            ),
            Mistake(
                "You summed over the tokens. One score for each token is wanted: sum over the embedding.",
                lambda g, x, start: (g * (x - start)).sum(0),
            ),
        ],
    ),
    Exercise(
        task=TASKS["09.3"],
        solution=word_scores,
        mistakes=[
            Mistake(
                "You took the mean of a word's pieces. Then the scores no longer add up.",
                lambda s, w: _reduce_by_word(s, w, torch.mean),
            ),
            Mistake(
                "You took the largest piece of a word. The others count as well.",
                lambda s, w: _reduce_by_word(s, w, torch.max),
            ),
            Mistake(
                "You took the first piece of each word only.",
                lambda s, w: _reduce_by_word(s, w, lambda tokens: tokens[0]),
            ),
            Mistake(
                "You summed absolute values. The pieces of a word may speak for and against: keep the signs.",
                lambda s, w: _reduce_by_word(s.abs(), w, torch.sum),
            ),
            Mistake(
                "You gave every token the score of its word. One number for each word is wanted.",
                lambda s, w: _reduce_by_word(s, w, torch.sum)[w[1:-1]],
            ),
        ],
    ),
    Exercise(
        task=TASKS["09.4"],
        solution=flip_rate,
        mistakes=[
            Mistake(
                "That is how many have the label afterwards. Some had it before, and did not flip.",
                lambda before, after, label: (after == label).double().mean(),
            ),
            Mistake(
                "You divided by all texts. Those that had the label already cannot flip to it: leave them out.",
                lambda before, after, label: ((after == label) & (before != label)).double().mean(),
            ),
            Mistake(
                "You counted every change. Only those to the label are asked for.",
                lambda before, after, label: (after != before)[before != label].double().mean(),
            ),
            Mistake(
                "You looked at the texts that had the label before, and counted those that kept it.",
                lambda before, after, label: (after[before == label] == label).double().mean(),
            ),
            Mistake(
                "That is the number of flips. The fraction is wanted.",
                lambda before, after, label: ((after == label) & (before != label)).sum().double(),
            ),
        ],
    ),
]
