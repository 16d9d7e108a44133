"""The check of coursework: hidden cases, igteach's own functions locked, and a proof for the grader to judge.

It runs in the student's kernel, where a student's code could change it. So nothing is judged here, and no right
value is here: the check sends back the values that the answer returned, and `igteach.course.nbgrader_steps`
compares them with the right ones in a process of its own.
"""

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from math import isfinite, nan
from pathlib import Path
from pkgutil import walk_packages
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor

from igteach.core.per_row import PerRow
from igteach.exercises.case_files import read_cases
from igteach.exercises.cases import TASKS
from igteach.exercises.checker import (
    Described,
    Task,
    Verdict,
    call_answer,
    describe_type,
    run_answer,
    standard_settings,
)

CASES_VARIABLE = "IGTEACH_CASES"  # names the folder of cases, a file an exercise
PROOF = "application/vnd.igteach.proof+json"  # the media type under which a notebook shows a proof
LARGEST_VALUE = 2000  # numbers in a tensor, or characters of a text; right answers have a hundredth
MOST_DIMENSIONS = 8
PACKAGE = Path(__file__).parents[1]
LOCKED_ROOMS = ("core", "methods", "axioms", "evaluate", "exercises", "reports")
OPEN_MODULES = (
    "igteach.axioms.cases",
    "igteach.exercises.cases.families",
    "igteach.core.attribution",
    "igteach.core.devices",
    "igteach.core.functions",
    "igteach.core.inputs",
    "igteach.core.tables",
    "igteach.core.validation",
)
LOCKED_LIBRARIES = ("captum", "shap")
# A call from one of these was made on behalf of whoever called it.
TRANSPARENT_MODULES = (*OPEN_MODULES, "contextlib", "functools", "threading")
TRANSPARENT_LIBRARIES = (*LOCKED_LIBRARIES, "torch")


class LockedFunctionCalled(Exception):
    """An answer called a function of igteach, Captum or SHAP that is locked while it is graded."""


def is_graded() -> bool:
    """Whether this kernel runs coursework for the grader.

    Returns:
        True if CASES_VARIABLE names a folder of cases.
    """
    return CASES_VARIABLE in os.environ


def _threads_of_the_kernel() -> list[threading.Thread]:
    """Those before a lesson's first cell has run, and the one that pyzmq would start with the first large output.

    A bar of tqdm would start another; it then starts none.
    """
    if is_graded():
        from tqdm.std import tqdm

        tqdm.monitor_interval = 0
        if "zmq" in sys.modules:
            from zmq.utils.garbage import gc

            if not gc.is_alive():
                gc.start()
    return threading.enumerate()


THREADS_OF_THE_KERNEL = _threads_of_the_kernel()


@standard_settings()
def hand_in(number: str, answer: object) -> Verdict:
    """Run a student's answer on hidden cases, and hand what it returned to the grader.

    Neither the right values nor what the cases were drawn with are in this kernel.

    Args:
        number: The exercise's id, such as "04.2".
        answer: The student's function.

    Returns:
        The verdict as far as it is known here: handed in, open, or not yet where the answer is not a function, raises
        an error, or calls a locked function.
    """
    task = TASKS[number]
    file = Path(os.environ[CASES_VARIABLE]) / f"{number}.safetensors"
    if not file.exists():
        return Verdict(number, "not yet", "This exercise is not part of what is graded here.")
    cases = read_cases(file)
    with locked(task) as locked_calls:
        returned = run_answer(number, answer, cases)
    if locked_calls:
        message = f"Your answer calls {locked_calls[0]}. Writing it is the task: the check wants your own."
        verdict = Verdict(number, "not yet", message)
    elif isinstance(returned, Verdict):
        verdict = returned
    else:
        verdict = Verdict(number, "handed in", "The grader has what your function returned.")
    publish(
        {
            "exercise": number,
            "state": verdict.state,
            "message": verdict.message,
            "returned": encode(returned) if verdict.state == "handed in" and isinstance(returned, list) else [],
            "threads": [thread.name for thread in threading.enumerate() if thread not in THREADS_OF_THE_KERNEL],
        }
    )
    return verdict


