"""Each broken model has the fault that it is said to have, and the symptoms by which it is found."""

import pytest
import torch

import igteach
from igteach.models import broken

CASES = broken.load("cpu")
BY_CHANCE = ("B", "F")


def summed(case, f, counted, steps=256):
    """What is added up along the path by the midpoint rule, and how F changes."""
    alphas = ((torch.arange(steps) + 0.5) / steps).reshape(-1, *[1] * (case.x.dim() - 1))
    points = (case.baseline + alphas * (case.x - case.baseline)).requires_grad_()
    slopes = torch.autograd.grad(f(points).sum(), points)[0].mean(0, keepdim=True)
    with torch.no_grad():
        change = f(case.x) - f(case.baseline)
    return (slopes * (case.x - case.baseline))[counted].sum().item(), change.item()


def everywhere(case):
    return torch.ones_like(case.counted)


@pytest.mark.parametrize("name", CASES)
def test_only_the_models_with_chance_answer_otherwise_when_asked_again(name):
    case = CASES[name]
    with torch.no_grad():
        at_x = torch.cat([case.f(case.x) for _ in range(4)])
        at_start = torch.cat([case.f(case.baseline) for _ in range(4)])
    assert (at_x.unique().numel() > 1) == (name in BY_CHANCE)
    assert (at_start.unique().numel() > 1) == (name == "F")  # dropout multiplies, and the baseline is all zeros


@pytest.mark.parametrize("name", BY_CHANCE)
def test_models_with_chance_are_refused_in_words(name):
    case = CASES[name]
    with pytest.raises(ValueError, match="f must treat each row independently and be deterministic"):
        igteach.integrated_gradients(case.f, case.x, case.baseline)


def test_the_step_is_missed_whole_whatever_the_steps():
    for steps in (16, 256):
        total, change = summed(CASES["A"], CASES["A"].f, CASES["A"].counted, steps)
        assert change - total == pytest.approx(5, abs=0.05)


def test_the_detached_half_is_missed():
    total, change = summed(CASES["E"], CASES["E"].f, CASES["E"].counted)
    assert total == pytest.approx(change / 2, rel=0.01)


def test_rounding_is_missed_on_many_stretches_and_not_in_one():
    case = CASES["C"]
    total, change = summed(case, case.f, case.counted)
    assert abs(total - change) > 0.3 * abs(change)
    alphas = torch.linspace(0, 1, 65).reshape(-1, 1, 1, 1)
    with torch.no_grad():
        jumps = case.f(case.baseline + alphas * (case.x - case.baseline)).diff().abs()
    assert jumps.max() < 0.3 * jumps.sum()


def test_special_tokens_have_what_the_owner_misses():
    case = CASES["D"]
    assert 0 < case.counted.logical_not().sum() < case.counted.sum()
    words, change = summed(case, case.f, case.counted)
    total, _ = summed(case, case.f, everywhere(case))
    assert total == pytest.approx(change, rel=0.01)
    assert abs(words - change) > 0.05 * abs(change)


@pytest.mark.parametrize("name", CASES)
def test_a_linear_function_is_missed_by_the_owner_who_does_not_count_all(name):
    case = CASES[name]
    total, change = summed(case, lambda x: 3 * x.flatten(1).sum(1), case.counted, steps=1)
    assert (total == pytest.approx(change, rel=1e-5)) == (name != "D")


@pytest.mark.parametrize("name", "ACE")
def test_what_does_not_add_up_is_not_called_complete(name):
    case = CASES[name]
    assert igteach.integrated_gradients(case.f, case.x, case.baseline).verdict.startswith("NOT complete")
