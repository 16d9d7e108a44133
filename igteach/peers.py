"""Captum's methods behind the method signature, as peers to compare with. Needs Captum: pip install captum.

Each answers as Captum does. Captum sees layers, not code: it minds a ReLU that is an nn.ReLU used once, while a relu
or softmax called inside a forward goes unseen (and the residual tells). NotImplementedError says that a method has no
rule for f; the other errors, and the arguments, are those of igteach.gradient_times_input.
"""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm, conv, dropout, pooling

from igteach.attribution import Attribution
from igteach.gradients import rows_at_once, values_at
from igteach.scores import Function, check_arguments

Baseline = Tensor | float | None
Target = int | Tensor | None

LINEAR = (nn.Linear, conv._ConvNd, batchnorm._BatchNorm, dropout._DropoutNd, nn.Flatten, nn.Identity)
POOLING = (pooling._AvgPoolNd, pooling._AdaptiveAvgPoolNd, pooling._MaxPoolNd)
RESCALED = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softmax)
BY_LAYERS = ("DeepLift", "LRP", "GuidedBackprop", "Deconvolution")
WITHOUT_BASELINE = ("LRP", "GuidedBackprop", "Deconvolution")


def deep_lift(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """DeepLIFT, rescale rule: differences from the baseline, passed back layer by layer. Shrikumar et al. (2017)."""
    for layer in f.modules() if isinstance(f, nn.Module) else ():
        if not list(layer.children()) and not isinstance(layer, LINEAR + POOLING + RESCALED):
            raise NotImplementedError(f"DeepLIFT has no rule for {type(layer).__name__}")
    return _explain("DeepLift", f, x, baseline, target, gradients=1)


def lrp(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """Layer-wise relevance propagation by Captum's default rules; the baseline is not used. Bach et al. (2015)."""
    try:
        return _explain("LRP", f, x, baseline, target, gradients=1)
    except TypeError as error:
        if "no rule defined" not in str(error):
            raise
        layer = str(error).partition("<class '")[2].partition("'")[0].rpartition(".")[2]
        raise NotImplementedError(f"LRP has no rule for {layer}") from None


def guided_backprop(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient, where each ReLU also stops what is negative on the way back. Springenberg et al. (2014)."""
    return _explain("GuidedBackprop", f, x, baseline, target, gradients=1)


def deconvolution(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient, where each ReLU stops only what is negative on the way back. Zeiler and Fergus (2014)."""
    return _explain("Deconvolution", f, x, baseline, target, gradients=1)


def occlusion(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """How far F falls when one feature alone is set to the baseline; no gradient. Zeiler and Fergus (2014)."""
    return _explain("Occlusion", f, x, baseline, target, gradients=0, sliding_window_shapes=(1,) * (x.dim() - 1))


def shapley_values(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """Shapley values over all orders of the features: exact, for up to 8 features; no gradient. Shapley (1953).

    ValueError for more features, since their orders are too many; take shapley_sampling there.
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    if x[0].numel() > 8:
        raise ValueError(f"x has {x[0].numel()} features, whose orders are too many to try all; use shapley_sampling")
    return _explain("ShapleyValues", f, x, baseline, target, gradients=0)


def shapley_sampling(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, samples: int = 25, seed: int = 0
) -> Attribution:
    """Shapley values estimated from `samples` random orders of the features; no gradient. Castro et al. (2009).

    The same seed gives the same orders, whatever f is; the caller's random state is left as it was.
    """
    return _explain("ShapleyValueSampling", f, x, baseline, target, gradients=0, seed=seed, n_samples=samples)


def gradient_shap(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, samples: int = 64, seed: int = 0
) -> Attribution:
    """IG with nodes drawn at random on the path, `samples` of them for each example. Lundberg and Lee (2017).

    One baseline, no noise. The same seed gives the same nodes; the caller's random state is left as it was.
    """
    x, baseline, target = check_arguments(f, x, baseline, target)
    answers = []
    for i in range(len(x)):  # one by one, since Captum deals out the baselines of a batch at random
        ends, chosen = (x[i : i + 1], baseline[i : i + 1]), None if target is None else target[i : i + 1]
        answers.append(_explain("GradientShap", f, *ends, chosen, gradients=samples, seed=seed, n_samples=samples))
    rows, values = rows_at_once(x, None), torch.cat([answer.values for answer in answers])
    return Attribution(values, values_at(f, x, target, rows), values_at(f, baseline, target, rows), samples)


class _OneColumn(nn.Module):
    """f, with (N, 1) as (N,): where Captum perturbs inputs, it takes the former for another shape of answer."""

    def __init__(self, f: Function):
        super().__init__()
        self.f = f

    def forward(self, x: Tensor) -> Tensor:
        out = self.f(x)
        return out[:, 0] if out.dim() == 2 and out.shape[1] == 1 else out


def _explain(
    name: str, f: Function, x: Tensor, baseline: Baseline, target: Target, gradients: int, seed: int = 0, **options: Any
) -> Attribution:
    """What Captum's method `name` gives, with its random numbers from `seed`."""
    try:
        import captum.attr
    except ImportError:
        raise ImportError("igteach.peers needs Captum: pip install captum") from None
    if name in BY_LAYERS and not isinstance(f, nn.Module):
        raise NotImplementedError(f"{name} goes through the layers of an nn.Module, and f is a function")
    x, start, target = check_arguments(f, x, baseline, target)
    if name not in WITHOUT_BASELINE:
        options["baselines"] = start
    numpy_state = np.random.get_state()
    with torch.random.fork_rng([x.device] if x.is_cuda else []), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that hooks are set, and removed again
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            values = getattr(captum.attr, name)(_OneColumn(f)).attribute(x, target=target, **options).detach()
        finally:
            np.random.set_state(numpy_state)
    rows = rows_at_once(x, None)
    at_baseline = None if name in WITHOUT_BASELINE else values_at(f, start, target, rows)
    return Attribution(values, values_at(f, x, target, rows), at_baseline, evaluations=gradients)
