"""Guided IG: its path by hand and by the book, and what it adds up to."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import igteach
from igteach.datasets import load_digits
from igteach.methods.guided import guided_integrated_gradients, guided_path
from igteach.models import digits

XY = igteach.toy(lambda x, y: x * y)
AT = torch.tensor([[1.0, 3.0]])


def by_the_book(gradient, x, baseline, legs, fraction, max_distance):
    """The way-points for one example, (legs, features): Algorithm 1 of the paper, one group after the other."""
    here, total, points = baseline.copy(), np.abs(x - baseline).sum(), []
    for leg in range(1, legs + 1):
        points.append(here.copy())
        slopes, alpha = np.abs(gradient(here)), leg / legs
        lowest, highest = (
            baseline + a * (x - baseline) for a in (max(alpha - max_distance, 0), min(alpha + max_distance, 1))
        )
        behind = np.abs(here - baseline) < np.abs(lowest - baseline)
        here[behind] = lowest[behind]
        to_go = np.abs(x - here).sum() - total * (1 - alpha)
        while to_go > 1e-9 * total:
            slopes[np.isclose(here, highest, rtol=0, atol=1e-12)] = np.inf
            group = np.isfinite(slopes) & (slopes <= np.quantile(slopes, fraction, method="lower"))
            part = min(1, to_go / np.abs(highest - here)[group].sum())
            here[group] += part * (highest - here)[group]
            to_go = np.abs(x - here).sum() - total * (1 - alpha)
    return np.stack(points)


def one_digit():
    held_out = load_digits()
    f = igteach.probability(digits.load("cpu").double())
    return f, held_out.x_test[:3].double(), torch.full((3, 1, 8, 8), 0.2).double(), held_out.y_test[:3]


def test_on_a_product_the_flat_feature_goes_first_and_the_other_gets_all():
    # At (0, 0) both slopes are 0: the first of 4 legs is straight, to (1/4, 3/4). There dF/dx = 3/4, dF/dy = 1/4: y is
    # flatter and goes alone, as far as a leg of length 1 leads, and again, until it is at 3. Then x goes.
    path = guided_path(XY, AT, legs=4)[:, 0]
    assert path.tolist() == [[0, 0], [0.25, 0.75], [0.25, 1.75], [0.25, 2.75], [1, 3]]
    shares = guided_integrated_gradients(XY, AT, legs=4, steps=400).values[0]
    corner = 0.75 * (3 + 2.75) / 2  # of x on the last leg
    torch.testing.assert_close(shares, torch.tensor([0.75 / 8 + corner, 3 - 0.75 / 8 - corner]), rtol=0, atol=1e-4)
    many = guided_integrated_gradients(XY, AT, legs=512, steps=2048).values[0]
    torch.testing.assert_close(many, torch.tensor([3.0, 0.0]), rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("fraction", "max_distance"), [(0.1, 1.0), (0.25, 0.02), (0.25, 0.3), (0.5, 0.1), (0, 1), (1, 1)]
)
def test_the_path_is_that_of_the_algorithm_as_published(fraction, max_distance):
    f, x, baseline, target = one_digit()
    ours = guided_path(f, x, baseline, target, legs=20, fraction=fraction, max_distance=max_distance)
    for i in range(len(x)):

        def gradient(point, i=i):
            here = torch.from_numpy(point).view(1, 1, 8, 8)
            return igteach.gradient(f, here, None, target[i : i + 1]).values.flatten().numpy()

        start, end = (t[i].flatten().numpy() for t in (baseline, x))
        theirs = by_the_book(gradient, end, start, 20, fraction, max_distance)
        np.testing.assert_allclose(ours[:-1, i].flatten(1), theirs, rtol=0, atol=1e-9)


def test_the_path_goes_from_baseline_to_x_and_never_back_by_legs_of_one_length():
    f, x, baseline, target = one_digit()
    path = guided_path(f, x, baseline, target, legs=16)
    assert torch.equal(path[0], baseline)
    assert torch.equal(path[-1], x)
    ways = path.diff(dim=0) * (x - baseline).sign()
    assert ways.min() >= 0
    lengths = ways.flatten(2).sum(2)
    torch.testing.assert_close(lengths, ((x - baseline).abs().flatten(1).sum(1) / 16).expand(16, -1))
    assert (ways.flatten(2) > 0).sum(2).double().mean() < 20  # of 64 pixels, most wait


def test_without_a_distance_to_the_straight_path_it_is_the_straight_path():
    f, x, baseline, target = one_digit()
    ours = guided_integrated_gradients(f, x, baseline, target, steps=64, legs=16, max_distance=0)
    straight = igteach.integrated_gradients(f, x, baseline, target, steps=64)
    torch.testing.assert_close(ours.values, straight.values, rtol=0, atol=1e-9)
    assert (guided_integrated_gradients(f, x, baseline, target).values - straight.values).abs().max() > 0.01


@pytest.mark.long
def test_on_digits_it_adds_up_within_its_tolerance_and_closer_with_more_steps():
    held_out, network = load_digits(), digits.load("cpu")
    x, y = held_out.x_test[:8], held_out.y_test[:8]
    for f in (igteach.probability(network), igteach.logit(network)):
        answer = guided_integrated_gradients(f, x, None, y)
        assert answer.relative_residual.max() < 0.05
        assert answer.converged.all()
        assert (answer.evaluations >= 9 + 32).all()
        assert guided_integrated_gradients(f, x, None, y, steps=2048).relative_residual.max() < 0.005


@settings(max_examples=30)
@given(seed=st.integers(0, 999), features=st.integers(1, 7), fraction=st.floats(0, 1), distance=st.floats(0, 1))
def test_of_a_linear_function_the_shares_are_those_of_any_path(seed, features, fraction, distance):
    draw = torch.Generator().manual_seed(seed)
    w, x, baseline = torch.randn(3, 1, features, generator=draw, dtype=torch.float64)
    options = {"legs": 5, "steps": 10, "fraction": fraction, "max_distance": distance}
    shares = guided_integrated_gradients(lambda points: points @ w[0], x, baseline, **options).values
    torch.testing.assert_close(shares, w * (x - baseline))


def test_an_example_goes_its_own_way_in_a_batch_too():
    f, x, baseline, target = one_digit()
    together = guided_path(f, x, baseline, target, legs=8)
    for i in range(3):
        alone = guided_path(f, x[i : i + 1], baseline[i : i + 1], target[i : i + 1], legs=8)
        torch.testing.assert_close(alone[:, 0], together[:, i], rtol=0, atol=1e-9)


def test_x_at_the_baseline_gets_zeros():
    assert guided_integrated_gradients(XY, AT, AT).values.tolist() == [[0, 0]]


@pytest.mark.parametrize(("name", "number"), [("fraction", 1.5), ("fraction", -0.1), ("max_distance", 2.0)])
def test_a_part_that_is_none_is_refused(name, number):
    with pytest.raises(ValueError, match=f"{name} is {number}; pass a number from 0 to 1"):
        guided_integrated_gradients(XY, AT, **{name: number})


def test_no_legs_are_refused():
    with pytest.raises(ValueError, match="legs is 0"):
        guided_integrated_gradients(XY, AT, legs=0)
