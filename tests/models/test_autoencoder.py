import functools

import pytest
import torch

from igteach.datasets import load_digits
from igteach.datasets.shipped import data_folder
from igteach.models import autoencoder
from igteach.training.autoencoder import measure, pairs, to_nearest


@functools.cache
def figures():
    return measure(autoencoder.load("cpu"), load_digits())


def test_eight_numbers_say_what_a_digit_is():
    network, x = autoencoder.load("cpu"), load_digits().x_test
    with torch.no_grad():
        code, back = network.encode(x), network(x)
    assert code.shape == (len(x), 8)
    assert back.shape == x.shape
    assert figures()["left out"] < 0.5 * (x - x.mean(0)).flatten(1).norm(dim=1).mean()


def test_what_a_code_decodes_to_is_nearer_to_digits_than_a_double_exposure():
    assert figures()["latent path, half-way"] < figures()["straight path, half-way"] - 0.1
    assert figures()["latent path, all the way"] < figures()["straight path, all the way"]
    assert figures()["latent path nearer half-way"] > 0.85


def test_the_pairs_are_of_held_out_digits_of_different_classes():
    held_out = load_digits()
    known = {tuple(x.flatten().tolist()): int(y) for x, y in zip(held_out.x_test, held_out.y_test, strict=True)}
    one, other = pairs(held_out)
    assert len(one) == len(other) == 200
    for a, b in zip(one, other, strict=True):
        assert known[tuple(a.flatten().tolist())] != known[tuple(b.flatten().tolist())]


def test_the_nearest_is_measured_over_all_pixels():
    known = torch.stack([torch.zeros(1, 8, 8), torch.full((1, 8, 8), 0.5)])
    assert to_nearest(torch.full((1, 1, 1, 8, 8), 0.4), known).item() == pytest.approx(0.8, rel=1e-4)


def test_the_card_states_what_is_measured():
    card = (data_folder() / "autoencoder.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    stated = {row[0].strip(): row[1].strip() for row in rows}
    for figure, value in figures().items():
        assert float(stated[figure]) == pytest.approx(value, abs=6e-3), figure  # a 200th is half a percent
