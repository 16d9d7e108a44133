"""Lesson 13's solutions and mistakes.

A contrast of two tokens, a baseline from another prompt, a matrix of words, the shares of heads.
"""

import torch
from torch import Tensor

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def contrast(logits: Tensor, target: int, against: int) -> Tensor:
    """Exercise 13.1: the logit of one next token minus that of another."""
    return logits[:, -1, target] - logits[:, -1, against]


def pair_baseline(table: Tensor, ids: Tensor, other: Tensor, keeps: Tensor) -> Tensor:
    """Exercise 13.2: the other prompt's embeddings, and the prompt's own where they are kept."""
    return torch.where(keeps[:, None], table[ids], table[other])


def word_matrix(slopes: Tensor, x: Tensor, start: Tensor, word_of: Tensor) -> Tensor:
    """Exercise 13.3: for each token of the answer the share of each word of the prompt."""
    return _by_word((slopes * (x - start)).sum(2), word_of)


def head_shares(written: Tensor, slopes: Tensor, heads: int) -> Tensor:
    """Exercise 13.4: slope times change, added up along the path, over the tokens and over each head's numbers."""
    return _by_head((slopes * written.diff(dim=0)).sum((0, 1)), heads)


# Helpers of the solutions and of the mistakes


def _by_word(scores: Tensor, word_of: Tensor) -> Tensor:
    """(answers, tokens) to (answers, words)."""
    words = range(int(word_of.max()) + 1)
    return torch.stack([scores[:, word_of == word].sum(1) for word in words], 1)


def _mean_by_word(scores: Tensor, word_of: Tensor) -> Tensor:
    """(answers, tokens) to (answers, words)."""
    words = range(int(word_of.max()) + 1)
    return torch.stack([scores[:, word_of == word].mean(1) for word in words], 1)


def _by_head(numbers: Tensor, heads: int) -> Tensor:
    """(heads * width,) to (heads,)."""
    return numbers.reshape(heads, -1).sum(1)


# Exercises, with their common mistakes

