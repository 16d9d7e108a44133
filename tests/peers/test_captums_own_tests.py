"""What Captum's own tests of IntegratedGradients check, of its own models, through an adapter with its conventions.

Every case is also put to Captum itself: the values and the deltas are the same.
"""

import pytest
import torch
from captum.testing.helpers import basic_models
from captum.testing.helpers.classification_models import SigmoidDeepLiftModel, SigmoidModel, SoftmaxModel
from peers.captum_adapter import RULES, IntegratedGradients

captum = pytest.importorskip("captum.attr")

ONE = torch.tensor([[1.5, 2.0, 34.3]]), torch.tensor([[3.0, 3.5, 23.2]])
TWO = torch.tensor([[1.5, 2.0, 34.3], [3.4, 1.2, 2.0]]), torch.tensor([[3.0, 3.5, 23.2], [2.3, 1.2, 0.3]])
BATCH = torch.tensor([[1.5, 2.0, 1.3], [0.5, 0.1, 2.3], [1.5, 2.0, 1.3]])
PAIR = (
    torch.tensor([[1.5, 2.1, 1.9], [0.5, 0.0, 0.7], [1.5, 2.1, 1.1]]),
    torch.tensor([[0.3, 1.9, 2.4], [0.5, 0.6, 2.1], [1.2, 2.1, 0.2]]),
)
FOUR = torch.tensor([[0.0, 100.0, 0.0], [0.0, 100.0, 0.0], [20.0, 100.0, 120.0], [0.0, 10.0, 1.0]])
STEPS = 53  # no node of any rule is at a kink of these networks, where rounding would decide
SOLE = basic_models.BasicModel()
LAYERS = basic_models.BasicModel_MultiLayer()

# model, inputs, and the further arguments of attribute
CASES = {
    "one number": (SOLE, torch.tensor([1.0]), {"baselines": torch.tensor([0.0])}),
    "one number, at its baseline": (SOLE, torch.tensor([0.0]), {"baselines": torch.tensor([0.0])}),
    "one number, from a number": (SOLE, torch.tensor([-1.0]), {"baselines": 0.00001}),
    "the paper's f": (basic_models.BasicModel2(), (torch.tensor([3.0]), torch.tensor([1.0])), {}),
    "the paper's g": (
        basic_models.BasicModel3(),
        (torch.tensor([3.0]), torch.tensor([1.0])),
        {"baselines": (torch.tensor([0.0]), torch.tensor([0.0]))},
    ),
    "an additional tensor": (
        basic_models.BasicModel4_MultiArgs(),
        ONE,
        {"baselines": (0.0, torch.zeros(1, 3)), "additional_forward_args": torch.arange(1.0, 4.0).reshape(1, 3)},
    ),
    "an additional tensor for each example, and a number": (
        basic_models.BasicModel4_MultiArgs(),
        TWO,
        {
            "baselines": (torch.zeros(2, 3), 0.0),
            "additional_forward_args": (torch.arange(1.0, 7.0).reshape(2, 3), 1),
        },
    ),
    "an additional list": (
        basic_models.BasicModel5_MultiArgs(),
        TWO,
        {"baselines": (0.0, 0.00001), "additional_forward_args": ([2, 3], 1)},
    ),
    "a baseline of one example for two": (
        basic_models.BasicModel5_MultiArgs(),
        TWO,
        {"baselines": (torch.zeros(1, 3), 0.00001), "additional_forward_args": ([2, 3], 1)},
    ),
    "two tensors": (
        basic_models.BasicModel6_MultiTensor(),
        (torch.tensor([[1.5, 2.0, 3.3]]), torch.tensor([[3.0, 3.5, 2.2]])),
        {},
    ),
    "a batch": (LAYERS, BATCH, {"target": 0}),
    "a batch in a tuple": (LAYERS, (BATCH,), {"target": 0}),
    "a batch of two tensors": (LAYERS, PAIR, {"target": 0}),
    "three tensors": (
        basic_models.BasicModel_MultiLayer_MultiInput(),
        (BATCH, *PAIR),
        {"target": 1, "additional_forward_args": (2,)},
    ),
    "an in-place activation": (basic_models.BasicModel_MultiLayer(inplace=True), BATCH, {"target": 1}),
    "a layer of two inputs": (basic_models.BasicModel_MultiLayer(multi_input_module=True), BATCH, {"target": 1}),
    "a convolution": (
        basic_models.BasicModel_ConvNet(),
        100 * torch.rand(3, 1, 10, 10),
        {"target": torch.tensor([0, 3, 9])},
    ),
    "a class for each example": (LAYERS, FOUR, {"target": torch.tensor([0, 1, 1, 0])}),
    "a list of classes": (LAYERS, FOUR, {"target": [0, 1, 1, 0]}),
    "a class in a tensor": (LAYERS, FOUR, {"target": torch.tensor([1])}),
    "a place in the output": (LAYERS, FOUR, {"target": (1, 0, 1), "additional_forward_args": (None, True)}),
    "a place for each example": (
        LAYERS,
        FOUR,
        {"target": [(1, 0, 0), (0, 1, 1), (1, 1, 1), (0, 0, 0)], "additional_forward_args": (None, True)},
    ),
    "a sigmoid": (SigmoidModel(4, 6, 3), torch.randn(5, 4), {"target": torch.tensor([0, 2, 1, 1, 0])}),
    "a deep sigmoid": (SigmoidDeepLiftModel(4, 6, 3), torch.randn(5, 4), {"target": 2, "baselines": torch.randn(1, 4)}),
    "a softmax": (SoftmaxModel(4, 6, 3), torch.randn(5, 4), {"target": torch.tensor([0, 2, 1, 1, 0])}),
}


