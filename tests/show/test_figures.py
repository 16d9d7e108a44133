"""Figures describe themselves, keep one scale, and tell a sign not by hue alone."""

import io
import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from igteach import show
from igteach.show import palette, plates

NAME = '"<b>&'


def heatmaps(**options):
    return show.heatmaps({NAME: torch.linspace(-1, 1, 12).view(3, 4), "other": torch.ones(3, 4) / 4}, **options)


FIGURES = {
    "curves": lambda: show.curves([0, 1, 2], {NAME: [0, 3, 1], "b": [1, 1, 1]}, xlabel="x", ylabel="F"),
    "logarithmic": lambda: show.curves([1, 10], {NAME: [1, 100]}, xlabel="x", ylabel="F", logarithmic=True),
    "bars": lambda: show.bars([NAME, "b"], {"one": [1, -2], "two": [0, 0]}, ylabel="F"),
    "one series": lambda: show.bars(["a", NAME], {"one": [1, -2]}, ylabel="F"),
    "signed": heatmaps,
    "magnitude": lambda: show.heatmaps({NAME: np.eye(3)}, kind="magnitude"),
    "picture": lambda: show.heatmaps({NAME: np.eye(3)}, kind="picture"),
    "beside the picture": lambda: heatmaps(picture=np.eye(3)),
    "plane": lambda: show.plane(np.arange(12.0).reshape(3, 4), (0, 1), (0, 2), [[0, 0], [1, 2]], xlabel=NAME),
    "constant plane": lambda: show.plane(np.zeros((3, 3)), (0, 1), (0, 2), [[0, 0], [1, 2]], xlabel=NAME),
    "zero map": lambda: show.heatmaps({NAME: np.zeros((3, 3))}),
    "constant map": lambda: show.heatmaps({NAME: np.full((3, 3), 2.0)}),
    "constant curve": lambda: show.curves([1, 2], {NAME: [0, 0]}, xlabel="x", ylabel="F"),
    "zero on log axes": lambda: show.curves([1, 2], {NAME: [0, 1]}, xlabel="x", ylabel="F", logarithmic=True),
    "matrix": lambda: show.matrix([[1.0, -2.0], [0.0, 0.5]], [NAME, "b"], ["one", "two"]),
    "matrix of zeros": lambda: show.matrix([[0.0]], [NAME], ["one"]),
    "one point": lambda: show.curves([1], {NAME: [5]}, xlabel="x", ylabel="F"),
}
EVERY = pytest.mark.parametrize("kind", FIGURES)


@EVERY
def test_a_figure_says_in_words_what_it_shows(kind):
    figure = FIGURES[kind]()
    assert len(figure.alt) >= 10
    assert NAME in figure.alt
    assert not re.search(r"\b(nan|inf)\b", figure.alt)
    assert repr(figure) == f"Figure: {figure.alt}"


@EVERY
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_html_is_one_image_with_escaped_alt_text(kind):
    shown = FIGURES[kind]()._repr_html_()
    assert shown.count("<") == 1
    assert shown.startswith('<img alt="')
    assert shown.count(">") == 1
    assert "&quot;&lt;b&gt;&amp;" in shown
    assert 'src="data:image/webp;base64,UklGR' in shown


