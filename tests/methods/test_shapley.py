"""Exact Shapley values: closed forms, Captum as a peer, and what is refused."""

from itertools import permutations

import captum.attr
import pytest
import torch
from torch import nn

import igteach
from igteach.axioms import cases
from igteach.axioms.checks import AXIOMS
from igteach.methods import captum_methods
from igteach.methods.shapley import shapley_values

AT = torch.tensor([[1.0, 3.0]])


def network(features, classes=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 16), nn.Tanh(), nn.Linear(16, classes)).double()


def test_a_minimum_is_halved_and_ig_gives_it_to_the_late_one():
    assert shapley_values(cases.MIN_X_FIRST, AT).values.tolist() == [[0.5, 0.5]]
    torch.testing.assert_close(igteach.integrated_gradients(cases.MIN_X_FIRST, AT).values, torch.tensor([[1.0, 0.0]]))


def test_a_product_is_shared_evenly_whatever_the_sizes():
    f = igteach.toy(lambda x, y, z: x * y * z)
    torch.testing.assert_close(shapley_values(f, torch.tensor([[1.0, 2.0, 5.0]])).values, torch.full((1, 3), 10 / 3))
    start = torch.tensor([[1.0, 1.0, 1.0]])
    two = igteach.toy(lambda x, y, z: x * y + z)
    at = torch.tensor([[3.0, 2.0, 5.0]])  # xy from 1 to 6: x first gains 2 then y 3, y first gains 1 then x 4
    torch.testing.assert_close(shapley_values(two, at, start).values, torch.tensor([[3.0, 2.0, 4.0]]))


def test_the_mean_over_all_orders_on_a_network_and_captums_are_the_same():
    f, x, baseline = network(6), torch.randn(2, 6).double(), torch.randn(2, 6).double()
    answer = shapley_values(f, x, baseline, torch.tensor([3, 1]))
    expected = torch.zeros_like(x)
    for order in permutations(range(6)):
        here = baseline.clone()
        for i in order:
            before = f(here)[[0, 1], [3, 1]]
            here[:, i] = x[:, i]
            expected[:, i] += (f(here)[[0, 1], [3, 1]] - before).detach() / 720
    torch.testing.assert_close(answer.values, expected)
    theirs = captum.attr.ShapleyValues(f).attribute(x, baselines=baseline, target=torch.tensor([3, 1]))
    torch.testing.assert_close(answer.values, theirs.detach().to(answer.values), rtol=1e-4, atol=1e-6)  # in float32
    assert answer.relative_residual.max() < 1e-12
    assert answer.evaluations == 0


def test_they_keep_every_axiom():
    assert all(check(shapley_values).holds for check in AXIOMS.values())


def test_fifteen_features_of_a_picture_have_values_of_its_shape_and_sampling_nears_them():
    f, x = network(15), torch.randn(1, 3, 5).double()
    answer = shapley_values(f, x, 0.5, 2)
    assert answer.values.shape == x.shape
    assert answer.relative_residual.max() < 1e-12
    sampled = captum_methods.shapley_sampling(f, x, 0.5, 2, samples=400).values
    assert (sampled - answer.values).abs().sum() < 0.1 * answer.values.abs().sum()


def test_rows_at_once_change_nothing():
    f, x = network(7), torch.randn(1, 7).double()
    torch.testing.assert_close(shapley_values(f, x, None, 1, batch_size=5).values, shapley_values(f, x, None, 1).values)


def test_sixteen_features_are_refused_and_the_way_out_told():
    with pytest.raises(
        ValueError, match=r"x has 16 features, that is 2\*\*16 sets of them; use igteach.methods.captum_methods.shapley"
    ):
        shapley_values(network(16), torch.randn(1, 4, 4).double(), target=1)


def test_features_that_are_one_number_get_all():
    assert shapley_values(igteach.toy(lambda x: x**2), torch.tensor([[3.0]]), 1.0).values.tolist() == [[8.0]]