def in_tuple(tensors):
    return tensors if isinstance(tensors, tuple) else (tensors,)


def theirs_adds_up(values, method, steps):
    """Captum's trapezoid has weights that sum to (n - 1)/n."""
    factor = steps / (steps - 1) if method == "riemann_trapezoid" else 1.0
    return [value.detach() * factor for value in in_tuple(values)]


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize("name", CASES)
def test_values_and_deltas_are_captums(name, method):
    model, inputs, arguments = CASES[name]
    arguments = {**arguments, "n_steps": STEPS, "method": method, "return_convergence_delta": True}
    ours, delta = IntegratedGradients(model).attribute(inputs, **arguments)
    theirs, their_delta = captum.IntegratedGradients(model).attribute(inputs, **arguments)
    assert isinstance(ours, tuple) == isinstance(theirs, tuple)
    for mine, yours in zip(in_tuple(ours), theirs_adds_up(theirs, method, STEPS), strict=True):
        torch.testing.assert_close(mine, yours, rtol=1e-4, atol=1e-4)
    assert delta.shape == their_delta.shape == (len(in_tuple(inputs)[0]),)
    if method != "riemann_trapezoid":
        torch.testing.assert_close(delta, their_delta.to(delta), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_the_deltas_of_500_steps_are_small_and_the_values_alone_are_the_same(name):
    model, inputs, arguments = CASES[name]
    method = [*RULES][[*CASES].index(name) % len(RULES)]
    arguments = {**arguments, "n_steps": 500, "method": method}
    values, delta = IntegratedGradients(model).attribute(inputs, **arguments, return_convergence_delta=True)
    alone = IntegratedGradients(model).attribute(inputs, **arguments)
    largest = max(value.abs().max().item() for value in in_tuple(values))
    assert delta.abs().max() < max(0.07, 0.01 * largest)
    for with_delta, without, part in zip(in_tuple(values), in_tuple(alone), in_tuple(inputs), strict=True):
        assert torch.equal(with_delta, without)
        assert with_delta.shape == part.shape


@pytest.mark.parametrize("multiply", [True, False])
def test_the_papers_two_networks_have_the_same_shares(multiply):
    inputs = torch.tensor([3.0]), torch.tensor([1.0])
    found = [
        IntegratedGradients(model, multiply_by_inputs=multiply).attribute(inputs, n_steps=500, method="riemann_right")
        for model in (basic_models.BasicModel2(), basic_models.BasicModel3())
    ]
    for first, second in found:
        assert first.item() == pytest.approx(1.5 if multiply else 0.5, abs=0.05)
        assert second.item() == pytest.approx(-0.5, abs=0.05)
    assert sum(found[0]) == sum(found[1])


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize("inputs", [BATCH, PAIR], ids=["one tensor", "two tensors"])
def test_an_example_is_the_same_alone_and_in_a_batch_of_any_size(inputs, method):
    ours = IntegratedGradients(LAYERS)
    arguments = {"target": 0, "n_steps": 100, "method": method, "return_convergence_delta": True}
    whole, whole_delta = ours.attribute(in_tuple(inputs), **arguments)
    for size in (10, 20):
        values, delta = ours.attribute(in_tuple(inputs), internal_batch_size=size, **arguments)
        torch.testing.assert_close((values, delta), (whole, whole_delta), rtol=1e-5, atol=1e-4)
        for i in range(len(whole_delta)):
            part = tuple(each[i : i + 1] for each in in_tuple(inputs))
            values, delta = ours.attribute(part, internal_batch_size=size, **arguments)
            torch.testing.assert_close(values, tuple(each[i : i + 1] for each in whole), rtol=1e-5, atol=1e-4)
            torch.testing.assert_close(delta, whole_delta[i : i + 1], rtol=1e-5, atol=1e-4)


def test_inputs_that_need_gradients_and_the_model_are_left_as_they_were():
    inputs = BATCH.clone().requires_grad_()
    values = IntegratedGradients(LAYERS).attribute(inputs, target=0)
    assert inputs.grad is None
    assert not values.requires_grad
    assert all(parameter.grad is None and parameter.requires_grad for parameter in LAYERS.parameters())
