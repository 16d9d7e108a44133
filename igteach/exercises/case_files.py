"""Cases in a file: what the grader draws outside, for the kernel that runs an answer.

A file of safetensors: the tensors, and in its metadata what else an answer is called with, as JSON. Functions are
written as the name of their family with its parameters, so that reading a file runs nothing that it contains.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from igteach.exercises.cases import families
from igteach.exercises.cases.lesson06 import NAMED_METHODS
from igteach.exercises.checker import Case

FAMILIES: dict[str, type] = {
    family.__name__: family for family in vars(families).values() if isinstance(family, type) and family is not Tensor
}


def write_cases(file: Path, cases: list[Case]) -> None:
    """Write the cases of an exercise.

    Args:
        file: The file, which is replaced.
        cases: The cases.

    Raises:
        TypeError: An argument is neither a number, a text, a tensor, a function of a named family nor a named method.
    """
    tensors: dict[str, Tensor] = {}
    rows = [[case.description, [_encoded(value, tensors) for value in case.arguments]] for case in cases]
    save_file(tensors, file, metadata={"cases": json.dumps(rows)})


def read_cases(file: Path) -> list[Case]:
    """Read the cases of an exercise.

    Args:
        file: What `write_cases` has written.

    Returns:
        The cases, on the CPU.

    Raises:
        OSError: The file cannot be read.
    """
    with safe_open(file, framework="pt", device="cpu") as content:
        tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        rows = json.loads(content.metadata()["cases"])
    return [Case(text, tuple(_decoded(value, tensors) for value in arguments)) for text, arguments in rows]


def _encoded(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A value as JSON; its tensors are added to `tensors`."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().clone().contiguous()
        return {"tensor": name}
    if type(value) in FAMILIES.values():
        parameters = {field.name: _encoded(getattr(value, field.name), tensors) for field in fields(value)}
        return {"family": type(value).__name__, "parameters": parameters}
    for name, method in NAMED_METHODS.items():
        if value is method:
            return {"method": name}
    raise TypeError(f"a case holds {value!r}; it must be a number, a text, a tensor, or of a named family")


def _decoded(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "method" in value:
        return NAMED_METHODS[value["method"]]
    parameters = {name: _decoded(parameter, tensors) for name, parameter in value["parameters"].items()}
    return FAMILIES[value["family"]](**parameters)
