"""From a model to F, one number a row; and the guards against inputs that give wrong answers quietly."""

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, nn

from igteach.attribution import all_finite
from igteach.devices import full_precision
from igteach.models.modes import check_modes
from igteach.speed.freezing import frozen
from igteach.speed.memory import in_pieces

Function = Callable[[Tensor], Tensor]  # (N, *features) -> (N,) or (N, classes), row by row
Baseline = Tensor | float | None
Target = int | Tensor | None
_INDEPENDENT = WeakSet[Any]()  # networks seen to treat each row by itself


class Logit(nn.Module):
    """F as the model's logits. `model` maps (N, *features) to (N, classes), (N,) or an object with `.logits`."""

    def __init__(self, model: Function):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        out = self.model(x)
        return getattr(out, "logits", out)  # transformers' models wrap their logits


class Probability(Logit):
    """F as the class probabilities of a model that gives logits: softmax, or sigmoid where it has one output."""

    def forward(self, x: Tensor) -> Tensor:
        logits = super().forward(x)
        return logits.softmax(dim=1) if logits.dim() == 2 and logits.shape[1] > 1 else logits.sigmoid()


logit, probability = Logit, Probability


def scores(f: Function, points: Tensor, target: Tensor | None) -> Tensor:
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


def gradients_at(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    """F and its gradient at each row of `points`: shapes (N,) and that of `points`; in pieces where memory ends.

    Raises ValueError where F does not depend on the points, or the gradient is not finite.
    """
    done = in_pieces(_gradients_at, f, points, target)
    return done[0] if len(done) == 1 else (torch.cat([part[0] for part in done]), torch.cat([part[1] for part in done]))


def _gradients_at(f: Function, points: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(False), torch.enable_grad(), frozen(f), full_precision():
        points = points.clone() if points.is_inference() else points.detach()  # autograd takes none from inference mode
        points.requires_grad_()
        value = scores(f, points, None if target is None else target.clone())
        gradient = torch.autograd.grad(value.sum(), points, allow_unused=True)[0] if value.requires_grad else None
    if gradient is None:
        raise ValueError("f's output does not depend on x for autograd; look for no_grad, .detach(), .item() or numpy")
    if not all_finite(gradient):
        raise ValueError("the gradient of f holds NaN or infinity; look for a sqrt, log or division at zero")
    return value.detach(), gradient


def check_arguments(f: Function, x: Tensor, baseline: Baseline, target: Target) -> tuple[Tensor, Tensor, Tensor | None]:
    """x (batch, *features), the baseline broadcast to it, and the target (batch,) or None.

    Raises TypeError or ValueError that names the argument, what came and what is wanted.
    """
    if not callable(f):
        raise TypeError(f"f is {type(f).__name__}; pass a model or a function of a batch")
    check_modes(f)
    x = _check_floating("x", x).detach()
    if x.dim() < 2 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (batch, *features): for one example pass x[None]")
    baseline, target = _check_baseline(x, baseline), _check_target(x, target)
    _check_rows_are_independent(f, x, baseline, target)
    return x, baseline, target


def _check_floating(name: str, value: Tensor | float) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is {type(value).__name__}; pass a tensor: torch.as_tensor({name})")
    if not value.is_floating_point():
        raise TypeError(f"{name} is {value.dtype}, which has no gradient; pass {name}.float(), in the model's units")
    if not all_finite(value):
        raise ValueError(f"{name} holds NaN or infinity; clean it first, for instance with torch.nan_to_num")
    return value


def _check_baseline(x: Tensor, baseline: Baseline) -> Tensor:
    baseline = 0.0 if baseline is None else baseline
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
        alone = scores(f, x[:1], first)
        together = scores(f, torch.cat([baseline[:1], x[:1]]), None if first is None else first.repeat(2))
    slack = min(0.1, 1000 * torch.finfo(alone.dtype).eps)
    difference = (alone[0] - together[1]).abs()
    if difference > slack * torch.cat([alone, together]).abs().max():
        _, gradient = gradients_at(f, x[:1], first)  # where large terms cancel in F, their rounding is large beside F
        if difference > slack * (gradient * x[:1]).abs().sum():
            raise ValueError(
                f"f gives {alone.item():.6g} for a row alone and {together[1].item():.6g} beside another row; "
                "its rows must not depend on one another, nor on chance"
            )
    if isinstance(network, nn.Module):
        _INDEPENDENT.add(network)
