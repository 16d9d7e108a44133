"""A path through the codes of an autoencoder: what lies between two pictures is what a code between theirs decodes to.

A curve for `igteach.path_gradients`, complete as any path is. Source: Jha et al. (2020), Enhanced Integrated Gradients.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function


def latent_path(encode: Function, decode: Function, x: Tensor, baseline: Tensor) -> Callable[[float], Tensor]:
    """The path decode((1 - alpha) z' + alpha z), z' and z the codes of x' and x, as a function of alpha.

    encode maps (batch, *features) to codes (batch, *code), decode maps them back; baseline has the shape of x.
    No decoder gives x' and x back as they are: what is missing at either end is added there, and fades like alpha^2.
    Raises ValueError for ends of different shapes, or where decode gives another shape.
    """
    if x.shape != baseline.shape:
        raise ValueError(f"baseline has shape {tuple(baseline.shape)}; it must be that of x, {tuple(x.shape)}")
    with torch.no_grad():
        start, end = encode(baseline), encode(x)
        decoded = decode(start), decode(end)
    if decoded[1].shape != x.shape:
        raise ValueError(f"decode gives shape {tuple(decoded[1].shape)}; it must be that of x, {tuple(x.shape)}")
    missing = baseline - decoded[0], x - decoded[1]

    def function(alpha: float) -> Tensor:
        with torch.no_grad():
            between = decode(torch.lerp(start, end, alpha))
        return between + (1 - alpha) ** 2 * missing[0] + alpha**2 * missing[1]

    return function
