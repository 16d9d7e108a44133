"""Lesson 09's cases: a baseline for a text, scores of words, how many predictions flip, two words together."""

import torch

from igteach.exercises.cases.families import TanhNetwork
from igteach.exercises.checker import Case, Task


def _baseline_of_cases(rng: torch.Generator) -> list[Case]:
    """Random embeddings of texts, with the special tokens marked, and the embedding of the padding."""
    cases = []
    for tokens, width in ((5, 3), (7, 4), (6, 5)):
        embeddings, pad = torch.randn(tokens, width, generator=rng), torch.randn(width, generator=rng)
        special = torch.zeros(tokens, dtype=torch.bool)
        special[[0, -1] if tokens == 5 else [0, tokens // 2, -1]] = True  # [SEP] also stands between two sentences
        cases.append(Case(f"a text of {tokens} tokens", (embeddings, special, pad)))
    return cases


def _word_scores_cases(rng: torch.Generator) -> list[Case]:
    """Scores of tokens, with the word that each token belongs to (-1 for special tokens, one of them in between)."""
    cases = []
    for numbers in ([0, 1, 1, 2], [0, 0, 0, 1, -1, 2, 2], [0, 1, 2, 2, 3]):
        word_of = torch.tensor([-1, *numbers, -1])
        scores = torch.randn(len(word_of), generator=rng)
        cases.append(Case(f"{len(word_of)} tokens and {max(numbers) + 1} words", (scores, word_of)))
    return cases


def _flip_rate_cases(rng: torch.Generator) -> list[Case]:
    """Predicted labels of texts before and after a change, and a label."""
    cases = []
    for texts, label in ((12, 1), (20, 3), (30, 2)):
        before, after = torch.randint(4, (2, texts), generator=rng)
        before[:3], after[:3] = torch.tensor([label, 0, 0]), torch.tensor([label, label, 0])
        cases.append(Case(f"{texts} texts and label {label}", (before, after, label)))
    return cases


def _together_cases(rng: torch.Generator) -> list[Case]:
    """Networks that take which words are there, and two words each."""
    cases = []
    for words, first, second in ((3, 0, 2), (4, 2, 1), (5, 1, 4)):
        inner, outer = torch.randn(words, 4, generator=rng), torch.randn(4, generator=rng)
        f = TanhNetwork(inner, outer, bias=0.4)
        cases.append(Case(f"a text of {words} words, words {first} and {second}", (f, words, first, second)))
    return cases


TASKS = [
    Task("09.1", _baseline_of_cases),
    Task("09.3", _word_scores_cases),
    Task("09.4", _flip_rate_cases),
    Task("09.5", _together_cases),
]
