"""Agreement and randomised parameters: SciPy as peer, closed forms, and a caller's model that stays as it was."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import nn
from torch.nn.utils import parametrizations, prune
from transformers import ViTConfig, ViTForImageClassification

import igteach
from igteach.evaluate import agreement, cascading_randomisation, edges, randomised, randomised_maps


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


class Attentive(nn.Module):
    """A vision transformer in small, whose parts are created in another order than they are called."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.patches = nn.Conv2d(1, 8, 4, stride=4)
        self.class_token = nn.Parameter(torch.randn(1, 1, 8))
        self.position_embedding = nn.Parameter(0.5 + 0.1 * torch.randn(1, 5, 8))

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), tokens], 1)
        return self.head(self.block(tokens + self.position_embedding)[:, 0])


def changed_parameters(before, after):
    after = after.state_dict()
    return {name for name, value in before.state_dict().items() if not torch.equal(value, after[name])}


def test_the_layers_of_a_transformer_follow_the_order_in_which_they_run(x):
    torch.manual_seed(11)
    f = Attentive().eval()
    names = [name for name, _ in cascading_randomisation(f, x=x)]
    assert names == [
        "as trained",
        "head",
        *("block.norm2", "block.linear2", "block.linear1", "block.norm1"),
        *("block.self_attn.out_proj", "block.self_attn"),
        "patches",
        "",
    ]
    assert list(randomised_maps(f, igteach.gradient, x, 0.0, 1)) == names
    by_creation = [name for name, _ in cascading_randomisation(f)]
    assert by_creation[1] == "patches", "without x it is the reverse of creation"


def test_attention_and_tokens_are_drawn_again(x):
    torch.manual_seed(11)
    f = Attentive().eval()
    nn.init.normal_(f.block.self_attn.in_proj_bias)
    for norm in (f.block.norm1, f.block.norm2):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    nn.init.normal_(f.block.self_attn.out_proj.bias)
    copies = dict(cascading_randomisation(f, x=x))
    assert changed_parameters(f, copies[""]) == set(f.state_dict())
    assert changed_parameters(copies["block.self_attn.out_proj"], copies["block.self_attn"]) == {
        "block.self_attn.in_proj_weight",
        "block.self_attn.in_proj_bias",
    }
    assert changed_parameters(copies["patches"], copies[""]) == {"class_token", "position_embedding"}
    drawn = copies[""].position_embedding
    assert drawn.mean().item() == pytest.approx(0.5, abs=0.05)
    assert drawn.std().item() == pytest.approx(0.1, abs=0.03)


def test_attention_is_drawn_as_pytorch_initialises_it():
    f = nn.MultiheadAttention(8, 2)
    torch.manual_seed(1)  # the second layer of the cascade, of seed 0
    fresh = nn.MultiheadAttention(8, 2)
    torch.manual_seed(1)
    fresh._reset_parameters()
    *_, (name, changed) = cascading_randomisation(f)
    assert name == ""
    assert torch.equal(changed.in_proj_weight, fresh.in_proj_weight)


def test_the_cascade_of_a_vision_transformer_of_hugging_face(x):
    config = ViTConfig(
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=8,
        patch_size=4,
        num_channels=1,
        num_labels=3,
    )
    torch.manual_seed(11)
    f = igteach.logit(ViTForImageClassification(config).eval())
    names = [name for name, _ in cascading_randomisation(f, x=x)]
    block = [
        *("mlp.fc2", "mlp.fc1", "layernorm_after"),
        *("attention.o_proj", "attention.v_proj", "attention.k_proj", "attention.q_proj", "layernorm_before"),
    ]
    layers = [f"model.vit.layers.{number}.{name}" for number in (1, 0) for name in block]
    embeddings = ["model.vit.embeddings.patch_embeddings.projection", "model.vit.embeddings"]
    assert names == ["as trained", "model.classifier", "model.vit.layernorm", *layers, *embeddings]
    maps = randomised_maps(f, igteach.gradient, x, 0.0, 1)
    assert agreement(maps["as trained"], maps["model.vit.embeddings"]).abs().max() < 0.9


