"""Every public function of a network, behind one signature, and the caller's world, to compare before and after."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import igteach
from igteach import baselines, captum_methods, evaluate
from igteach.evaluate.randomisation import randomised_maps

Method = Callable[[nn.Module, nn.Module, Tensor, int], Tensor]  # of f, a layer, x and a target: the values


def answer(name: str, f: nn.Module, layer: nn.Module, x: Tensor, target: int) -> Tensor:
    """The values of a method by its name; none where it says that it has no rule for the network."""
    try:
        return METHODS[name](f, layer, x, target)
    except NotImplementedError:
        return torch.zeros(0, device="cpu")


def method(name: str, module: Any = igteach, **options: Any) -> Method:
    def call(f: nn.Module, layer: nn.Module, x: Tensor, target: int) -> Tensor:
        return getattr(module, name)(f, x, None, target, **options).values

    return call


def of_layer(name: str, **options: Any) -> Method:
    return lambda f, layer, x, target: getattr(igteach, name)(f, layer, x, None, target, **options).values


def two_baselines(x: Tensor) -> Tensor:
    return torch.stack([torch.zeros_like(x[0]), torch.ones_like(x[0]) / 2])


METHODS: dict[str, Method] = {
    "gradient": method("gradient"),
    "gradient_times_input": method("gradient_times_input"),
    "smoothgrad": method("smoothgrad", stdev=0.1, samples=3, seed=1),
    "integrated_gradients, steps": method("integrated_gradients", steps=16),
    "integrated_gradients": method("integrated_gradients"),
    "path_gradients": lambda f, layer, x, target: (
        igteach.path_gradients(f, torch.stack([torch.zeros_like(x), x**2, x]), target, steps=16).values
    ),
    "guided_integrated_gradients": method("guided_integrated_gradients", legs=4, steps=16),
    "expected_gradients": lambda f, layer, x, target: (
        igteach.expected_gradients(f, x, two_baselines(x), target, samples=8).values
    ),
    "average_integrated_gradients": lambda f, layer, x, target: (
        igteach.average_integrated_gradients(f, x, two_baselines(x), target, steps=8).values
    ),
    "shapley_values": method("shapley_values"),
    "exact_integrated_gradients": method("exact_integrated_gradients"),
    "neuron_conductance": of_layer("neuron_conductance", steps=8),
    "layer_integrated_gradients": of_layer("layer_integrated_gradients", steps=8),
    "layer_integrated_gradients, input": of_layer("layer_integrated_gradients", at="input", steps=8),
    "deep_lift": method("deep_lift", captum_methods),
    "lrp": method("lrp", captum_methods),
    "guided_backprop": method("guided_backprop", captum_methods),
    "deconvolution": method("deconvolution", captum_methods),
    "occlusion": method("occlusion", captum_methods),
    "shapley_sampling": method("shapley_sampling", captum_methods, samples=2),
    "gradient_shap": method("gradient_shap", captum_methods, samples=4),
    "opinion": lambda f, layer, x, target: baselines.opinion(igteach.probability(f), x),
    "neutral": lambda f, layer, x, target: baselines.neutral(igteach.probability(f), x, gap=0.2),
    "adversarial": lambda f, layer, x, target: baselines.adversarial(igteach.probability(f), x, target, near_zero=0.9),
    "deletion": lambda f, layer, x, target: evaluate.deletion(f, x, x, None, target).values,
    "insertion": lambda f, layer, x, target: evaluate.insertion(f, x, x, None, target).values,
    "random_gradients": method("random_gradients", evaluate),
    "random_numbers": method("random_numbers", evaluate),
    "randomised_maps": lambda f, layer, x, target: torch.cat(
        [*randomised_maps(f, igteach.gradient, x, None, target).values()]
    ),
}


def world(f: nn.Module) -> dict[str, Any]:
    """What a call must leave as it was, of a model and of the process."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    cudnn = torch.backends.cudnn
    return {
        "state": {name: tensor.clone() for name, tensor in f.state_dict().items()},
        "parameters": [
            (id(each), each.requires_grad, each.grad, None if each.is_inference() else each._version)
            for each in f.parameters()
        ],
        "hooks": [[list(getattr(module, kind)) for kind in hooks] for module in f.modules()],
        "modes": [module.training for module in f.modules()],
        "names": [sorted(vars(module)) for module in f.modules()],
        "random": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "torch": torch.get_rng_state(),
        "tf32": (cudnn.allow_tf32, cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision),
        "cudnn": (cudnn.enabled, cudnn.benchmark, cudnn.deterministic),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "modes of autograd": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "defaults": (torch.get_default_dtype(), torch.get_default_device()),
        "calls": (nn.Module.__call__, nn.Module.__getattr__),
        "warnings": list(warnings.filters),
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names of what is different."""
    return [name for name in before if not same(before[name], after[name])]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
