"""How an answer is checked: it runs on random cases, and is compared with the solution and with common mistakes."""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from igteach.methods.gradients import gradient

TOLERANCE = 1e-4  # relative to the largest absolute value of the right answer
MAX_DRAWS = 100  # of cases, before `distinguishing_cases` gives up
MARKS = {"solved": ("✓", "#1b7837"), "open": ("○", "#555555"), "not yet": ("✗", "#a6390c")}


@dataclass(frozen=True)
class Case:
    """One call of an answer.

    Attributes:
        description: Words for the arguments, such as "function 1"; a message says them after "On".
        arguments: What the answer is called with.
    """

    description: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Mistake:
    """A common wrong answer, and what a learner who gives it is told.

    Attributes:
        message: What leads the learner to see the mistake, without giving the solution away.
        answer: A function with the signature of the solution that makes this mistake.
    """

    message: str
    answer: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Exercise:
    """A task: its solution, the cases that an answer is checked on, and the common mistakes.

    Attributes:
        id: The lesson and the number of the exercise in it, such as "04.2".
        solution: The function asked for. It returns what an answer must return: a tensor (also for a single number)
            or a str.
        cases: A function that draws cases from a random generator.
        mistakes: The common mistakes. On the cases, each gives other values than the solution and the other mistakes.
        tools: Functions of igteach that a graded answer may call.
    """

    id: str
    solution: Callable[..., Tensor | str]
    cases: Callable[[torch.Generator], list[Case]]
    mistakes: list[Mistake]
    tools: tuple[Callable[..., Any], ...] = (gradient,)


@dataclass(frozen=True)
class Verdict:
    """The result of a check, which a notebook shows in words and colour.

    Attributes:
        exercise: The exercise's id, such as "04.2".
        state: "solved", "open" where nothing has been written yet, or "not yet".
        message: What is wrong, or what to do next; empty for a solved exercise.
    """

    exercise: str
    state: Literal["solved", "open", "not yet"]
    message: str

    def __repr__(self) -> str:
        return f"Exercise {self.exercise}: {self.state}. {self.message}".strip()

    def _repr_html_(self) -> str:
        mark, colour = MARKS[self.state]
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 10px">'
            f"<b>{mark} Exercise {self.exercise}: {self.state}.</b> {html.escape(self.message)}</div>"
        )


class WrongAnswer(Exception):
    """An answer raised an error; the message tells the learner which."""


def judge(exercise: Exercise, answer: object, seed: int = 0) -> Verdict:
    """Check an answer to an exercise, without recording it in the learner's progress.

    Args:
        exercise: The exercise.
        answer: The learner's function; anything else is "not yet".
        seed: What the cases are drawn with.

    Returns:
        The verdict. An error that the answer raises is described in it, not raised.

    Raises:
        ValueError: A listed mistake gives the values of the solution or of another mistake on every draw of cases.

    Example:
        >>> from igteach.exercises import EXERCISES, judge
        >>> judge(EXERCISES["00.1"], lambda f, x, baseline: f(x)[0])
        Exercise 00.1: not yet. That is F at the input alone. What did the baseline score?
    """
    returned = run_answer(exercise, answer, seed)
    if isinstance(returned, Verdict):
        return returned
    return compare(exercise, returned, seed)


def run_answer(exercise: Exercise, answer: object, seed: int) -> list[Any] | Verdict:
    """Call an answer on every case.

    Args:
        exercise: The exercise.
        answer: The learner's function.
        seed: What the cases are drawn with.

    Returns:
        What the answer returned for each case, or a verdict if it is not a function, is still the lesson's empty
        stub, or raises an error.
    """
    if not callable(answer) or isinstance(answer, type):
        message = f"The check wants your function itself, and got {_describe_type(answer)}."
        return Verdict(exercise.id, "not yet", message)
    cases, _ = distinguishing_cases(exercise, seed)
    try:
        return _run_on_all(answer, cases)
    except NotImplementedError:
        return Verdict(exercise.id, "open", "Write the function above, run its cell, then run this one.")
    except WrongAnswer as error:
        return Verdict(exercise.id, "not yet", str(error))


def compare(exercise: Exercise, returned: list[Any], seed: int) -> Verdict:
    """Compare what an answer returned with what the solution returns.

    Args:
        exercise: The exercise.
        returned: What the answer returned for each case, as `run_answer` gives it.
        seed: What the cases were drawn with.

    Returns:
        The verdict; a wrong answer that is a known mistake is told that mistake's message.

    Raises:
        ValueError: There are more or fewer values than cases.
    """
    cases, expected = distinguishing_cases(exercise, seed)
    faults = [_fault_of(case, right, value) for case, right, value in zip(cases, expected, returned, strict=True)]
    first_fault = next((fault for fault in faults if fault is not None), None)
    if first_fault is None:
        return Verdict(exercise.id, "solved", "")
    message = _message_of_known_mistake(exercise, cases, returned) or first_fault
    return Verdict(exercise.id, "not yet", message)


