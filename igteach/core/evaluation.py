"""F and its gradient at many points, in smaller batches if memory runs out.

The points of a path are cut into batches in `core.integration`.
"""

import re
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from igteach.core.devices import full_precision, without_cudnn
from igteach.core.functions import Function, describe_output
from igteach.core.per_row import PerRow

Result = TypeVar("Result")
ABOUT_SHAPES = re.compile("size|shape|dimension|batch|channel|[0-9]D|out of (bounds|range)", re.IGNORECASE)
F_NOT_FINITE = "f returned NaN or infinity; look for a log, sqrt, division by zero or batch statistic in it"
_FITTING_BATCH_SIZE = WeakKeyDictionary[Any, int]()  # the batch size that fitted, for each f that ran out of memory
_FREEZING = threading.Lock()
_FROZEN = Counter[nn.Parameter]()  # how many calls of `frozen_parameters` hold a parameter


def forward(f: Function, points: Tensor, per_row: PerRow) -> Tensor:
    """F at each row of `points`.

    Args:
        f: Maps (N, *features) to (N,), (N, classes) or (N, *axes).
        points: (N, *features). f gets a copy, because it may work in place.
        per_row: The target and the further arguments of each row.

    Returns:
        F, a tensor (N,).

    Raises:
        TypeError: f's output is not a floating-point tensor.
        ValueError: The output has a wrong shape, no such class, or holds NaN or infinity.
    """
    chosen = chosen_output(f, points, per_row)
    if not torch.isfinite(chosen).all():
        raise ValueError(F_NOT_FINITE)
    return chosen


def chosen_output(f: Function, points: Tensor, per_row: PerRow) -> Tensor:
    """F at each row, as `forward` gives it, without a look at whether it is finite."""
    with full_precision(), _hint_at_rows(points):
        rows = points.clone(memory_format=_memory_format(points))
        out = _checked_output(per_row.call(f, rows), len(points))
    if out.dim() == 1:
        if per_row.target is not None:
            raise ValueError("target was given, but f returns one number a row; leave target out")
        return out
    if per_row.target is None:
        if out.dim() == 2 and out.shape[1] == 1:
            return out[:, 0]
        raise ValueError(f"target is missing: f returns {_target_to_pass(out)}")
    index = per_row.target if per_row.target.dim() == 2 else per_row.target[:, None]
    largest = index.amax(0).tolist()
    fits = len(largest) == out.dim() - 1 and all(i < size for i, size in zip(largest, out.shape[1:], strict=True))
    if not fits:
        received = largest[0] if len(largest) == 1 else tuple(largest)
        raise ValueError(f"target is {received}, but f returns {_target_to_pass(out)}")
    if out.dim() == 2:
        return out.gather(1, index.to(out.device))[:, 0]
    rows = torch.arange(len(out), device=out.device)
    return out[(rows, *index.to(out.device).T)]


def _memory_format(points: Tensor) -> torch.memory_format:
    """Channels last as far as x is so; else one row after the other, which a `view` in f takes for granted."""
    last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(points.dim())
    keeps_last = last is not None and points.is_contiguous(memory_format=last) and not points.is_contiguous()
    return last if last is not None and keeps_last else torch.contiguous_format


def _checked_output(out: Any, n: int) -> Tensor:
    """f's output for n rows; TypeError or ValueError unless it is one number, or several, for each row."""
    if not isinstance(out, Tensor):
        raise TypeError(f"f returned {describe_output(out)}")
    if not out.is_floating_point():
        raise TypeError(f"f returned {out.dtype}, which has no gradient; return scores, not the class with the highest")
    if out.dim() == 0 or len(out) != n:
        raise ValueError(f"f returned shape {tuple(out.shape)} for {n} rows; it must return ({n},) or ({n}, classes)")
    return out


