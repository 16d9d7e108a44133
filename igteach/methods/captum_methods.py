"""Captum's methods behind the method signature, to compare with. Needs Captum: pip install captum.

Captum sees layers, not code: a ReLU counts if it is an nn.ReLU that is used once, while a relu or softmax called inside
a forward goes unseen (and the residual shows it). A method that has no rule for f raises NotImplementedError. A seed
decides what is drawn; the caller's random state is not changed. Threads take turns.
"""

import warnings
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import batchnorm, conv, dropout, pooling

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward_batched, frozen_parameters, recurrent_layers
from igteach.core.functions import Baseline, Function, Target
from igteach.core.plain_modules import copied, what_hides_layers
from igteach.core.seeding import seeded
from igteach.core.validation import check_arguments, default_batch_size

LINEAR = (nn.Linear, conv._ConvNd, batchnorm._BatchNorm, dropout._DropoutNd, nn.Flatten, nn.Identity)
POOLING = (pooling._AvgPoolNd, pooling._AdaptiveAvgPoolNd, pooling._MaxPoolNd)
RESCALED = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softmax)
WITHOUT_BASELINE = ("LRP", "GuidedBackprop", "Deconvolution")
LAYER_BY_LAYER = ("DeepLift", *WITHOUT_BASELINE)
WITHOUT_GRADIENT = ("Occlusion", "ShapleyValueSampling")


