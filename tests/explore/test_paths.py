"""The path explorer shows the picture on the path, F, the gradient there, and shares that grow to the whole of IG."""

import json

import numpy as np
import pytest
import torch

import igteach
from igteach import explore
from igteach.datasets import load_digits
from igteach.explore.paths import SEGMENTS, path_profile
from igteach.models import digits
from igteach.show.plates import coloured


def at(alpha):
    return round(alpha * SEGMENTS)


def test_the_shares_so_far_of_a_sum_of_squares_grow_like_alpha_squared(f):
    x = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    profile = path_profile(f, x, 0.0, None)
    for alpha in (0, 0.2, 0.45, 1):
        assert torch.allclose(profile.points[at(alpha)], alpha * x[0])
        assert torch.allclose(profile.f[at(alpha)], f(alpha * x)[0])
        assert torch.allclose(profile.gradients[at(alpha)], 2 * alpha * x[0])
        assert torch.allclose(profile.shares[at(alpha)], alpha**2 * x[0] ** 2)


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_at_the_input_the_shares_are_integrated_gradients(baseline):
    model, data = digits.load("cpu"), load_digits()
    score, x, target = igteach.probability(model), data.x_test[:1], int(data.y_test[0])
    profile = path_profile(score, x, baseline, target)
    answer = igteach.integrated_gradients(score, x, baseline, target, steps=4 * SEGMENTS)
    assert torch.allclose(profile.shares[-1], answer.values[0], atol=1e-6)
    assert torch.equal(profile.shares[0], torch.zeros(1, 8, 8))
    moved, sums = profile.f - profile.f[0], profile.shares.flatten(1).sum(1)
    assert torch.allclose(sums, moved, atol=0.01)
    slope = igteach.gradient(score, profile.points[15][None], target=target)
    assert torch.allclose(profile.gradients[15], slope.values[0], atol=1e-6)


def test_the_data_are_what_is_met_on_the_path(f, unpacked):
    x, start = torch.rand(1, 3, 6, 6), torch.rand(1, 3, 6, 6)
    figure = explore.path_explorer(f, x, start, None)
    gradients, shares, top = unpacked(figure.data["gradients"]), unpacked(figure.data["shares"]), figure.data["top"]
    for number, alpha in enumerate(np.linspace(0, 1, SEGMENTS + 1)):
        point = start + alpha * (x - start)
        slope, so_far = 2 * point[0].sum(0), (point**2 - start**2)[0].sum(0)
        assert figure.data["alphas"][number] == pytest.approx(alpha, abs=1e-6)
        assert figure.data["f"][number] == pytest.approx(f(point).item(), rel=1e-5)
        assert figure.data["sums"][number] == pytest.approx(so_far.sum().item(), rel=1e-4, abs=1e-4)
        assert np.abs(gradients[number] - slope.numpy()).max() < top["gradients"] / 253
        assert np.abs(shares[number] - so_far.numpy()).max() < top["shares"] / 253
    assert figure.data["note"] == "Strongest colour: the largest |value|. Each square sums 3 colours."


def test_a_large_picture_is_summed_over_blocks_and_its_data_stay_small(f, unpacked):
    x = torch.rand(1, 3, 130, 128)
    data = explore.path_explorer(f, x, 0.0, None).data
    shares = unpacked(data["shares"])
    whole = x.square()[0].sum(0).double().numpy()
    assert shares.shape == (SEGMENTS + 1, 44, 43)
    assert abs(shares[-1, 0, 0] - min(whole[:3, :3].sum(), data["top"]["shares"])) < data["top"]["shares"] / 253
    assert (
        "percentile 99.5 of |value|; larger ones are clipped. Each square sums 3 by 3 pixels and 3 colours."
        in (data["note"])
    )
    assert len(json.dumps(data)) < 400_000


def test_the_still_picture_is_the_start_of_the_live_figure(f, shown):
    x = torch.rand(1, 1, 6, 6, dtype=torch.float64)
    figure = explore.path_explorer(f, x, 0.0, None)
    alpha = figure.data["alphas"][figure.data["start"]]
    still = figure.still
    assert f"the picture at alpha {alpha:.2f}" in still.alt
    for title, values in [
        ("the gradient there", 2 * alpha * x[0, 0]),
        ("the integral so far", alpha**2 * x[0, 0] ** 2),
    ]:
        top = figure.data["top"]["gradients" if "gradient" in title else "shares"]
        assert np.allclose(shown(still, title), coloured(values.numpy(), top), atol=1e-6)


def test_one_picture_on_a_flat_function_is_drawn():
    explore.path_explorer(lambda x: x.flatten(1).sum(1) * 0, torch.rand(1, 6, 6), 0.0, None)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.rand(2, 3, 6, 6), r"x has shape \(2, 3, 6, 6\); pass one picture"),
        (torch.rand(1, 4, 6, 6), r"x has shape \(1, 4, 6, 6\); pass one picture"),
        (torch.rand(1, 6), r"x has shape \(1, 6\); pass one picture"),
        (torch.full((1, 3, 6, 6), -2.0), r"x runs from -2 to -2; .* let f begin with the normalisation"),
    ],
)
def test_what_is_no_picture_is_refused(f, x, words):
    with pytest.raises(ValueError, match=words):
        explore.path_explorer(f, x, 0.0, None)


@pytest.mark.parametrize(("climbs_at", "start"), [(0.62, 12), (0.05, 4)])
def test_the_slider_starts_where_f_climbs_most_and_off_the_baseline(climbs_at, start):
    def f(x):
        return ((x.flatten(1).mean(1) - climbs_at) * 50).sigmoid()

    figure = explore.path_explorer(f, torch.ones(1, 6, 6), 0.0, None)
    assert figure.data["start"] == start
    assert f"the picture at alpha {start / SEGMENTS:.2f}" in figure.still.alt
