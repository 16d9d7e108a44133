"""The checks of lesson 03: counts against a corpus, first-order shares, the most neutral baseline."""

import torch
from torch import Tensor

from igteach.core.functions import Function
from igteach.exercises.checker import Case, Exercise, Mistake


def _counts(draw: torch.Generator) -> list[Case]:
    cases = []
    for words in (4, 6, 9):
        text = torch.randint(0, 9, (words,), generator=draw).double() + torch.eye(words)[0].double()
        corpus = torch.randint(1, 90, (words,), generator=draw).double()
        cases.append(Case(f"{words} words", (text, corpus)))
    return cases


def _curved(draw: torch.Generator) -> Function:
    inner, outer = torch.randn(3, 4, generator=draw).double(), torch.randn(4, generator=draw).double()
    return lambda batch: torch.tanh(batch @ inner.to(batch)) @ outer.to(batch) + 0.7


def _pairs(draw: torch.Generator) -> list[Case]:
    return [
        Case(f"function {number + 1}", (_curved(draw), *torch.randn(2, 1, 3, generator=draw).double()))
        for number in range(3)
    ]


def _candidates(draw: torch.Generator) -> list[Case]:
    cases = []
    for number, neutral in enumerate((0.5, 0.5, 0.25, 0.1)):
        order = torch.randperm(4, generator=draw)
        logits = torch.logit(torch.tensor([neutral * 0.9, neutral * 1.3, 0.999, 0.0005]).double())[order]
        weights = torch.rand(2, generator=draw).double() + 0.5
        rows = torch.stack([logits / weights[0], torch.zeros(4).double()], dim=1)
        cases.append(Case(f"function {number + 1}", (_probability(weights), rows, neutral)))
    return cases


def _probability(weights: Tensor) -> Function:
    return lambda batch: torch.sigmoid(batch @ weights.to(batch))


def _gradient(f: Function, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def relative_counts(text: Tensor, corpus: Tensor) -> Tensor:
    return text / text.sum() - corpus / corpus.sum()


def first_order_shares(f: Function, x: Tensor, baseline: Tensor) -> Tensor:
    return _gradient(f, x) * (x - baseline)


def most_neutral(f: Function, candidates: Tensor, neutral: float) -> Tensor:
    return (f(candidates) - neutral).abs().argmin()


EXERCISES = [
    Exercise(
        "03.1",
        relative_counts,
        _counts,
        [
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
        "03.2",
        most_neutral,
        _candidates,
        [
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
        "03.3",
        first_order_shares,
        _pairs,
        [
            Mistake(
                "You multiplied by x. The share is of a difference: multiply by x - baseline.",
                lambda f, x, b: _gradient(f, x) * x,
            ),
            Mistake(
                "That is the gradient: a speed, not a share. How far did each feature go?",
                lambda f, x, b: _gradient(f, x),
            ),
            Mistake(
                "You took the gradient at the baseline; it is wanted at x.", lambda f, x, b: _gradient(f, b) * (x - b)
            ),
            Mistake("The way runs from the baseline to x, not back.", lambda f, x, b: _gradient(f, x) * (b - x)),
            Mistake(
                "You added the shares up. Keep one for each feature.", lambda f, x, b: first_order_shares(f, x, b).sum()
            ),
            Mistake("You took sizes; shares have signs.", lambda f, x, b: first_order_shares(f, x, b).abs()),
        ],
    ),
]