def deep_lift(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """DeepLIFT, rescale rule: differences from the baseline, passed back layer by layer.

    Args:
        f: a module that maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: x', a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.

    Returns:
        An Attribution in units of F.

    Raises:
        NotImplementedError: if f is not a module, or has a layer that DeepLIFT has no rule for.
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import torch
        >>> from igteach.axioms import cases
        >>> deep_lift(cases.SATURATING, torch.tensor([[2.0]])).values.tolist()  # 1 - ReLU(1 - x)
        [[1.0]]

    Source:
        Shrikumar, Greenside and Kundaje (2017), https://arxiv.org/abs/1704.02685.
    """
    for layer in f.modules() if isinstance(f, nn.Module) else ():
        is_leaf = not list(layer.children())
        if is_leaf and not isinstance(layer, LINEAR + POOLING + RESCALED):
            raise NotImplementedError(f"DeepLIFT has no rule for {type(layer).__name__}")
    return _attribute("DeepLift", f, x, baseline, target)


def lrp(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """Layer-wise relevance propagation, by Captum's default rules.

    Args:
        f: a module that maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: checked, as every method takes one, and not used.
        target: an int, (batch,), or None if f gives one number for each row.

    Returns:
        An Attribution without residual, in units of F.

    Raises:
        NotImplementedError: if f is not a module, or has a layer that LRP has no rule for.
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import torch
        >>> from igteach.axioms import cases
        >>> lrp(cases.PAPER_F, torch.tensor([[3.0, 1.0]])).values.round(decimals=2).tolist()
        [[3.0, -1.0]]

    Source:
        Bach et al. (2015), https://doi.org/10.1371/journal.pone.0130140.
    """
    try:
        return _attribute("LRP", f, x, baseline, target)
    except TypeError as error:
        message = str(error)
        if "no rule defined" not in message:
            raise
    class_path = message.partition("<class '")[2].partition("'")[0]
    raise NotImplementedError(f"LRP has no rule for {class_path.rpartition('.')[2]}")


def guided_backprop(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient, except that each ReLU stops what is negative on the way back as well.

    Args:
        f: a module that maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: checked, as every method takes one, and not used.
        target: an int, (batch,), or None if f gives one number for each row.

    Returns:
        An Attribution without residual, in units of F per unit of x.

    Raises:
        NotImplementedError: if f is not a module.
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import torch
        >>> from igteach.axioms import cases
        >>> guided_backprop(cases.PAPER_F, torch.tensor([[3.0, 1.0]])).values.tolist()
        [[1.0, 0.0]]

    Source:
        Springenberg et al. (2014), https://arxiv.org/abs/1412.6806.
    """
    return _attribute("GuidedBackprop", f, x, baseline, target)


def deconvolution(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The gradient, except that each ReLU stops only what is negative on the way back.

    Args:
        f: a module that maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: checked, as every method takes one, and not used.
        target: an int, (batch,), or None if f gives one number for each row.

    Returns:
        An Attribution without residual, in units of F per unit of x.

    Raises:
        NotImplementedError: if f is not a module.
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import torch
        >>> from igteach.axioms import cases
        >>> deconvolution(cases.PAPER_F, torch.tensor([[3.0, 1.0]])).values.tolist()
        [[1.0, 0.0]]

    Source:
        Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901.
    """
    return _attribute("Deconvolution", f, x, baseline, target)


def occlusion(f: Function, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """How far F falls when one feature alone is set to the baseline; no gradient.

    Args:
        f: maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: x', a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.

    Returns:
        An Attribution in units of F.

    Raises:
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import igteach, torch
        >>> occlusion(igteach.toy(lambda x, y: x * y + y), torch.tensor([[2.0, 3.0]])).values.tolist()
        [[6.0, 9.0]]

    Source:
        Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901.
    """
    one_feature = (1,) * (x.dim() - 1)
    return _attribute("Occlusion", f, x, baseline, target, sliding_window_shapes=one_feature)


def shapley_sampling(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, samples: int = 25, seed: int = 0
) -> Attribution:
    """Shapley values estimated from random orders of the features; no gradient.

    For up to 15 features `igteach.shapley_values` are exact.

    Args:
        f: maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: x', a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.
        samples: the number of orders.
        seed: decides which orders.

    Returns:
        An Attribution in units of F.

    Raises:
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import igteach, torch
        >>> shapley_sampling(igteach.toy(lambda x, y: 2 * x + y), torch.ones(1, 2)).values.tolist()
        [[2.0, 1.0]]

    Source:
        Castro, Gómez and Tejada (2009), https://doi.org/10.1016/j.cor.2008.04.004.
    """
    return _attribute("ShapleyValueSampling", f, x, baseline, target, seed=seed, n_samples=samples)


def gradient_shap(
    f: Function, x: Tensor, baseline: Baseline = None, target: Target = None, *, samples: int = 64, seed: int = 0
) -> Attribution:
    """IG at random nodes on the path of each example, with one baseline and no noise.

    Args:
        f: maps (N, *features) to (N,) or (N, classes).
        x: (batch, *features), floating point.
        baseline: x', a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None if f gives one number for each row.
        samples: the number of nodes.
        seed: decides which nodes.

    Returns:
        An Attribution in units of F.

    Raises:
        ImportError: if Captum is not installed.
        TypeError: if an argument is of the wrong kind, as in `igteach.gradient`.
        ValueError: if an argument has the wrong shape or value, as in `igteach.gradient`.

    Example:
        >>> import igteach, torch
        >>> gradient_shap(igteach.toy(lambda x, y: 2 * x + y), torch.ones(1, 2)).values.tolist()
        [[2.0, 1.0]]

    Source:
        Lundberg and Lee (2017), https://arxiv.org/abs/1705.07874.
    """
    x, baseline, per_row = check_arguments(f, x, baseline, target)
    values = []
    for i in range(len(x)):  # one by one, because Captum shuffles the baselines of a batch
        chosen = per_row[i : i + 1].target
        answer = _attribute("GradientShap", f, x[i : i + 1], baseline[i : i + 1], chosen, seed=seed, n_samples=samples)
        values.append(answer.values)
    batch_size = default_batch_size(x, None)
    f_input = forward_batched(f, x, per_row, batch_size)
    f_baseline = forward_batched(f, baseline, per_row, batch_size)
    return Attribution(torch.cat(values), f_input, f_baseline, samples)


def _attribute(
    name: str, f: Function, x: Tensor, baseline: Baseline, target: Target, *, seed: int = 0, **options: Any
) -> Attribution:
    """The attribution by a method of Captum.

    Args:
        name: the name of its class in captum.attr.
        f: F.
        x: (batch, *features).
        baseline: x', for a method that takes one.
        target: an int, (batch,), or None.
        seed: decides what is drawn, by PyTorch and by NumPy.
        **options: passed to the method's `attribute`.
    """
    try:
        import captum.attr
    except ImportError:
        raise ImportError("igteach.methods.captum_methods needs Captum: pip install captum") from None
    if name in LAYER_BY_LAYER and not isinstance(f, nn.Module):
        raise NotImplementedError(f"{name} goes through the layers of an nn.Module, and f is a function")
    x, start, per_row = check_arguments(f, x, baseline, target)
    batch_size = default_batch_size(x, None)
    f_baseline = None
    if name not in WITHOUT_BASELINE:
        options["baselines"] = start
        f_baseline = forward_batched(f, start, per_row, batch_size)
    options["target"] = _only_column(f, x) if per_row.target is None else per_row.target.to(x.device)
    with recurrent_layers(f), nullcontext() if name in WITHOUT_GRADIENT else frozen_parameters(f):
        values = _run_seeded(getattr(captum.attr, name)(_for_captum(f, name, x)), x, seed, options)
    f_input = forward_batched(f, x, per_row, batch_size)
    return Attribution(values, f_input, f_baseline, evaluations=0 if name in WITHOUT_GRADIENT else 1)


def _for_captum(f: Function, name: str, x: Tensor) -> Function:
    """f as a method of Captum takes it.

    One that hooks layers gets a copy of f, whose layers no other thread calls; LRP writes to the parameters, too. But a
    forward set on an instance may call layers that the copy does not have: then it is f itself. LRP looks at what is
    inside a module. Other methods may draw rows in torch's default dtype, and need them after f has had a copy.
    """
    if name not in LAYER_BY_LAYER or not isinstance(f, nn.Module):
        return lambda rows: f(rows.to(x.dtype, copy=True))
    for module in f.modules():
        hidden = what_hides_layers(module)
        if hidden:
            raise NotImplementedError(
                f"{name} goes through the layers of f, and {type(module).__name__} in it {hidden}"
            )
    if any("forward" in vars(module) for module in f.modules()):
        return nn.Sequential(f)
    return nn.Sequential(copied(f, parameters=name == "LRP"))


@torch.no_grad()
def _only_column(f: Function, x: Tensor) -> int | None:
    """0 if f gives (N, 1), of which Captum must be told to take the one column; None if f gives (N,)."""
    return 0 if f(x[:1].clone()).dim() == 2 else None


def _run_seeded(method: Any, x: Tensor, seed: int, options: dict[str, Any]) -> Tensor:
    """What a method of Captum gives with the random state seeded; afterwards the state is as it was."""
    with seeded(seed, x.device), torch.inference_mode(False), torch.enable_grad(), x.device:
        options = {name: value.clone() if isinstance(value, Tensor) else value for name, value in options.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that hooks are set, and removed again
            values: Tensor = method.attribute(x.clone(), **options)
    return values.detach().to(x.dtype)
