"""Lesson 03's cases: counts compared with a corpus, the most neutral baseline, shares of raw measurements."""

import torch

from igteach.exercises.cases.families import LogisticModel, TanhNetwork, TanhUnit
from igteach.exercises.checker import Case, Task


def _relative_counts_cases(rng: torch.Generator) -> list[Case]:
    """Random counts of words in a text and in a corpus. The first text has every word, so that it has logarithms."""
    cases = []
    for words in (4, 6, 9):
        text = torch.randint(0, 9, (words,), generator=rng).double()
        text = text.clamp(min=1) if words == 4 else text
        text[0] += 1
        corpus = torch.randint(1, 90, (words,), generator=rng).double()
        cases.append(Case(f"{words} words", (text, corpus)))
    return cases


def _most_neutral_cases(rng: torch.Generator) -> list[Case]:
    """Candidates in random order, with scores nearly neutral, a little further above it, and near both ends.

    The last function has negative scores, and one whose absolute value is nearly that of the neutral score. Their
    second features are random, so that small inputs have no neutral score.
    """
    cases = []
    for number, neutral in enumerate((0.5, 0.5, 0.25, 0.1), start=1):
        scores = torch.tensor([neutral - 0.05, neutral + 0.08, 0.999, 0.0005]).double()
        weights = torch.rand(2, generator=rng).double() + 0.5
        candidates = _candidates(torch.logit(scores), weights, rng)
        cases.append(Case(f"function {number}", (LogisticModel(weights), candidates, neutral)))
    weights = torch.rand(2, generator=rng).double() + 0.5
    scores = torch.tensor([-0.45, 0.48, -0.9, 0.1]).double()
    f = TanhUnit(weights, torch.zeros(()).double())
    cases.append(Case("function 5", (f, _candidates(torch.atanh(scores), weights, rng), -0.5)))
    return cases


def _candidates(heights: torch.Tensor, weights: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Points of two features, in random order, at which the weighted sum takes these heights."""
    second = torch.randn(len(heights), generator=rng).double()
    first = (heights - weights[1] * second) / weights[0]
    return torch.stack([first, second], dim=1)[torch.randperm(len(heights), generator=rng)]


def _raw_shares_cases(rng: torch.Generator) -> list[Case]:
    """Random networks, each with a patient, a background, and the mean and deviation of every measurement."""
    cases = []
    for number in (1, 2, 3):
        mean = 10 * torch.randn(3, generator=rng).double()
        deviation = torch.tensor([0.2, 1.5, 30.0]).double()[torch.randperm(3, generator=rng)]
        patient, background = mean + deviation * torch.randn(2, 1, 3, generator=rng).double()
        inner, outer = torch.randn(3, 4, generator=rng).double(), torch.randn(4, generator=rng).double()
        f = TanhNetwork(inner, outer, bias=0.5)
        cases.append(Case(f"network {number}", (f, patient, background, mean, deviation)))
    return cases


TASKS = [
    Task("03.1", _relative_counts_cases),
    Task("03.2", _most_neutral_cases),
    Task("03.4", _raw_shares_cases),
]
