"""The rules: weights, nodes, and the order of accuracy that the textbooks give them."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from igteach.core.quadrature import RULES, nodes_and_weights, parabola_corrections, warped_nodes_and_weights

STEPS = [1, 2, 3, 10, 51, 64, 333, 1000]


def integral(function, rule, steps):
    nodes, weights = nodes_and_weights(rule, steps)
    return (weights * function(nodes)).sum().item()


def error(rule, steps):
    return abs(integral(torch.exp, rule, steps) - (math.e - 1))


@pytest.mark.parametrize(("rule", "steps"), [case for case in product(RULES, STEPS) if case != ("trapezoid", 1)])
def test_weights_sum_to_one_and_nodes_ascend_within_the_interval(rule, steps):
    nodes, weights = nodes_and_weights(rule, steps)
    assert nodes.shape == weights.shape == (steps,)
    assert nodes.dtype == weights.dtype == torch.float64
    assert abs(math.fsum(weights.tolist()) - 1) < 1e-12
    assert (weights > 0).all()
    assert (nodes >= 0).all()
    assert (nodes <= 1).all()
    assert (nodes.diff() > 0).all()


@pytest.mark.parametrize(
    ("rule", "nodes", "weights"),
    [
        ("left", [0, 0.25, 0.5, 0.75], [0.25] * 4),
        ("right", [0.25, 0.5, 0.75, 1], [0.25] * 4),
        ("midpoint", [0.125, 0.375, 0.625, 0.875], [0.25] * 4),
        ("trapezoid", [0, 1 / 3, 2 / 3, 1], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
    ],
)
def test_four_steps_of_the_equidistant_rules(rule, nodes, weights):
    ours = nodes_and_weights(rule, 4)
    torch.testing.assert_close(ours, (torch.tensor(nodes).double(), torch.tensor(weights).double()), rtol=1e-6, atol=0)


def test_two_gauss_legendre_nodes_are_one_half_more_and_less_a_twelfths_root():
    nodes, weights = nodes_and_weights("gauss_legendre", 2)
    assert nodes.tolist() == pytest.approx([0.5 - 12**-0.5, 0.5 + 12**-0.5], abs=1e-14)
    assert weights.tolist() == pytest.approx([0.5, 0.5], abs=1e-14)


@pytest.mark.parametrize(("rule", "factor"), [("left", 2), ("right", 2), ("midpoint", 4), ("trapezoid", 4)])
def test_doubling_the_cells_divides_the_error_on_a_smooth_function(rule, factor):
    ends = rule == "trapezoid"  # n cells have n + 1 ends
    assert error(rule, 100 + ends) / error(rule, 200 + ends) == pytest.approx(factor, rel=0.01)


def test_the_trapezoid_errs_twice_as_much_as_the_midpoint():
    assert error("trapezoid", 101) / error("midpoint", 100) == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8])
def test_gauss_legendre_is_exact_up_to_degree_2n_minus_1_and_no_further(steps):
    for degree in range(2 * steps):
        assert integral(lambda t, d=degree: t**d, "gauss_legendre", steps) == pytest.approx(1 / (degree + 1), abs=1e-14)
    first_missed = integral(lambda t: t ** (2 * steps), "gauss_legendre", steps)
    assert abs(first_missed - 1 / (2 * steps + 1)) > 1e-12


@settings(deadline=None)
@given(st.integers(1, 60), st.lists(st.floats(-3, 3), min_size=1, max_size=5))
def test_trapezoid_is_the_mean_of_left_and_right_and_of_midpoint_and_trapezoid(cells, coefficients):
    def wave(t):
        return sum(c * torch.cos((k + 1) * t) for k, c in enumerate(coefficients))

    left, right, midpoint = (integral(wave, rule, cells) for rule in ("left", "right", "midpoint"))
    trapezoid = integral(wave, "trapezoid", cells + 1)
    assert trapezoid == pytest.approx((left + right) / 2, abs=1e-12)
    assert integral(wave, "trapezoid", 2 * cells + 1) == pytest.approx((midpoint + trapezoid) / 2, abs=1e-12)


@pytest.mark.parametrize("rule", ["simpson", "Midpoint", "", None])
def test_an_unknown_rule_gets_the_list_of_rules(rule):
    with pytest.raises(ValueError, match=r"rule is .*left, right, midpoint, trapezoid, gauss_legendre"):
        nodes_and_weights(rule, 4)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [0, -3, True, 2.0, "8", None])
def test_steps_that_are_no_positive_whole_number_are_refused(rule, steps):
    with pytest.raises(ValueError, match=rf"steps is {steps!r}; pass a whole number of at least 1"):
        nodes_and_weights(rule, steps)


def test_a_trapezoid_of_one_step_is_refused():
    with pytest.raises(ValueError, match=r"steps is 1.*at least 2"):
        nodes_and_weights("trapezoid", 1)


@settings(deadline=None)
@given(st.integers(3, 40), st.integers(1, 50), st.integers(0, 2**31))
def test_warped_weights_sum_to_one_around_their_nodes_whatever_F_does(points, steps, seed):
    heights = torch.randn(points, 3, generator=torch.Generator().manual_seed(seed)) ** 5
    heights[:, 0] = 1.0
    nodes, weights = warped_nodes_and_weights(heights, steps)
    ends = weights.cumsum(0)
    assert nodes.shape == weights.shape == (steps, 3)
    torch.testing.assert_close(ends[-1], torch.ones(3).double())
    assert (weights > 0).all()
    torch.testing.assert_close(nodes, ends - weights / 2)
    uniform = torch.stack(nodes_and_weights("midpoint", steps))
    torch.testing.assert_close(torch.stack([nodes[:, 0], weights[:, 0]]), uniform)  # where F is constant


def test_warped_nodes_stand_close_where_F_moves_and_leave_no_wide_gap():
    step = torch.sigmoid(100 * (torch.linspace(0, 1, 34) - 0.7))[:, None]
    nodes, weights = warped_nodes_and_weights(step, 64)
    assert ((nodes - 0.7).abs() < 0.1).double().mean() > 0.5
    assert weights.max() < 4.1 / 64


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [3, 4, 17, 1000])
def test_corrected_weights_integrate_parabolas_exactly(rule, steps):
    nodes, weights = nodes_and_weights(rule, steps)
    corrected = weights + parabola_corrections(nodes[:, None], weights[:, None])[:, 0]
    for degree in range(3):
        assert (corrected * nodes**degree).sum().item() == pytest.approx(1 / (degree + 1), abs=1e-11)


def test_corrections_of_each_column_are_its_own():
    nodes, weights = warped_nodes_and_weights(torch.randn(9, 4), 12)
    for i in range(4):
        alone = parabola_corrections(nodes[:, i : i + 1], weights[:, i : i + 1])
        torch.testing.assert_close(parabola_corrections(nodes, weights)[:, i : i + 1], alone)


def test_warped_nodes_stand_close_at_a_peak_whose_ends_are_of_one_height():
    heights = torch.tensor([0, 0, 0, 0, 1, 1, 0, 0, 0, 0.0])[:, None]
    nodes, _ = warped_nodes_and_weights(heights, 90)
    cells = torch.histc(nodes[:, 0], bins=9, min=0, max=1)
    assert cells[4] > 2 * cells[0]


@pytest.mark.parametrize("rule", ["midpoint", "trapezoid", "gauss_legendre"])
def test_corrections_of_a_symmetric_rule_are_symmetric(rule):
    nodes, weights = nodes_and_weights(rule, 9)
    found = parabola_corrections(nodes[:, None], weights[:, None])
    torch.testing.assert_close(found, found.flip(0), rtol=0, atol=1e-12)
