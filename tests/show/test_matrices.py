"""A matrix shows each number in the colour and the words that it claims, under the names of its row and column."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from igteach import Attribution, show
from igteach.methods.token_answer import TokenAttribution
from igteach.show.palette import WHITE_IS_ZERO

VALUES = [[0.5, -1.0, 0.0], [0.04, 0.06, 0.25]]
ROWS, COLUMNS = ["answer", "end"], ["my", "long", "prompt"]


def explained(target, scores, tokens=("how", " many", " lands")):
    values = torch.tensor([scores])
    ends = [sum(len(token) for token in tokens[: i + 1]) for i in range(len(tokens))]
    return TokenAttribution(
        text="".join(tokens),
        tokens=tokens,
        offsets=tuple(zip([0, *ends[:-1]], ends, strict=True)),
        words=tuple(range(len(tokens))),
        scores=values[0],
        target=target,
        prediction=target,
        evidence=Attribution(values, values.sum(1), torch.zeros(1), 1),
        truncated=False,
    )


ANSWERS = [explained(" who", [0.5, -0.25, 0.0]), explained(" is\n", [0.0, 0.1, 2.0])]


def pane(figure):
    return figure.canvas.axes[0]


def names_of(figure):
    rows, columns = (
        [label.get_text() for label in labels]
        for labels in (pane(figure).get_yticklabels(), pane(figure).get_xticklabels())
    )
    return rows, columns


def printed(figure):
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text() for text in pane(figure).texts
    }


def luminance(colour):
    srgb = np.array(to_rgb(colour))
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def test_each_number_has_its_cell_on_one_scale_with_white_as_zero():
    figure = show.matrix(VALUES, ROWS, COLUMNS)
    (image,) = pane(figure).images
    np.testing.assert_array_equal(image.get_array(), VALUES)
    assert (image.norm.vmin, image.norm.vmax) == (-1, 1)
    assert image.get_cmap() is WHITE_IS_ZERO
    np.testing.assert_allclose(image.to_rgba([[0.0]])[0, 0, :3], 1, atol=0.01)
    assert names_of(figure) == (ROWS, COLUMNS)
    low, high = pane(figure).get_ylim()
    assert low > high, "the first row is at the top"


def test_numbers_stand_in_their_cells_with_a_sign_unless_they_are_next_to_nothing():
    assert printed(show.matrix(VALUES, ROWS, COLUMNS)) == {
        (0, 0): "+0.5",
        (0, 1): "-1",
        (1, 1): "+0.06",
        (1, 2): "+0.25",
    }
    assert printed(show.matrix([[123.456, -7.891]], ["a"], ["b", "c"])) == {(0, 0): "+120", (0, 1): "-7.9"}


@pytest.mark.parametrize("sign", [1, -1])
def test_every_number_is_readable_on_its_colour(sign):
    strengths = np.linspace(0.05, 1, 40)
    figure = show.matrix(sign * strengths[:, None], [str(i) for i in range(40)], ["a"])
    (image,) = pane(figure).images
    assert len(pane(figure).texts) == 40
    for text in pane(figure).texts:
        row = round(text.get_position()[1])
        behind = image.to_rgba(image.get_array())[row, 0, :3]
        low, high = sorted([luminance(text.get_color()), luminance(behind)])
        assert (high + 0.05) / (low + 0.05) >= 4.5, strengths[row]


def test_answers_are_rows_named_by_their_targets_over_the_tokens_of_the_prompt():
    figure = show.matrix(ANSWERS)
    (image,) = pane(figure).images
    torch.testing.assert_close(
        torch.tensor(np.array(image.get_array())).float(), torch.stack([each.scores for each in ANSWERS])
    )
    assert names_of(figure) == (["who", "is↵"], ["how", "many", "lands"])
    named = show.matrix(ANSWERS, ["one", "two"], ["a", "b", "c"])
    assert names_of(named) == (["one", "two"], ["a", "b", "c"])
    assert show.matrix(tuple(ANSWERS)).alt == figure.alt


def test_one_answer_is_one_row():
    assert show.matrix(ANSWERS[0]).alt == show.matrix([ANSWERS[0]]).alt
    assert names_of(show.matrix(ANSWERS[0])) == (["who"], ["how", "many", "lands"])


def test_the_alt_text_says_what_is_strongest_in_each_row():
    assert show.matrix(VALUES, ROWS, COLUMNS).alt == (
        "Matrix of share of F, 2 by 3. answer: strongest long -1; end: strongest prompt 0.25."
    )
    assert show.matrix(ANSWERS, unit="nats").alt == (
        "Matrix of nats, 2 by 3. who: strongest how 0.5; is↵: strongest lands 2."
    )


def test_the_unit_stands_below_the_scale():
    figure = show.matrix(VALUES, ROWS, COLUMNS, unit="nats")
    assert [axes.get_xlabel() for axes in figure.canvas.axes] == ["", "nats"]
    assert figure.canvas.axes[-1].get_xlim() == (-1, 1)


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list, lambda rows: [torch.tensor(row) for row in rows]])
def test_numbers_may_be_a_tensor_an_array_or_rows(kind):
    figure = show.matrix(kind(VALUES), ROWS, COLUMNS)
    np.testing.assert_allclose(pane(figure).images[0].get_array(), VALUES, rtol=1e-6)


def test_names_that_are_no_letters_are_seen_and_dollars_are_no_formula():
    figure = show.matrix([[1.0, 2.0, 3.0]], ["\n"], [" ", "$x", "$\\foo$"])
    assert names_of(figure) == (["↵"], ["␣", "$x", "$\\foo$"])
    figure._repr_png_()


def test_a_row_for_each_of_many_tokens_has_room():
    figure = show.matrix(torch.randn(30, 20), [f"row {i}" for i in range(30)], [f"token {i}" for i in range(20)])
    width, height = figure.canvas.get_size_inches()
    assert width > 0.5 * 20
    assert height > 0.4 * 30


def test_a_matrix_of_many_columns_fits_a_page_without_numbers_and_hatches_what_is_negative():
    values = np.zeros((9, 30))
    values[2, 3], values[5, 20] = -1.0, 1.0
    figure = show.matrix(values, [f"head {i}" for i in range(9)], [str(i) for i in range(30)])
    assert figure.canvas.get_size_inches()[0] < 10
    assert not pane(figure).texts
    hatched = [path.get_extents() for each in pane(figure).collections for path in each.get_paths() if len(path)]
    (place,) = hatched
    assert (round(place.x0, 1), round(place.y0, 1)) == (2.5, 1.5)
    assert names_of(figure)[1] == [str(i) for i in range(30)]


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ((VALUES,), TypeError, "rows or columns is None, and values are numbers; pass a list of str for each"),
        ((VALUES, ROWS), TypeError, "rows or columns is None, and values are numbers; pass a list of str for each"),
        ((VALUES, ROWS[:1], COLUMNS), ValueError, "values has shape (2, 3); there are 1 rows and 3 columns named"),
        ((VALUES, ROWS, COLUMNS[:2]), ValueError, "values has shape (2, 3); there are 2 rows and 2 columns named"),
        (([1.0, 2.0, 3.0], ["a"], COLUMNS), ValueError, "values has shape (3,); there are 1 rows and 3 columns named"),
        (([[np.nan, 1.0, 1.0]], ["a"], COLUMNS), ValueError, "are empty or hold NaN or infinity; draw finite numbers"),
        (([[np.inf, 1.0, 1.0]], ["a"], COLUMNS), ValueError, "are empty or hold NaN or infinity; draw finite numbers"),
        (([], [], []), ValueError, "are empty or hold NaN or infinity; draw finite numbers"),
        (([],), TypeError, "rows or columns is None"),
        ((ANSWERS, ["one"]), ValueError, "values has shape (2, 3); there are 1 rows and 3 columns named"),
        (
            ([ANSWERS[0], explained(" it", [1.0, 2.0], ("who", " is"))],),
            ValueError,
            "values are answers to prompts of other tokens, ['how', ' many', ' lands'] and ['who', ' is']; pass "
            "those of one prompt",
        ),
        (
            ([ANSWERS[0], explained(" it", [1.0, 2.0, 3.0], ("who", " is", " it"))],),
            ValueError,
            "values are answers to prompts of other tokens",
        ),
        (([ANSWERS[0], 1.0],), TypeError, "values hold answers beside something else; pass answers alone, or numbers"),
        ((5,), TypeError, "values is int; pass answers of token_attribution, or numbers (rows, columns)"),
        ((None,), TypeError, "values is NoneType; pass answers of token_attribution, or numbers (rows, columns)"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(arguments, kind, said):
    with pytest.raises(kind) as error:
        show.matrix(*arguments)
    assert said in str(error.value)


def test_answers_to_several_prompts_go_together_under_names_of_their_own():
    other = explained(" it", [1.0, 2.0, 3.0], ("who", " is", " it"))
    figure = show.matrix([ANSWERS[0], other], columns=["first", "second", "third"])
    assert names_of(figure) == (["who", "it"], ["first", "second", "third"])
