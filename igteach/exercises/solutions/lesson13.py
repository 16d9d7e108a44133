"""Lesson 13's solutions and mistakes.

A baseline from another prompt, a matrix of words, the shares of heads, a contrast of two answers.
"""

import torch
from torch import Tensor

from igteach.exercises.cases import TASKS
from igteach.exercises.judging import Exercise, Mistake

# Solutions


def pair_baseline(table: Tensor, ids: Tensor, other: Tensor, keeps: Tensor) -> Tensor:
    """Exercise 13.2: the other prompt's embeddings, and the prompt's own where they are kept."""
    return torch.where(keeps[:, None], table[ids], table[other])


def word_matrix(slopes: Tensor, x: Tensor, start: Tensor, word_of: Tensor) -> Tensor:
    """Exercise 13.3: for each token of the answer the share of each word of the prompt."""
    return _by_word((slopes * (x - start)).sum(2), word_of)


def head_shares(written: Tensor, slopes: Tensor, heads: int) -> Tensor:
    """Exercise 13.4: slope times change, added up along the path, over the tokens and over each head's numbers."""
    return _by_head((slopes * written.diff(dim=0)).sum((0, 1)), heads)


def contrast_of_answers(logits: Tensor, ids: Tensor, prompt: int) -> Tensor:
    """Exercise 13.5: the log-probability of one answer minus that of another."""
    return _difference(_log_p_of_tokens(logits, ids, prompt).sum(1))


# Helpers of the solutions and of the mistakes


def _by_word(scores: Tensor, word_of: Tensor) -> Tensor:
    """(answers, tokens) to (answers, words)."""
    words = range(int(word_of.max()) + 1)
    return torch.stack([scores[:, word_of == word].sum(1) for word in words], 1)


def _mean_by_word(scores: Tensor, word_of: Tensor) -> Tensor:
    """(answers, tokens) to (answers, words)."""
    words = range(int(word_of.max()) + 1)
    return torch.stack([scores[:, word_of == word].mean(1) for word in words], 1)


def _last_token_of_each_word(slopes: Tensor, x: Tensor, start: Tensor, word_of: Tensor) -> Tensor:
    """(answers, words), where a word's tokens overwrite one another."""
    shares = (slopes * (x - start)).sum(2)
    last = [int((word_of == word).nonzero()[-1]) for word in range(int(word_of.max()) + 1)]
    return shares[:, last]


def _first_token_of_each_word(slopes: Tensor, x: Tensor, start: Tensor, word_of: Tensor) -> Tensor:
    """(answers, words), the share of a word's first token alone."""
    shares = (slopes * (x - start)).sum(2)
    first = [int((word_of == word).nonzero()[0]) for word in range(int(word_of.max()) + 1)]
    return shares[:, first]


def _by_head(numbers: Tensor, heads: int) -> Tensor:
    """(heads * width,) to (heads,)."""
    return numbers.reshape(heads, -1).sum(1)


def _of_tokens(scores: Tensor, ids: Tensor) -> Tensor:
    """(rows, places), the score of a token at each place: (rows, places, vocabulary) by (rows, places)."""
    return scores.gather(2, ids[..., None])[..., 0].double()


def _log_p_of_tokens(logits: Tensor, ids: Tensor, prompt: int, late: int = 0) -> Tensor:
    """(2, answer), the log-probability of each token, read some places too late."""
    before = torch.arange(prompt - 1 + late, ids.shape[1] - 1 + late)
    return _of_tokens(logits[:, before].log_softmax(2), ids[:, prompt:])


def _difference(pair: Tensor) -> Tensor:
    return pair[0] - pair[1]


# Exercises, with their common mistakes

