"""The baseline explorer shows two baselines and the shares against them, on one scale for all of them."""

import numpy as np
import pytest
import torch

from igteach import explore, show
from igteach.show.plates import coloured


@pytest.fixture
def x():
    return torch.rand(1, 3, 6, 5)


def test_each_side_shows_its_baseline_and_the_shares_against_it(f, shown, x):
    levels = {"black": 0.0, "grey": 0.5, "beyond": 2.0}
    explorer = explore.baseline_explorer(f, x, {**levels, "grey": torch.full((3, 6, 5), 0.5)}, None)
    for left, right in (("black", "grey"), ("beyond", "black")):
        figure, words = explorer.draw(left=left, right=right)
        for name in (left, right):
            pixels = np.full((6, 5, 3), {"black": 0, "grey": 128, "beyond": 255}[name])
            assert np.array_equal(shown(figure, f"{name} baseline"), pixels)
            shares = (x**2 - levels[name] ** 2)[0].sum(0)
            top = (4 - x**2)[0].sum(0).max()
            wanted = coloured(shares.double().numpy(), top.item())
            assert np.allclose(shown(figure, f"IG from {name}"), wanted, atol=1e-4)
            start, end = (show.rounded(value, 2) for value in (90 * levels[name] ** 2, f(x).item()))
            assert f"Against {name}: F goes from {start:g} to {end:g}. The shares add up." in words
        assert "igteach" not in words
        assert words.endswith("Strongest colour: the largest |value|.")


def test_the_choice_of_a_side_changes_that_side(f, x):
    explorer = explore.baseline_explorer(f, x, {"black": 0.0, "white": 1.0}, None)
    assert (explorer.controls["left"].value, explorer.controls["right"].value) == ("black", "white")
    assert explorer.alt.index("black baseline") < explorer.alt.index("white baseline")
    explorer.controls["left"].value = "white"
    assert "black" not in explorer.alt
    explorer.controls["right"].value = "black"
    assert explorer.alt.index("white baseline") < explorer.alt.index("black baseline")


def test_no_baseline_at_all_is_refused(f, x):
    with pytest.raises(ValueError, match="baselines is empty"):
        explore.baseline_explorer(f, x, {}, None)
