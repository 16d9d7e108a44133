"""The gradient is the slope, and gradient times input the first-order share."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from igteach import gradient, gradient_times_input, integrated_gradients, smoothgrad, toy

SMOOTH = [nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.GELU(), nn.SiLU()]


@st.composite
def smooth_networks(draw):
    """A random smooth MLP in float64, a batch for it and a class for each example."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    layers = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), draw(st.sampled_from(SMOOTH))]
    batch = draw(st.integers(1, 4))
    target = torch.randint(0, sizes[-1], (batch,))
    return nn.Sequential(*layers).double(), torch.randn(batch, sizes[0]).double(), target


@settings(max_examples=40)
@given(smooth_networks())
def test_the_gradient_is_the_slope_by_finite_differences(case):
    network, x, target = case
    step, slopes = 1e-5, torch.zeros_like(x)
    for i in range(x.shape[1]):
        nudge = torch.zeros_like(x)
        nudge[:, i] = step
        rise = network(x + nudge) - network(x - nudge)
        slopes[:, i] = rise.gather(1, target[:, None])[:, 0].detach() / (2 * step)
    answer = gradient(network, x, target=target)
    torch.testing.assert_close(answer.values, slopes, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(answer.f_input, network(x).gather(1, target[:, None])[:, 0].detach())
    assert answer.evaluations == 1


@settings(max_examples=40)
@given(smooth_networks(), st.floats(-2, 2))
def test_gradient_times_input_is_the_gradient_times_the_way_from_the_baseline(case, level):
    network, x, target = case
    shares = gradient_times_input(network, x, level, target)
    torch.testing.assert_close(shares.values, gradient(network, x, target=target).values * (x - level))
    at_baseline = network(torch.full_like(x, level)).gather(1, target[:, None])[:, 0].detach()
    torch.testing.assert_close(shares.f_baseline, at_baseline)


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(0, 2**31), st.floats(-2, 2))
def test_a_linear_model_is_shared_out_completely_at_first_order(features, batch, seed, level):
    torch.manual_seed(seed)
    model, x = nn.Linear(features, 1).double(), torch.randn(batch, features).double()
    answer = gradient_times_input(model, x, level)
    torch.testing.assert_close(answer.values, model.weight.detach() * (x - level))
    assert answer.residual.abs().max() < 1e-12


def test_saturation_leaves_nothing_of_the_gradient():
    saturated, x = toy(lambda x: 1 - torch.relu(1 - x)), torch.tensor([[2.0]])
    assert gradient(saturated, x).values.item() == 0.0
    answer = gradient_times_input(saturated, x)
    assert answer.values.item() == 0.0
    assert answer.residual.item() == -1.0
    assert answer.verdict.startswith("NOT complete")


def test_the_gradient_has_no_residual_and_ignores_the_baseline():
    f, x = toy(lambda x, y: x * y), torch.tensor([[2.0, 3.0]])
    answer = gradient(f, x, baseline=7.0)
    assert answer.values.tolist() == [[3.0, 2.0]]
    assert answer.residual is None
    assert answer.f_baseline is None


@pytest.mark.parametrize("method", [gradient, gradient_times_input])
def test_a_batch_too_large_for_one_go_gets_the_answers_of_its_examples(method):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x, target = torch.randn(1100, 3).double(), torch.arange(1100) % 2
    seen = []

    def f(rows):
        seen.append(len(rows))
        return network(rows)

    together = method(f, x, 0.3, target)
    assert max(seen) <= 512
    for i in (0, 511, 512, 1099):
        alone = method(network, x[i : i + 1], 0.3, int(target[i]))
        torch.testing.assert_close(together.values[i : i + 1], alone.values)
        torch.testing.assert_close(together.f_input[i : i + 1], alone.f_input)


def test_a_smoothed_gradient_of_a_linear_model_is_its_gradient():
    torch.manual_seed(0)
    model, x = nn.Linear(4, 3), torch.randn(2, 4)
    answer = smoothgrad(model, x, target=1, stdev=0.5, samples=3)
    torch.testing.assert_close(answer.values, gradient(model, x, target=1).values)
    assert answer.residual is None
    assert answer.evaluations == 3


@pytest.mark.parametrize("at", [-0.4, 0.0, 0.7])
def test_a_smoothed_kink_has_the_slope_of_the_normal_distribution(at):
    x, stdev, samples = torch.full((1, 200), at).double(), 0.5, 100
    values = smoothgrad(lambda rows: rows.relu().sum(1), x, stdev=stdev, samples=samples).values
    chance = torch.special.ndtr(torch.tensor(at / stdev)).double()  # of a copy above 0, where the slope is 1
    standard_error = (chance * (1 - chance) / (200 * samples)).sqrt()
    assert (values.mean() - chance).abs() < 4 * standard_error


def test_smoothed_ig_explains_the_copies_and_its_residual_says_by_how_much():
    x = torch.ones(1, 500).double()
    answer = smoothgrad(lambda rows: rows.square().sum(1), x, method=integrated_gradients, stdev=0.5, samples=50)
    assert answer.f_input.item() == 500
    # the mean of (1 + noise)^2 is 1 + 0.25, with a variance of 4 * 0.25 + 2 * 0.25^2
    assert abs(answer.residual.item() - 500 * 0.25) < 4 * (500 * 1.125 / 50) ** 0.5
    assert answer.evaluations == 50 * 9


def test_a_seed_decides_the_noise_and_the_callers_random_state_stays():
    f, x, before = toy(lambda a, b: a * b * b), torch.ones(1, 2), torch.get_rng_state()
    one, same, other = (smoothgrad(f, x, stdev=0.3, samples=4, seed=seed).values for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stdev": 0.0}, "stdev is 0.0; pass a finite number above 0"),
        ({"stdev": float("nan")}, "stdev is nan"),
        ({"stdev": 0.1, "samples": 0}, "samples is 0; pass a whole number"),
    ],
)
def test_smoothing_refuses_what_is_no_noise(options, message):
    with pytest.raises(ValueError, match=message):
        smoothgrad(toy(lambda a: a), torch.ones(1, 1), **options)
