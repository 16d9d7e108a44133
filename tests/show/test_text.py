"""A highlighted text says by lightness, line and word which token speaks for the label, and keeps the text as it is."""

from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from igteach import Attribution, show
from igteach.methods.token_answer import TokenAttribution
from igteach.show.text import GIVEN


def explained(
    text, spans, scores, *, residual=0.0, target="NUM", prediction="NUM", truncated=False, tokens=None, **fields
):
    values = torch.tensor([scores])
    start = 0.1
    end = start + values.sum() - residual
    return TokenAttribution(
        text=text,
        tokens=tuple(tokens or (text[a:b] for a, b in spans)),
        offsets=tuple(spans),
        words=tuple(range(len(spans))),
        scores=values[0],
        target=target,
        prediction=prediction,
        evidence=Attribution(values, end[None], torch.tensor([start]), 64),
        truncated=truncated,
        **fields,
    )


def english(**options):
    spans = [(0, 0), (0, 3), (4, 8), (9, 13), (13, 14), (0, 0)]
    return explained("How many <b>? <i>now", spans, [0.0, 0.42, 0.31, -0.25, 0.001, 0.0], **options)


class Page(HTMLParser):
    """The text of the page, its marked pieces with their attributes, and what the screen reader says."""

    def __init__(self, html):
        super().__init__()
        self.open, self.spans, self.text, self.label, self.said = [], [], "", None, ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        attributes = dict(attributes)
        if tag == "span":
            self.spans.append(["", attributes])
        if "aria-label" in attributes:
            self.label = attributes["aria-label"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "span":
            self.spans[-1][0] += data
        if "small" in self.open:
            self.said += data
        elif self.open[-1] != "style":
            self.text += data


def style(attributes):
    pairs = (declaration.split(":", 1) for declaration in attributes["style"].split(";"))
    return {name.strip(): value.strip() for name, value in pairs}


def luminance(colour):
    """Relative luminance (IEC 61966-2-1)."""
    srgb = np.array(to_rgb(colour))
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_text_is_shown_as_it_is_each_token_with_its_score_on_hover():
    page = Page(show.text(english())._repr_html_())
    assert page.text == "How many <b>? <i>now"
    assert [(piece, attributes["title"]) for piece, attributes in page.spans] == [
        ("How", "+0.42"),
        ("many", "+0.31"),
        ("<b>?", "-0.25"),
        (" ", "+0.00"),
    ]


def test_colour_grows_with_the_score_and_a_line_tells_its_sign():
    *shown, (_, nothing) = Page(show.text(english())._repr_html_()).spans
    strong, less, against = (style(attributes) for _, attributes in shown)
    assert luminance(strong["background-color"]) < luminance(less["background-color"]) < 1
    assert "style" not in nothing, "a neutral word carries no ink"
    lines = [one["text-decoration"] for one in (strong, less, against)]
    assert lines == ["underline 3px solid", "underline 3px solid", "underline 3px dotted"]


def test_the_scale_is_printed_and_numbers_are_seen_on_touch_and_in_print():
    html = show.text(english())._repr_html_()
    assert Page(html).said.endswith("next to nothing.")
    assert "-0.42-0.21+0.21+0.42" in Page(html).said
    assert ".share:is(:hover, :focus)::after" in html
    assert "@media print {.share::after" in html
    focusable = [attributes.get("tabindex") for _, attributes in Page(html).spans]
    assert focusable == ["0", "0", "0", None]


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20))
def test_every_token_is_readable_whatever_its_score(scores):
    spans = [(i, i + 1) for i in range(len(scores))]
    for _, attributes in Page(show.text(explained("x" * len(scores), spans, scores))._repr_html_()).spans:
        if "style" not in attributes:
            continue
        look = style(attributes)
        assert contrast(look["background-color"], look["color"]) >= 4.5


def test_the_residual_stands_below_with_the_label_and_what_the_model_chooses():
    shown = show.text(english(residual=0.25))
    for said in (Page(shown._repr_html_()).said, repr(shown)):
        assert "NUM, which the model chooses: from 0.10 at the baseline to 0.33" in said
        assert "residual +0.250" in said
        assert "NOT complete" in said
    other = show.text(english(prediction="HUM"))
    assert "NUM, where the model chooses HUM: from 0.10" in repr(other)
    for nothing in (0.0, 4e-4, -4e-4):
        assert "residual 0.000: complete" in repr(show.text(english(residual=nothing)))
    assert "residual -0.001" in repr(show.text(english(residual=-6e-4)))


