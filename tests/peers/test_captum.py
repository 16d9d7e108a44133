"""Captum gives the same attributions, at equal rule and steps, on random MLPs and CNNs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from igteach import gradient, gradient_times_input, integrated_gradients, logit, probability

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


@settings(deadline=None, max_examples=40)
@given(networks())
def test_the_gradient_is_captums_signed_saliency(case):
    f, x, _, target = case
    theirs = captum.Saliency(f).attribute(x.clone().requires_grad_(), target=target, abs=False)
    close(gradient(f, x, target=target).values, theirs)


@settings(deadline=None, max_examples=40)
@given(networks())
def test_gradient_times_input_is_captums_from_a_baseline_of_zero(case):
    f, x, _, target = case
    theirs = captum.InputXGradient(f).attribute(x.clone().requires_grad_(), target=target)
    close(gradient_times_input(f, x, target=target).values, theirs)


@pytest.mark.parametrize("rule", CAPTUMS)
@settings(deadline=None, max_examples=30)
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
