"""Guards against arguments that give wrong answers quietly, and the defaults of arguments left out."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import SpectralNorm

from igteach.core.attribution import all_finite
from igteach.core.evaluation import forward, forward_with_gradient
from igteach.core.functions import Baseline, Function, Target
from igteach.core.per_row import Arguments, PerRow

NUMBERS_AT_ONCE = {
    "cpu": 2**19,
    "cuda": 2**25,
    "mps": 2**23,
}  # of the inputs in one batch; small on a CPU, to stay in its cache
INDEX_DTYPES = (torch.int32, torch.int64)
FEW_ROWS, MANY_NUMBERS = 4, 2**20  # at least so many rows, unless they hold more numbers than this


def check_arguments(
    f: Function, x: Tensor, baseline: Baseline, target: Target, arguments: Arguments = ()
) -> tuple[Tensor, Tensor, PerRow]:
    """The arguments of a method, checked, in the form that the core takes; and whether the rows of f are independent.

    Args:
        f: As for `check_inputs`.
        x: As for `check_inputs`.
        baseline: As for `check_inputs`.
        target: As for `check_inputs`.
        arguments: As for `check_inputs`.

    Returns:
        As `check_inputs`.

    Raises:
        TypeError: As for `check_inputs`.
        ValueError: F of a row depends on the rows beside it, or on chance; and as for `check_inputs`.
    """
    x, baseline, per_row = check_inputs(f, x, baseline, target, arguments)
    _check_rows_are_independent(f, x, baseline, per_row)
    return x, baseline, per_row


def check_inputs(
    f: Function, x: Tensor, baseline: Baseline, target: Target, arguments: Arguments = ()
) -> tuple[Tensor, Tensor, PerRow]:
    """The arguments of a method that sees by itself whether the rows of f are independent, as core.integration does.

    Args:
        f: F, as every method takes it.
        x: (batch, *features).
        baseline: None (zeros), a number, or a tensor that broadcasts to x.
        target: None, an int, a tuple of ints, or a tensor (batch,) or (batch, axes) of ints.
        arguments: What f gets beside x: a tuple or a dict.

    Returns:
        x (batch, *features), the baseline expanded to the same shape, and what goes with each example.

    Raises:
        TypeError: An argument is of the wrong kind; the message names it, what was passed and what to pass.
        ValueError: An argument would lead to a wrong answer; the message is as specific.
    """
    if not callable(f):
        raise TypeError(f"f is {type(f).__name__}; pass {_what_instead(f)}")
    check_modes(f)
    if isinstance(x, Tensor) and x.dtype in INDEX_DTYPES and _has_embedding(f):
        raise TypeError(
            f"x is {x.dtype}: indices of an embedding, which have no gradient; pass them to "
            "layer_integrated_gradients(f, embedding, x), or a text to token_attribution"
        )
    x = check_floating("x", x).detach()
    if x.dim() < 2 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (batch, *features): for one example pass x[None]")
    return x, check_baseline(x, baseline), PerRow(_check_target(x, target), *_check_extras(x, arguments))


def check_floating(name: str, value: Tensor | float) -> Tensor:
    """`value`, if it is a finite floating-point tensor; else a TypeError or ValueError that names it."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {type(value).__name__}; pass a tensor (batch, *features) of floating-point numbers")
    if value.is_nested:
        raise TypeError(f"{name} is a nested tensor; pass torch.nested.to_padded_tensor({name}, 0.0)")
    if value.layout is not torch.strided:
        raise TypeError(f"{name} is {value.layout}; pass {name}.to_dense()")
    if value.is_complex():
        raise TypeError(f"{name} is {value.dtype}; pass torch.view_as_real({name}), and torch.view_as_complex in f")
    if not value.is_floating_point():
        raise TypeError(f"{name} is {value.dtype}, which has no gradient; pass {name}.float(), in the model's units")
    if not all_finite(value):
        raise ValueError(f"{name} holds NaN or infinity; clean it first, for instance with torch.nan_to_num")
    return value


def check_baseline(x: Tensor, baseline: Baseline, name: str = "baseline") -> Tensor:
    """The baseline in the shape and dtype of x; TypeError or ValueError, naming it, if it cannot be."""
    baseline = 0.0 if baseline is None else baseline
    if isinstance(baseline, int | float) and not isinstance(baseline, bool):
        baseline = torch.tensor(float(baseline), dtype=x.dtype, device=x.device)
    baseline = check_floating(name, baseline).detach()
    if baseline.device != x.device:
        raise ValueError(f"{name} is on {baseline.device}, x on {x.device}; pass {name}.to(x.device)")
    try:
        expanded: Tensor = baseline.to(x.dtype).expand(x.shape)
        return expanded
    except RuntimeError:
        raise ValueError(
            f"{name} has shape {tuple(baseline.shape)}, which does not broadcast to x's {tuple(x.shape)}; "
            "pass one of x's shape, or of one example's"
        ) from None


