"""Controls for a report: the shares compared with maps that know less about the model, each with an interval."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution, leaves
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Function, Target
from igteach.core.inputs import as_one_input
from igteach.core.validation import check_arguments
from igteach.evaluate import agreement, deletion, interval, randomised
from igteach.evaluate.agreement import flatten_places
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.tree_models import TreeFunction
from igteach.methods.trees import read_arguments, tree_integrated_gradients

SEEDS = 10  # of random slopes and orders
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
        model: what was passed as f.
        label: what was passed as target.
        answer: the answer, if it is to a text: x are switches of its tokens. None: to another input.
        is_table: whether each feature has a name, and most likely a unit of its own.
        read: what makes of a baseline, in the form of the one that was asked, one that goes with x.
    """

    f: Function
    x: Tensor
    baseline: Tensor
    target: Target
    method: Callable[..., Attribution]
    values: Tensor
    model: Any
    label: Any
    answer: TokenAttribution | None = None
    is_table: bool = False
    read: Callable[[Any], Any] = lambda baseline: baseline

    @property
    def asked(self) -> tuple[Function, Tensor, Tensor, Target]:
        """What every method takes."""
        return self.f, self.x, self.baseline, self.target


def against_random_gradients(question: Question) -> Control:
    """Rank correlation of |shares| with those of random slopes times x - x', at the places where x differs from x'.

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
        raise ValueError("columns have units of their own, so random slopes mean nothing")
    distance = question.x - question.baseline
    moved = flatten_places(distance.abs())[0] > 0
    own, *drawn = (
        flatten_places(values)[:, moved].abs()
        for values in (question.values, *(_random(question, torch.randn, seed) * distance for seed in range(SEEDS)))
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
    orders = [_random(question, torch.rand, seed) for seed in range(SEEDS)]
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


def _random(question: Question, draw: Callable[..., Tensor], seed: int) -> Tensor:
    """Numbers for each feature of x, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return draw(question.x.shape, generator=generator, device="cpu").to(question.x)


def _again(question: Question, f: Function, baseline: Any) -> Tensor:
    """The shares of another F or from another baseline; those of Integrated Gradients as rough as a ranking allows."""
    rough = {"tolerance": ROUGH_TOLERANCE, "max_evaluations": ROUGH_EVALUATIONS}
    options = rough if question.method is integrated_gradients else {}
    values = question.method(f, question.x, baseline, question.target, **options).values
    assert isinstance(values, Tensor)
    return values


def question_of_text(answer: TokenAttribution, method: Callable[..., Attribution]) -> Question | None:
    """What an answer to a text was asked, with a switch for each token in place of its embedding.

    Args:
        answer: To a text.
        method: Of the answer.

    Returns:
        The question; None if the answer does not know its F.
    """
    if answer.f is None:
        return None
    values = answer.evidence.values
    assert isinstance(values, Tensor)
    on, off = torch.ones_like(values), torch.zeros_like(values)
    with torch.no_grad():
        now, before = (answer.f(switches)[0, answer.f_target].item() for switches in (on, off))
    _check_same_f("F(x)", now, answer.evidence.f_input)
    _check_same_f("F(x')", before, answer.evidence.f_baseline)
    return Question(answer.f, on, off, answer.f_target, method, values, answer.f, answer.target, answer)


def question_of(
    answer: Attribution,
    f: Any,
    x: Any,
    baseline: Any,
    target: Any,
    method: Callable[..., Attribution],
) -> Question:
    """What one example's answer was asked, checked against it.

    Args:
        answer: About one example.
        f: F, or a model of trees.
        x: Its input, (1, *features); several are laid side by side.
        baseline: x'.
        target: Its class, or None.
        method: Of the answer.

    Returns:
        The question.

    Raises:
        TypeError: f is neither a function nor a model of trees.
        ValueError: F(x) is not what the answer says; or a model of trees is asked about a missing value.
    """
    model, label = f, target
    values = _side_by_side(answer, x)
    read = functools.partial(_read, f, x)
    if not callable(f):
        f, target, method = _of_trees(model, label, method)
        read = functools.partial(_read_by_trees, f, x)
        x, baseline, _ = read_arguments(f, x, baseline)
        _check_nothing_is_missing(x, baseline)
    f, x, baseline, _ = as_one_input(f, x, baseline)
    x, baseline, per_row = check_arguments(f, x, baseline, target)
    if x.numel() != values.numel():
        raise ValueError(
            f"x has shape {tuple(x.shape)}, and the answer has {values.numel()} values; pass the input that the "
            "answer is about, and of a grouped answer the one before .grouped"
        )
    _check_same_f("F(x)", forward_batched(f, x, per_row, 1).item(), answer.f_input)
    _check_same_f("F(x')", forward_batched(f, baseline, per_row, 1).item(), answer.f_baseline)
    return Question(
        f,
        x,
        baseline,
        target,
        method,
        values.reshape(x.shape),
        model,
        label,
        is_table=answer.feature_names is not None,
        read=read,
    )


def _read(f: Function, x: Any, baseline: Any) -> Any:
    """Another baseline, as it goes with x as a user has it."""
    return as_one_input(f, x, baseline)[2]


def _read_by_trees(f: TreeFunction, x: Any, baseline: Any) -> Any:
    return read_arguments(f, x, baseline)[1]


def _side_by_side(answer: Attribution, x: Any) -> Tensor:
    """The shares (1, features); those of several inputs in the order of x."""
    values = answer.values
    if isinstance(values, dict) and isinstance(x, dict):
        if set(values) != set(x):
            raise ValueError(f"x has {list(x)}, and the answer {list(values)}; pass the input that the answer is about")
        values = {name: values[name] for name in x}
    return torch.cat([each.reshape(1, -1) for each in leaves(values)], 1)


def _check_nothing_is_missing(*numbers: Any) -> None:
    """Raises ValueError for NaN, between which and a number no control can move."""
    if any(isinstance(each, Tensor) and bool(each.isnan().any()) for each in numbers):
        raise ValueError(
            "x or baseline holds NaN, which the controls do not take; leave out f and x for a report of the answer "
            "alone"
        )


def _check_same_f(name: str, now: float, recorded: Tensor | None) -> None:
    """Raises ValueError if F at an end is not what the answer says."""
    if recorded is None:
        return
    then = recorded.item()
    if abs(now - then) > 1e-3 * max(1.0, abs(then)):
        raise ValueError(
            f"{name} is {now:.4g}, and the answer says {then:.4g}: it is of another f, x, baseline or target, or the "
            "model has changed since; pass those of the call, or attribute again"
        )


def _of_trees(
    model: Any, label: Any, method: Callable[..., Attribution]
) -> tuple[TreeFunction, Target, Callable[..., Attribution]]:
    """F of a model of trees, its target, and the method for both."""
    f = TreeFunction(model)
    column = f.outputs(label, 1)
    by_trees = tree_integrated_gradients if method is integrated_gradients else method

    @functools.wraps(by_trees)
    def by_label(_f: Function, x: Any, baseline: Any, _target: Target) -> Attribution:
        return by_trees(model, x, baseline, label)

    return f, None if column is None else int(column), by_label
