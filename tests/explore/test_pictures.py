"""Pictures and their values keep their sums, however small the screen."""

import numpy as np
import pytest
import torch

from igteach.explore.pictures import SQUARES, by_squares, in_squares, on_screen


@pytest.mark.parametrize(
    ("shape", "drawn"), [((3, 3, 227, 227), (57, 57)), ((2, 1, 100, 30), (50, 15)), ((1, 64, 9), (64, 9))]
)
def test_squares_keep_the_sum_of_what_lies_in_them(shape, drawn):
    values = torch.randn(shape)
    pooled = in_squares(values)
    assert pooled.shape == (shape[0], *drawn)
    assert max(drawn) <= SQUARES
    assert np.allclose(pooled.sum((1, 2)), values.double().flatten(1).sum(1))


def test_a_value_stays_in_its_square():
    values = torch.zeros(1, 3, 227, 227)
    values[0, 1, 100, 41] = 5.0
    pooled = in_squares(values)[0]
    assert pooled[25, 10] == 5.0
    assert np.count_nonzero(pooled) == 1


def test_the_unit_says_that_squares_were_summed():
    assert by_squares("share of F", torch.zeros(1, 3, 227, 227)) == "share of F, by 4 x 4 pixels"
    assert by_squares("share of F", torch.zeros(1, 3, 64, 64)) == "share of F"


def test_grey_and_colour_reach_the_screen():
    colour = torch.tensor([0.0, 0.5, 2.0]).view(3, 1, 1).expand(3, 2, 4)
    assert np.array_equal(on_screen(colour), np.broadcast_to([0, 128, 255], (2, 4, 3)))
    for grey in (torch.full((2, 4), -1.0), torch.full((1, 2, 4), -1.0)):
        assert np.array_equal(on_screen(grey), np.zeros((2, 4, 3)))
