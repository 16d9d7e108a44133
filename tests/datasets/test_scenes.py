"""Scenes: each decided by its seed and number; only the object's pixels tell the class; the mark touches no object."""

import pytest
import torch
from torch.nn.functional import max_pool2d

from igteach.datasets.scenes import MARK, SCENE_CLASSES, make_scenes


@pytest.fixture(scope="module")
def scenes():
    return make_scenes(160, seed=3)


def test_a_longer_set_starts_with_the_shorter_one(scenes):
    few = make_scenes(10, seed=3)
    assert torch.equal(few.x, scenes.x[:10])
    assert torch.equal(few.mask, scenes.mask[:10])
    assert not torch.equal(few.x, make_scenes(10, seed=4).x)


def test_pictures_are_rgb_in_8_bits_and_every_class_comes_as_often(scenes):
    assert scenes.x.shape == (160, 3, 64, 64)
    assert scenes.x.dtype == torch.float32
    levels = scenes.x * 255
    assert levels.min() >= 0
    assert levels.max() <= 255
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)
    assert scenes.y.bincount().tolist() == [160 // len(SCENE_CLASSES)] * len(SCENE_CLASSES)


def test_the_object_is_whole_and_beyond_its_shadow_nothing_differs_from_the_background(scenes):
    pixels = scenes.mask.flatten(1).sum(1)
    assert pixels.min() >= 50
    assert pixels.max() < 64 * 64 / 3
    assert not scenes.mask[:, [0, -1]].any()
    assert not scenes.mask[:, :, [0, -1]].any()
    differs = (scenes.x != scenes.background).any(1)
    near = max_pool2d(scenes.mask.float(), kernel_size=15, stride=1, padding=7) > 0  # within 7 pixels
    assert not (differs & ~near).any()
    assert (differs & scenes.mask).sum() > 0.9 * scenes.mask.sum()


@pytest.mark.parametrize("mark", [2, "all"])
def test_the_mark_changes_its_own_place_in_its_own_class_and_no_object(scenes, mark):
    marked = make_scenes(160, seed=3, mark=mark)
    changed = (marked.x != scenes.x).any(1)
    carries = torch.ones(160, dtype=torch.bool) if mark == "all" else scenes.y == mark
    assert torch.equal(changed.flatten(1).any(1), carries)
    place = torch.zeros(64, 64, dtype=torch.bool)
    place[MARK] = True
    assert not changed[:, ~place].any()
    assert not scenes.mask[:, place].any()
    assert torch.equal(marked.mask, scenes.mask)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"count": 0, "seed": 0}, "count is 0; pass 1 or more"),
        ({"count": 1.5, "seed": 0}, "count is 1.5; pass a whole number"),
        ({"count": 1, "seed": -1}, "seed is -1"),
        ({"count": 1, "seed": 0, "mark": len(SCENE_CLASSES)}, "mark is 8; pass 0 to 7"),
        ({"count": 1, "seed": 0, "mark": "some"}, "mark is 'some'; pass a whole number of a class, or 'all'"),
    ],
)
def test_what_is_no_count_seed_or_mark_is_named(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        make_scenes(**arguments)