def test_the_answer_so_far_stands_behind_the_prompt_without_a_score():
    prompt, told = english(), english(given=" <she>")
    shown, page = show.text(told), Page(show.text(told)._repr_html_())
    assert page.spans[-1] == [" <she>", {"title": GIVEN, "style": "opacity: 0.7"}]
    assert page.spans[:-1] == Page(show.text(prompt)._repr_html_()).spans
    scored, *_ = show.text(prompt).text.splitlines()
    assert shown.text.startswith(f"{scored} <she>\n")
    assert page.label == f"{scored} <she>"


def test_the_terminal_and_the_screen_reader_get_words():
    shown = show.text(english())
    assert repr(shown).startswith("How(+0.42) many(+0.31) <b>?(-0.25) (+0.00)<i>now\nNUM, which")
    page = Page(shown._repr_html_())
    assert page.label == repr(shown).splitlines()[0]
    assert 'role="img"' in shown._repr_html_()


def test_chinese_gets_no_spaces_and_right_to_left_its_direction():
    zh = show.text(explained("房间很好", [(0, 1), (1, 2), (2, 3), (3, 4)], [0.0, -0.1, 0.2, 0.3]))
    assert repr(zh).startswith("房(+0.00)间(-0.10)很(+0.20)好(+0.30)\n")
    assert Page(zh._repr_html_()).text == "房间很好"
    he = show.text(explained("שלום עולם", [(0, 4), (5, 9)], [0.1, -0.2]))._repr_html_()
    assert Page(he).text == "שלום עולם"
    assert 'dir="auto"' in he


def test_the_bytes_of_an_emoji_are_one_piece_with_the_sum_of_their_scores():
    shown = show.text(
        explained("a 👩‍👧!", [(0, 1), (2, 3), (2, 3), (2, 4), (4, 5), (5, 6)], [0.5, 0.1, 0.1, 0.1, 0.0, -0.2])
    )
    assert repr(shown).startswith("a(+0.50) 👩‍(+0.30)👧(+0.00)!(-0.20)\n")
    assert Page(shown._repr_html_()).text == "a 👩‍👧!"


def test_a_token_that_stands_nowhere_is_seen_where_it_has_a_share():
    shown = show.text(
        explained("ab", [(0, 1), (1, 1), (1, 2), (0, 0)], [0.1, 0.2, 0.3, 0.0], tokens=("a", "_", "b", "</s>"))
    )
    assert repr(shown).startswith("a(+0.10)[_](+0.20)b(+0.30)\n")


def test_several_texts_share_one_scale_and_a_cut_one_says_so():
    weak, strong = explained("a", [(0, 1)], [0.1]), explained("b unread", [(0, 1)], [0.8], truncated=True)
    alone, (first, second) = (
        Page(show.text(weak)._repr_html_()).spans,
        Page(show.text([weak, strong])._repr_html_()).spans,
    )
    assert style(alone[0][1])["background-color"] == style(second[1])["background-color"]
    assert style(first[1])["background-color"] != style(second[1])["background-color"]
    assert "the model did not read all of the text" in repr(show.text([weak, strong])).splitlines()[3]
    assert "all of the text" not in repr(show.text(weak))


def test_nothing_but_zeros_is_blank():
    (span,) = Page(show.text(explained("a", [(0, 1)], [0.0]))._repr_html_()).spans
    assert "style" not in span[1]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=15), st.data())
