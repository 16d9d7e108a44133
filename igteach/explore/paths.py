"""The path explorer: drag alpha from the baseline to the input."""

from dataclasses import dataclass

import numpy as np
import torch
from ipywidgets import FloatSlider
from torch import Tensor

from igteach.core.functions import Baseline, Function
from igteach.core.paths import StraightPath
from igteach.core.validation import check_arguments
from igteach.explore.explorer import Explorer, View
from igteach.explore.pictures import check_picture, ghost, on_screen, over_colours
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show import rounded
from igteach.show.panes import Board, Heatmap, Lines, Pane, Picture
from igteach.show.plates import SHARES, SLOPES, scale_of

SEGMENTS = 50  # of the path, between the alphas where the slider stops


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
    of_segments = integrated_gradients(f, points[1:], points[:-1], target, steps=2).values
    so_far = torch.cat([torch.zeros_like(x), of_segments.cumsum(0)])
    return PathProfile(points, at_points.f_input, at_points.values, so_far)


def path_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None) -> Explorer:
    """Drag alpha from baseline to input: the picture there, F, the gradient there, and the integral so far.

    Everything is computed here; a drag only draws.

    Args:
        f: F, from (N, *features) to (N,) or (N, classes).
        x: one picture, (1, 3, height, width), (1, 1, height, width) or (1, height, width), in [0, 1].
        baseline: broadcasts to x; None means zeros.
        target: the class that F is of, or None if it gives one number.

    Returns:
        The explorer, which a notebook shows.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: x is not one picture in [0, 1], or integrated_gradients refuses an argument.

    Example:
        >>> def f(x):
        ...     return x.flatten(1).square().sum(1)
        >>> path_explorer(f, torch.ones(1, 4, 4), 0.0, None)
        Explorer: 4 panes. the picture at alpha 0.50. F on the path: F goes from 0 to 16; ...
    """
    check_picture(x)
    profile = path_profile(f, x, baseline, target)
    pixels = [on_screen(point) for point in profile.points]
    f_path = profile.f.cpu().double().numpy()
    gradients, shares = over_colours(profile.gradients), over_colours(profile.shares)
    (top_gradient, _), (top_share, how) = scale_of([gradients]), scale_of([shares])
    beneath = ghost(x[0])
    sums = profile.shares.cpu().double().flatten(1).sum(1).numpy()
    drawn = np.concatenate([f_path, f_path[0] + sums])
    room = 0.05 * (np.ptp(drawn) or 1.0)
    limits = drawn.min() - room, drawn.max() + room
    alphas = np.linspace(0, 1, SEGMENTS + 1)

    def panes(at: int) -> tuple[Pane, ...]:
        so_far = alphas[: at + 1], f_path[0] + sums[: at + 1]
        lines = {"F": (alphas, f_path), "F(x') + shares so far": so_far}
        return (
            Picture(f"the picture at alpha {alphas[at]:.2f}", pixels[at]),
            Lines("F on the path", lines, (alphas[at], f_path[at]), "alpha", limits),
            Heatmap("the gradient there", gradients[at], top_gradient, SLOPES, beneath),
            Heatmap("the integral so far", shares[at], top_share, SHARES, beneath),
        )

    board = Board(*panes(0))

    def draw(alpha: float) -> View:
        at = round(alpha * SEGMENTS)
        change = rounded(f_path[at] - f_path[0])
        words = (
            f"At alpha {alphas[at]:.2f} F is {rounded(f_path[at]):g}. It has moved by {change:g} since the baseline; "
            f"the shares so far add up to {rounded(sums[at]):g}.\n{how}"
        )
        return board.show(*panes(at)), words

    slider = FloatSlider(value=0.5, min=0, max=1, step=1 / SEGMENTS, description="alpha", readout_format=".2f")
    return Explorer(draw, {"alpha": slider})
