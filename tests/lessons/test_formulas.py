"""Formulas become MathML that browsers draw as TeX would."""

import pytest

from igteach.lessons.formulas import mathml


@pytest.mark.parametrize(("left", "right", "bar"), [(r"\lvert", r"\rvert", "|"), (r"\lVert", r"\rVert", "‖")])
def test_both_bars_around_a_term_are_brackets_of_one_height(left, right, bar):
    formula = mathml(rf"\frac{{1}}{{\sum_i {left} a_i {right}}} + {left} b {right}")
    assert formula.count(f'<mo form="prefix" stretchy="false">{bar}</mo>') == 2
    assert formula.count(f'<mo form="postfix" stretchy="false">{bar}</mo>') == 2
    assert formula.count(bar) == 4


def test_bars_that_shall_grow_with_a_term_still_do():
    assert "stretchy" not in mathml(r"\left| \sum_i a_i \right|")