EXERCISES = [
    Exercise(
        task=TASKS["13.1"],
        solution=contrast,
        mistakes=[
            Mistake(
                "You read the first position. What comes next is predicted at the last one.",
                lambda z, t, a: z[:, 0, t] - z[:, 0, a],
            ),
            Mistake(
                "You read the position before the last. What follows the whole prompt is predicted at its last token.",
                lambda z, t, a: z[:, -2, t] - z[:, -2, a],
            ),
            Mistake(
                "You averaged over all positions. What comes next is predicted at the last one.",
                lambda z, t, a: (z[..., t] - z[..., a]).mean(1),
            ),
            Mistake(
                "You kept every position. One number for each prompt is wanted, that of the last position.",
                lambda z, t, a: z[..., t] - z[..., a],
            ),
            Mistake(
                "The sign is flipped: target minus against, so that it is positive where the target is likelier.",
                lambda z, t, a: z[:, -1, a] - z[:, -1, t],
            ),
            Mistake(
                "That is the target's logit alone. It moves with the logits of all tokens; subtract the other one.",
                lambda z, t, a: z[:, -1, t],
            ),
            Mistake(
                "That is a difference of probabilities. It also changes when a third token becomes likelier.",
                lambda z, t, a: z[:, -1].softmax(1)[:, t] - z[:, -1].softmax(1)[:, a],
            ),
            Mistake(
                "That is the target's log-probability, against all tokens. Compare it with one token only.",
                lambda z, t, a: z[:, -1].log_softmax(1)[:, t],
            ),
        ],
    ),
    Exercise(
        task=TASKS["13.2"],
        solution=pair_baseline,
        mistakes=[
            Mistake(
                "You took the other prompt everywhere. Kept tokens do not move: they need their own embeddings.",
                lambda table, ids, other, keeps: table[other],
            ),
            Mistake("That is the prompt itself; no token would move.", lambda table, ids, other, keeps: table[ids]),
            Mistake(
                "The wrong ones: you moved the tokens to be kept, and kept those that move.",
                lambda table, ids, other, keeps: torch.where(keeps[:, None], table[other], table[ids]),
            ),
            Mistake(
                "Zeros. From there this lesson's model never settles; take the other prompt's embeddings.",
                lambda table, ids, other, keeps: torch.where(keeps[:, None], table[ids], torch.zeros(())),
            ),
            Mistake(
                "You set the tokens that are kept to zero. They keep the prompt's own embeddings.",
                lambda table, ids, other, keeps: torch.where(keeps[:, None], torch.zeros(()), table[other]),
            ),
            Mistake(
                "That is halfway between the prompts. The path begins at the other prompt.",
                lambda table, ids, other, keeps: (table[ids] + table[other]) / 2,
            ),
            Mistake(
                "That is x - x', the displacement; the point x' itself is wanted.",
                lambda table, ids, other, keeps: torch.where(
                    keeps[:, None], torch.zeros(()), table[ids] - table[other]
                ),
            ),
            Mistake(
                "That is the mean of the table. The tokens that move start from the other prompt's embeddings.",
                lambda table, ids, other, keeps: torch.where(keeps[:, None], table[ids], table.mean(0)),
            ),
        ],
    ),
    Exercise(
        task=TASKS["13.3"],
        solution=word_matrix,
        mistakes=[
            Mistake(
                "You summed the slopes alone. A share is a slope times x - x'.",
                lambda g, x, start, w: _by_word(g.sum(2), w),
            ),
            Mistake(
                "You multiplied by the embedding x. The path begins at the baseline: multiply by x - x'.",
                lambda g, x, start, w: _by_word((g * x).sum(2), w),
            ),
            Mistake(
                "The sign is flipped: the path leads from the baseline to the prompt.",
                lambda g, x, start, w: _by_word((g * (start - x)).sum(2), w),
            ),
            Mistake(
                "You summed absolute values. Shares within an embedding cancel: keep the signs.",
                lambda g, x, start, w: _by_word((g * (x - start)).abs().sum(2), w),
            ),
            Mistake(
                "You summed absolute values over tokens. A word's tokens may speak for and against: keep the signs.",
                lambda g, x, start, w: _by_word((g * (x - start)).sum(2).abs(), w),
            ),
            Mistake(
                "You took the mean over the embedding. Then the shares no longer add up to F(x) - F(x').",
                lambda g, x, start, w: _by_word((g * (x - start)).mean(2), w),
            ),
            Mistake(
                "You took the mean over a word's tokens. Then the shares no longer add up to F(x) - F(x').",
                lambda g, x, start, w: _mean_by_word((g * (x - start)).sum(2), w),
            ),
            Mistake(
                "You took a norm over the embedding, which has no sign and does not add up.",
                lambda g, x, start, w: _by_word((g * (x - start)).norm(dim=2), w),
            ),
            Mistake(
                "You have a column for each token. Add up the tokens of each word.",
                lambda g, x, start, w: (g * (x - start)).sum(2),
            ),
            Mistake(
                "Rows and columns are swapped: a row for each token of the answer is wanted.",
                lambda g, x, start, w: _by_word((g * (x - start)).sum(2), w).T,
            ),
        ],
    ),
    Exercise(
        task=TASKS["13.4"],
        solution=head_shares,
        mistakes=[
            Mistake(
                "You multiplied the slopes by what is written, not by how it changes from point to point.",
                lambda y, g, h: _by_head((g * y[1:]).sum((0, 1)), h),
            ),
            Mistake(
                "You multiplied the slopes by what is written before each step; multiply by how it changes.",
                lambda y, g, h: _by_head((g * y[:-1]).sum((0, 1)), h),
            ),
            Mistake(
                "You took the mean slope times the change from one end to the other. What a head writes does not "
                "change at a constant rate; add up slope times change step by step.",
                lambda y, g, h: _by_head((g.mean(0) * (y[-1] - y[0])).sum(0), h),
            ),
            Mistake(
                "You took the last slope times the whole change: a single step, attribution patching. Go step by step.",
                lambda y, g, h: _by_head((g[-1] * (y[-1] - y[0])).sum(0), h),
            ),
            Mistake(
                "You took the sum of the slopes times the whole change. Multiply step by step, then add up.",
                lambda y, g, h: _by_head((g.sum(0) * (y[-1] - y[0])).sum(0), h),
            ),
            Mistake(
                "You took the mean over tokens. A head's share is the sum of what it writes at all of them.",
                lambda y, g, h: _by_head((g * y.diff(dim=0)).sum(0).mean(0), h),
            ),
            Mistake(
                "You took the mean over a head's numbers. A head's share is their sum.",
                lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)).reshape(h, -1).mean(1),
            ),
            Mistake(
                "You averaged over the steps. Each change is small already; add up slope times change.",
                lambda y, g, h: _by_head((g * y.diff(dim=0)).mean(0).sum(0), h),
            ),
            Mistake(
                "You gave each head every h-th number. A head's numbers stand side by side: (heads, width).",
                lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)).reshape(-1, h).sum(0),
            ),
            Mistake(
                "You summed absolute values. Shares within a head cancel: keep the signs.",
                lambda y, g, h: _by_head((g * y.diff(dim=0)).abs().sum((0, 1)), h),
            ),
            Mistake(
                "You looked at the last token only. A head writes at every token; add them up.",
                lambda y, g, h: _by_head((g * y.diff(dim=0)).sum(0)[-1], h),
            ),
            Mistake(
                "The sign is flipped: a change is the later point minus the earlier one.",
                lambda y, g, h: -_by_head((g * y.diff(dim=0)).sum((0, 1)), h),
            ),
            Mistake(
                "You summed the slopes alone. A share is a slope times a change.",
                lambda y, g, h: _by_head(g.sum((0, 1)), h),
            ),
        ],
    ),
]
