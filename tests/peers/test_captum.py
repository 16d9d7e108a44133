"""Captum gives the same attributions, at equal rule and steps, on random MLPs and CNNs.

Where it takes other nodes (conductance) or random ones (GradientShap), the two agree as closely as their errors say.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from igteach import (
    average_integrated_gradients,
    captum_methods,
    expected_gradients,
    gradient,
    gradient_times_input,
    integrated_gradients,
    layer_integrated_gradients,
    logit,
    neuron_conductance,
    probability,
    shapley_values,
)

captum = pytest.importorskip("captum.attr")
from captum.attr._utils.approximation_methods import approximation_parameters  # noqa: E402

CAPTUMS = {
    "left": "riemann_left",
    "right": "riemann_right",
    "midpoint": "riemann_middle",
    "trapezoid": "riemann_trapezoid",
    "gauss_legendre": "gausslegendre",
}


@st.composite
def networks(draw):
    """A random MLP or CNN, a batch, baselines and targets, in float32 or float64.

    ReLU only in float64: in float32 a node's rounding can cross a kink, and the two libraries round differently.
    """
    torch.manual_seed(draw(st.integers(0, 2**31)))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    activations = [nn.Tanh(), nn.Softplus(), nn.GELU()]
    activation = draw(st.sampled_from([*activations, nn.ReLU()] if dtype == torch.float64 else activations))
    batch, classes, width = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    if draw(st.booleans()):
        shape = (draw(st.integers(1, 7)),)
        layers = [nn.Linear(*shape, width), activation, nn.Linear(width, classes)]
    else:
        shape = (draw(st.integers(1, 3)), draw(st.integers(3, 6)), draw(st.integers(3, 6)))
        pool = nn.AdaptiveAvgPool2d(2)
        layers = [
            nn.Conv2d(shape[0], width, 3, padding=1),
            activation,
            pool,
            nn.Flatten(),
            nn.Linear(4 * width, classes),
        ]
    f = draw(st.sampled_from([logit, probability]))(nn.Sequential(*layers).to(dtype))
    x, other = torch.randn(2, batch, *shape).to(dtype)
    baseline = draw(st.sampled_from([other, other[:1], 0.0, 0.5]))
    target = draw(st.sampled_from([torch.randint(0, classes, (batch,)), int(torch.randint(0, classes, ()))]))
    return f, x, baseline, target


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-5)


@settings(max_examples=40)
@given(networks())
def test_the_gradient_is_captums_signed_saliency(case):
    f, x, _, target = case
    theirs = captum.Saliency(f).attribute(x.clone().requires_grad_(), target=target, abs=False)
    close(gradient(f, x, target=target).values, theirs)


@settings(max_examples=40)
@given(networks())
def test_gradient_times_input_is_captums_from_a_baseline_of_zero(case):
    f, x, _, target = case
    theirs = captum.InputXGradient(f).attribute(x.clone().requires_grad_(), target=target)
    close(gradient_times_input(f, x, target=target).values, theirs)


@pytest.mark.parametrize("rule", CAPTUMS)
@settings(max_examples=30)
@given(case=networks(), steps=st.integers(2, 24))
def test_integrated_gradients_is_captums(rule, case, steps):
    f, x, baseline, target = case
    theirs, delta = captum.IntegratedGradients(f).attribute(
        x, baseline, target, n_steps=steps, method=CAPTUMS[rule], return_convergence_delta=True
    )
    ours = integrated_gradients(f, x, baseline, target, steps=steps, rule=rule)
    if rule == "trapezoid":  # Captum's weights sum to (n - 1) / n, see the next test; ours to 1
        theirs = theirs * steps / (steps - 1)
    else:
        close(ours.residual, delta.to(ours.residual))
    close(ours.values, theirs)


@pytest.mark.parametrize("steps", [2, 10, 50])
def test_captums_trapezoid_has_weights_that_sum_to_less_than_one(steps):
    weights, _ = approximation_parameters("riemann_trapezoid")
    assert sum(weights(steps)) == pytest.approx((steps - 1) / steps)
    linear, x = nn.Linear(1, 1), torch.ones(1, 1)
    theirs = captum.IntegratedGradients(linear).attribute(x, n_steps=steps, method="riemann_trapezoid")
    assert theirs.item() == pytest.approx(linear.weight.item() * (steps - 1) / steps, rel=1e-5)
    ours = integrated_gradients(linear, x, steps=steps, rule="trapezoid").values
    assert ours.item() == pytest.approx(linear.weight.item(), rel=1e-6)


def hidden_layer(f):
    """The activation in the middle of a network."""
    return f.model[1]


@pytest.mark.parametrize("at", ["input", "output"])
@settings(max_examples=15)
@given(case=networks(), rule=st.sampled_from(["left", "right", "midpoint", "gauss_legendre"]), steps=st.integers(2, 24))
def test_layer_integrated_gradients_is_captums(at, case, rule, steps):
    f, x, baseline, target = case
    layer = hidden_layer(f)
    start = baseline if isinstance(baseline, float) else baseline.expand_as(x)
    theirs, delta = captum.LayerIntegratedGradients(f, layer).attribute(
        x,
        start,
        target,
        n_steps=steps,
        method=CAPTUMS[rule],
        attribute_to_layer_input=at == "input",
        return_convergence_delta=True,
    )
    ours = layer_integrated_gradients(f, layer, x, baseline, target, at=at, steps=steps, rule=rule)
    close(ours.values, theirs)
    close(ours.residual, delta.to(ours.residual))


@settings(max_examples=15)
@given(networks().filter(lambda case: not isinstance(hidden_layer(case[0]), nn.ReLU)))
def test_conductance_is_the_limit_of_captums(case):
    f, x, baseline, target = case
    f, x = f.double(), x.double()
    start = baseline if isinstance(baseline, float) else baseline.double().expand_as(x)
    captums = captum.LayerConductance(f, hidden_layer(f))
    few, many = (captums.attribute(x, start, target, n_steps=n, method="riemann_right").detach() for n in (100, 200))
    ours = neuron_conductance(f, hidden_layer(f), x, start, target, steps=200).values
    limit = 2 * many - few  # its error falls like 1 / steps, ours like 1 / steps^2
    assert (ours - limit).abs().sum() < 2e-3 * limit.abs().sum() + 1e-5
    assert (ours - limit).abs().sum() < (many - limit).abs().sum() + 1e-5


@settings(max_examples=10)
@given(networks())
def test_expected_gradients_are_gradient_shap_within_their_errors(case):
    f, x, _, target = case
    f, x = f.double(), x[:1].double()
    target = target if isinstance(target, int) else target[:1]
    baselines = torch.randn(3, *x.shape[1:], dtype=torch.float64)
    truth = average_integrated_gradients(f, x, baselines, target, steps=200).values
    ours = expected_gradients(f, x, baselines, target, samples=1500)
    torch.manual_seed(0)
    theirs = captum.GradientShap(f).attribute(x, baselines, n_samples=1500, stdevs=0.0, target=target).detach()
    distance = ours.error_estimate.item() * truth.abs().sum() + 1e-6
    assert (ours.values - truth).abs().sum() < 2 * distance
    assert (ours.values - theirs).abs().sum() < 3 * distance


@settings(max_examples=15)
@given(networks())
def test_occlusion_is_what_each_feature_adds_last(case):
    f, x, baseline, target = case
    ours = captum_methods.occlusion(f, x, baseline, target)
    start = torch.as_tensor(baseline, dtype=x.dtype).expand_as(x)
    columns, of_start = x.flatten(1), start.flatten(1)
    for feature in range(columns.shape[1]):
        without = columns.clone()
        without[:, feature] = of_start[:, feature]
        fall = of_target(f(x), target) - of_target(f(without.view_as(x)), target)
        close(ours.values.flatten(1)[:, feature], fall)


def of_target(out, target):
    return out[torch.arange(len(out)), target]


@settings(max_examples=10)
@given(networks().filter(lambda case: case[1].shape[1:].numel() <= 4))
def test_shapley_values_are_captums_over_all_orders(case):
    f, x, baseline, target = case
    start = baseline if isinstance(baseline, float) else baseline.expand_as(x)
    theirs = captum.ShapleyValues(f).attribute(x, start, target)
    close(shapley_values(f, x, baseline, target).values, theirs.to(x.dtype))  # Captum's are float32, whatever x is
