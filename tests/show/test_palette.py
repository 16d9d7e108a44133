"""A sign can be told by every eye: by lightness, and by colour under simulated colour blindness."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from igteach.show import palette

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
RED_GREEN = LinearSegmentedColormap.from_list("red to green", ["#c02020", "0.5", "#208020"])


def seen(colours, vision):
    """CIE L*a*b* of sRGB colours in [0, 1] as an eye of that vision has them."""
    srgb = np.asarray(colours, dtype=float)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = (linear @ VISIONS[vision].T).clip(0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def faults(colours, vision):
    """What keeps a reader from telling signs in a map of signed values."""
    negative, middle, positive = (seen(colours(0.5 + side * STRENGTHS / 2)[:, :3], vision) for side in (-1, 0, 1))
    lightness = np.concatenate([negative[::-1, 0], middle[:1, 0], positive[:, 0]])
    found = set()
    if not (np.diff(lightness) > 0).all():
        found.add("lightness does not rise from negative to positive")
    if min(abs(lightness[-1] - middle[0, 0]), abs(lightness[0] - middle[0, 0])) < 30:
        found.add("an end is about as light as the middle")
    if (deltaE_ciede2000(negative, positive) < 80 * STRENGTHS).any():  # 2.5 is a difference that one just sees
        found.add("signs of one strength look alike")
    return found


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("colours", [matplotlib.colormaps[palette.SIGNED], palette.OVER_PICTURE], ids=lambda c: c.name)
def test_a_sign_is_told_by_lightness_and_by_colour(colours, vision):
    assert faults(colours, vision) == set()


@pytest.mark.parametrize("vision", VISIONS)
def test_where_white_is_zero_strength_darkens_and_signs_of_one_strength_differ(vision):
    negative, positive = (seen(palette.WHITE_IS_ZERO(0.5 + side * STRENGTHS / 2)[:, :3], vision) for side in (-1, 1))
    for side in (negative, positive):
        assert (np.diff(side[:, 0]) < 0).all()
    assert (deltaE_ciede2000(negative, positive) > 45 * STRENGTHS).all()
    assert positive[-1, 0] - negative[-1, 0] > 20
    bars = [seen(to_rgb(colour), vision) for colour in (palette.BELOW, palette.ABOVE)]
    assert deltaE_ciede2000(*bars) > 40


def test_the_same_check_refuses_red_and_green():
    every = {
        "lightness does not rise from negative to positive",
        "an end is about as light as the middle",
        "signs of one strength look alike",
    }
    assert faults(RED_GREEN, "deuteranopia") == every
    assert faults(RED_GREEN, "protanopia") == every
    assert "signs of one strength look alike" in faults(matplotlib.colormaps["RdYlGn"], "deuteranopia")


def test_the_simulation_leaves_greys_and_takes_red_from_green():
    greys = np.repeat(np.linspace(0, 1, 9)[:, None], 3, axis=1)
    for vision in VISIONS:
        np.testing.assert_allclose(seen(greys, vision), rgb2lab(greys), atol=0.1)
    red, green = [0.75, 0.13, 0.13], [0.13, 0.5, 0.13]
    assert deltaE_ciede2000(rgb2lab(red), rgb2lab(green)) > 60
    assert deltaE_ciede2000(seen(red, "deuteranopia"), seen(green, "deuteranopia")) < 10


def test_the_two_signs_are_the_ends_of_the_signed_map():
    ends = matplotlib.colormaps[palette.SIGNED]([0.0, 1.0])[:, :3]
    np.testing.assert_allclose([to_rgb(palette.NEGATIVE), to_rgb(palette.POSITIVE)], ends, atol=0.004)


@pytest.mark.parametrize("vision", VISIONS)
def test_both_signs_stand_out_from_every_grey_of_a_picture_beneath(vision):
    greys = np.repeat(np.linspace(*palette.FAINT, 17)[:, None], 3, axis=1)
    lightness = seen(greys, vision)[:, 0]
    negative, positive = (seen(to_rgb(colour), vision)[0] for colour in (palette.NEGATIVE, palette.POSITIVE))
    assert (lightness - negative > 10).all()
    assert (positive - lightness > 10).all()


@pytest.mark.parametrize("vision", VISIONS)
def test_lines_differ_in_colour_and_in_dashes(vision):
    for (one, dashes), (other, other_dashes) in itertools.combinations(palette.LINES, 2):
        assert deltaE_ciede2000(seen(to_rgb(one), vision), seen(to_rgb(other), vision)) > 10
        assert dashes != other_dashes
