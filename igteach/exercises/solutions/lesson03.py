"""Lesson 03's solutions and mistakes: counts compared with a corpus, the neutral baseline, raw measurements."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake
from igteach.exercises.solutions.common import input_gradient

# Solutions


def relative_counts(text: Tensor, corpus: Tensor) -> Tensor:
    """Exercise 03.1: each word's fraction of the text minus its fraction of the corpus."""
    return text / text.sum() - corpus / corpus.sum()


def most_neutral(f: Function, candidates: Tensor, neutral: float) -> Tensor:
    """Exercise 03.2: the index of the candidate whose score is closest to neutral."""
    return (f(candidates) - neutral).abs().argmin()


def raw_shares(f: Function, measured: Tensor, background: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Exercise 03.4: first-order shares of measurements that are standardised before the network."""
    return _slopes(f, measured, mean, deviation) * (measured - background) / deviation


# Helpers of the solutions and of the mistakes


def _slopes(f: Function, measured: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """The gradient where the network sees the measurements."""
    return input_gradient(f, (measured - mean) / deviation)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["03.1"],
        solution=relative_counts,
        mistakes=[
            Mistake(
                "You compared counts with counts. A longer text has more of every word: compare frequencies.",
                lambda t, c: t - c,
            ),
            Mistake("You have the text's own frequencies. Subtract those of the corpus.", lambda t, c: t / t.sum()),
            Mistake(
                "The sign is flipped: a word more frequent in the text than in the corpus is positive.",
                lambda t, c: -relative_counts(t, c),
            ),
            Mistake(
                "You divided one by the other; the difference of the two frequencies is wanted.",
                lambda t, c: t / t.sum() / (c / c.sum()),
            ),
            Mistake(
                "You divided both by the length of the text. Each has its own length.", lambda t, c: (t - c) / t.sum()
            ),
            Mistake(
                "You divided both by the length of the corpus. Each has its own length.",
                lambda t, c: (t - c) / c.sum(),
            ),
            Mistake(
                "You divided both by the length of the two together. Each has its own length.",
                lambda t, c: (t - c) / (t.sum() + c.sum()),
            ),
            Mistake(
                "You subtracted the counts before you divided. Divide each by its own sum first.",
                lambda t, c: (t - c) / (t.sum() - c.sum()),
            ),
            Mistake(
                "You divided by how many different words there are. Divide by the sum of all counts.",
                lambda t, c: (t - c) / len(t),
            ),
            Mistake("You divided the text, but not the corpus.", lambda t, c: t / t.sum() - c),
            Mistake("You divided the corpus, but not the text.", lambda t, c: t - c / c.sum()),
            Mistake(
                "You compared logarithms. The difference of the two frequencies is wanted.",
                lambda t, c: (t / t.sum()).log() - (c / c.sum()).log(),
            ),
            Mistake(
                "You divided by the largest count. A frequency is a fraction of all counts.",
                lambda t, c: t / t.max() - c / c.max(),
            ),
            Mistake(
                "You left out what the text has less of. Keep the negative differences.",
                lambda t, c: relative_counts(t, c).clamp(min=0),
            ),
            Mistake("You took the absolute value. Keep the sign.", lambda t, c: relative_counts(t, c).abs()),
            Mistake(
                "Your numbers count words: how many more there are than a text of this length has elsewhere. "
                "A difference of frequencies is wanted.",
                lambda t, c: relative_counts(t, c) * t.sum(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["03.2"],
        solution=most_neutral,
        mistakes=[
            Mistake(
                "That is the candidate with the lowest score. Neutral is not the same as low.",
                lambda f, c, n: f(c).argmin(),
            ),
            Mistake("That is the candidate with the highest score.", lambda f, c, n: f(c).argmax()),
            Mistake(
                "That is the candidate whose score is nearest to zero. Compare with `neutral`.",
                lambda f, c, n: f(c).abs().argmin(),
            ),
            Mistake(
                "You took the first candidate that is near enough. A later one may be nearer.",
                lambda f, c, n: ((f(c) - n).abs() < 0.11).int().argmax(),
            ),
            Mistake("That is the candidate furthest from neutral.", lambda f, c, n: (f(c) - n).abs().argmax()),
            Mistake(
                "You returned the score; the index of the candidate is wanted.",
                lambda f, c, n: f(c)[most_neutral(f, c, n)],
            ),
            Mistake(
                "That is the candidate with the smallest values. Look at the score, not at the input.",
                lambda f, c, n: c.abs().sum(1).argmin(),
            ),
            Mistake(
                "You compared with one half. What is neutral depends on F: compare with `neutral`.",
                lambda f, c, n: (f(c) - 0.5).abs().argmin(),
            ),
            Mistake(
                "You compared inputs with the neutral score. Compare the scores.",
                lambda f, c, n: (c - n).abs().sum(1).argmin(),
            ),
            Mistake(
                "You subtracted `neutral` from the inputs. Compare it with the scores.",
                lambda f, c, n: f(c - n).abs().argmin(),
            ),
            Mistake(
                "That is the distance from neutral; the index of the candidate is wanted.",
                lambda f, c, n: (f(c) - n).abs().min(),
            ),
            Mistake("You counted from one; an index counts from zero.", lambda f, c, n: most_neutral(f, c, n) + 1),
            Mistake(
                "You looked above neutral only. A score below it may be nearer.",
                lambda f, c, n: torch.where(f(c) < n, torch.inf, f(c)).argmin(),
            ),
            Mistake(
                "You looked below neutral only. A score above it may be nearer.",
                lambda f, c, n: torch.where(f(c) > n, -torch.inf, f(c)).argmax(),
            ),
            Mistake(
                "You took the absolute value of scores. Take that of their distance from neutral.",
                lambda f, c, n: (f(c).abs() - abs(n)).abs().argmin(),
            ),
            Mistake(
                "That is the candidate nearest to the mean score. Neutral need not be in the middle.",
                lambda f, c, n: (f(c) - f(c).mean()).abs().argmin(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["03.4"],
        solution=raw_shares,
        mistakes=[
            Mistake(
                "You asked the network at raw measurements. It was trained on standardised ones.",
                lambda f, x, b, m, d: input_gradient(f, x) * (x - b),
            ),
            Mistake(
                "Your slope is per deviation, and your displacement is in raw units. The units must cancel.",
                lambda f, x, b, m, d: _slopes(f, x, m, d) * (x - b),
            ),
            Mistake(
                "You asked the network at raw measurements, though your displacement is standardised.",
                lambda f, x, b, m, d: input_gradient(f, x) * (x - b) / d,
            ),
            Mistake(
                "Mind the brackets: (x - mean) / deviation.",
                lambda f, x, b, m, d: input_gradient(f, x - m / d) * (x - b) / d,
            ),
            Mistake(
                "You asked at the displacement, not at the patient.",
                lambda f, x, b, m, d: input_gradient(f, (x - b) / d) * (x - b) / d,
            ),
            Mistake(
                "You divided by the deviation twice.",
                lambda f, x, b, m, d: raw_shares(f, x, b, m, d) / d,
            ),
            Mistake(
                "You multiplied by the deviation. A raw unit is a small fraction of a large deviation.",
                lambda f, x, b, m, d: _slopes(f, x, m, d) * (x - b) * d,
            ),
            Mistake(
                "You measured from the mean. The background is another patient.",
                lambda f, x, b, m, d: _slopes(f, x, m, d) * (x - m) / d,
            ),
            Mistake(
                "You standardised the patient, but not the background.",
                lambda f, x, b, m, d: _slopes(f, x, m, d) * ((x - m) / d - b),
            ),
            Mistake(
                "You standardised the displacement like a measurement. In a difference the mean cancels.",
                lambda f, x, b, m, d: _slopes(f, x, m, d) * (x - b - m) / d,
            ),
            Mistake(
                "That is the slope per raw unit. How far did each measurement go?",
                lambda f, x, b, m, d: _slopes(f, x, m, d) / d,
            ),
            Mistake(
                "That is the slope per deviation, not a share. How far did each measurement go?",
                lambda f, x, b, m, d: _slopes(f, x, m, d),
            ),
            Mistake(
                "You took the gradient at the background; it is wanted at the patient.",
                lambda f, x, b, m, d: _slopes(f, b, m, d) * (x - b) / d,
            ),
            Mistake(
                "The displacement is from the background to the patient, not back.",
                lambda f, x, b, m, d: -raw_shares(f, x, b, m, d),
            ),
            Mistake(
                "You added the shares up. Keep one for each measurement.",
                lambda f, x, b, m, d: raw_shares(f, x, b, m, d).sum(),
            ),
            Mistake(
                "You took absolute values; shares have signs.",
                lambda f, x, b, m, d: raw_shares(f, x, b, m, d).abs(),
            ),
        ],
    ),
]
