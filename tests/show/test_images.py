"""Attributions beside their picture: one scale, nothing done in silence, and a text that says what is seen."""

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image
from skimage.data import chelsea

import igteach
from igteach import Attribution, show
from igteach.datasets import load_digits
from igteach.models import digits
from igteach.show import plates
from igteach.show.figures import CSS
from igteach.show.palette import WHITE_IS_ZERO

POSITIVE = np.array(WHITE_IS_ZERO(1.0)[:3])
GREY = np.full((6, 8), 0.5)
NAME = '"<b>&'


def values(size=(6, 8), **pixels):
    """Zeros but for pixels named r<row>c<column>."""
    array = np.zeros(size)
    for name, value in pixels.items():
        array[tuple(int(number) for number in re.findall(r"\d+", name))] = value
    return array


def as_png(figure):
    """(H, W, 3) of the stored PNG, from 0 to 1."""
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_()[0])).convert("RGB")) / 255


def test_the_png_of_a_photograph_keeps_the_colours_of_strong_shares_however_rare():
    photograph = chelsea()[:200, :200].transpose(2, 0, 1) / 255
    shares = np.zeros((200, 200))
    shares[20:26, 20:26], shares[150:156, 150:156] = 1.0, -1.0
    png = as_png(show.attributions(photograph, {"IG": attribution(np.stack([shares] * 3))}))
    for end in (0.0, 1.0):
        distance = np.abs(png - np.array(WHITE_IS_ZERO(end)[:3])).max(axis=2)
        left_of_the_bar = distance[: png.shape[0] * 3 // 4]
        assert (left_of_the_bar < 0.12).sum() >= 20


def attribution(array, f_input=1.0, f_baseline=0.0, **more):
    start = None if f_baseline is None else torch.tensor([f_baseline])
    return Attribution(torch.tensor(array)[None].float(), torch.tensor([f_input]), start, 1, **more)


def pixels(figure, number):
    """(H, W, 3) of panel `number`; 0 is the picture."""
    return np.asarray(figure.canvas.axes[number].images[0].get_array())


def scales(figure):
    """unit -> the numbers on its colour bars, if they are one scale."""
    found = {}
    for bar in (axes for axes in figure.canvas.axes if not axes.images):
        assert found.setdefault(bar.get_xlabel(), bar.get_xticks().tolist()) == bar.get_xticks().tolist()
    return found


def caption(figure):
    return figure.canvas.texts[0].get_text().replace("\n", " ")


def titles(figure):
    return [axes.get_title() for axes in figure.canvas.axes if axes.images]


# --- colours and scales


def test_maps_have_the_colours_of_their_values_on_one_scale():
    figure = show.attributions(GREY, {"a": values(r0c0=-4, r1c1=2), "b": values(r5c7=1, r2c2=-1)})
    for panel, row, column, value in [(1, 0, 0, -4), (1, 1, 1, 2), (1, 3, 3, 0), (2, 5, 7, 1), (2, 2, 2, -1)]:
        np.testing.assert_allclose(pixels(figure, panel)[row, column], WHITE_IS_ZERO(0.5 + value / 8)[:3])
    assert scales(figure) == {"share of F": [-4, 0, 4]}
    told = "Strongest colour: the largest |value|. Orange: positive. Blue, hatched unless faint: negative."
    assert told in caption(figure)


def test_the_picture_comes_first_and_as_it_is():
    picture = np.random.default_rng(0).random((3, 6, 8))
    figure = show.attributions(picture, {"a": values(r0c0=1)})
    np.testing.assert_allclose(pixels(figure, 0), picture.transpose(1, 2, 0))
    assert titles(figure)[0] == "the picture"


def test_a_gradient_has_a_scale_of_its_own_beside_shares_and_the_caption_says_so():
    slope, share = attribution(values(r0c0=100.0), f_baseline=None), attribution(values(r0c0=1.0))
    figure = show.attributions(GREY, {"IG": share, "gradient": slope, "other": share, "SmoothGrad": slope})
    assert scales(figure) == {"share of F": [-1, 0, 1], "F per unit of x": [-100, 0, 100]}
    for panel in (1, 2, 3, 4):
        np.testing.assert_allclose(pixels(figure, panel)[0, 0], POSITIVE, atol=0.004)
    assert "Maps in F per unit of x have a scale of their own." in caption(figure)


@pytest.mark.parametrize("f_baseline", [None, 0.0])
def test_answers_in_one_unit_have_one_scale(f_baseline):
    one, other = (attribution(values(r0c0=size), f_baseline=f_baseline) for size in (1.0, 3.0))
    figure = show.attributions(GREY, {"one": one, "other": other})
    assert list(scales(figure).values()) == [[-3, 0, 3]]
    assert "of their own" not in caption(figure)


def test_a_percentile_is_the_strongest_colour_and_the_caption_says_what_it_clips():
    array = np.ones((100, 100))
    array[0, :20] = 1000.0
    figure = show.attributions(np.zeros((100, 100)), {"a": array})
    assert scales(figure) == {"share of F": [-1, 0, 1]}
    np.testing.assert_allclose(pixels(figure, 1), np.broadcast_to(POSITIVE, (100, 100, 3)))
    told = "Strongest colour: percentile 99.5 of |value|; larger ones are clipped. Orange: positive."
    assert told in caption(figure)
    assert told in figure.alt


def test_maps_may_have_scales_of_their_own_and_the_caption_says_so():
    figure = show.attributions(GREY, {"a": values(r0c0=-4), "b": values(r5c7=1)}, own_scales=True)
    bars = [axes.get_xticks().tolist() for axes in figure.canvas.axes if not axes.images]
    assert bars == [[-4, 0, 4], [-1, 0, 1]]
    np.testing.assert_allclose(pixels(figure, 2)[5, 7], POSITIVE)
    assert "Each map has a scale of its own." in figure.alt


def test_smoothing_is_said_and_keeps_the_sum_and_gives_room_for_hatches():
    array = np.zeros((80, 80))
    array[40, 40], array[10, 10] = 1.0, -1.0
    figure = show.attributions(np.zeros((80, 80)), {"a": array}, smooth=3)
    assert "Blue, hatched where strong: negative. Smoothed for display by a Gaussian of 3 pixels." in caption(figure)
    assert "Smoothed for display by a Gaussian of 3 pixels." in figure.alt
    assert scales(figure)["share of F"][2] < 0.1
    assert plates.smoothed(array, 3).sum() == pytest.approx(array.sum(), abs=1e-12)
    assert figure.canvas.axes[1].collections
    assert not show.attributions(np.zeros((80, 80)), {"a": array}).canvas.axes[1].collections


def test_panels_are_at_least_300_pixels_of_css_wide():
    for count in (1, 2, 3, 4, 7):
        figure = show.attributions(GREY, {f"method {number}": values(r0c0=1) for number in range(count)})
        width = figure.canvas.get_size_inches()[0]
        panels = [axes.get_position().width * width * CSS for axes in figure.canvas.axes if axes.images]
        assert len(panels) == count + 1
        assert min(panels) >= 300


def test_zeros_have_a_scale_too_and_leave_the_picture_to_be_seen():
    figure = show.attributions(np.ones((6, 8)), {"a": values()})
    np.testing.assert_allclose(pixels(figure, 1), 1.0)
    assert "a: next to nothing" in figure.alt


def test_colours_are_summed():
    array = np.stack([values(r0c0=1), values(r0c0=2), values(r0c0=-5, r1c1=1)])
    assert scales(show.attributions(GREY, {"a": array})) == {"share of F": [-2, 0, 2]}


def test_beneath_a_few_large_squares_zero_is_white_and_a_line_runs_around_the_ink():
    ink = np.zeros((8, 8))
    ink[1:7, 1:6], ink[2:5, 3:5], ink[5, 5] = 0.3, 0.8, 0.0  # more than the half
    figure = show.attributions(ink, {"a": np.zeros((8, 8))})
    np.testing.assert_array_equal(pixels(figure, 1), 1)
    (line,) = figure.canvas.axes[1].lines
    np.testing.assert_array_equal(line.get_xydata(), plates.outline_of(ink > 0).T)
    assert "Grey line: around the ink." in caption(figure)
    assert "Grey line" not in caption(show.attributions(np.ones((8, 8)), {"a": ink}))


@pytest.mark.parametrize("colours", ["few", "many"])
def test_the_png_keeps_pale_colours_and_its_white(colours):
    """Reducing colours once turned pale orange to ivory and pale blue to cyan."""
    array = np.linspace(-0.3, 0.3, 64 if colours == "few" else 40_000).reshape(8 if colours == "few" else 200, -1)
    picture = np.ones_like(array) if colours == "few" else chelsea()[:200, :200].transpose(2, 0, 1) / 255
    figure = show.attributions(picture, {"a": array, "b": 3 * array})
    png = np.asarray(Image.open(io.BytesIO(figure._repr_png_()[0])).convert("RGB"), dtype=int)
    drawn = figure._drawn().resize(png.shape[1::-1], Image.Resampling.LANCZOS)
    apart = np.abs(png - np.asarray(drawn, dtype=int))
    assert np.percentile(apart, 99) <= 12
    assert (png[0] == 255).all()


# --- titles


@pytest.mark.parametrize(
    ("answer", "second_line"),
    [
        (attribution(values(r0c0=0.997)), "adds up"),
        (attribution(values(r0c0=0.97)), "adds up roughly: 97.0% of F's change"),
        (attribution(values(r0c0=0.902)), "does not add up: 90.2% of F's change"),
        (attribution(values(r0c0=4.0)), "does not add up: 400.0% of F's change"),
        (attribution(values(r0c0=0.997), error_estimate=torch.tensor([0.01])), "adds up"),
        (
            attribution(values(r0c0=0.997), error_estimate=torch.tensor([0.1])),
            "adds up; single shares off by about 10%",
        ),
        (attribution(values(r0c0=1.0), f_baseline=None), "slopes, which need not add up"),
    ],
)
def test_the_verdict_stands_under_the_title(answer, second_line):
    title, _, verdict = titles(show.attributions(GREY, {"IG": answer}))[1].partition("\n")
    assert (title, verdict.replace("\n", " ")) == ("IG", second_line)


def test_bare_values_have_no_verdict():
    assert titles(show.attributions(GREY, {"mine": values(r0c0=1)}))[1].split() == ["mine"]


def test_the_package_s_own_answers_can_be_shown():
    f, x = igteach.probability(digits.load("cpu")), load_digits().x_test[3:4]
    methods = (igteach.gradient, igteach.gradient_times_input, igteach.integrated_gradients)
    answers = {method.__name__: method(f, x, target=7) for method in methods}
    figure = show.attributions(x[0], answers, mask=x[0, 0] > 0.5)
    assert [title.split("\n")[0] for title in titles(figure)[1:]] == list(answers)
    assert "gradient (a gradient: promises no completeness): " in figure.alt
    assert f"integrated_gradients ({answers['integrated_gradients'].verdict}): " in figure.alt


# --- the mask


def test_the_outline_runs_along_the_edges_of_the_object_in_every_panel():
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:6] = True
    figure = show.attributions(GREY, {"a": values(r0c0=1), "b": values(r0c0=1)}, mask=mask)
    around = {(x, y) for x in (2.5, 3.5, 4.5, 5.5) for y in (1.5, 2.5, 3.5)} - {(x, 2.5) for x in (3.5, 4.5)}
    for axes in figure.canvas.axes[:3]:
        white, black = axes.lines[-2:]
        assert (white.get_color(), black.get_color()) == ("white", "black")
        x, y = black.get_data()
        edges = np.stack([x, y], axis=1).reshape(-1, 3, 2)[:, :2]
        assert len(edges) == 10
        assert {tuple(end) for edge in edges for end in edge} == around
        np.testing.assert_allclose(np.abs(edges[:, 1] - edges[:, 0]).sum(axis=1), 1)
        assert axes.get_xlim() == (-0.5, 7.5)
        assert axes.get_ylim() == (5.5, -0.5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_the_outline_is_as_long_as_the_boundary(seed):
    mask = np.random.default_rng(seed).random((5, 4)) > 0.5
    mask[0, 0] = True
    padded = np.pad(mask, 1)
    length = (padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum()
    axes = show.attributions(np.zeros((5, 4)), {"a": np.ones((5, 4))}, mask=mask).canvas.axes[1]
    assert (axes.get_xlim(), axes.get_ylim()) == ((-0.5, 3.5), (4.5, -0.5))
    assert np.isfinite(axes.lines[-1].get_xdata()).sum() == 2 * length


def test_without_a_mask_there_is_no_outline():
    figure = show.attributions(GREY, {"a": values(r0c0=1)})
    assert all(line.get_color() == plates.GREY for line in figure.canvas.axes[1].lines)
    assert "object" not in figure.alt


# --- the text


def test_alt_text_tells_masses_and_how_much_of_them_is_inside_the_object():
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:6] = True
    array = values(r2c3=5, r3c5=2, r0c0=3, r5c7=-10)  # positive mass 10, 7 of it inside; negative mass 10
    alt = show.attributions(GREY, {"IG": attribution(array), "b": -values(r2c3=2)}, mask=mask).alt
    assert alt.startswith("Maps beside a picture of 6 by 8 pixels. ")
    assert "The outline holds 12.5% of the picture. " in alt
    assert "about 50% of its mass positive, positive mass about 70% inside the outline; " in alt
    assert "IG (NOT complete: do not read it as shares of F(x) - F(x')): " in alt
    assert alt.endswith("b: strongest in the centre, about 0% of its mass positive.")


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [
        (0, 0, "in the upper left"),
        (1, 10, "at the top"),
        (2, 20, "in the upper right"),
        (8, 1, "at the left"),
        (7, 9, "in the centre"),
        (9, 18, "at the right"),
        (14, 3, "in the lower left"),
        (12, 11, "at the bottom"),
        (14, 20, "in the lower right"),
    ],
)
def test_alt_text_says_in_words_where_a_method_is_strongest(row, column, place):
    array = np.full((15, 21), 0.01)
    array[row, column] = -3
    assert f"a: strongest {place}, " in show.attributions(np.zeros((15, 21)), {"a": array}).alt


