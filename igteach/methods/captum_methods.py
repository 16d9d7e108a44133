"""Captum's methods behind the method signature, as peers to compare with. Needs Captum: pip install captum.

Captum sees layers, not code: a ReLU counts where it is an nn.ReLU used once, while a relu or softmax called inside a
forward goes unseen (and the residual tells). NotImplementedError: the method has no rule for f; else arguments and
errors as of igteach.gradient_times_input. A seed decides what is drawn; the caller's random state stays as it was.
"""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm, conv, dropout, pooling

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.validation import check_arguments, default_batch_size

LINEAR = (nn.Linear, conv._ConvNd, batchnorm._BatchNorm, dropout._DropoutNd, nn.Flatten, nn.Identity)
POOLING = (pooling._AvgPoolNd, pooling._AdaptiveAvgPoolNd, pooling._MaxPoolNd)
RESCALED = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softmax)
WITHOUT_BASELINE = ("LRP", "GuidedBackprop", "Deconvolution")  # these and DeepLift go by layers


def deep_lift(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """DeepLIFT, rescale rule: differences from the baseline, passed back layer by layer. Shrikumar et al. (2017)."""
    for layer in f.modules() if isinstance(f, nn.Module) else ():
        if not list(layer.children()) and not isinstance(layer, LINEAR + POOLING + RESCALED):
            raise NotImplementedError(f"DeepLIFT has no rule for {type(layer).__name__}")
    return _ask("DeepLift", f, x, baseline, target)


def lrp(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """Layer-wise relevance propagation by Captum's default rules; the baseline is not used. Bach et al. (2015)."""
    try:
        return _ask("LRP", f, x, baseline, target)
    except TypeError as error:
        if "no rule defined" not in str(error):
            raise
        layer = str(error).partition("<class '")[2].partition("'")[0].rpartition(".")[2]
        raise NotImplementedError(f"LRP has no rule for {layer}") from None


def guided_backprop(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient, where each ReLU also stops what is negative on the way back. Springenberg et al. (2014)."""
    return _ask("GuidedBackprop", f, x, baseline, target)


def deconvolution(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient, where each ReLU stops only what is negative on the way back. Zeiler and Fergus (2014)."""
    return _ask("Deconvolution", f, x, baseline, target)


def occlusion(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """How far F falls when one feature alone is set to the baseline; no gradient. Zeiler and Fergus (2014)."""
    return _ask("Occlusion", f, x, baseline, target, gradients=0, sliding_window_shapes=(1,) * (x.dim() - 1))


def shapley_sampling(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, samples: int = 25, seed: int = 0
) -> Attribution:
    """Shapley values from `samples` random orders of the features; no gradient. Castro et al. (2009).

    Of up to 15 features `igteach.shapley_values` are exact.
    """
    return _ask("ShapleyValueSampling", f, x, baseline, target, gradients=0, seed=seed, n_samples=samples)


def gradient_shap(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, samples: int = 64, seed: int = 0
) -> Attribution:
    """IG at `samples` random nodes on each example's path; one baseline, no noise. Lundberg and Lee (2017)."""
    x, baseline, target = check_arguments(f, x, baseline, target)
    targets = [None] * len(x) if target is None else target[:, None]
    examples = zip(x[:, None], baseline[:, None], targets, strict=True)  # singly: Captum shuffles baselines in a batch
    values = torch.cat([_ask("GradientShap", f, *one, seed=seed, n_samples=samples).values for one in examples])
    batch_size = default_batch_size(x, None)
    return Attribution(
        values, forward_batched(f, x, target, batch_size), forward_batched(f, baseline, target, batch_size), samples
    )


def _ask(name: str, f: Function, *where: Any, gradients: int = 1, seed: int = 0, **options: Any) -> Attribution:
    """What Captum's method `name` gives; where: x, baseline and target."""
    try:
        import captum.attr
    except ImportError:
        raise ImportError("igteach.methods.captum_methods needs Captum: pip install captum") from None
    model = nn.Sequential(f) if isinstance(f, nn.Module) else f  # Captum's LRP looks at what is inside
    if name in ("DeepLift", *WITHOUT_BASELINE) and model is f:
        raise NotImplementedError(f"{name} goes through the layers of an nn.Module, and f is a function")
    x, start, target = check_arguments(f, *where)
    batch_size, at_baseline = default_batch_size(x, None), None
    if name not in WITHOUT_BASELINE:
        options["baselines"], at_baseline = start, forward_batched(f, start, target, batch_size)
    with torch.no_grad():  # of scores (N, 1), Captum must be told to take the one column
        column = 0 if target is None and f(x[:1].clone()).dim() == 2 else target
    numpy_state = np.random.get_state()
    with torch.random.fork_rng([x.device] if x.is_cuda else []), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that hooks are set, and removed again
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            values = getattr(captum.attr, name)(model).attribute(x, target=column, **options).detach()
        finally:
            np.random.set_state(numpy_state)
    return Attribution(values, forward_batched(f, x, target, batch_size), at_baseline, evaluations=gradients)