@EVERY
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_notebook_also_gets_a_png_of_two_pixels_for_each_of_the_page_s(kind):
    bundle, metadata = DisplayFormatter().format(FIGURES[kind]())
    assert set(bundle) == {"text/plain", "text/html", "image/png"}
    width, height = Image.open(io.BytesIO(bundle["image/png"])).size
    sizes = metadata["image/png"]
    assert (width // 2, height // 2) == (sizes["width"], sizes["height"])
    assert f'width="{sizes["width"]}"' in bundle["text/html"]


def test_a_picture_of_any_size_is_drawn_upright():
    for inches in (3.333, 4.0061):
        figure = show.bars(["a"], {"one": [1.0]}, ylabel="F")
        figure.canvas.set_size_inches(inches, 2.017)
        edge = np.asarray(Image.open(io.BytesIO(figure._repr_png_()[0])).convert("L"))[:, :2]
        assert (edge == 255).all(), "a skewed picture has ink at its left edge"


def images(figure):
    return [image for axes in figure.canvas.axes for image in axes.images]


def test_all_panels_share_one_scale_with_zero_in_its_middle():
    figure = show.heatmaps({"small": np.full((2, 2), 0.1), "large": np.array([[-5.0, 1.0]])})
    small, large = (image.get_array() for image in images(figure))
    np.testing.assert_allclose(small[0, 0], palette.WHITE_IS_ZERO(0.51)[:3], atol=0.01)
    np.testing.assert_allclose(large[0], palette.WHITE_IS_ZERO([0.0, 0.6])[:, :3])
    bar = figure.canvas.axes[-1]
    assert bar.get_xlim() == (-5, 5)
    assert bar.get_xlabel() == "Orange: positive. Blue, hatched unless faint: negative."


def test_the_values_may_be_named_below_their_scale():
    signed = show.heatmaps({"a": np.ones((2, 2))}, unit="share of F")
    assert signed.canvas.axes[-1].get_xlabel() == "share of F. Orange: positive."
    magnitude = show.heatmaps({"a": np.ones((2, 2))}, kind="magnitude", unit="|share|")
    assert magnitude.canvas.axes[-1].get_xlabel() == "|share|"


def test_the_picture_lies_beneath_signed_maps_of_its_size(monkeypatch):
    monkeypatch.setattr(plates, "FEW_SQUARES", 2)
    ink = np.array([[0.0, 0.0, 1.0]])
    _, same, other = images(show.heatmaps({"a": np.zeros((1, 3)), "b": np.zeros((2, 2))}, picture=ink))
    np.testing.assert_allclose(same.get_array()[0, :, 0], [1, 1, 0.7])
    np.testing.assert_allclose(other.get_array(), 1)


def test_magnitudes_start_at_zero():
    (image,) = images(show.heatmaps({"a": np.array([[2.0, 3.0]])}, kind="magnitude"))
    assert (image.norm.vmin, image.norm.vmax) == (0, 3)
    assert image.get_cmap().name == palette.MAGNITUDE


def test_a_given_scale_is_the_strongest_colour():
    figure = show.heatmaps({"a": np.array([[2.0, 3.0]])}, scale=10.0)
    assert figure.canvas.axes[-1].get_xlim() == (-10, 10)
    np.testing.assert_allclose(images(figure)[0].get_array()[0, 1], palette.WHITE_IS_ZERO(0.65)[:3])


def test_the_picture_beside_keeps_a_scale_of_its_own():
    figure = heatmaps(picture=np.eye(3) * 100)
    assert images(figure)[0].norm.vmax == 100
    assert figure.canvas.axes[-1].get_xlim() == (-1, 1)


def test_a_picture_may_have_colours():
    colours = np.zeros((3, 2, 4))
    colours[0, 0], colours[2, 1, 3] = 0.5, 1.2
    shown = colours.transpose(1, 2, 0).clip(0, 1)
    beside, _ = images(show.heatmaps({"map": np.ones((2, 4))}, picture=colours))
    figure = show.heatmaps({"colours": torch.tensor(colours), "grey": np.ones((2, 4))}, kind="picture")
    for image in (beside, images(figure)[0]):
        assert np.array_equal(image.get_array(), shown)
    assert "colours: 2 by 4, in colours; grey: strongest in row 1, column 1 of 2 by 4" in figure.alt


@pytest.mark.parametrize(("kind", "shape"), [("signed", (3, 2, 4)), ("magnitude", (3, 2, 4)), ("picture", (2, 2, 4))])
def test_a_map_of_another_shape_is_named(kind, shape):
    with pytest.raises(ValueError, match=rf"panels\['a'\] has shape \({shape[0]}, 2, 4\); pass \(height, width\)"):
        show.heatmaps({"a": np.ones(shape)}, kind=kind)


def test_the_scale_is_printed_beside_the_panels():
    assert len(heatmaps().canvas.axes) == 3
    assert len(show.heatmaps({"a": np.eye(2)}, kind="picture").canvas.axes) == 1


def test_alt_text_says_where_a_map_is_strongest_and_of_which_sign():
    values = torch.zeros(3, 4)
    values[1, 2] = -3
    values[0, 0] = 1
    alt = show.heatmaps({"map": values, "faint": values / 100}).alt
    assert "map: strongest in row 2, column 3 of 3 by 4, about 20% of its mass positive" in alt
    assert "faint: next to nothing" in alt


def test_alt_text_tells_the_course_of_a_line_and_its_peak():
    x = np.linspace(0, 1, 50)
    alt = show.curves(x, {"up": x, "hill": x * (1 - x) * 4, "dip": x * (x - 1)}, xlabel="way", ylabel="F").alt
    assert alt.startswith("Line plot of F against way.")
    assert "up goes from 0 to 1;" in alt
    assert "hill goes from 0 to 0, on the way up to 1;" in alt
    assert "dip goes from 0 to 0, on the way down to -0.25." in alt


def test_alt_text_of_bars_holds_every_number():
    assert show.bars(["a", "b"], {"one": [0.123, -2]}, ylabel="F").alt == "Bar chart of F. one: a 0.12, b -2."


def test_an_interval_is_seen_whole_also_below_zero():
    axes = show.intervals({"a": (0.3, 0.2, 0.4), "lot": (0.1, -0.05, 0.15)}, xlabel="loss").canvas.axes[0]
    assert axes.get_xlim()[0] < -0.05
    axes = show.intervals({"a": (0.3, 0.2, 0.4)}, xlabel="loss").canvas.axes[0]
    assert axes.get_xlim()[0] == 0


def test_intervals_are_drawn_where_they_are_and_told():
    figure = show.intervals({"a": (0.3, 0.2, 0.412), "chance": (0.1, 0.05, 0.15)}, xlabel="share", control="chance")
    assert figure.alt == "Means of share, with intervals. a 0.3 (0.2 to 0.41); chance 0.1 (0.05 to 0.15)."
    (axes,) = figure.canvas.axes
    (ends,) = [lines.get_segments() for lines in axes.collections]
    assert [segment.tolist() for segment in ends] == [[[0.2, 0], [0.412, 0]], [[0.05, 1], [0.15, 1]]]
    dots, line = axes.lines
    assert dots.get_xdata().tolist() == [0.3, 0.1]
    assert line.get_xdata() == [0.1, 0.1]
    assert axes.get_xlabel() == "share: mean and 95% interval\ndotted line at chance"


def test_a_control_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="control is 'random'; choose one of a, b"):
        show.intervals({"a": (1, 1, 1), "b": (1, 1, 1)}, xlabel="share", control="random")


