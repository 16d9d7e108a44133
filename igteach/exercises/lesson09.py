"""Lesson 09's checker: a baseline for a text, scores of tokens, scores of words, how many predictions flip."""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Exercise, Mistake

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


# Cases that an answer is checked on


def _baseline_of_cases(rng: torch.Generator) -> list[Case]:
    """Random embeddings of texts, with the special tokens marked, and the embedding of the padding."""
    cases = []
    for tokens, width in ((5, 3), (7, 4), (6, 5)):
        embeddings, pad = torch.randn(tokens, width, generator=rng), torch.randn(width, generator=rng)
        special = torch.zeros(tokens, dtype=torch.bool)
        special[[0, -1] if tokens == 5 else [0, tokens // 2, -1]] = True  # [SEP] also stands between two sentences
        cases.append(Case(f"a text of {tokens} tokens", (embeddings, special, pad)))
    return cases


def _token_scores_cases(rng: torch.Generator) -> list[Case]:
    """Mean slopes, embeddings and baseline embeddings of texts."""
    cases = []
    for tokens, width in ((4, 3), (6, 2), (5, 5)):
        slopes, x, start = (torch.randn(tokens, width, generator=rng) for _ in range(3))
        cases.append(Case(f"{tokens} tokens, embeddings of width {width}", (slopes, x, start)))
    return cases


def _word_scores_cases(rng: torch.Generator) -> list[Case]:
    """Scores of tokens, with the word that each token belongs to (-1 for special tokens)."""
    cases = []
    for numbers in ([0, 1, 1, 2], [0, 0, 0, 1, 2, 2], [0, 1, 2, 2, 3]):
        scores = torch.randn(len(numbers) + 2, generator=rng)
        scores[[0, -1]] = 0.0
        word_of = torch.tensor([-1, *numbers, -1])
        cases.append(Case(f"{len(numbers)} tokens of {max(numbers) + 1} words", (scores, word_of)))
    return cases


def _flip_rate_cases(rng: torch.Generator) -> list[Case]:
    """Predicted labels of texts before and after a change, and a label."""
    cases = []
    for texts in (12, 20, 30):
        before, after = torch.randint(4, (2, texts), generator=rng)
        before[:3], after[:3] = torch.tensor([1, 0, 2]), torch.tensor([1, 1, 0])
        cases.append(Case(f"{texts} texts", (before, after, 1)))
    return cases


# Helpers of the solutions and of the mistakes


def _reduce_by_word(scores: Tensor, word_of: Tensor, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """A number for each word, made from the scores of its tokens."""
    words = range(int(word_of.max()) + 1)
    return torch.stack([reduce(scores[word_of == word]) for word in words])


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        id="09.1",
        solution=baseline_of,
        cases=_baseline_of_cases,
        mistakes=[
            Mistake(
                "You put the padding in the place of every token. [CLS] and [SEP] are no words of the text; they stay.",
                lambda e, special, pad: pad.expand_as(e),
            ),
            Mistake(
                "The wrong ones: you kept the words and took the special tokens out.",
                lambda e, special, pad: torch.where(special[:, None], pad, e),
            ),
            Mistake(
                "Zeros. No token has that embedding; take the one of the padding.",
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
        id="09.2",
        solution=token_scores,
        cases=_token_scores_cases,
        mistakes=[
            Mistake(
                "You summed the slopes alone. A share is a slope times the way from the baseline.",
                lambda g, x, start: g.sum(1),
            ),
            Mistake(
                "You multiplied by the embedding. The way begins at the baseline, not at zero.",
                lambda g, x, start: (g * x).sum(1),
            ),
            Mistake(
                "You took a norm, which has no sign and does not add up.",
                lambda g, x, start: (g * (x - start)).norm(dim=1),
            ),
            Mistake(
                "You summed sizes. Shares of one token may cancel: add them up with their signs.",
                lambda g, x, start: (g * (x - start)).abs().sum(1),
            ),
            Mistake(
                "You took the mean over the embedding. Then the scores no longer add up to F(x) - F(x').",
                lambda g, x, start: (g * (x - start)).mean(1),
            ),
            Mistake(
                "You walked from the text to the baseline; the sign is turned round.",
                lambda g, x, start: (g * (start - x)).sum(1),
            ),
            Mistake(
                "You summed over the tokens. One score for each token is wanted: sum over the embedding.",
                lambda g, x, start: (g * (x - start)).sum(0),
            ),
        ],
    ),
    Exercise(
        id="09.3",
        solution=word_scores,
        cases=_word_scores_cases,
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
                "You summed sizes. A word may speak for and against in its pieces: keep the signs.",
                lambda s, w: _reduce_by_word(s.abs(), w, torch.sum),
            ),
            Mistake(
                "You gave every token the score of its word. One number for each word is wanted.",
                lambda s, w: _reduce_by_word(s, w, torch.sum)[w[1:-1]],
            ),
        ],
    ),
    Exercise(
        id="09.4",
        solution=flip_rate,
        cases=_flip_rate_cases,
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
                "That is the number of flips. The part is wanted.",
                lambda before, after, label: ((after == label) & (before != label)).sum().double(),
            ),
        ],
    ),
]
