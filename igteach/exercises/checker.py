"""How an answer is judged: run on cases beside our solution, and beside the mistakes that people make."""

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

TOLERANCE = 1e-4  # of the size of the right answer


@dataclass(frozen=True)
class Case:
    """Arguments to call an answer with, and words for them."""

    words: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and what to tell them: the way to see it, not the solution."""

    message: str
    answer: Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Exercise:
    """A task with its solution, its cases (drawn from a generator) and its known mistakes.

    The solution returns what an answer must return: a tensor (also for one number), or a str.
    tools: the package's own functions that a graded answer may call.
    """

    id: str
    solution: Callable[..., Tensor | str]
    cases: Callable[[torch.Generator], list[Case]]
    mistakes: list[Mistake]
    tools: tuple[Callable[..., Any], ...] = (gradient,)


@dataclass(frozen=True)
class Verdict:
    """What a check shows."""

    exercise: str
    state: Literal["solved", "open", "not yet"]
    message: str

    def __repr__(self) -> str:
        return f"Exercise {self.exercise}: {self.state}. {self.message}".strip()

    def _repr_html_(self) -> str:
        mark, colour = {"solved": ("✓", "#1b7837"), "open": ("○", "#555555"), "not yet": ("✗", "#a6390c")}[self.state]
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 10px">'
            f"<b>{mark} Exercise {self.exercise}: {self.state}.</b> {html.escape(self.message)}</div>"
        )


class WrongAnswer(Exception):
    """Says in its message what is wrong."""


def judge(exercise: Exercise, answer: object, seed: int = 0) -> Verdict:
    """The verdict on an answer, from cases drawn with `seed`."""
    given = run_answer(exercise, answer, seed)
    return given if isinstance(given, Verdict) else compare(exercise, given, seed)


def run_answer(exercise: Exercise, answer: object, seed: int) -> list[Any] | Verdict:
    """What an answer returns for each case drawn with `seed`; a verdict where it did not get so far."""
    if not callable(answer) or isinstance(answer, type):
        message = f"The check wants your function itself, and got {_kind(answer)}."
        return Verdict(exercise.id, "not yet", message)
    cases, _ = distinguishing_cases(exercise, seed)
    try:
        return [_run(answer, case) for case in cases]
    except NotImplementedError:
        return Verdict(exercise.id, "open", "Write the function above, run its cell, then run this one.")
    except WrongAnswer as error:
        return Verdict(exercise.id, "not yet", str(error))


def compare(exercise: Exercise, given: list[Any], seed: int) -> Verdict:
    """The verdict on what an answer returned for the cases drawn with `seed`."""
    cases, wanted = distinguishing_cases(exercise, seed)
    faults = [_fault(case, ours, theirs) for case, ours, theirs in zip(cases, wanted, given, strict=True)]
    fault = next(filter(None, faults), None)
    if fault is None:
        return Verdict(exercise.id, "solved", "")
    return Verdict(exercise.id, "not yet", _named_mistake(exercise, cases, given) or fault)


@lru_cache(maxsize=64)
def distinguishing_cases(exercise: Exercise, seed: int) -> tuple[list[Case], list[Tensor | str]]:
    """Cases and their right answers, drawn again where chance makes two of solution and mistakes look the same.

    Raises ValueError where that goes on, because a listed mistake is none, or is listed twice.
    """
    draw = torch.Generator().manual_seed(seed)
    for _ in range(100):
        cases = exercise.cases(draw)
        wanted = [exercise.solution(*_fresh(case)) for case in cases]
        made: list[list[Any]] = [[_run(mistake.answer, case) for case in cases] for mistake in exercise.mistakes]
        if not any(_alike(one, other) for one, other in combinations([wanted, *made], 2)):
            return cases, wanted
    raise ValueError(f"exercise {exercise.id}: a mistake gives the answers of the solution or of another mistake")


def _fresh(case: Case) -> tuple[Any, ...]:
    """The arguments, copied where an answer could change them in place."""
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in case.arguments)


def _run(answer: Callable[..., Any], case: Case) -> object:
    try:
        return _plain(answer(*_fresh(case)))
    except Exception as error:
        if isinstance(error, NotImplementedError) and not error.args:  # the stub's; torch's own say what is missing
            raise
        raise WrongAnswer(f"On {case.words} your code stopped with {type(error).__name__}: {error}") from error


def _plain(run_answer: object) -> object:
    """A number, an array or a tensor as a plain tensor on the CPU; anything else as it came."""
    if isinstance(run_answer, Tensor):
        return run_answer.detach().cpu().to_dense().as_subclass(Tensor)
    numbers = isinstance(run_answer, list | tuple) and all(type(one) in (int, float) for one in run_answer)
    if numbers or isinstance(run_answer, bool | int | float | np.number | np.ndarray):
        array = np.asarray(run_answer)
        if array.dtype.kind in "biuf":
            return torch.from_numpy(array.astype(bool if array.dtype.kind == "b" else float, order="C"))
    return run_answer


def _fault(case: Case, ours: Tensor | str, theirs: object) -> str | None:
    """What is wrong with one returned value: its type, its shape, NaN, or its size; None where nothing is."""
    if theirs is None:
        return "Your function returns nothing. Does its last line say return?"
    if isinstance(ours, str):
        if type(theirs) is not str:
            return f"Your function returns {_kind(theirs)}; a text in quotes is wanted."
        return None if _same(ours, theirs) else _off(case)
    wanted = "one number" if ours.dim() == 0 else f"a tensor of shape {tuple(ours.shape)}"
    if not isinstance(theirs, Tensor) or theirs.dtype == torch.bool or theirs.is_complex():
        return f"Your function returns {_kind(theirs)}; {wanted} is wanted."
    if theirs.shape != ours.shape and not (theirs.numel() == ours.numel() == 1):
        return f"On {case.words} yours has shape {tuple(theirs.shape)}; {wanted} is wanted."
    if not torch.isfinite(theirs.double()).all():
        return f"On {case.words} yours holds NaN or infinity. Look for a division by zero."
    return None if _same(ours, theirs) else _off(case)


def _off(case: Case) -> str:
    return f"On {case.words} your answer is off. Try your function where you know the answer, or open a hint."


def _same(ours: Tensor | str, theirs: object) -> bool:
    if isinstance(ours, str) or not isinstance(theirs, Tensor):
        return type(theirs) is type(ours) is str and str.__eq__(ours, theirs)
    if ours.numel() != theirs.numel():
        return False
    right, given = ours.detach().double().flatten(), theirs.double().flatten()
    distance = (right - given).abs().max().item()
    return math.isfinite(distance) and distance <= TOLERANCE * max(right.abs().max().item(), TOLERANCE)


def _named_mistake(exercise: Exercise, cases: list[Case], given: list[Any]) -> str | None:
    """The message of the mistake that gives the same wrong answers, if one does."""
    for mistake in exercise.mistakes:
        if _alike([_run(mistake.answer, case) for case in cases], given):
            return mistake.message
    return None


def _alike(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(isinstance(ours, Tensor | str) and _same(ours, theirs) for ours, theirs in zip(one, other, strict=True))


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}{' (you want its .values)' * (name == 'Attribution')}"