def test_alt_text_says_that_an_even_map_is_spread_and_a_faint_one_next_to_nothing():
    noise = np.random.default_rng(0).normal(size=(30, 30))
    alt = show.attributions(np.zeros((30, 30)), {"noise": noise, "faint": noise / 100}).alt
    assert "noise: spread over the picture, " in alt
    assert "faint: next to nothing" in alt


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_alt_text_does_not_change_with_rounding_errors(seed):
    generator = np.random.default_rng(seed)
    array = np.exp(generator.normal(size=(6, 8))) - 0.5
    mask = generator.random((6, 8)) > 0.5
    mask[0, 0] = True
    one, other = (
        show.attributions(GREY, {"a": array * (1 + error)}, mask=mask).alt
        for error in (0, 1e-9 * generator.normal(size=(6, 8)))
    )
    assert one == other
    percentages = re.findall(r"about (\d+)%", one)
    assert percentages
    assert all(int(number) % 5 == 0 for number in percentages)


# --- layout


def boxes(figure):
    """The places that text and panels take, in a notebook: name -> a box."""
    agg = FigureCanvasAgg(figure.canvas)
    figure.canvas.set_dpi(80)
    agg.draw()
    texts = [text for text in figure.canvas.findobj(Text) if text.get_text() and text.get_visible()]
    found = [(text.get_text(), text.get_window_extent(agg.get_renderer())) for text in texts]
    return found + [("panel", axes.get_window_extent()) for axes in figure.canvas.axes], figure.canvas.bbox