def test_lines_differ_by_dashes_as_well_as_by_colour():
    figure = show.curves([0, 1], {str(n): [n, n] for n in range(6)}, xlabel="x", ylabel="F")
    lines = figure.canvas.axes[0].lines
    assert len({line.get_color() for line in lines}) == len({str(line._dash_pattern) for line in lines}) == 6


@pytest.mark.parametrize("kind", ["rainbow", "", None])
def test_an_unknown_kind_is_named(kind):
    with pytest.raises(ValueError, match=f"kind is {kind!r}; choose one of signed, magnitude, picture"):
        heatmaps(kind=kind)


def test_negative_values_are_no_magnitudes():
    with pytest.raises(ValueError, match=r"negative values.*abs\(\) or kind='signed'"):
        heatmaps(kind="magnitude")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_cannot_be_drawn_is_refused(value):
    with pytest.raises(ValueError, match="NaN or infinity"):
        show.heatmaps({"a": torch.tensor([[value, 1.0]])})
    with pytest.raises(ValueError, match="NaN or infinity"):
        show.curves([0, 1], {"a": [value, 1.0]}, xlabel="x", ylabel="F")
    with pytest.raises(ValueError, match="empty"):
        show.curves([], {"a": []}, xlabel="x", ylabel="F")


def test_a_tensor_that_needs_a_gradient_is_drawn_and_left_as_it_was():
    values = torch.ones(2, 2, requires_grad=True)
    show.heatmaps({"a": values, "b": torch.ones(2, 2, dtype=torch.bfloat16)})
    assert values.requires_grad
    assert values.grad is None


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_a_saved_figure_carries_its_description(tmp_path, suffix, start):
    figure = show.bars(["a"], {"one": [0.5]}, ylabel="F")
    path = tmp_path / f"figure.{suffix}"
    figure.save(path)
    content = path.read_bytes()
    assert content.startswith(start)
    assert b"Bar chart of F. one: a 0.5." in content


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.png.txt"])
def test_another_format_is_refused_and_nothing_written(tmp_path, name):
    with pytest.raises(ValueError, match=r"use \.png, \.svg or \.pdf"):
        heatmaps().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_drawing_needs_no_pyplot_and_leaves_no_figure_open():
    program = (
        "import sys\nfrom igteach import show\n"
        "show.heatmaps({'a': [[1.0, -1.0]]})._repr_html_()\nshow.bars(['a'], {'b': [1]}, ylabel='F')._repr_html_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def luminance(srgb):
    """Relative luminance (IEC 61966-2-1), from colours in [0, 1]."""
    return linear(srgb) @ np.array([0.2126, 0.7152, 0.0722])


def linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


# Simulated full deuteranopia and protanopia, on linear RGB: Machado, Oliveira and Fernandes (2009), table 1.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)


@pytest.mark.parametrize("name", [palette.SURFACE, palette.MAGNITUDE, palette.PICTURE])
@pytest.mark.parametrize(
    "vision", [np.eye(3), DEUTERANOPIA, PROTANOPIA], ids=["all cones", "deuteranopia", "protanopia"]
)
def test_strength_is_told_by_lightness_to_every_eye(name, vision):
    colours = matplotlib.colormaps[name](np.linspace(0, 1, 33))[:, :3]
    seen = (linear(colours) @ vision.T).clip(0, 1) @ np.array([0.2126, 0.7152, 0.0722])
    steps = np.diff(seen)
    assert (steps > 0).all() or (steps < 0).all()
    assert abs(seen[-1] - seen[0]) > 0.5


def test_line_colours_stand_out_from_white():
    """Contrast of 3 to 1 for graphics (WCAG 2.1, 1.4.11), for the lines that a figure uses first."""
    for colour, _ in palette.LINES[:3]:
        rgb = np.array(matplotlib.colors.to_rgb(colour))
        assert 1.05 / (luminance(rgb) + 0.05) >= 3


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(1, 6))
def test_rounded_keeps_so_many_digits(value, digits):
    short = show.rounded(value, digits)
    assert isinstance(short, float)
    assert abs(short - value) <= max(0.51 * 10.0 ** (1 - digits) * abs(value), 1e-12)
    assert show.rounded(short, digits) == short
    assert str(short) != "-0.0"


