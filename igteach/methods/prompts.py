"""How much each token of a prompt has to do with the token that comes next: IG along the embeddings of the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution
from igteach.core.validation import check_baseline, check_modes, default_batch_size
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.token_answer import TokenAttribution
from igteach.models.language import EncodedPrompt, LanguageModel, NextLogits, Prompt, check_characters
from igteach.models.text import EmbeddingInterpolation

NAMED = {
    "mean": "the mean of all embeddings",
    "eos": "the end-of-text token in place of each word",
    "zero": "embeddings of zero",
}
MOVES = ("written", "all")


class NextTokens(nn.Module):
    """F of a prompt's alphas, (N, tokens) to (N, targets): what the model says of the tokens that come next.

    Args:
        path: from alphas to the logits at the last places, (N, targets, vocabulary).
        targets: the token at each of these places.
        against: F is the logit of the target minus that of this token; None is the target's log-probability.
    """

    def __init__(self, path: EmbeddingInterpolation, targets: Tensor, against: int | None):
        super().__init__()
        self.path, self.targets, self.against = path, targets, against

    def forward(self, alphas: Tensor) -> Tensor:
        """(N, tokens) to (N, targets)."""
        logits: Tensor = self.path(alphas)
        own = logits.gather(2, self.targets.expand(len(logits), -1)[..., None])[..., 0]
        return own - (logits.logsumexp(2) if self.against is None else logits[..., self.against])


@dataclass(frozen=True, eq=False)
class PromptQuestion:
    """What is asked about a prompt.

    Attributes:
        model: the model.
        prompt: the prompt as the model reads it.
        targets: the numbers of the tokens that come next, one after the other.
        against: the number of the token whose logit is subtracted; None asks for log-probabilities.
        f: F, of one alpha for each token that the model reads: the prompt, and all targets but the last.
        moved: (tokens of the prompt,), which of them move from x' to x.
        baseline_name: what they start from, in words.
    """

    model: LanguageModel
    prompt: EncodedPrompt
    targets: tuple[int, ...]
    against: int | None
    f: NextTokens
    moved: Tensor
    baseline_name: str

    @property
    def alphas(self) -> Tensor:
        """(targets, tokens), the input x: all ones."""
        path = self.f.path
        return path.x.new_ones(len(self.targets), path.x.shape[1])

    def answers(self, evidence: Attribution) -> list[TokenAttribution]:
        """The answer for each target, of an attribution to the alphas."""
        count, model = len(self.prompt.tokens), self.model
        with torch.no_grad():
            chosen = self.f.path(self.alphas[:1])[0].argmax(1).tolist()
        return [
            TokenAttribution(
                text=self.prompt.text,
                tokens=self.prompt.tokens,
                offsets=self.prompt.offsets,
                words=self.prompt.words,
                scores=evidence.values[row, :count],
                target=model.tokenizer.decode([target]),
                prediction=model.tokenizer.decode([chosen[row]]),
                evidence=evidence.example(row),
                truncated=False,
                f_name=self._f_name(model.tokenizer.decode([target])),
                baseline_name=self.baseline_name,
                f=self.f,
                f_target=row,
                moved=tuple(self.moved.tolist()),
                given=model.tokenizer.decode(list(self.targets[:row])) if row else "",
            )
            for row, target in enumerate(self.targets)
        ]

    def _f_name(self, target: str) -> str:
        if self.against is None:
            return f"log-probability of {target!r}"
        return f"logit of {target!r} minus that of {self.model.tokenizer.decode([self.against])!r}"


@torch.inference_mode(False)
def ask(
    model: LanguageModel,
    prompt: Prompt,
    target: int | str | None,
    against: int | str | None,
    continuation: str | None,
    baseline: str | Tensor,
    move: str,
) -> PromptQuestion:
    """Check what was asked, and find F.

    Args:
        model: As for `token_attribution`.
        prompt: As its text.
        target: As for it.
        against: As for it.
        continuation: As for it.
        baseline: As for it.
        move: As for it.

    Returns:
        The question.

    Raises:
        TypeError: As for `token_attribution`.
        ValueError: As for it.
    """
    check_modes(model.model, "model.model")
    encoded = model.encode(prompt)
    targets = _targets(model, encoded, target, against, continuation)
    other = None if against is None else model.token(against, "against")
    if other is not None and other == targets[0]:
        likeliest = ", the likeliest token" if target is None else ""
        raise ValueError(f"against is {against!r}, and so is target{likeliest}; F would be 0: pass another token")
    moved = _moved(encoded, move)
    _check_length(model, encoded, targets)
    ids = torch.cat([encoded.ids, encoded.ids.new_tensor([targets[:-1]])], 1)
    with torch.no_grad():
        x = model.model.get_input_embeddings()(ids)
        start = x.clone()
        count = encoded.ids.shape[1]
        start[0, :count][moved] = prompt_baseline(baseline, model, encoded, x[:, :count], moved)[0, moved]
    logits = NextLogits(model.model, len(targets))
    path = EmbeddingInterpolation(logits, x, start, {"input_ids": ids})
    _check_reads_embeddings(model, path)
    f = NextTokens(path, ids.new_tensor(targets), other)
    return PromptQuestion(model, encoded, targets, other, f, moved, _in_words(baseline))


def _in_words(baseline: str | Tensor) -> str:
    """What every token that moves starts from."""
    if not isinstance(baseline, str):
        return "embeddings that were passed"
    return NAMED.get(baseline, f"the prompt {baseline!r}")


@torch.inference_mode(False)
def answer(
    question: PromptQuestion, tolerance: float, max_evaluations: int, steps: int | None
) -> list[TokenAttribution]:
    """IG of each target along the alphas: 0 is the baseline's embedding of a token, 1 its own.

    Args:
        question: What is asked.
        tolerance: As for `igteach.integrated_gradients`.
        max_evaluations: As for it.
        steps: As for it.

    Returns:
        The answers, one for each target.
    """
    alphas = question.alphas
    evidence = integrated_gradients(
        question.f,
        alphas,
        target=torch.arange(len(alphas), device=alphas.device),
        tolerance=tolerance,
        max_evaluations=max_evaluations,
        steps=steps,
        batch_size=default_batch_size(question.f.path.x, None),
    )
    return question.answers(evidence)


def prompt_baseline(
    baseline: str | Tensor, model: LanguageModel, prompt: EncodedPrompt, x: Tensor, moved: Tensor | None = None
) -> Tensor:
    """Where the embeddings of a prompt start from.

    Args:
        baseline: "mean", "eos", "zero", another prompt, or a tensor (width,) or (tokens, width).
        model: the model whose embedding is used.
        prompt: the prompt as the model reads it.
        x: (1, tokens, width), its embeddings.
        moved: (tokens,), which of them move; None is all. Another prompt must be equal in the others.

    Returns:
        The baseline, in the shape of x.

    Raises:
        TypeError: if baseline is neither a str nor a tensor, or a tensor that is not floating point.
        ValueError: if the tokenizer has no end-of-text token; if another prompt has another number of tokens, or is the
            same; or if a tensor does not fit.

    Example:
        >>> import torch
        >>> from igteach.models import lookup
        >>> model = lookup.load("cpu")
        >>> prompt = model.encode("k3 v7 k3")
        >>> prompt_baseline("zero", model, prompt, torch.ones(1, 3, 64)).sum().item()
        0.0
    """
    table: Any = model.model.get_input_embeddings()
    if isinstance(baseline, Tensor):
        return check_baseline(x, baseline)
    if not isinstance(baseline, str):
        raise TypeError(
            f"baseline is {type(baseline).__name__}; pass one of {', '.join(NAMED)}, another prompt as a str, or a "
            "tensor"
        )
    if baseline == "zero":
        return torch.zeros_like(x)
    if baseline == "mean":
        rows = getattr(table, "num_embeddings", None) or len(table.weight)
        mean: Tensor = table(torch.arange(rows, device=x.device)).mean(0)
        return mean.expand_as(x)
    if baseline == "eos":
        if model.tokenizer.eos_token_id is None:
            raise ValueError("baseline is 'eos', but the tokenizer has no eos_token; choose 'mean', or another prompt")
        return table(torch.full(x.shape[:2], model.tokenizer.eos_token_id, device=x.device))  # type: ignore[no-any-return]
    return table(_ids_of_other(baseline, model, prompt, moved))  # type: ignore[no-any-return]


def _ids_of_other(baseline: str, model: LanguageModel, prompt: EncodedPrompt, moved: Tensor | None) -> Tensor:
    """The tokens of another prompt, which goes with this one token by token."""
    other = model.encode(baseline, "baseline")
    if len(other.tokens) != len(prompt.tokens):
        raise ValueError(
            f"baseline is another prompt of {len(other.tokens)} tokens, {[*other.tokens]}, and this one has "
            f"{len(prompt.tokens)}, {[*prompt.tokens]}; pass one of as many, or one of {', '.join(NAMED)}"
        )
    differs = (other.ids != prompt.ids)[0]
    if moved is not None and bool((differs & ~moved).any()):
        places = [prompt.tokens[i] for i in (differs & ~moved).nonzero()[:, 0].tolist()]
        raise ValueError(
            f"baseline is another prompt, which differs in {places}, and they are not moved; pass move='all'"
        )
    if not bool(differs.any()):
        raise ValueError("baseline is the prompt itself, token by token; change the words that you ask about")
    return other.ids


def _targets(
    model: LanguageModel,
    prompt: EncodedPrompt,
    target: int | str | None,
    against: int | str | None,
    continuation: str | None,
) -> tuple[int, ...]:
    """The tokens that are asked about; ValueError if they are asked about in two ways."""
    if continuation is None:
        if target is not None:
            return (model.token(target),)
        with torch.no_grad():
            return (int(model.logits(prompt.ids)[0, -1].argmax()),)
    if target is not None or against is not None:
        name = "target" if target is not None else "against"
        raise ValueError(
            f"continuation and {name} are both given; pass one: continuation asks about each of its tokens"
        )
    if not isinstance(continuation, str):
        raise TypeError(f"continuation is {type(continuation).__name__}; pass a str")
    check_characters(continuation, "continuation")
    ids = model.tokenizer(continuation, add_special_tokens=False)["input_ids"]
    if not ids:
        raise ValueError(f"continuation is {continuation!r}: nothing that the tokenizer reads; pass a word or more")
    return tuple(model.token(each, "continuation") for each in ids)


def _check_length(model: LanguageModel, prompt: EncodedPrompt, targets: tuple[int, ...]) -> None:
    """Raise ValueError if the model does not read as many tokens as the prompt and all targets but the last."""
    count = len(prompt.tokens) + len(targets) - 1
    if model.longest and count > model.longest:
        raise ValueError(
            f"continuation has {len(targets)} tokens behind the {len(prompt.tokens)} of the prompt, and the model "
            f"reads {model.longest}; pass a shorter one"
        )


def _moved(prompt: EncodedPrompt, move: str) -> Tensor:
    """Which tokens of a prompt move; ValueError if none does, or for another word."""
    if move not in MOVES:
        raise ValueError(f"move is {move!r}; choose one of {', '.join(MOVES)}")
    moved = torch.ones_like(prompt.is_written) if move == "all" else prompt.is_written
    if not bool(moved.any()):
        raise ValueError(
            f"move is {move!r}, and all tokens of {prompt.text!r} are special ones or of a chat's template; pass "
            "move='all'"
        )
    return moved


@torch.no_grad()
def _check_reads_embeddings(model: LanguageModel, path: EmbeddingInterpolation) -> None:
    """Raise ValueError unless the model answers by the embeddings of its tokens as it does by the tokens."""
    ids = path.held["input_ids"]
    right = model.logits(ids, path.model.last)
    if not torch.allclose(path.model(ids), right, rtol=1e-3, atol=1e-3):
        raise ValueError(
            f"model is a {type(model.model).__name__}, which answers otherwise each time; F must be deterministic: "
            "call model.model.eval(), and take out of it what draws at random"
        )
    others = EmbeddingInterpolation(path.model, path.x, path.start, {"input_ids": _other_tokens(model, ids)})
    if not torch.allclose(others(path.x.new_ones(1, ids.shape[1])), right, rtol=1e-3, atol=1e-3):
        if right.dtype in (torch.bfloat16, torch.float16):
            raise ValueError(
                f"model computes in {right.dtype}, too coarsely to be attributed; call model.model.float() first"
            )
        raise ValueError(
            f"model is a {type(model.model).__name__}, which answers otherwise by the embeddings of a prompt than by "
            "its tokens: it uses them beyond the table of get_input_embeddings(), and no path of embeddings leads to "
            "its answer; pass a model that reads tokens there alone"
        )


def _other_tokens(model: LanguageModel, ids: Tensor) -> Tensor:
    """Another ordinary token in every place, in the shape of ids."""
    special = {*model.tokenizer.all_special_ids, *ids[0].tolist()}
    other = next((token for token in range(len(model.tokenizer)) if token not in special), None)
    return ids if other is None else torch.full_like(ids, other)
