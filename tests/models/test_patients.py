import functools

import pytest
import torch
from torch import nn

import igteach
from igteach.datasets import load_patients
from igteach.datasets.shipped import data_folder
from igteach.models import patients
from igteach.models.patients import PatientsMLP, fold_standardisation
from igteach.training.patients import fit, measure


@functools.cache
def figures():
    table = load_patients()
    return measure(patients.load("cpu"), table.x_test, table.y_test, table.x_train)


def test_the_network_judges_19_of_20_held_out_patients_rightly_and_ig_adds_up():
    assert figures()["accuracy"] >= 0.95
    assert figures()["IG complete, probability"] >= 0.99
    assert figures()["IG complete, log odds"] >= 0.99


def test_its_score_is_malignant():
    table = load_patients()
    p = igteach.probability(patients.load("cpu"))(table.x_test)[:, 0].detach()
    assert p[table.y_test == 1].mean() > 0.8
    assert p[table.y_test == 0].mean() < 0.2


def test_it_is_piecewise_linear_from_the_measurements_on():
    assert all(isinstance(layer, nn.Linear | nn.ReLU) for layer in patients.load("cpu"))


def test_a_folded_layer_takes_what_was_not_standardised():
    torch.manual_seed(0)
    layer, x = nn.Linear(5, 3).double(), 100 * torch.rand(20, 5).double() + 7
    wanted = layer((x - x.mean(0)) / x.std(0))
    fold_standardisation(layer, x.mean(0), x.std(0))
    torch.testing.assert_close(layer(x), wanted)


def test_training_again_gives_a_network_of_the_same_opinions():
    table = load_patients()
    torch.manual_seed(0)
    again = igteach.probability(fit(PatientsMLP(), table.x_train, table.y_train))
    shipped = igteach.probability(patients.load("cpu"))
    with torch.no_grad():
        apart = (again(table.x_test) - shipped(table.x_test)).abs()
    assert apart.mean() < 0.02  # another processor rounds in another way


def test_the_card_states_what_is_measured():
    card = (data_folder() / "patients.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    stated = {row[0].strip(): row[1].strip() for row in rows}
    for figure, value in figures().items():
        assert float(stated[figure]) == pytest.approx(value, abs=1e-3), figure
