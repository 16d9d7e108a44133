"""The digit to draw carries the network's weights whole, and begins with a digit and its map."""

import base64
import json

import numpy as np
import pytest
import torch

import igteach
from igteach import explore, show
from igteach.datasets import load_digits
from igteach.models import digits


@pytest.fixture
def model():
    return digits.load("cpu")


@pytest.fixture
def picture():
    return load_digits().x_test[3:4]


def test_the_weights_are_those_of_the_network_in_its_order(model, picture):
    weights = np.frombuffer(base64.b64decode(explore.draw_digit(model, picture).data["weights"]), dtype="<f4")
    assert len(weights) == 12_250
    place = 0
    for parameter in model.parameters():
        values = parameter.detach().flatten().numpy()
        assert np.array_equal(weights[place : place + len(values)], values)
        place += len(values)


def test_it_begins_with_the_picture_and_its_map(model, picture):
    figure = explore.draw_digit(model, picture)
    assert figure.kind == "draw_digit"
    assert np.allclose(figure.data["picture"], picture.flatten(), atol=1e-4)
    label = int(model(picture).argmax())
    shares = igteach.integrated_gradients(igteach.probability(model), picture, 0.0, label, steps=64).values[0, 0]
    assert figure.still.alt == show.heatmaps({f"IG from black, for P({label})": shares}, picture=picture[0, 0]).alt
    assert len(json.dumps(figure.data)) < 70_000


def test_another_network_or_picture_is_refused(model, picture):
    with pytest.raises(TypeError, match="model is DigitsMLP; pass the network of"):
        explore.draw_digit(digits.load_plain("cpu"), picture)
    for wrong in (
        picture[0],
        picture.repeat(2, 1, 1, 1),
        torch.full((1, 1, 8, 8), 1.5),
        torch.full((1, 1, 8, 8), -0.5),
    ):
        with pytest.raises(ValueError, match="pass \\(1, 1, 8, 8\\) with ink in \\[0, 1\\]"):
            explore.draw_digit(model, wrong)
