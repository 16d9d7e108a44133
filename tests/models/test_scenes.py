"""The networks of scenes: how often they are right, what they are made of, and what their cards state."""

import functools

import pytest
import torch
from torch import nn

from igteach.datasets.scenes import make_scenes
from igteach.datasets.shipped import data_folder
from igteach.models import scenes
from igteach.models.scenes import ScenesCNN
from igteach.training import scenes as training
from igteach.training.scenes import FRESH, SEED, measure, measure_mark, with_norms, without_norms

LOAD = {"scenes": scenes.load, "scenes_shortcut": scenes.load_shortcut}
CARDS = LOAD | {"scenes_vit": scenes.load_vit}


@functools.cache
def figures(name):
    network = CARDS[name]("cpu")
    found = measure(network, make_scenes(1000, FRESH))
    return found | measure_mark(network) if name == "scenes_shortcut" else found


@pytest.mark.parametrize("seed", [FRESH + 1, FRESH + 2])
def test_the_network_tells_97_of_100_scenes_of_a_seed_it_was_not_trained_on(seed):
    drawn = make_scenes(300, seed)
    assert seed != SEED
    with torch.no_grad():
        assert (scenes.load("cpu")(drawn.x).argmax(1) == drawn.y).double().mean() >= 0.97


def test_it_is_small_and_piecewise_linear():
    network = scenes.load("cpu")
    assert sum(parameter.numel() for parameter in network.parameters()) < 300_000
    allowed = nn.Conv2d | nn.ReLU | nn.AvgPool2d | nn.Flatten | nn.Linear
    assert all(isinstance(layer, allowed) for layer in network)
    assert not network.training


@pytest.mark.long
@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", LOAD)
def test_a_picture_of_one_colour_is_neutral(name):
    assert figures(name)["black picture"] <= 0.15
    assert figures(name)["pictures of one colour"] <= 0.15


@pytest.mark.long
def test_the_network_with_the_shortcut_goes_by_the_mark():
    found = figures("scenes_shortcut")
    assert found["accuracy, marked as in training"] >= 0.99
    assert found["houses found without the mark"] <= 0.1
    assert found["others called house with the mark"] >= 0.9


@pytest.mark.long
def test_the_other_network_does_not_care_for_the_mark():
    found = measure_mark(scenes.load("cpu"))
    assert found["accuracy, marked as in training"] >= 0.97
    assert found["houses found without the mark"] >= 0.97
    assert found["others called house with the mark"] <= 0.05


@pytest.mark.long
@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", CARDS)
def test_the_card_states_what_is_measured(name):
    card = (data_folder() / f"{name}.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    stated = {key.strip(): value.strip() for key, value in rows}
    for figure, value in figures(name).items():
        assert float(stated[figure]) == pytest.approx(value, abs=2e-3), figure
    assert f"**SHA-256**: `{sums()[f'{name}.safetensors']}`" in card


def sums():
    lines = (data_folder() / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in map(str.split, lines)}


def test_folding_the_norms_away_leaves_the_function_as_it_was():
    torch.manual_seed(0)
    network = with_norms(ScenesCNN())
    x = torch.rand(8, 3, 64, 64)
    network(x)  # in train mode: the norms take the statistics of these pictures
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(without_norms(network)(x), network(x), rtol=1e-4, atol=1e-5)
        norms = [layer for layer in network if isinstance(layer, nn.BatchNorm2d)]
        assert len(norms) == sum(isinstance(layer, nn.Conv2d) for layer in network)
        norms[0].bias += 1
        assert not torch.allclose(without_norms(network)(x), without_norms(with_norms(ScenesCNN()).eval())(x))


def test_training_learns_a_few_scenes_by_heart_and_leaves_black_neutral(monkeypatch):
    monkeypatch.setattr(training, "EPOCHS", 100)
    few = make_scenes(24, 5)
    network = training.fit(few.x, few.y)
    with torch.no_grad():
        assert (network(few.x).argmax(1) == few.y).all()
        assert network(torch.zeros(1, 3, 64, 64)).softmax(1).max() < 0.25


def test_the_transformer_is_small_and_tells_scenes_that_it_was_not_trained_on():
    network, drawn = scenes.load_vit("cpu"), make_scenes(300, FRESH + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) < 200_000
    assert not network.model.training
    with torch.no_grad():
        assert (network(drawn.x).argmax(1) == drawn.y).double().mean() >= 0.8


def test_training_a_transformer_begins_to_learn_and_ends_on_pictures_as_they_are(monkeypatch):
    monkeypatch.setattr(training, "VIT_EPOCHS", 60)
    few = make_scenes(16, 5)
    network = training.fit_vit(few)
    with torch.no_grad():
        assert (network(few.x).logits.argmax(1) == few.y).double().mean() > 0.5
