"""How much each token of a text has to do with the answer: Integrated Gradients along the word embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from igteach.core.attribution import ROUGHLY_BELOW, Attribution
from igteach.core.integration import MAX_EVALUATIONS
from igteach.core.validation import check_baseline, check_modes, default_batch_size
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.prompts import answer, ask
from igteach.methods.token_answer import TokenAttribution
from igteach.models.language import LanguageModel, Prompt
from igteach.models.text import EmbeddingInterpolation, Text, TextClassifier


def token_attribution(
    model: TextClassifier | LanguageModel,
    text: Text | Prompt | Sequence[Text] | Sequence[Prompt],
    target: int | str | None = None,
    *,
    against: int | str | None = None,
    continuation: str | None = None,
    baseline: str | Tensor | None = None,
    move: str = "written",
    tolerance: float = ROUGHLY_BELOW,
    max_evaluations: int = MAX_EVALUATIONS,
    steps: int | None = None,
) -> TokenAttribution | list[TokenAttribution]:
    """The share of each token in an answer: IG along its word embedding, summed over the embedding.

    Of a TextClassifier, F is the softmax of the logits; of one with several labels at once the sigmoid of a label's
    own; of a regression the number itself, as `TextClassifier` says. Of a LanguageModel, F is the logit of one next
    token minus that of another, or the log-probability of one.

    On the whole path special tokens keep their embeddings, and the model its mask, token types and positions. The model
    gets the tokens themselves, and only what it looks up for them moves: so a decoder's classification head finds the
    last token, an encoder-decoder's the end of the text, and a decoder that reads the text again gets the same words.

    Args:
        model: TextClassifier(model, tokenizer, labels), as `igteach.models.text.load` and `from_pretrained` give; or
            LanguageModel(model, tokenizer).
        text: a text or a list of texts; for a classifier also a list of pairs of texts, each a tuple (first, second);
            for a language model also a chat, a list of messages {"role": ..., "content": ...}. The tokens of a list are
            those of a padded batch for a classifier, but each text is read by itself.
        target: a label or its number; None is the likeliest label. A regression that gives one number has no target.
            For a language model a token as text (" Mary", with its space) or its number; None is the likeliest.
        against: for a language model another token: F is the logit of target minus its logit. None: F is the target's
            log-probability.
        continuation: for a language model a text of several tokens that come next, in place of target. F is the
            log-probability of each of them, given the prompt and those before it, which do not move.
        baseline: what each token that moves starts from. For a classifier the embedding of "pad" (None) or "mask"; for
            a language model the mean of all embeddings, "mean" (None), that of the end of a text, "eos", or another
            prompt of as many tokens. For both "zero", or a tensor (width,) or (tokens, width).
        move: for a language model which tokens move: "written", all but special ones and a chat's template, or "all".
        tolerance: the largest error of the scores, as for `igteach.integrated_gradients`.
        max_evaluations: as for `igteach.integrated_gradients`.
        steps: as for `igteach.integrated_gradients`.

    Returns:
        The TokenAttribution of the text, or a list of them for a list of texts; with continuation a list with one for
        each of its tokens, which `igteach.show.matrix` draws.

    Raises:
        TypeError: if an argument is of the wrong kind, or the model is neither of the two.
        ValueError: if the model does not answer by its word embeddings alone, or does not read the text; if it has no
            such label, token or baseline, or a target where it gives one number; if another prompt has another number
            of tokens; if an argument of a language model comes with a classifier; or as `igteach.integrated_gradients`.

    Example:
        >>> import igteach
        >>> from igteach.models import lookup, text
        >>> answer = igteach.token_attribution(text.load("sentiment_zh", "cpu"), "很差", steps=64)
        >>> answer.tokens, answer.prediction
        (('很', '差'), 'negative')
        >>> igteach.token_attribution(lookup.load("cpu"), "k3 v7 k1 v2 k3", "v7", against="v2").prediction
        'v7'

    Source:
        Sundararajan, Taly and Yan (2017), section 6.3, https://arxiv.org/abs/1703.01365; the logit of one token less
        another's: Wang et al. (2022), https://arxiv.org/abs/2211.00593.
    """
    if isinstance(model, LanguageModel):
        asked = (target, against, continuation, "mean" if baseline is None else baseline, move)
        goal = (tolerance, max_evaluations, steps)
        if not isinstance(text, list | tuple) or any(isinstance(message, Mapping) for message in text):
            answers = answer(ask(model, cast(Prompt, text), *asked), *goal)
            return answers if continuation is not None else answers[0]
        if continuation is not None:
            raise ValueError("text is a list, and continuation goes with one prompt; call once for each")
        return [answer(ask(model, cast(Prompt, prompt), *asked), *goal)[0] for prompt in text]
    if not isinstance(model, TextClassifier):
        received = type(model).__name__
        raise TypeError(
            f"model is {received}; pass TextClassifier(model, tokenizer, labels) of igteach.models.text, or "
            "LanguageModel(model, tokenizer) of igteach.models.language"
        )
    for name, value, default in (
        ("against", against, None),
        ("continuation", continuation, None),
        ("move", move, "written"),
    ):
        if value != default:
            raise ValueError(f"{name} is {value!r}, and the model is a TextClassifier; leave it out")
    options = _Options(target, "pad" if baseline is None else baseline, tolerance, max_evaluations, steps)
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
        max_evaluations: gradients, at most.
        steps: gradients by a fixed rule, or None.
    """

    target: int | str | None
    baseline: str | Tensor
    tolerance: float
    max_evaluations: int
    steps: int | None