LAYOUTS = {
    "one method": ((6, 8), 1, {}),
    "five panels": ((6, 8), 4, {}),
    "two rows": ((6, 8), 5, {}),
    "three rows": ((8, 6), 12, {}),
    "wide": ((10, 140), 2, {}),
    "tall": ((140, 10), 2, {}),
    "large": ((227, 227), 2, {"smooth": 2}),
}


@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_overlaps_or_leaves_the_figure(layout, units):
    size, count, options = LAYOUTS[layout]
    array = 1e-5 * np.random.default_rng(0).normal(size=(3, *size))  # long numbers on the colour bars
    answers = {f"method {n} of a long name": attribution(array) for n in range(count)}
    if units == 2:
        answers["gradient"] = attribution(array, f_baseline=None)
    found, canvas = boxes(show.attributions(np.zeros(size), answers, **options))
    assert canvas.width <= 12 * 80
    for name, box in found:
        assert canvas.x0 <= box.x0 <= box.x1 <= canvas.x1, name
        assert canvas.y0 <= box.y0 <= box.y1 <= canvas.y1, name
    for (name, box), (other, other_box) in itertools.combinations(found, 2):
        apart = box.x1 <= other_box.x0 or other_box.x1 <= box.x0 or box.y1 <= other_box.y0 or other_box.y1 <= box.y0
        assert apart, f"{name!r} overlaps {other!r}"


