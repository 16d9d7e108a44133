"""The check of an answer that counts: hidden cases, the package's own answers locked, proof handed to the grader."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from igteach.exercises import EXERCISES
from igteach.exercises.checker import Exercise, Verdict, compare, returned, telling_cases

PROOF = "application/vnd.igteach.proof+json"
ANSWERS = ["axioms", "baselines", "evaluate", "exact", "expected", "gradients", "integrated", "peers", "quadrature"]
LOCKED = (*(f"igteach.{name}" for name in ANSWERS), "igteach.exercises", "captum", "shap")
PASSED_ON = ("torch", "functools", "contextlib")  # what may stand between a caller and the function called


class NotSolved(Exception):
    """Says in its message what is wrong with the answer."""


class NotYourOwn(Exception):
    """An answer called a function of igteach that it should have written."""


def graded_check(number: str, answer: object, secret: int) -> None:
    """Judge an answer by the cases drawn with `secret`; shown to the grader: what it returned.

    The grader compares what was returned once more, in a process of its own: see igteach.course.nbgrader_steps.
    Raises NotSolved with the named mistake, and nothing where the answer is right.
    """
    exercise = EXERCISES[number]
    telling_cases(exercise, secret)  # made before the lock, because solutions call what it locks
    with locked(exercise) as called:
        given = returned(exercise, answer, secret)
    verdict = given if isinstance(given, Verdict) else compare(exercise, given, secret)
    if called:
        message = f"Your answer calls {called[0]}. Writing it is the task: the check wants your own."
        verdict = Verdict(number, "not yet", message)
    _hand_over(verdict, given if verdict.state == "solved" and isinstance(given, list) else [])
    if verdict.state != "solved":
        raise NotSolved(verdict.message)


@contextmanager
def locked(exercise: Exercise) -> Iterator[list[str]]:
    """While it holds, calls from outside igteach to its own answers raise; yields the names of those called.

    The exercise's tools stay open. What a method does inside is its own affair.
    """
    called: list[str] = []

    def on_call(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and _is_answer(frame, exercise.tools) and not _is_ours(_caller(frame)):
            called.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")
            raise NotYourOwn(f"{called[-1]} is locked while your answer is graded")

    before = sys.getprofile()
    sys.setprofile(on_call)
    try:
        yield called
    finally:
        sys.setprofile(before)


def _is_answer(frame: FrameType, tools: frozenset[str]) -> bool:
    """Whether the function is one of the locked; the functions of a case, made inside others, are not."""
    module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
    inside = any(module == locked or module.startswith(f"{locked}.") for locked in LOCKED)
    made_for_a_case = module.startswith("igteach.exercises") and "<locals>" in frame.f_code.co_qualname
    return inside and not (made_for_a_case or name in tools or name.startswith("__"))


def _caller(frame: FrameType) -> str:
    """The module that called, leaving out what only passes calls on."""
    back = frame.f_back
    while back is not None and back.f_globals.get("__name__", "").split(".")[0] in PASSED_ON:
        back = back.f_back
    return back.f_globals.get("__name__", "") if back else ""


def _is_ours(module: str) -> bool:
    return module.split(".")[0] in ("igteach", "captum", "shap")


def _hand_over(verdict: Verdict, given: list[Any]) -> None:
    """Show the grader the verdict and, for a right answer, what was returned."""
    from IPython.display import display  # here, because a check needs no notebook

    proof = {"exercise": verdict.exercise, "state": verdict.state, "message": verdict.message, "given": encode(given)}
    display({PROOF: proof}, raw=True)


def encode(given: list[Any]) -> list[Any]:
    """Tensors and texts as JSON holds them: a tensor becomes its shape and its values."""
    return [
        {"shape": list(value.shape), "values": value.double().flatten().tolist()}
        if isinstance(value, Tensor)
        else value
        for value in given
    ]


def decode(given: list[Any]) -> list[Any]:
    """What `encode` was given. Raises ValueError, TypeError, KeyError or RuntimeError for anything else."""
    return [
        value if isinstance(value, str) else torch.tensor(value["values"]).double().reshape(value["shape"])
        for value in given
    ]
