"""Lesson 13's cases: a baseline from another prompt, a matrix of words, the shares of heads, two answers."""

import torch

from igteach.exercises.checker import Case, Task


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
        cases.append(Case(f"prompts of {tokens} tokens ({len(kept)} kept)", (table, ids, other, keeps)))
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
    for places, tokens, heads, width in ((3, 2, 3, 4), (4, 3, 2, 3), (5, 2, 4, 3)):
        written = torch.randn(places, tokens, heads * width, generator=rng)
        slopes = torch.randn(places - 1, tokens, heads * width, generator=rng)
        description = f"{heads} heads of width {width}, {tokens} tokens, {places} places"
        cases.append(Case(description, (written, slopes, heads)))
    return cases


def _two_answers_cases(rng: torch.Generator) -> list[Case]:
    """Logits of a model that has read a prompt with each of two answers: where they agree, so do its logits."""
    cases = []
    for prompt, answer, vocabulary in ((3, 2, 7), (4, 3, 9), (2, 4, 6)):
        logits = 1.5 * torch.randn(2, prompt + answer, vocabulary, generator=rng)
        logits[1, :prompt] = logits[0, :prompt]
        ids = torch.randint(vocabulary, (2, prompt + answer), generator=rng)
        ids[1, :prompt] = ids[0, :prompt]
        ids[1, prompt:] = (ids[0, prompt:] + 1) % vocabulary
        description = f"a prompt of {prompt} tokens, two answers of {answer} tokens"
        cases.append(Case(description, (logits, ids, prompt)))
    return cases


TASKS = [
    Task("13.2", _pair_baseline_cases),
    Task("13.3", _word_matrix_cases),
    Task("13.5", _two_answers_cases),
    Task("13.4", _head_shares_cases),
]
