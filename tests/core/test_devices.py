"""IGTEACH_DEVICE decides where the lessons compute."""

import threading

import pytest
import torch

import igteach
from igteach.core.devices import full_precision, without_cudnn

CUDNN = torch.backends.cudnn


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


def flags():
    """Those that `full_precision` and `without_cudnn` change; the old switch cannot be read if the new ones differ."""
    try:
        old = CUDNN.allow_tf32
    except RuntimeError:
        old = "mixed"
    return old, CUDNN.conv.fp32_precision, CUDNN.rnn.fp32_precision, CUDNN.enabled


@pytest.fixture
def restored():
    yield
    CUDNN.enabled, CUDNN.allow_tf32 = True, True
    torch.backends.fp32_precision = "none"


def change(old=None, conv=None, everything=None):
    if old is not None:
        CUDNN.allow_tf32 = old
    if conv is not None:
        CUDNN.conv.fp32_precision = conv
    if everything is not None:
        torch.backends.fp32_precision = everything


@pytest.mark.parametrize(
    "setting",
    [{}, {"old": False}, {"conv": "ieee"}, {"everything": "tf32"}, {"old": False, "everything": "tf32"}],
    ids=str,
)
def test_within_the_context_precision_is_full_and_afterwards_it_is_as_it_was(restored, setting):
    change(**setting)
    before = flags()
    with full_precision(), without_cudnn():
        with full_precision(), without_cudnn():
            pass
        assert (CUDNN.conv.fp32_precision, CUDNN.rnn.fp32_precision, CUDNN.enabled) == ("ieee", "ieee", False)
    assert flags() == before


def test_a_network_is_answered_whichever_switch_the_caller_used(restored):
    change(conv="ieee")
    f = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 1))
    assert igteach.gradient(f, torch.ones(1, 1, 6)).values.shape == (1, 1, 6)


def test_however_many_threads_come_and_go_the_flags_are_as_before():
    before, inside = flags(), []
    turn = threading.Barrier(2)

    def first():
        with full_precision(), without_cudnn():
            turn.wait()  # the second comes in
            turn.wait()
        turn.wait()
        turn.wait()

    def second():
        turn.wait()
        with full_precision(), without_cudnn():
            turn.wait()  # the first leaves
            turn.wait()
            inside.append(flags()[1:])
            turn.wait()

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert inside == [("ieee", "ieee", False)]
    assert flags() == before


def test_after_an_exception_the_flags_are_as_before():
    before = flags()
    with pytest.raises(RuntimeError, match="within"), full_precision(), without_cudnn():
        raise RuntimeError("within")
    assert flags() == before
