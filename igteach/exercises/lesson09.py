"""The checks of lesson 09: a baseline for a text, scores of tokens, scores of words, how many predictions flip."""

import torch
from torch import Tensor

from igteach.exercises.checker import Case, Exercise, Mistake


def _texts(draw: torch.Generator) -> list[Case]:
    cases = []
    for tokens, width in ((5, 3), (7, 4), (6, 5)):
        embeddings, pad = torch.randn(tokens, width, generator=draw), torch.randn(width, generator=draw)
        special = torch.zeros(tokens, dtype=torch.bool)
        special[[0, -1] if tokens == 5 else [0, tokens // 2, -1]] = True  # [SEP] also stands between two sentences
        cases.append(Case(f"a text of {tokens} tokens", (embeddings, special, pad)))
    return cases


def _paths(draw: torch.Generator) -> list[Case]:
    cases = []
    for tokens, width in ((4, 3), (6, 2), (5, 5)):
        slopes, x, start = (torch.randn(tokens, width, generator=draw) for _ in range(3))
        cases.append(Case(f"{tokens} tokens, embeddings of width {width}", (slopes, x, start)))
    return cases


def _pieces(draw: torch.Generator) -> list[Case]:
    cases = []
    for numbers in ([0, 1, 1, 2], [0, 0, 0, 1, 2, 2], [0, 1, 2, 2, 3]):
        scores = torch.randn(len(numbers) + 2, generator=draw)
        scores[[0, -1]] = 0.0
        word_of = torch.tensor([-1, *numbers, -1])
        cases.append(Case(f"{len(numbers)} tokens of {max(numbers) + 1} words", (scores, word_of)))
    return cases


def _predictions(draw: torch.Generator) -> list[Case]:
    cases = []
    for texts in (12, 20, 30):
        before, after = torch.randint(4, (2, texts), generator=draw)
        before[:3], after[:3] = torch.tensor([1, 0, 2]), torch.tensor([1, 1, 0])
        cases.append(Case(f"{texts} texts", (before, after, 1)))
    return cases


def baseline_of(embeddings: Tensor, special: Tensor, pad: Tensor) -> Tensor:
    return torch.where(special[:, None], embeddings, pad)


def token_scores(slopes: Tensor, x: Tensor, start: Tensor) -> Tensor:
    return (slopes * (x - start)).sum(1)


def word_scores(scores: Tensor, word_of: Tensor) -> Tensor:
    return _by_word(scores, word_of, torch.sum)


def flip_rate(before: Tensor, after: Tensor, label: int) -> Tensor:
    other = before != label
    return (after[other] == label).double().mean()


def _by_word(scores: Tensor, word_of: Tensor, take) -> Tensor:  # type: ignore[no-untyped-def]
    return torch.stack([take(scores[word_of == word]) for word in range(int(word_of.max()) + 1)])


EXERCISES = [
    Exercise(
        "09.1",
        baseline_of,
        _texts,
        [
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
        "09.2",
        token_scores,
        _paths,
        [
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
        "09.3",
        word_scores,
        _pieces,
        [
            Mistake(
                "You took the mean of a word's pieces. Then the scores no longer add up.",
                lambda s, w: _by_word(s, w, torch.mean),
            ),
            Mistake(
                "You took the largest piece of a word. The others count as well.",
                lambda s, w: _by_word(s, w, torch.max),
            ),
            Mistake("You took the first piece of each word only.", lambda s, w: _by_word(s, w, lambda part: part[0])),
            Mistake(
                "You summed sizes. A word may speak for and against in its pieces: keep the signs.",
                lambda s, w: _by_word(s.abs(), w, torch.sum),
            ),
            Mistake(
                "You gave every token the score of its word. One number for each word is wanted.",
                lambda s, w: _by_word(s, w, torch.sum)[w[1:-1]],
            ),
        ],
    ),
    Exercise(
        "09.4",
        flip_rate,
        _predictions,
        [
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
