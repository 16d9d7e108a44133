"""The baseline explorer shows two baselines and the shares against them, on one scale for all of them."""

import numpy as np
import pytest
import torch

from igteach import explore, show
from igteach.explore.packing import picture_uri
from igteach.show.plates import coloured


@pytest.fixture
def x():
    return torch.rand(1, 3, 6, 5)


def test_the_data_are_each_baseline_and_the_shares_against_it(f, unpacked, x):
    levels = {"black": 0.0, "grey": 0.5, "beyond": 2.0}
    data = explore.baseline_explorer(f, x, {**levels, "grey": torch.full((3, 6, 5), 0.5)}, None).data
    assert data["names"] == list(levels)
    assert data["start"] == {"left": "black", "right": "grey"}
    assert data["top"] == pytest.approx((4 - x**2)[0].sum(0).max().item(), rel=1e-5)
    for at, level in enumerate(levels.values()):
        assert data["baselines"][at] == picture_uri(np.full((6, 5, 3), min(round(255 * level), 255), np.uint8))
        shares = (x**2 - level**2)[0].sum(0)
        assert np.abs(unpacked(data["shares"])[at] - shares.numpy()).max() < data["top"] / 253
        start, end = (show.rounded(value, 2) for value in (90 * level**2, f(x).item()))
        assert data["verdicts"][at] == f"F goes from {start:g} to {end:g}. The shares add up."
    assert data["note"] == "Strongest colour: the largest |value|. Each square sums 3 colours."


def test_the_still_picture_shows_the_first_two(f, shown, x):
    still = explore.baseline_explorer(f, x, {"black": 0.0, "white": 1.0, "grey": 0.2}, None).still
    assert still.alt.index("black baseline") < still.alt.index("white baseline")
    assert "grey" not in still.alt
    top = (1 - x**2)[0].sum(0).max().item()
    for name, level in (("black", 0.0), ("white", 1.0)):
        assert np.array_equal(shown(still, f"{name} baseline"), np.full((6, 5, 3), round(255 * level)))
        shares = (x**2 - level)[0].sum(0).double().numpy()
        wanted = coloured(shares, max(top, (x**2)[0].sum(0).max().item()))
        assert np.allclose(shown(still, f"IG from {name}"), wanted, atol=1e-4)


def test_one_baseline_is_compared_with_itself(f, x):
    assert explore.baseline_explorer(f, x, {"black": 0.0}, None).data["start"] == {"left": "black", "right": "black"}


def test_no_baseline_at_all_is_refused(f, x):
    with pytest.raises(ValueError, match="baselines is empty"):
        explore.baseline_explorer(f, x, {}, None)