@lru_cache(maxsize=64)
def distinguishing_cases(exercise: Exercise, seed: int) -> tuple[list[Case], list[Tensor | str]]:
    """Draw cases on which the solution and all the mistakes give different values.

    If chance makes two of them agree, all cases are drawn again.

    Args:
        exercise: The exercise.
        seed: What the cases are drawn with: one seed always gives the same cases.

    Returns:
        The cases, and the right value for each.

    Raises:
        ValueError: No such cases were drawn, because a listed mistake is right or is listed twice.
    """
    rng = torch.Generator().manual_seed(seed)
    for _ in range(MAX_DRAWS):
        cases = exercise.cases(rng)
        expected = [exercise.solution(*_copied_arguments(case)) for case in cases]
        of_mistakes = [_run_on_all(mistake.answer, cases) for mistake in exercise.mistakes]
        pairs = combinations([expected, *of_mistakes], 2)
        if not any(_all_match(first, second) for first, second in pairs):
            return cases, expected
    raise ValueError(f"exercise {exercise.id}: a mistake gives the answers of the solution or of another mistake")


def _copied_arguments(case: Case) -> tuple[Any, ...]:
    """The arguments, with tensors copied, so that an answer that writes into them spoils no other call."""
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in case.arguments)


def _run_on_all(answer: Callable[..., Any], cases: list[Case]) -> list[Any]:
    return [_run(answer, case) for case in cases]


def _run(answer: Callable[..., Any], case: Case) -> object:
    """Call an answer on a case. Raises NotImplementedError for a stub, and WrongAnswer for any other error."""
    try:
        return _as_plain_tensor(call_answer(answer, _copied_arguments(case)))
    except Exception as error:
        is_stub = isinstance(error, NotImplementedError) and not error.args  # torch's own errors have a message
        if is_stub:
            raise
        message = f"On {case.description} your code stopped with {type(error).__name__}: {error}"
        raise WrongAnswer(message) from error


def call_answer(answer: Callable[..., Any], arguments: tuple[Any, ...]) -> object:
    """Call an answer, and nothing else: in graded mode it has no more rights than the student's own code."""
    return answer(*arguments)


def _as_plain_tensor(value: object) -> object:
    """A number, a list of numbers, an array or a tensor as an ordinary tensor on the CPU; anything else unchanged.

    Subclasses are stripped, because theirs may define equality or subtraction as they like.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().to_dense().as_subclass(Tensor)
    if not _is_numeric(value):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "b":
        return torch.from_numpy(array.astype(bool, order="C"))
    if array.dtype.kind in "iuf":
        return torch.from_numpy(array.astype(float, order="C"))
    return value


def _is_numeric(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(type(item) in (int, float) for item in value)
    return isinstance(value, bool | int | float | np.number | np.ndarray)


def _fault_of(case: Case, expected: Tensor | str, returned: object) -> str | None:
    """What is wrong with a returned value (its type, its shape, NaN, its values), or None if nothing is."""
    problem = _invalid(case, expected, returned)
    if problem is not None:
        return problem
    if not _match(expected, returned):
        return f"On {case.description} your answer is off. Try your function where you know the answer, or open a hint."
    return None


def _invalid(case: Case, expected: Tensor | str, returned: object) -> str | None:
    """Why a returned value cannot be compared with the expected one, or None if it can."""
    if returned is None:
        return "Your function returns nothing. Does its last line say return?"
    if isinstance(expected, str):
        return _invalid_text(returned)
    return _invalid_tensor(case, expected, returned)


def _invalid_text(returned: object) -> str | None:
    if type(returned) is not str:  # a subclass may say that it equals anything
        return f"Your function returns {_describe_type(returned)}; a text in quotes is wanted."
    return None


def _invalid_tensor(case: Case, expected: Tensor, returned: object) -> str | None:
    expected_form = "one number" if expected.dim() == 0 else f"a tensor of shape {tuple(expected.shape)}"
    if not isinstance(returned, Tensor) or returned.dtype == torch.bool or returned.is_complex():
        return f"Your function returns {_describe_type(returned)}; {expected_form} is wanted."
    both_single_numbers = returned.numel() == expected.numel() == 1
    if returned.shape != expected.shape and not both_single_numbers:
        return f"On {case.description} yours has shape {tuple(returned.shape)}; {expected_form} is wanted."
    if not torch.isfinite(returned.double()).all():
        return f"On {case.description} yours holds NaN or infinity. Look for a division by zero."
    return None


def _match(expected: Tensor | str, returned: object) -> bool:
    """Whether a returned value is right: the same text, or the same number of values within the tolerance."""
    if isinstance(expected, str):
        return type(returned) is str and returned == expected
    if not isinstance(returned, Tensor) or returned.numel() != expected.numel():
        return False
    right = expected.detach().double().flatten()
    distance = (right - returned.double().flatten()).abs().max().item()
    scale = max(right.abs().max().item(), TOLERANCE)
    return math.isfinite(distance) and distance <= TOLERANCE * scale


def _all_match(expected: Sequence[Any], returned: Sequence[Any]) -> bool:
    """Whether two answers agree on every case, as far as `expected` is an answer at all."""
    return all(
        isinstance(value, Tensor | str) and _match(value, other)
        for value, other in zip(expected, returned, strict=True)
    )


def _message_of_known_mistake(exercise: Exercise, cases: list[Case], returned: list[Any]) -> str | None:
    """The message of the mistake that returns the same values, if there is one."""
    for mistake in exercise.mistakes:
        if _all_match(_run_on_all(mistake.answer, cases), returned):
            return mistake.message
    return None


def _describe_type(value: object) -> str:
    """Such as "a tensor of float32", "an int" or "None"."""
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}"
    name = type(value).__name__
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    advice = " (you want its .values)" if name == "Attribution" else ""
    return f"{article} {name}{advice}"