@contextmanager
def locked(task: Task) -> Iterator[list[str]]:
    """Make calls of locked functions raise `LockedFunctionCalled`, in this thread and in those started meanwhile.

    Since Python 3.12 it holds for threads that were started before, too.

    Locked are the functions of LOCKED_ROOMS outside OPEN_MODULES, except the task's tools, and everything in
    LOCKED_LIBRARIES. They are recognised by their code objects, whatever name they are called by. Igteach's own
    functions may go on calling each other, so that a tool works.

    The lock keeps an answer from calling a method. It cannot keep a student from copying a method's source, or from
    taking the lock off; the grader judges the returned values again, outside.

    Args:
        task: The exercise's task, whose tools stay open.

    Yields:
        The full names of the locked functions that were called so far, also if the answer caught the exception.
    """
    tools = {number for tool in task.tools for number in code_of(tool)}
    forbidden = locked_code().keys() - tools
    student_side = code_of(PerRow.call) | code_of(call_answer)  # one calls the student's f, the other the answer
    trusted = [code for number, code in locked_code().items() if number not in student_side]
    trusted_callers = {id(code) for code in with_nested_code(trusted)}
    locked_calls: list[str] = []

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or _module_of(frame) in OPEN_MODULES:
            return
        is_locked = id(frame.f_code) in forbidden or _library_of(frame) in LOCKED_LIBRARIES
        if is_locked and id(_calling_code(frame)) not in trusted_callers:
            name = f"{_module_of(frame)}.{frame.f_code.co_name}"
            locked_calls.append(name)
            raise LockedFunctionCalled(f"{name} is locked while your answer is graded")

    previous = sys.getprofile()
    set_profile = getattr(threading, "setprofile_all_threads", threading.setprofile)  # the first since Python 3.12
    set_profile(on_event)
    sys.setprofile(on_event)
    try:
        yield locked_calls
    finally:
        sys.setprofile(previous)
        set_profile(previous)


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


def publish(proof: dict[str, Any]) -> None:
    """Send a proof to the grader, straight through the kernel's socket.

    A notebook may capture what is displayed, or clear it at the end of a cell; a proof must not go that way.

    Args:
        proof: What is sent, as JSON has it.
    """
    from ipykernel.kernelapp import IPKernelApp  # here, because a check outside a notebook needs no kernel

    kernel = IPKernelApp.instance().kernel
    content = {"data": {PROOF: proof}, "metadata": {}}
    kernel.session.send(kernel.iopub_socket, "display_data", content, parent=kernel.get_parent("shell"))


def encode(returned: list[Any]) -> list[Any]:
    """Turn what an answer returned into JSON.

    Args:
        returned: One value for each case, as `run_answer` gives it.

    Returns:
        Texts and None as they are; for a tensor its shape and its values, None for one that is not finite; for
        anything else, or larger than any right answer, what kind of value it is.
    """
    return [_encoded(value) for value in returned]


def _encoded(value: object) -> Any:
    is_short_text = type(value) is str and len(value) <= LARGEST_VALUE
    if value is None or is_short_text:
        return value
    if not isinstance(value, Tensor) or value.dtype == torch.bool or value.is_complex():
        return {"kind": describe_type(value)}
    if value.numel() > LARGEST_VALUE or value.dim() > MOST_DIMENSIONS:
        return {"kind": f"a tensor of shape {tuple(value.shape)}"}
    numbers = value.double().flatten().tolist()
    return {"shape": list(value.shape), "values": [number if isfinite(number) else None for number in numbers]}


def decode(encoded: object) -> list[Any]:
    """Turn JSON from a proof back into what an answer returned.

    Args:
        encoded: What `encode` returned, or what a student's code put in its place.

    Returns:
        Texts, None, tensors in double precision, and `Described` for anything else.

    Raises:
        ValueError: It is not what `encode` returns.
    """
    if not isinstance(encoded, list):
        raise ValueError(f"a proof holds a list, not {type(encoded).__name__}")
    return [value if value is None or isinstance(value, str) else _decoded(value) for value in encoded]


def _decoded(encoded: Any) -> Tensor | Described:
    try:
        if "kind" in encoded:
            return Described(str(encoded["kind"]))
        shape, values = [int(size) for size in encoded["shape"]], encoded["values"]
        if len(values) > LARGEST_VALUE or len(shape) > MOST_DIMENSIONS or any(size < 0 for size in shape):
            raise ValueError("a proof holds a tensor that no answer returns")
        numbers = [nan if value is None else float(value) for value in values]
        return torch.tensor(numbers, dtype=torch.float64).reshape(shape)
    except (TypeError, KeyError, RuntimeError, OverflowError) as error:
        raise ValueError(f"a proof holds something else than an answer: {error}") from error
