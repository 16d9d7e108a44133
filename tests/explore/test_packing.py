"""Maps and pictures reach a page as they are, but for the rounding that is stated."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from igteach.explore.packing import at_pixels, beneath, in_blocks, packed, picture_uri


def opened(uri: str) -> np.ndarray:
    kind, _, data = uri.partition(";base64,")
    assert kind in ("data:image/png", "data:image/jpeg")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")).astype(float)


def test_packed_maps_are_within_half_a_step_and_clipped_at_the_top(unpacked):
    maps = np.random.default_rng(0).normal(size=(3, 5, 4))
    found = unpacked(packed(maps, 1.5))
    step = 1.5 / 127
    assert np.abs(found - maps.clip(-1.5, 1.5)).max() < 0.501 * step
    assert (np.abs(maps) > 1.5).any()


@pytest.mark.parametrize(("height", "width", "side"), [(8, 8, 1), (64, 64, 1), (224, 224, 4), (227, 130, 4)])
def test_blocks_keep_the_sum_and_lie_over_their_pixels(height, width, side):
    maps = np.random.default_rng(0).normal(size=(2, height, width))
    sums, found = in_blocks(maps)
    assert found == side
    assert max(sums.shape) <= 64
    assert np.allclose(sums.sum((1, 2)), maps.sum((1, 2)))
    assert np.allclose(sums[1, -1, 0], maps[1, (height - 1) // side * side :, :side].sum())
    pixels = at_pixels(sums[0], side, height, width)
    assert pixels.shape == (height, width)
    assert pixels[-1, -1] == sums[0, -1, -1]
    assert pixels[side - 1, 0] == sums[0, 0, 0]


def test_a_small_picture_is_exact_and_a_large_one_small():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    assert np.array_equal(opened(picture_uri(pixels)), pixels)
    slope = np.broadcast_to(np.linspace(0, 255, 400).astype(np.uint8)[:, None, None], (400, 300, 3))
    found = opened(picture_uri(slope))
    assert found.shape == (224, 168, 3)
    assert np.abs(found[:, 0, 0] - np.linspace(0, 255, 224)).max() < 6


def test_beneath_a_map_lies_its_ghost_or_the_ink_of_few_squares():
    grey = np.linspace(0.7, 1, 227 * 227).reshape(227, 227)
    found = beneath(grey, 4)
    assert found["ink"] is None
    assert opened(found["ghost"]).shape == (224, 224, 3)  # of 228 by 228, the pixels of the squares
    small = np.array([[1.0, 0.999], [0.7, 1.0]])
    assert beneath(small, 1) == {"ghost": None, "ink": [0, 0, 1, 0]}
    assert beneath(np.ones((2, 2)), 1) == {"ghost": None, "ink": [0, 0, 0, 0]}
