"""The gallery: photographs and SqueezeNet where its weights are, else scenes and the network of scenes."""

import numpy as np
import pytest
import torch

from igteach.datasets import load_photograph
from igteach.datasets.scenes import SCENE_CLASSES
from igteach.models import imagenet
from igteach.models.gallery import SHOWN, WithNormalisation, open_gallery


@pytest.fixture
def without_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("IGTEACH_MODELS", "")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return open_gallery("cpu")


def named(gallery):
    with torch.no_grad():
        return [gallery.labels[gallery.model(x[None]).argmax()] for x in gallery.pictures.values()]


@pytest.mark.usefixtures("measured_weights")
def test_with_weights_it_shows_five_photographs():
    gallery = open_gallery("cpu")
    assert tuple(gallery.pictures) == SHOWN
    assert named(gallery) == ["golf ball", "tripod", "Egyptian cat", "espresso", "moped"]
    assert gallery.note == "Photographs, and SqueezeNet 1.0, which tells 1,000 things apart."


def test_without_weights_it_shows_five_scenes_and_says_why_and_what_to_do(without_weights):
    why, what_to_do = without_weights.note.splitlines()
    assert why.startswith("Scenes stand in for the photographs. ")
    assert "cannot be downloaded" in why
    assert what_to_do.startswith("Connect to the network once, or put squeezenet1_0-b66bff10.pth")
    assert len(set(without_weights.pictures)) == 5
    assert named(without_weights) == list(without_weights.pictures)
    assert without_weights.labels == SCENE_CLASSES


@pytest.mark.parametrize("size", [(64, 64, 3), (30, 200), (300, 20, 4)])
def test_a_picture_of_any_size_is_prepared_for_its_network(without_weights, size):
    prepared = without_weights.prepare(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8))
    assert prepared.shape == (3, 64, 64)
    assert prepared.min() >= 0
    assert prepared.max() <= 1
    assert without_weights.model(prepared[None]).shape == (1, 8)


def test_a_scene_is_prepared_as_itself(without_weights):
    scene = without_weights.pictures["star"]
    pixels = (scene * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    torch.testing.assert_close(without_weights.prepare(pixels), scene)


def test_behind_its_normalisation_a_network_sees_what_it_would_have_been_given():
    network = WithNormalisation(torch.nn.Flatten())
    x = imagenet.preprocess(load_photograph("coffee"))[None]
    torch.testing.assert_close(network(imagenet.picture(x)), x.flatten(1), rtol=1e-4, atol=1e-4)
