"""Lesson 09's solutions and mistakes.

A baseline for a text, scores of words, how many predictions flip, two words together.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def baseline_of(embeddings: Tensor, special: Tensor, pad: Tensor) -> Tensor:
    """Exercise 09.1: the text's embeddings, with padding in the place of every token that is not special."""
    return torch.where(special[:, None], embeddings, pad)


def word_scores(scores: Tensor, word_of: Tensor) -> Tensor:
    """Exercise 09.3: one score for each word, the sum over its tokens."""
    return _reduce_by_word(scores, word_of, torch.sum)


def flip_rate(before: Tensor, after: Tensor, label: int) -> Tensor:
    """Exercise 09.4: the fraction of texts without the label before that have it after."""
    had_other_label = before != label
    return (after[had_other_label] == label).double().mean()


def together(f: Function, words: int, first: int, second: int) -> Tensor:
    """Exercise 09.5: what two words do together, beyond what each does where the other is missing."""
    both, only_first, only_second, neither = _with_and_without(f, words, first, second)
    return both - only_first - only_second + neither


# Helpers of the solutions and of the mistakes


def _with_and_without(f: Function, words: int, first: int, second: int) -> Tensor:
    """F of the text with both words, with the first, with the second, and with neither: (4,)."""
    present = torch.ones(4, words)
    present[[1, 3], second] = 0
    present[[2, 3], first] = 0
    return f(present)


def _alone(f: Function, words: int, first: int, second: int) -> Tensor:
    """F of an empty text but for both words, for the first, for the second, and for neither: (4,)."""
    present = torch.zeros(4, words)
    present[[0, 1], first] = 1
    present[[0, 2], second] = 1
    return f(present)


def _of_four(weights: tuple[int, int, int, int]) -> Callable[..., Tensor]:
    """An answer to 09.5 that adds up the four values of F with these weights."""
    return lambda *arguments: _with_and_without(*arguments) @ torch.tensor(weights).float()


def _with_empty_text(f: Function, words: int, first: int, second: int) -> Tensor:
    """What two words do together, with F of no words at all in the place of F without the two."""
    both, only_first, only_second, _ = _with_and_without(f, words, first, second)
    return both - only_first - only_second + f(torch.zeros(1, words))[0]


def _by_number(scores: Tensor, word_of: Tensor) -> Tensor:
    """The sums by word, where a special token counts for the word that Python finds at -1."""
    total = torch.zeros(int(word_of.max()) + 1)
    for score, word in zip(scores, word_of, strict=True):
        total[word] += score
    return total


def _strongest(pieces: Tensor) -> Tensor:
    return pieces[pieces.abs().argmax()]


