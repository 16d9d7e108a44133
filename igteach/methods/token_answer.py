"""The answer of an attribution to the tokens of a text."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.functions import Function
from igteach.models.text import Prediction


@dataclass(frozen=True, eq=False, repr=False)
class TokenAttribution:
    """The share of each token of a text in F, with the evidence for and against it.

    Attributes:
        text: the text; of a pair the first, the tokenizer's separator between spaces, and the second.
        tokens: as the model reads them, with special tokens and, in a batch, padding.
        offsets: where each token stands: it is text[start:end], which is empty for a token that stands nowhere.
        words: the number of the word that each token belongs to; None for special tokens and padding.
        scores: (tokens,), the share of each token; exactly zero for special tokens and padding.
        target: the label whose probability is F; of a regression the name of the number, which is F itself; of a
            language model the token that comes next.
        prediction: the label that the model chooses; of a model with several labels at once a tuple of those above one
            half; of a regression the number, or a tuple of them; of a language model the likeliest next token.
        evidence: the attribution behind the scores: F(x), F(x'), the residual, the error estimate, the gradients spent.
        truncated: whether the model could not read all of the text.
        pair: the two texts of a pair; None for a single text.
        f_name: what F is, in words; None is the probability of the target, or the number of a regression.
        baseline_name: what the tokens start from, in words. None: not recorded.
        f: F of a switch for each token that the model reads: ones are the text, zeros the baseline. None: not recorded.
        f_target: the target to pass with f.
        labels: of what f gives, in their order; None for a language model.
        moved: which tokens went from the baseline's embedding to their own; the others kept theirs. None: not recorded.
        given: of a continuation the tokens before the target, as text, which do not move. Empty: there are none.
    """

    text: str
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]
    scores: Tensor
    target: str
    prediction: Prediction
    evidence: Attribution
    truncated: bool
    pair: tuple[str, str] | None = None
    f_name: str | None = None
    baseline_name: str | None = None
    f: Function | None = None
    f_target: int | None = None
    labels: tuple[str, ...] | None = None
    moved: tuple[bool, ...] | None = None
    given: str = ""

    @property
    def residual(self) -> float:
        """scores.sum() - (F(x) - F(x'))."""
        return self.evidence.residual.item()  # type: ignore[union-attr]

    def merged(self) -> TokenAttribution:
        """The same by words, as the tokenizer separates them: a word has the sum of its tokens' scores."""
        groups = self._words_as_groups()
        offsets = [self._span(group) for group in groups]
        tokens = []
        for group, (start, end) in zip(groups, offsets, strict=True):
            tokens.append(self.text[start:end] or self.tokens[group[0]])
        return replace(
            self,
            tokens=tuple(tokens),
            offsets=tuple(offsets),
            words=tuple(self.words[group[0]] for group in groups),
            scores=torch.stack([self.scores[group].sum() for group in groups]),
            moved=self.moved and tuple(any(self.moved[i] for i in group) for group in groups),
        )

    def _words_as_groups(self) -> list[list[int]]:
        """The indices of the tokens of each word, in order; a token outside all words is a group of its own."""
        groups: list[list[int]] = []
        previous: int | None = None
        for i, word in enumerate(self.words):
            if word is not None and word == previous:
                groups[-1].append(i)
            else:
                groups.append([i])
            previous = word
        return groups

    def _span(self, group: list[int]) -> tuple[int, int]:
        """From the start of the first to the end of the last of some tokens in the text; (0, 0) if none is in it."""
        spans = [self.offsets[i] for i in group]
        spans = [(start, end) for start, end in spans if start < end]
        if not spans:
            return 0, 0
        return min(start for start, _ in spans), max(end for _, end in spans)

    def __repr__(self) -> str:
        shares = " ".join(f"{token}({score:+.2f})" for token, score in zip(self.tokens, self.scores, strict=True))
        return f"TokenAttribution for {self.target!r}: {shares}\n{self.evidence!r}"
