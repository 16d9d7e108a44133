"""Paths lead from the baseline to x, and velocities are their derivatives; gradients along any path are complete."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from igteach import integrated_gradients, path_gradients, toy
from igteach.core.paths import CurvedPath, StraightPath, piecewise_linear_path

STAIRS = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]])[:, None]  # along x, then y, then z


@settings(max_examples=50)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(0, 2**31), st.integers(1, 6))
def test_the_straight_path_joins_baseline_and_x_at_constant_velocity(shape, seed, count):
    baseline, x = torch.randn((2, *shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    path = StraightPath(baseline, x)
    ends = path.points(torch.tensor([0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(ends, torch.stack([baseline, x]))

    alphas = torch.linspace(0.1, 0.9, count, dtype=torch.float64)
    assert path.points(alphas).shape == (count, *shape)
    slopes = (path.points(alphas + 1e-4) - path.points(alphas - 1e-4)) / 2e-4
    velocities = path.velocities(torch.arange(shape[0]))
    torch.testing.assert_close(velocities.expand(count, *shape), slopes, rtol=1e-8, atol=1e-8)


def test_the_points_come_in_the_dtype_of_x():
    x = torch.ones(2, 3)
    assert StraightPath(torch.zeros_like(x), x).points(torch.tensor([0.5], dtype=torch.float64)).dtype == torch.float32


def test_a_row_is_where_its_example_is_at_its_alpha():
    baseline, x = torch.randn(2, 3, 4).double()
    examples, alphas = torch.tensor([2, 0, 0, 1, 2]), torch.rand(5).double()
    expected = torch.stack([torch.lerp(baseline[i], x[i], a) for i, a in zip(examples, alphas, strict=True)])
    points, velocities = StraightPath(baseline, x).rows(examples, alphas)
    torch.testing.assert_close(points, expected)
    torch.testing.assert_close(velocities, (x - baseline)[examples])
    curved = CurvedPath(lambda alpha: torch.lerp(baseline, x, alpha))
    torch.testing.assert_close(curved.rows(examples, alphas), expected)


def test_way_points_are_reached_one_after_the_other_and_joined_by_straight_legs():
    path = CurvedPath(piecewise_linear_path(STAIRS))
    reached = torch.cat([path.at(alpha) for alpha in (0, 1 / 6, 1 / 3, 1 / 2, 1)]).double()
    expected = torch.tensor([[0, 0, 0], [0.5, 0, 0], [1, 0, 0], [1, 0.5, 0], [1, 1, 1]]).double()
    torch.testing.assert_close(reached, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("order", "shares"), [([0, 1, 2], [0, 1, 1]), ([1, 0, 2], [1, 0, 1]), ([2, 1, 0], [1, 0, 1])])
def test_xy_plus_z_along_the_axes_gives_the_product_to_the_one_that_moves_last(order, shares):
    answer = path_gradients(toy(lambda x, y, z: x * y + z), STAIRS[..., torch.tensor(order).argsort()], steps=60)
    torch.testing.assert_close(answer.values, torch.tensor([shares]).float(), rtol=0, atol=1e-5)


def test_the_straight_path_gives_integrated_gradients():
    torch.manual_seed(0)
    network, (baseline, x) = (
        nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double(),
        torch.randn(2, 3, 4).double(),
    )
    expected = integrated_gradients(network, x, baseline, 1, steps=64)
    for path in (torch.stack([baseline, x]), lambda alpha: torch.lerp(baseline, x, alpha)):
        answer = path_gradients(network, path, 1, x=x, baseline=baseline, steps=64)
        torch.testing.assert_close(answer.values, expected.values)
        torch.testing.assert_close(answer.error_estimate, expected.error_estimate, rtol=1e-6, atol=1e-9)


@settings(max_examples=40)
@given(
    st.integers(2, 5),
    st.sampled_from(["left", "midpoint", "trapezoid", "gauss_legendre"]),
    st.integers(2, 30),
    st.integers(0, 99),
)
def test_a_linear_model_gets_weight_times_distance_along_any_path(legs, rule, steps, seed):
    torch.manual_seed(seed)
    model, way = nn.Linear(3, 1).double(), torch.randn(legs + 1, 2, 3).double()
    answer = path_gradients(model, way, rule=rule, steps=steps)
    torch.testing.assert_close(answer.values, model.weight.detach() * (way[-1] - way[0]))


def test_a_curve_gets_its_closed_form_and_the_shares_add_up():
    def quarter(alpha):  # of the unit circle, from (1, 0) to (0, 1)
        return torch.tensor([[math.cos(alpha * math.pi / 2), math.sin(alpha * math.pi / 2)]] * 2).double()

    answer = path_gradients(toy(lambda x, y: x * y + y), quarter, steps=400)
    expected = torch.tensor([[-math.pi / 4, 1 + math.pi / 4]] * 2).double()  # y dx, and (x + 1) dy
    torch.testing.assert_close(answer.values, expected, rtol=0, atol=1e-5)
    assert answer.residual.abs().max() < 1e-5


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_rows_make_no_difference_along_a_path(batch_size):
    torch.manual_seed(1)
    network, way = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)).double(), torch.randn(3, 4, 3).double()
    target, whole = torch.tensor([0, 1, 1, 0]), None
    whole = path_gradients(network, way, target, steps=12)
    answer = path_gradients(network, way, target, steps=12, batch_size=batch_size)
    torch.testing.assert_close(answer.values, whole.values)
    torch.testing.assert_close(answer.error_estimate, whole.error_estimate)


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        (STAIRS, {"x": torch.full((1, 3), 2.0)}, "path does not end at x"),
        (STAIRS, {"baseline": 0.5}, "path does not start at baseline"),
        (STAIRS[:1], {}, "path is of shape"),
        (STAIRS[:, 0], {}, "path is of shape"),
        ([1, 2], {}, "path is list"),
        (lambda alpha: torch.full((1, 3), alpha * (1 - alpha) - 0.1).sqrt(), {}, "path holds NaN or infinity"),
        (
            lambda alpha: torch.full((1, 3), math.nan if alpha == 0.5 else alpha),
            {"steps": 3},
            "path holds NaN",
        ),
        (STAIRS, {"rule": "left"}, "rule is 'left', but steps is None"),
        (STAIRS, {"steps": 0}, "steps is 0"),
    ],
)
def test_a_path_that_leads_elsewhere_or_nowhere_is_refused(path, options, words):
    with pytest.raises(ValueError, match=words):
        path_gradients(toy(lambda x, y, z: x * y + z), path, **options)


def test_a_path_through_a_network_is_walked_in_full_float32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    seen = []

    def function(alpha):
        seen.append(torch.backends.cudnn.allow_tf32)
        return torch.full((1, 2), alpha)

    path_gradients(toy(lambda x, y: x * y), function, steps=4)
    assert set(seen) == {False}
    assert torch.backends.cudnn.allow_tf32
