"""One picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), and its values, for the screen."""

import numpy as np
from torch import Tensor

from igteach.show.plates import ghost_of


def check_picture(x: Tensor) -> None:
    """Raise ValueError unless x is one picture in [0, 1].

    Example:
        >>> import torch
        >>> check_picture(torch.zeros(2, 3, 8, 8))
        Traceback (most recent call last):
        ValueError: x has shape (2, 3, 8, 8); pass one picture: (1, 3, H, W), (1, 1, H, W) or (1, H, W)
    """
    is_grey = x.dim() == 3
    has_channels = x.dim() == 4 and x.shape[1] in (1, 3)
    if len(x) != 1 or not (is_grey or has_channels):
        raise ValueError(f"x has shape {tuple(x.shape)}; pass one picture: (1, 3, H, W), (1, 1, H, W) or (1, H, W)")
    if x.min() < -1e-3 or x.max() > 1.001:
        raise ValueError(
            f"x runs from {x.min():.3g} to {x.max():.3g}; pass a picture in [0, 1], and let f begin with the "
            "normalisation that it needs"
        )


def on_screen(x: Tensor) -> np.ndarray:
    """A picture without its batch, as pixels.

    Args:
        x: (3, height, width), (1, height, width) or (height, width); what is outside [0, 1] is clipped.

    Returns:
        (height, width, 3) uint8.

    Example:
        >>> import torch
        >>> on_screen(torch.tensor([[0.0, 2.0]])).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
    """
    levels = x.detach().cpu().float().clamp(0, 1).mul(255).round().byte()
    return levels.expand(3, *levels.shape[-2:]).movedim(0, -1).numpy()


def colours_of(x: Tensor) -> int:
    """How many colours a batch of pictures has.

    Example:
        >>> import torch
        >>> colours_of(torch.zeros(1, 3, 8, 8)), colours_of(torch.zeros(1, 8, 8))
        (3, 1)
    """
    return x.shape[1] if x.dim() == 4 else 1


def over_colours(values: Tensor) -> np.ndarray:
    """Sum values over colours.

    Args:
        values: (N, channels, height, width) or (N, height, width).

    Returns:
        (N, height, width).

    Example:
        >>> import torch
        >>> over_colours(torch.ones(1, 3, 2, 2))[0, 0, 0].item()
        3.0
    """
    values = values.detach().cpu().double()
    return (values.sum(1) if values.dim() == 4 else values).numpy()


def ghost(x: Tensor) -> np.ndarray:
    """A picture without its batch, in light greys, to lie beneath a map.

    Args:
        x: (3, height, width), (1, height, width) or (height, width).

    Returns:
        (height, width).

    Example:
        >>> import torch
        >>> ghost(torch.ones(1, 2)).round(2).tolist()
        [[1.0, 1.0]]
    """
    return ghost_of(on_screen(x) / 255)
