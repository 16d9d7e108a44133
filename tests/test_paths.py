"""The straight path: it starts at the baseline, ends at x, and its velocity is its derivative."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from igteach.paths import StraightPath


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(0, 2**31), st.integers(1, 6))
def test_the_straight_path_joins_baseline_and_x_at_constant_velocity(shape, seed, count):
    baseline, x = torch.randn((2, *shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    path = StraightPath(baseline, x)
    ends = path.points(torch.tensor([0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(ends, torch.stack([baseline, x]))

    alphas = torch.linspace(0.1, 0.9, count, dtype=torch.float64)
    points, velocities = path.points(alphas), path.velocities(alphas)
    assert points.shape == velocities.shape == (count, *shape)
    slope = (path.points(alphas + 1e-4) - path.points(alphas - 1e-4)) / 2e-4
    torch.testing.assert_close(velocities, slope, rtol=1e-8, atol=1e-8)


def test_the_points_come_in_the_dtype_of_x():
    x = torch.ones(2, 3)
    assert StraightPath(torch.zeros_like(x), x).points(torch.tensor([0.5], dtype=torch.float64)).dtype == torch.float32
