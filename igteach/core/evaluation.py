"""F and its gradient at many points, in smaller batches if memory runs out.

The points of a path are cut into batches in `core.integration`.
"""

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from igteach.core.devices import full_precision
from igteach.core.functions import Function

Result = TypeVar("Result")
F_NOT_FINITE = "f returned NaN or infinity; look for a log, sqrt, division by zero or batch statistic in it"
_FITTING_BATCH_SIZE = WeakKeyDictionary[Any, int]()  # the batch size that fitted, for each f that ran out of memory
_FREEZING = threading.Lock()
_FROZEN = Counter[nn.Parameter]()  # how many calls of `frozen_parameters` hold a parameter


def forward(f: Function, points: Tensor, target: Tensor | None) -> Tensor:
    """F at each row of `points`.

    Args:
        f: Maps (N, *features) to (N,) or (N, classes).
        points: (N, *features). f gets a copy, because it may work in place.
        target: The class of each row (N,), or None where f gives one number a row.

    Returns:
        F, a tensor (N,).

    Raises:
        TypeError: f's output is not a floating-point tensor.
        ValueError: The output has a wrong shape, no such class, or holds NaN or infinity.
    """
    chosen = chosen_output(f, points, target)
    if not torch.isfinite(chosen).all():
        raise ValueError(F_NOT_FINITE)
    return chosen


def chosen_output(f: Function, points: Tensor, target: Tensor | None) -> Tensor:
    """F at each row, as `forward` gives it, without a look at whether it is finite."""
    with full_precision():
        out = f(points.clone())
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
    return out[:, 0] if target is None else out.gather(1, target.to(out.device)[:, None])[:, 0]


