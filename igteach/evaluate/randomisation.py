"""Does a map change with what the model has learnt? Parameters drawn anew, layer by layer."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from igteach.core.attribution import Attribution
from igteach.core.functions import Baseline, Target

TRAINED = "as trained"


def cascading_randomisation(f: nn.Module, seed: int = 0) -> Iterator[tuple[str, nn.Module]]:
    """Copies of f: as it is, then with the last layer initialised anew, then with the last two, down to the input.

    f is a model, or probability(model). Layers come in the reverse of the order in which they were made. Each is given
    with the name of the layer that changed last. f and the caller's random state stay as they are. Raises TypeError
    for an f that is no module, ValueError where nothing, or not everything, in it can be initialised anew.
    Source: Adebayo et al. (2018).
    """
    if not isinstance(f, nn.Module):
        raise TypeError(f"f is {type(f).__name__}; pass an nn.Module, whose parameters can be drawn anew")
    layers = [name for name, layer in f.named_modules() if [*layer.parameters(recurse=False)]]
    stuck = [name for name in layers if not hasattr(f.get_submodule(name), "reset_parameters")]
    if stuck or not layers:
        raise ValueError(f"f has {stuck or 'no parameters'}, which cannot be initialised anew; give reset_parameters()")
    changed = copy.deepcopy(f)
    yield TRAINED, copy.deepcopy(changed)
    for number, name in enumerate(reversed(layers)):
        layer = changed.get_submodule(name)
        device = next(layer.parameters()).device
        with torch.random.fork_rng([]):  # drawn on the CPU: the same on every device
            torch.random.default_generator.manual_seed(1000 * seed + number)
            layer.cpu().reset_parameters()  # type: ignore[operator]
        layer.to(device)
        yield name, copy.deepcopy(changed)


def randomised_maps(
    f: nn.Module,
    method: Callable[..., Attribution],
    x: Tensor,
    baseline: Baseline = None,
    target: Target = None,
    *,
    seed: int = 0,
) -> dict[str, Tensor]:
    """The values of a method for each of `cascading_randomisation`, by layer, "as trained" first; put them to `agreement`.

    method, x, baseline and target as everywhere; the target stays what it was. Errors as of `cascading_randomisation` and the method.
    """
    return {name: method(changed, x, baseline, target).values for name, changed in cascading_randomisation(f, seed)}