def _attribute_row(model: TextClassifier, batch: Any, row: int, text: Text, options: _Options) -> TokenAttribution:
    """The attribution of one text of an encoded batch, read without its padding.

    Padding on the left would move positions, and some models look at the last token.
    """
    is_read = batch["attention_mask"][row] == 1
    inputs = model.inputs_alone(batch, [row])
    is_special = batch["special_tokens_mask"][row, is_read] == 1
    check_modes(model.model, "model.model")
    with torch.no_grad():
        logits = model.logits(inputs)
        x = model.embed(inputs["input_ids"])
        start = torch.where(is_special.to(x.device)[:, None], x, token_baseline(options.baseline, model, x))
    target = _target_number(model, options.target, logits)
    f = EmbeddingInterpolation(model.model, x, start, inputs)
    _check_words_are_only_looked_up(model, f, is_special, logits)
    evidence = _integrate(model, f, target, options)
    shown, offsets, words = _in_one_text(model, batch, row, text)
    return TokenAttribution(
        text=shown,
        tokens=tuple(batch.tokens(row)),
        offsets=offsets,
        words=words,
        scores=x.new_zeros(len(is_read)).masked_scatter(is_read.to(x.device), evidence.values),
        target=model.labels[target],
        prediction=model.decide(model.activation(logits))[0],
        evidence=evidence,
        truncated=model.is_cut(text),
        pair=None if isinstance(text, str) else text,
        baseline_name=_in_words(options.baseline),
        f=model.function(f),
        f_target=target,
        labels=tuple(model.labels),
        moved=tuple((is_read & (batch["special_tokens_mask"][row] == 0)).tolist()),
    )


def _in_words(baseline: str | Tensor) -> str:
    """What every token starts from."""
    if not isinstance(baseline, str):
        return "embeddings that were passed"
    return "embeddings of zero" if baseline == "zero" else f"the {baseline} token in place of each word"


