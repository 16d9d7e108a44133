"""F and its gradient at many points, in batches that fit the memory of a device."""

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from igteach.core.attribution import all_finite
from igteach.core.devices import full_precision
from igteach.core.functions import Function

Result = TypeVar("Result")
_ROWS = WeakKeyDictionary[Any, int]()  # as many as had room, for each f that was out of memory once
_LOCK, _FROZEN = threading.Lock(), Counter[nn.Parameter]()  # how many calls of `frozen` hold a parameter


def forward(f: Function, points: Tensor, target: Tensor | None) -> Tensor:
    """F at each row of `points`: shape (N,). `target` holds the class of each row, or is None.

    Raises TypeError for an output that is no floating tensor; ValueError for a wrong shape or target, NaN, infinity.
    """
    with full_precision():
        out = f(points.clone())  # f may work in place
    if not isinstance(out, Tensor):
        raise TypeError(f"f returned {type(out).__name__}; wrap the model in logit() or probability()")
    if not out.is_floating_point():
        raise TypeError(f"f returned {out.dtype}, which has no gradient; return scores, not the class with the highest")
    n = len(points)
    if out.dim() not in (1, 2) or len(out) != n:
        raise ValueError(f"f returned shape {tuple(out.shape)} for {n} rows; it must return ({n},) or ({n}, classes)")
    if out.dim() == 1:
        if target is not None:
            raise ValueError("target was given, but f returns one number a row; leave target out")
        out = out[:, None]
    classes = out.shape[1]
    if target is None and classes != 1:
        raise ValueError(f"target is missing: f returns {classes} classes; pass target=0..{classes - 1}")
    if target is not None and int(target.max()) >= classes:
        raise ValueError(f"target is {int(target.max())}, but f returns {classes} classes; pass 0..{classes - 1}")
    chosen = out[:, 0] if target is None else out.gather(1, target[:, None])[:, 0]
    if not torch.isfinite(chosen).all():
        raise ValueError("f returned NaN or infinity; look for a log, sqrt, division by zero or batch statistic in it")
    return chosen


def forward_with_gradient(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """F and its gradient at each row of `points`: shapes (N,) and that of `points`; in pieces where memory ends.

    Raises ValueError where F does not depend on the points, or the gradient is not finite.
    """
    done = halve_on_out_of_memory(_forward_with_gradient, f, points, target)
    return (
        done[0]
        if len(done) == 1
        else (torch.cat([chunk[0] for chunk in done]), torch.cat([chunk[1] for chunk in done]))
    )


def _forward_with_gradient(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(f), full_precision():
        points = points.clone() if points.is_inference() else points.detach()  # autograd takes none from inference mode
        points.requires_grad_()
        value = forward(f, points, None if target is None else target.clone())
        gradient = torch.autograd.grad(value.sum(), points, allow_unused=True)[0] if value.requires_grad else None
    if gradient is None:
        raise ValueError("f's output does not depend on x for autograd; look for no_grad, .detach(), .item() or numpy")
    if not all_finite(gradient):
        raise ValueError("the gradient of f holds NaN or infinity; look for a sqrt, log or division at zero")
    return value.detach(), gradient


def forward_batched(f: Function, points: Tensor, target: Tensor | None, batch_size: int) -> Tensor:
    """F at each row of `points`, at most `rows` at once: shape (N,)."""
    targets = [None] * len(points) if target is None else target.split(batch_size)
    with torch.no_grad():
        pieces = [
            halve_on_out_of_memory(forward, f, chunk, chosen)
            for chunk, chosen in zip(points.split(batch_size), targets, strict=False)
        ]
    return torch.cat([piece for some in pieces for piece in some])


def halve_on_out_of_memory(
    work: Callable[[Any, Tensor, Tensor | None], Result], f: Any, points: Tensor, target: Tensor | None
) -> list[Result]:
    """work(f, points, target) of all rows, or, where memory ends, of half as many at once, and again, down to one.

    Warns of it once for each f, which is remembered. Raises torch.OutOfMemoryError where one row is too many.
    """
    batch_size, short = len(points), False
    with suppress(TypeError):  # an f that cannot be remembered
        batch_size = min(batch_size, _ROWS.get(f, batch_size))
    while True:
        parts = [slice(start, start + batch_size) for start in range(0, len(points), batch_size)]
        try:
            done = [work(f, points[chunk], None if target is None else target[chunk]) for chunk in parts]
            break
        except torch.cuda.OutOfMemoryError:
            if batch_size == 1:
                raise
        batch_size, short = batch_size // 2, True
    if short:
        with suppress(TypeError):
            _ROWS[f] = batch_size
        warnings.warn(f"out of memory on {points.device}: goes on with {batch_size} rows at once", stacklevel=2)
    return done


@contextmanager
def frozen_parameters(f: object) -> Iterator[None]:
    """The parameters of f need no gradient in here, so that autograd keeps no activations for them; then as before.

    Several threads may be in here with one model at once; one that trains it must not run beside them.
    """
    mine = set[nn.Parameter]()
    try:
        for parameter in f.parameters() if isinstance(f, nn.Module) else ():
            with _LOCK:
                if parameter not in mine and (parameter.requires_grad or parameter in _FROZEN):
                    _FROZEN[parameter] += 1
                    mine.add(parameter)
                    parameter.requires_grad_(False)
        yield
    finally:
        with _LOCK:
            for parameter in mine:
                _FROZEN[parameter] -= 1
                if not _FROZEN[parameter]:
                    del _FROZEN[parameter]
                    parameter.requires_grad_()
