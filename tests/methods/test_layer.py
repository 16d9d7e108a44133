"""IG of a layer: Captum's, loops written by hand for layers of several tensors, and what is refused."""

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

import igteach
from igteach import layer_integrated_gradients, neuron_conductance

STEPS = 64


def smooth():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)).double()


def points(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)).double()


class Recurrent(nn.Module):
    """An LSTM, of whose three tensors the first is read."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.lstm, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.behind(self.lstm(x)[0])

    def behind(self, out):
        return self.head(torch.tanh(out[:, -1] * out[:, 0]))


class Attentive(nn.Module):
    """Attention of a sequence to itself; its keys go by name."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Linear(3, 4), nn.Linear(4, 2)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        h = self.embed(x)
        mixed, weights = self.attention(h, key=h, value=h)
        return self.head(torch.tanh(mixed * 3).sum(1)) + weights.square().sum((1, 2))[:, None]


def by_hand(behind, start, end, target):
    """The midpoint rule, written as a loop."""
    total = torch.zeros_like(end)
    for step in range(STEPS):
        point = (start + (step + 0.5) / STEPS * (end - start)).detach().requires_grad_()
        total += torch.autograd.grad(behind(point)[:, target].sum(), point)[0] / STEPS
    return (end - start) * total


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("at", ["input", "output"])
def test_captum_gives_the_same_at_every_layer(number, at):
    f, x = smooth(), points(4, 3)
    target = torch.tensor([0, 1, 1, 0])
    ours = layer_integrated_gradients(f, f[number], x, 0.3, target, at=at, steps=400)
    theirs = captum.attr.LayerIntegratedGradients(f, f[number]).attribute(
        x, torch.full_like(x, 0.3), target=target, n_steps=50, attribute_to_layer_input=at == "input"
    )
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    torch.testing.assert_close(ours.values, theirs.detach(), rtol=1e-4, atol=1e-5)
    assert ours.relative_residual.max() < 1e-4
    with torch.no_grad():
        torch.testing.assert_close(ours.f_baseline, f(torch.full_like(x, 0.3)).gather(1, target[:, None])[:, 0])


def test_a_tolerance_is_kept_and_the_values_add_up():
    f, x = smooth(), points(4, 3)
    answer = layer_integrated_gradients(f, f[1], x, target=1, tolerance=0.01)
    assert answer.converged.all()
    assert answer.relative_residual.max() < 0.01
    finer = layer_integrated_gradients(f, f[1], x, target=1, steps=512)
    apart = (answer.values - finer.values).abs().sum(1) / finer.values.abs().sum(1)
    assert apart.max() < 0.01


def test_the_units_go_straight_here_and_along_a_curve_in_conductance():
    # units x and x^2, F their product: straight from (0, 0) to (1, 1) each gets half, along the curve 1/3 and 2/3
    class Units(nn.Module):
        def forward(self, x):
            return torch.cat([x, x**2], dim=1)

    layer, x = Units(), torch.ones(1, 1).double()

    def f(x):
        return layer(x).prod(1)

    straight = layer_integrated_gradients(f, layer, x, steps=400).values
    torch.testing.assert_close(straight, torch.tensor([[0.5, 0.5]]).double(), rtol=1e-4, atol=0)
    curved = neuron_conductance(f, layer, x, steps=400).values
    torch.testing.assert_close(curved, torch.tensor([[1 / 3, 2 / 3]]).double(), rtol=1e-4, atol=0)


@pytest.mark.parametrize("method", [layer_integrated_gradients, neuron_conductance])
def test_what_bypasses_the_layer_is_the_residual(method):
    class Past(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2, bias=False)

        def forward(self, x):
            return self.layer(x).sum(1) + 10 * x[:, 0]

    f = Past()
    torch.testing.assert_close(method(f, f.layer, torch.tensor([[2.0, 1.0]])).residual, torch.tensor([-20.0]))


def test_the_first_tensor_of_an_lstm_as_a_loop_finds_it():
    f, x = Recurrent().double(), points(3, 5, 3)
    with torch.no_grad():
        start, end = f.lstm(torch.zeros_like(x))[0], f.lstm(x)[0]
    answer = layer_integrated_gradients(f, f.lstm, x, target=1, steps=STEPS, rule="midpoint")
    torch.testing.assert_close(answer.values, by_hand(f.behind, start, end, 1), rtol=1e-9, atol=1e-12)
    assert answer.relative_residual.max() < 1e-3
    at_input = layer_integrated_gradients(f, f.lstm, x, target=1, at="input", steps=STEPS)
    torch.testing.assert_close(at_input.values, igteach.integrated_gradients(f, x, target=1, steps=STEPS).values)


@pytest.mark.parametrize("index", [0, 1])
def test_either_tensor_of_attention_as_a_loop_finds_it(index):
    f, x = Attentive().double().eval(), points(2, 4, 3)

    def both(x):
        h = f.embed(x)
        return f.attention(h, h, h)

    with torch.no_grad():
        start, end = both(torch.zeros_like(x)), both(x)

    def behind(point):
        mixed, weights = (point, end[1]) if index == 0 else (end[0], point)
        return f.head(torch.tanh(mixed * 3).sum(1)) + weights.square().sum((1, 2))[:, None]

    answer = layer_integrated_gradients(f, f.attention, x, target=1, index=index, steps=STEPS)
    torch.testing.assert_close(answer.values, by_hand(behind, start[index], end[index], 1), rtol=1e-9, atol=1e-12)
    curved = neuron_conductance(f, f.attention, x, target=1, index=index, steps=STEPS)
    assert curved.values.shape == end[index].shape