def _check_target(x: Tensor, target: Target) -> Tensor | None:
    """The target on the CPU, (batch,) or (batch, axes)."""
    if target is None:
        return None
    indices = target if isinstance(target, tuple) else (target,)
    if all(isinstance(index, int) and not isinstance(index, bool) for index in indices) and indices:
        target = torch.tensor(target, device="cpu").expand(len(x), *(len(indices),) * isinstance(target, tuple))
    if not isinstance(target, Tensor) or target.is_floating_point() or target.dtype == torch.bool:
        kind = target.dtype if isinstance(target, Tensor) else type(target).__name__
        raise TypeError(
            f"target is {kind}; pass an int, a tensor of ints with one class for each example, "
            "or a tuple of ints: an index into the output of an example"
        )
    if target.dim() not in (1, 2) or len(target) != len(x) or target.numel() == 0:
        raise ValueError(f"target has shape {tuple(target.shape)}; for {len(x)} examples pass an int or ({len(x)},)")
    if int(target.min()) < 0:
        raise ValueError(f"target is {int(target.min())}; classes count from 0")
    return target.to("cpu", torch.long)


def _check_extras(x: Tensor, arguments: Arguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The further arguments of f, by position and by name; TypeError or ValueError if one cannot go with the rows."""
    if not isinstance(arguments, tuple | list | Mapping):
        raise TypeError(f"arguments is {type(arguments).__name__}; pass a tuple, as arguments=(mask,), or a dict")
    items = arguments.items() if isinstance(arguments, Mapping) else enumerate(arguments)
    for key, value in items:
        name = f"arguments[{key!r}]"
        if not isinstance(value, Tensor):
            continue
        if value.dim() == 0 or len(value) != len(x):
            raise ValueError(
                f"{name} has shape {tuple(value.shape)}, and x has {len(x)} examples; pass an entry for each example; "
                "what is the same for all of them belongs in f: lambda x: model(x, mask)"
            )
        if value.device != x.device:
            raise ValueError(f"{name} is on {value.device}, x on {x.device}; pass {name}.to(x.device)")
    return ((), dict(arguments)) if isinstance(arguments, Mapping) else (tuple(arguments), {})


def _has_embedding(f: object) -> bool:
    return isinstance(f, nn.Module) and any(isinstance(layer, nn.Embedding | nn.EmbeddingBag) for layer in f.modules())


def _check_rows_are_independent(f: Function, x: Tensor, baseline: Tensor, per_row: PerRow) -> None:
    """Raises ValueError unless F of a row is the same alone and beside another, up to rounding."""
    first = per_row.of(0, 1)
    with torch.no_grad():
        alone = forward(f, x[:1], first)
        together = forward(f, torch.cat([baseline[:1], x[:1]]), first.repeat(2))
    slack = min(0.1, 1000 * torch.finfo(alone.dtype).eps)
    difference = (alone[0] - together[1]).abs()
    if difference > slack * torch.cat([alone, together]).abs().max():
        # If large terms cancel in F, their rounding is large beside F: compare with the terms.
        _, gradient = forward_with_gradient(f, x[:1], first)
        if difference > slack * (gradient * x[:1]).abs().sum():
            raise ValueError(
                f"f gives {alone.item():.6g} for a row alone and {together[1].item():.6g} beside another row; "
                "f must treat each row independently and be deterministic"
            )


def _what_instead(f: object) -> str:
    """What to pass in place of what cannot be called."""
    if hasattr(f, "predict"):
        return (
            "a model or function of PyTorch, as this one has no gradient: trees go to "
            "igteach.tree_integrated_gradients, and for others igteach.shapley_values takes a function of a batch"
        )
    return "a model or a function of a batch"


def check_modes(f: object, called: str = "f") -> None:
    """Raises ValueError if a layer of f, so called, is in train mode and behaves differently there."""
    for name, layer in f.named_modules() if isinstance(f, nn.Module) else ():
        if layer.training and _differs_in_training(layer):
            which = f"{name or 'itself'!r} ({type(layer).__name__})"
            raise ValueError(
                f"{called} is in train mode, and its layer {which} behaves differently there; call .eval() on {called}"
            )


def _differs_in_training(layer: nn.Module) -> bool:
    if isinstance(layer, nn.modules.instancenorm._InstanceNorm):
        return layer.track_running_stats
    if isinstance(layer, nn.modules.dropout._DropoutNd):
        return layer.p > 0
    if isinstance(layer, nn.RNNBase | nn.MultiheadAttention):
        return layer.dropout > 0
    if any(isinstance(hook, SpectralNorm) for hook in layer._forward_pre_hooks.values()):
        return True
    return isinstance(layer, nn.modules.batchnorm._BatchNorm | nn.RReLU | parametrizations._SpectralNorm)


def check_count(name: str, value: int, least: int) -> None:
    """Raises ValueError, naming the argument, unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; pass a whole number of at least {least}")


def default_batch_size(x: Tensor, batch_size: int | None) -> int:
    """The batch size asked for, or one that suits the device.

    Args:
        x: The inputs (batch, *features).
        batch_size: Rows of f at once, at most, or None.

    Returns:
        A number of rows, at least 1.

    Raises:
        ValueError: batch_size is not a whole number of at least 1.
    """
    if batch_size is not None:
        check_count("batch_size", batch_size, 1)
        return batch_size
    features = max(1, x[0].numel())
    suits_device = min(512, NUMBERS_AT_ONCE.get(x.device.type, MANY_NUMBERS) // features)
    return max(1, suits_device, min(FEW_ROWS, MANY_NUMBERS // features))
