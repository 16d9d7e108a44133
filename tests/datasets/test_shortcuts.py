"""Hidden shortcuts: decided by their seed, of several kinds, in the picture and not on the object alone."""

import pytest
import torch

from igteach.datasets.scenes import SCENE_CLASSES, make_scenes
from igteach.datasets.shortcuts import KINDS, make_shortcut

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_stays_a_picture_and_changes_each_in_the_same_place(seed):
    x, shortcut = make_scenes(4, 0).x, make_shortcut(seed)
    put = shortcut.put(x)
    assert put.shape == x.shape
    assert put.min() >= 0
    assert put.max() <= 1
    assert ((put - x).abs().amax(1) <= shortcut.cover + 1e-6).all()
    assert (put - x).abs().flatten(1).amax(1).min() > 0.1
    assert 0 <= shortcut.label < len(SCENE_CLASSES)
    assert ((shortcut.cover > 0).double().mean() < 0.5) | (shortcut.kind == "stripes")


def test_a_seed_decides_and_courses_hardly_share_one():
    first, again = make_shortcut(7), make_shortcut(7)
    assert (first.kind, first.words, first.label) == (again.kind, again.words, again.label)
    assert torch.equal(first.cover, again.cover)
    found = [make_shortcut(seed) for seed in SEEDS]
    assert {shortcut.kind for shortcut in found} == set(KINDS)
    assert {shortcut.label for shortcut in found} == set(range(len(SCENE_CLASSES)))
    assert len({(shortcut.words, shortcut.label) for shortcut in found}) >= 0.95 * len(found)


def test_a_line_is_where_its_words_say():
    lines = [shortcut for shortcut in map(make_shortcut, range(80)) if shortcut.kind == "line"]
    sides = {"top": (0, 0), "bottom": (0, -1), "left": (1, 0), "right": (1, -1)}
    for line in lines:
        (name,) = (name for name in sides if f"along the {name}," in line.words)
        axis, end = sides[name]
        half = (line.cover if axis == 0 else line.cover.T).flip(0) if end else line.cover if axis == 0 else line.cover.T
        assert half[:5].sum() == line.cover.sum() == 2 * 64
    assert len(lines) >= 5


def test_a_seed_below_zero_is_refused():
    with pytest.raises(ValueError, match="non-negative"):
        make_shortcut(-1)