def test_the_keys_of_attention_come_by_name():
    f, x = Attentive().double().eval(), points(2, 4, 3)
    with torch.no_grad():
        start, end = f.embed(torch.zeros_like(x)), f.embed(x)

    def behind(keys):
        mixed, weights = f.attention(end, key=keys, value=end)
        return f.head(torch.tanh(mixed * 3).sum(1)) + weights.square().sum((1, 2))[:, None]

    answer = layer_integrated_gradients(f, f.attention, x, target=0, at="input", index=1, steps=STEPS)
    torch.testing.assert_close(answer.values, by_hand(behind, start, end, 0), rtol=1e-9, atol=1e-12)


def test_an_embedding_takes_integers():
    torch.manual_seed(0)
    f = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 2)).double()
    x, pad = torch.tensor([[1, 2, 3], [4, 5, 6]]), torch.full((2, 3), 9)
    answer = layer_integrated_gradients(f, f[0], x, pad, 1, steps=STEPS)
    start, end = (f[0](ids).detach() for ids in (pad, x))
    torch.testing.assert_close(answer.values, by_hand(f[1:], start, end, 1), rtol=1e-9, atol=1e-12)
    assert answer.relative_residual.max() < 1e-3
    same = layer_integrated_gradients(f, f[0], x, 9, 1, steps=STEPS)
    torch.testing.assert_close(same.values, answer.values)
    with pytest.raises(TypeError, match=r"baseline is torch.float32, and x is torch.int64; pass integers"):
        layer_integrated_gradients(f, f[0], x, torch.zeros(3), 1)
    with pytest.raises(TypeError, match=r"tensor 0 of the layer's input is torch.int64, which has no gradient"):
        layer_integrated_gradients(f, f[0], x, pad, 1, at="input")


@pytest.mark.parametrize("method", [layer_integrated_gradients, neuron_conductance])
def test_several_inputs_arrays_and_arguments(method):
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.a, self.b, self.head = nn.Linear(3, 4), nn.Linear(2, 4), nn.Linear(4, 1)

        def forward(self, u, v, scale):
            return self.head(torch.tanh(self.a(u) + self.b(v)) * scale[:, None])

    f, u, v, scale = Two().double(), points(3, 3), points(3, 2), torch.tensor([1.0, 2.0, 3.0]).double()
    answer = method(f, f.head, (u, v), arguments=(scale,), at="input", steps=STEPS)
    assert answer.values.shape == (3, 4)
    assert answer.relative_residual.max() < 1e-3
    of_array = method(lambda x: f(x, v[:1].expand(len(x), -1), x[:, 0] * 0 + 1), f.a, u.numpy(), steps=STEPS)
    assert np.isfinite(of_array.values.numpy()).all()


def test_a_small_batch_gives_the_same():
    f, x = smooth(), points(7, 3)
    whole = layer_integrated_gradients(f, f[2], x, target=0, steps=33)
    torch.testing.assert_close(
        layer_integrated_gradients(f, f[2], x, target=0, steps=33, batch_size=4).values, whole.values
    )


def test_a_layer_of_a_transformer_that_torch_would_skip_is_seen():
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).double().eval()
    f, x = nn.Sequential(block, nn.Flatten(), nn.Linear(12, 2).double()), points(2, 3, 4)
    answer = layer_integrated_gradients(f, block.linear1, x, target=1, steps=STEPS)
    assert answer.values.shape == (2, 3, 8)


def test_the_network_is_left_as_it_was():
    f, x = smooth(), points(2, 3)
    for at in ("input", "output"):
        layer_integrated_gradients(f, f[1], x, 0.3, 1, at=at)
        with pytest.raises(ValueError, match="target"):
            layer_integrated_gradients(f, f[1], x, 0.3, at=at)
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in f)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in f.parameters())


def test_what_is_not_a_tensor_of_a_layer_is_refused_by_name():
    f, x = smooth(), points(2, 3)
    with pytest.raises(TypeError, match=r"layer is int; pass a module of f, such as model\[2\]"):
        layer_integrated_gradients(f, 1, x, target=0)
    with pytest.raises(ValueError, match=r"at is 'outputs'; pass 'input' or 'output'"):
        layer_integrated_gradients(f, f[1], x, target=0, at="outputs")
    with pytest.raises(ValueError, match=r"index is 1, but the layer's output has 1 tensor; count from 0"):
        layer_integrated_gradients(f, f[1], x, target=0, index=1)
    with pytest.raises(ValueError, match="layer is called 0 times by f"):
        layer_integrated_gradients(f, nn.Tanh(), x, target=0)
    with pytest.raises(ValueError, match=r"layer is called 0 times by f.*neither compiled nor scripted"):
        layer_integrated_gradients(torch.jit.script(f), f[1], x, target=0)
    recurrent = Recurrent().double()
    with pytest.raises(ValueError, match=r"tensor 1 of the layer's output has shape \(1, 2, 4\) for 2 rows"):
        layer_integrated_gradients(recurrent, recurrent.lstm, points(2, 5, 3), target=0, index=1)
    with pytest.raises(ValueError, match="f's output does not depend on the layer's output"):
        layer_integrated_gradients(lambda x: x.sum(1) + f(x).detach()[:, 0], f[1], x)
