"""How much each token of a text has to do with the answer: Integrated Gradients along the word embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.functions import Function, logit, probability
from igteach.core.validation import check_baseline, default_batch_size
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.models.text import EmbeddingInterpolation, TextClassifier


@dataclass(frozen=True, eq=False, repr=False)
class TokenAttribution:
    """The share of each token of a text in the probability of a label, with the evidence for and against it.

    Attributes:
        text: the text.
        tokens: as the model reads them, with special tokens and, in a batch, padding.
        offsets: where each token stands: it is text[start:end], which is empty for a token that stands nowhere.
        words: the number of the word that each token belongs to; None for special tokens and padding.
        scores: (tokens,), the share of each token; exactly zero for special tokens and padding.
        target: the label whose probability is F.
        prediction: the label that the model chooses.
        evidence: the attribution behind the scores: F(x), F(x'), the residual, the error estimate, the gradients spent.
        truncated: whether the model could not read all of the text.
    """

    text: str
    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]
    scores: Tensor
    target: str
    prediction: str
    evidence: Attribution
    truncated: bool

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


def token_attribution(
    model: TextClassifier,
    text: str | Sequence[str],
    target: int | str | None = None,
    *,
    baseline: str | Tensor = "pad",
    tolerance: float = ROUGHLY_BELOW,
    steps: int | None = None,
) -> TokenAttribution | list[TokenAttribution]:
    """The share of each token in the probability of a label: IG along its word embedding, summed over the embedding.

    On the whole path special tokens keep their embeddings, and the model its mask, token types and positions.

    Args:
        model: TextClassifier(model, tokenizer, labels), as `igteach.models.text.load` and `from_pretrained` give.
        text: a text, or a list of texts. The tokens of a list are those of a padded batch, but each text is read by
            itself.
        target: a label or its number; None is the label that the model chooses.
        baseline: what each ordinary token starts from: the embedding of "pad" or "mask", "zero", or a tensor (width,)
            or (tokens, width).
        tolerance: the largest error of the scores, as for `igteach.integrated_gradients`.
        steps: as for `igteach.integrated_gradients`.

    Returns:
        The attribution of the text, or a list of them for a list of texts.

    Raises:
        TypeError: if an argument is of the wrong kind, or the model is not a TextClassifier.
        ValueError: if the model does not answer by its word embeddings alone, if it has no such label or baseline
            token, or as `igteach.integrated_gradients`.

    Example:
        >>> import igteach
        >>> from igteach.models import text
        >>> answer = igteach.token_attribution(text.load("sentiment_zh", "cpu"), "很差", steps=64)
        >>> answer.tokens, answer.prediction
        (('很', '差'), 'negative')

    Source:
        Sundararajan, Taly and Yan (2017), section 6.3, https://arxiv.org/abs/1703.01365.
    """
    if not isinstance(model, TextClassifier):
        received = type(model).__name__
        raise TypeError(f"model is {received}; pass TextClassifier(model, tokenizer, labels) of igteach.models.text")
    options = _Options(target, baseline, tolerance, steps)
    if not isinstance(text, list | tuple):
        single = cast(str, text)  # `encode` refuses anything else
        return _attribute_row(model, model.encode([single]), 0, single, options)
    if not text:
        return []
    batch = model.encode(list(text))
    return [_attribute_row(model, batch, row, each, options) for row, each in enumerate(text)]


@dataclass(frozen=True, eq=False)
class _Options:
    """What `token_attribution` was asked for.

    Attributes:
        target: a label, its number, or None for the label that the model chooses.
        baseline: the name of a token, or a tensor.
        tolerance: of the error of the scores.
        steps: gradients by a fixed rule, or None.
    """

    target: int | str | None
    baseline: str | Tensor
    tolerance: float
    steps: int | None


def _attribute_row(model: TextClassifier, batch: Any, row: int, text: str, options: _Options) -> TokenAttribution:
    """The attribution of one text of an encoded batch, read without its padding.

    Padding on the left would move positions, and some models look at the last token.
    """
    is_read = batch["attention_mask"][row] == 1
    inputs = {name: values[row : row + 1, is_read] for name, values in model.inputs(batch).items()}
    is_special = batch["special_tokens_mask"][row, is_read, None] == 1
    other_inputs = {name: values for name, values in inputs.items() if name != "input_ids"}
    with torch.no_grad():
        logits = model.logits(inputs)
        x = model.model.get_input_embeddings()(inputs["input_ids"])
        start = torch.where(is_special.to(x.device), x, token_baseline(options.baseline, model, x))
    f = EmbeddingInterpolation(model.model, x, start, other_inputs)
    predicted = int(logits.argmax())
    target = predicted if options.target is None else model.number(options.target)
    alphas = x.new_ones(x.shape[:2])  # one for each token: 0 is the baseline's embedding, 1 its own
    evidence = integrated_gradients(
        probability(f),
        alphas,
        target=target,
        tolerance=options.tolerance,
        steps=options.steps,
        batch_size=default_batch_size(x, None),
    )
    _check_same_logits(model, logit(f), alphas, logits)
    return TokenAttribution(
        text=text,
        tokens=tuple(batch.tokens(row)),
        offsets=tuple((start, end) for start, end in batch["offset_mapping"][row].tolist()),
        words=tuple(batch.word_ids(row)),
        scores=x.new_zeros(len(is_read)).masked_scatter(is_read.to(x.device), evidence.values),
        target=model.labels[target],
        prediction=model.labels[predicted],
        evidence=evidence,
        truncated=model.is_cut(text),
    )


@torch.no_grad()
def _check_same_logits(model: TextClassifier, f: Function, alphas: Tensor, logits: Tensor) -> None:
    """Raise ValueError unless the model gives the same logits for a text's embeddings as for its tokens."""
    difference = (f(alphas) - logits).abs().max() / logits.abs().max().clamp_min(1)
    if difference > 1000 * torch.finfo(alphas.dtype).eps:
        raise ValueError(
            f"model is a {type(model.model).__name__}, which answers otherwise by a text's embeddings than by its "
            "tokens: it uses them beyond looking words up, and no path of embeddings leads to its answer"
        )


def token_baseline(baseline: str | Tensor, model: TextClassifier, x: Tensor) -> Tensor:
    """What every token starts from.

    Args:
        baseline: "pad", "mask", "zero", or a tensor (width,) or (tokens, width).
        model: the classifier whose embedding is used.
        x: (1, tokens, width), the embeddings of a text.

    Returns:
        The baseline, in the shape of x.

    Raises:
        TypeError: if a tensor is not floating point.
        ValueError: for another name, for a token that the tokenizer does not have, or for a tensor that does not fit.

    Example:
        >>> import torch
        >>> from igteach.methods.token_attribution import token_baseline
        >>> from igteach.models import text
        >>> token_baseline("zero", text.load("sentiment_zh", "cpu"), torch.ones(1, 2, 3)).sum().item()
        0.0
    """
    if not isinstance(baseline, str):
        return check_baseline(x, baseline)
    if baseline == "zero":
        return torch.zeros_like(x)
    if baseline not in ("pad", "mask"):
        raise ValueError(f"baseline is {baseline!r}; choose one of pad, mask, zero, or pass a tensor")
    token = getattr(model.tokenizer, f"{baseline}_token_id")
    if token is None:
        raise ValueError(f"baseline is {baseline!r}, but the tokenizer has no such token; choose 'zero', or a tensor")
    embeddings: Tensor = model.model.get_input_embeddings()(torch.full(x.shape[:2], token, device=x.device))
    return embeddings
