"""Does a map depend on what the model has learnt? Its parameters are drawn again at random, layer by layer."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from igteach.core.attribution import Attribution
from igteach.core.functions import Target
from igteach.core.inputs import Inputs, as_one_input
from igteach.core.plain_modules import copied, with_plain_weights
from igteach.core.seeding import seeded

TRAINED = "as trained"
SEEDS_APART = 1000  # so that no layer of one seed draws what a layer of another does
POWER_ITERATIONS = 100  # after which a spectral norm is known well


def cascading_randomisation(f: nn.Module, seed: int = 0, *, x: Inputs = None) -> Iterator[tuple[str, nn.Module]]:
    """Copies of a model: as trained, then with its last layer re-initialised, then the last two, down to the input.

    Which layer comes last is seen from one run on x, by the order in which the layers start. Without x it is the
    reverse of their creation, which is another order where a model creates its layers in another order than it calls
    them: Hugging Face's vision transformers create the norm before the attention after it. A module's own parameters,
    such as the class token and the position embedding of a transformer, count as before those of the modules in it.
    A layer that is called twice counts where it is called first.

    A layer is drawn again by its own `reset_parameters`, as torch's have, under weight norm, spectral norm,
    parametrisations and pruning, too (the mask stays). Parameters of a module that has none are drawn from a normal
    distribution with the mean and the standard deviation that they had. The model and the caller's random state are
    not changed.

    Args:
        f: a model, or probability(model).
        seed: decides what is drawn, on the CPU: the same on every device.
        x: (batch, *features), or a tuple or dict of inputs, of which f is run on the first example to see the order of
            its layers; or None.

    Yields:
        The name of the layer that was re-initialised last, "as trained" at first, and the copy.

    Raises:
        TypeError: if f is not a module, or a scripted one.
        ValueError: if f has no parameters, or a layer that cannot be re-initialised, or does not run on x.

    Example:
        >>> from torch import nn
        >>> f = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> [name for name, _ in cascading_randomisation(f)]
        ['as trained', '2', '0']

    Source:
        Adebayo et al. (2018), https://arxiv.org/abs/1810.03292.
    """
    names = _checked_layers(f)
    if x is not None:
        names = _in_running_order(f, names, x)
    changed = copied(f)
    yield TRAINED, copied(changed)
    for number, name in enumerate(reversed(names)):
        _initialise(changed.get_submodule(name), SEEDS_APART * seed + number)
        yield name, copied(changed)


def randomised(f: nn.Module, seed: int = 0) -> nn.Module:
    """A copy of a model whose layers are all drawn again, as `cascading_randomisation` draws them.

    Args:
        f: as for it.
        seed: as for it.

    Returns:
        The copy, in f's mode.

    Raises:
        TypeError: as for it.
        ValueError: as for it.

    Example:
        >>> from torch import nn
        >>> f = nn.Linear(2, 3)
        >>> bool((randomised(f).weight == f.weight).any())
        False
    """
    names = _checked_layers(f)
    changed = copied(f)
    for number, name in enumerate(reversed(names)):
        _initialise(changed.get_submodule(name), SEEDS_APART * seed + number)
    return changed


def _checked_layers(f: Any) -> list[str]:
    """The names of the layers that have parameters; an error where they cannot be drawn again."""
    if not isinstance(f, nn.Module):
        raise TypeError(f"f is {type(f).__name__}; pass an nn.Module, whose parameters can be re-initialised")
    if any(isinstance(module, torch.jit.ScriptModule) for module in f.modules()):
        raise TypeError("f is a ScriptModule, whose layers cannot be re-initialised; pass the module it was made from")
    names = [name for name, layer in f.named_modules() if _is_layer(name, layer)]
    if not names:
        raise ValueError("f has no parameters, so there is nothing to re-initialise; pass a model that was trained")
    fixed = [name or type(f).__name__ for name in names if not _can_be_drawn(f.get_submodule(name))]
    if fixed:
        raise ValueError(f"f has {fixed}, which cannot be re-initialised; give them reset_parameters()")
    return names


def _is_layer(name: str, module: nn.Module) -> bool:
    """Whether it has parameters of its own; those of a parametrisation belong to the module above it."""
    if "parametrizations" in name.split("."):
        return False
    return parametrize.is_parametrized(module) or bool(list(module.parameters(recurse=False)))


def _can_be_drawn(layer: nn.Module) -> bool:
    """Whether there is a way to draw its parameters; a single number has no standard deviation."""
    return _reset_of(layer) is not None or all(weight.numel() > 1 for weight in layer.parameters(recurse=False))


def _reset_of(layer: nn.Module) -> Callable[[], None] | None:
    """What draws a layer's parameters; attention calls it _reset_parameters."""
    return getattr(layer, "reset_parameters", None) or getattr(layer, "_reset_parameters", None)


