"""IG through a hidden layer: closed forms, completeness, Captum as a peer, and layers that are none."""

import captum.attr
import pytest
import torch
from torch import nn

import igteach
from igteach.axioms import cases
from igteach.datasets import load_digits
from igteach.methods.conductance import neuron_conductance
from igteach.models import digits


def smooth(features=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(features, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def points(count=3, features=3):
    return torch.randn(count, features, generator=torch.Generator().manual_seed(1)).double()


def test_of_a_sum_of_units_each_gets_what_it_gains():
    # 2 ReLU(x - 1) - ReLU(x + y): at (3, 1) against (0, 0) the units go from 0 to 2 and from 0 to 4
    f = cases.network([[1, 0], [1, 1]], [-1, 0], [[2, -1]], [0])
    answer = neuron_conductance(f, f[1], torch.tensor([[3.0, 1.0]]))
    torch.testing.assert_close(answer.values, torch.tensor([[4.0, -4.0]]))
    before = neuron_conductance(f, f[0], torch.tensor([[3.0, 1.0]]), steps=512).values
    torch.testing.assert_close(before, torch.tensor([[4.0, -4.0]]), rtol=0, atol=0.02)  # the kink lies in a cell


def test_of_a_product_of_units_each_gets_its_integral():
    # y1 = x^2, y2 = x, F = y1 y2 = x^3: the integrals of y2 dy1 = 2 x^2 dx and of y1 dy2 = x^2 dx
    class Units(nn.Module):
        def forward(self, x):
            return torch.cat([x**2, x], dim=1)

    layer = Units()
    answer = neuron_conductance(lambda x: layer(x).prod(1), layer, torch.tensor([[3.0]]).double(), 1.0, steps=400)
    torch.testing.assert_close(answer.values, torch.tensor([[52 / 3, 26 / 3]]).double(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("number", range(4))
def test_every_layer_adds_up_to_what_the_input_does(number):
    f, x, target = smooth(), points(), torch.tensor([0, 1, 1])
    answer = neuron_conductance(f, f[number], x, 0.3, target, steps=64)
    whole = igteach.integrated_gradients(f, x, 0.3, target)
    torch.testing.assert_close(answer.f_input, whole.f_input)
    torch.testing.assert_close(answer.f_baseline, whole.f_baseline)
    assert answer.relative_residual.max() < 1e-3
    assert answer.error_estimate.max() < 0.01


def test_the_first_layer_of_identity_gives_ig():
    f = nn.Sequential(nn.Identity(), *smooth())
    x = points()
    shares = neuron_conductance(f, f[0], x, 0.3, 1, steps=64)
    torch.testing.assert_close(shares.values, igteach.integrated_gradients(f, x, 0.3, 1, steps=64).values)


@pytest.mark.parametrize("rule", ["midpoint", "gauss_legendre", "trapezoid"])
def test_captum_gives_the_same(rule):
    f, x = smooth(), points()
    ours = neuron_conductance(f, f[1], x, 0.3, 1, steps=400, rule=rule).values
    theirs = captum.attr.LayerConductance(f, f[1]).attribute(x, torch.full_like(x, 0.3), target=1, n_steps=2000)
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-2, atol=1e-3)


def test_a_digit_through_the_channels_of_a_layer():
    held_out, network = load_digits(), digits.load("cpu")
    x, y = held_out.x_test[:20], held_out.y_test[:20]
    f = igteach.probability(network)
    for number, shape in ((1, (16, 8, 8)), (3, (16, 8, 8)), (6, (32, 4, 4)), (8, (10,))):
        answer = neuron_conductance(f, network[number], x, None, y)
        assert answer.values.shape == (20, *shape)
        assert answer.relative_residual.max() < 0.05
        assert answer.converged.all()
    alone = neuron_conductance(f, network[3], x[:1], None, y[:1], batch_size=7)
    torch.testing.assert_close(
        alone.values, neuron_conductance(f, network[3], x, None, y).values[:1], rtol=0, atol=1e-5
    )


def test_what_goes_past_the_layer_is_the_residual():
    class Past(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2, bias=False).requires_grad_(False)

        def forward(self, x):
            return self.layer(x).sum(1) + 10 * x[:, 0]

    f, x = Past(), torch.tensor([[2.0, 1.0]])
    answer = neuron_conductance(f, f.layer, x)
    torch.testing.assert_close(answer.residual, torch.tensor([-20.0]))


def test_a_layer_that_works_in_place_afterwards_changes_nothing():
    f = smooth()
    relus = nn.Sequential(f[0], nn.ReLU(), f[2])
    in_place = nn.Sequential(f[0], nn.ReLU(inplace=True), f[2])
    one, other = (neuron_conductance(g, f[0], points(), 0.3, 1).values for g in (relus, in_place))
    assert torch.equal(one, other)


def test_the_network_is_left_as_it_was():
    f, x = smooth(), points()
    neuron_conductance(f, f[1], x, 0.3, 1)
    with pytest.raises(ValueError, match="target"):
        neuron_conductance(f, f[1], x, 0.3)
    assert not any(layer._forward_hooks for layer in f)
    assert all(parameter.grad is None for parameter in f.parameters())


def test_layers_that_are_none_are_refused_by_name():
    f, x = smooth(), points()
    with pytest.raises(TypeError, match=r"layer is int; pass a module of f, such as model\[2\]"):
        neuron_conductance(f, 1, x, target=0)
    with pytest.raises(ValueError, match="layer is called 0 times by f"):
        neuron_conductance(f, nn.Tanh(), x, target=0)
    tanh = nn.Tanh()
    twice = nn.Sequential(nn.Linear(3, 2), tanh, nn.Linear(2, 2), tanh, nn.Linear(2, 2)).double()
    with pytest.raises(ValueError, match="layer is called 2 times by f"):
        neuron_conductance(twice, tanh, x, target=0)
    lstm = nn.LSTM(3, 2, batch_first=True).double().requires_grad_(False)

    def f(z):
        return lstm(z[:, None])[0].sum((1, 2))

    assert neuron_conductance(f, lstm, x).values.shape == (3, 1, 2)
    with pytest.raises(ValueError, match=r"tensor 1 of the layer's output has shape \(1, 3, 2\) for 3 rows"):
        neuron_conductance(f, lstm, x, index=1)
