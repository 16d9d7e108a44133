"""Any answer can be drawn: bars, maps, groups and panels show the values that they claim to show."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

import igteach
from igteach import Attribution, show
from igteach.methods.token_answer import TokenAttribution
from igteach.show import plates
from igteach.show.answers import MOST_BARS
from igteach.show.palette import ABOVE, BELOW, WHITE_IS_ZERO

NAMES = ("age", "dose", "pulse")


def answer(values, f_input=None, f_baseline=True, **fields):
    """One that adds up, unless F(x) is given."""
    tensors = list(values.values()) if isinstance(values, dict) else values
    tensors = tensors if isinstance(tensors, list | tuple) else [tensors]
    total = sum(tensor.reshape(len(tensor), -1).sum(1, dtype=torch.float64) for tensor in tensors)
    total = total if f_input is None else torch.full_like(total, f_input)
    return Attribution(values, total, torch.zeros_like(total) if f_baseline else None, 1, **fields)


def drawn(figure, place=0):
    return figure.canvas.axes[place]


def bars_of(axes):
    labels = [label.get_text() for label in axes.get_yticklabels()]
    widths = [bar.get_width() for bar in axes.patches]
    return dict(zip(labels, widths, strict=True))


def colours_of(axes):
    return axes.images[0].get_array()


TABLE = answer(torch.tensor([[0.0, 0.0, 9.0], [0.25, -2.0, 1.0]]), feature_names=NAMES)


def test_a_row_of_a_table_is_bars_with_names_the_largest_first():
    figure = show.attribution(TABLE, example=1)
    assert list(bars_of(drawn(figure)).items()) == [("dose", -2.0), ("pulse", 1.0), ("age", 0.25)]
    colours = [bar.get_facecolor()[:3] for bar in drawn(figure).patches]
    assert colours == [to_rgb(BELOW), to_rgb(ABOVE), to_rgb(ABOVE)]
    assert [bool(bar.get_hatch()) for bar in drawn(figure).patches] == [True, False, False]
    low, high = drawn(figure).get_ylim()
    assert low > high, "the first bar is at the top"
    assert figure.alt == "F goes from 0 to -0.75. The shares add up. Bars: dose -2, pulse +1, age +0.25."
    assert drawn(figure).get_xlabel() == "share of F"


def test_a_gradient_has_its_own_unit_and_promises_no_sum():
    figure = show.attribution(answer(torch.ones(1, 2), f_baseline=False))
    assert figure.alt.startswith("F is 2. These are slopes, which need not add up.")
    assert drawn(figure).get_xlabel() == "F per unit of x"


def test_many_names_leave_one_bar_for_all_others():
    values = torch.arange(1.0, 31)[None]
    figure = show.attribution(answer(values, feature_names=tuple(f"x{i}" for i in range(1, 31))))
    bars = bars_of(drawn(figure))
    assert len(bars) == MOST_BARS + 1
    assert bars["the other 15"] == sum(range(1, 16))
    assert sum(bars.values()) == values.sum()


def test_one_bar_more_is_drawn_and_not_called_the_other_1():
    figure = show.attribution(answer(torch.ones(1, 16), feature_names=tuple("abcdefghijklmnop")))
    assert "the other" not in figure.alt


def test_many_features_without_names_stay_in_their_order():
    values = torch.randn(1, 40)
    figure = show.attribution(answer(values))
    assert [bar.get_height() for bar in drawn(figure).patches] == pytest.approx(values[0].tolist())
    highest = int(values.argmax())
    assert f"40 bars in order: highest {show.rounded(values[0, highest], 2):+g} at place {highest}" in figure.alt


@pytest.mark.parametrize(
    ("f_input", "error", "words"),
    [
        (1.0, 0.0, "F goes from 0 to 1. The shares add up."),
        (1.03, 0.0, "F goes from 0 to 1. The shares add up roughly: 97.1% of F's change."),
        (2.0, 0.0, "F goes from 0 to 2. The shares do NOT add up: 50.0% of F's change."),
        (0.8, 0.0, "F goes from 0 to 0.8. The shares do NOT add up: 125.0% of F's change."),
        (-2.0, 0.0, "F goes from 0 to -2. The shares do NOT add up: -50.0% of F's change."),
        (1.0, 0.2, "F goes from 0 to 1. The shares add up; single shares off by about 20%."),
    ],
)
def test_the_verdict_stands_in_the_picture(f_input, error, words):
    figure = show.attribution(
        answer(torch.tensor([[0.25, 0.75]]), f_input, error_estimate=torch.tensor([error], dtype=torch.float64))
    )
    assert figure.alt.startswith(words)
    assert " ".join(figure.canvas.get_suptitle().split()) == words


def test_a_series_of_one_number_a_step_is_drawn_as_a_row_of_features_is():
    series = torch.randn(1, 30, 1, generator=torch.Generator().manual_seed(0))
    alike = [show.attribution(answer(values)).alt for values in (series, series[..., 0])]
    assert alike[0] == alike[1]
    assert "Map" not in alike[0]


def test_the_verdict_is_that_of_the_example_drawn():
    both = Attribution(torch.ones(2, 1), torch.tensor([1.0, 5.0]), torch.zeros(2), 1)
    assert "The shares add up." in show.attribution(both).alt
    assert "20.0% of F's change" in show.attribution(both, example=1).alt


def test_a_map_is_white_where_nothing_is_orange_above_and_blue_below():
    values = torch.zeros(1, 3, 2, 2)
    values[0, :, 0, 1], values[0, 1, 1, 0] = 0.5, -1.5
    figure = show.attribution(answer(values))
    colours = colours_of(drawn(figure))
    np.testing.assert_allclose(colours[0, 0], [1, 1, 1])
    np.testing.assert_allclose(colours[0, 1], WHITE_IS_ZERO(1.0)[:3])
    np.testing.assert_allclose(colours[1, 0], WHITE_IS_ZERO(0.0)[:3])
    assert "Map: strongest in row 1, column 2 of 2 by 2, about 50% of its mass positive." in figure.alt
    assert len(drawn(figure).collections) == 1, "the hatch of the negative square"
    assert show.attribution(answer(values.abs())).canvas.axes[0].collections[:] == []


def test_the_picture_beneath_is_seen_where_shares_are_zero_and_gives_way_where_they_are_large(monkeypatch):
    monkeypatch.setattr(plates, "FEW_SQUARES", 2)
    values = torch.tensor([[[0.0, 0.0, 1.0]]])
    colours = colours_of(drawn(show.attribution(answer(values), torch.tensor([[0.5, 1.0, 0.5]]))))
    np.testing.assert_allclose(colours[0, 0], 0.85)
    np.testing.assert_allclose(colours[0, 1], 1.0, atol=1e-6)
    np.testing.assert_allclose(colours[0, 2], WHITE_IS_ZERO(1.0)[:3])


def test_ink_on_black_is_grey_on_white_beneath_a_map(monkeypatch):
    monkeypatch.setattr(plates, "FEW_SQUARES", 2)
    values, ink = torch.tensor([[[0.0, 0.0, 1.0]]]), torch.tensor([[0.0, 1.0, 0.0]])
    colours = colours_of(drawn(show.attribution(answer(values), ink)))
    np.testing.assert_allclose(colours[0, :2, 0], [1.0, 0.7], atol=1e-6)


def test_an_outlier_among_many_pixels_is_clipped_and_the_caption_says_so():
    values = torch.full((1, 1, 50, 50), 0.5)
    values[0, 0, 0, 0] = 100.0
    figure = show.attribution(answer(values))
    np.testing.assert_allclose(colours_of(drawn(figure))[-1, -1], WHITE_IS_ZERO(1.0)[:3])
    assert "percentile 99.5 of |value|; larger ones are clipped" in figure.alt
    sparse = torch.zeros(1, 1, 50, 50)
    sparse[0, 0, 0, 0] = 100.0
    assert "the largest |value|" in show.attribution(answer(sparse)).alt


def test_steps_by_named_features_are_a_row_for_each_name():
    values = torch.zeros(1, 5, 3)
    values[0, 4, 2] = 2.0
    figure = show.attribution(answer(values, feature_names=NAMES))
    assert [label.get_text() for label in drawn(figure).get_yticklabels()] == list(NAMES)
    np.testing.assert_allclose(colours_of(drawn(figure))[2, 4], WHITE_IS_ZERO(1.0)[:3])
    assert "Map of 3 features over 5 steps: most in pulse." in figure.alt


@pytest.mark.parametrize("shape", [(4, 6), (1, 4, 6), (2, 1, 4, 6)])
def test_groups_lie_back_on_the_picture(shape):
    values = torch.randn(2, 3, 4, 6, dtype=torch.float64)
    groups = igteach.groups.patches(4, 6, 2).expand(shape)
    grouped = answer(values).grouped(groups)
    figure = show.attribution(grouped, torch.ones(3, 4, 6), groups=groups.numpy(), example=1)
    top = grouped.values[1].abs().max()
    for row, column in ((0, 0), (3, 5), (1, 2)):
        share = grouped.values[1, row // 2 * 3 + column // 2] / top
        wanted = WHITE_IS_ZERO((share.item() + 1) / 2)[:3]
        np.testing.assert_allclose(colours_of(drawn(figure))[row, column], wanted, atol=1e-6)
    assert "Each place has the colour of its group's share." in figure.alt


def test_groups_of_each_example_are_those_of_the_example_drawn():
    groups = torch.tensor([[[[0, 1]]], [[[1, 0]]]])
    grouped = answer(torch.tensor([[[[1.0, 0.0]]], [[[1.0, 0.0]]]])).grouped(groups)
    for example in (0, 1):
        colours = colours_of(drawn(show.attribution(grouped, groups=groups, example=example)))
        np.testing.assert_allclose(colours[0, 0], WHITE_IS_ZERO(1.0)[:3])
        np.testing.assert_allclose(colours[0, 1], 1.0)


def test_windows_of_a_series_are_bars_in_their_place():
    groups = torch.arange(48) // 24
    figure = show.attribution(answer(torch.ones(1, 48)).grouped(groups), groups=groups)
    assert [bar.get_height() for bar in drawn(figure).patches] == [24.0] * 48


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_several_inputs_are_a_panel_each_and_maps_share_one_scale(form):
    values = {"left": torch.tensor([[[[1.0, 0.0]]]]), "right": torch.tensor([[[[-2.0, 0.0]]]]), "age": torch.ones(1, 1)}
    pictures = {"left": torch.zeros(1, 2)}
    if form == "tuple":
        figure = show.attribution(answer(tuple(values.values())), tuple(pictures.get(name) for name in values))
    else:
        figure = show.attribution(answer(values), pictures)
    names = list(values) if form == "dict" else ["input 0", "input 1", "input 2"]
    titles = [axes.get_title() for axes in figure.canvas.axes[:3]]
    assert titles == [f"{names[0]}: +1 in all", f"{names[1]}: -2 in all", f"{names[2]}: +1 in all"]
    np.testing.assert_allclose(colours_of(drawn(figure, 1))[0, 0], WHITE_IS_ZERO(0.0)[:3])
    np.testing.assert_allclose(colours_of(drawn(figure, 0))[0, 0], WHITE_IS_ZERO(0.75)[:3])
    assert bars_of(drawn(figure, 2)) == {"0": 1.0}
    assert len(figure.canvas.axes) == 4, "one colour scale"


def test_smoothing_is_said_and_keeps_the_sum(monkeypatch):
    values = torch.zeros(1, 1, 9, 9)
    values[0, 0, 0, 0] = 1.0
    seen = []
    monkeypatch.setattr("igteach.show.answers.map_in_words", lambda image, *_: seen.append(image) or "")
    figure = show.attribution(answer(values), smooth=2)
    assert seen[0].sum() == pytest.approx(1.0)
    assert seen[0].max() < 0.5
    assert "Smoothed for display over 2 pixels." in figure.alt


def test_a_text_is_coloured_text():
    evidence = answer(torch.tensor([[0.5, 0.25]]))
    reading = TokenAttribution(
        "ab", ("a", "b"), ((0, 1), (1, 2)), (0, 1), torch.tensor([0.5, 0.25]), "yes", "yes", evidence, False
    )
    assert show.attribution(reading).html == show.text(reading).html
    with pytest.raises(ValueError, match="answer is of a text; leave them out"):
        show.attribution(reading, torch.zeros(2, 2))


def test_a_figure_is_saved_with_its_words(tmp_path):
    show.attribution(answer({"image": torch.randn(1, 3, 5, 5), "$ount": torch.ones(1, 2)})).save(tmp_path / "a.svg")
    assert "The shares add up." in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("values", [torch.zeros(1, 3), torch.zeros(1, 4, 4), torch.ones(1)])
def test_zeros_and_single_shares_can_be_drawn(values):
    assert show.attribution(answer(values))._repr_html_()


PICTURE = answer(torch.ones(1, 3, 4, 4))
PAIR = answer({"a": torch.ones(1, 2), "b": torch.ones(1, 4, 4)})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: show.attribution(torch.ones(1, 3)), TypeError, "answer is Tensor; pass the Attribution"),
        (lambda: show.attribution([TABLE]), TypeError, "answer is list; pass .* one answer a call"),
        (lambda: show.attribution(TABLE, example=2), ValueError, "example is 2, and the answer has 2; pass 0 to 1"),
        (lambda: show.attribution(answer(torch.ones(1, 2, 3, 4, 4))), ValueError, r"\(2, 3, 4, 4\).*add axes up first"),
        (lambda: show.attribution(PICTURE, torch.ones(4, 5)), ValueError, r"picture has \(4, 5\) pixels"),
        (lambda: show.attribution(PICTURE, torch.full((4, 4), 2.0)), ValueError, r"pass it in \[0, 1\]"),
        (lambda: show.attribution(TABLE, torch.ones(1, 3)), ValueError, r"the values have shape \(3,\)"),
        (lambda: show.attribution(PICTURE, groups=torch.ones(4, 4).long()), ValueError, "pass the answer of grouped"),
        (lambda: show.attribution(TABLE, groups=torch.tensor([0, 3])), ValueError, "groups has 4 groups"),
        (lambda: show.attribution(TABLE, groups=torch.ones(3, 4, 4).long()), ValueError, r"shape \(3, 4, 4\); draw"),
        (lambda: show.attribution(PAIR, torch.ones(4, 4)), ValueError, "picture is Tensor, and answer has the inputs"),
        (lambda: show.attribution(PAIR, {"c": torch.ones(4, 4)}), ValueError, r"picture is \['c'\].*\['a', 'b'\]"),
        (lambda: show.attribution(PAIR, groups=[0, 1]), ValueError, "answer has several inputs; leave them out"),
        (lambda: show.attribution(PICTURE, smooth=-1), ValueError, "smooth is -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
