"""Controls for a report: the shares compared with maps that know less about the model, each with an interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.functions import Function
from igteach.evaluate import agreement, deletion, interval, randomised
from igteach.evaluate.agreement import flatten_places
from igteach.evaluate.controls import noise_like
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.token_answer import TokenAttribution
from igteach.reports.questions import Question

SEEDS = 10  # of random gradients and orders
STEPS = 16  # of a deletion
DRAWS = 5  # of weights, each of which costs an attribution
ROUGH_TOLERANCE, ROUGH_EVALUATIONS = 0.2, 65  # of attributions that are only ranked
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


def against_random_gradients(question: Question) -> Control:
    """Rank correlation of |shares| with those of random gradients times x - x', at the places where x differs from x'.

    Args:
        question: What was asked.

    Returns:
        The control.

    Raises:
        ValueError: The distances x - x' cannot be compared: those of a text, or of a table.
    """
    if question.answer is not None:
        raise ValueError("every token moves from 0 to 1, so there is no |x - x'| to follow")
    if question.is_table:
        raise ValueError("columns have units of their own, so random gradients mean nothing")
    distance = question.x - question.baseline
    moved = flatten_places(distance.abs())[0] > 0
    own, *drawn = (
        flatten_places(values)[:, moved].abs()
        for values in (question.values, *(noise_like(distance, seed) * distance for seed in range(SEEDS)))
    )
    found = _mean_and_interval([agreement(own, each) for each in drawn])
    passed = found["mean"] < ALIKE
    reading = (
        f"which places are strong does not follow from |x - x'| alone ({ALIKE} would be a warning)"
        if passed
        else f"which places are strong follows largely from |x - x'| ({ALIKE} and more): do not point at single ones"
    )
    words = f"rank correlation of strengths, without signs, {_in_words(found)}, {SEEDS} draws"
    return Control("random gradients times x - x'", words, reading, passed, found)


def by_deletion(question: Question) -> Control:
    """F while features become those of the baseline, the largest shares first, and in random order.

    Args:
        question: What was asked.

    Returns:
        The control.
    """
    f, x, baseline, target = question.asked
    orders = [noise_like(x, seed) for seed in range(SEEDS)]
    maps = torch.cat([question.values.to(x), *orders])
    if isinstance(target, Tensor):
        target = target.expand(len(maps), *target.shape[1:])
    own, *chance = deletion(f, x.expand_as(maps), maps, baseline, target, steps=STEPS).area.split(1)
    found = _mean_and_interval(chance)
    beaten = sum(own.item() < each.item() for each in chance)
    passed = beaten >= 0.9 * SEEDS
    reading = f"F falls sooner than in {beaten} of {SEEDS} random orders"
    if not passed:
        reading += ", which may be chance: the largest shares are not seen to be what F needs"
    words = (
        f"features become those of x', the most positive shares first: mean F on the way {own.item():.3g}; "
        f"{_in_words(found)} in {SEEDS} random orders"
    )
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
    f = question.f
    if not (isinstance(question.model, nn.Module) and isinstance(f, nn.Module)):
        raise TypeError(f"f is {type(question.model).__name__}, not a module whose weights can be drawn again")
    correlations = []
    for seed in range(DRAWS):
        changed = _again(question, randomised(f, seed), question.baseline)
        correlations.append(agreement(question.values, changed))
    found = _mean_and_interval(correlations)
    passed = found["low"] > -ALIKE and found["high"] < ALIKE
    reading = f"another map, as it should be ({ALIKE} would be a warning)"
    if not passed:
        alike = abs(found["mean"]) >= ALIKE
        reading = (
            "a model that knows nothing gives much the same map" if alike else "undecided: the draws differ widely"
        )
    words = f"rank correlation of shares, with signs, {_in_words(found)}, {DRAWS} draws of the weights"
    return Control("weights at random", words, reading, passed, found)


def from_other_baselines(question: Question, others: Mapping[str, Any]) -> list[Control]:
    """Rank correlation with the shares from other baselines.

    Args:
        question: What was asked.
        others: Baselines by name, each in the form of the baseline that was asked.

    Returns:
        A control for each.
    """
    controls = []
    for name, given in others.items():
        found = agreement(question.values, _from(question, given)).item()
        passed = found >= ALIKE
        reading = "much the same map" if passed else "another map: what is seen belongs to the comparison with x'"
        words = f"rank correlation {found:.2f}"
        controls.append(Control(f"from the baseline {name!r}", words, reading, passed, {"mean": found}))
    return controls


def _from(question: Question, given: Any) -> Tensor:
    """The shares from another baseline, or those of an answer to the same text from it."""
    if isinstance(given, TokenAttribution):
        values = given.evidence.values
        is_same = question.answer is not None and _asked_of_text(given) == _asked_of_text(question.answer)
        if not is_same or not isinstance(values, Tensor) or values.shape != question.values.shape:
            raise ValueError(
                "other_baselines holds an answer to another text or target; pass answers to the same question"
            )
        return values
    if question.answer is not None:
        raise TypeError(
            f"other_baselines holds {type(given).__name__}, and the answer is to a text; pass the answer from the "
            "other baseline: igteach.token_attribution(model, text, baseline=...)"
        )
    return _again(question, question.f, question.read(given))


def _asked_of_text(answer: TokenAttribution) -> tuple[Any, ...]:
    """All that was asked of a text but the baseline."""
    return answer.text, answer.target, answer.f_target, answer.f_name


def _mean_and_interval(scores: Sequence[Tensor]) -> dict[str, float]:
    return dict(zip(("mean", "low", "high"), interval(torch.cat([*scores])), strict=True))


def _in_words(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _again(question: Question, f: Function, baseline: Any) -> Tensor:
    """The shares of another F or from another baseline; those of Integrated Gradients as rough as a ranking allows."""
    rough = {"tolerance": ROUGH_TOLERANCE, "max_evaluations": ROUGH_EVALUATIONS}
    options = rough if question.method is integrated_gradients else {}
    values = question.method(f, question.x, baseline, question.target, **options).values
    assert isinstance(values, Tensor)
    return values
