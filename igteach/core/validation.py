"""Guards against arguments that give wrong answers quietly, and the defaults of arguments left out."""

from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

from igteach.core.attribution import all_finite
from igteach.core.evaluation import forward, forward_with_gradient
from igteach.core.functions import Baseline, Function, Logit, Target

_INDEPENDENT = WeakSet[Any]()  # networks seen to treat each row by itself


def check_arguments(f: Function, x: Tensor, baseline: Baseline, target: Target) -> tuple[Tensor, Tensor, Tensor | None]:
    """x (batch, *features), the baseline broadcast to it, and the target (batch,) or None.

    Raises TypeError or ValueError that names the argument, what came and what is wanted.
    """
    if not callable(f):
        raise TypeError(f"f is {type(f).__name__}; pass a model or a function of a batch")
    check_modes(f)
    x = check_floating("x", x).detach()
    if x.dim() < 2 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (batch, *features): for one example pass x[None]")
    baseline, target = check_baseline(x, baseline), _check_target(x, target)
    _check_rows_are_independent(f, x, baseline, target)
    return x, baseline, target


def check_floating(name: str, value: Tensor | float) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {type(value).__name__}; pass a tensor: torch.as_tensor({name})")
    if not value.is_floating_point():
        raise TypeError(f"{name} is {value.dtype}, which has no gradient; pass {name}.float(), in the model's units")
    if not all_finite(value):
        raise ValueError(f"{name} holds NaN or infinity; clean it first, for instance with torch.nan_to_num")
    return value


def check_baseline(x: Tensor, baseline: Baseline) -> Tensor:
    baseline = 0.0 if baseline is None else baseline
    if isinstance(baseline, int | float) and not isinstance(baseline, bool):
        baseline = torch.tensor(float(baseline), dtype=x.dtype, device=x.device)
    baseline = check_floating("baseline", baseline).detach()
    if baseline.device != x.device:
        raise ValueError(f"baseline is on {baseline.device}, x on {x.device}; pass baseline.to(x.device)")
    try:
        return baseline.to(x.dtype).expand(x.shape)
    except RuntimeError:
        raise ValueError(
            f"baseline has shape {tuple(baseline.shape)}, which does not broadcast to x's {tuple(x.shape)}; "
            "pass one of x's shape, or of one example's"
        ) from None


def _check_target(x: Tensor, target: Target) -> Tensor | None:
    if target is None:
        return None
    if isinstance(target, int) and not isinstance(target, bool):
        target = torch.full((len(x),), target, device=x.device)
    if not isinstance(target, Tensor) or target.is_floating_point() or target.dtype == torch.bool:
        kind = target.dtype if isinstance(target, Tensor) else type(target).__name__
        raise TypeError(f"target is {kind}; pass an int or a tensor of ints, one class for each example")
    if target.shape != (len(x),):
        raise ValueError(f"target has shape {tuple(target.shape)}; for {len(x)} examples pass an int or ({len(x)},)")
    if int(target.min()) < 0:
        raise ValueError(f"target is {int(target.min())}; classes count from 0")
    return target.to(x.device, torch.long)


def _check_rows_are_independent(f: Function, x: Tensor, baseline: Tensor, target: Tensor | None) -> None:
    """F of a row must be the same alone and in company, up to rounding; a network is asked once."""
    network = f
    while isinstance(network, Logit):
        network = network.model
    if isinstance(network, nn.Module) and network in _INDEPENDENT:
        return
    first = None if target is None else target[:1]
    with torch.no_grad():
        alone = forward(f, x[:1], first)
        together = forward(f, torch.cat([baseline[:1], x[:1]]), None if first is None else first.repeat(2))
    slack = min(0.1, 1000 * torch.finfo(alone.dtype).eps)
    difference = (alone[0] - together[1]).abs()
    if difference > slack * torch.cat([alone, together]).abs().max():
        _, gradient = forward_with_gradient(
            f, x[:1], first
        )  # where large terms cancel in F, their rounding is large beside F
        if difference > slack * (gradient * x[:1]).abs().sum():
            raise ValueError(
                f"f gives {alone.item():.6g} for a row alone and {together[1].item():.6g} beside another row; "
                "its rows must not depend on one another, nor on chance"
            )
    if isinstance(network, nn.Module):
        _INDEPENDENT.add(network)


def check_modes(f: object) -> None:
    """A layer that behaves otherwise in training must not be in train mode."""
    for name, layer in f.named_modules() if isinstance(f, nn.Module) else ():
        minds = (
            isinstance(layer, nn.modules.batchnorm._BatchNorm | nn.RReLU)
            or (isinstance(layer, nn.modules.instancenorm._InstanceNorm) and layer.track_running_stats)
            or (isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0)
            or (isinstance(layer, nn.RNNBase | nn.MultiheadAttention) and layer.dropout > 0)
        )
        if layer.training and minds:
            which = f"{name or 'itself'!r} ({type(layer).__name__})"
            raise ValueError(f"f is in train mode, and its layer {which} answers differently there; call .eval() on f")


def check_count(name: str, value: int, least: int) -> None:
    """Raises ValueError where `value` is no whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; pass a whole number of at least {least}")


ELEMENTS_AT_ONCE = {"cpu": 2**17, "cuda": 2**25, "mps": 2**23}  # input numbers evaluated in one go; a CPU has caches
FEW, MANY = 4, 2**20  # or this many rows, where they are not more numbers than this


def default_batch_size(x: Tensor, batch_size: int | None) -> int:
    """How many rows to evaluate at once: `rows`, or as many as suit x's device. Raises ValueError for rows < 1."""
    if batch_size is None:
        each = max(1, x[0].numel())
        return max(1, min(512, ELEMENTS_AT_ONCE.get(x.device.type, MANY) // each), min(FEW, MANY // each))
    check_count("batch_size", batch_size, 1)
    return batch_size