def _rate(before: Tensor, label: int) -> Tensor:
    return (before == label).double().mean()


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
            Mistake(
                "You kept the first token only. Other special tokens stay as well: ask special.",
                lambda e, special, pad: torch.cat([e[:1], pad.expand_as(e[1:])]),
            ),
            Mistake(
                "You kept the last token only. Other special tokens stay as well: ask special.",
                lambda e, special, pad: torch.cat([pad.expand_as(e[1:]), e[-1:]]),
            ),
            Mistake(
                "You added the padding to the special tokens. They stay as they are.",
                lambda e, special, pad: e * special[:, None] + pad,
            ),
            Mistake(
                "Your special tokens are zeros. They keep their embeddings.",
                lambda e, special, pad: pad * ~special[:, None],
            ),
            Mistake(
                "All your special tokens have the embedding of the first. Each keeps its own.",
                lambda e, special, pad: torch.where(special[:, None], e[0], pad),
            ),
            Mistake(
                "That is the displacement, x minus the baseline. The baseline itself is wanted.",
                lambda e, special, pad: e - baseline_of(e, special, pad),
            ),
            Mistake(
                "You went halfway to the padding. The baseline is all the way there.",
                lambda e, special, pad: (e + baseline_of(e, special, pad)) / 2,
            ),
            Mistake(
                "You put one number into all places of an embedding. The padding has a number for each.",
                lambda e, special, pad: torch.where(special[:, None], e, pad.mean()),
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
                "You kept the last piece of each word only. Add its pieces up.",
                lambda s, w: _reduce_by_word(s, w, lambda tokens: tokens[-1]),
            ),
            Mistake(
                "You took the strongest piece of a word. The others count as well.",
                lambda s, w: _reduce_by_word(s, w, _strongest),
            ),
            Mistake(
                "Special tokens ended up in the last word: -1 is the last place of a list. Leave them out.",
                _by_number,
            ),
            Mistake(
                "Special tokens ended up in word 0. Leave them out.",
                lambda s, w: _reduce_by_word(s, w.clamp(min=0), torch.sum),
            ),
            Mistake("You left out the last word.", lambda s, w: word_scores(s, w)[:-1]),
            Mistake("You left out word 0. Words are counted from zero.", lambda s, w: word_scores(s, w)[1:]),
            Mistake(
                "You counted the special tokens as a word, the first of yours.",
                lambda s, w: torch.cat([s[w == -1].sum()[None], word_scores(s, w)]),
            ),
            Mistake(
                "You have a number for each token. Count the words.",
                lambda s, w: torch.cat([word_scores(s, w), torch.zeros(len(s) - int(w.max()) - 1)]),
            ),
            Mistake(
                "Those are the tokens without the special ones. Add up the pieces of each word.",
                lambda s, w: s[w >= 0],
            ),
            Mistake(
                "Each of your words holds those before it, too.",
                lambda s, w: word_scores(s, w).cumsum(0),
            ),
            Mistake(
                "Each of your words holds those before it, and special tokens, too. Ask for the word's own number: ==.",
                lambda s, w: torch.stack([s[w <= word].sum() for word in range(int(w.max()) + 1)]),
            ),
            Mistake("That is the sum of all words. Keep one number for each.", lambda s, w: word_scores(s, w).sum()),
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
            Mistake(
                "You subtracted two fractions, so texts that lost the label hide others that got it. Count those that "
                "got it.",
                lambda before, after, label: _rate(after, label) - _rate(before, label),
            ),
            Mistake(
                "You counted how many more texts have it afterwards: those that lost it hide others that got it.",
                lambda before, after, label: (
                    ((after == label).sum() - (before == label).sum()) / (before != label).sum()
                ),
            ),
            Mistake(
                "You counted every change, of all texts. Of those without the label, how many have it afterwards?",
                lambda before, after, label: (after != before).double().mean(),
            ),
            Mistake(
                "You counted the texts that lost the label. How many got it?",
                lambda before, after, label: (after[before == label] != label).double().mean(),
            ),
            Mistake(
                "That is the fraction that did not flip.",
                lambda before, after, label: 1 - flip_rate(before, after, label),
            ),
            Mistake(
                "before and after have changed places.",
                lambda before, after, label: flip_rate(after, before, label),
            ),
            Mistake(
                "You divided by the texts that have the label afterwards. Divide by those without it before.",
                lambda before, after, label: (before[after == label] != label).double().mean(),
            ),
            Mistake(
                "You divided by the texts that changed. Divide by those without the label before.",
                lambda before, after, label: (after[after != before] == label).double().mean(),
            ),
            Mistake(
                "You divided by the texts that had the label before. Those cannot flip to it: divide by the others.",
                lambda before, after, label: ((after == label) & (before != label)).sum() / (before == label).sum(),
            ),
            Mistake(
                "You divided by the right texts, and counted others as well: some had the label before.",
                lambda before, after, label: (after == label).sum() / (before != label).sum(),
            ),
            Mistake(
                "Your result is 0 in every case. Do you divide whole numbers by // or take the mean of whole numbers?",
                lambda before, after, label: torch.zeros(()),
            ),
        ],
    ),
    Exercise(
        task=TASKS["09.5"],
        solution=together,
        mistakes=[
            Mistake(
                "That is what both words do in all. Leave out what each does without the other.",
                _of_four((1, 0, 0, -1)),
            ),
            Mistake(
                "F without either word is now subtracted twice, once with each text that lacks a word. Add it once.",
                _of_four((1, -1, -1, 0)),
            ),
            Mistake(
                "You subtracted F without either word. It is in the other two already: add it.",
                _of_four((1, -1, -1, -1)),
            ),
            Mistake(
                "The sign is flipped: if two words say more together than apart, your number should be positive.",
                _of_four((-1, 1, 1, -1)),
            ),
            Mistake(
                "Those are the words' own parts, added up. What do they do together beyond that?",
                _of_four((0, 1, 1, -2)),
            ),
            Mistake(
                "That is what the first word does while the second is there. What does it do while it is not?",
                _of_four((1, 0, -1, 0)),
            ),
            Mistake(
                "That is what the second word does while the first is there. What does it do while it is not?",
                _of_four((1, -1, 0, 0)),
            ),
            Mistake(
                "That is what the first word does while the second is cut. What does it do while it is there?",
                _of_four((0, 1, 0, -1)),
            ),
            Mistake(
                "That is what the second word does while the first is cut. What does it do while it is there?",
                _of_four((0, 0, 1, -1)),
            ),
            Mistake(
                "You added what the first word does with the second there and with the second cut. How much more is "
                "the one than the other?",
                _of_four((1, 1, -1, -1)),
            ),
            Mistake(
                "You left out F of the text with both words. That is where they can do something together.",
                _of_four((0, -1, -1, 1)),
            ),
            Mistake(
                "In your last text every word is cut. Only the two words go; all others stay.",
                _with_empty_text,
            ),
            Mistake(
                "You cut each word from the whole text, and added up what is lost. What is lost if both go at once?",
                _of_four((2, -1, -1, 0)),
            ),
            Mistake(
                "You took the difference of the words. How much does one change what the other does?",
                _of_four((0, 1, -1, 0)),
            ),
            Mistake(
                "You began with an empty text. All other words stay where they are.",
                lambda *arguments: _alone(*arguments) @ torch.tensor([1.0, -1.0, -1.0, 1.0]),
            ),
            Mistake(
                "You took the words at first + 1 and second + 1. Words are counted from zero.",
                lambda f, words, first, second: together(f, words, (first + 1) % words, (second + 1) % words),
            ),
            Mistake(
                "You took the words at first - 1 and second - 1. Their numbers count from zero already.",
                lambda f, words, first, second: together(f, words, (first - 1) % words, (second - 1) % words),
            ),
            Mistake(
                "You took the absolute value. A negative number says that the words have the same to say.",
                lambda *arguments: together(*arguments).abs(),
            ),
            Mistake(
                "You divided by four. These four values are added and subtracted, not averaged.",
                lambda *arguments: together(*arguments) / 4,
            ),
        ],
    ),
]
