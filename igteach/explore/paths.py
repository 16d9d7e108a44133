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
from igteach.explore.pictures import by_squares, check_picture, in_squares, largest, on_screen
from igteach.methods.gradients import gradient
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.show import rounded
from igteach.show.images import SHARES, SLOPES
from igteach.show.panes import Heatmap, Lines, Pane, Picture, Row

STRETCHES = 50  # of the path, between places where the slider stops


@dataclass(frozen=True, eq=False)
class Walk:
    """What is met on the straight path at STRETCHES + 1 alphas, evenly spaced from 0 to 1."""

    points: Tensor  # (alphas, *features)
    f: Tensor  # (alphas,)
    gradients: Tensor  # (alphas, *features)
    shares: Tensor  # (alphas, *features)  of F(point) - F(x'): those of the stretches so far


def walk(f: Function, x: Tensor, baseline: Baseline, target: int | None) -> Walk:
    """The path of one example (1, *features), of which the last shares are its Integrated Gradients.

    The shares of a stretch are the Integrated Gradients from its start to its end. Along one straight line they add up.
    """
    x, start, _ = check_arguments(f, x, baseline, target)
    points = StraightPath(start, x).points(torch.linspace(0, 1, STRETCHES + 1, dtype=torch.float64))[:, 0]
    slopes = gradient(f, points, target=target)
    stretches = integrated_gradients(f, points[1:], points[:-1], target, steps=2).values
    return Walk(points, slopes.f_input, slopes.values, torch.cat([torch.zeros_like(x), stretches.cumsum(0)]))


def path_explorer(f: Function, x: Tensor, baseline: Baseline, target: int | None) -> Explorer:
    """Drag alpha from baseline to input: the picture there, F, the gradient there, and the integral so far.

    f, target  as for integrated_gradients
    x          one picture (1, 3, H, W), (1, 1, H, W) or (1, H, W) in [0, 1]; baseline broadcasts to it

    All is computed here; a drag only draws. Raises what integrated_gradients raises, and ValueError for another x.
    """
    check_picture(x)
    way = walk(f, x, baseline, target)
    pixels = [on_screen(point) for point in way.points]
    heights = way.f.cpu().double().numpy()
    gradients, shares = in_squares(way.gradients), in_squares(way.shares)
    sums = way.shares.cpu().double().flatten(1).sum(1).numpy()
    tops = largest(gradients), largest(shares)
    lines = np.concatenate([heights, heights[0] + sums])
    room = 0.05 * (np.ptp(lines) or 1.0)
    limits = lines.min() - room, lines.max() + room
    alphas = np.linspace(0, 1, STRETCHES + 1)

    def panes(at: int) -> tuple[Pane, ...]:
        so_far = alphas[: at + 1], heights[0] + sums[: at + 1]
        curve = {"F": (alphas, heights), "F(x') + shares so far": so_far}
        return (
            Picture(f"the picture at alpha {alphas[at]:.2f}", pixels[at]),
            Lines("F on the path", curve, (alphas[at], heights[at]), "alpha", limits),
            Heatmap("the gradient there", gradients[at], tops[0], by_squares(SLOPES, x)),
            Heatmap("the integral so far", shares[at], tops[1], by_squares(SHARES, x)),
        )

    row = Row(*panes(0))

    def draw(alpha: float) -> View:
        at = round(alpha * STRETCHES)
        moved = rounded(heights[at] - heights[0])
        words = (
            f"At alpha {alphas[at]:.2f} F is {rounded(heights[at]):g}. It has moved by {moved:g} since the baseline; "
        )
        return row.show(*panes(at)), words + f"the shares so far add up to {rounded(sums[at]):g}."

    slider = FloatSlider(value=0.5, min=0, max=1, step=1 / STRETCHES, description="alpha", readout_format=".2f")
    return Explorer(draw, {"alpha": slider})
