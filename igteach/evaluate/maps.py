"""What every function here asks of a map."""

from typing import Any

import torch
from torch import Tensor


def check_map(values: Any, name: str = "values") -> None:
    """Refuse a map that cannot be scored: NaN has no rank, and every sum with it is NaN.

    Args:
        values: what was passed, (batch, *features) or one number for each place.
        name: of the argument.

    Raises:
        TypeError: it is no tensor.
        ValueError: it holds NaN or infinity.

    Example:
        >>> check_map(torch.tensor([[1.0, float("nan")]]))
        Traceback (most recent call last):
        ValueError: values holds 1 value that is NaN or infinite, in example 0; ...
    """
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} is {type(values).__name__}; pass a tensor, such as the .values of an Attribution")
    is_finite = torch.isfinite(values)
    if not is_finite.all():
        count = int((~is_finite).sum())
        first = int((~is_finite).nonzero()[0, 0])
        what = "1 value that is" if count == 1 else f"{count} values that are"
        raise ValueError(
            f"{name} holds {what} NaN or infinite, {'in' if count == 1 else 'first in'} example {first}; leave such "
            f"examples out or, where no share is meant, pass torch.where({name}.isfinite(), {name}, 0)"
        )
