"""Waves in noise: where they are, which way they go, and that nothing else tells the class."""

import pytest
import torch

from igteach.datasets.series import NOISE, WAVE, make_waves

DRAWN = make_waves(2000, seed=0)


def test_a_wave_takes_eight_steps_in_a_row_anywhere():
    assert (DRAWN.mask.sum(1) == len(WAVE)).all()
    assert (DRAWN.mask.int().diff(dim=1).abs().sum(1) <= 2).all()
    assert DRAWN.mask.int().argmax(1).unique().tolist() == list(range(DRAWN.x.shape[1] - len(WAVE) + 1))


def test_without_its_wave_a_series_is_noise():
    sign = 2.0 * DRAWN.y[:, None] - 1
    waves = DRAWN.x[..., 0][DRAWN.mask].reshape(-1, len(WAVE)) - sign * torch.tensor(WAVE)
    for noise in (waves, DRAWN.x[..., 0][~DRAWN.mask]):
        assert noise.mean().item() == pytest.approx(0, abs=0.01)
        assert noise.std().item() == pytest.approx(NOISE, rel=0.03)


def test_both_classes_are_about_as_frequent_and_their_sums_alike():
    assert DRAWN.y.double().mean().item() == pytest.approx(0.5, abs=0.04)
    sums = [DRAWN.x[DRAWN.y == each].sum((1, 2)).mean().item() for each in (0, 1)]
    assert sums[0] == pytest.approx(sums[1], abs=0.2)


def test_a_seed_gives_the_same_series_and_another_seed_others():
    assert torch.equal(make_waves(2000, seed=0).x, DRAWN.x)
    assert not torch.equal(make_waves(2000, seed=1).x, DRAWN.x)
