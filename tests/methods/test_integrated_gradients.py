"""Integrated Gradients against closed forms, in any dtype, in pieces of any size, in bounded memory."""

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from igteach import gradient, gradient_times_input, integrated_gradients, toy
from igteach.core import integration
from igteach.core.profiling import peak_bytes
from igteach.core.quadrature import RULES, nodes_and_weights

SECOND_ORDER = ["midpoint", "trapezoid", "gauss_legendre"]  # exact where the gradient is linear along the path
every_rule = pytest.mark.parametrize("rule", RULES)


def small_network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


# --- closed forms


@settings(max_examples=50)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**31), st.sampled_from(RULES), st.integers(2, 20))
def test_a_linear_model_gets_weight_times_distance_by_every_rule(features, batch, seed, rule, steps):
    torch.manual_seed(seed)
    model, (x, baseline) = nn.Linear(features, 1).double(), torch.randn(2, batch, features).double()
    answer = integrated_gradients(model, x, baseline, steps=steps, rule=rule)
    torch.testing.assert_close(answer.values, model.weight.detach() * (x - baseline))
    assert answer.evaluations == steps
    assert answer.residual.abs().max() < 1e-12


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(0, 2**31), st.sampled_from(SECOND_ORDER), st.integers(2, 9))
def test_a_quadratic_form_gets_its_closed_form(features, seed, rule, steps):
    torch.manual_seed(seed)
    form, (x, baseline) = torch.randn(features, features).double(), torch.randn(2, 3, features).double()
    answer = integrated_gradients(lambda x: ((x @ form) * x).sum(1), x, baseline, steps=steps, rule=rule)
    expected = (x - baseline) * ((x + baseline) @ (form + form.T) / 2)
    torch.testing.assert_close(answer.values, expected, rtol=1e-10, atol=1e-10)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4).filter(any), st.integers(0, 2**31))
def test_a_monomial_from_zero_is_shared_out_by_its_exponents(exponents, seed):
    x = torch.rand(2, len(exponents), generator=torch.Generator().manual_seed(seed)).double() + 0.5
    powers = torch.tensor(exponents).double()
    answer = integrated_gradients(lambda x: (x**powers).prod(1), x, rule="gauss_legendre", steps=6)
    shares = powers / powers.sum()
    torch.testing.assert_close(answer.values, shares * (x**powers).prod(1, keepdim=True), rtol=1e-10, atol=1e-12)


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**31))
def test_polynomials_of_degree_2n_are_complete_with_n_gauss_legendre_steps(steps, features, seed):
    torch.manual_seed(seed)
    directions = torch.randn(2 * steps, features).double()
    x, baseline = torch.randn(2, 3, features).double()
    answer = integrated_gradients(  # a product of 2n affine functions
        lambda x: (x @ directions.T + 0.5).prod(1), x, baseline, rule="gauss_legendre", steps=steps
    )
    size = torch.maximum(answer.values.abs().sum(1), answer.f_input.abs())
    assert (answer.residual.abs() <= 1e-10 * size.clamp_min(1)).all()


@pytest.mark.parametrize("rule", SECOND_ORDER)
def test_xy_plus_z_at_ones_is_a_half_a_half_and_one(rule):
    answer = integrated_gradients(toy(lambda x, y, z: x * y + z), torch.ones(1, 3), steps=64, rule=rule)
    torch.testing.assert_close(answer.values, torch.tensor([[0.5, 0.5, 1.0]]))
    assert answer.f_input.item() == 2.0
    assert answer.f_baseline.item() == 0.0


@every_rule
@pytest.mark.parametrize("steps", [7, 64, 65])
def test_the_saturated_function_gets_its_whole_change_up_to_the_weights_beside_the_kink(rule, steps):
    saturated = toy(lambda x: 1 - torch.relu(1 - x))
    answer = integrated_gradients(saturated, torch.tensor([[2.0]]), rule=rule, steps=steps)
    assert abs(answer.values.item() - 1) <= 2 * nodes_and_weights(rule, steps)[1].max().item() + 1e-6


def test_one_more_gauss_legendre_step_can_be_worse():
    x = torch.tensor([[2.0]], dtype=torch.float64)
    errors = [
        abs(integrated_gradients(lambda x: 1 - torch.relu(1 - x[:, 0]), x, rule="gauss_legendre", steps=n).values - 1)
        for n in (50, 51)
    ]
    assert errors[0] < 1e-9
    assert 0.030 < errors[1] < 0.031


