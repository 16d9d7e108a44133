"""The check of coursework: hidden cases, igteach's own functions locked, and a proof for the grader to judge.

The check runs in the student's kernel, where a student's code could change it. So the kernel's verdict earns nothing:
the check hands over the values that the answer returned, and `igteach.course.nbgrader_steps` compares them with the
right ones in a process of its own.
"""

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
from igteach.exercises.checker import Exercise, Verdict, call_answer, compare, distinguishing_cases, run_answer

PROOF = "application/vnd.igteach.proof+json"  # the media type under which a notebook shows a proof
PACKAGE = Path(__file__).parents[1]
LOCKED_ROOMS = ("core", "methods", "axioms", "evaluate", "exercises")
OPEN_MODULES = ("igteach.axioms.cases", "igteach.core.attribution", "igteach.core.devices", "igteach.core.functions")
LOCKED_LIBRARIES = ("captum", "shap")
# A call from one of these was made on behalf of whoever called it.
TRANSPARENT_MODULES = (*OPEN_MODULES, "contextlib", "functools", "threading")
TRANSPARENT_LIBRARIES = (*LOCKED_LIBRARIES, "torch")


class NotSolved(Exception):
    """An answer is not right; the message tells the student why."""


class LockedFunctionCalled(Exception):
    """An answer called a function of igteach, Captum or SHAP that is locked while it is graded."""


def graded_check(number: str, answer: object, secret: int) -> None:
    """Check a student's answer on hidden cases, and hand a proof to the grader.

    This is the hidden test of a released notebook. The proof is an output of its cell.

    Args:
        number: The exercise's id, such as "04.2".
        answer: The student's function.
        secret: What the hidden cases are drawn with.

    Raises:
        NotSolved: The answer is wrong, open, or calls a locked function; the message says which.
    """
    exercise = EXERCISES[number]
    distinguishing_cases(exercise, secret)  # drawn and cached here, because the solutions call what is locked below
    with locked(exercise) as locked_calls:
        returned = run_answer(exercise, answer, secret)
    if locked_calls:
        message = f"Your answer calls {locked_calls[0]}. Writing it is the task: the check wants your own."
        verdict = Verdict(number, "not yet", message)
    elif isinstance(returned, Verdict):
        verdict = returned
    else:
        verdict = compare(exercise, returned, secret)
    if verdict.state == "solved" and isinstance(returned, list):
        _hand_over(verdict, returned)
    else:
        _hand_over(verdict, [])
        raise NotSolved(verdict.message)


@contextmanager
def locked(exercise: Exercise) -> Iterator[list[str]]:
    """Make calls of locked functions raise `LockedFunctionCalled`, in this thread and in those started meanwhile.

    Locked are the functions of LOCKED_ROOMS outside OPEN_MODULES, except the exercise's tools, and everything in
    LOCKED_LIBRARIES. They are recognised by their code objects, whatever name they are called by. Igteach's own
    functions may go on calling each other, so that a tool works.

    The lock keeps an answer from calling a method. It cannot keep a student from copying a method's source, or from
    taking the lock off; the grader judges the returned values again, outside.

    Args:
        exercise: The exercise whose tools stay open.

    Yields:
        The full names of the locked functions that were called so far, also if the answer caught the exception.
    """
    tools = {number for tool in exercise.tools for number in code_of(tool)}
    forbidden = locked_code().keys() - tools
    student_side = code_of(forward) | code_of(call_answer)  # one calls the student's f, the other the answer
    trusted = [code for number, code in locked_code().items() if number not in student_side]
    trusted_callers = {id(code) for code in with_nested_code(trusted)}
    locked_calls: list[str] = []

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        is_locked = id(frame.f_code) in forbidden or _library_of(frame) in LOCKED_LIBRARIES
        if is_locked and id(_calling_code(frame)) not in trusted_callers:
            name = f"{_module_of(frame)}.{frame.f_code.co_name}"
            locked_calls.append(name)
            raise LockedFunctionCalled(f"{name} is locked while your answer is graded")

    previous = sys.getprofile()
    threading.setprofile(on_event)
    sys.setprofile(on_event)
    try:
        yield locked_calls
    finally:
        sys.setprofile(previous)
        threading.setprofile(previous)