def _target_to_pass(out: Tensor) -> str:
    """f's output, and what a target may be for it, in words."""
    if out.dim() > 2:
        example = tuple(size // 2 for size in out.shape[1:])
        return f"shape {tuple(out.shape)}; pass a tuple of {len(example)} indices, such as target={example}"
    classes = out.shape[1]
    return "one class; pass 0, or leave target out" if classes == 1 else f"{classes} classes; pass 0..{classes - 1}"


@contextmanager
def _hint_at_rows(points: Tensor) -> Iterator[None]:
    """Adds to an error of f about shapes what rows f was called with."""
    try:
        yield
    except (RuntimeError, IndexError, ValueError) as error:
        if ABOUT_SHAPES.search(str(error)):
            error.add_note(
                f"f was called with x of shape {tuple(points.shape)}. The first axis is the batch: for one example "
                "pass x[None]. The number of rows varies: what f needs of each example beside x, such as a mask or "
                "lengths, goes into arguments=(mask, lengths)."
            )
        raise


def forward_with_gradient(f: Function, points: Tensor, per_row: PerRow) -> tuple[Tensor, Tensor]:
    """F and its gradient at each row of `points`, in smaller batches if memory runs out.

    Args:
        f: As for `forward`.
        points: (N, *features).
        per_row: Of each row.

    Returns:
        F (N,), and its gradient in the shape of `points`.

    Raises:
        ValueError: F does not depend on the points, or its gradient is not finite; and what `forward` raises.
    """
    values, gradients, finite = unchecked_with_gradient(f, points, per_row)
    check_finite(finite)
    return values, gradients


def unchecked_with_gradient(f: Function, points: Tensor, per_row: PerRow) -> tuple[Tensor, Tensor, Tensor]:
    """F and its gradient as `forward_with_gradient` gives them, and what tells whether they are finite.

    Returns:
        F (N,), its gradient in the shape of `points`, and what `check_finite` takes, still on the device: nothing waits
        for it.
    """
    pieces = halve_on_out_of_memory(_with_gradient, f, points, per_row)
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


def _with_gradient(f: Function, points: Tensor, per_row: PerRow) -> tuple[Tensor, Tensor, Tensor]:
    with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(f), full_precision(), recurrent_layers(f):
        points = points.clone() if points.is_inference() else points.detach()  # autograd rejects inference tensors
        points.requires_grad_()
        value = chosen_output(f, points, per_row.outside_inference())
        gradient = torch.autograd.grad(value.sum(), points, allow_unused=True)[0] if value.requires_grad else None
    if gradient is None:
        raise ValueError("f's output does not depend on x for autograd; look for no_grad, .detach(), .item() or numpy")
    value = value.detach()
    return value, gradient, torch.stack([is_finite(value), is_finite(gradient)])


def is_finite(values: Tensor) -> Tensor:
    """Whether all values are finite, on their device; needs no memory, where torch.isfinite needs a copy of them."""
    return torch.isfinite(torch.stack(torch.aminmax(values))).all()


def forward_batched(f: Function, points: Tensor, per_row: PerRow, batch_size: int) -> Tensor:
    """F at each row of `points` (N, *features), at most batch_size rows at once and without gradients: (N,)."""
    values = []
    with torch.no_grad():
        for start in range(0, len(points), batch_size):
            chunk = slice(start, start + batch_size)
            values += halve_on_out_of_memory(forward, f, points[chunk], per_row[chunk])
    return torch.cat(values)


def forward_at_ends(
    f: Function, ends: tuple[Tensor, Tensor], per_row: PerRow, batch_size: int, beside: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """F at the start and at the end of each path, and of the first example at one point more, beside its ends.

    Args:
        f: As for `forward`.
        ends: The starts and the ends, each (batch, *features).
        per_row: Of each example.
        batch_size: Rows of f at once, at most.
        beside: The point, (1, *features).

    Returns:
        F at the starts (batch,), at the ends (batch,), and at the point (1,).
    """
    start, end = ends
    found = list[Tensor]()
    for chunk in torch.arange(len(end), device="cpu").split(max(1, batch_size // 2)):
        points, of_rows = torch.cat([start[chunk], end[chunk]]), per_row[chunk].repeat(2)
        if not found:
            points, of_rows = torch.cat([points, beside]), of_rows.and_first()
        found.append(forward_batched(f, points, of_rows, batch_size))
    at_point = found[0][-1:]
    found[0] = found[0][:-1]
    f_start, f_end = torch.cat([each.view(2, -1) for each in found], dim=1)
    return f_start, f_end, at_point


def halve_on_out_of_memory(
    work: Callable[[Any, Tensor, PerRow], Result], f: Any, points: Tensor, per_row: PerRow
) -> list[Result]:
    """The results of `work` on all rows together or, if memory runs out, on halves of them, and so on down to one row.

    Warns, and remembers for each f the batch size that fitted; later calls start from it.

    Args:
        work: A function of f, some rows and what goes with them.
        f: What `work` gets.
        points: (N, *features).
        per_row: Of each row.

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
            results = [work(f, points[chunk], per_row[chunk]) for chunk in chunks]
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
    with without_cudnn():
        yield


@contextmanager
def frozen_parameters(f: object) -> Iterator[None]:
    """Within this context the parameters of f need no gradient, so that autograd keeps no activations for them.

    Several threads may hold the same model at once; one that trains it must not run beside them.

    Raises:
        ValueError: f was made in inference mode, so that autograd cannot use its parameters.
    """
    if isinstance(f, nn.Module) and any(tensor.is_inference() for tensor in (*f.parameters(), *f.buffers())):
        raise ValueError(
            "f was made in torch.inference_mode(), and autograd cannot use its parameters; make it outside of that, or "
            "pass copy.deepcopy(f), made outside of it"
        )
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
