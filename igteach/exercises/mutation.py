"""Right answers, mutated by machine: no mutant may be called solved, unless it is right as well.

An answer is the code between BEGIN SOLUTION and END SOLUTION in a lesson's script. Each mutant has one change: an
operator, a sign, a constant, a reduction, an axis, an index, an argument, an order, or an input that is overwritten.
"""

import ast
import copy
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from igteach.exercises.checker import Verdict
from igteach.exercises.judging import judge
from igteach.lessons.lesson import all_lessons

SECONDS = 20  # for a mutant, some of which would never end
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
REDUCTIONS = {
    "sum": ("mean",),
    "mean": ("sum", "amax"),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "amax": ("amin", "mean"),
    "max": ("min",),
    "min": ("max",),
    "cumsum": ("cumprod",),
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "ceil": ("floor",),
    "floor": ("ceil",),
    "cos": ("sin",),
}


@dataclass(frozen=True)
class Mutant:
    """A right answer with one change.

    Attributes:
        exercise: Such as "04.2".
        change: What was changed, in code: "a + b -> a - b, in return a + b".
        source: Of the function.
        name: Of the function.
    """

    exercise: str
    change: str
    source: str
    name: str


@dataclass(frozen=True)
class Judged:
    """What a check says to a mutant.

    Attributes:
        mutant: The mutant.
        verdict: Of the check.
        excuse: Why it is right as well; empty if it is not known to be.
    """

    mutant: Mutant
    verdict: Verdict
    excuse: str

    @property
    def passes_wrongly(self) -> bool:
        """Whether the check calls solved what is not known to be right."""
        return self.verdict.state == "solved" and not self.excuse


def mutants(exercise: str) -> Iterator[Mutant]:
    """The mutants of an exercise's answer, each once.

    Args:
        exercise: Such as "04.2".

    Yields:
        The mutants, in the order of the code.

    Example:
        >>> next(mutants("00.1")).exercise
        '00.1'
    """
    from igteach.exercises.solutions import EXERCISES  # where coursework is graded, there are none

    function, _ = _answer(exercise)
    seen = {ast.unparse(function)}
    cases = EXERCISES[exercise].task.cases(torch.Generator().manual_seed(0))
    pairs = zip(function.args.args, cases[0].arguments, strict=True)
    tensors = [argument.arg for argument, value in pairs if isinstance(value, torch.Tensor)]
    for change, mutated in [*_mutations(function), *_overwritten(function, tensors)]:
        source = ast.unparse(ast.fix_missing_locations(mutated))
        if source not in seen:
            seen.add(source)
            yield Mutant(exercise, change, source, function.name)


def put_to_the_check(mutant: Mutant) -> Judged:
    """Run a mutant as an answer.

    Args:
        mutant: Any.

    Returns:
        The verdict. A mutant that does not end in time is rejected.

    Example:
        >>> put_to_the_check(next(mutants("00.1"))).verdict.state
        'not yet'
    """
    from igteach.exercises.solutions import EXERCISES
    from igteach.exercises.solutions.equal_mutants import EQUALLY_RIGHT

    names = dict(_answer(mutant.exercise)[1])
    exec(compile(mutant.source, mutant.change, "exec"), names)  # the course's own code
    answer: Callable[..., Any] = names[mutant.name]
    try:
        with _time_limit(SECONDS):
            verdict = judge(EXERCISES[mutant.exercise], answer)
    except TimeoutError as error:
        verdict = Verdict(mutant.exercise, "not yet", str(error))
    return Judged(mutant, verdict, EQUALLY_RIGHT.get(mutant.exercise, {}).get(mutant.change, ""))


