"""Feedback's formulas: MathML where they are right, as they were written where not, and no code is a formula."""

import nbformat
import pytest

from igteach.course.feedback import FeedbackPage


def page(markdown):
    html, _ = FeedbackPage().from_notebook_node(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(markdown)])
    )
    return html.partition("<body")[2]


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"the slope $\frac{a}{b}$", "<mfrac>"),
        (r"$$\sum_i x_i$$", 'display="block"'),
    ],
)
def test_a_formula_becomes_mathml(text, inside):
    html = page(text)
    assert "<math" in html
    assert inside in html
    assert "$" not in html


@pytest.mark.parametrize("text", [r"$\nosuchcommand{a}$", r"$$\nosuchcommand$$", "costs $5", "`$a$`"])
def test_what_is_no_formula_stays_as_it_was_written(text):
    html = page(text)
    assert "<math" not in html
    assert "$" in html


def test_a_formula_is_no_way_to_bring_in_a_script():
    assert "<script>" not in page("$<script>alert(1)</script>$")
