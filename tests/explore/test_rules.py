"""The steps explorer says of a rule what integrated_gradients says, and how far that is from the truth."""

import numpy as np
import pytest
import torch

import igteach
from igteach import explore
from igteach.core.quadrature import RULES
from igteach.datasets import load_digits
from igteach.explore.rules import STEPS
from igteach.models import digits
from igteach.show.plates import coloured
from igteach.show.verdicts import verdict_in_words


@pytest.fixture(scope="module")
def digit():
    data = load_digits()
    return digits.load("cpu"), data.x_test[:1], int(data.y_test[0])


def test_words_and_pictures_are_those_of_integrated_gradients(digit, shown):
    model, x, target = digit
    truth = igteach.exact_integrated_gradients(model, x, 0.0, target)
    explorer = explore.steps_explorer(model, x, 0.0, target, truth)
    for rule, steps in (("left", 2), ("midpoint", 16), ("gauss_legendre", 64)):
        answer = igteach.integrated_gradients(model, x, 0.0, target, rule=rule, steps=steps)
        figure, words = explorer.draw(rule=rule, steps=steps)
        assert f"{steps} gradients. {verdict_in_words(answer)}\n" in words
        assert "igteach" not in words
        wrong = answer.values[0, 0].double() - truth.values[0, 0]
        assert f"off by {(wrong.abs().sum() / truth.values.abs().sum()).item():.2%}" in words
        top = truth.values.abs().max().item()
        for title, values, scale in [
            (f"{rule}, {steps} steps", answer.values[0, 0], top),
            ("the exact shares", truth.values[0, 0], top),
            ("what is wrong, in colours 10 times as strong", wrong, top / 10),
        ]:
            wanted = coloured(values.double().numpy(), scale)
            assert np.allclose(shown(figure, title), wanted, atol=1e-3)


@pytest.mark.long
def test_every_choice_of_the_controls_is_answered(digit):
    model, x, target = digit
    explorer = explore.steps_explorer(model, x, 0.0, target, igteach.exact_integrated_gradients(model, x, 0.0, target))
    assert explorer.controls["rule"].options == RULES
    assert explorer.controls["steps"].options == STEPS
    seen = set()
    for rule in RULES:
        explorer.controls["rule"].value = rule
        for steps in STEPS[:3]:
            explorer.controls["steps"].value = steps
            assert f"{steps} gradients." in explorer.words.value
            seen.add(explorer.words.value)
    assert len(seen) == 3 * len(RULES)


def test_a_linear_function_has_no_error_to_draw(f):
    x = torch.rand(1, 1, 4, 4)
    answer = igteach.integrated_gradients(lambda x: x.flatten(1).sum(1), x)
    explorer = explore.steps_explorer(lambda x: x.flatten(1).sum(1), x, 0.0, None, answer)
    assert "off by 0.00%" in explorer.words.value


@pytest.mark.parametrize("values", [torch.ones(1, 1, 5, 4), torch.zeros(1, 1, 4, 4)])
def test_a_truth_that_is_none_is_refused(f, values):
    truth = igteach.Attribution(values, torch.ones(1), torch.zeros(1), 1)
    with pytest.raises(ValueError, match="truth has shape"):
        explore.steps_explorer(f, torch.rand(1, 1, 4, 4), 0.0, None, truth)
