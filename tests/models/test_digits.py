import functools

import pytest
import torch
from torch import nn

from igteach.datasets import load_digits
from igteach.datasets.shipped import data_folder
from igteach.models import digits
from igteach.training.digits import match_confidence, mean_slope, measure, median_slope

LOAD = {"digits": digits.load, "saturation_plain": digits.load_plain, "saturation_flat": digits.load_flat}


@functools.cache
def figures(name):
    held_out = load_digits()
    return measure(LOAD[name]("cpu"), held_out.x_test, held_out.y_test)


def test_the_cnn_reads_97_of_100_held_out_digits():
    assert figures("digits")["accuracy"] >= 0.97


def test_the_cnn_is_piecewise_linear():
    allowed = nn.Conv2d | nn.ReLU | nn.AvgPool2d | nn.Flatten | nn.Linear
    assert all(isinstance(layer, allowed) for layer in digits.load("cpu"))


def test_the_pair_is_equally_right_and_equally_sure():
    plain, flat = figures("saturation_plain"), figures("saturation_flat")
    assert abs(plain["accuracy"] - flat["accuracy"]) <= 0.01
    assert abs(plain["mean confidence"] - flat["mean confidence"]) <= 0.02
    assert min(plain["accuracy"], flat["accuracy"]) >= 0.95


@pytest.mark.parametrize("f", ["probability", "logit"])
def test_the_flat_network_has_a_tenth_of_the_slope_or_less(f):
    plain, flat = figures("saturation_plain"), figures("saturation_flat")
    assert 10 * flat[f"slope of the {f}"] <= plain[f"slope of the {f}"]


@pytest.mark.parametrize("name", LOAD)
def test_black_is_neutral_and_ig_adds_up(name):
    assert figures(name)["black picture"] <= 0.15
    assert figures(name)["IG complete, probability"] >= 0.99
    assert figures(name)["IG complete, logit"] >= 0.99


@pytest.mark.parametrize("name", LOAD)
def test_painting_what_ig_names_undoes_the_answer_more_than_ink_or_gradient_do(name):
    left = figures(name)
    assert 2 * left["left after most IG"] < left["left after most ink"]
    assert 2 * left["left after most IG"] < left["left after largest gradient"]


def test_on_the_flat_network_the_gradient_finds_less_than_the_ink_alone():
    left = figures("saturation_flat")
    assert left["left after largest gradient"] > left["left after most ink"]


@pytest.mark.parametrize("name", LOAD)
def test_the_card_states_what_is_measured(name):
    column = 2 if name == "saturation_flat" else 1
    card = (data_folder() / f"{name}.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    stated = {row[0].strip(): row[column].strip() for row in rows}
    for figure, value in figures(name).items():
        assert float(stated[figure]) == pytest.approx(value, abs=1e-3), figure


def test_the_slope_of_a_linear_network_is_that_of_its_weights():
    x = torch.rand(5, 1, 8, 8) + 0.1
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double()
    x, y = x.double(), torch.zeros(5, dtype=torch.long)
    w = linear[1].weight[0]
    expected = (w.norm() * x.flatten(1).norm(dim=1) / (x.flatten(1) @ w).abs()).median().item()
    assert median_slope(linear, x, y) == pytest.approx(expected)


def test_the_slope_does_not_change_when_the_logits_are_scaled():
    x, y = load_digits().x_test[:50], load_digits().y_test[:50]
    network = digits.load_plain("cpu")
    before = median_slope(network, x, y)
    for parameter in network[-1].parameters():
        parameter.data *= 0.01
    assert median_slope(network, x, y) == pytest.approx(before, rel=1e-3)


def test_matching_reaches_the_confidence_that_was_asked():
    x = load_digits().x_test
    network = digits.load_flat("cpu")
    match_confidence(network, 0.7, x)
    assert network(x).softmax(1).amax(1).mean().item() == pytest.approx(0.7, abs=1e-4)


def test_the_penalty_has_gradients_for_the_weights():
    network, held_out = digits.load_plain("cpu"), load_digits()
    mean_slope(network, held_out.x_test[:8], held_out.y_test[:8]).backward()
    assert network[1].weight.grad.isfinite().all()
    assert network[1].weight.grad.abs().sum() > 0
