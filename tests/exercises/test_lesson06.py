"""The tampered methods of lesson 06 do what the checks say of them."""

import pytest

from igteach.axioms.checks import AXIOMS
from igteach.exercises.solutions.lesson06 import BROKEN_METHODS


@pytest.mark.parametrize("axiom", AXIOMS)
def test_each_suspect_breaks_its_axiom_and_keeps_the_others(axiom):
    results = {name: check(BROKEN_METHODS[axiom]) for name, check in AXIOMS.items()}
    assert [name for name, result in results.items() if not result.holds] == [axiom]
    assert all(not result.not_applicable for result in results.values())
