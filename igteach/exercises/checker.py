"""How an answer is run: on every case, with copies of its arguments, and its values as plain tensors."""

import html
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from igteach.methods.gradients import gradient

MARKS = {
    "solved": ("✓", "#1b7837"),
    "open": ("○", "#555555"),
    "not yet": ("✗", "#a6390c"),
    "handed in": ("→", "#555555"),
}


@dataclass(frozen=True)
class Case:
    """One call of an answer.

    Attributes:
        description: Words for the arguments, such as "function 1"; a message says them after "On".
        arguments: What the answer is called with.
    """

    description: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Task:
    """What an exercise calls an answer with.

    Attributes:
        id: The lesson and the number of the exercise in it, such as "04.2".
        cases: A function that draws cases from a random generator.
        tools: Functions of igteach that a graded answer may call.
    """

    id: str
    cases: Callable[[torch.Generator], list[Case]]
    tools: tuple[Callable[..., Any], ...] = (gradient,)


@dataclass(frozen=True)
class Verdict:
    """The result of a check, which a notebook shows in words and colour.

    Attributes:
        exercise: The exercise's id, such as "04.2".
        state: "solved", "open" where nothing has been written yet, "not yet", or "handed in" for a grader to judge.
        message: What is wrong, or what to do next; empty for a solved exercise.
    """

    exercise: str
    state: Literal["solved", "open", "not yet", "handed in"]
    message: str

    def __repr__(self) -> str:
        return f"Exercise {self.exercise}: {self.state}. {self.message}".strip()

    def _repr_html_(self) -> str:
        mark, colour = MARKS[self.state]
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 10px">'
            f"<b>{mark} Exercise {self.exercise}: {self.state}.</b> {html.escape(self.message)}</div>"
        )


@dataclass(frozen=True)
class Described:
    """A value that cannot be an answer, and of which only its kind was kept.

    Attributes:
        kind: Such as "a tensor of bool".
    """

    kind: str


class WrongAnswer(Exception):
    """An answer raised an error; the message tells the learner which."""


def run_answer(exercise: str, answer: object, cases: list[Case], *, may_overwrite: bool = False) -> list[Any] | Verdict:
    """Call an answer on every case, with torch's own settings whatever the notebook has set.

    Args:
        exercise: The exercise's id, such as "04.2".
        answer: The learner's function.
        cases: What it is called with.
        may_overwrite: Whether it may change the tensors that it is given.

    Returns:
        What the answer returned for each case, or a verdict if it is not a function, is still the lesson's empty
        stub, or raises an error.
    """
    if not callable(answer) or isinstance(answer, type):
        message = f"The check wants your function itself, and got {describe_type(answer)}."
        return Verdict(exercise, "not yet", message)
    try:
        with standard_settings():
            return run_on_all(answer, cases, may_overwrite=may_overwrite)
    except NotImplementedError:
        return Verdict(exercise, "open", "Write the function above, run its cell, then run this one.")
    except WrongAnswer as error:
        return Verdict(exercise, "not yet", str(error))


@contextmanager
def standard_settings() -> Iterator[None]:
    """Torch as it is when it is first imported: float32, on the CPU, with gradients; and warnings are only warnings.

    A notebook may have set these for its own purposes, which must change no verdict.

    Yields:
        Nothing; when it is left, the notebook's settings are as they were.
    """
    default_dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with warnings.catch_warnings(), torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
            warnings.simplefilter("default")
            yield
    finally:
        torch.set_default_dtype(default_dtype)


def copied_arguments(case: Case) -> tuple[Any, ...]:
    """Copy the tensors among a case's arguments, so that an answer that writes into them spoils no other call.

    Args:
        case: The case.

    Returns:
        The arguments to call an answer with.
    """
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in case.arguments)


def run_on_all(answer: Callable[..., Any], cases: list[Case], *, may_overwrite: bool = True) -> list[Any]:
    """Call an answer on every case.

    Args:
        answer: The function.
        cases: What it is called with.
        may_overwrite: Whether it may change the tensors that it is given.

    Returns:
        What it returned, numbers as plain tensors.

    Raises:
        NotImplementedError: It is a stub.
        WrongAnswer: It raised any other error.
    """
    return [_run(answer, case, may_overwrite) for case in cases]


def _run(answer: Callable[..., Any], case: Case, may_overwrite: bool) -> object:
    """Call an answer on a case. Raises NotImplementedError for a stub, and WrongAnswer for any other error."""
    arguments = copied_arguments(case)
    try:
        returned = _as_plain_tensor(call_answer(answer, arguments))
    except Exception as error:
        is_stub = isinstance(error, NotImplementedError) and not error.args  # torch's own errors have a message
        if is_stub:
            raise
        message = f"On {case.description} your code stopped with {type(error).__name__}: {error}"
        raise WrongAnswer(message) from error
    if not may_overwrite and any(map(_is_changed, arguments, case.arguments)):
        raise WrongAnswer(
            f"On {case.description} your code overwrites what it was given, so whoever calls it loses the input. Make "
            "a new tensor, or work on a copy: .clone()."
        )
    return returned


def _is_changed(argument: object, original: object) -> bool:
    """Whether a tensor is no longer what was passed."""
    if not (isinstance(argument, Tensor) and isinstance(original, Tensor)):
        return False
    return argument.shape != original.shape or not torch.equal(argument.detach(), original)


def call_answer(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> object:
    """Call an answer, and nothing else: in graded mode it has no more rights than the student's own code."""
    return answer(*arguments)


def _as_plain_tensor(value: object) -> object:
    """A number, an array, a tensor or a list, also of lists, as an ordinary tensor on the CPU; anything else unchanged.

    Subclasses are stripped, because theirs may define equality or subtraction as they like.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().to_dense().as_subclass(Tensor)
    if not _is_numeric(value):
        return value
    try:
        array = np.asarray(_as_numbers(value))
    except ValueError:  # a list of rows of different lengths
        return value
    if array.dtype.kind == "b":
        return torch.from_numpy(array.astype(bool, order="C"))
    if array.dtype.kind in "iuf":
        return torch.from_numpy(array.astype(float, order="C"))
    return value


def _is_numeric(value: object) -> bool:
    """Whether it is a number, an array, or a list (of lists) of plain numbers or tensors."""
    if isinstance(value, list | tuple):
        return all((isinstance(item, list | tuple) and _is_numeric(item)) or _is_plain(item) for item in value)
    return isinstance(value, bool | int | float | np.number | np.ndarray)


def _is_plain(item: object) -> bool:
    return type(item) in (int, float, Tensor) or isinstance(item, np.number | np.ndarray)


def _as_numbers(value: object) -> object:
    """The same with every tensor in a list as numbers."""
    if isinstance(value, list | tuple):
        return [_as_numbers(item) for item in value]
    return value.detach().cpu().tolist() if isinstance(value, Tensor) else value


def describe_type(value: object) -> str:
    """Say what kind of value something is.

    Args:
        value: What an answer returned, or was.

    Returns:
        Such as "a tensor of float32", "an int" or "None".
    """
    if value is None:
        return "None"
    if isinstance(value, Described):
        return value.kind
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}"
    name = type(value).__name__
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    advice = " (you want its .values)" if name == "Attribution" else ""
    return f"{article} {name}{advice}"
