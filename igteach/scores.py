"""From a model to F, one number a row; and the guards against inputs that give wrong answers quietly."""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from igteach.attribution import all_finite

Function = Callable[[Tensor], Tensor]  # (N, *features) -> (N,) or (N, classes), row by row


class Logit(nn.Module):
    """The raw outputs of a model, before softmax or sigmoid: shape (N, classes) or (N,)."""

    def __init__(self, model: Function):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        out = self.model(x)
        return getattr(out, "logits", out)  # transformers' models wrap their logits


class Probability(Logit):
    """The class probabilities of a model: softmax over its classes, sigmoid where it has one output."""

    def forward(self, x: Tensor) -> Tensor:
        logits = super().forward(x)
        classes = logits.dim() == 2 and logits.shape[1] > 1
        return logits.softmax(dim=1) if classes else logits.sigmoid()


def logit(model: Function) -> Logit:
    """F as the model's logits. `model` maps (N, *features) to (N, classes), (N,) or an object with `.logits`."""
    return Logit(model)


def probability(model: Function) -> Probability:
    """F as the model's class probabilities. `model` gives logits, as for `logit`."""
    return Probability(model)


def toy(function: Callable[..., Tensor | float]) -> Function:
    """F from a function of scalars, so that `toy(lambda x, y: x * y)` takes a batch of shape (N, 2).

    The function sees one row at a time, as 0-dimensional tensors: `if`, `min` and `max` work.
    Raises ValueError where the rows hold another number of features than the function takes, and TypeError
    where the function leaves autograd, as math.exp(x), float(x) and x.item() do.
    """
    try:
        inspect.signature(function)
    except (TypeError, ValueError):
        raise TypeError(f"function is {function!r}; pass a Python function of scalars") from None

    def f(x: Tensor) -> Tensor:
        if x.dim() != 2:
            raise ValueError(f"x has shape {tuple(x.shape)}; a toy function takes (batch, features)")
        try:
            inspect.signature(function).bind(*x[0])
        except TypeError as error:
            raise ValueError(
                f"x has {x.shape[1]} features a row, which the toy function does not take: {error}"
            ) from None
        with _NoPythonNumbers():
            values = [function(*row) for row in x]
        stacked = torch.stack([torch.as_tensor(value, dtype=x.dtype, device=x.device) for value in values])
        return stacked + 0.0 * x.sum(dim=1)  # a constant has a gradient, too: zero

    return f


class _NoPythonNumbers(TorchFunctionMode):
    """Inside it a tensor does not turn into a Python number, which would have no gradient."""

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        if func in (Tensor.__float__, Tensor.__int__, Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.__array__):
            raise TypeError(
                f"the toy function makes x a plain number (by {func.__name__}), which has no gradient; "
                "use torch's functions, torch.exp(x) for math.exp(x), and neither float(x) nor x.item()"
            )
        return func(*args, **(kwargs or {}))


def scores(f: Function, points: Tensor, target: Tensor | None) -> Tensor:
    """F at each row of `points`: shape (N,). `target` holds the class of each row, or is None.

    Raises TypeError where f's output is no floating-point tensor, ValueError where it is not (N,) or
    (N, classes), does not fit `target`, or is not finite.
    """
    out = f(points.clone())  # f may work in place
    if not isinstance(out, Tensor):
        raise TypeError(f"f returned {type(out).__name__}; wrap the model in logit() or probability()")
    if not out.is_floating_point():
        raise TypeError(f"f returned {out.dtype}, which has no gradient; return scores, not the class with the highest")
    if out.dim() not in (1, 2) or len(out) != len(points):
        raise ValueError(
            f"f returned shape {tuple(out.shape)} for {len(points)} rows; "
            f"it must return ({len(points)},) or ({len(points)}, classes)"
        )
    if out.dim() == 1:
        if target is not None:
            raise ValueError("target was given, but f returns one number a row; leave target out")
        chosen = out
    elif target is None:
        if out.shape[1] != 1:
            raise ValueError(f"target is missing: f returns {out.shape[1]} classes; pass target=0..{out.shape[1] - 1}")
        chosen = out[:, 0]
    else:
        if int(target.max()) >= out.shape[1]:
            raise ValueError(
                f"target is {int(target.max())}, but f returns {out.shape[1]} classes; pass 0..{out.shape[1] - 1}"
            )
        chosen = out.gather(1, target[:, None])[:, 0]
    if not torch.isfinite(chosen).all():
        raise ValueError("f returned NaN or infinity; look for a log, sqrt, division by zero or batch statistic in it")
    return chosen


