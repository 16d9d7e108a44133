"""Lesson 03's checker: counts compared with a corpus, first-order shares, the most neutral baseline."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake
from igteach.exercises.common import input_gradient, random_network

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


# Cases that an answer is checked on


def _relative_counts_cases(rng: torch.Generator) -> list[Case]:
    """Random counts of words, in a text that is not empty and in a corpus."""
    cases = []
    for words in (4, 6, 9):
        text = torch.randint(0, 9, (words,), generator=rng).double()
        text[0] += 1
        corpus = torch.randint(1, 90, (words,), generator=rng).double()
        cases.append(Case(f"{words} words", (text, corpus)))
    return cases


def _most_neutral_cases(rng: torch.Generator) -> list[Case]:
    """Four candidates in random order: nearly neutral, well above neutral, near 1, near 0."""
    cases = []
    for number, neutral in enumerate((0.5, 0.5, 0.25, 0.1)):
        order = torch.randperm(4, generator=rng)
        scores = torch.tensor([neutral * 0.9, neutral * 1.3, 0.999, 0.0005]).double()[order]
        weights = torch.rand(2, generator=rng).double() + 0.5
        candidates = torch.stack([torch.logit(scores) / weights[0], torch.zeros(4).double()], dim=1)
        cases.append(Case(f"function {number + 1}", (_logistic_model(weights), candidates, neutral)))
    return cases


def _first_order_shares_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with an input and a baseline."""
    return [
        Case(f"function {number + 1}", (random_network(rng), *torch.randn(2, 1, 3, generator=rng).double()))
        for number in range(3)
    ]


def _logistic_model(weights: Tensor) -> Function:
    return lambda batch: torch.sigmoid(batch @ weights.to(batch))


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        id="03.1",
        solution=relative_counts,
        cases=_relative_counts_cases,
        mistakes=[
            Mistake(
                "You compared counts with counts. A longer text has more of every word: compare shares of the text.",
                lambda t, c: t - c,
            ),
            Mistake(
                "You have the text's own shares. Take the corpus' shares away from them.", lambda t, c: t / t.sum()
            ),
            Mistake(
                "The sign is turned round: a word more frequent in the text than usual is positive.",
                lambda t, c: -relative_counts(t, c),
            ),
            Mistake(
                "You divided the one by the other; the difference of the two shares is wanted.",
                lambda t, c: t / t.sum() / (c / c.sum()),
            ),
            Mistake(
                "You divided both by the length of the text. Each has its own length.", lambda t, c: (t - c) / t.sum()
            ),
        ],
    ),
    Exercise(
        id="03.2",
        solution=most_neutral,
        cases=_most_neutral_cases,
        mistakes=[
            Mistake(
                "That is the candidate with the lowest score. Neutral is not the same as low.",
                lambda f, c, n: f(c).argmin(),
            ),
            Mistake("That is the candidate with the highest score.", lambda f, c, n: f(c).argmax()),
            Mistake("That is the candidate furthest from neutral.", lambda f, c, n: (f(c) - n).abs().argmax()),
            Mistake(
                "You return the score; the index of the candidate is wanted.",
                lambda f, c, n: f(c)[most_neutral(f, c, n)],
            ),
            Mistake(
                "That is the candidate with the smallest values. Look at its score, not at its size.",
                lambda f, c, n: c.abs().sum(1).argmin(),
            ),
        ],
    ),
    Exercise(
        id="03.3",
        solution=first_order_shares,
        cases=_first_order_shares_cases,
        mistakes=[
            Mistake(
                "You multiplied by x. The share is of a difference: multiply by x - baseline.",
                lambda f, x, b: input_gradient(f, x) * x,
            ),
            Mistake(
                "That is the gradient: a speed, not a share. How far did each feature go?",
                lambda f, x, b: input_gradient(f, x),
            ),
            Mistake(
                "You took the gradient at the baseline; it is wanted at x.",
                lambda f, x, b: input_gradient(f, b) * (x - b),
            ),
            Mistake("The way runs from the baseline to x, not back.", lambda f, x, b: input_gradient(f, x) * (b - x)),
            Mistake(
                "You added the shares up. Keep one for each feature.", lambda f, x, b: first_order_shares(f, x, b).sum()
            ),
            Mistake("You took sizes; shares have signs.", lambda f, x, b: first_order_shares(f, x, b).abs()),
        ],
    ),
]
