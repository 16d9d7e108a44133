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
from igteach.core.inputs import FunctionOfRows, as_one_input
from igteach.core.validation import check_arguments
from igteach.evaluate import agreement, deletion, interval, randomised
from igteach.evaluate.agreement import flatten_places
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.tree_models import TreeFunction
from igteach.methods.trees import read_arguments, tree_integrated_gradients

SEEDS = 10  # of random slopes and orders
STEPS = 16  # of a deletion
DRAWS = 3  # of weights, each of which costs an attribution
ROUGH_TOLERANCE, ROUGH_EVALUATIONS = 0.2, 65  # of attributions that are only ranked
FEWEST_SHARES = 5  # that are not zero, for rank correlations to mean something
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
    """

    f: Function
    x: Tensor
    baseline: Tensor
    target: Target
    method: Callable[..., Attribution]
    values: Tensor
    model: Any
    label: Any

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
    distance = question.x - question.baseline
    maps = [_random(question, torch.randn, seed) * distance for seed in range(SEEDS)]
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
    orders = [_random(question, torch.rand, seed) for seed in range(SEEDS)]
    maps = torch.cat([question.values.to(x), *orders])
    if isinstance(target, Tensor):
        target = target.expand(len(maps), *target.shape[1:])
    own, *chance = deletion(f, x.expand_as(maps), maps, baseline, target, steps=STEPS).area.split(1)
    found = _mean_and_interval(chance)
    passed = own.item() < found["low"]
    beaten = sum(own.item() < each.item() for each in chance)
    reading = (
        f"F falls sooner than in {beaten} of {SEEDS} random orders"
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
        ValueError: f has no weights, or some that cannot be drawn again; or too few shares to compare two rankings.
    """
    f = question.f
    if not (isinstance(question.model, nn.Module) and isinstance(f, nn.Module)):
        raise TypeError(f"f is {type(question.model).__name__}, not a module whose weights can be drawn again")
    shares = int(flatten_places(question.values).count_nonzero())
    if shares < FEWEST_SHARES:
        raise ValueError(
            f"{shares} shares are not zero, and two rankings of fewer than {FEWEST_SHARES} agree by chance"
        )
    correlations = []
    for seed in range(DRAWS):
        changed = _again(question, randomised(f, seed), question.baseline)
        correlations.append(agreement(question.values, changed))
    found = _mean_and_interval(correlations)
    passed = abs(found["mean"]) < ALIKE
    reading = (
        "the map depends on what the model has learned"
        if passed
        else "a model that knows nothing gives much the same map"
    )
    words = f"rank correlation {_in_words(found)}, {DRAWS} draws of the weights"
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
    f = question.f
    for name, given in others.items():
        baseline = f.inputs.baseline(given) if isinstance(f, FunctionOfRows) else given
        found = agreement(question.values, _again(question, f, baseline)).item()
        passed = found >= ALIKE
        reading = "much the same map" if passed else "another map: what is seen belongs to the comparison with x'"
        words = f"rank correlation {found:.2f}"
        controls.append(Control(f"from the baseline {name!r}", words, reading, passed, {"mean": found}))
    return controls


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
    return Question(answer.f, on, off, answer.f_target, method, values, answer.f, answer.target)


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
    if not callable(f):
        f, target, method = _of_trees(model, label, method)
        x, baseline, _ = read_arguments(f, x, baseline)
        _check_nothing_is_missing(x, baseline)
    f, x, baseline, _ = as_one_input(f, x, baseline)
    x, baseline, per_row = check_arguments(f, x, baseline, target)
    if x.numel() != values.numel():
        raise ValueError(
            f"x has shape {tuple(x.shape)}, and the answer has {values.numel()} values; pass the input that the "
            "answer is about"
        )
    now, then = forward_batched(f, x, per_row, 1).item(), answer.f_input.item()
    if abs(now - then) > 1e-3 * max(1.0, abs(then)):
        raise ValueError(
            f"F(x) is {now:.4g}, and the answer says {then:.4g}: it is of another f, x or target; pass those "
            "of the call"
        )
    return Question(f, x, baseline, target, method, values.reshape(x.shape), model, label)


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