def test_rounded_takes_tensors_and_nested_lists():
    assert show.rounded(torch.tensor([[1 / 3, -2 / 3], [1e-15, 123456.0]])) == [[0.333, -0.667], [0.0, 123000.0]]
    assert show.rounded([torch.tensor(1 / 3), (2 / 3, 7)], 2) == [0.33, [0.67, 7.0]]
    assert show.rounded(torch.tensor(0.12345, requires_grad=True)) == 0.123


@pytest.mark.parametrize("label", ["$x_{$", "$5 to $7", "a price in $"])
def test_dollar_signs_that_hold_no_formula_are_shown_as_they_are(label):
    figures = [
        show.bars([label, "b"], {label: [1.0, 2.0]}, ylabel=label),
        show.curves([1.0, 2.0], {label: [1.0, 2.0]}, xlabel=label, ylabel=label),
        show.heatmaps({label: torch.rand(4, 4)}),
    ]
    assert all("data:image/webp" in figure._repr_html_() for figure in figures)


def test_a_label_of_two_lines_warns_of_nothing(caplog):
    show.bars(["worst\narea", "mean\ntexture"], {"share": [1.0, 2.0]}, ylabel="log odds")
    assert not caplog.records


def test_a_formula_in_a_label_is_typeset():
    figure = show.curves([1.0, 2.0], {"F": [1.0, 2.0]}, xlabel=r"$\alpha$ from $x'$", ylabel="F")
    assert figure.canvas.axes[0].xaxis.label.get_parse_math()


@pytest.mark.parametrize(
    ("across", "shown"),
    [([2, 4, 8, 15], ["2", "4", "8", "15"]), ([1, 1000, 20000], ["1", "1,000", "20,000"]), ([0.5, 2], ["0.5", "2"])],
)
def test_a_logarithmic_axis_has_ticks_where_points_were_measured(across, shown):
    axes = show.curves(across, {"F": across}, xlabel="x", ylabel="F", logarithmic=True).canvas.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels() if label.get_text()] == shown
    assert not [label.get_text() for label in axes.get_xticklabels(minor=True) if label.get_text()]


def test_ticks_that_would_touch_are_left_to_the_axis():
    axes = show.curves([1, 100, 101], {"F": [1, 2, 3]}, xlabel="x", ylabel="F", logarithmic=True).canvas.axes[0]
    assert "101" not in [label.get_text() for label in axes.get_xticklabels()]


def test_a_logarithmic_axis_has_no_tick_of_many_digits():
    across = np.logspace(-3, 0, 7)
    axes = show.curves(across, {"F": across}, xlabel="x", ylabel="F", logarithmic=True).canvas.axes[0]
    low, high = axes.get_xlim()
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    assert [label.get_text() for place, label in ticks if low < place < high] == ["0.001", "0.01", "0.1", "1"]


@pytest.mark.parametrize(("lowest", "shows_zero"), [(0.12, True), (0.3, False), (-0.5, True)])
def test_an_axis_shows_zero_if_values_come_near_it(lowest, shows_zero):
    axes = show.curves(
        [0, 0.5, 1], {"a": [0.96, 0.5, lowest], "b": [0.9, 0.8, 0.7]}, xlabel="x", ylabel="F"
    ).canvas.axes[0]
    low, high = axes.get_ylim()
    assert (low < 0) == shows_zero
    assert low < lowest < 0.96 < high
    assert axes.get_xlim() == pytest.approx((-0.05, 1.05))


def test_few_measured_points_are_marked_and_many_are_not():
    few = show.curves([1, 2], {"a": [1, 2], "b": [2, 1]}, xlabel="x", ylabel="F").canvas.axes[0].lines
    many = show.curves(range(50), {"a": range(50)}, xlabel="x", ylabel="F").canvas.axes[0].lines
    assert [line.get_marker() for line in few] == list(palette.MARKERS[:2])
    assert [line.get_marker() for line in many] == ["None"]
