"""What an answer is the answer to, checked against it: F, x, x' and the shares, in the form that the controls take."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, leaves
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Function, Target
from igteach.core.inputs import as_one_input
from igteach.core.validation import check_arguments
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.token_answer import TokenAttribution
from igteach.methods.tree_models import TreeFunction
from igteach.methods.trees import read_arguments, tree_integrated_gradients


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
