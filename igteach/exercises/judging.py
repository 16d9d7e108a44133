"""Whether an answer is right: what it returned is compared with the solution and with common mistakes."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from igteach.exercises.checker import (
    Case,
    Task,
    Verdict,
    copied_arguments,
    describe_type,
    run_answer,
    run_on_all,
    standard_settings,
)

TOLERANCE = 1e-4  # relative to the largest absolute value of the right answer
MOST_SHOWN = 6  # numbers of an answer, in a message
MAX_DRAWS = 100  # of cases, before `distinguishing_cases` gives up


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
    """An exercise with its solution and the common mistakes.

    Attributes:
        task: Its id, the cases that an answer is called with, and the tools that it may use.
        solution: The function asked for. It returns what an answer must return: a tensor (also for a single number)
            or a str.
        mistakes: The common mistakes. On the cases, each gives other values than the solution and the other mistakes.
    """

    task: Task
    solution: Callable[..., Tensor | str]
    mistakes: list[Mistake]


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
        >>> from igteach.exercises.solutions import EXERCISES
        >>> judge(EXERCISES["00.1"], lambda f, x, baseline: f(x)[0])
        Exercise 00.1: not yet. That is F at the input alone. What did the baseline score?
    """
    cases = distinguishing_cases(exercise, seed).cases
    returned = run_answer(exercise.task.id, answer, cases, may_overwrite=True)
    if isinstance(returned, Verdict):
        return returned
    verdict = compare(exercise, returned, seed, shows_values=True)
    if verdict.state == "solved":  # a wrong answer hears first why it is wrong
        again = run_answer(exercise.task.id, answer, cases)
        return again if isinstance(again, Verdict) else verdict
    return verdict


@standard_settings()
def compare(exercise: Exercise, returned: list[Any], seed: int, *, shows_values: bool = False) -> Verdict:
    """Compare what an answer returned with what the solution returns.

    Args:
        exercise: The exercise.
        returned: What the answer returned for each case, as `run_answer` gives it.
        seed: What the cases were drawn with.
        shows_values: Whether the message may hold what was returned: not of a hidden case.

    Returns:
        The verdict; a wrong answer that is a known mistake is told that mistake's message, any other its symptom.

    Raises:
        ValueError: There are more or fewer values than cases.
    """
    drawn = distinguishing_cases(exercise, seed)
    everywhere = _symptom_of_all(drawn.expected, returned)
    faults = [
        _fault_of(case, right, value, shows_values, everywhere)
        for case, right, value in zip(drawn.cases, drawn.expected, returned, strict=True)
    ]
    found = [fault for fault in faults if fault is not None]
    if not found:
        return Verdict(exercise.task.id, "solved", "")
    message = _message_of_known_mistake(exercise, drawn.of_mistakes, returned)
    if message is None:
        right = len(faults) - len(found)
        message = found[0] + (f" On {right} of the {len(faults)} cases it is right." if right else "")
    return Verdict(exercise.task.id, "not yet", message)


@dataclass(frozen=True)
class DrawnCases:
    """The cases of an exercise that were drawn with a seed.

    Attributes:
        cases: What an answer is called with.
        expected: The right value for each case.
        of_mistakes: For each known mistake, what it returns for each case.
    """

    cases: list[Case]
    expected: list[Tensor | str]
    of_mistakes: list[list[Any]]


@lru_cache(maxsize=64)
@standard_settings()
def distinguishing_cases(exercise: Exercise, seed: int) -> DrawnCases:
    """Draw cases on which the solution and all the mistakes give different values.

    If chance makes two of them agree, all cases are drawn again.

    Args:
        exercise: The exercise.
        seed: What the cases are drawn with: one seed always gives the same cases.

    Returns:
        The cases, with the values of the solution and of the mistakes.

    Raises:
        ValueError: No such cases were drawn, because a listed mistake is right or is listed twice.
    """
    rng = torch.Generator().manual_seed(seed)
    for _ in range(MAX_DRAWS):
        cases = exercise.task.cases(rng)
        expected = [exercise.solution(*copied_arguments(case)) for case in cases]
        of_mistakes = [run_on_all(mistake.answer, cases) for mistake in exercise.mistakes]
        pairs = combinations([expected, *of_mistakes], 2)
        if not any(_all_match(first, second) for first, second in pairs):
            return DrawnCases(cases, expected, of_mistakes)
    raise ValueError(f"exercise {exercise.task.id}: a mistake gives the answers of the solution or of another mistake")


def _fault_of(case: Case, expected: Tensor | str, returned: object, shows_values: bool, everywhere: str) -> str | None:
    """What is wrong with a returned value (its type, its shape, NaN, its values), or None if nothing is.

    `everywhere` is the symptom that it has in common with the values of the other cases; empty if there is none.
    """
    problem = _invalid(case, expected, returned)
    if problem is not None:
        return problem
    if _match(expected, returned):
        return None
    found = f": yours is {_shortened(returned)}" if shows_values else ""
    seen = everywhere
    if not seen and isinstance(expected, Tensor) and isinstance(returned, Tensor):
        seen = symptom(expected, returned)
    elif isinstance(expected, str) and isinstance(returned, str):
        values = [value for value in case.arguments if not callable(value)]
        found += f" for {', '.join(map(_shortened, values))}" if shows_values and values else ""
        seen = _symptom_of_text(expected, returned)
    return " ".join(
        sentence
        for sentence in (
            f"On {case.description} your answer is off{found}.",
            seen,
            "Try your function where you know the answer, or open a hint.",
        )
        if sentence
    )


