"""Captum's methods behind the method signature."""

import sys
from functools import partial

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

import igteach
from igteach import axioms
from igteach.axioms import cases
from igteach.axioms.cases import PAPER_F, PAPER_G
from igteach.axioms.checks import AXIOMS
from igteach.methods import captum_methods

METHODS = [
    captum_methods.deep_lift,
    captum_methods.lrp,
    captum_methods.guided_backprop,
    captum_methods.deconvolution,
    captum_methods.occlusion,
    captum_methods.shapley_sampling,
    captum_methods.gradient_shap,
]
AT = torch.tensor([[3.0, 1.0]])


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU())
        self.decide = nn.Sequential(nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 4))

    def forward(self, x):
        return self.decide(self.look(x).flatten(1))


def classifier():
    torch.manual_seed(0)
    return Classifier()


def images(number=3):
    return torch.rand(number, 1, 4, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("method", "on_f", "on_g"),
    [
        (partial(igteach.integrated_gradients, steps=64), (1.5, -0.5), (1.5, -0.5)),
        (captum_methods.deep_lift, (1.5, -0.5), (2, -1)),
        (captum_methods.lrp, (3, -1), (3, -1)),
        (captum_methods.guided_backprop, (1, 0), (1, 0)),
        (captum_methods.occlusion, (1, -1), (1, -1)),
    ],
)
def test_two_writings_of_one_function_at_3_1(method, on_f, on_g):
    torch.testing.assert_close(method(PAPER_F, AT).values, torch.tensor([on_f]).float())
    torch.testing.assert_close(method(PAPER_G, AT).values, torch.tensor([on_g]).float())


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (captum_methods.deep_lift, {"sensitivity_b", "implementation_invariance"}),
        (captum_methods.lrp, {"completeness", "sensitivity_a"}),
        (captum_methods.guided_backprop, set(AXIOMS) - {"symmetry"}),
        (captum_methods.deconvolution, set(AXIOMS) - {"symmetry"}),
        (captum_methods.occlusion, {"completeness"}),
        (captum_methods.shapley_sampling, {"symmetry"}),  # by chance alone: the orders drawn are not even
        (captum_methods.gradient_shap, {"completeness"}),  # by chance alone: the nodes drawn are not even
    ],
)
def test_whole_row_of_verdicts(method, expected):
    results = {axiom: check(method) for axiom, check in AXIOMS.items()}
    assert all(result.holds is not None for result in results.values())
    assert {axiom for axiom, result in results.items() if not result.holds} == expected


@pytest.mark.parametrize("method", [captum_methods.deep_lift, captum_methods.lrp])
def test_a_product_has_no_rule(method):
    with pytest.raises(NotImplementedError, match="no rule for Formula"):
        method(cases.XY, AT)
    assert "xy + z" in axioms.completeness(method).not_applicable


@pytest.mark.parametrize(
    "method",
    [captum_methods.deep_lift, captum_methods.lrp, captum_methods.guided_backprop, captum_methods.deconvolution],
)
def test_layer_wise_methods_refuse_a_plain_function(method):
    with pytest.raises(NotImplementedError, match="f is a function"):
        method(igteach.toy(lambda x, y: x * y), AT)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", [1, torch.tensor([3, 0, 2])])
def test_a_classifier_of_images_gets_values_of_its_shape_and_its_own_scores(method, target):
    f, x = igteach.logit(classifier()), images()
    answer = method(f, x, 0.2, target)
    scores = igteach.integrated_gradients(f, x, 0.2, target)
    assert answer.values.shape == x.shape
    assert not answer.values.requires_grad
    torch.testing.assert_close(answer.f_input, scores.f_input)
    assert answer.f_baseline is None or torch.equal(answer.f_baseline, scores.f_baseline)


@pytest.mark.parametrize("method", METHODS)
def test_an_example_gets_the_same_values_alone_and_in_a_batch(method):
    f, x, target = classifier(), images(), torch.tensor([3, 0, 2])
    baseline = images(6)[3:]
    together = method(f, x, baseline, target).values
    for i in range(3):
        torch.testing.assert_close(method(f, x[i : i + 1], baseline[i], target[i : i + 1]).values[0], together[i])


@pytest.mark.parametrize("method", METHODS)
def test_network_input_and_random_state_are_left_as_they_were(method):
    f, x = classifier(), images()
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    before = f(x)
    method(f, x, target=1)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()
    assert not x.requires_grad
    assert torch.equal(f(x), before)
    assert all(not layer._forward_hooks and not layer._backward_hooks for layer in f.modules())
    assert all(not hasattr(layer, "rule") for layer in f.modules())


@pytest.mark.parametrize("method", [captum_methods.shapley_sampling, captum_methods.gradient_shap])
def test_the_seed_decides(method):
    f, x = classifier(), images()
    one, again, other = (method(f, x, target=1, seed=seed).values for seed in (7, 7, 8))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_deep_lift_is_complete_and_agrees_with_captum():
    f, x = classifier(), images()
    answer = captum_methods.deep_lift(f, x, 0.2, 1)
    assert answer.relative_residual.max() < 1e-4
    alone = captum.attr.DeepLift(f).attribute(x, torch.full_like(x, 0.2), target=1)
    torch.testing.assert_close(answer.values, alone)


def test_lrp_is_gradient_times_input_on_a_relu_network():
    f, x = classifier(), images()
    expected = igteach.gradient_times_input(f, x, None, 1).values
    torch.testing.assert_close(captum_methods.lrp(f, x, 0.2, 1).values, expected, rtol=1e-3, atol=1e-5)


def test_occlusion_is_the_fall_of_f():
    f, x = classifier(), images(1)
    values = captum_methods.occlusion(f, x, 0.2, 1).values.flatten()
    for i in range(16):
        occluded = x.clone()
        occluded.view(-1)[i] = 0.2
        torch.testing.assert_close(values[i], (f(x) - f(occluded))[0, 1], rtol=1e-4, atol=1e-6)


def test_shapley_sampling_is_complete_and_near_half_and_half_on_min():
    x = torch.tensor([[1.0, 3.0]])
    one_order = captum_methods.shapley_sampling(cases.MIN_X_FIRST, x, samples=1).values
    assert sorted(one_order.flatten().tolist()) == [0, 1]
    answer = captum_methods.shapley_sampling(cases.MIN_X_FIRST, x, samples=400)
    assert answer.relative_residual.max() < 1e-5
    torch.testing.assert_close(answer.values, torch.tensor([[0.5, 0.5]]), rtol=0, atol=0.1)


def test_gradient_shap_nears_ig_as_samples_grow():
    answer = captum_methods.gradient_shap(PAPER_F, AT, samples=4000)
    torch.testing.assert_close(answer.values, torch.tensor([[1.5, -0.5]]), rtol=0, atol=0.1)


def test_without_captum_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ImportError, match="pip install captum"):
        captum_methods.occlusion(PAPER_F, AT)


@pytest.mark.parametrize("name", ["deep_lift", "lrp", "guided_backprop", "deconvolution"])
@pytest.mark.parametrize("hide", [torch.jit.script, partial(torch.compile, backend="eager")], ids=["script", "compile"])
def test_layers_that_hooks_do_not_reach_are_refused(name, hide):
    f = nn.Sequential(hide(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))), nn.Softmax(1))
    with pytest.raises(
        NotImplementedError, match=r"no rule for|hides its layers; pass the module that it was made from"
    ):
        getattr(igteach.captum_methods, name)(f, torch.ones(1, 3), None, 1)
