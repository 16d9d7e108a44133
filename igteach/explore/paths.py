"""The path explorer: drag alpha from the baseline to the input."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from igteach.core.functions import Baseline, Function
from igteach.core.paths import StraightPath
from igteach.core.validation import check_arguments
from igteach.explore.live import LiveFigure
from igteach.explore.packing import at_pixels, beneath, in_blocks, packed, picture_uri, short, squares_in_words
from igteach.explore.pictures import check_picture, colours_of, ghost, on_screen, over_colours
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show.panes import Heatmap, Lines, Picture, board
from igteach.show.plates import SHARES, SLOPES, scale_of

SEGMENTS = 20  # of the path, between the alphas where the slider stops
ALPHAS = np.linspace(0, 1, SEGMENTS + 1)
FIRST_START = 4  # segments from the baseline: nearer to it the slider does not stand at first


@dataclass(frozen=True, eq=False)
class PathProfile:
    """F and its gradient on the straight path, at SEGMENTS + 1 alphas from 0 to 1.

    Attributes:
        points: (alphas, *features), the points of the path.
        f: (alphas,), F there.
        gradients: (alphas, *features), the gradient there.
        shares: (alphas, *features), the shares of F(point) - F(x'), of the segments so far.
    """

    points: Tensor
    f: Tensor
    gradients: Tensor
    shares: Tensor

    @property
    def f_values(self) -> np.ndarray:
        """(alphas,), F as numbers of numpy."""
        return self.f.cpu().double().numpy()

    @property
    def sums(self) -> np.ndarray:
        """(alphas,), the sums of the shares so far."""
        return self.shares.cpu().double().flatten(1).sum(1).numpy()

    @property
    def start(self) -> int:
        """The stop where F changes most up to the next, from FIRST_START on: the slider stands there at first."""
        changes = np.abs(np.diff(self.f_values))
        return max(FIRST_START, int(changes.argmax()))


def path_profile(f: Function, x: Tensor, baseline: Baseline, target: int | None) -> PathProfile:
    """Compute F, its gradient and the shares so far along the straight path.

    The shares of a segment are the Integrated Gradients from its start to its end; along a straight path they add up.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one example, (1, *features).
        baseline: broadcasts to x; None means zeros.
        target: the class that F is of, or None if it gives one number.

    Returns:
        The profile; its last shares are the Integrated Gradients of x.

    Example:
        >>> profile = path_profile(lambda x: x.square().sum(1), torch.tensor([[1.0, 2.0]]), None, None)
        >>> profile.shares[-1]
        tensor([1., 4.])
    """
    x, start, _ = check_arguments(f, x, baseline, target)
    points = StraightPath(start, x).points(torch.linspace(0, 1, SEGMENTS + 1, dtype=torch.float64))[:, 0]
    at_points = gradient(f, points, target=target)
    of_segments = integrated_gradients(f, points[1:], points[:-1], target, steps=4).values
    so_far = torch.cat([torch.zeros_like(x), of_segments.cumsum(0)])
    return PathProfile(points, at_points.f_input, at_points.values, so_far)


def path_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None) -> LiveFigure:
    """Drag alpha from baseline to input: the picture there, F, the gradient there, and the integral so far.

    Everything is computed here; a drag only draws. Large pictures' maps are summed over blocks.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), in [0, 1].
        baseline: broadcasts to x; None means zeros.
        target: the class that F is of, or None if it gives one number.

    Returns:
        The figure, which a notebook and a page show.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one picture in [0, 1], or integrated_gradients refuses an argument.

    Example:
        >>> def f(x):
        ...     return x.flatten(1).square().sum(1)
        >>> path_explorer(f, torch.ones(1, 4, 4), 0.0, None)
        LiveFigure: 4 panes. the picture at alpha 0.95. F on the path: F goes from 0 to 16; ...
    """
    check_picture(x)
    profile = path_profile(f, x, baseline, target)
    start = profile.start
    gradients, side = in_blocks(over_colours(profile.gradients))
    shares, _ = in_blocks(over_colours(profile.shares))
    (top_gradient, _), (top_share, how) = scale_of([gradients]), scale_of([shares])
    grey, (height, width) = ghost(x[0]), x.shape[-2:]
    data = {
        "alphas": short(ALPHAS),
        "f": short(profile.f_values),
        "sums": short(profile.sums),
        "start": start,
        "gradients": packed(gradients, top_gradient),
        "shares": packed(shares, top_share),
        "top": {"gradients": top_gradient, "shares": top_share},
        "units": {"gradients": SLOPES, "shares": SHARES},
        "picture": {
            "height": height,
            "width": width,
            "baseline": picture_uri(on_screen(profile.points[0])),
            "input": picture_uri(on_screen(profile.points[-1])),
        },
        **beneath(grey, side),
        "note": f"{how} {squares_in_words(side, colours_of(x))}".strip(),
    }
    maps = [at_pixels(squares[start], side, height, width) for squares in (gradients, shares)]
    still = board(
        Picture(f"the picture at alpha {ALPHAS[start]:.2f}", on_screen(profile.points[start])),
        _lines(profile),
        Heatmap("the gradient there", maps[0], top_gradient, SLOPES, grey),
        Heatmap("the integral so far", maps[1], top_share, SHARES, grey),
    )
    return LiveFigure("path", data, still)


def _lines(profile: PathProfile) -> Lines:
    f, moved = profile.f_values, profile.f_values[0] + profile.sums
    drawn = np.concatenate([f, moved])
    room = 0.05 * (np.ptp(drawn) or 1.0)
    reached = profile.start + 1
    lines = {"F": (ALPHAS, f), "F(x') + shares so far": (ALPHAS[:reached], moved[:reached])}
    mark = ALPHAS[profile.start], f[profile.start]
    return Lines("F on the path", lines, mark, "alpha", (drawn.min() - room, drawn.max() + room))
