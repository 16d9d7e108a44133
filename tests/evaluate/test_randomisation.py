"""Agreement and randomised parameters: SciPy as peer, closed forms, and a caller's model that stays as it was."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import nn

import igteach
from igteach.evaluate import agreement, cascading_randomisation, edges, randomised_maps


def network():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 3)
    ).eval()


@pytest.fixture
def x():
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@given(st.integers(0, 10_000))
def test_agreement_is_spearmans_of_scipy_with_ties_as_well(seed):
    draw = torch.Generator().manual_seed(seed)
    one, other = (torch.randint(5, (3, 30), generator=draw).double() for _ in range(2))
    wanted = [spearmanr(a, b).statistic for a, b in zip(one, other, strict=True)]
    assert agreement(one, other).tolist() == pytest.approx(wanted, abs=1e-12)


def test_agreement_sees_order_and_nothing_else():
    values = torch.randn(2, 3, 5, 5).double()
    assert agreement(values, values).tolist() == pytest.approx([1, 1])
    assert agreement(values, -2 * values).tolist() == pytest.approx([-1, -1])
    pixels = values.sum(1, keepdim=True)
    assert agreement(pixels, pixels.exp()).tolist() == pytest.approx([1, 1])
    assert agreement(values, values.sum(1, keepdim=True).expand(-1, 3, -1, -1)).tolist() == pytest.approx([1, 1])
    assert agreement(values, torch.ones_like(values)).tolist() == [0, 0]


def test_the_cascade_starts_with_the_model_as_it_is_and_ends_with_none_of_it():
    f = network()
    names, copies = zip(*cascading_randomisation(f), strict=True)
    assert names == ("as trained", "5", "3", "0")
    for number, changed in enumerate(copies):
        same = [torch.equal(f[layer].weight, changed[layer].weight) for layer in (5, 3, 0)]
        assert same == [False] * number + [True] * (3 - number)
    assert torch.equal(copies[1][5].weight, copies[3][5].weight)


def test_the_callers_model_and_random_state_stay_as_they_were(x):
    f = igteach.probability(network())
    before, state = copy.deepcopy(f.state_dict()), torch.get_rng_state()
    randomised_maps(f, igteach.integrated_gradients, x, 0.0, 1)
    assert all(torch.equal(before[name], value) for name, value in f.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


def test_a_seed_decides_what_is_drawn(x):
    f = network()
    one, again, other = (randomised_maps(f, igteach.gradient, x, 0.0, 1, seed=seed)["0"] for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


def test_identical_models_agree_fully_and_a_map_of_the_model_does_not_survive_it(x):
    maps = randomised_maps(network(), igteach.gradient, x, 0.0, 1)
    assert agreement(maps["as trained"], igteach.gradient(network(), x, 0.0, 1).values).tolist() == pytest.approx(
        [1] * 4
    )
    assert agreement(maps["as trained"], maps["0"]).abs().max() < 0.9


def test_an_edge_detector_does_not_notice(x):
    maps = randomised_maps(network(), edges, x, 0.0, 1)
    for values in maps.values():
        assert agreement(maps["as trained"], values).tolist() == pytest.approx([1] * 4)


def test_each_layer_of_the_cascade_is_drawn_as_pytorch_initialises_it():
    torch.manual_seed(0)
    fresh = nn.Linear(8, 3)
    (_, _), (_, changed), *_ = cascading_randomisation(network())
    assert torch.equal(changed[5].weight, fresh.weight)


class Bare(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.scale * x.sum(1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: next(cascading_randomisation(lambda x: x.sum(1))), TypeError, "f is function"),
        (lambda: next(cascading_randomisation(Bare())), ValueError, "cannot be re-initialised"),
        (lambda: next(cascading_randomisation(nn.ReLU())), ValueError, "no parameters"),
        (lambda: agreement(torch.ones(2, 3), torch.ones(2, 4)), ValueError, r"others \(2, 4\)"),
        (lambda: agreement(torch.ones(2, 1), torch.ones(2, 1)), ValueError, "one shape"),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
