"""Lesson 03's cases: counts compared with a corpus, first-order shares, the most neutral baseline."""

import torch

from igteach.exercises.cases.families import LogisticModel, random_network
from igteach.exercises.checker import Case, Task


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
        cases.append(Case(f"function {number + 1}", (LogisticModel(weights), candidates, neutral)))
    return cases


def _first_order_shares_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with an input and a baseline."""
    return [
        Case(f"function {number + 1}", (random_network(rng), *torch.randn(2, 1, 3, generator=rng).double()))
        for number in range(3)
    ]


TASKS = [
    Task("03.1", _relative_counts_cases),
    Task("03.2", _most_neutral_cases),
    Task("03.3", _first_order_shares_cases),
]