@cache
def locked_code() -> dict[int, CodeType]:
    """The code of all functions and methods of LOCKED_ROOMS, except those of OPEN_MODULES.

    Returns:
        Their code objects by id, without those of the functions defined inside them.
    """
    rooms = [import_module(f"igteach.{room}") for room in LOCKED_ROOMS]
    names = [module.name for room in rooms for module in walk_packages(room.__path__, f"{room.__name__}.")]
    modules = [import_module(name) for name in names if name not in OPEN_MODULES]
    members = [member for module in modules for member in _defined_in(module)]
    return {number: code for member in members for number, code in code_of(member).items()}


def code_of(member: Any) -> dict[int, CodeType]:
    """The code objects that igteach has for a function, a property, or the methods of a class.

    Args:
        member: A value from a module or a class. A decorated function counts with igteach's own decorators.

    Returns:
        The code objects whose source is a file of igteach, by id, because Python calls two of the same text equal: a
        student's copy is the student's own. None for a value that is not callable.
    """
    if isinstance(member, type):
        return {number: code for attribute in vars(member).values() for number, code in code_of(attribute).items()}
    if isinstance(member, property):
        return code_of(member.fget)
    found = {}
    if isinstance(member, FunctionType) and Path(member.__code__.co_filename).is_relative_to(PACKAGE):
        found[id(member.__code__)] = member.__code__
    if hasattr(member, "__wrapped__"):
        found |= code_of(member.__wrapped__)
    return found


def with_nested_code(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """Add the code of what is defined inside these functions: comprehensions, lambdas and inner functions.

    Args:
        codes: Code objects of functions.

    Yields:
        Each of them, followed by all the code objects inside it.
    """
    for code in codes:
        yield code
        yield from with_nested_code(constant for constant in code.co_consts if isinstance(constant, CodeType))


def _defined_in(module: ModuleType) -> list[Any]:
    """The members of a module that it does not import from another one."""
    return [member for member in vars(module).values() if getattr(member, "__module__", None) == module.__name__]


def _calling_code(frame: FrameType) -> CodeType | None:
    """The code that a call comes from, skipping the modules that only pass calls on."""
    caller = frame.f_back
    while caller is not None and _is_transparent(caller):
        caller = caller.f_back
    return caller.f_code if caller else None


def _is_transparent(frame: FrameType) -> bool:
    return _module_of(frame) in TRANSPARENT_MODULES or _library_of(frame) in TRANSPARENT_LIBRARIES


def _module_of(frame: FrameType) -> str:
    return frame.f_globals.get("__name__", "")


def _library_of(frame: FrameType) -> str:
    return _module_of(frame).partition(".")[0]


def _hand_over(verdict: Verdict, returned: list[Any]) -> None:
    """Show the grader the verdict and, for a right answer, what the answer returned."""
    from IPython.display import display  # here, because a check outside a notebook needs no IPython

    proof = {
        "exercise": verdict.exercise,
        "state": verdict.state,
        "message": verdict.message,
        "returned": encode(returned),
    }
    display({PROOF: proof}, raw=True)


def encode(returned: list[Any]) -> list[Any]:
    """Turn what an answer returned into JSON.

    Args:
        returned: Tensors and texts, one for each case.

    Returns:
        The texts, and for each tensor its shape and its values.
    """
    return [_encode_tensor(value) if isinstance(value, Tensor) else value for value in returned]


def decode(encoded: list[Any]) -> list[Any]:
    """Turn JSON from a proof back into tensors and texts.

    Args:
        encoded: What `encode` returned, or what a student's code put in its place.

    Returns:
        The texts and the tensors, in double precision.

    Raises:
        ValueError, TypeError, KeyError, RuntimeError: It is not what `encode` returns.
    """
    return [value if isinstance(value, str) else _decode_tensor(value) for value in encoded]


def _encode_tensor(value: Tensor) -> dict[str, list]:
    return {"shape": list(value.shape), "values": value.double().flatten().tolist()}


def _decode_tensor(encoded: dict[str, list]) -> Tensor:
    return torch.tensor(encoded["values"]).double().reshape(encoded["shape"])
