"""Out of memory on a device: fewer rows at once, and a word about it."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

Result = TypeVar("Result")
_ROWS = WeakKeyDictionary[Any, int]()  # as many as had room, for each f that was out of memory once


def in_pieces(
    work: Callable[[Any, Tensor, Tensor | None], Result], f: Any, points: Tensor, target: Tensor | None
) -> list[Result]:
    """work(f, points, target) of all rows, or, where memory ends, of half as many at once, and again, down to one.

    Warns of it once for each f, which is remembered. Raises torch.OutOfMemoryError where one row is too many.
    """
    rows, short = len(points), False
    with suppress(TypeError):  # an f that cannot be remembered
        rows = min(rows, _ROWS.get(f, rows))
    while True:
        parts = [slice(start, start + rows) for start in range(0, len(points), rows)]
        try:
            done = [work(f, points[part], None if target is None else target[part]) for part in parts]
            break
        except torch.cuda.OutOfMemoryError:
            if rows == 1:
                raise
        rows, short = rows // 2, True
    if short:
        with suppress(TypeError):
            _ROWS[f] = rows
        warnings.warn(f"out of memory on {points.device}: goes on with {rows} rows at once", stacklevel=2)
    return done
