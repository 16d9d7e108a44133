"""The path explorer shows the picture on the path, F, the gradient there, and shares that grow to the whole of IG."""

import numpy as np
import pytest
import torch

import igteach
from igteach import explore
from igteach.datasets import load_digits
from igteach.explore.paths import SEGMENTS, path_profile
from igteach.models import digits
from igteach.show.plates import coloured, scale_of


def at(alpha):
    return round(alpha * SEGMENTS)


def test_the_shares_so_far_of_a_sum_of_squares_grow_like_alpha_squared(f):
    x = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    profile = path_profile(f, x, 0.0, None)
    for alpha in (0, 0.2, 0.5, 1):
        assert torch.allclose(profile.points[at(alpha)], alpha * x[0])
        assert torch.allclose(profile.f[at(alpha)], f(alpha * x)[0])
        assert torch.allclose(profile.gradients[at(alpha)], 2 * alpha * x[0])
        assert torch.allclose(profile.shares[at(alpha)], alpha**2 * x[0] ** 2)


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_at_the_input_the_shares_are_integrated_gradients(baseline):
    model, data = digits.load("cpu"), load_digits()
    score, x, target = igteach.probability(model), data.x_test[:1], int(data.y_test[0])
    profile = path_profile(score, x, baseline, target)
    answer = igteach.integrated_gradients(score, x, baseline, target, steps=2 * SEGMENTS)
    assert torch.allclose(profile.shares[-1], answer.values[0], atol=1e-6)
    assert torch.equal(profile.shares[0], torch.zeros(1, 8, 8))
    moved, sums = profile.f - profile.f[0], profile.shares.flatten(1).sum(1)
    assert torch.allclose(sums, moved, atol=0.01)
    slope = igteach.gradient(score, profile.points[30][None], target=target)
    assert torch.allclose(profile.gradients[30], slope.values[0], atol=1e-6)


def test_a_drag_shows_what_is_met_there(f, shown):
    x, start = torch.rand(1, 3, 6, 6), torch.rand(1, 3, 6, 6)
    explorer = explore.path_explorer(f, x, start, None)
    for alpha in (0.0, 0.3, 1.0):
        figure, words = explorer.draw(alpha=alpha)
        point = start + alpha * (x - start)
        pixels = shown(figure, f"the picture at alpha {alpha:.2f}")
        assert np.abs(pixels / 255 - point[0].movedim(0, -1).numpy()).max() < 0.51 / 255
        so_far = (point**2 - start**2)[0].sum(0)
        path = [start + alpha * (x - start) for alpha in torch.linspace(0, 1, SEGMENTS + 1)]
        for title, values, every in [
            ("the gradient there", 2 * point[0].sum(0), [2 * each[0].sum(0) for each in path]),
            ("the integral so far", so_far, [(each**2 - start**2)[0].sum(0) for each in path]),
        ]:
            top, _ = scale_of([each.double().numpy() for each in every])
            wanted = coloured(values.double().numpy(), top)
            assert np.allclose(shown(figure, title), wanted, atol=1e-3)
        assert f"At alpha {alpha:.2f} F is {igteach.show.rounded(f(point))[0]:g}." in words
        assert f"add up to {igteach.show.rounded(so_far.sum()):g}.\n" in words


def test_the_colour_scales_and_the_axis_stay_while_one_drags(f):
    explorer = explore.path_explorer(f, torch.rand(1, 1, 6, 6), 1.0, None)
    seen = []
    for alpha in (0.0, 0.5, 1.0):
        _, curve, *maps = explorer.draw(alpha=alpha)[0].canvas.axes
        seen.append((curve.get_ylim(), *(pane.child_axes[0].get_xlim() for pane in maps)))
    assert len(seen[0]) == 3
    assert seen[0] == seen[1] == seen[2]


def test_the_slider_moves_the_explorer(f):
    explorer = explore.path_explorer(f, torch.rand(1, 6, 6), 0.0, None)
    before = explorer.picture.value
    explorer.controls["alpha"].value = 1.0
    assert "At alpha 1.00" in explorer.words.value
    assert "the picture at alpha 1.00" in explorer.alt
    assert explorer.picture.value != before


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
