"""The gradient of F, and the two attributions made from it at a single point."""

from collections.abc import Iterator

import torch
from torch import Tensor

from igteach.attribution import Attribution
from igteach.scores import Function, check_arguments, gradients_at, scores

ELEMENTS_AT_ONCE = {"cpu": 2**20, "cuda": 2**25, "mps": 2**23}  # input numbers evaluated in one go


def rows_at_once(x: Tensor, rows: int | None) -> int:
    """How many rows to evaluate at once: `rows`, or where that is None as many as suit x's device.

    Raises ValueError for rows < 1.
    """
    if rows is None:
        return max(1, min(512, ELEMENTS_AT_ONCE.get(x.device.type, 2**20) // max(1, x[0].numel())))
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ValueError(f"rows is {rows!r}; pass a whole number of at least 1, or None")
    return rows


def chunks(points: Tensor, target: Tensor | None, rows: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Points and their targets, at most `rows` at once."""
    for start in range(0, len(points), rows):
        yield points[start : start + rows], None if target is None else target[start : start + rows]


def values_at(f: Function, points: Tensor, target: Tensor | None, rows: int) -> Tensor:
    """F at each row of `points`, at most `rows` at once: shape (N,)."""
    with torch.no_grad():
        return torch.cat([scores(f, part, chosen) for part, chosen in chunks(points, target, rows)])


def gradient(
    f: Function, x: Tensor, baseline: Tensor | float | None = None, target: int | Tensor | None = None
) -> Attribution:
    """The gradient of F at x: how fast F changes when a feature is nudged.

    f maps (N, *features) to (N,) or (N, classes); x is (batch, *features), floating point; target is an int,
    (batch,) or None. The baseline is accepted, as every method accepts one, and not used.
    Returns an Attribution without residual, in units of F per unit of x.
    Raises TypeError or ValueError for arguments that cannot give a right answer.
    Source: Baehrens et al. (2010); Simonyan, Vedaldi and Zisserman (2013), who show its absolute value.
    """
    x, _, target = check_arguments(f, x, baseline, target)
    value, gradients = _at_input(f, x, target)
    return Attribution(gradients, value, None, evaluations=1)


def gradient_times_input(
    f: Function, x: Tensor, baseline: Tensor | float | None = None, target: int | Tensor | None = None
) -> Attribution:
    """The gradient at x times (x - baseline): the first-order share of each feature in F(x) - F(x').

    Shapes, target and errors as for `gradient`; baseline is a number or broadcasts to x, None is zeros.
    Returns an Attribution in units of F; its residual is zero for a linear F.
    Source: Shrikumar et al. (2016), with the baseline of Sundararajan, Taly and Yan (2017).
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    value, shares = _at_input(f, x, target, baseline)
    at_baseline = values_at(f, baseline, target, rows_at_once(x, None))
    return Attribution(shares, value, at_baseline, evaluations=1)


def _at_input(f: Function, x: Tensor, target: Tensor | None, baseline: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """F and its gradient at x, times (x - baseline) where one is given; in memory for one result, not two."""
    rows = rows_at_once(x, None)
    result, values = torch.empty_like(x), []
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        value, gradients = gradients_at(f, x[part], None if target is None else target[part])
        values.append(value)
        result[part] = gradients if baseline is None else gradients * (x[part] - baseline[part])
    return torch.cat(values), result
