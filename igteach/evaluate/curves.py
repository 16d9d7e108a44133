"""Remove what a map calls important, or insert it, and watch F: deletion and insertion curves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.per_row import PerRow
from igteach.core.validation import check_arguments, check_count, default_batch_size
from igteach.evaluate.agreement import flatten_places
from igteach.evaluate.maps import check_map
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.token_attribution import token_baseline
from igteach.models.text import EmbeddingInterpolation, TextClassifier


@dataclass(frozen=True, eq=False)
class Curves:
    """F while the places of each example are exchanged, the most important first.

    Attributes:
        fraction: (points,), the fraction of the places exchanged so far, from 0 to 1.
        values: (batch, points), F.

    Example:
        >>> import torch
        >>> Curves(torch.tensor([0.0, 0.5, 1.0]), torch.tensor([[1.0, 0.5, 0.0]])).area.tolist()
        [0.5]
    """

    fraction: Tensor
    values: Tensor

    @property
    def area(self) -> Tensor:
        """(batch,), the area under each curve: the mean of F over the fraction exchanged."""
        return torch.trapezoid(self.values, self.fraction, dim=1)


def deletion(
    f: Function, x: Tensor, values: Tensor, reference: Baseline = None, target: Target = None, *, steps: int = 32
) -> Curves:
    """F while x turns into a reference place by place, the largest values first: a good map has a small area.

    In pictures (batch, channels, height, width) a place is a pixel, and has the sum of the values of its channels;
    otherwise each feature is a place. Signs count: pass absolute values where they should not. Places of equal value
    are exchanged in random order, which is always the same.

    Args:
        f: maps (N, *features) to (N,) or (N, classes), rows independent.
        x: (batch, *features), floating point.
        values: a map of each example, in the shape of x.
        reference: what a place becomes: a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.
        steps: the number of points after the first; fewer if there are fewer places.

    Returns:
        The curves, one for each example.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if an argument has the wrong shape or value.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 3 * x + y)
        >>> curves = deletion(f, torch.ones(1, 2), torch.tensor([[3.0, 1.0]]))
        >>> curves.values.tolist()
        [[4.0, 1.0, 0.0]]

    Source:
        Samek et al. (2017), https://doi.org/10.1109/TNNLS.2016.2599820; Petsiuk, Das and Saenko (2018),
        https://arxiv.org/abs/1806.07421.
    """
    x, reference, per_row = check_arguments(f, x, reference, target)
    return _exchange_curves(_Exchange(f, x, reference, per_row), values, steps)


def insertion(
    f: Function, x: Tensor, values: Tensor, reference: Baseline = None, target: Target = None, *, steps: int = 32
) -> Curves:
    """F while a reference turns into x place by place, the largest values first: a good map has a large area.

    Places are as for `deletion`.

    Args:
        f: maps (N, *features) to (N,) or (N, classes), rows independent.
        x: (batch, *features), floating point.
        values: a map of each example, in the shape of x.
        reference: what each place is at first: a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.
        steps: the number of points after the first; fewer if there are fewer places.

    Returns:
        The curves, one for each example.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if an argument has the wrong shape or value.

    Example:
        >>> import igteach, torch
        >>> f = igteach.toy(lambda x, y: 3 * x + y)
        >>> curves = insertion(f, torch.ones(1, 2), torch.tensor([[3.0, 1.0]]))
        >>> curves.values.tolist()
        [[0.0, 3.0, 4.0]]

    Source:
        Petsiuk, Das and Saenko (2018), https://arxiv.org/abs/1806.07421.
    """
    x, reference, per_row = check_arguments(f, x, reference, target)
    return _exchange_curves(_Exchange(f, reference, x, per_row), values, steps)


def token_deletion(
    model: TextClassifier, answer: TokenAttribution, scores: Tensor | None = None, reference: str = "pad"
) -> Curves:
    """The probability of a text's label while its tokens are removed one by one, the largest scores first.

    Args:
        model: the classifier that the answer is about.
        answer: of `igteach.token_attribution`, with a score for each token, not merged into words.
        scores: (ordinary tokens,), other scores to rank the tokens by; None is the answer's own.
        reference: what a token becomes: "pad", "mask" or "zero", as the baseline of `token_attribution`; or "drop",
            which shortens the text.

    Returns:
        The curve of the text, with a point for each token.

    Raises:
        ValueError: if the scores or the answer do not fit the tokens of the text, or as `token_attribution`.

    Example:
        >>> import igteach
        >>> from igteach.models import text
        >>> reader = text.load("sentiment_zh", "cpu")
        >>> answer = igteach.token_attribution(reader, "很差", steps=64)
        >>> token_deletion(reader, answer).fraction.tolist()
        [0.0, 0.5, 1.0]

    Source:
        Samek et al. (2017), https://doi.org/10.1109/TNNLS.2016.2599820, who do so with pixels.
    """
    return _token_curves(deletion, model, answer, scores, reference)


def token_insertion(
    model: TextClassifier, answer: TokenAttribution, scores: Tensor | None = None, reference: str = "pad"
) -> Curves:
    """The probability of a text's label while its tokens are inserted one by one, the largest scores first.

    Args:
        model: the classifier that the answer is about.
        answer: of `igteach.token_attribution`, with a score for each token, not merged into words.
        scores: (ordinary tokens,), other scores to rank the tokens by; None is the answer's own.
        reference: what each token is at first: "pad", "mask" or "zero", as the baseline of `token_attribution`; or
            "drop", which starts from an empty text.

    Returns:
        The curve of the text, with a point for each token.

    Raises:
        ValueError: if the scores or the answer do not fit the tokens of the text, or as `token_attribution`.

    Example:
        >>> import igteach
        >>> from igteach.models import text
        >>> reader = text.load("sentiment_zh", "cpu")
        >>> answer = igteach.token_attribution(reader, "很差", steps=64)
        >>> token_insertion(reader, answer).fraction.tolist()
        [0.0, 0.5, 1.0]

    Source:
        Petsiuk, Das and Saenko (2018), https://arxiv.org/abs/1806.07421, who do so with pixels.
    """
    return _token_curves(insertion, model, answer, scores, reference)


@dataclass(frozen=True, eq=False)
class _Exchange:
    """An input that turns into another, place by place, while F is watched.

    Attributes:
        f: F.
        start: (batch, *features), the input at first.
        end: (batch, *features), the input when every place is exchanged.
        per_row: the target of each example.
    """

    f: Function
    start: Tensor
    end: Tensor
    per_row: PerRow


def _exchange_curves(exchange: _Exchange, values: Tensor, steps: int) -> Curves:
    """The curves of an exchange that takes the places with the largest values first."""
    check_count("steps", steps, 1)
    start = exchange.start
    if not isinstance(values, Tensor) or values.shape != start.shape:
        received = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(
            f"values is {received}; pass a map of x's shape {tuple(start.shape)}, such as an Attribution's .values"
        )
    check_map(values)
    ranks = _ranks(values)
    num_places = ranks[0].numel()
    counts = (
        torch.linspace(0, num_places, min(steps, num_places) + 1, device="cpu").round().long()
    )  # places exchanged at each point
    batch_size = default_batch_size(start, None)
    curves = []
    for chunk in torch.split(counts.to(ranks.device), max(1, batch_size // len(start))):
        is_exchanged = ranks < chunk.view(-1, *[1] * start.dim())
        points = torch.where(is_exchanged, exchange.end, start).flatten(0, 1)
        scores = forward_batched(exchange.f, points, exchange.per_row.repeat(len(chunk)), batch_size)
        curves.append(scores.view(len(chunk), len(start)))
    curve_values = torch.cat(curves).T
    return Curves((counts / num_places).to(curve_values), curve_values)


def _ranks(values: Tensor) -> Tensor:
    """The rank of each place of a map, 0 for the largest value, equal values in random order.

    The shape is that of values, with one channel for pictures, so that it broadcasts to x.
    """
    place_values = flatten_places(values)
    num_places = place_values.shape[1]
    shuffled = torch.randperm(num_places, generator=torch.Generator().manual_seed(0), device="cpu").to(values.device)
    order = shuffled[place_values[:, shuffled].argsort(dim=1, descending=True, stable=True)]
    ranks = order.argsort(dim=1)
    if values.dim() == 4:
        return ranks.view(len(values), 1, *values.shape[2:])
    return ranks.view(values.shape)


def _token_curves(
    curves: Callable[..., Curves],
    model: TextClassifier,
    answer: TokenAttribution,
    scores: Tensor | None,
    reference: str,
) -> Curves:
    """`deletion` or `insertion` of the ordinary tokens of a text, each with a switch that is 1 or 0."""
    encoding = model.encode([answer.pair or answer.text])
    is_ordinary = encoding["special_tokens_mask"][0] == 0
    num_tokens = int(is_ordinary.sum())
    own_scores = answer.scores[torch.tensor([word is not None for word in answer.words], device="cpu")]
    if scores is None:
        scores = own_scores
    for name, given in (("answer", own_scores), ("scores", scores)):
        check_map(given, name)
        if given.shape != (num_tokens,):
            raise ValueError(f"{name} has scores of shape {tuple(given.shape)}; the text has {num_tokens} tokens")
    inputs = model.inputs(encoding)
    f: Function
    if reference == "drop":
        f = _DroppedTokens(model, inputs, is_ordinary)
    else:
        f = _replaced_tokens(model, inputs, is_ordinary, reference)
    device = inputs["input_ids"].device
    all_on = torch.ones(1, num_tokens, device=device)
    return curves(f, all_on, scores[None].to(device), 0.0, model.number(answer.target), steps=num_tokens)


def _replaced_tokens(model: TextClassifier, inputs: dict[str, Tensor], is_ordinary: Tensor, reference: str) -> Function:
    """The class probabilities as a function of the switches (N, ordinary tokens); off is the reference."""
    x = model.embed(inputs["input_ids"]).detach()
    start = token_baseline(reference, model, x).detach()
    f = model.function(EmbeddingInterpolation(model.model, x, start, inputs))

    def by_switches(switches: Tensor) -> Tensor:
        alphas = switches.new_ones(len(switches), len(is_ordinary))
        alphas[:, is_ordinary.to(switches.device)] = switches
        probabilities: Tensor = f(alphas)
        return probabilities

    return by_switches


class _DroppedTokens:
    """The class probabilities as a function of the switches (N, ordinary tokens); off is left out of the text.

    The rows are evaluated one at a time, because their lengths differ.
    """

    def __init__(self, model: TextClassifier, inputs: dict[str, Tensor], is_ordinary: Tensor):
        self.model = model
        self.inputs = inputs
        self.is_ordinary = is_ordinary

    def __call__(self, switches: Tensor) -> Tensor:
        return torch.cat([self._probabilities(row) for row in switches])

    def _probabilities(self, switches: Tensor) -> Tensor:
        """Of one row of switches (ordinary tokens,): (1, classes)."""
        is_kept = ~self.is_ordinary.to(switches.device)
        is_kept[~is_kept] = switches > 0
        is_empty = not is_kept.any()
        if is_empty:  # some models take no empty text, but one whose only token is masked
            is_kept[0] = True
        shortened: dict[str, Any] = {name: value[:, is_kept] for name, value in self.inputs.items()}
        if is_empty:
            shortened["attention_mask"] = torch.zeros_like(shortened["attention_mask"])
        return self.model.activation(self.model.logits(shortened))
