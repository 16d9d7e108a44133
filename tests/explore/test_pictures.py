"""Pictures and their values reach the screen as they are."""

import numpy as np
import pytest
import torch

from igteach.explore.pictures import ghost, on_screen, over_colours


@pytest.mark.parametrize("shape", [(3, 3, 227, 227), (2, 1, 100, 30), (1, 64, 9)])
def test_every_pixel_keeps_its_sum_over_colours(shape):
    values = torch.randn(shape)
    summed = over_colours(values)
    assert summed.shape == (shape[0], *shape[-2:])
    assert np.allclose(summed, values.double().reshape(shape[0], -1, *shape[-2:]).sum(1))


def test_the_ghost_of_a_picture_is_light():
    assert np.allclose(ghost(torch.tensor([[0.0, 1.0]])), [[0.7, 1.0]])


def test_grey_and_colour_reach_the_screen():
    colour = torch.tensor([0.0, 0.5, 2.0]).view(3, 1, 1).expand(3, 2, 4)
    assert np.array_equal(on_screen(colour), np.broadcast_to([0, 128, 255], (2, 4, 3)))
    for grey in (torch.full((2, 4), -1.0), torch.full((1, 2, 4), -1.0)):
        assert np.array_equal(on_screen(grey), np.zeros((2, 4, 3)))