def gradients_at(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """F and its gradient at each row of `points`: shapes (N,) and that of `points`.

    Raises ValueError where F does not depend on the points, or the gradient is not finite.
    """
    with torch.inference_mode(False), torch.enable_grad():
        points = points.clone().requires_grad_()  # clones: autograd takes no tensor made in inference mode
        target = None if target is None else target.clone()
        value = scores(f, points, target)
        gradient = None
        if value.requires_grad:
            (gradient,) = torch.autograd.grad(value.sum(), points, allow_unused=True)
    if gradient is None:
        raise ValueError(
            "f's output does not depend on x for autograd; look for torch.no_grad, .detach(), .item() or numpy in f"
        )
    if not torch.isfinite(gradient).all():
        raise ValueError("the gradient of f holds NaN or infinity; look for a sqrt, log or division at zero")
    return value.detach(), gradient


def check_arguments(
    f: Function, x: Tensor, baseline: Tensor | float | None, target: int | Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """x, the baseline broadcast to it and the target per row, or an error that says what to do.

    Returns x (batch, *features), baseline of the same shape, target (batch,) or None.
    Raises TypeError or ValueError that names the argument, what came and what is wanted.
    """
    if not callable(f):
        raise TypeError(f"f is {type(f).__name__}; pass a model or a function of a batch")
    _check_modes(f)
    x = _check_floating("x", x).detach()
    if x.dim() < 2 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (batch, *features): for one example pass x[None]")
    baseline = _check_baseline(x, baseline)
    target = _check_target(x, target)
    _check_rows_are_independent(f, x, baseline, target)
    return x, baseline, target


def _check_floating(name: str, value: Tensor | float) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {type(value).__name__}; pass a tensor: torch.as_tensor({name})")
    if not value.is_floating_point():
        raise TypeError(
            f"{name} is {value.dtype}, which has no gradient (and unsigned integers wrap below zero); "
            f"pass {name}.float(), scaled as the model wants it"
        )
    if not all_finite(value):
        raise ValueError(f"{name} holds NaN or infinity; clean it first, for instance with torch.nan_to_num")
    return value


def _check_baseline(x: Tensor, baseline: Tensor | float | None) -> Tensor:
    if baseline is None:
        baseline = 0.0
    if isinstance(baseline, int | float) and not isinstance(baseline, bool):
        baseline = torch.tensor(float(baseline), dtype=x.dtype, device=x.device)
    baseline = _check_floating("baseline", baseline).detach()
    if baseline.device != x.device:
        raise ValueError(f"baseline is on {baseline.device}, x on {x.device}; pass baseline.to(x.device)")
    try:
        return baseline.to(x.dtype).expand(x.shape)
    except RuntimeError:
        raise ValueError(
            f"baseline has shape {tuple(baseline.shape)}, which does not broadcast to x's {tuple(x.shape)}; "
            "pass one of x's shape, or of one example's"
        ) from None


def _check_target(x: Tensor, target: int | Tensor | None) -> Tensor | None:
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


def _check_modes(f: Function) -> None:
    """A layer that behaves otherwise in training must not be in train mode."""
    if not isinstance(f, nn.Module):
        return
    for name, layer in f.named_modules():
        if layer.training and _depends_on_mode(layer):
            raise ValueError(
                f"f is in train mode, and its layer {name or 'itself'!r} ({type(layer).__name__}) answers "
                "differently there; call .eval() on the model first"
            )


def _depends_on_mode(layer: nn.Module) -> bool:
    if isinstance(layer, nn.modules.dropout._DropoutNd):
        return layer.p > 0
    if isinstance(layer, nn.RNNBase | nn.MultiheadAttention):
        return layer.dropout > 0
    if isinstance(layer, nn.modules.instancenorm._InstanceNorm):
        return layer.track_running_stats
    return isinstance(layer, nn.modules.batchnorm._BatchNorm | nn.RReLU)


def _check_rows_are_independent(f: Function, x: Tensor, baseline: Tensor, target: Tensor | None) -> None:
    """F of a row must be the same alone and in company, up to rounding; costs three rows of forward pass."""
    first = None if target is None else target[:1]
    company = None if target is None else target[:1].repeat(2)
    with torch.no_grad():
        alone = scores(f, x[:1], first)
        together = scores(f, torch.cat([baseline[:1], x[:1]]), company)
    slack = min(0.1, 1000 * torch.finfo(alone.dtype).eps)
    difference = (alone[0] - together[1]).abs()
    if difference <= slack * torch.stack([alone.abs().max(), together.abs().max()]).max():
        return
    _, gradient = gradients_at(f, x[:1], first)  # where large terms cancel in F, their rounding is large beside F
    if difference > slack * (gradient * x[:1]).abs().sum():
        raise ValueError(
            f"f gives {alone[0].item():.6g} for a row alone and {together[1].item():.6g} beside another row; "
            "its rows must not depend on one another, nor on chance"
        )
