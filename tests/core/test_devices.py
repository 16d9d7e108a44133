"""IGTEACH_DEVICE decides where the lessons compute."""

import pytest
import torch

import igteach


def test_the_environment_variable_decides(monkeypatch):
    monkeypatch.setenv("IGTEACH_DEVICE", "cpu")
    assert igteach.device() == torch.device("cpu")


@pytest.mark.parametrize("unset", [True, False])
def test_without_it_the_device_is_the_best_there_is(monkeypatch, unset):
    monkeypatch.setenv("IGTEACH_DEVICE", "")
    if unset:
        monkeypatch.delenv("IGTEACH_DEVICE")
    accelerated = torch.cuda.is_available() or torch.backends.mps.is_available()
    assert (igteach.device().type != "cpu") == accelerated
    assert torch.ones(1, device=igteach.device()).item() == 1.0


@pytest.mark.parametrize("name", ["gpu", "cpu:x", "cuda:97"])
def test_a_device_that_is_not_there_is_named(monkeypatch, name):
    monkeypatch.setenv("IGTEACH_DEVICE", name)
    with pytest.raises(ValueError, match=f"IGTEACH_DEVICE is '{name}'.*unset it"):
        igteach.device()
