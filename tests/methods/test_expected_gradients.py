"""Attributions over many baselines: closed forms, completeness against the mean, and an honest sampling error."""

import pytest
import torch
from torch import nn

from igteach import average_integrated_gradients, expected_gradients, integrated_gradients

BOTH = pytest.mark.parametrize("method", [expected_gradients, average_integrated_gradients])


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).double()


def draws(count=9, seed=0):
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)).double()


def test_the_average_is_weight_times_the_distance_from_the_mean_baseline_for_a_linear_model():
    model, x = nn.Linear(3, 1).double(), torch.randn(4, 3).double()
    answer = average_integrated_gradients(model, x, draws(), steps=4)
    torch.testing.assert_close(answer.values, model.weight.detach() * (x - draws().mean(0)))
    torch.testing.assert_close(answer.f_baseline, model(draws()).mean().detach().expand(4))
    assert answer.evaluations == 36
    assert answer.verdict == "complete"


def test_expected_gradients_of_a_linear_model_come_within_their_estimate_of_it():
    model = nn.Linear(3, 1).double()
    truth, under = model.weight.detach() * (torch.ones(1, 3) - draws().mean(0)), 0
    for seed in range(100):
        answer = expected_gradients(model, torch.ones(1, 3).double(), draws(), samples=64, seed=seed)
        error = (answer.values - truth).abs().sum() / answer.values.abs().sum()
        under += error.item() <= answer.error_estimate.item()
        assert answer.error_estimate.item() < 1
    assert under >= 90


def test_one_baseline_makes_expected_gradients_integrated_gradients():
    network, x = small_network(), draws(2, seed=1)
    expected = integrated_gradients(network, x, 0.5, 1, steps=500).values
    answer = expected_gradients(network, x, torch.full((1, 3), 0.5).double(), 1, samples=20_000)
    torch.testing.assert_close(answer.values, expected, rtol=0, atol=0.02)


@BOTH
def test_many_samples_agree_with_the_average_and_add_up(method):
    network, x, target = small_network(), draws(3, seed=1), torch.tensor([1, 0, 1])
    options = {"samples": 20_000} if method is expected_gradients else {"tolerance": 1e-3}
    answer = method(network, x, draws(), target, **options)
    mean = torch.stack([integrated_gradients(network, x, b, target, steps=500).values for b in draws()]).mean(0)
    torch.testing.assert_close(answer.values, mean, rtol=0, atol=0.03)
    at_baselines = network(draws())[:, target].mean(0).detach()
    torch.testing.assert_close(answer.f_baseline, at_baselines)
    assert (answer.error_estimate < 0.05).all()


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_an_example_gets_the_same_samples_alone_as_in_a_batch_whatever_the_rows(batch_size):
    network, x = small_network(), draws(3, seed=1)
    together = expected_gradients(network, x, draws(), 1, samples=20)
    for i in range(3):
        alone = expected_gradients(network, x[i : i + 1], draws(), 1, samples=20, batch_size=batch_size)
        torch.testing.assert_close(alone.values[0], together.values[i])
        torch.testing.assert_close(alone.error_estimate[0], together.error_estimate[i])


def test_the_seed_decides_and_the_callers_random_state_is_left_alone():
    network, x = small_network(), draws()
    state = torch.random.get_rng_state()
    first, again, other = (expected_gradients(network, x, draws(), 0, seed=seed).values for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_average_takes_a_baseline_for_each_example_too_and_counts_what_it_spends():
    network, x = small_network(), draws(2, seed=1)
    baselines = torch.stack([draws(2, seed=5), draws(2, seed=6)])
    answer = average_integrated_gradients(network, x, baselines, 1, tolerance=0.01)
    parts = [integrated_gradients(network, x, b, 1, tolerance=0.01) for b in baselines]
    torch.testing.assert_close(answer.values, (parts[0].values + parts[1].values) / 2)
    assert answer.evaluations.tolist() == (parts[0].evaluations + parts[1].evaluations).tolist()
    assert answer.converged.tolist() == (parts[0].converged & parts[1].converged).tolist()


@BOTH
@pytest.mark.parametrize(
    ("baselines", "error", "words"),
    [
        (0.0, TypeError, "baselines is float"),
        (torch.zeros(0, 3), ValueError, r"baselines of shape \(0, 3\) is empty"),
        (torch.full((2, 3), float("nan")), ValueError, "empty or holds NaN"),
        (torch.zeros(2, 7), ValueError, "shape .*7"),
    ],
)
def test_baselines_that_are_none_are_refused(method, baselines, error, words):
    with pytest.raises(error, match=words):
        method(small_network().float(), torch.ones(1, 3), baselines, 0)


@pytest.mark.parametrize("samples", [1, 0, True, 2.5])
def test_samples_are_checked(samples):
    with pytest.raises(ValueError, match=r"samples is .*at least 2"):
        expected_gradients(small_network(), draws(1), draws(), 0, samples=samples)


def test_samples_are_doubled_until_the_error_is_below_the_tolerance():
    network, x = small_network(), torch.randn(3, 3).double()
    answer = expected_gradients(network, x, draws(), 1, tolerance=0.1, max_evaluations=4096)
    dense = expected_gradients(network, x, draws(), 1, samples=40_000)
    errors = (answer.values - dense.values).abs().sum(1) / dense.values.abs().sum(1)
    assert answer.converged.all()
    assert (errors < answer.error_estimate).all()
    assert (answer.error_estimate <= 0.1).all()
    few = expected_gradients(network, x, draws(), 1, tolerance=1e-4, max_evaluations=100)
    assert not few.converged.any()
    assert (few.evaluations == 100).all()
