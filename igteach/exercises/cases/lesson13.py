"""Lesson 13's cases: a contrast of tokens, a baseline from another prompt, a matrix of words, the shares of heads."""

import torch

from igteach.exercises.checker import Case, Task


def _contrast_cases(rng: torch.Generator) -> list[Case]:
    """Random logits of prompts, and two tokens."""
    cases = []
    for prompts, tokens, vocabulary, target, against in ((2, 4, 9, 2, 5), (3, 6, 7, 6, 0), (4, 5, 8, 1, 7)):
        logits = torch.randn(prompts, tokens, vocabulary, generator=rng)
        description = f"{prompts} prompts of {tokens} tokens, token {target} against token {against}"
        cases.append(Case(description, (logits, target, against)))
    return cases


def _pair_baseline_cases(rng: torch.Generator) -> list[Case]:
    """A table of embeddings, two prompts of as many tokens, and which tokens are kept."""
    cases = []
    for tokens, vocabulary, width, kept in ((4, 8, 3, [0]), (6, 9, 2, [0, 5]), (5, 7, 4, [2, 3])):
        table = torch.randn(vocabulary, width, generator=rng)
        ids = torch.randint(vocabulary, (tokens,), generator=rng)
        other = (ids + 1 + torch.randint(vocabulary - 1, (tokens,), generator=rng)) % vocabulary
        other[1] = ids[1]  # the prompts agree here
        keeps = torch.zeros(tokens, dtype=torch.bool)
        keeps[kept] = True
        cases.append(Case(f"prompts of {tokens} tokens, {len(kept)} of them kept", (table, ids, other, keeps)))
    return cases


def _word_matrix_cases(rng: torch.Generator) -> list[Case]:
    """Mean slopes for each token of an answer, embeddings and baseline of a prompt, the word of each of its tokens."""
    cases = []
    for answers, width, word_of in ((2, 3, [0, 1, 1, 2]), (3, 2, [0, 0, 1, 2, 2, 2]), (4, 4, [0, 1, 2, 2, 3])):
        tokens = len(word_of)
        slopes = torch.randn(answers, tokens, width, generator=rng)
        x, start = torch.randn(2, tokens, width, generator=rng)
        description = f"an answer of {answers} tokens, a prompt of {tokens} tokens and {max(word_of) + 1} words"
        cases.append(Case(description, (slopes, x, start, torch.tensor(word_of))))
    return cases


def _head_shares_cases(rng: torch.Generator) -> list[Case]:
    """What a layer's heads write at places along a path, and the slopes in between."""
    cases = []
    for places, tokens, heads, width in ((3, 2, 2, 3), (4, 3, 3, 2), (5, 2, 4, 3)):
        written = torch.randn(places, tokens, heads * width, generator=rng)
        slopes = torch.randn(places - 1, tokens, heads * width, generator=rng)
        description = f"{heads} heads of width {width}, {tokens} tokens, {places} places"
        cases.append(Case(description, (written, slopes, heads)))
    return cases


TASKS = [
    Task("13.1", _contrast_cases),
    Task("13.2", _pair_baseline_cases),
    Task("13.3", _word_matrix_cases),
    Task("13.4", _head_shares_cases),
]
