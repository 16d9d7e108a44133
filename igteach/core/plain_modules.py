"""Whether a module computes what its class says and nothing else, and copies of modules, whatever they hold."""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm, remove_spectral_norm
from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm
from torch.utils._pytree import tree_leaves

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_HOOKING = threading.Lock()  # a module whose hooks change cannot be copied
PARAMETRISING = (WeightNorm, SpectralNorm, prune.BasePruningMethod)  # hooks that make a weight, before each forward


class ThreadHook:
    """A hook for the passes of one thread: those of others do not see it.

    Args:
        act: What to do with what the hook gets beside the module.
    """

    def __init__(self, act: Callable[..., Any]):
        self.act, self.owner = act, threading.get_ident()

    def __call__(self, module: nn.Module, *received: Any) -> Any:
        return self.act(*received) if self.is_mine() else None

    def is_mine(self) -> bool:
        """Whether the hook is for the thread that asks."""
        return self.owner == threading.get_ident()


@contextmanager
def hooked(register: Callable[..., Any], act: Callable[..., Any], **options: bool) -> Iterator[None]:
    """Within this context a module has a hook for the passes of this thread.

    Args:
        register: Such as `module.register_forward_hook`.
        act: As for `ThreadHook`.
        **options: Those of `register`.
    """
    with _HOOKING:
        handle = register(ThreadHook(act), **options)
    try:
        yield
    finally:
        with _HOOKING:
            handle.remove()


def is_plain(module: nn.Module) -> bool:
    """Whether the class of a module tells what it computes: no hooks, not even global ones, and no forward of its own.

    A subclass, also one that torch makes for a parametrisation, is another class.
    """
    return oddity(module) is None and not _hooks_of(module)


def what_hides_layers(module: nn.Module) -> str | None:
    """What hides the layers of a module from hooks and from those who look for them, in words."""
    if isinstance(module, torch.jit.ScriptModule):
        return "is scripted (torch.jit), which hides its layers; pass the module that it was made from"
    if "_orig_mod" in module._modules:
        return "is compiled (torch.compile), which hides its layers; pass the module that it was made from"
    return None


def oddity(module: nn.Module) -> str | None:
    """What makes a module compute something else than its class says, in words; a hook that makes a weight does not."""
    hidden = what_hides_layers(module)
    if hidden:
        return hidden
    if "forward" in vars(module):
        return "has a forward of its own, set on the instance; set it on the class, or use integrated_gradients"
    only_parametrising = all(isinstance(hook, PARAMETRISING) for hook in _hooks_of(module))
    if torch_module._has_any_global_hook() or not only_parametrising:
        return "has hooks, which may change what it computes; remove them, or use integrated_gradients"
    return None


def _hooks_of(module: nn.Module) -> list[Any]:
    """The hooks that this thread sees."""
    hooks = [hook for kind in HOOKS for hook in list(getattr(module, kind).values())]
    return [hook for hook in hooks if not isinstance(hook, ThreadHook) or hook.is_mine()]


def copied(model: nn.Module, *, parameters: bool = True) -> nn.Module:
    """A copy of a model that autograd can use, also where it keeps results of autograd, as old weight norm does.

    Args:
        model: The model, made in inference mode or not.
        parameters: Whether parameters and buffers are copied, too; otherwise the copy shares them.

    Returns:
        The copy, in the same mode (train or eval), with the same hooks.
    """
    with torch.inference_mode(False), _HOOKING:
        held = [leaf for module in model.modules() for leaf in tree_leaves(list(vars(module).values()))]
        results = [leaf for leaf in held if isinstance(leaf, Tensor) and not leaf.is_leaf]
        memo: dict[int, Any] = {id(result): result.detach().clone() for result in results}
        if not parameters:
            memo |= {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
        return copy.deepcopy(model, memo)


def with_plain_weights(model: nn.Module) -> nn.Module:
    """A copy of a model in which weights that are made of others, as by weight norm or pruning, are parameters.

    Args:
        model: The model.

    Returns:
        The copy, which computes what the model does.
    """
    copy_of_model = copied(model)
    for module in list(copy_of_model.modules()):
        if parametrize.is_parametrized(module):
            _remove_parametrizations(module)
        for hook in list(module._forward_pre_hooks.values()):
            if isinstance(hook, WeightNorm):
                remove_weight_norm(module, hook.name)
            elif isinstance(hook, SpectralNorm):
                remove_spectral_norm(module, hook.name)
            elif isinstance(hook, prune.BasePruningMethod):
                prune.remove(module, hook._tensor_name)
    return copy_of_model


def _remove_parametrizations(module: nn.Module) -> None:
    """As parametrize.remove_parametrizations, which would change the class, and so the model that this is a copy of."""
    weights = {name: getattr(module, name).detach().clone() for name in module.parametrizations}  # type: ignore[union-attr]
    del module.parametrizations
    module.__class__ = type(module).__bases__[0]
    for name, weight in weights.items():
        module.register_parameter(name, nn.Parameter(weight))