@every_rule
def test_the_minimum_gives_everything_to_the_smaller_one(rule):
    for f in (toy(lambda x, y: min(x, y)), lambda x: x[:, 0] - torch.relu(x[:, 0] - x[:, 1])):
        answer = integrated_gradients(f, torch.tensor([[1.0, 3.0]]), steps=64, rule=rule)
        tie = nodes_and_weights(rule, 64)[1][0].item() if rule in ("left", "trapezoid") else 0.0  # at the baseline
        torch.testing.assert_close(answer.values, torch.tensor([[1.0, 0.0]]), rtol=0, atol=3 * tie + 1e-6)


def test_the_way_back_has_the_same_shares_with_the_other_sign():
    network, (x, baseline) = small_network(), torch.randn(2, 3, 4).double()
    there = integrated_gradients(network, x, baseline, 1).values
    torch.testing.assert_close(integrated_gradients(network, baseline, x, 1).values, -there)


# --- precision


@pytest.mark.parametrize(("dtype", "steps"), [(torch.float32, 3000), (torch.bfloat16, 600)])
def test_many_steps_add_up_in_double_precision(dtype, steps):
    x = torch.ones(1, 1, dtype=dtype)
    answer = integrated_gradients(lambda x: (x * 0.1).sum(1), x, steps=steps, batch_size=1)
    assert answer.values.item() == torch.tensor(0.1, dtype=dtype).item()


@pytest.mark.parametrize(("dtype", "near"), [(torch.float16, 5e-3), (torch.bfloat16, 5e-2), (torch.float32, 1e-5)])
def test_lower_precision_comes_near_double_precision(dtype, near):
    network, (x, baseline) = small_network(), torch.randn(2, 3, 4).double()
    exact = integrated_gradients(network, x, baseline, 1).values
    answer = integrated_gradients(small_network().to(dtype), x.to(dtype), baseline.to(dtype), 1)
    assert answer.values.dtype == dtype
    torch.testing.assert_close(answer.values.double(), exact, rtol=0, atol=near)


# --- pieces


@settings(max_examples=40)
@given(
    batch=st.integers(1, 9),
    steps=st.integers(2, 12),
    batch_size=st.one_of(st.sampled_from([1, 2, 7, 1000]), st.integers(1, 40)),
    rule=st.sampled_from(RULES),
    seed=st.integers(0, 2**31),
)
def test_the_answer_does_not_depend_on_rows_and_no_more_are_evaluated_at_once(batch, steps, batch_size, rule, seed):
    network, (x, baseline) = small_network(seed), torch.randn(2, batch, 4).double()
    target, seen = torch.randint(0, 3, (batch,)), []

    def f(points):
        seen.append(len(points))
        return network(points)

    answer = integrated_gradients(f, x, baseline, target, steps=steps, rule=rule, batch_size=batch_size)
    assert max(seen) <= batch_size
    assert sum(seen) == steps * batch + 2 * batch + 1  # the path, both of its ends, and a row to see independence by
    whole = integrated_gradients(network, x, baseline, target, steps=steps, rule=rule)
    for name in ("values", "f_input", "f_baseline"):
        torch.testing.assert_close(getattr(answer, name), getattr(whole, name), rtol=1e-10, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(2, 7), st.sampled_from([None, 1, 3, 50]), st.integers(0, 2**31))
def test_an_example_gets_the_same_answer_alone_as_in_a_batch(batch, batch_size, seed):
    network, (x, baseline) = small_network(seed), torch.randn(2, batch, 4).double()
    target = torch.randint(0, 3, (batch,))
    together = integrated_gradients(network, x, baseline, target, steps=10, batch_size=batch_size).values
    for i in range(batch):
        alone = integrated_gradients(
            network, x[i : i + 1], baseline[i], int(target[i]), steps=10, batch_size=batch_size
        ).values
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-10, atol=1e-12)


def test_the_layout_of_x_in_memory_does_not_matter():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 1)).double()
    x = torch.randn(5, 3, 4, 4).double()
    expected = integrated_gradients(network, x, batch_size=7, steps=5).values
    for same in (x.to(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)):
        torch.testing.assert_close(integrated_gradients(network, same, batch_size=7, steps=5).values, expected)
    one = integrated_gradients(network, x[:1].expand(3, -1, -1, -1), batch_size=7, steps=5).values
    torch.testing.assert_close(one, expected[:1].expand(3, -1, -1, -1))


