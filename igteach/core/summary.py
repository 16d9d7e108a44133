"""The largest shares of an example as bars of characters, for a plain terminal."""

import sys
import unicodedata
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igteach.core.attribution import Attribution, leaves

WIDTH = 20  # characters of the longest bar
LONGEST_NAME = 36  # characters, more are cut
AXES = ("channel", "row", "column")  # of a picture; of a series its rows are steps
UNICODE, ASCII = ("█", "│", "…"), ("#", "|", "~")  # a bar, the axis, the end of a name that was cut


def summarise(answer: Attribution, example: int, count: int) -> str:
    """The largest shares of an example as bars; see `Attribution.summary`.

    Args:
        answer: any answer.
        example: the number of the example, from 0; negative numbers count from the end.
        count: how many shares, at most.

    Returns:
        The lines, without a newline at the end. ASCII alone where sys.stdout cannot encode bars.

    Raises:
        ValueError: there is no such example, or count is below 1.
    """
    batch = len(leaves(answer.values)[0])
    if not -batch <= example < batch:
        raise ValueError(f"example is {example}, and the answer has {batch}; pass 0 to {batch - 1}")
    if count < 1:
        raise ValueError(f"count is {count}; pass how many shares to show, at least 1")
    bar, axis, cut = UNICODE if _can_print("".join(UNICODE)) else ASCII
    largest, others, rest = largest_shares(answer, example, count)
    rows = [(_shortened(name, cut), share) for name, share in largest]
    if others:
        rows.append((f"the other {others}", rest))
    top = max((abs(share) for _, share in rows), default=0.0) or 1.0
    wide = max(map(_columns, (name for name, _ in rows)), default=0)
    left = WIDTH if any(share < 0 for _, share in rows) else 0
    lines = [f"example {example % batch} of {batch}: {_change(answer, example)}"]
    for name, share in rows:
        length = round(WIDTH * abs(share) / top)
        before, after = (bar * length, "") if share < 0 else ("", bar * length)
        lines.append(f"{' ' * (wide - _columns(name))}{name} {before:>{left}}{axis}{after:<{WIDTH}} {share:+.3g}")
    return "\n".join([repr(answer), *lines])


def largest_shares(answer: Attribution, example: int, count: int) -> tuple[list[tuple[str, float]], int, float]:
    """The largest shares of an example.

    Args:
        answer: any answer.
        example: the number of the example.
        count: how many shares, at most.

    Returns:
        Names and shares, the largest absolute value first; how many others there are; and the sum of those.

    Example:
        >>> answer = Attribution(torch.tensor([[1.0, -3.0, 0.5]]), torch.ones(1), None, 1)
        >>> largest_shares(answer, 0, 2)
        ([('1', -3.0), ('0', 1.0)], 1, 0.5)
    """
    shares = torch.cat([tensor[example].detach().flatten().cpu().double() for tensor in leaves(answer.values)])
    largest = shares.abs().argsort(descending=True, stable=True)[:count].tolist()
    rest = (shares.sum() - shares[largest].sum()).item()
    return [(_name(answer, place), shares[place].item()) for place in largest], len(shares) - len(largest), rest


def _can_print(characters: str) -> bool:
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _change(answer: Attribution, example: int) -> str:
    f_input = f"F(x) = {answer.f_input[example].item():.3g}"
    if answer.f_baseline is None:
        return f_input
    return f"{f_input}, F(x') = {answer.f_baseline[example].item():.3g}"


def _name(answer: Attribution, place: int) -> str:
    """The feature's name, or its place in an example's values; of several inputs, the input's name before it."""
    if isinstance(answer.values, Tensor):
        return _in_tensor(answer.values, place, answer.feature_names)
    items: Any = answer.values.items() if isinstance(answer.values, dict) else enumerate(answer.values)
    for name, tensor in items:
        if place < tensor[0].numel():
            where = name if isinstance(name, str) else f"input {name}"
            return f"{where}: {_in_tensor(tensor, place, None)}"
        place -= tensor[0].numel()
    raise IndexError(place)


def _in_tensor(values: Tensor, place: int, names: tuple[str, ...] | None) -> str:
    indices = [int(index) for index in np.unravel_index(place, tuple(values.shape[1:]) or (1,))]
    words = [str(index) for index in indices]
    if 2 <= len(indices) <= len(AXES):
        words = [f"{axis} {index}" for axis, index in zip(AXES[-len(indices) :], indices, strict=True)]
    if names is not None:
        words[-1] = names[indices[-1]]
    return ", ".join(words)


def _shortened(name: str, cut: str) -> str:
    """In one line, and not too long."""
    name = " ".join(name.split())
    name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + cut
    return name if _can_print(name) else name.encode("ascii", "backslashreplace").decode()


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text
    )