EXERCISES = [
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
            Mistake(
                "The tokens that move start halfway in yours. The path begins at the other prompt.",
                lambda table, ids, other, keeps: torch.where(
                    keeps[:, None], table[ids], (table[ids] + table[other]) / 2
                ),
            ),
            Mistake(
                "You kept the first token and no other; `keeps` says which are kept.",
                lambda table, ids, other, keeps: torch.cat([table[ids[:1]], table[other[1:]]]),
            ),
            Mistake(
                "Those are token ids. Look up their embeddings in the table.",
                lambda table, ids, other, keeps: torch.where(keeps, ids, other).double(),
            ),
            Mistake(
                "You left out the tokens that are kept. The baseline has a row for every token of the prompt.",
                lambda table, ids, other, keeps: table[other[~keeps]],
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
            Mistake(
                "You took the norm of the slopes. A share is a slope times x - x', added up with its sign.",
                lambda g, x, start, w: _by_word(g.norm(dim=2), w),
            ),
            Mistake(
                "Of a word with several tokens you kept only the last one. Add them up.",
                _last_token_of_each_word,
            ),
            Mistake(
                "Of a word with several tokens you took only the first one. Add them up.",
                _first_token_of_each_word,
            ),
            Mistake(
                "You added up slopes and displacements over the embedding, and then multiplied. Multiply first.",
                lambda g, x, start, w: _by_word(g.sum(2) * (x - start).sum(1), w),
            ),
            Mistake(
                "Your last word is missing. Words are counted from 0, so there is one more than the largest index.",
                lambda g, x, start, w: _by_word((g * (x - start)).sum(2), w)[:, :-1],
            ),
        ],
    ),
    Exercise(
        task=TASKS["13.5"],
        solution=contrast_of_answers,
        mistakes=[
            Mistake(
                "You read what the model says after each token of the answer. A token is predicted one place earlier.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z[:, [*range(1, z.shape[1]), -1]], ids, n).sum(1)),
            ),
            Mistake(
                "You read one place too early: a token is predicted after the token just before it.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n, late=-1).sum(1)),
            ),
            Mistake(
                "You read what follows each token, and left out the last. The first token of an answer is predicted "
                "by the last of the prompt.",
                lambda z, ids, n: _difference(_of_tokens(z[:, n:-1].log_softmax(2), ids[:, n + 1 :]).sum(1)),
            ),
            Mistake(
                "You added up logits. After their first tokens the answers differ, so the softmax divides by sums that "
                "do not cancel: take log-probabilities.",
                lambda z, ids, n: _difference(_of_tokens(z[:, n - 1 : -1], ids[:, n:]).sum(1)),
            ),
            Mistake(
                "You compared the first tokens alone. The answers go on.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n)[:, 0]),
            ),
            Mistake(
                "You compared the last tokens alone. An answer begins before.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n)[:, -1]),
            ),
            Mistake(
                "You left out the last token of each answer.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n)[:, :-1].sum(1)),
            ),
            Mistake(
                "You took two tokens of each answer. Answers may have more.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n)[:, :2].sum(1)),
            ),
            Mistake(
                "You added up both answers. Subtract the second from the first.",
                lambda z, ids, n: _log_p_of_tokens(z, ids, n).sum(),
            ),
            Mistake(
                "You added up the probabilities of the tokens, and then took the logarithm. They multiply.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n).exp().sum(1).log()),
            ),
            Mistake(
                "That is the mean per token. The logarithm of a product is a sum.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n).mean(1)),
            ),
            Mistake(
                "The sign is flipped: the first answer minus the second.",
                lambda z, ids, n: -contrast_of_answers(z, ids, n),
            ),
            Mistake(
                "That is the first answer alone. Subtract the other one.",
                lambda z, ids, n: _log_p_of_tokens(z, ids, n).sum(1)[0],
            ),
            Mistake(
                "That is a difference of probabilities. F is a difference of their logarithms.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n).sum(1).exp()),
            ),
            Mistake(
                "That is the ratio of the probabilities. F is its logarithm.",
                lambda z, ids, n: contrast_of_answers(z, ids, n).exp(),
            ),
            Mistake(
                "You added up the probabilities of the tokens. They multiply, so their logarithms add up.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n).exp().sum(1)),
            ),
            Mistake(
                "Your softmax runs over the tokens of the text. The vocabulary is the last axis.",
                lambda z, ids, n: _difference(_of_tokens(z.log_softmax(1)[:, n - 1 : -1], ids[:, n:]).sum(1)),
            ),
            Mistake(
                "You read both answers after the first one. The second row has read the second answer.",
                lambda z, ids, n: contrast_of_answers(z[[0, 0]], ids, n),
            ),
            Mistake(
                "You have the log-probability of each answer. F is their difference, one number.",
                lambda z, ids, n: _log_p_of_tokens(z, ids, n).sum(1),
            ),
            Mistake(
                "You have a difference for each token. Add them up: one number is wanted.",
                lambda z, ids, n: _difference(_log_p_of_tokens(z, ids, n)),
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
                "You took absolute values before you added up a head's numbers. Keep the signs.",
                lambda y, g, h: _by_head((g * y.diff(dim=0)).sum((0, 1)).abs(), h),
            ),
            Mistake(
                "You took the absolute values of the shares. Keep the signs: a head may speak against.",
                lambda y, g, h: head_shares(y, g, h).abs(),
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
            Mistake(
                "You took the first slope times the whole change: a single step, from the other end of the path. Go "
                "step by step.",
                lambda y, g, h: _by_head((g[0] * (y[-1] - y[0])).sum(0), h),
            ),
            Mistake(
                "That is how much the heads' numbers change. How much of it does F feel?",
                lambda y, g, h: _by_head((y[-1] - y[0]).sum(0), h),
            ),
            Mistake(
                "You took a norm over a head's numbers, which has no sign and does not add up.",
                lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)).reshape(h, -1).norm(dim=1),
            ),
            Mistake(
                "You left out the last step of the path.",
                lambda y, g, h: _by_head((g * y.diff(dim=0))[:-1].sum((0, 1)), h),
            ),
            Mistake(
                "You have a number for each number that is written. Add up those of each head.",
                lambda y, g, h: (g * y.diff(dim=0)).sum((0, 1)),
            ),
        ],
    ),
]
