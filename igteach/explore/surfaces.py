"""The surface explorer: a path over two features, with its input, its baseline and a corner to drag."""

from collections.abc import Sequence

import torch
from matplotlib import colormaps
from matplotlib.colors import to_hex
from torch import Tensor

from igteach import show
from igteach.core.functions import Function
from igteach.explore.live import LiveFigure
from igteach.show.palette import SURFACE

LOWEST, HIGHEST = -0.2, 1.3  # of both features
BANDS = 12  # of F, one colour each
SURFACES: dict[str, tuple[str, Function]] = {  # by the name in surfaces.js, which computes the same
    "product": ("x1 x2 + x2", lambda x: x[:, 0] * x[:, 1] + x[:, 1]),
    "alarm": ("1 - ReLU(1 - x1 - x2)", lambda x: 1 - torch.relu(1 - x[:, 0] - x[:, 1])),
    "smaller": ("min(x1, x2)", lambda x: torch.minimum(x[:, 0], x[:, 1])),
}


def surface_explorer(baseline: Sequence[float], corner: Sequence[float], x: Sequence[float]) -> LiveFigure:
    """Drag the ends of a path over F(x1, x2), give it a corner, and see the shares of both features.

    The page computes F and the shares itself, at every drag, for three functions to choose from.

    Args:
        baseline: (x1, x2) where the path begins.
        corner: (x1, x2) where it turns, if it is told to.
        x: (x1, x2), the input.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        ValueError: a point is not two numbers from -0.2 to 1.3.

    Example:
        >>> surface_explorer((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
        LiveFigure: Contours of F over x1 and x2, with a path from (0, 0) to (1, 1).
    """
    points = {"baseline": [*baseline], "corner": [*corner], "x": [*x]}
    for name, point in points.items():
        if len(point) != 2 or not all(LOWEST <= value <= HIGHEST for value in point):
            raise ValueError(f"{name} is {tuple(point)}; pass two numbers from {LOWEST} to {HIGHEST}")
    data = {
        "functions": {name: words for name, (words, _) in SURFACES.items()},
        "points": points,
        "lowest": LOWEST,
        "highest": HIGHEST,
        "colours": [to_hex(colormaps[SURFACE](band / (BANDS - 1))) for band in range(BANDS)],
    }
    ends = torch.tensor([points["baseline"], points["x"]])
    return LiveFigure("surface", data, show.plane(_heights(), (LOWEST, HIGHEST), (LOWEST, HIGHEST), ends))


def _heights() -> Tensor:
    ticks = torch.linspace(LOWEST, HIGHEST, 41)
    _, f = SURFACES["product"]
    return f(torch.cartesian_prod(ticks, ticks).flip(1)).view(41, 41)