def _shortened(returned: object) -> str:
    """What was returned, in a few words."""
    if not isinstance(returned, Tensor):
        return f"{returned:.4g}" if isinstance(returned, float) else getattr(returned, "__name__", repr(returned))
    numbers = [f"{number:.4g}" for number in returned.double().flatten().tolist()]
    if len(numbers) == 1:
        return numbers[0]
    return f"({', '.join(numbers[:MOST_SHOWN])}{', ...' if len(numbers) > MOST_SHOWN else ''})"


def symptom(expected: Tensor, returned: Tensor) -> str:
    """How wrong values differ from the right ones, without naming a right one.

    Args:
        expected: The right values.
        returned: Others, as many, finite.

    Returns:
        A sentence; empty where nothing simple can be said.

    Example:
        >>> symptom(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 1.0]))
        'Everywhere it is 0.5 times what is asked for.'
        >>> symptom(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0]))
        'Its numbers are right, and stand in another order.'
        >>> symptom(torch.tensor(1.0), torch.tensor(0.5))
        'It is 0.5 times what is asked for.'
    """
    right, wrong = (each.detach().double().flatten() for each in (expected, returned))
    scale = TOLERANCE * max(right.abs().max().item(), TOLERANCE)

    def alike(one: Tensor, other: Tensor) -> bool:
        return bool(((one - other).abs() <= scale).all())

    if len(right) == 1:
        return _symptom_of_one(right.item(), wrong.item(), scale)
    in_common = _symptom_in_common(right, wrong, alike)
    if in_common:
        return in_common
    if alike(wrong.sort().values, right.sort().values):
        return "Its numbers are right, and stand in another order."
    return _symptom_of_two(right, wrong, alike) if len(right) == 2 else _symptom_of_many(right, wrong, alike)


def _symptom_of_all(expected: Sequence[Tensor | str], returned: Sequence[Any]) -> str:
    """What is wrong with single numbers, case for case; empty if single numbers are not what is asked for."""
    if not all(
        isinstance(right, Tensor) and isinstance(value, Tensor) and right.numel() == value.numel() == 1
        for right, value in zip(expected, returned, strict=True)
    ):
        return ""
    right, wrong = (
        torch.cat([each.detach().double().flatten() for each in values])  # type: ignore[union-attr]
        for values in (expected, returned)
    )
    if len(right) == 1 or not torch.isfinite(wrong).all():
        return ""
    scale = TOLERANCE * right.abs().clamp_min(TOLERANCE)
    in_common = _symptom_in_common(right, wrong, lambda one, other: bool(((one - other).abs() <= scale).all()))
    return in_common or _symptom_without_factor(right, wrong, (wrong - right).abs() > scale)


def _symptom_without_factor(right: Tensor, wrong: Tensor, is_off: Tensor) -> str:
    """How single numbers are off that have no factor in common; empty if none is off."""
    right, wrong = right[is_off], wrong[is_off]
    if not len(right):
        return ""
    if wrong[0] == 0:
        return "The right number is not zero."
    percent = 100 * ((wrong - right).abs() / right.abs()).max().item()
    if is_off.all() and percent < 1:
        return f"It is off by {percent:.2g}% or less in every case."
    is_flipped = right * wrong < 0
    if is_flipped.any():
        return f"In {'all' if is_flipped.all() else 'some'} cases its sign is not that of what is asked for."
    kind = " in absolute value" if (right < 0).any() else ""
    is_larger = wrong.abs() > right.abs()
    if is_larger.any() and not is_larger.all():
        return f"In some cases it is larger{kind} than what is asked for, and in others smaller."
    direction = f"{'larger' if is_larger.all() else 'smaller'}{kind} than what is asked for"
    if not is_off.all():
        return f"Where it is off, it is {direction}."
    return f"In every case it is {direction}, and by no fixed factor."


def _symptom_of_one(right: float, wrong: float, scale: float) -> str:
    """The symptom of a single number."""
    if abs(right) <= scale:
        return "It is too large." if wrong > right else "It is too small."
    if abs(wrong) <= scale:
        return "The right number is not zero."
    if abs(wrong + right) <= scale:
        return "Its sign is flipped."
    return f"It is {_multiple(wrong / right)}."