def _integrate(model: TextClassifier, f: EmbeddingInterpolation, target: int, options: _Options) -> Attribution:
    """IG along the alphas: 0 is the baseline's embedding of a token, 1 its own."""
    try:
        return integrated_gradients(
            model.function(f),
            f.x.new_ones(f.x.shape[:2]),
            target=target,
            tolerance=options.tolerance,
            max_evaluations=options.max_evaluations,
            steps=options.steps,
            batch_size=default_batch_size(f.x, None),
        )
    except (TypeError, ValueError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # whatever a stranger's model raises
        raise ValueError(
            f"model is a {type(model.model).__name__}, which answers, but gives no gradient of its answer by the word "
            f"embeddings: {type(error).__name__}: {error}; pass a model that has one in eval mode"
        ) from error


def _target_number(model: TextClassifier, target: int | str | None, logits: Tensor) -> int:
    """The index of the label asked for, or of the likeliest; ValueError if a regression has none, or needs one."""
    if model.problem != "regression":
        return int(logits.argmax()) if target is None else model.number(target)
    if len(model.labels) == 1:
        if target is not None:
            raise ValueError(
                f"target is {target!r}, and the model gives one number, {model.labels[0]!r}; leave target out"
            )
        return 0
    if target is None:
        raise ValueError(
            f"target is None, and the model gives several numbers; choose one of {', '.join(model.labels)}"
        )
    return model.number(target)


def _in_one_text(
    model: TextClassifier, batch: Any, row: int, text: Text
) -> tuple[str, tuple[tuple[int, int], ...], tuple[int | None, ...]]:
    """The text as it is shown, and of each token where it stands there and the number of its word.

    A pair is shown as one text with the separator between; the tokenizer counts places and words of each from 0.
    """
    offsets = [(start, end) for start, end in batch["offset_mapping"][row].tolist()]
    words: list[int | None] = list(batch.word_ids(row))
    if isinstance(text, str):
        return text, tuple(offsets), tuple(words)
    first, second = text
    before = f"{first} {model.tokenizer.sep_token or '|'} "
    words_before = 1 + max((word for word in words if word is not None), default=-1)
    for i, side in enumerate(batch.sequence_ids(row)):
        word = words[i]
        if side == 1 and word is not None:
            offsets[i] = offsets[i][0] + len(before), offsets[i][1] + len(before)
            words[i] = words_before + word
    return before + second, tuple(offsets), tuple(words)


@torch.no_grad()
def _check_words_are_only_looked_up(
    model: TextClassifier, f: EmbeddingInterpolation, is_special: Tensor, logits: Tensor
) -> None:
    """Raise ValueError unless the model gives the same logits for other words with the embeddings of these."""
    alphas = f.x.new_ones(f.x.shape[:2])
    ids = f.held["input_ids"]
    others = EmbeddingInterpolation(f.model, f.x, f.start, {**f.held, "input_ids": _stand_ins(model, ids, is_special)})
    if _differ(others(alphas), logits):
        name = type(model.model).__name__
        if _differ(model.logits(f.held), logits):
            raise ValueError(
                f"model is a {name}, which answers otherwise each time it is asked; F must be deterministic"
            )
        raise ValueError(
            f"model is a {name}, which answers otherwise by a text's embeddings than by its tokens: it uses them "
            "beyond looking words up in the table of get_input_embeddings(), and no path of embeddings leads to its "
            "answer; pass a model that reads words there alone"
        )


def _differ(logits: Tensor, others: Tensor) -> bool:
    """Whether logits differ by more than rounding."""
    difference = (logits - others).abs().max() / others.abs().max().clamp_min(1)
    return bool(difference > 1000 * torch.finfo(others.dtype).eps)


def _stand_ins(model: TextClassifier, ids: Tensor, is_special: Tensor) -> Tensor:
    """Other tokens in place of a text's own, (1, tokens), but for those that mean something to models: special ones."""
    tokenizer, config = model.tokenizer, getattr(model.model, "config", None)
    special = {*tokenizer.all_special_ids} - {tokenizer.unk_token_id}  # an unknown word is a word
    for name in ("pad", "bos", "eos", "cls", "sep", "mask", "decoder_start"):
        configured = getattr(config, f"{name}_token_id", None)
        special |= {*configured} if isinstance(configured, list) else {configured}
    avoided = special | {tokenizer.unk_token_id, *ids[0].tolist()}
    vocabulary = range(len(tokenizer))
    stand_in = next((i for i in vocabulary if i not in avoided), min(set(vocabulary) - special))
    keeps = torch.tensor(
        [bool(one) or token in special for one, token in zip(is_special, ids[0].tolist(), strict=True)]
    )
    return torch.where(keeps.to(ids.device), ids, stand_in)


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
    token = getattr(model.tokenizer, f"{baseline}_token_id", None)
    if token is None:
        raise ValueError(f"baseline is {baseline!r}, but the tokenizer has no such token; choose 'zero', or a tensor")
    return model.embed(torch.full(x.shape[:2], token, device=x.device))