# --- what comes out


def test_a_photograph_with_two_maps_takes_under_400_kilobytes_in_a_notebook():
    picture = chelsea()[36:263, 112:339].transpose(2, 0, 1) / 255
    noise = np.random.default_rng(0).normal(size=(2, 3, 227, 227))
    figure = show.attributions(picture, {"a": noise[0], "b": noise[1]}, smooth=2)
    png, _ = figure._repr_png_()
    assert len(figure._repr_html_()) + 4 / 3 * len(png) < 400_000


def test_a_figure_can_be_saved_as_png_and_svg_with_its_description(tmp_path):
    mask = np.eye(6, 8, dtype=bool)
    figure = show.attributions(GREY, {NAME: values(r0c0=1)}, mask=mask)
    assert NAME in figure.alt
    figure.save(tmp_path / "figure.png")
    figure.save(tmp_path / "figure.svg")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    root = ElementTree.parse(tmp_path / "figure.svg").getroot()
    assert figure.alt in [element.text for element in root.iter() if element.tag.endswith("description")]
    assert len([element for element in root.iter() if element.tag.endswith("}image")]) >= 2


# --- input


@pytest.mark.parametrize("shape", [(6, 8), (1, 6, 8), (3, 6, 8)])
@pytest.mark.parametrize("convert", [torch.tensor, np.asarray], ids=["tensor", "array"])
def test_pictures_and_values_come_as_tensors_or_arrays(shape, convert):
    picture, array = np.full(shape, 0.5), np.ones(shape)
    figure = show.attributions(convert(picture), {"a": convert(array)}, mask=convert(values(r0c0=1) > 0))
    assert pixels(figure, 0).shape == pixels(figure, 1).shape == (6, 8, 3)


