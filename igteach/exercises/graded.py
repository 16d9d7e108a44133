"""The check of an answer that counts: hidden cases, the package's own answers locked, proof handed to the grader."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor

from igteach.core.evaluation import forward
from igteach.exercises import EXERCISES
from igteach.exercises.checker import Exercise, Verdict, compare, distinguishing_cases, run_answer

PROOF = "application/vnd.igteach.proof+json"
LOCKED_ROOMS = ("core", "methods", "axioms", "evaluate", "exercises")
OPEN = tuple(f"igteach.{name}" for name in ("axioms.cases", "core.attribution", "core.devices", "core.functions"))
PACKAGE = Path(__file__).parents[1]
PEERS = ("captum", "shap")
PASSED_ON = ("torch", "functools", "contextlib", "threading", *PEERS, *OPEN)  # may stand between caller and function


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
    distinguishing_cases(exercise, secret)  # made before the lock, because solutions call what it locks
    with locked(exercise) as called:
        given = run_answer(exercise, answer, secret)
    verdict = given if isinstance(given, Verdict) else compare(exercise, given, secret)
    if called:
        message = f"Your answer calls {called[0]}. Writing it is the task: the check wants your own."
        verdict = Verdict(number, "not yet", message)
    _hand_over(verdict, given if verdict.state == "solved" and isinstance(given, list) else [])
    if verdict.state != "solved":
        raise NotSolved(verdict.message)


@contextmanager
def locked(exercise: Exercise) -> Iterator[list[str]]:
    """While it holds, calls of the package's own answers raise; yields the names of those called.

    Locked is every function of LOCKED_ROOMS that is not OPEN, and all of PEERS, unless the exercise hands it out as a
    tool. What a method does inside is its own affair. This stops an answer from calling a method, not from copying
    its source, nor from taking off the lock: the grader judges again, outside.
    """
    called: list[str] = []
    answers = locked_code()
    forbidden = answers - {code for tool in exercise.tools for code in code_of(tool)}
    inside = set(nested(answers - code_of(forward)))  # forward calls the caller's f

    def on_call(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (frame.f_code in forbidden or _room(frame) in PEERS) and _caller(frame) not in inside:
            called.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")
            raise NotYourOwn(f"{called[-1]} is locked while your answer is graded")

    before = sys.getprofile()
    threading.setprofile(on_call)
    sys.setprofile(on_call)
    try:
        yield called
    finally:
        sys.setprofile(before)
        threading.setprofile(before)


@cache
def locked_code() -> frozenset[CodeType]:
    """The code of every function and method of LOCKED_ROOMS that is not OPEN."""
    rooms = [import_module(f"igteach.{room}") for room in LOCKED_ROOMS]
    names = [module.name for room in rooms for module in walk_packages(room.__path__, f"{room.__name__}.")]
    modules = [import_module(name) for name in names if name not in OPEN]
    members = [one for module in modules for one in vars(module).values() if _is_of(one, module)]
    return frozenset(code for one in members for code in code_of(one))


def code_of(member: Any) -> set[CodeType]:
    """The code that igteach has for a function or a class's methods, decorators of ours included."""
    if isinstance(member, type):
        return {code for one in vars(member).values() for code in code_of(one)}
    if isinstance(member, property):
        member = member.fget
    code = {member.__code__} if isinstance(member, FunctionType) else set()
    inner = code_of(member.__wrapped__) if hasattr(member, "__wrapped__") else set()
    return {one for one in code | inner if Path(one.co_filename).is_relative_to(PACKAGE)}


def nested(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """These and the functions inside them: comprehensions, lambdas, the functions that they make."""
    for code in codes:
        yield code
        yield from nested(one for one in code.co_consts if isinstance(one, CodeType))


def _is_of(member: Any, module: ModuleType) -> bool:
    return getattr(member, "__module__", None) == module.__name__


def _caller(frame: FrameType) -> CodeType | None:
    """The code that called, leaving out what only passes calls on."""
    back = frame.f_back
    while back is not None and (_room(back) in PASSED_ON or back.f_globals.get("__name__") in PASSED_ON):
        back = back.f_back
    return back.f_code if back else None


def _room(frame: FrameType) -> str:
    return frame.f_globals.get("__name__", "").split(".")[0]


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
