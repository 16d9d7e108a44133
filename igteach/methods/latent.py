"""A path through the codes of an autoencoder: between two pictures lies what a code between theirs decodes to.

It is a curve for `igteach.path_gradients`, and complete as any path is.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from igteach.core.functions import Function


def latent_path(encode: Function, decode: Function, x: Tensor, baseline: Tensor) -> Callable[[float], Tensor]:
    """The path decode((1 - alpha) z' + alpha z), where z' and z are the codes of x' and x.

    No decoder gives back x' and x exactly. What is missing at either end is added there, and fades away from that end
    as the square of alpha, or of 1 - alpha.

    Args:
        encode: maps (batch, *features) to codes (batch, *code).
        decode: maps codes back to (batch, *features).
        x: (batch, *features), floating point.
        baseline: x', in the shape of x.

    Returns:
        A function of alpha in [0, 1] that gives (batch, *features): x' at 0 and x at 1.

    Raises:
        ValueError: if x and baseline have different shapes, or decode gives another one.

    Example:
        >>> import torch
        >>> from igteach.methods.latent import latent_path
        >>> x, baseline = torch.tensor([[4.0, 9.0]]), torch.tensor([[0.0, 1.0]])
        >>> path = latent_path(torch.sqrt, torch.square, x, baseline)
        >>> [path(alpha).tolist() for alpha in (0.0, 0.5, 1.0)]
        [[[0.0, 1.0]], [[1.0, 4.0]], [[4.0, 9.0]]]

    Source:
        Jha et al. (2020), Enhanced Integrated Gradients, https://doi.org/10.1186/s13059-020-02055-7.
    """
    if x.shape != baseline.shape:
        raise ValueError(f"baseline has shape {tuple(baseline.shape)}; it must be that of x, {tuple(x.shape)}")
    with torch.no_grad():
        start_code, end_code = encode(baseline), encode(x)
        decoded_start, decoded_end = decode(start_code), decode(end_code)
    if decoded_end.shape != x.shape:
        raise ValueError(f"decode gives shape {tuple(decoded_end.shape)}; it must be that of x, {tuple(x.shape)}")
    missing_at_start = baseline - decoded_start
    missing_at_end = x - decoded_end

    def path(alpha: float) -> Tensor:
        with torch.no_grad():
            decoded = decode(torch.lerp(start_code, end_code, alpha))
        return decoded + (1 - alpha) ** 2 * missing_at_start + alpha**2 * missing_at_end

    return path
