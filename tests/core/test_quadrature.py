"""The rules: weights, nodes, and the order of accuracy that the textbooks give them."""

import math
import random
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from igteach.core.partition import Partition
from igteach.core.quadrature import RULES, nodes_and_weights, parabola_weights

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


def cut_at_random(seed, cuts=12):
    """The nodes and the widths of nine cells after some of them, drawn at random, were cut in three: (cells, 1)."""
    partition = Partition(0, *(each.numpy() for each in nodes_and_weights("midpoint", 9)), 0.0, 1.0)
    draw = random.Random(seed)
    for _ in range(cuts):
        partition.cut([draw.randrange(len(partition))])
    return tuple(torch.from_numpy(each)[:, None] for each in (partition.nodes, partition.widths))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [3, 4, 17, 1000])
def test_parabola_weights_integrate_parabolas_exactly(rule, steps):
    nodes, widths = (each[:, None] for each in nodes_and_weights(rule, steps))
    weights = parabola_weights(nodes, widths)
    exact = 1 if rule == "gauss_legendre" and steps > 3 else 3  # there the cells at the ends are the narrowest but one
    for degree in range(exact):
        assert (weights * nodes**degree).sum().item() == pytest.approx(1 / (degree + 1), abs=1e-11)


@given(st.integers(0, 2**31))
def test_however_cells_are_cut_no_weight_is_negative_and_they_integrate_what_is_inside_exactly(seed):
    nodes, widths = cut_at_random(seed)
    weights = parabola_weights(nodes, widths)
    assert (weights > 0).all()
    assert weights.sum().item() == pytest.approx(1)
    assert (weights * nodes).sum().item() == pytest.approx(1 / 2)
    ends = widths[0, 0].item(), 1 - widths[-1, 0].item()
    lost = sum(width.item() ** 3 / 12 for width in (widths[0], widths[-1]))
    assert abs((weights * nodes**2).sum().item() - 1 / 3) <= lost * (1 + 1e-9), ends


def test_equal_parabolas_gain_two_orders_on_a_smooth_function():
    def missed(steps):
        nodes, widths = (each[:, None] for each in nodes_and_weights("midpoint", steps))
        return abs((parabola_weights(nodes, widths) * nodes.exp()).sum().item() - (math.e - 1))

    assert missed(60) / missed(120) == pytest.approx(16, rel=0.1)


def test_the_weights_of_each_column_are_its_own():
    columns = [cut_at_random(seed) for seed in range(4)]
    nodes, widths = (torch.cat(each, 1) for each in zip(*columns, strict=True))
    torch.testing.assert_close(
        parabola_weights(nodes, widths), torch.cat([parabola_weights(*each) for each in columns], 1)
    )


def test_a_node_beside_a_closed_one_counts_as_much_as_its_cell_is_wide():
    nodes, widths = (each[:, None] for each in nodes_and_weights("midpoint", 9))
    widths[3:5] *= torch.tensor([[0.5], [1.5]]).double()
    is_open = torch.ones(9, 1, dtype=torch.bool)
    is_open[4] = False
    weights = parabola_weights(nodes, widths, is_open)
    assert weights[4] == widths[4]
    assert weights.sum().item() == pytest.approx(1)