def test_what_is_shown_is_left_as_it_was():
    picture, array = torch.full((1, 6, 8), 0.5, requires_grad=True), torch.randn(1, 6, 8, dtype=torch.bfloat16)
    copy = array.clone()
    show.attributions(picture, {"a": array}, smooth=1)
    assert torch.equal(array, copy)
    assert picture.requires_grad
    assert picture.grad is None


ONE = {"a": values(r0c0=1)}


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((GREY, {}), {}, "answers is empty; pass a dictionary"),
        ((GREY, attribution(values())), {}, "answers is Attribution; pass a dictionary"),
        ((np.zeros((6, 8, 3)), ONE), {}, r"picture has shape \(6, 8, 3\); pass one picture: \(3, H, W\)"),
        ((np.zeros((1, 3, 6, 8)), ONE), {}, r"picture has shape \(1, 3, 6, 8\); pass one picture"),
        ((GREY * 255, ONE), {}, r"picture runs from 128 to 128; pass it in \[0, 1\], before any normalisation"),
        ((GREY - 1, ONE), {}, "picture runs from -0.5 to -0.5"),
        ((GREY * np.nan, ONE), {}, "picture are empty or hold NaN or infinity"),
        ((GREY, {"a": values(r0c0=np.nan)}), {}, r"answers\['a'\] are empty or hold NaN"),
        ((GREY, {"a": np.zeros((8, 6))}), {}, r"answers\['a'\] has values of shape \(8, 6\); the picture has \(6, 8\)"),
        ((GREY, {"a": np.zeros((1, 3, 6, 8))}), {}, r"answers\['a'\] has values of shape \(1, 3, 6, 8\)"),
        (
            (GREY, {"a": Attribution(torch.ones(2, 3, 6, 8), torch.ones(2), None, 1)}),
            {},
            r"answers\['a'\] holds 2 examples; pass the Attribution of one picture",
        ),
        (
            (GREY, {"a": Attribution((torch.ones(1, 6, 8),), torch.ones(1), None, 1)}),
            {},
            r"answers\['a'\] is about several inputs; draw it with show.attribution",
        ),
        ((GREY, ONE), {"mask": np.zeros((6, 8), bool)}, "mask marks no pixel"),
        (
            (GREY, ONE),
            {"mask": np.ones((8, 6), bool)},
            r"mask is bool of shape \(8, 6\); .* pass bool of shape \(6, 8\)",
        ),
        ((GREY, ONE), {"mask": np.ones((6, 8))}, "mask is float64 of shape"),
        ((GREY, ONE), {"smooth": -1}, "smooth is -1; pass a standard deviation in pixels"),
        ((GREY, ONE), {"smooth": np.nan}, "smooth is nan"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        show.attributions(*arguments, **options)
