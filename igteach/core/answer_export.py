"""The values of an answer as NumPy arrays, or as a pandas DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from pandas import DataFrame

Arrays = np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any], ...] | dict[str, np.ndarray[Any, Any]]


def to_numpy(values: Tensor | tuple[Tensor, ...] | dict[str, Tensor]) -> Arrays:
    """A tensor, or a tuple or dict of tensors, as NumPy arrays in the same form.

    Args:
        values: On any device. bfloat16, which NumPy lacks, becomes float32.

    Returns:
        The arrays; on the CPU they share memory with the tensors.

    Example:
        >>> to_numpy((torch.ones(1, 2), torch.zeros(1, 1)))
        (array([[1., 1.]], dtype=float32), array([[0.]], dtype=float32))
    """
    if isinstance(values, tuple):
        return tuple(_array(tensor) for tensor in values)
    if isinstance(values, dict):
        return {name: _array(tensor) for name, tensor in values.items()}
    return _array(values)


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def to_dataframe(values: Tensor | tuple[Tensor, ...] | dict[str, Tensor], names: tuple[str, ...] | None) -> DataFrame:
    """Values as a DataFrame; see `Attribution.to_dataframe`.

    Args:
        values: The values of an answer.
        names: Of the features along the last axis of a single tensor, or None.

    Returns:
        One row for each example if values is a single tensor (batch, features), otherwise one for each share.

    Raises:
        ImportError: pandas is not installed; says how to install it.

    Example:
        >>> to_dataframe(torch.tensor([[0.5, 2.0]]), ("age", "dose"))
                 age  dose
        example
        0        0.5   2.0
    """
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("to_dataframe needs pandas: pip install pandas") from None
    arrays = to_numpy(values)
    if isinstance(arrays, np.ndarray):
        if arrays.ndim == 2:
            return pd.DataFrame(arrays, columns=names, index=pd.RangeIndex(len(arrays), name="example"))
        return pd.DataFrame(_columns(arrays, names))
    inputs = arrays.items() if isinstance(arrays, dict) else enumerate(arrays)
    frame = pd.concat([pd.DataFrame(_columns(array)).assign(input=name) for name, array in inputs], ignore_index=True)
    axes = sorted(
        (name for name in frame if name.startswith("axis_")), key=lambda name: int(name.removeprefix("axis_"))
    )
    return frame[["example", "input", *axes, "share"]].astype(dict.fromkeys(axes, "Int64"))


def _columns(array: np.ndarray[Any, Any], names: tuple[str, ...] | None = None) -> dict[str, np.ndarray[Any, Any]]:
    """The place of each value, one column an axis, and the value."""
    places = np.indices(array.shape).reshape(array.ndim, -1)
    columns = {"example": places[0]}
    columns |= {f"axis_{axis}": place for axis, place in enumerate(places[1:], start=1)}
    if names is not None:
        *_, last = columns
        columns["feature"] = np.array(names, dtype=object)[columns.pop(last)]
    columns["share"] = array.reshape(-1)
    return columns