@cache
def _answer(exercise: str) -> tuple[ast.FunctionDef, dict[str, Any]]:
    """The function of the lesson's solution, and the names that its notebook has imported by then."""
    (lesson,) = all_lessons([exercise[:2]])
    cells = [cell.source for cell in lesson.read().cells if cell.cell_type == "code"]
    (call,) = (source for source in cells if source.startswith(f'check("{exercise}"'))
    name = re.search(r", (\w+)\)", call).group(1)  # type: ignore[union-attr]
    (source,) = (source for source in cells if re.search(rf"^def {name}\(", source, re.MULTILINE))
    (function,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    names: dict[str, Any] = {}
    exec(compile(cells[0], lesson.name, "exec"), names)
    return function, names


def _mutations(function: ast.FunctionDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Each with what was changed."""
    for number, node in enumerate(ast.walk(function)):
        if _is_documentation(function, node):
            continue
        for replacement in _replacements(node, function):
            mutated = copy.deepcopy(function)
            place = next(each for index, each in enumerate(ast.walk(mutated)) if index == number)
            _replace(mutated, place, replacement)
            yield f"{ast.unparse(node)} -> {ast.unparse(replacement)}, in {_context(function, node)}", mutated


def _context(function: ast.FunctionDef, node: ast.AST) -> str:
    """The first line of the statement that a node is in."""
    statements = [each for each in ast.walk(function) if isinstance(each, ast.stmt) and each is not function]
    inside = [each for each in statements if any(child is node for child in ast.walk(each))]
    return ast.unparse(min(inside, key=lambda each: len(list(ast.walk(each))))).splitlines()[0] if inside else "def"


def _overwritten(function: ast.FunctionDef, tensors: list[str]) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The same answer, which overwrites an input after it has found its result."""
    for argument in tensors:
        wrapped, inner = copy.deepcopy(function), copy.deepcopy(function)
        inner.name = "answer"
        names = ", ".join(each.arg for each in function.args.args)
        lines = f"found = answer({names})", f"{argument}.add_(1)", "return found"
        wrapped.body = [inner, *(statement for line in lines for statement in _in_a_function(line))]
        yield f"{argument}.add_(1) at the end", wrapped


def _replacements(node: ast.AST, function: ast.FunctionDef) -> Iterator[ast.expr]:
    """What may stand in the place of a node."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
        if isinstance(node.op, ast.Sub | ast.Div):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for comparison in COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [comparison()], node.comparators)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from _other_constants(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from _other_calls(node, node.func)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _other_arguments(node, function)


def _other_constants(value: float | bool) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1) if value > 0 else ast.UnaryOp(ast.USub(), ast.Constant(1 - value))
    else:
        yield ast.Constant(2 * value if value else 1.0)
        yield ast.Constant(0.0 if value else -1.0)


def _other_calls(node: ast.Call, function: ast.Attribute) -> Iterator[ast.expr]:
    if function.attr in ("abs", "clone", "flip") and isinstance(function.value, ast.expr):
        yield function.value
    for other in REDUCTIONS.get(function.attr, ()):
        yield ast.Call(ast.Attribute(function.value, other, function.ctx), node.args, node.keywords)
    if function.attr in ("sum", "mean"):
        magnitudes = ast.Call(ast.Attribute(function.value, "abs", ast.Load()), [], [])
        yield ast.Call(ast.Attribute(magnitudes, function.attr, ast.Load()), node.args, node.keywords)


def _other_arguments(node: ast.Name, function: ast.FunctionDef) -> Iterator[ast.expr]:
    """In place of an argument any other one."""
    names = [argument.arg for argument in function.args.args]
    if node.id in names:
        for other in names:
            if other != node.id:
                yield ast.Name(other, ast.Load())


def _is_documentation(function: ast.FunctionDef, node: ast.AST) -> bool:
    first = function.body[0]
    return isinstance(first, ast.Expr) and node in (first, first.value)


def _replace(root: ast.AST, place: ast.AST, replacement: ast.expr) -> None:
    for parent in ast.walk(root):
        for field, value in ast.iter_fields(parent):
            if value is place:
                setattr(parent, field, replacement)
                return
            if isinstance(value, list) and any(each is place for each in value):
                value[:] = [replacement if each is place else each for each in value]
                return


def _in_a_function(line: str) -> list[ast.stmt]:
    (function,) = ast.parse(f"def f():\n    {line}").body
    assert isinstance(function, ast.FunctionDef)
    return function.body


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TimeoutError(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
