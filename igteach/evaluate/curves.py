"""Take away what a map calls important, or bring it, and watch F: deletion and insertion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target, probability
from igteach.core.validation import check_arguments, check_count, default_batch_size
from igteach.evaluate.agreement import by_place
from igteach.methods.token_attribution import TokenAttribution, token_baseline
from igteach.models.text import EmbeddingInterpolation, TextClassifier


@dataclass(frozen=True, eq=False)
class Curves:
    """F while the places of each example are exchanged, the most important first."""

    fraction: Tensor  # (points,)  of the places exchanged, 0 to 1
    values: Tensor  # (batch, points)  F

    @property
    def area(self) -> Tensor:
        """(batch,) The area under each curve, which is the mean of F on the way."""
        return torch.trapezoid(self.values, self.fraction, dim=1)


def deletion(
    f: Function, x: Tensor, values: Tensor, reference: Baseline = None, target: Target = None, *, steps: int = 32
) -> Curves:
    """F while x turns into the reference place by place, the largest values first: a good map has a small area.

    f, x, target as for igteach.gradient. reference, a number or what broadcasts to x (zeros where None), is what a
    place becomes. values has the shape of x; a pixel of pictures (batch, channels, height, width) is one place, valued
    by the sum over its channels, and otherwise each feature is one. Signs count: pass sizes where they should not.
    steps is the number of points after the first, or fewer where there are fewer places. Equal values go by lot.
    Raises TypeError or ValueError for arguments that cannot give a right answer.
    Source: Samek et al. (2017); Petsiuk, Das and Saenko (2018).
    """
    x, reference, target = check_arguments(f, x, reference, target)
    return _exchanged(f, x, reference, values, target, steps)


def insertion(
    f: Function, x: Tensor, values: Tensor, reference: Baseline = None, target: Target = None, *, steps: int = 32
) -> Curves:
    """F while the reference turns into x place by place, the largest values first: a good map has a large area.

    Arguments, errors and source as for `deletion`.
    """
    x, reference, target = check_arguments(f, x, reference, target)
    return _exchanged(f, reference, x, values, target, steps)


def token_deletion(
    model: TextClassifier, answer: TokenAttribution, scores: Tensor | None = None, reference: str = "pad"
) -> Curves:
    """The probability of a text's label while its tokens go one by one, the largest scores first.

    answer     of igteach.token_attribution, with a score for each token, not merged into words
    scores     (ordinary tokens,), other scores to go by; None is the answer's own
    reference  what a token becomes: "pad", "mask" or "zero" as there; or "drop", and the text becomes shorter

    Raises ValueError for scores or an answer that do not fit the tokens of its text, and as token_attribution.
    """
    return _of_tokens(deletion, model, answer, scores, reference)


def token_insertion(
    model: TextClassifier, answer: TokenAttribution, scores: Tensor | None = None, reference: str = "pad"
) -> Curves:
    """The same while the tokens come one by one, the largest scores first; as `token_deletion`."""
    return _of_tokens(insertion, model, answer, scores, reference)


def _exchanged(f: Function, old: Tensor, new: Tensor, values: Tensor, target: Tensor | None, steps: int) -> Curves:
    check_count("steps", steps, 1)
    if not isinstance(values, Tensor) or values.shape != old.shape:
        received = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(
            f"values is {received}; pass a map of x's shape {tuple(old.shape)}, such as an Attribution's .values"
        )
    worth = by_place(values)
    places = worth.shape[1]
    lot = torch.randperm(places, generator=torch.Generator().manual_seed(0)).to(worth.device)
    order = lot[worth[:, lot].argsort(dim=1, descending=True, stable=True)]
    turn = order.argsort(dim=1).view(len(old), *([1, *old.shape[2:]] if old.dim() == 4 else old.shape[1:]))
    gone = torch.linspace(0, places, min(steps, places) + 1).round().long()
    batch_size, points = default_batch_size(old, None), []
    for counts in gone.to(turn.device).split(max(1, batch_size // len(old))):
        mixed = torch.where(turn < counts.view(-1, *[1] * old.dim()), new, old).flatten(0, 1)
        found = forward_batched(f, mixed, None if target is None else target.repeat(len(counts)), batch_size)
        points.append(found.view(len(counts), len(old)))
    values_on_the_way = torch.cat(points).T
    return Curves((gone / places).to(values_on_the_way), values_on_the_way)


def _of_tokens(
    curves: Callable[..., Curves],
    model: TextClassifier,
    answer: TokenAttribution,
    scores: Tensor | None,
    reference: str,
) -> Curves:
    encoding = model.encode([answer.text])
    ordinary = encoding["special_tokens_mask"][0] == 0
    own = answer.scores[torch.tensor([word is not None for word in answer.words])]
    scores = own if scores is None else scores
    for name, received in (("answer", own), ("scores", scores)):
        if received.shape != (int(ordinary.sum()),):
            raise ValueError(
                f"{name} has scores of shape {tuple(received.shape)}; the text has {int(ordinary.sum())} tokens"
            )
    inputs = model.inputs(encoding)
    f = _Shortened(model, inputs, ordinary) if reference == "drop" else _replaced(model, inputs, ordinary, reference)
    device = inputs["input_ids"].device
    on = torch.ones(1, len(scores), device=device)
    return curves(f, on, scores[None].to(device), 0.0, model.number(answer.target), steps=len(scores))


def _replaced(model: TextClassifier, inputs: dict[str, Tensor], ordinary: Tensor, reference: str) -> Function:
    """The probabilities (N, classes) by a switch for each ordinary token (N, tokens)."""
    held = dict(inputs)
    x = model.model.get_input_embeddings()(held.pop("input_ids")).detach()
    f = probability(EmbeddingInterpolation(model.model, x, token_baseline(reference, model, x).detach(), held))

    def by_switches(switches: Tensor) -> Tensor:
        dials = switches.new_ones(len(switches), len(ordinary))
        dials[:, ordinary.to(switches.device)] = switches
        return f(dials)

    return by_switches


class _Shortened:
    """The same, where a token that is switched off is left out of the text; one row at a time, as lengths differ."""

    def __init__(self, model: TextClassifier, inputs: dict[str, Tensor], ordinary: Tensor):
        self.model, self.inputs, self.ordinary = model, inputs, ordinary

    def __call__(self, switches: Tensor) -> Tensor:
        return torch.cat([self._row(row) for row in switches])

    def _row(self, switches: Tensor) -> Tensor:
        kept = ~self.ordinary.to(switches.device)
        kept[~kept] = switches > 0
        nothing = not kept.any()  # some models take no empty text, but one whose only token is masked
        kept[0] |= nothing
        held: dict[str, Any] = {name: value[:, kept] for name, value in self.inputs.items()}
        held["attention_mask"] = held["attention_mask"] * (not nothing)
        return self.model.logits(held).softmax(1)
