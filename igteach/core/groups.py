"""Shares added up by groups of features: superpixels, patches, words, one-hot columns, time windows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from igteach.core.attribution import Attribution, accumulator, leaves
from igteach.core.error_estimate import error_scale, with_error

__all__ = ["patches"]


def patches(height: int, width: int, size: int) -> Tensor:
    """The groups of a picture's square patches, such as those of a vision transformer, row by row.

    Args:
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        size: the side of a patch, in pixels. Where it does not divide height or width, the last patches are smaller.

    Returns:
        The number of each pixel's patch, from 0 at the upper left, (height, width), int64, for
        `Attribution.grouped(groups)`.

    Raises:
        ValueError: a number is below 1.

    Example:
        >>> patches(2, 4, 2)
        tensor([[0, 0, 1, 1],
                [0, 0, 1, 1]])
    """
    for name, number in (("height", height), ("width", width), ("size", size)):
        if number < 1:
            raise ValueError(f"{name} is {number}; pass a number of pixels, at least 1")
    columns = -(-width // size)
    return torch.arange(height, device="cpu")[:, None] // size * columns + torch.arange(width, device="cpu") // size


def add_up(answer: Attribution, groups: Any, names: Sequence[str] | None) -> Attribution:
    """The answer with its shares added up by groups; see `Attribution.grouped`.

    Args:
        answer: any answer.
        groups: the number of each feature's group, in the form of its values.
        names: of the groups, or None.

    Returns:
        The answer for the groups.

    Raises:
        TypeError: groups holds no integers, or has another form than the values.
        ValueError: groups does not broadcast to the values, holds a negative number, or does not fit the names.
    """
    tensors = leaves(answer.values)
    numbers = [
        _expanded(group, tensor, name)
        for (name, group), tensor in zip(_in_pairs(groups, answer.values), tensors, strict=True)
    ]
    count = 1 + max(int(number.max()) for number in numbers)
    if names is not None and len(names) != count:
        raise ValueError(
            f"names has {len(names)} names, and groups has {count} groups, 0 to {count - 1}; pass one each"
        )
    sums = torch.zeros(len(tensors[0]), count, dtype=accumulator(tensors[0]), device=tensors[0].device)
    for tensor, number in zip(tensors, numbers, strict=True):
        for example, its_number, total in zip(tensor, number, sums, strict=True):
            total.index_add_(0, its_number.flatten(), example.detach().flatten().to(total))
    bare = replace(
        answer,
        values=sums,
        error_estimate=None,
        converged=None,
        feature_names=None if names is None else tuple(map(str, names)),
    )
    if answer.error_estimate is None:
        return bare
    return with_error(bare, answer.error_estimate.to(sums) * error_scale(answer).to(sums))


def _in_pairs(groups: Any, values: Any) -> list[tuple[str, Any]]:
    """A name for messages and the groups, for each tensor of the values."""
    if isinstance(values, Tensor):
        return [("groups", groups)]
    kind = type(values)
    keys = list(values) if kind is dict else list(range(len(values)))
    own = list(groups) if isinstance(groups, dict) else list(range(len(groups))) if isinstance(groups, tuple) else None
    if not isinstance(groups, kind) or set(own or ()) != set(keys):
        received = type(groups).__name__ if own is None else f"{type(groups).__name__} of {own}"
        raise TypeError(
            f"groups is {received}, and values is a {kind.__name__} of {keys}; pass groups in the same form"
        )
    return [(f"groups[{key!r}]", groups[key]) for key in keys]


def _expanded(groups: Any, values: Tensor, name: str) -> Tensor:
    """The group of each value, (batch, *features), int64."""
    numbers = torch.as_tensor(groups, device=values.device)
    if numbers.is_floating_point() or numbers.is_complex():
        raise TypeError(f"{name} holds {numbers.dtype}; pass the number of each feature's group, as integers from 0")
    try:
        numbers = numbers.long().expand(values.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} has shape {tuple(numbers.shape)}, which does not broadcast to the values of one example, "
            f"{tuple(values.shape[1:])}; pass that shape, such as (height, width) for pictures, or with groups of "
            f"their own for each example {(len(values), *values.shape[1:])}"
        ) from None
    if numbers.numel() == 0 or int(numbers.min()) < 0:
        lowest = "no group" if numbers.numel() == 0 else f"the group {int(numbers.min())}"
        raise ValueError(f"{name} holds {lowest}; number the groups from 0, so that each feature has one")
    return numbers
