"""A sign can be told by every eye: by colour under simulated colour blindness, and in grey by lines across it."""

import itertools
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from igteach import show
from igteach.show import palette, plates

# Full colour blindness, on linear RGB: Machado, Oliveira and Fernandes (2009), table 1.
VISIONS = {
    "all cones": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
STRENGTHS = np.arange(1, 33) / 32
RED_GREEN = LinearSegmentedColormap.from_list("red to green", ["#c02020", "1.0", "#208020"])


def seen(colours, vision):
    """CIE L*a*b* of sRGB colours in [0, 1] as an eye of that vision has them."""
    srgb = np.asarray(colours, dtype=float)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = (linear @ VISIONS[vision].T).clip(0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def faults(colours, vision):
    """What keeps a reader from telling strengths and signs in a map where white is zero."""
    negative, positive = (seen(colours(0.5 + side * STRENGTHS / 2)[:, :3], vision) for side in (-1, 1))
    found = set()
    if not all((np.diff(side[:, 0]) < 0).all() for side in (negative, positive)):
        found.add("strength does not darken")
    if (deltaE_ciede2000(negative, positive) < 45 * STRENGTHS).any():  # 2.5 is a difference that one just sees
        found.add("signs of one strength look alike")
    if positive[-1, 0] - negative[-1, 0] < 20:
        found.add("the ends are about as dark")
    return found


@pytest.mark.parametrize("vision", VISIONS)
def test_where_white_is_zero_strength_darkens_and_signs_of_one_strength_differ(vision):
    assert faults(palette.WHITE_IS_ZERO, vision) == set()
    bars = [seen(to_rgb(colour), vision) for colour in (palette.BELOW, palette.ABOVE)]
    assert deltaE_ciede2000(*bars) > 40


def test_the_same_check_refuses_red_and_green():
    every = {"strength does not darken", "signs of one strength look alike", "the ends are about as dark"}
    assert faults(RED_GREEN, "deuteranopia") >= every - {"strength does not darken"}
    assert "signs of one strength look alike" in faults(RED_GREEN, "protanopia")
    assert "strength does not darken" in faults(matplotlib.colormaps["cividis"], "all cones")


@pytest.mark.parametrize("vision", VISIONS)
def test_both_signs_stand_out_from_every_grey_of_a_picture_beneath(vision):
    greys = seen(np.repeat(np.linspace(plates.GHOST, 1, 17)[:, None], 3, axis=1), vision)
    for colour in (0.0, 0.25, 0.75, 1.0):
        ink = seen(palette.WHITE_IS_ZERO(colour)[:3], vision)
        assert deltaE_ciede2000(np.broadcast_to(ink, greys.shape), greys).min() > 15


@pytest.mark.parametrize(("smooth", "size"), [(0, 8), (0, plates.COARSE), (2, 80)])
def test_in_grey_lines_tell_the_negative_places(smooth, size):
    """Drawn in grey, a place of -0.5 differs from one of +0.5 by white lines across it, not only by its shade."""
    values = np.zeros((size, size))
    values[:, : size // 2], values[:, size // 2 :] = -0.5, 0.5
    figure = show.attributions(np.ones((size, size)), {"map": values}, smooth=smooth)
    pane = figure.canvas.axes[1]
    figure.canvas.set_dpi(160)
    agg = FigureCanvasAgg(figure.canvas)
    agg.draw()
    grey = np.asarray(agg.buffer_rgba())[..., :3] @ [0.299, 0.587, 0.114]
    box = pane.get_window_extent()
    rows = slice(int(figure.canvas.bbox.height - box.y1) + 20, int(figure.canvas.bbox.height - box.y0) - 20)
    width = int(box.x1 - box.x0)
    left = grey[rows, int(box.x0) + 20 : int(box.x0) + width // 3]
    right = grey[rows, int(box.x1) - width // 3 : int(box.x1) - 20]
    assert left.std() > 15
    assert right.std() < 1
    assert re.search("Blue, hatched (where strong|unless faint): negative", figure.alt)


def test_the_simulation_leaves_greys_and_takes_red_from_green():
    greys = np.repeat(np.linspace(0, 1, 9)[:, None], 3, axis=1)
    for vision in VISIONS:
        np.testing.assert_allclose(seen(greys, vision), rgb2lab(greys), atol=0.1)
    red, green = [0.75, 0.13, 0.13], [0.13, 0.5, 0.13]
    assert deltaE_ciede2000(rgb2lab(red), rgb2lab(green)) > 60
    assert deltaE_ciede2000(seen(red, "deuteranopia"), seen(green, "deuteranopia")) < 10


@pytest.mark.parametrize("vision", VISIONS)
def test_lines_differ_in_colour_and_in_dashes(vision):
    for (one, dashes), (other, other_dashes) in itertools.combinations(palette.LINES, 2):
        assert deltaE_ciede2000(seen(to_rgb(one), vision), seen(to_rgb(other), vision)) > 10
        assert dashes != other_dashes