@pytest.mark.parametrize("batch_size", [0, -1, True, 2.0, "all"])
def test_rows_that_are_no_positive_whole_number_are_refused(batch_size):
    with pytest.raises(ValueError, match=r"batch_size is .*; pass a whole number of at least 1"):
        integrated_gradients(toy(lambda x: x), torch.ones(1, 1), batch_size=batch_size)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": True}, "steps is True"),
        ({"steps": 10.0}, "steps is 10.0"),
        ({"rule": "simpson", "steps": 4}, "rule is 'simpson'; choose one of left"),
        ({"rule": "left"}, "rule is 'left', but steps is None; pass steps=64"),
        ({"rule": "trapezoid", "steps": 1}, "steps is 1"),
    ],
)
def test_steps_and_rule_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        integrated_gradients(toy(lambda x: x), torch.ones(1, 1), **options)


# --- memory


def beyond_x_and_result(batch, features=512, **options):
    network, x = nn.Linear(features, 3), torch.ones(batch, features)
    return peak_bytes(lambda: integrated_gradients(network, x, target=1, batch_size=8, **options)) - x.nbytes


class Rough(nn.Module):
    """Many kinks along every path, so that many cells are cut."""

    def forward(self, x):
        return torch.stack([x[:, i::7].sum(1) for i in range(7)], 1).mul(0.02).sin().abs().sum(1)


@pytest.mark.parametrize("options", [{"steps": 1000}, {"tolerance": 1e-6, "max_evaluations": 1000}])
def test_memory_grows_with_the_gradients_by_no_more_than_is_kept(monkeypatch, options):
    features, kept = 16384, 100
    monkeypatch.setattr(integration, "BYTES_KEPT_ON_CPU", kept * features * 4)
    network, x = Rough(), torch.rand(1, features, generator=torch.Generator().manual_seed(0))
    few, many = (
        peak_bytes(lambda options=options: integrated_gradients(network, x, batch_size=8, **options))
        for options in ({"steps": 10}, options)
    )
    sampled = 1000 * integration.FEATURES_JUDGED * 4
    assert many - few < (kept + 16) * features * 4 + 6 * sampled


@pytest.mark.parametrize("options", [{"steps": 300}, {"tolerance": 1e-3, "max_evaluations": 301}])
def test_closed_cells_count_as_open_ones_do(monkeypatch, options):
    network, x = Rough().double(), torch.rand(2, 5000, generator=torch.Generator().manual_seed(0)).double()
    whole = integrated_gradients(network, x, steps=4000).values
    monkeypatch.setattr(integration, "BYTES_KEPT_ON_CPU", 40 * 5000 * 8)
    answer = integrated_gradients(network, x, **options)
    assert ((answer.values - whole).abs().sum(1) <= answer.error_estimate * whole.abs().sum(1)).all()
    assert (answer.residual.abs() <= answer.error_estimate * whole.abs().sum(1)).all()


def test_memory_beyond_x_and_one_result_does_not_grow_with_the_batch():
    """As soon as the examples fill what is under way together."""
    full = beyond_x_and_result(integration.BATCHES_ADMITTED, steps=10)
    assert abs(beyond_x_and_result(8 * integration.BATCHES_ADMITTED, steps=10) - full) < 0.1 * full


@pytest.mark.parametrize("method", [gradient, gradient_times_input])
def test_memory_of_the_gradient_beyond_one_result_does_not_grow_with_the_batch(method):
    network = nn.Linear(1024, 1)
    beyond = []
    for batch in (1024, 4096):
        x = torch.ones(batch, 1024)
        beyond.append(peak_bytes(lambda x=x: method(network, x)) - x.nbytes)
    assert abs(beyond[1] - beyond[0]) < 0.1 * beyond[0]


# --- progress


def test_progress_shows_a_bar_and_changes_nothing(capsys):
    f, x = toy(lambda x: x**2), torch.ones(3, 1)
    silent = integrated_gradients(f, x)
    assert capsys.readouterr().err == ""
    assert torch.equal(integrated_gradients(f, x, progress=True).values, silent.values)
    assert f"integrated gradients: {silent.evaluations.sum()} gradients" in capsys.readouterr().err
    integrated_gradients(f, x, steps=8, progress=True)
    shown = capsys.readouterr().err
    assert "integrated gradients: 100%" in shown
    assert "24/24" in shown


def test_progress_without_tqdm_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="pip install tqdm"):
        integrated_gradients(toy(lambda x: x), torch.ones(1, 1), progress=True)
