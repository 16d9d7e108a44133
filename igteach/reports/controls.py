"""Controls for a report: the shares compared with maps that know less about the model, each with an interval."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Function, Target
from igteach.core.validation import check_arguments
from igteach.evaluate import agreement, cascading_randomisation, deletion, interval, random_gradients

SEEDS = 10  # of each random control
ALIKE = 0.5  # a rank correlation from there on counts as the same map


@dataclass(frozen=True)
class Control:
    """One control and its result.

    Attributes:
        name: what was done.
        found: what was measured, in words with its numbers.
        reading: what that says of the shares.
        passed: whether it speaks for the shares.
        numbers: what was measured, by name.
    """

    name: str
    found: str
    reading: str
    passed: bool
    numbers: dict[str, float]


@dataclass(frozen=True, eq=False)
class Question:
    """What an answer is the answer to, for one example.

    Attributes:
        f: F.
        x: the input, (1, *features).
        baseline: x', in the shape of x.
        target: the class, or None.
        method: of the answer, as in `method(f, x, baseline, target)`.
        values: the shares, (1, *features).
    """

    f: Function
    x: Tensor
    baseline: Tensor
    target: Target
    method: Callable[..., Attribution]
    values: Tensor

    @property
    def asked(self) -> tuple[Function, Tensor, Tensor, Target]:
        """What every method takes."""
        return self.f, self.x, self.baseline, self.target


def against_random_gradients(question: Question) -> Control:
    """Rank correlation of |shares| with those of random slopes times x - x'.

    Args:
        question: What was asked.

    Returns:
        The control.
    """
    maps = [random_gradients(*question.asked, seed=seed).values for seed in range(SEEDS)]
    found = _mean_and_interval([agreement(question.values.abs(), each.abs()) for each in maps])
    passed = found["high"] < ALIKE
    reading = (
        "the shares are not those of x - x' alone"
        if passed
        else "x - x' alone gives much the same map: what is seen is largely the input, not the model"
    )
    words = f"rank correlation of the strengths {_in_words(found)}, {SEEDS} draws"
    return Control("random gradients times x - x'", words, reading, passed, found)


def by_deletion(question: Question) -> Control:
    """F while features become those of the baseline, the largest shares first, and in random order.

    Args:
        question: What was asked.

    Returns:
        The control.
    """
    f, x, baseline, target = question.asked
    generator = torch.Generator().manual_seed(0)
    orders = [torch.rand(x.shape, generator=generator).to(x) for _ in range(SEEDS)]
    own, *chance = (deletion(f, x, each, baseline, target).area for each in (question.values, *orders))
    found = _mean_and_interval(chance)
    passed = own.item() < min(each.item() for each in chance)
    reading = (
        "F falls sooner than in any random order"
        if passed
        else "F does not fall sooner than by chance: the largest shares are not what F needs"
    )
    words = f"mean F {own.item():.2f} along the way, {_in_words(found)} in {SEEDS} random orders"
    return Control("deletion against chance", words, reading, passed, {"own": own.item(), **found})


def with_random_weights(question: Question) -> Control:
    """Rank correlation with the shares of the same model with all of its weights drawn again.

    Args:
        question: What was asked.

    Returns:
        The control.

    Raises:
        TypeError: f is not a module.
        ValueError: f has no weights, or some that cannot be drawn again.
    """
    if not isinstance(question.f, nn.Module):
        raise TypeError(f"f is {type(question.f).__name__}, not a module whose weights can be drawn again")
    correlations = []
    for seed in range(3):
        ((_, changed),) = deque(cascading_randomisation(question.f, seed, x=question.x), maxlen=1)
        last = question.method(changed, question.x, question.baseline, question.target)
        correlations.append(agreement(question.values, last.values))
    found = _mean_and_interval(correlations)
    passed = max(abs(found["low"]), abs(found["high"])) < ALIKE
    reading = (
        "the map depends on what the model has learned"
        if passed
        else "a model that knows nothing gives much the same map"
    )
    return Control("weights at random", f"rank correlation {_in_words(found)}, 3 draws", reading, passed, found)


def from_other_baselines(question: Question, others: Mapping[str, Any]) -> list[Control]:
    """Rank correlation with the shares from other baselines.

    Args:
        question: What was asked.
        others: Baselines by name.

    Returns:
        A control for each.
    """
    controls = []
    for name, baseline in others.items():
        values = question.method(question.f, question.x, baseline, question.target).values
        found = agreement(question.values, values).item()
        passed = found >= ALIKE
        reading = "much the same map" if passed else "another map: what is seen belongs to the comparison with x'"
        words = f"rank correlation {found:.2f}"
        controls.append(Control(f"from the baseline {name!r}", words, reading, passed, {"mean": found}))
    return controls


def _mean_and_interval(scores: Sequence[Tensor]) -> dict[str, float]:
    return dict(zip(("mean", "low", "high"), interval(torch.cat([*scores])), strict=True))


def _in_words(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def question_of(
    answer: Attribution,
    f: Function,
    x: Any,
    baseline: Any,
    target: Target,
    method: Callable[..., Attribution],
) -> Question:
    """What one example's answer was asked, checked against it.

    Args:
        answer: About one example.
        f: F.
        x: Its input, (1, *features).
        baseline: x'.
        target: Its class, or None.
        method: Of the answer.

    Returns:
        The question.

    Raises:
        TypeError: The values are those of several inputs.
        ValueError: F(x) is not what the answer says.
    """
    if not isinstance(answer.values, Tensor):
        raise TypeError("answer is about several inputs, for which there are no controls; leave f and x out")
    x, baseline, per_row = check_arguments(f, x, baseline, target)
    if x.shape != answer.values.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, and the answer's values {tuple(answer.values.shape)}; pass the input that "
            "the answer is about"
        )
    now, then = forward_batched(f, x, per_row, 1).item(), answer.f_input.item()
    if abs(now - then) > 1e-3 * max(1.0, abs(then)):
        raise ValueError(
            f"F(x) is {now:.4g}, and the answer says {then:.4g}: it is of another f, x or target; pass those "
            "of the call"
        )
    return Question(f, x, baseline, target, method, answer.values)
