"""Rows that depend on one another or on chance are told at every call; so is what to do about a shape or a target."""

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import igteach
from igteach import captum_methods

sys.path.insert(0, str(Path(__file__).parent))
from every_method import METHODS, answer

NEEDS_NO_MODEL = {"random_numbers", "randomised_maps"}  # the first draws numbers, the second makes its own copies
FOLLOWS_LAYERS = {"exact_integrated_gradients", "neuron_conductance", "deep_lift", "lrp"}  # and may refuse before


class Dropping(nn.Module):
    """A functional dropout, which no module shows."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.act, self.last = nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)

    def forward(self, x):
        return self.last(F.dropout(self.act(self.first(x)), 0.5, self.training))


class Mixing(igteach.logit):
    """A wrapper that subtracts the mean of the batch."""

    def forward(self, x):
        out = super().forward(x)
        return out - out.mean(0)


class Centred(nn.Module):
    def forward(self, x):
        return x - x.mean(0)


def inputs():
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


def refused(name, f, layer):
    with pytest.raises(ValueError, match="f must treat each row independently and be deterministic"):
        answer(name, f, layer, inputs(), 1)


ASKED = sorted(set(METHODS) - NEEDS_NO_MODEL - FOLLOWS_LAYERS - {"opinion", "neutral", "adversarial"})


@pytest.mark.parametrize("name", [*ASKED, "neuron_conductance"])
def test_a_network_that_was_fine_is_asked_again_after_train(name):
    f = Dropping().eval()
    answer(name, f, f.act, inputs(), 1)
    f.train()
    refused(name, f, f.act)


@pytest.mark.parametrize("name", ASKED)
def test_a_network_is_asked_again_after_a_layer_was_replaced(name):
    torch.manual_seed(0)
    f = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
    answer(name, f, f[1], inputs(), 1)
    f[2] = nn.Sequential(f[2], Centred())
    refused(name, f, f[1])


@pytest.mark.parametrize("name", ASKED)
def test_a_wrapper_that_mixes_rows_is_seen(name):
    torch.manual_seed(0)
    f = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
    answer(name, igteach.logit(f), f[1], inputs(), 1)
    refused(name, Mixing(f), f[1])


METHODS_OF_A_PICTURE = [
    igteach.gradient,
    igteach.integrated_gradients,
    igteach.exact_integrated_gradients,
    igteach.shapley_values,
    captum_methods.occlusion,
]


@pytest.mark.parametrize("method", METHODS_OF_A_PICTURE, ids=lambda method: method.__name__)
def test_a_picture_without_a_batch_axis_is_told_how_to_get_one(method):
    torch.manual_seed(0)
    f = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2, 4))
    picture = torch.randn(3, 3, 3)
    with pytest.raises(RuntimeError) as raised:
        method(f, picture, None, 1)
    assert any("for one example pass x[None]" in note for note in raised.value.__notes__)
    if method is not igteach.shapley_values:  # 27 features are too many
        assert method(f, picture[None], None, 1).values.shape == (1, 3, 3, 3)


@pytest.mark.parametrize("method", METHODS_OF_A_PICTURE, ids=lambda method: method.__name__)
def test_of_a_single_output_there_is_only_target_0(method):
    torch.manual_seed(0)
    f = nn.Linear(3, 1)
    with pytest.raises(ValueError, match="target is 1, but f returns one class; pass 0, or leave target out"):
        method(f, torch.ones(2, 3), None, 1)
    without, with_0 = (method(f, torch.ones(2, 3), None, target).values for target in (None, 0))
    torch.testing.assert_close(without, with_0)
