"""Does a map depend on what the model has learnt? Its parameters are drawn again at random, layer by layer."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution
from igteach.core.functions import Baseline, Target

TRAINED = "as trained"
SEEDS_APART = 1000  # so that no layer of one seed draws what a layer of another does


def cascading_randomisation(f: nn.Module, seed: int = 0) -> Iterator[tuple[str, nn.Module]]:
    """Copies of a model: as trained, then with its last layer re-initialised, then the last two, down to the input.

    The layers are taken in reverse order of their creation. The model and the caller's random state are not changed.

    Args:
        f: a model, or probability(model); every layer with parameters needs a `reset_parameters()`, as torch's have.
        seed: decides what is drawn, on the CPU: the same on every device.

    Yields:
        The name of the layer that was re-initialised last, "as trained" at first, and the copy.

    Raises:
        TypeError: if f is not a module.
        ValueError: if f has no parameters, or a layer that cannot be re-initialised.

    Example:
        >>> from torch import nn
        >>> f = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> [name for name, _ in cascading_randomisation(f)]
        ['as trained', '2', '0']

    Source:
        Adebayo et al. (2018), https://arxiv.org/abs/1810.03292.
    """
    if not isinstance(f, nn.Module):
        raise TypeError(f"f is {type(f).__name__}; pass an nn.Module, whose parameters can be re-initialised")
    names = [name for name, layer in f.named_modules() if list(layer.parameters(recurse=False))]
    if not names:
        raise ValueError("f has no parameters, so there is nothing to re-initialise; pass a model that was trained")
    fixed = [name for name in names if not hasattr(f.get_submodule(name), "reset_parameters")]
    if fixed:
        raise ValueError(f"f has {fixed}, which cannot be re-initialised; give them reset_parameters()")
    changed = copy.deepcopy(f)
    yield TRAINED, copy.deepcopy(changed)
    for number, name in enumerate(reversed(names)):
        _initialise(changed.get_submodule(name), SEEDS_APART * seed + number)
        yield name, copy.deepcopy(changed)


def _initialise(layer: nn.Module, seed: int) -> None:
    """Draw the parameters of a layer again, on the CPU, and leave the global random state as it was."""
    device = next(layer.parameters()).device
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(seed)
        layer.cpu().reset_parameters()  # type: ignore[operator]
    layer.to(device)


def randomised_maps(
    f: nn.Module,
    method: Callable[..., Attribution],
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    seed: int = 0,
) -> dict[str, Tensor]:
    """The maps of a method while the model is re-initialised layer by layer, for `agreement` to compare.

    Args:
        f: a model, or probability(model), as for `cascading_randomisation`.
        method: any method, as in `method(f, x, baseline, target) -> Attribution`.
        x: (batch, *features), floating point.
        baseline: a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None; it stays the same for all copies.
        seed: decides what is drawn.

    Returns:
        The values of the method, by the name of the layer that was re-initialised last; "as trained" comes first.

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
    for name, changed in cascading_randomisation(f, seed):
        maps[name] = method(changed, x, baseline, target).values
    return maps
