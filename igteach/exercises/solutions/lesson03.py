"""Lesson 03's solutions and mistakes: counts compared with a corpus, first-order shares, the most neutral baseline."""

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


def first_order_shares(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    """Exercise 03.3: the gradient at x times the displacement from the baseline."""
    return input_gradient(f, x) * (x - baseline)


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
            Mistake("That is the candidate furthest from neutral.", lambda f, c, n: (f(c) - n).abs().argmax()),
            Mistake(
                "You returned the score; the index of the candidate is wanted.",
                lambda f, c, n: f(c)[most_neutral(f, c, n)],
            ),
            Mistake(
                "That is the candidate with the smallest values. Look at the score, not at the input.",
                lambda f, c, n: c.abs().sum(1).argmin(),
            ),
        ],
    ),
    Exercise(
        task=TASKS["03.3"],
        solution=first_order_shares,
        mistakes=[
            Mistake(
                "You multiplied by x. A share is of a difference: multiply by x - baseline.",
                lambda f, x, b: input_gradient(f, x) * x,
            ),
            Mistake(
                "That is the gradient: a slope, not a share. How far did each feature go?",
                lambda f, x, b: input_gradient(f, x),
            ),
            Mistake(
                "You took the gradient at the baseline; it is wanted at x.",
                lambda f, x, b: input_gradient(f, b) * (x - b),
            ),
            Mistake(
                "The displacement is from the baseline to x, not back.", lambda f, x, b: input_gradient(f, x) * (b - x)
            ),
            Mistake(
                "You added the shares up. Keep one for each feature.", lambda f, x, b: first_order_shares(f, x, b).sum()
            ),
            Mistake("You took absolute values; shares have signs.", lambda f, x, b: first_order_shares(f, x, b).abs()),
        ],
    ),
]