def _symptom_in_common(right: Tensor, wrong: Tensor, alike: Callable[[Tensor, Tensor], bool]) -> str:
    """The symptom that all of several numbers have; empty if they have none. One number alone is not everywhere."""
    is_everywhere = int((right.abs() > TOLERANCE * right.abs().max()).sum()) > 1
    if is_everywhere and alike(wrong, torch.zeros_like(wrong)):
        return "Everywhere it is zero, and what is asked for is not."
    if alike(wrong, -right):
        return f"{'Everywhere' if is_everywhere else 'Where it is not zero,'} its sign is flipped."
    if alike(wrong.abs(), right.abs()):
        return "Its absolute values are right, and some signs are flipped."
    factor = ((wrong @ right) / (right @ right).clamp_min(TOLERANCE**2)).item()
    if is_everywhere and alike(wrong, factor * right):
        return f"Everywhere it is {_multiple(factor)}."
    if alike(wrong - wrong.mean(), right - right.mean()):
        return "Everywhere it is off by the same amount."
    return ""


def _multiple(factor: float) -> str:
    """A factor in words, also where it is nearly one."""
    if abs(factor - 1) < 0.01:
        return f"off by {100 * abs(factor - 1):.2g}%"
    return f"{factor:.3g} times what is asked for"


def _symptom_of_text(expected: str, returned: str) -> str:
    """Whether only the spelling of a text is wrong."""
    one, other = (re.sub(r"[\W_]", "", text).casefold() for text in (expected, returned))
    return "It is the right word, spelled differently." if one == other else ""


def _symptom_of_two(right: Tensor, wrong: Tensor, alike: Callable[[Tensor, Tensor], bool]) -> str:
    """The symptom of two numbers that have none in common."""
    first, second = (
        "right" if alike(one, other) else "too large" if one > other else "too small"
        for one, other in zip(wrong, right, strict=True)
    )
    return f"Its first number is {first}, and its second {second}."


def _symptom_of_many(right: Tensor, wrong: Tensor, alike: Callable[[Tensor, Tensor], bool]) -> str:
    """The symptom of three numbers or more that have none in common."""
    off = sum(not alike(one, other) for one, other in zip(wrong, right, strict=True))
    if off <= len(right) // 2:
        return f"{off} of its {len(right)} numbers {'is' if off == 1 else 'are'} off."
    if alike(wrong, wrong.mean()):
        return "Its numbers are all the same, and those asked for are not."
    if alike(wrong.sum(), right.sum()):
        return "Its sum is right, and single numbers are not."
    total, found = right.sum().item(), wrong.sum().item()
    if abs(total) <= TOLERANCE * right.abs().sum().item():
        return f"Its numbers add up to {found:.3g}, and those asked for cancel."
    if abs(found) <= TOLERANCE * wrong.abs().sum().item():
        return "Its numbers cancel, and those asked for do not."
    times = f"{found / total:.3g}"
    return "Its sum is nearly right." if times == "1" else f"Its sum is {times} times the right sum."


def _invalid(case: Case, expected: Tensor | str, returned: object) -> str | None:
    """Why a returned value cannot be compared with the expected one, or None if it can."""
    if returned is None:
        return "Your function returns nothing (None). Does it end with return, and a value after it?"
    if isinstance(expected, str):
        return _invalid_text(returned)
    return _invalid_tensor(case, expected, returned)


def _invalid_text(returned: object) -> str | None:
    if type(returned) is not str:  # a subclass may say that it equals anything
        return f"Your function returns {describe_type(returned)}; a text in quotes is wanted."
    return None


def _invalid_tensor(case: Case, expected: Tensor, returned: object) -> str | None:
    expected_form = "one number" if expected.dim() == 0 else f"a tensor of shape {tuple(expected.shape)}"
    if not isinstance(returned, Tensor) or returned.dtype == torch.bool or returned.is_complex():
        return f"Your function returns {describe_type(returned)}; {expected_form} is wanted."
    both_single_numbers = returned.numel() == expected.numel() == 1
    if returned.shape != expected.shape and not both_single_numbers:
        return f"On {case.description} yours has shape {tuple(returned.shape)}; {expected_form} is wanted."
    if not torch.isfinite(returned.double()).all():
        return (
            f"On {case.description} yours holds NaN or infinity. Look for a division by zero, a logarithm of zero, or "
            "infinity less infinity."
        )
    return None


def _match(expected: Tensor | str, returned: object) -> bool:
    """Whether a returned value is right: the same text, or the same number of values within the tolerance."""
    if isinstance(expected, str):
        return type(returned) is str and returned == expected
    if not isinstance(returned, Tensor) or returned.numel() != expected.numel():
        return False
    if expected.numel() == 0:
        return True
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


def _message_of_known_mistake(exercise: Exercise, of_mistakes: list[list[Any]], returned: list[Any]) -> str | None:
    """The message of the mistake that returns the same values, if there is one."""
    finite = [not isinstance(value, Tensor) or bool(torch.isfinite(value.double()).all()) for value in returned]
    if not any(finite):
        return None
    for mistake, values in zip(exercise.mistakes, of_mistakes, strict=True):
        if _all_match(_where(values, finite), _where(returned, finite)):
            return mistake.message
    return None


def _where(values: Sequence[Any], chosen: Sequence[bool]) -> list[Any]:
    """The values of some cases: a mistake may overflow on one, and is known by the others."""
    return [value for value, is_chosen in zip(values, chosen, strict=True) if is_chosen]
