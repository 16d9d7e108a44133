"""A network as a chain of affine and piecewise-linear layers, and the inputs whose order decides where they kink."""

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from igteach.core.affine_prefix import AFFINE, layers_in_order
from igteach.core.functions import Function, Logit, Probability
from igteach.core.plain_modules import oddity, with_plain_weights

if TYPE_CHECKING:
    from torch import fx

_TRACING = threading.Lock()  # tracing changes how every module is called
PIECEWISE_LINEAR = (nn.ReLU, nn.LeakyReLU, nn.MaxPool2d)
AS_LAYER: dict[Any, type[nn.Module]] = {  # functions and methods in a forward: the layer of the same arguments
    F.relu: nn.ReLU,
    torch.relu: nn.ReLU,
    "relu": nn.ReLU,
    F.leaky_relu: nn.LeakyReLU,
    torch.flatten: nn.Flatten,
    "flatten": nn.Flatten,
    F.max_pool2d: nn.MaxPool2d,
    F.avg_pool2d: nn.AvgPool2d,
    F.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
}


def network_behind(model: Function) -> nn.Module:
    """A copy of the network behind logit().

    Args:
        model: an nn.Module, or logit() of one.

    Returns:
        The copy, which the caller may change.

    Raises:
        TypeError: if the model is a probability, and so not piecewise linear, or not an nn.Module; if a module of it is
            scripted or compiled, or has hooks or a forward of its own.

    Example:
        >>> import igteach
        >>> from torch import nn
        >>> network_behind(igteach.logit(nn.Linear(2, 1)))
        Linear(in_features=2, out_features=1, bias=True)
    """
    while type(model) is Logit:
        _check_plain(model)
        model = model.model
    if isinstance(model, Probability):
        raise TypeError("model is a probability, which is not piecewise linear; pass the model itself or logit(model)")
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {type(model).__name__}; exact IG follows the layers of an nn.Module")
    for module in model.modules():
        _check_plain(module)
    return with_plain_weights(model)


def _check_plain(module: nn.Module) -> None:
    """Raises TypeError if a module computes something else than its class says."""
    found = oddity(module)
    if found:
        raise TypeError(f"model cannot be followed, because {type(module).__name__} in it {found}")


def layer_chain(network: nn.Module) -> list[nn.Module]:
    """The layers that a network applies one after the other.

    Args:
        network: of the layers in AFFINE and PIECEWISE_LINEAR, and the functions in AS_LAYER.

    Returns:
        The layers, in order; functions as the layers of the same arguments.

    Raises:
        TypeError: if the network is not such a chain; the message names what does not belong.

    Example:
        >>> from torch import nn
        >>> layer_chain(nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Linear(3, 1)))
        [Linear(in_features=2, out_features=3, bias=True), ReLU(), Linear(in_features=3, out_features=1, bias=True)]
    """
    layers = list(layers_in_order(network))
    if all(_belongs(layer) for layer in layers):
        return layers
    root = nn.Sequential(network)  # so that a network of one layer is a layer of something, too
    try:
        with _TRACING:
            graph = _traced(root)
    except Exception as error:  # whatever the model's own forward does with a stand-in for its input
        raise TypeError(f"model {type(network).__name__} cannot be followed: {error}; make it a chain") from error
    nodes = list(graph.nodes)[:-1]  # the last one is the output
    return [_layer_of(root, node, previous) for previous, node in pairwise(nodes)]


def _belongs(layer: nn.Module) -> bool:
    """Whether a layer is of a kind in AFFINE or PIECEWISE_LINEAR, and has a row for each row that it gets."""
    kind = next((kind for kind in AFFINE + PIECEWISE_LINEAR if isinstance(layer, kind)), None)
    mixes_rows = isinstance(layer, nn.Flatten) and layer.start_dim == 0
    return kind is not None and type(layer).forward is kind.forward and not mixes_rows


def _traced(root: nn.Module) -> "fx.Graph":
    """What a network calls; the modules that other threads call meanwhile are called as ever."""
    from torch import fx  # here, because it is slow to import

    owner = threading.get_ident()

    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return _belongs(m) or super().is_leaf_module(m, module_qualified_name)

        def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
            if threading.get_ident() != owner:
                return forward(*args, **kwargs)
            return super().call_module(m, forward, args, kwargs)

    return Tracer().trace(root)


def _layer_of(root: nn.Sequential, node: "fx.Node", previous: "fx.Node") -> nn.Module:
    """The layer that a node of the traced network applies; TypeError if it does not belong in a chain."""
    name = getattr(node.target, "__name__", str(node.target))
    layer: nn.Module | None = None
    if node.op == "get_attr":
        description = f"{name.removeprefix('0.')!r} outside of a layer of a known kind"
    elif node.all_input_nodes != [previous]:
        description = f"{name} of several tensors (as in a residual connection)"
    elif node.op == "call_module":
        layer = root.get_submodule(name)
        description = f"{type(layer).__name__}, its layer {name.removeprefix('0.')!r}"
    else:
        description = name
        if node.target in AS_LAYER:
            layer = AS_LAYER[node.target](*node.args[1:], **node.kwargs)
    if layer is None or not _belongs(layer):
        known = ", ".join(kind.__name__ for kind in AFFINE + PIECEWISE_LINEAR)
        raise TypeError(f"model uses {description}; exact IG needs one chain of {known}; or use integrated_gradients")
    return layer


def competing_inputs(layer: nn.Module, values: Tensor) -> Tensor:
    """The inputs of each unit of a piecewise-linear layer, which kinks where another one becomes the largest.

    Args:
        layer: of the kinds in PIECEWISE_LINEAR.
        values: (breakpoints, *features), the inputs of the layer.

    Returns:
        (breakpoints, units, elements): the elements of a pooling window; for a ReLU its input, and 0.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> competing_inputs(nn.ReLU(), torch.tensor([[-1.0, 2.0]])).tolist()
        [[[-1.0, 0.0], [2.0, 0.0]]]
    """
    if not isinstance(layer, nn.MaxPool2d):
        return torch.stack([values, torch.zeros_like(values)], dim=-1).flatten(1, -2)
    height, width = values.shape[-2:]
    windows = _windows(layer, torch.arange(1, height * width + 1, device="cpu").to(values).view(1, 1, height, width))
    return values.flatten(-2)[..., windows].flatten(1, -2)


def _windows(layer: nn.MaxPool2d, places: Tensor) -> Tensor:
    """The indices of the places in each pooling window, (windows, elements); places are numbered from 1."""
    if layer.ceil_mode:  # windows may reach over the far edges; one of nothing but padding does no harm
        down, right = _pair(layer.stride)
        places = F.pad(places, (0, right - 1, 0, down - 1))
    windows = F.unfold(places, layer.kernel_size, layer.dilation, layer.padding, layer.stride)[0].T.long()
    is_padding = windows == 0
    any_place = windows.amax(1, keepdim=True)
    return windows.where(~is_padding, any_place) - 1  # padding repeats a place of its window
