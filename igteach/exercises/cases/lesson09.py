"""Lesson 09's cases: a baseline for a text, scores of tokens, scores of words, how many predictions flip."""

import torch

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


TASKS = [
    Task("09.1", _baseline_of_cases),
    Task("09.2", _token_scores_cases),
    Task("09.3", _word_scores_cases),
    Task("09.4", _flip_rate_cases),
]