def forward_with_gradient(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """F and its gradient at each row of `points`, in smaller batches if memory runs out.

    Args:
        f: As for `forward`.
        points: (N, *features).
        target: (N,) or None.

    Returns:
        F (N,), and its gradient in the shape of `points`.

    Raises:
        ValueError: F does not depend on the points, or its gradient is not finite; and what `forward` raises.
    """
    values, gradients, finite = unchecked_with_gradient(f, points, target)
    check_finite(finite)
    return values, gradients


def unchecked_with_gradient(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """F and its gradient as `forward_with_gradient` gives them, and what tells whether they are finite.

    Returns:
        F (N,), its gradient in the shape of `points`, and what `check_finite` takes, still on the device: nothing waits
        for it.
    """
    pieces = halve_on_out_of_memory(_with_gradient, f, points, target)
    if len(pieces) == 1:
        return pieces[0]
    values, gradients, finite = zip(*pieces, strict=True)
    return torch.cat(values), torch.cat(gradients), torch.stack(finite).all(0)


def check_finite(finite: Tensor) -> None:
    """Raises ValueError unless F (the first of two truth values) and its gradient (the second) are finite."""
    f_is_finite, gradient_is_finite = finite.tolist()
    if not f_is_finite:
        raise ValueError(F_NOT_FINITE)
    if not gradient_is_finite:
        raise ValueError("the gradient of f holds NaN or infinity; look for a sqrt, log or division at zero")


def _with_gradient(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(f), full_precision(), recurrent_layers(f):
        points = points.clone() if points.is_inference() else points.detach()  # autograd rejects inference tensors
        points.requires_grad_()
        value = chosen_output(f, points, None if target is None else target.clone())
        gradient = torch.autograd.grad(value.sum(), points, allow_unused=True)[0] if value.requires_grad else None
    if gradient is None:
        raise ValueError("f's output does not depend on x for autograd; look for no_grad, .detach(), .item() or numpy")
    value = value.detach()
    return value, gradient, torch.stack([is_finite(value), is_finite(gradient)])


def is_finite(values: Tensor) -> Tensor:
    """Whether all values are finite, on their device; needs no memory, where torch.isfinite needs a copy of them."""
    return torch.isfinite(torch.stack(torch.aminmax(values))).all()


def forward_batched(f: Function, points: Tensor, target: Tensor | None, batch_size: int) -> Tensor:
    """F at each row of `points` (N, *features), at most batch_size rows at once and without gradients: (N,)."""
    values = []
    with torch.no_grad():
        for start in range(0, len(points), batch_size):
            chunk = slice(start, start + batch_size)
            values += halve_on_out_of_memory(forward, f, points[chunk], target_of(target, chunk))
    return torch.cat(values)


def forward_at_ends(
    f: Function, ends: tuple[Tensor, Tensor], target: Tensor | None, batch_size: int, beside: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """F at the start and at the end of each path, and of the first example at one point more, beside its ends.

    Args:
        f: As for `forward`.
        ends: The starts and the ends, each (batch, *features).
        target: The class of each example (batch,), or None.
        batch_size: Rows of f at once, at most.
        beside: The point, (1, *features).

    Returns:
        F at the starts (batch,), at the ends (batch,), and at the point (1,).
    """
    start, end = ends
    found = list[Tensor]()
    for chunk in torch.arange(len(end)).split(max(1, batch_size // 2)):
        points, classes = torch.cat([start[chunk], end[chunk]]), repeat_target(target_of(target, chunk), 2)
        if not found:
            points = torch.cat([points, beside])
            classes = None if classes is None else torch.cat([classes, classes[:1]])
        found.append(forward_batched(f, points, classes, batch_size))
    at_point = found[0][-1:]
    found[0] = found[0][:-1]
    f_start, f_end = torch.cat([each.view(2, -1) for each in found], dim=1)
    return f_start, f_end, at_point


def target_of(target: Tensor | None, chunk: slice | Tensor) -> Tensor | None:
    """The classes of some of the examples."""
    return None if target is None else target[chunk]


def repeat_target(target: Tensor | None, times: int) -> Tensor | None:
    """The classes of `times` copies of the examples, one copy after the other."""
    return None if target is None else target.repeat(times)


def halve_on_out_of_memory(
    work: Callable[[Any, Tensor, Tensor | None], Result], f: Any, points: Tensor, target: Tensor | None
) -> list[Result]:
    """The results of `work` on all rows together or, if memory runs out, on halves of them, and so on down to one row.

    Warns, and remembers for each f the batch size that fitted; later calls start from it.

    Args:
        work: A function of f, some rows and their classes.
        f: What `work` gets.
        points: (N, *features).
        target: (N,) or None.

    Returns:
        The results, one for each batch.

    Raises:
        torch.OutOfMemoryError: There is no room for a single row.
    """
    batch_size, halved = len(points), False
    with suppress(TypeError):  # an f that cannot be remembered
        batch_size = min(batch_size, _FITTING_BATCH_SIZE.get(f, batch_size))
    while True:
        chunks = [slice(start, start + batch_size) for start in range(0, len(points), batch_size)]
        try:
            results = [work(f, points[chunk], target_of(target, chunk)) for chunk in chunks]
            break
        except torch.cuda.OutOfMemoryError:
            if batch_size == 1:
                raise
        batch_size, halved = batch_size // 2, True
    if halved:
        with suppress(TypeError):
            _FITTING_BATCH_SIZE[f] = batch_size
        warnings.warn(f"out of memory on {points.device}: continuing with {batch_size} rows at a time", stacklevel=2)
    return results


@contextmanager
def recurrent_layers(f: object) -> Iterator[None]:
    """Within this context a recurrent layer in eval mode has a gradient on a CUDA card; cuDNN itself has none there."""
    modules = f.modules() if isinstance(f, nn.Module) else ()
    if not any(isinstance(module, nn.RNNBase) and not module.training for module in modules):
        yield
        return
    with torch.backends.cudnn.flags(enabled=False, allow_tf32=False):
        yield


@contextmanager
def frozen_parameters(f: object) -> Iterator[None]:
    """Within this context the parameters of f need no gradient, so that autograd keeps no activations for them.

    Several threads may hold the same model at once; one that trains it must not run beside them.
    """
    mine = set[nn.Parameter]()
    try:
        for parameter in f.parameters() if isinstance(f, nn.Module) else ():
            with _FREEZING:
                if parameter not in mine and (parameter.requires_grad or parameter in _FROZEN):
                    _FROZEN[parameter] += 1
                    mine.add(parameter)
                    parameter.requires_grad_(False)
        yield
    finally:
        with _FREEZING:
            for parameter in mine:
                _FROZEN[parameter] -= 1
                if not _FROZEN[parameter]:
                    del _FROZEN[parameter]
                    parameter.requires_grad_()