def test_no_character_is_lost_and_no_score_moves(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    spans = [span for span in pairwise(cuts) if data.draw(st.booleans())] or [(0, 1)]
    scores = [round(0.01 * (i + 1), 2) for i in range(len(spans))]
    page = Page(show.text(explained(text, spans, scores))._repr_html_())
    assert page.text == text
    assert [(piece, attributes["title"]) for piece, attributes in page.spans] == [
        (text[a:b], f"{score:+.2f}") for (a, b), score in zip(spans, scores, strict=True)
    ]


def test_tokens_and_scores_from_elsewhere_are_shown_without_a_residual():
    shown = show.text(["not", "<b>ad", "."], [-0.5, 1.25, 0.0])
    assert repr(shown) == "not(-0.50) <b>ad(+1.25) .(+0.00)"
    page = Page(shown._repr_html_())
    assert page.text == "not <b>ad ."
    assert page.label == repr(shown)
    assert [(piece, attributes["title"]) for piece, attributes in page.spans] == [
        ("not", "-0.50"),
        ("<b>ad", "+1.25"),
        (".", "+0.00"),
    ]
    assert "residual" not in page.said
    assert "-1.2-0.62+0.62+1.2" in page.said


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_scores_may_be_of_any_kind(kind):
    assert repr(show.text(("a", "b"), kind([0.5, -0.25]))) == "a(+0.50) b(-0.25)"


def test_tokens_that_bring_their_own_space_get_no_other():
    assert Page(show.text(["how", " many", " lands", "?"], [1, 2, 3, 4])._repr_html_()).text == "how many lands?"
    assert Page(show.text(["how", "many"], [1, 2])._repr_html_()).text == "how many"
    assert Page(show.text(["how", "\nmany"], [1, 2])._repr_html_()).text == "how\nmany"


def test_plain_tokens_look_as_those_of_an_answer_do():
    spans = [(0, 3), (4, 7)]
    ours = Page(show.text(explained("not bad", spans, [-0.5, 1.25]))._repr_html_())
    plain = Page(show.text(["not", "bad"], [-0.5, 1.25])._repr_html_())
    assert plain.spans == ours.spans
    assert plain.text == ours.text


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4), st.floats(-9, 9))
    )
)
def test_every_plain_token_keeps_its_score(pairs):
    if not pairs:
        return
    tokens, scores = zip(*pairs, strict=True)
    page = Page(show.text(tokens, scores)._repr_html_())
    assert [(piece, attributes["title"]) for piece, attributes in page.spans] == [
        (token, f"{score:+.2f}") for token, score in pairs
    ]


def test_what_f_is_stands_below_where_the_answer_names_it():
    asked = {"f_name": "logit of ' Mary' minus that of ' John'", "target": " Mary"}
    chosen = show.text(english(**asked, prediction=" Mary"))
    assert "logit of ' Mary' minus that of ' John' (the model chooses ' Mary'): from 0.10 at the baseline" in repr(
        chosen
    )
    other = show.text(english(**asked, prediction=" the"))
    assert "logit of ' Mary' minus that of ' John' (the model chooses ' the'): from 0.10" in repr(other)
    assert "logit of &#x27; Mary&#x27;" in chosen._repr_html_()


ANSWER = explained("a", [(0, 1)], [0.1])


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (
            (["a", "b"],),
            TypeError,
            "scores go with a list of tokens as str, and a list of str with scores; pass both, or",
        ),
        ((ANSWER, [1.0]), TypeError, "scores go with a list of tokens as str"),
        (([ANSWER], [1.0]), TypeError, "scores go with a list of tokens as str"),
        (([], []), TypeError, "scores go with a list of tokens as str"),
        ((["a", "b"], [1.0]), ValueError, "scores has shape (1,), and there are 2 tokens; pass one for each"),
        ((["a"], [[1.0]]), ValueError, "scores has shape (1, 1), and there are 1 tokens; pass one for each"),
        ((["a"], [np.nan]), ValueError, "scores are empty or hold NaN or infinity; draw finite numbers"),
        (
            (["a", ANSWER], [1.0, 2.0]),
            TypeError,
            "attributions holds TokenAttribution, str; pass answers of token_attrib",
        ),
        (
            ([ANSWER, "a"],),
            TypeError,
            "attributions holds TokenAttribution, str; pass answers of token_attribution, or",
        ),
        (
            ([1, 2], [1.0, 2.0]),
            TypeError,
            "attributions holds int; pass answers of token_attribution, or tokens as str",
        ),
        (([None],), TypeError, "attributions holds NoneType; pass answers of token_attribution, or tokens as str with"),
        (
            (None,),
            TypeError,
            "attributions is NoneType; pass answers of token_attribution, or tokens as str with scores",
        ),
        ((5, [1.0]), TypeError, "attributions is int; pass answers of token_attribution, or tokens as str with scores"),
        (
            ("not", [1.0, 2.0, 3.0]),
            TypeError,
            "attributions is str; pass answers of token_attribution, or tokens as str",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(arguments, kind, said):
    with pytest.raises(kind) as error:
        show.text(*arguments)
    assert said in str(error.value)


def test_no_answers_are_an_empty_table():
    assert repr(show.text([])) == ""
