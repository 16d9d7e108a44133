"""The caller's world is as before in any mode, after an exception and from many threads; and the answers hold.

`make test` lets eight threads loose on one model once, `make ci` ten times, `make release` a hundred times.
"""

import contextlib
import copy
import inspect
import random
import sys
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

import igteach
from igteach import baselines, captum_methods, evaluate
from igteach.core import affine_prefix, evaluation

sys.path.insert(0, str(Path(__file__).parent))
from every_method import METHODS, answer, differences, world

THREADS = 8
NOT_OF_NETWORKS = {"token_attribution", "token_deletion", "token_insertion"}  # they take a TextClassifier
NOT_OF_NETWORKS |= {"tree_integrated_gradients", "tree_shapley_values", "toy", "cascading_randomisation", "randomised"}


@pytest.fixture(autouse=True)
def always_a_prefix(monkeypatch):
    monkeypatch.setattr(affine_prefix, "FEWEST_PRODUCTS", 1)


class Trap(nn.Module):
    """Raises when it is called, or called back, for the n-th time; copies count together."""

    calls = 0

    def __init__(self, forward_at=0, backward_at=0):
        super().__init__()
        self.forward_at, self.backward_at = forward_at, backward_at

    def forward(self, x):
        Trap.calls += 1
        if Trap.calls == self.forward_at:
            raise RuntimeError("the trap")
        if self.backward_at and x.requires_grad:
            x.register_hook(self.back)
        return x * 1

    def back(self, gradient):
        raise RuntimeError("the trap")


def network(*last):
    torch.manual_seed(3)
    layers = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 5), nn.ReLU()
    f = nn.Sequential(*layers, nn.Linear(5, 3), *last)
    f[1].running_mean, f[1].running_var = torch.randn(2), torch.rand(2) + 0.5
    f[0].bias.requires_grad_(False)
    f[4].weight.grad = torch.ones_like(f[4].weight)
    return f.eval()


def chain():
    """A network of which every method has an answer."""
    torch.manual_seed(4)
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))


def inputs():
    return torch.randn(2, 1, 2, 3, generator=torch.Generator().manual_seed(1))


def names(module):
    everything = getattr(module, "__all__", None) or [
        name for name, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__
    ]
    return {name for name in everything if inspect.isfunction(getattr(module, name)) and not name.startswith("_")}


def test_the_table_has_every_public_function_of_a_network():
    take_a_model = {
        name
        for module in (igteach, captum_methods, baselines, evaluate)
        for name in names(module)
        if next(iter(inspect.signature(getattr(module, name)).parameters), "") in ("f", "model")
    }
    in_the_table = {name.partition(",")[0] for name in METHODS} | {"edges"}
    assert take_a_model - NOT_OF_NETWORKS == in_the_table


MODES = {
    "plain": contextlib.nullcontext,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64 by default": lambda: default_dtype(torch.float64),
    "meta by default": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", METHODS)
def test_in_any_mode_of_the_caller_the_answer_and_the_world_are_the_same(name, mode):
    f, x = network(), inputs()
    expected = answer(name, f, f[2], x, 1)
    with MODES[mode]():
        before = world(f)
        found = answer(name, f, f[2], x, 1)
        assert differences(before, world(f)) == []
    loose = {"rtol": 0.2, "atol": 0.1} if mode == "autocast" else {"rtol": 1e-5, "atol": 1e-6}
    if not (mode == "autocast" and name in ("neutral", "adversarial", "guided_integrated_gradients")):
        torch.testing.assert_close(found.to(expected), expected, **loose)


@pytest.mark.parametrize("trap", [{"forward_at": 1}, {"forward_at": 3}, {"forward_at": 5}, {"backward_at": 1}], ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_after_an_exception_in_f_the_world_is_as_before(name, trap):
    f, x = network(Trap(**trap)), inputs()
    Trap.calls = 0
    before = world(f)
    with contextlib.suppress(RuntimeError, TypeError, NotImplementedError, ValueError):
        answer(name, f, f[2], x, 1)
    assert differences(before, world(f)) == []
    assert not evaluation._FROZEN


@pytest.mark.parametrize("name", METHODS)
def test_a_network_made_in_inference_mode_is_right_or_refused_with_advice_that_helps(name):
    f = network()
    expected = answer(name, f, f[2], inputs(), 1)
    with torch.inference_mode():
        f = network()
    before, refusal = world(f), ""
    try:
        found = answer(name, f, f[2], inputs(), 1)
    except ValueError as error:
        refusal = str(error)
    assert differences(before, world(f)) == []
    if refusal:
        assert "pass copy.deepcopy(f), made outside of it" in refusal
        f = copy.deepcopy(f)
        found = answer(name, f, f[2], inputs(), 1)
    torch.testing.assert_close(found, expected)
    assert not evaluation._FROZEN


def run_in_threads(repetition):
    """Half of all methods, on two networks, from each of the threads, drawn and in its own order; what went wrong."""
    models = [(network(), inputs()), (chain(), inputs().flatten(1))]
    jobs = [(name, f, x) for name in METHODS for f, x in models]
    expected = [answer(name, f, f[2], x, 1) for name, f, x in jobs]
    before, wrong = [world(f) for f, _ in models], []

    def work(number):
        for job in random.Random(f"{repetition} {number}").sample(range(len(jobs)), len(jobs) // 2):
            name, f, x = jobs[job]
            try:
                torch.testing.assert_close(answer(name, f, f[2], x, 1), expected[job], rtol=1e-5, atol=1e-6)
            except Exception as error:
                wrong.append(f"{name}: {type(error).__name__} {error}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong + [each for (f, _), old in zip(models, before, strict=True) for each in differences(old, world(f))]


def test_a_chain_has_an_answer_of_every_method():
    f = chain()
    assert [name for name in METHODS if not answer(name, f, f[1], inputs().flatten(1), 1).numel()] == []


def test_eight_threads_on_one_model_get_what_one_gets():
    assert run_in_threads(0) == []


@pytest.mark.long
@pytest.mark.sampled(4)
@pytest.mark.parametrize("repetition", range(1, 100))
def test_eight_threads_on_one_model_again(repetition):
    assert run_in_threads(repetition) == []
