"""A network as a chain of affine and kinked layers, and where a kinked layer changes its mind."""

import copy
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from igteach.core.affine_prefix import AFFINE
from igteach.core.functions import Function, Logit, Probability

PIECEWISE_LINEAR = (nn.ReLU, nn.LeakyReLU, nn.MaxPool2d)
AS_LAYER: dict[Any, type[nn.Module]] = {  # functions and methods in a forward: the layer of the same arguments
    **{F.relu: nn.ReLU, torch.relu: nn.ReLU, "relu": nn.ReLU, torch.flatten: nn.Flatten, "flatten": nn.Flatten},
    **{F.leaky_relu: nn.LeakyReLU, F.max_pool2d: nn.MaxPool2d},
    **{F.avg_pool2d: nn.AvgPool2d, F.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d},
}


def network_behind(model: Function) -> nn.Module:
    """A copy of the network behind logit(); TypeError where it is not piecewise linear or no nn.Module."""
    while type(model) is Logit:
        model = model.model
    if isinstance(model, Probability):
        raise TypeError("model is a probability, which is not piecewise linear; pass the model itself or logit(model)")
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {type(model).__name__}; exact IG follows the layers of an nn.Module")
    return copy.deepcopy(model)


def chain(network: nn.Module) -> list[nn.Module]:
    """The layers that `network` applies one after the other; a TypeError where it is no such chain."""
    from torch import fx  # here, because it is slow to import

    root, layers = nn.Sequential(network), list[nn.Module]()
    try:
        *nodes, _ = fx.Tracer().trace(root).nodes  # from the input on, without the output
    except Exception as error:  # whatever the model's own forward does with a stand-in for its input
        raise TypeError(f"model {type(network).__name__} cannot be followed: {error}; make it a chain") from error
    for before, node in pairwise(nodes):
        what, layer = getattr(node.target, "__name__", str(node.target)), None
        if node.all_input_nodes != [before]:
            what += " of several tensors (as in a residual connection)"
        elif node.op == "call_module":
            layer = root.get_submodule(what)
            what = f"{type(layer).__name__}, its layer {what.removeprefix('0.')!r}"
        elif node.target in AS_LAYER:
            layer = AS_LAYER[node.target](*node.args[1:], **node.kwargs)
        if not isinstance(layer, AFFINE + PIECEWISE_LINEAR):
            known = ", ".join(kind.__name__ for kind in AFFINE + PIECEWISE_LINEAR)
            raise TypeError(f"model uses {what}; exact IG needs one chain of {known}; or use integrated_gradients")
        layers.append(layer)
    return layers


def competing_inputs(layer: nn.Module, values: Tensor) -> Tensor:
    """The elements of which a kinked layer looks for the largest: (breakpoints, units, elements)."""
    if not isinstance(layer, nn.MaxPool2d):
        return torch.stack([values, torch.zeros_like(values)], dim=-1).flatten(1, -2)
    height, width = values.shape[-2:]
    places = torch.arange(1, height * width + 1).to(values).view(1, 1, height, width)  # padding is 0
    if layer.ceil_mode:  # windows may reach over the far edges; one of nothing but padding does no harm
        down, right = _pair(layer.stride)
        places = F.pad(places, (0, right - 1, 0, down - 1))
    windows = F.unfold(places, layer.kernel_size, layer.dilation, layer.padding, layer.stride)[0].T.long()
    windows = windows.where(windows > 0, windows.amax(1, keepdim=True)) - 1  # padding repeats a place of its window
    return values.flatten(-2)[..., windows].flatten(1, -2)
