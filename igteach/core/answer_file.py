"""The fields of an answer in one safetensors file: the tensors, and in its metadata, as JSON, how they belong together.

Nothing in such a file is code, so one from a stranger can be read. Its metadata: `igteach`, the name and version of the
format; `fields`, where None, numbers and strings stand as they are, and the rest as {"tensor": its name in the file},
{"tuple": [...]} or {"dict": {...}}.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FORMAT = "attribution 1"


def write_fields(path: str | Path, fields: Mapping[str, Any]) -> None:
    """Write the fields of an answer, completely or not at all: a file of that name is replaced only by a whole one.

    Args:
        path: Of the file.
        fields: By name: None, numbers, strings, tensors, and tuples and dicts of them.

    Raises:
        ImportError: safetensors is not installed; says how to install it.
        OSError: The file cannot be written; it names the path.
        TypeError: A field holds something else, or a tensor that safetensors cannot store.
    """
    safetensors = _safetensors()
    tensors = dict[str, Tensor]()
    structure = json.dumps({name: _encoded(value, tensors) for name, value in fields.items()})
    try:
        content = safetensors.torch.save(tensors, metadata={"igteach": FORMAT, "fields": structure})
    except (KeyError, ValueError, safetensors.SafetensorError) as error:
        dtypes = sorted({str(tensor.dtype) for tensor in tensors.values()})
        raise TypeError(f"a safetensors file cannot hold tensors of {', '.join(dtypes)}: {error}") from error
    path = Path(os.path.realpath(path))
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
            whole = Path(beside, path.name)
            whole.write_bytes(content)
            os.replace(whole, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def read_fields(path: str | Path) -> dict[str, Any]:
    """Read what `write_fields` wrote.

    Args:
        path: Of the file.

    Returns:
        The fields by name, with their tensors on the CPU.

    Raises:
        ImportError: safetensors is not installed; says how to install it.
        OSError: The file cannot be read.
        ValueError: It was not written by `write_fields`.
    """
    safetensors = _safetensors()
    with open(path, "rb"):  # for Python's own words where there is no such file, or it is a folder
        pass
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("igteach") != FORMAT:
                raise ValueError(f"it has no mark {FORMAT!r}")
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (it is no dict)
        return {name: _decoded(value, tensors) for name, value in json.loads(metadata["fields"]).items()}
    except (KeyError, TypeError, AttributeError, RecursionError, ValueError, safetensors.SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"path is {str(path)!r}, which Attribution.save of this igteach did not write: {reason}"
        ) from error


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError:
        raise ImportError("saving and loading answers needs safetensors: pip install safetensors") from None
    return safetensors


def _encoded(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A value for JSON; its tensors are put into `tensors`."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, tuple):
        return {"tuple": [_encoded(one, tensors) for one in value]}
    if isinstance(value, dict):
        return {"dict": {name: _encoded(one, tensors) for name, one in value.items()}}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(
        f"an answer's file cannot hold {type(value).__name__}; pass tensors, tuples, dicts, numbers or strings"
    )


def _decoded(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(_decoded(one, tensors) for one in content)
    if kind == "dict":
        return {name: _decoded(one, tensors) for name, one in content.items()}
    raise ValueError(f"it has a field of kind {kind!r}")
