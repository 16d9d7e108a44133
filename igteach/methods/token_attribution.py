"""How much each token of a text has to do with the answer: Integrated Gradients along the word embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.functions import logit, probability
from igteach.core.validation import check_baseline, default_batch_size
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.text import EmbeddingInterpolation, TextClassifier


@dataclass(frozen=True, eq=False, repr=False)
class TokenAttribution:
    """The share of each token of a text in the probability of a label, with the evidence for and against it."""

    text: str
    tokens: tuple[str, ...]  # as the model reads them: with special tokens and, in a batch, padding
    offsets: tuple[tuple[int, int], ...]  # a token is text[start:end], which is empty where it stands nowhere
    words: tuple[int | None, ...]  # the number of the word that a token is part of
    scores: Tensor  # (tokens,)  exactly zero for special tokens and padding
    target: str  # the label whose probability is F
    prediction: str  # the label that the model chooses
    evidence: Attribution  # F(x), F(x'), the residual, the estimated error of the scores, the gradients spent
    truncated: bool  # whether the model did not read all of the text

    @property
    def residual(self) -> float:
        """scores.sum() - (F(x) - F(x'))."""
        return self.evidence.residual.item()  # type: ignore[union-attr]

    def merged(self) -> TokenAttribution:
        """The same by words, as the tokenizer tells them apart: a word has the sum of its tokens' scores."""
        numbers = [(word, -1 if word is not None else i) for i, word in enumerate(self.words)]
        groups = [list(group) for _, group in groupby(range(len(numbers)), key=numbers.__getitem__)]
        spans = [[span for i in group if len(range(*(span := self.offsets[i])))] or [(0, 0)] for group in groups]
        offsets = tuple((min(start for start, _ in each), max(end for _, end in each)) for each in spans)
        return replace(
            self,
            tokens=tuple(self.text[a:b] or self.tokens[g[0]] for g, (a, b) in zip(groups, offsets, strict=True)),
            offsets=offsets,
            words=tuple(self.words[group[0]] for group in groups),
            scores=torch.stack([self.scores[group].sum() for group in groups]),
        )

    def __repr__(self) -> str:
        shares = " ".join(f"{token}({score:+.2f})" for token, score in zip(self.tokens, self.scores, strict=True))
        return f"TokenAttribution for {self.target!r}: {shares}\n{self.evidence!r}"


def token_attribution(
    model: TextClassifier,
    text: str | Sequence[str],
    target: int | str | None = None,
    *,
    baseline: str | Tensor = "pad",
    tolerance: float | None = ROUGHLY_BELOW,
) -> TokenAttribution | list[TokenAttribution]:
    """The share of each token in the probability of a label: IG along its word embedding, summed over the embedding.

    On the whole path special tokens keep their embeddings, and the model its mask, types and positions.

    model      TextClassifier(model, tokenizer, labels), as igteach.models.text.load and from_pretrained give
    text       a str; or a list, answered with a list: tokens as in a padded batch, each text read by itself
    target     a label or its number; None is the label that the model chooses
    baseline   of each ordinary token: the embedding of "pad" or "mask", "zero", or a tensor (width,), (tokens, width)
    tolerance  of the error of the scores, as for integrated_gradients; None is 64 steps whatever the error

    Raises TypeError or ValueError for arguments that cannot give a right answer, each by name.
    Source: Sundararajan, Taly and Yan (2017), section 6.3.
    """
    if not isinstance(model, TextClassifier):
        received = type(model).__name__
        raise TypeError(f"model is {received}; pass TextClassifier(model, tokenizer, labels) of igteach.models.text")
    texts: list[Any] = list(text) if isinstance(text, list | tuple) else [text]
    batch = model.encode(texts) if texts else None
    answers = [_of_row(model, batch, row, one, target, baseline, tolerance) for row, one in enumerate(texts)]
    return answers if isinstance(text, list | tuple) else answers[0]


def _of_row(
    model: TextClassifier, batch: Any, row: int, text: str, target: Any, baseline: Any, tolerance: float | None
) -> TokenAttribution:
    read = batch["attention_mask"][row] == 1  # padding on the left moves positions, and some models look at the last
    held = {name: values[row : row + 1, read] for name, values in model.inputs(batch).items()}
    special = batch["special_tokens_mask"][row, read, None] == 1
    with torch.no_grad():
        by_tokens = model.logits(held)
        x = model.model.get_input_embeddings()(held.pop("input_ids"))
        start = torch.where(special.to(x.device), x, token_baseline(baseline, model, x))
    f, dials, batch_size = (
        EmbeddingInterpolation(model.model, x, start, held),
        x.new_ones(x.shape[:2]),
        default_batch_size(x, None),
    )
    prediction = int(by_tokens.argmax())
    number = prediction if target is None else model.number(target)
    evidence = integrated_gradients(probability(f), dials, target=number, tolerance=tolerance, batch_size=batch_size)
    with torch.no_grad():
        apart = (logit(f)(dials) - by_tokens).abs().max() / by_tokens.abs().max().clamp_min(1)
    if apart > 1000 * torch.finfo(x.dtype).eps:
        raise ValueError(
            f"model is a {type(model.model).__name__}, which answers otherwise by a text's embeddings than by its "
            "tokens: it uses them beyond looking words up, and no path of embeddings leads to its answer"
        )
    return TokenAttribution(
        text=text,
        tokens=tuple(batch.tokens(row)),
        offsets=tuple((start, end) for start, end in batch["offset_mapping"][row].tolist()),
        words=tuple(batch.word_ids(row)),
        scores=x.new_zeros(len(read)).masked_scatter(read.to(x.device), evidence.values),
        target=model.labels[number],
        prediction=model.labels[prediction],
        evidence=evidence,
        truncated=model.is_cut(text),
    )


def token_baseline(baseline: str | Tensor, model: TextClassifier, x: Tensor) -> Tensor:
    """What every token starts from, in the shape of x (1, tokens, width)."""
    if not isinstance(baseline, str):
        return check_baseline(x, baseline)
    if baseline == "zero":
        return torch.zeros_like(x)
    if baseline not in ("pad", "mask"):
        raise ValueError(f"baseline is {baseline!r}; choose one of pad, mask, zero, or pass a tensor")
    token = getattr(model.tokenizer, f"{baseline}_token_id")
    if token is None:
        raise ValueError(f"baseline is {baseline!r}, but the tokenizer has no such token; choose 'zero', or a tensor")
    return model.model.get_input_embeddings()(torch.full(x.shape[:2], token, device=x.device))