REPARAMETRISED = {
    "old weight norm": lambda layer: nn.utils.weight_norm(layer),
    "old weight norm of a column": lambda layer: nn.utils.weight_norm(layer, dim=1),
    "old spectral norm": lambda layer: nn.utils.spectral_norm(layer),
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", amount=0.5),
    "pruned twice": lambda layer: prune.random_unstructured(
        prune.l1_unstructured(layer, "weight", amount=0.3), "weight", amount=0.3
    ),
    "weight norm": lambda layer: parametrizations.weight_norm(layer),
    "spectral norm": lambda layer: parametrizations.spectral_norm(layer),
    "orthogonal": lambda layer: parametrizations.orthogonal(layer),
}


@pytest.mark.parametrize("kind", REPARAMETRISED)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_computed_weight_is_drawn_again_through_what_computes_it(kind):
    torch.manual_seed(11)
    f = nn.Sequential(REPARAMETRISED[kind](nn.Linear(6, 6)), nn.Tanh(), nn.Linear(6, 2)).eval()
    points = torch.randn(3, 6)
    before = f(points)
    copies = dict(cascading_randomisation(f, x=points))
    assert list(copies) == ["as trained", "2", "0"]
    assert torch.equal(copies["as trained"](points), before)
    assert torch.equal(copies["2"][0](points), f[0](points))
    torch.manual_seed(1)
    drawn = nn.Linear(6, 6)
    layer = copies["0"][0]
    wanted = drawn.weight
    if kind.endswith("spectral norm"):
        wanted = wanted / torch.linalg.matrix_norm(wanted, 2)
        assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=0.05)
    if kind.startswith("pruned"):
        mask = f[0].weight_mask
        assert 0 < mask.sum() < mask.numel()
        wanted = wanted * mask
    if kind == "orthogonal":
        assert not torch.allclose(layer.weight, f[0].weight, atol=0.1)
        wanted = layer.weight
        torch.testing.assert_close(wanted @ wanted.T, torch.eye(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(layer(points), points @ wanted.T + drawn.bias, atol=0.05, rtol=0)
    torch.testing.assert_close(layer.weight, wanted, atol=0.02, rtol=0)
    assert torch.equal(f(points), before), "the caller's model is as it was"


def test_a_layer_that_is_never_called_itself_stands_beside_its_neighbours(x):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = nn.Linear(64, 8), nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x):
            hidden = nn.functional.linear(self.first(x.flatten(1)), self.second.weight, self.second.bias)
            return self.last(hidden)

    assert [name for name, _ in cascading_randomisation(Functional(), x=x)][1:] == ["last", "second", "first"]


def test_the_run_that_finds_the_order_changes_nothing(x):
    f = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(), nn.Linear(64, 3)).train()
    before, state = copy.deepcopy(f.state_dict()), torch.get_rng_state()
    with torch.inference_mode():
        copies = dict(cascading_randomisation(f, x=x))
    assert list(copies) == ["as trained", "3", "1"]
    assert all(torch.equal(before[name], value) for name, value in f.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert copies["1"].training
    assert not any(module._forward_pre_hooks for one in (f, *copies.values()) for module in one.modules())


def test_a_compiled_model_is_randomised_as_the_model_is(x):
    f = network()
    maps = randomised_maps(torch.compile(f, backend="eager"), igteach.gradient, x, 0.0, 1)
    for plain, compiled in zip(randomised_maps(f, igteach.gradient, x, 0.0, 1).values(), maps.values(), strict=True):
        torch.testing.assert_close(compiled, plain)


class TwoInputs(nn.Module):
    """Created in another order than it runs in."""

    def __init__(self):
        super().__init__()
        self.last, self.first = nn.Linear(4, 1), nn.Linear(3, 4)

    def forward(self, image, age):
        return self.last(torch.tanh(self.first(image) + age))[:, 0]


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_a_model_of_several_inputs_is_randomised_in_running_order(form):
    inputs = {"image": torch.randn(2, 3), "age": torch.randn(2, 4)}
    x = inputs if form == "dict" else tuple(inputs.values())
    maps = randomised_maps(TwoInputs(), igteach.gradient, x)
    assert list(maps) == ["as trained", "last", "first"]
    assert isinstance(maps["first"], type(x))


def test_a_table_is_an_input_as_well():
    assert list(randomised_maps(nn.Linear(3, 1), igteach.gradient, np.ones((2, 3)))) == ["as trained", ""]


def test_a_model_that_does_not_run_on_x_is_named_and_the_advice_works():
    with pytest.raises(ValueError, match=r"f does not run on x, .* leave x out of cascading_randomisation"):
        next(cascading_randomisation(TwoInputs(), x=torch.ones(1, 3)))
    assert [name for name, _ in cascading_randomisation(TwoInputs())] == ["as trained", "first", "last"]


def attentive():
    torch.manual_seed(11)
    f = Attentive()
    with torch.no_grad():
        for weight in f.parameters():
            weight.add_(torch.randn_like(weight))
    return f


def pruned_and_normed():
    torch.manual_seed(11)
    layers = [REPARAMETRISED[kind](nn.Linear(6, 6)) for kind in ("old weight norm", "pruned", "spectral norm")]
    return nn.Sequential(*layers)


ALL_DRAWN = {"network": network, "transformer": attentive, "computed weights": pruned_and_normed}


@pytest.mark.parametrize("kind", ALL_DRAWN)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_all_drawn_again_is_where_the_cascade_ends(kind):
    f = ALL_DRAWN[kind]()
    for seed in (0, 2):
        *_, (_, last) = cascading_randomisation(f, seed)
        changed = randomised(f, seed)
        assert changed_parameters(last, changed) == set()
        assert changed_parameters(f, changed) >= {name for name, _ in f.named_parameters()}


def test_all_drawn_again_depends_on_the_seed():
    f = network()
    assert changed_parameters(randomised(f), randomised(f, 0)) == set()
    assert changed_parameters(randomised(f, 0), randomised(f, 1)) == set(f.state_dict())


@pytest.mark.parametrize("training", [False, True])
def test_what_is_drawn_again_is_a_copy_in_the_same_mode(x, training):
    f = igteach.probability(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(), nn.Linear(64, 3)))
    f.model[1].running_mean.fill_(3)
    f.train(training)
    before, state = copy.deepcopy(f.state_dict()), torch.get_rng_state()
    with torch.inference_mode():
        changed = randomised(f)
    assert all(torch.equal(before[name], value) for name, value in f.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert {module.training for module in (*f.modules(), *changed.modules())} == {training}
    assert not changed.model[1].running_mean.any(), "the statistics of batches are learned, too"
    igteach.gradient(changed.eval(), x, 0.0, 1)


def test_layers_that_share_a_weight_share_it_when_it_is_drawn_again():
    f = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    f[1].weight = f[0].weight
    changed = randomised(f)
    assert changed[0].weight is changed[1].weight
    assert changed[0].weight is not f[0].weight


@pytest.mark.parametrize(
    "make",
    [
        lambda: lambda x: x.sum(1),
        lambda: Bare(),
        lambda: nn.ReLU(),
        lambda: torch.jit.script(nn.Linear(2, 1)),
    ],
    ids=["function", "one number", "no parameters", "scripted"],
)
def test_what_the_cascade_refuses_is_not_drawn_again_either(make):
    f = make()
    with pytest.raises((TypeError, ValueError)) as refused:
        next(cascading_randomisation(f))
    with pytest.raises(type(refused.value)) as refused_too:
        randomised(f)
    assert str(refused_too.value) == str(refused.value)


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
        (lambda: next(cascading_randomisation(torch.jit.script(nn.Linear(2, 1)))), TypeError, "pass the module it was"),
        (lambda: agreement(torch.ones(2, 3), torch.ones(2, 4)), ValueError, r"others \(2, 4\)"),
        (lambda: agreement(torch.ones(2, 1), torch.ones(2, 1)), ValueError, "one shape"),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
