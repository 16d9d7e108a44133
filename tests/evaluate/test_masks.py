"""How an attribution fares against a mask: by closed forms."""

import pytest
import torch

from igteach.evaluate import interval, pointing_game, relevance_mass


@pytest.fixture
def mask():
    mask = torch.zeros(2, 6, 5, dtype=torch.bool)
    mask[0, 1:3, 1:4] = True  # 6 of 30 pixels
    mask[1, 5] = True  # 5 of 30
    return mask


def test_a_map_that_is_the_same_everywhere_gets_the_masks_part_of_the_picture(mask):
    torch.testing.assert_close(relevance_mass(torch.full((2, 3, 6, 5), -0.7), mask), torch.tensor([6 / 30, 5 / 30]))


def test_inside_is_all_outside_is_nothing_and_a_quarter_is_a_quarter(mask):
    inside, outside = mask[:, None].double(), (~mask)[:, None].double()
    assert relevance_mass(inside, mask).tolist() == [1, 1]
    assert relevance_mass(outside, mask).tolist() == [0, 0]
    pixels = mask.flatten(1).sum(1).view(2, 1, 1, 1)
    mixed = inside / pixels - 3 * outside / (30 - pixels)  # as much again, three times, and of the other sign
    torch.testing.assert_close(relevance_mass(mixed, mask), torch.tensor([0.25, 0.25]).double())


def test_channels_are_summed_with_their_signs(mask):
    cancels = torch.ones(2, 2, 6, 5) * torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)
    assert relevance_mass(cancels, mask).tolist() == [0, 0]
    cancels[0, 0, 1, 1] = 2
    assert relevance_mass(cancels, mask).tolist() == [1, 0]
    assert pointing_game(cancels, mask).tolist() == [1, 0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_strongest_pixel_decides_the_pointing_game_whatever_its_sign(mask, sign):
    values = 0.1 * torch.ones(2, 1, 6, 5)
    values[0, 0, 2, 3] = sign
    values[1, 0, 0, 0] = sign
    assert pointing_game(values, mask).tolist() == [1, 0]


def test_no_scale_of_the_map_changes_a_score(mask):
    torch.manual_seed(0)
    values = torch.randn(2, 3, 6, 5).double()
    torch.testing.assert_close(relevance_mass(1e-9 * values, mask), relevance_mass(values, mask))
    assert torch.equal(pointing_game(-1e9 * values, mask), pointing_game(values, mask))


def test_the_interval_is_that_of_the_normal_distribution_for_many_scores():
    scores = torch.randn(2000, generator=torch.Generator().manual_seed(0)).double()
    mean, low, high = interval(scores)
    half = 1.96 * scores.std().item() / 2000**0.5
    assert mean == pytest.approx(scores.mean().item())
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.1)
    wide = interval(scores, level=0.99)
    assert wide[1] < low < high < wide[2]


def test_equal_scores_leave_no_doubt():
    assert interval(torch.ones(5)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relevance_mass(torch.ones(1, 6, 5), torch.ones(1, 6, 5, dtype=torch.bool)), r"shape \(1, 6, 5\)"),
        (lambda: relevance_mass(torch.ones(1, 3, 6, 5), torch.ones(6, 5, dtype=torch.bool)), r"a mask of \(6, 5\)"),
        (lambda: pointing_game(torch.ones(1, 3, 6, 5), torch.ones(1, 6, 5)), "torch.float32; pass"),
        (lambda: pointing_game(torch.ones(1, 3, 6, 5), torch.zeros(1, 6, 5, dtype=torch.bool)), "mask has no pixel"),
        (lambda: interval(torch.ones(1)), "pass one number for each of 2 or more pictures"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