def _in_running_order(f: nn.Module, names: list[str], x: Inputs) -> list[str]:
    """The names in the order in which the layers start. One that is not called itself stands behind its neighbours."""
    probe, started = copied(f).eval(), dict[str, int]()

    def note(name: str) -> None:
        started.setdefault(name, len(started))

    for name, module in probe.named_modules():
        module.register_forward_pre_hook(lambda _module, _inputs, name=name: note(name))
    try:
        with torch.inference_mode(False), torch.enable_grad():  # without gradients torch's transformer calls no layer
            of_one, rows, _, _ = as_one_input(probe, x, None)
            of_one(rows[:1].clone())
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            "f does not run on x, so the order of its layers stays unknown; leave x out of cascading_randomisation for "
            f"the order of their creation. It said: {error}"
        ) from error
    places = dict[str, int]()
    for name in names:
        if name in started:
            places[name] = started[name]
            continue
        above = name.rpartition(".")[0]
        while above not in started:
            above = above.rpartition(".")[0]
        inside = f"{above}." if above else ""
        beside = [place for other, place in places.items() if other.startswith(inside)]
        places[name] = max([started[above], *beside])
    return sorted(names, key=places.__getitem__)


def _initialise(layer: nn.Module, seed: int) -> None:
    """Draw a layer's own parameters again, on the CPU, and leave the global random state as it was."""
    with seeded(seed, torch.device("cpu")), torch.inference_mode(False), torch.no_grad():
        if _reset_of(layer) is None:
            for weight in layer.parameters(recurse=False):
                trained = weight.cpu().double()
                weight.copy_(torch.randn_like(trained) * trained.std() + trained.mean())
            return
        plain = with_plain_weights(layer).cpu()
        reset = _reset_of(plain)
        assert reset is not None
        reset()
        for name, weight in plain.named_parameters(recurse=False):
            _assign(layer, name, weight)
        for name, buffer in plain.named_buffers(recurse=False):
            layer.get_buffer(name).copy_(buffer)
        _settle(layer)


def _assign(layer: nn.Module, name: str, weight: Tensor) -> None:
    """Give a layer a weight, through whatever computes it there."""
    own = dict(layer.named_parameters(recurse=False))
    if parametrize.is_parametrized(layer, name):
        setattr(layer, name, weight.detach().to(getattr(layer, name)))
    elif f"{name}_g" in own:
        hooks = [hook for hook in layer._forward_pre_hooks.values() if isinstance(hook, WeightNorm)]
        (dim,) = [hook.dim for hook in hooks if hook.name == name]
        own[f"{name}_v"].copy_(weight)
        own[f"{name}_g"].copy_(torch.norm_except_dim(weight, 2, dim))
    elif f"{name}_orig" in own:
        own[f"{name}_orig"].copy_(weight)
    else:
        own[name].copy_(weight)


def _settle(layer: nn.Module) -> None:
    """Let computed weights follow: spectral norms need some iterations, and hooks write the weight before a call."""
    if parametrize.is_parametrized(layer):
        for name, computed in layer.parametrizations.items():  # type: ignore[union-attr, operator]
            was_training = computed.training
            computed.train()
            for _ in range(POWER_ITERATIONS):
                getattr(layer, name)
            computed.train(was_training)
    for hook in layer._forward_pre_hooks.values():
        if isinstance(hook, SpectralNorm):
            for _ in range(POWER_ITERATIONS):
                hook.compute_weight(layer, do_power_iteration=True)
        if isinstance(hook, WeightNorm | SpectralNorm | prune.BasePruningMethod):
            hook(layer, None)


def randomised_maps(
    f: nn.Module,
    method: Callable[..., Attribution],
    x: Inputs,
    baseline: Inputs = None,
    target: Target = None,
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """The maps of a method while the model is re-initialised layer by layer, for `agreement` to compare.

    Args:
        f: a model, or probability(model), as for `cascading_randomisation`.
        method: any method, as in `method(f, x, baseline, target) -> Attribution`.
        x: as the method takes it; the order of the layers is that in which they run on its first example.
        baseline: a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None; it stays the same for all copies.
        seed: decides what is drawn.

    Returns:
        The values of the method, in the form of x, by the name of the layer that was re-initialised last; "as trained"
        comes first.

    Raises:
        TypeError: as `cascading_randomisation` and the method.
        ValueError: as `cascading_randomisation` and the method.

    Example:
        >>> import igteach, torch
        >>> from torch import nn
        >>> f = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> maps = randomised_maps(f, igteach.gradient, torch.ones(1, 2))
        >>> {name: tuple(values.shape) for name, values in maps.items()}
        {'as trained': (1, 2), '2': (1, 2), '0': (1, 2)}

    Source:
        Adebayo et al. (2018), https://arxiv.org/abs/1810.03292.
    """
    maps = {}
    for name, changed in cascading_randomisation(f, seed, x=x):
        maps[name] = method(changed, x, baseline, target).values
    return maps
