"""Six models whose shares do not add up, however many steps are taken, for one reason each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from igteach.core.devices import device as default_device
from igteach.core.functions import Function
from igteach.datasets.digits import load_digits
from igteach.models import digits, text

LEVELS = 8  # of brightness, each with a row in the table of the model that rounds
QUESTION = "Who was the first man on the moon?"
LETTERS = "ABCDEF"


@dataclass(frozen=True, eq=False)
class BrokenModel:
    """A model with an input, a baseline, and what its owner adds up.

    Attributes:
        f: F, (N, *features) to (N,).
        x: (1, *features), the input.
        baseline: (1, *features), x'.
        counted: (1, *features), bool: the features whose shares the owner reports.
        fault: what is wrong, in words.
    """

    f: Function
    x: Tensor
    baseline: Tensor
    counted: Tensor
    fault: str


def load(device: torch.device | str | None = None) -> dict[str, BrokenModel]:
    """Load the six models. Five of them read a digit, one reads a question.

    Args:
        device: where the models go; None means `igteach.device()`, the fastest there is.

    Returns:
        The models by letter, A to F.

    Raises:
        FileNotFoundError: the folder data/ lacks the weights or the list of their SHA-256.
        ValueError: the weights are not the ones listed; they are not opened.

    Example:
        >>> broken = load("cpu")
        >>> list(broken)
        ['A', 'B', 'C', 'D', 'E', 'F']
        >>> broken["A"].x.shape
        torch.Size([1, 1, 8, 8])
    """
    place = default_device() if device is None else torch.device(device)
    of_digits = {
        "a step: five units of the logit come and go at once, where the picture is bright enough": _Step,
        "dropout switched on by an argument: called with training=True, it is out of reach of eval()": _Dropout,
        "a lookup that rounds: levels of brightness are looked up in a table, and rounding has no slope": _Rounding,
        "a detached branch: half of the logit is computed from numbers that autograd no longer follows": _Detached,
        "a layer that adds noise: it does so in every call": _Sampled,
    }
    found = [_reading_a_digit(make, fault, place) for fault, make in of_digits.items()]
    found.insert(3, _reading_a_question(place))
    return dict(zip(LETTERS, found, strict=True))


def _reading_a_digit(make: Callable[[nn.Sequential], nn.Module], fault: str, place: torch.device) -> BrokenModel:
    model = make(digits.load(place)).to(place).eval()
    x = load_digits().x_test[:1].to(place)
    return BrokenModel(model, x, torch.zeros_like(x), torch.ones_like(x, dtype=torch.bool), fault)


def _reading_a_question(place: torch.device) -> BrokenModel:
    """The question types' model, from padding in every place; the owner reports the words alone."""
    model = text.load("question_types", place)
    encoding = model.encode([QUESTION])
    inputs = model.inputs(encoding)
    with torch.no_grad():
        x = model.embed(inputs["input_ids"])
        start = model.embed(torch.full_like(inputs["input_ids"], model.tokenizer.pad_token_id))
    path = text.EmbeddingInterpolation(model.model, x, start, inputs)
    switches = torch.ones(1, x.shape[1], device=place)
    fault = "special tokens move and are not counted: the path starts from padding in their places, too"
    counted = (encoding["special_tokens_mask"] == 0).to(place)
    number = model.number("HUM")
    return BrokenModel(lambda alphas: path(alphas)[:, number], switches, torch.zeros_like(switches), counted, fault)


class _OnDigits(nn.Module):
    """The logit of a digit's own class, with a fault on the way."""

    def __init__(self, network: nn.Sequential):
        super().__init__()
        self.network = network
        self.target = int(load_digits().y_test[0])

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 8, 8) to (N,)."""
        logits: Tensor = self.network(x)
        return logits[:, self.target]


class _Step(_OnDigits):
    def forward(self, x: Tensor) -> Tensor:
        is_bright = x.mean((1, 2, 3)) > 0.2
        return super().forward(x) + 5.0 * is_bright


class _Dropout(_OnDigits):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(dropout(x, 0.2, training=True))


class _Rounding(_OnDigits):
    def __init__(self, network: nn.Sequential):
        super().__init__(network)
        self.levels = nn.Embedding.from_pretrained(torch.linspace(0, 1, LEVELS + 1)[:, None])

    def forward(self, x: Tensor) -> Tensor:
        level = (x * LEVELS).round().long().clamp(0, LEVELS)
        return super().forward((x + self.levels(level)[..., 0]) / 2)


class _Detached(_OnDigits):
    def forward(self, x: Tensor) -> Tensor:
        return (super().forward(x) + super().forward(x.detach())) / 2


class _Sampled(_OnDigits):
    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.network
        written = first(x)
        return nn.Sequential(*others)(written + 0.3 * torch.randn_like(written))[:, self.target]
