"""One picture (1, 3, H, W), (1, 1, H, W) or (1, H, W) in [0, 1], and its values, as a screen shows them."""

import numpy as np
from torch import Tensor
from torch.nn.functional import avg_pool2d

SQUARES = 64  # along the longer side of a heatmap, at most


def check_picture(x: Tensor) -> None:
    """Raises ValueError where x is no such picture."""
    if x.dim() not in (3, 4) or len(x) != 1 or (x.dim() == 4 and x.shape[1] not in (1, 3)):
        raise ValueError(f"x has shape {tuple(x.shape)}; pass one picture: (1, 3, H, W), (1, 1, H, W) or (1, H, W)")
    if x.min() < -1e-3 or x.max() > 1.001:
        received = f"x runs from {x.min():.3g} to {x.max():.3g}"
        raise ValueError(f"{received}; pass a picture in [0, 1], and let f begin with the normalisation that it needs")


def on_screen(x: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 of a picture without its batch; what is beyond [0, 1] is clipped."""
    levels = x.detach().cpu().float().clamp(0, 1).mul(255).round().byte()
    return levels.expand(3, *levels.shape[-2:]).movedim(0, -1).numpy()


def in_squares(values: Tensor) -> np.ndarray:
    """(N, h, w): values (N, C, H, W) or (N, H, W), summed over colours and over squares of `side_of` pixels."""
    values = values.detach().cpu().double()
    values = values.sum(1) if values.dim() == 4 else values
    return avg_pool2d(values[:, None], side_of(values), ceil_mode=True, divisor_override=1)[:, 0].numpy()


def side_of(values: Tensor) -> int:
    """Of a square, in pixels, such that at most SQUARES of them lie along the longer side."""
    return -(-max(values.shape[-2:]) // SQUARES)


def by_squares(unit: str, values: Tensor) -> str:
    """The unit, and the squares that values are summed over, where these are more than a pixel."""
    side = side_of(values)
    return unit if side == 1 else f"{unit}, by {side} x {side} pixels"


def largest(values: np.ndarray) -> float:
    """The largest |value|, or 1 where all are 0, for a colour scale."""
    return float(np.abs(values).max()) or 1.0
