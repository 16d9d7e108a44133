"""The steps explorer says of a rule what integrated_gradients says, and how far that is from the truth."""

import itertools

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


def test_the_data_are_those_of_integrated_gradients(digit, unpacked):
    model, x, target = digit
    truth = igteach.exact_integrated_gradients(model, x, 0.0, target)
    exact = truth.values[0, 0].double()
    data = explore.steps_explorer(model, x, 0.0, target, truth).data
    assert data["top"] == exact.abs().max().item()
    assert np.abs(unpacked(data["exact"])[0] - exact.numpy()).max() < data["top"] / 253
    shares, wrong = unpacked(data["shares"]), unpacked(data["wrong"])
    assert (data["rules"], data["steps"]) == (list(RULES), list(STEPS))
    for place, (rule, steps) in enumerate(itertools.product(RULES, STEPS)):
        answer = igteach.integrated_gradients(model, x, 0.0, target, rule=rule, steps=steps)
        assert data["verdicts"][place] == verdict_in_words(answer)
        off = answer.values[0, 0].double() - exact
        assert data["errors"][place] == pytest.approx((off.abs().sum() / exact.abs().sum()).item(), rel=1e-4)
        assert data["residuals"][place] == pytest.approx(answer.relative_residual.item(), rel=1e-4, abs=1e-12)
        clipped = answer.values[0, 0].clamp(-data["top"], data["top"]).numpy()
        assert np.abs(shares[place] - clipped).max() < data["top"] / 253
        assert np.abs(wrong[place] - off.numpy().clip(-data["top"] / 10, data["top"] / 10)).max() < data["top"] / 2530


def test_the_still_picture_is_the_start_of_the_live_figure(digit, shown):
    model, x, target = digit
    truth = igteach.exact_integrated_gradients(model, x, 0.0, target)
    figure = explore.steps_explorer(model, x, 0.0, target, truth)
    rule, steps = figure.data["start"]["rule"], figure.data["start"]["steps"]
    answer = igteach.integrated_gradients(model, x, 0.0, target, rule=rule, steps=steps)
    values, exact = answer.values[0, 0].double().numpy(), truth.values[0, 0].double().numpy()
    top = figure.data["top"]
    for title, wanted in [
        (f"{rule}, {steps} steps", coloured(values, top)),
        ("the exact shares", coloured(exact, top)),
        ("what is wrong, in colours 10 times as strong", coloured(values - exact, top / 10)),
    ]:
        assert np.allclose(shown(figure.still, title), wanted, atol=1e-3)
    assert f"marked at steps {steps}" in figure.still.alt


def test_a_linear_function_has_no_error_to_draw():
    x = torch.rand(1, 1, 4, 4)
    answer = igteach.integrated_gradients(lambda x: x.flatten(1).sum(1), x)
    data = explore.steps_explorer(lambda x: x.flatten(1).sum(1), x, 0.0, None, answer).data
    assert max(data["errors"]) < 1e-6


@pytest.mark.parametrize("values", [torch.ones(1, 1, 5, 4), torch.zeros(1, 1, 4, 4)])
def test_a_truth_that_is_none_is_refused(f, values):
    truth = igteach.Attribution(values, torch.ones(1), torch.zeros(1), 1)
    with pytest.raises(ValueError, match="truth has shape"):
        explore.steps_explorer(f, torch.rand(1, 1, 4, 4), 0.0, None, truth)
