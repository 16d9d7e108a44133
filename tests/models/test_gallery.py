"""The gallery: five photographs, and the network that names them."""

import torch

from igteach.datasets import load_photograph
from igteach.models import imagenet
from igteach.models.gallery import SHOWN, WithNormalisation, open_gallery


def test_it_shows_five_photographs_and_its_network_names_them():
    gallery = open_gallery("cpu")
    assert tuple(gallery.pictures) == SHOWN
    with torch.no_grad():
        named = [gallery.labels[gallery.model(x[None]).argmax()] for x in gallery.pictures.values()]
    assert named == ["tripod", "bubble", "tiger cat", "espresso", "moped"]
    assert not any(layer.training for layer in gallery.model.modules())


def test_behind_its_normalisation_a_network_sees_what_it_would_have_been_given():
    network = WithNormalisation(torch.nn.Flatten())
    x = imagenet.preprocess(load_photograph("coffee"))[None]
    torch.testing.assert_close(network(imagenet.picture(x)), x.flatten(1), rtol=1e-4, atol=1e-4)
