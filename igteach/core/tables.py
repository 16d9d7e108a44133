"""Numbers as users hold them: tensors, NumPy arrays, and the DataFrames and Series of pandas or polars.

Neither library is imported. A DataFrame is what has `.columns` and `.to_numpy`, a Series what has `.to_numpy` alone.
"""

from collections import Counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

Names = tuple[str, ...] | None
MANY_NAMES = 8  # more are not all listed in a message
REAL, NUMERIC = "f", "fiub"  # kinds of NumPy's dtypes


def read_floats(name: str, value: Any) -> tuple[Tensor, Names]:
    """What a network takes: a tensor of floating-point numbers, and the names of its columns.

    Args:
        name: of the argument, for messages.
        value: a tensor, which is returned as it is; a NumPy array, DataFrame or Series of finite floats.

    Returns:
        The numbers, on the CPU and in a memory of their own: those of a DataFrame (rows, columns), of a Series (rows,).
        The dtype is that of the array, or the widest of the columns. And the names of the columns, or for a Series
        those of its index; None if there are none.

    Raises:
        TypeError: if value is of another kind or holds what is not floating point; a column is named.
        ValueError: if a column has its name twice, or a number is missing or infinite; the column is named.

    Example:
        >>> import numpy as np
        >>> read_floats("x", np.array([[0.5, 2.0]]))
        (tensor([[0.5000, 2.0000]], dtype=torch.float64), None)
    """
    return _read(name, value, REAL)


def read_table(name: str, value: Any) -> tuple[Tensor, Names]:
    """What trees take: as `read_floats`, but numbers may be whole, truth values, or missing.

    Whole numbers and truth values become float64, a missing value NaN.

    Args:
        name: of the argument, for messages.
        value: a tensor, which is returned as it is; a NumPy array, DataFrame or Series of numbers.

    Returns:
        As `read_floats`.

    Raises:
        TypeError: if value is of another kind or holds what is no number; a column is named.
        ValueError: if a column has its name twice.

    Example:
        >>> import numpy as np
        >>> read_table("x", np.array([[1, 2]]))
        (tensor([[1., 2.]], dtype=torch.float64), None)
    """
    return _read(name, value, NUMERIC)


def few_names(names: tuple[str, ...]) -> str:
    """Names for a message, not all of them if they are many.

    Args:
        names: of columns.

    Returns:
        Such as "'age', 'dose' and 4 more".

    Example:
        >>> few_names(("age", "dose"))
        "'age', 'dose'"
    """
    shown = ", ".join(map(repr, names[:MANY_NAMES]))
    return shown if len(names) <= MANY_NAMES else f"{shown} and {len(names) - MANY_NAMES} more"


def _read(name: str, value: Any, kinds: str) -> tuple[Tensor, Names]:
    if isinstance(value, Tensor):
        return value, None
    if isinstance(value, np.ndarray):
        return torch.from_numpy(_numbers(name, value, value.dtype, kinds)), None
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        return _read_frame(name, value, kinds)
    if hasattr(value, "to_numpy") and hasattr(value, "dtype"):
        names = tuple(map(str, value.index)) if hasattr(value, "index") else None
        return torch.from_numpy(_numbers(name, value, value.dtype, kinds)), names
    kind = type(value).__name__
    wanted = f"{name}.toarray()" if hasattr(value, "toarray") else "a tensor, array or DataFrame"
    raise TypeError(f"{name} is {kind}; pass {wanted}")


def _read_frame(name: str, frame: Any, kinds: str) -> tuple[Tensor, Names]:
    labels = list(frame.columns)
    for label, times in Counter(labels).items():
        if times > 1:
            raise ValueError(f"{name} has the column {label!r} {times} times; give each its own name")
    columns = [_numbers(f"column {label!r} of {name}", frame[label], frame[label].dtype, kinds) for label in labels]
    if not columns:
        raise ValueError(f"{name} has no columns; pass those that the model takes")
    return torch.from_numpy(np.stack(columns, axis=1)), tuple(map(str, labels))


def _numbers(what: str, values: Any, dtype: Any, kinds: str) -> np.ndarray:
    """An array or a column as a new array of floats; TypeError or ValueError, about `what`, if it cannot be."""
    plain = values if isinstance(values, np.ndarray) else values.to_numpy()
    kind = getattr(dtype, "kind", plain.dtype.kind)
    if kind not in NUMERIC:
        raise TypeError(f"{what} is {dtype}{_such_as(plain)}; {_remedy(kind)}")
    if kind not in kinds:
        raise TypeError(f"{what} is {dtype}, which has no gradient; pass it .astype('float32'), in the model's units")
    floats = np.array(np.ma.filled(_as_float(values, plain, dtype, kind), np.nan), order="C")
    if kinds == REAL and not np.isfinite(floats).all():
        _refuse_gap(what, floats)
    return floats


def _as_float(values: Any, plain: np.ndarray, dtype: Any, kind: str) -> np.ndarray:
    """In float64, or in float32 or float16 if it has that; without the byte order of a file."""
    itemsize = getattr(dtype, "itemsize", plain.dtype.itemsize)
    wanted = np.dtype(f"f{itemsize}") if kind == REAL and itemsize in (2, 4) else np.dtype(np.float64)
    if plain.dtype.kind in NUMERIC:
        return plain.astype(wanted)
    with_gaps: np.ndarray = values.to_numpy(dtype=wanted, na_value=np.nan)  # pandas keeps gaps among objects
    return with_gaps


def _such_as(plain: np.ndarray) -> str:
    """The first thing in it that is no number, and its column where there are several."""
    for place in np.ndindex(plain.shape):
        thing = plain.item(place)
        if not isinstance(thing, int | float | np.number | np.bool_):
            column = f" in column {place[-1]}" if plain.ndim > 1 else ""
            return f", such as {thing!r}{column}"
    return ""


def _remedy(kind: str) -> str:
    if kind in "mM":
        return "pass a number, such as days since a date, as the model was fitted"
    if kind == "c":
        return "pass its real and imaginary parts"
    return "pass numbers: .astype(float), or the code of each category that the model was fitted on"


def _refuse_gap(what: str, floats: np.ndarray) -> None:
    """ValueError for the first number that is missing or infinite."""
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(floats))[0])
    where = f"row {place[0]}" if len(place) == 1 else f"{place}"
    raise ValueError(f"{what} holds {floats[place]} at {where}; fill it, for instance with the column's median")
