"""Every public method on every device that is there: on the device of its input, and the same answer as in float64."""

import pytest
import torch

import igteach
from igteach import integrated_gradients, logit, probability, show
from igteach.core import affine_prefix
from igteach.datasets.digits import load_digits
from igteach.datasets.scenes import make_scenes
from igteach.evaluate import agreement, deletion, edges, insertion, random_gradients, random_numbers, randomised_maps
from igteach.models import digits, scenes

DEVICES = ["cpu"]
DEVICES += ["cuda"] if torch.cuda.is_available() else []
DEVICES += ["mps"] if torch.backends.mps.is_available() else []
NEAR = 1e-4  # relative, in float32

METHODS = {
    "gradient": lambda f, x, **how: igteach.gradient(f, x, **how),
    "gradient_times_input": lambda f, x, **how: igteach.gradient_times_input(f, x, x.flip(-1), **how),
    "smoothgrad": lambda f, x, **how: igteach.smoothgrad(f, x, stdev=0.1, samples=4, **how),
    **{
        f"integrated_gradients, {rule}": lambda f, x, r=rule, **how: integrated_gradients(f, x, rule=r, steps=64, **how)
        for rule in ("midpoint", "gauss_legendre")
    },
    "integrated_gradients, plain": lambda f, x, **how: integrated_gradients(f, x, 0.5, steps=20, **how),
    "integrated_gradients, tolerance": lambda f, x, **how: integrated_gradients(f, x, tolerance=0.1, **how),
    "path_gradients": lambda f, x, **how: igteach.path_gradients(f, torch.stack([x * 0, x**2, x]), **how),
    "neuron_conductance": lambda f, x, **how: igteach.neuron_conductance(f, f.model[3], x, **how),
    "expected_gradients": lambda f, x, **how: igteach.expected_gradients(f, x, x.flip(0), samples=20, **how),
    "average_integrated_gradients": lambda f, x, **how: igteach.average_integrated_gradients(f, x, x.flip(0), **how),
}


class Smooth(torch.nn.Sequential):
    """The scenes network without kinks: which side of one a rounding falls on is nobody's to say."""

    def __init__(self, device, dtype):
        layers = scenes.load(device).to(dtype)
        super().__init__(*[torch.nn.SiLU() if isinstance(layer, torch.nn.ReLU) else layer for layer in layers])
        self.eval()


def pictures(device, dtype):
    return make_scenes(2, 0).x.to(device, dtype)


def l1_apart(one, other):
    return ((one.cpu().double() - other.cpu().double()).abs().sum() / other.abs().sum().cpu().double()).item()


@pytest.mark.parametrize("wrapper", [logit, probability], ids=["logit", "probability"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("device", DEVICES)
def test_a_method_answers_on_the_device_of_its_input_as_float64_does_on_the_cpu(device, method, wrapper, monkeypatch):
    if device != "cpu":  # where there is no stem, whose error estimate is a sketch
        monkeypatch.setattr(affine_prefix, "split", lambda f, x, steps: None)
    target = torch.tensor([3, 0])
    true = METHODS[method](wrapper(Smooth("cpu", torch.float64)), pictures("cpu", torch.float64), target=target)
    x = pictures(device, torch.float32)
    answer = METHODS[method](wrapper(Smooth(device, torch.float32)), x, target=target.to(device))
    assert answer.values.device == answer.f_input.device == x.device
    assert answer.values.dtype == x.dtype
    assert l1_apart(answer.values, true.values) < NEAR
    assert l1_apart(answer.f_input, true.f_input) < NEAR
    if answer.error_estimate is not None:
        torch.testing.assert_close(answer.error_estimate.cpu().double(), true.error_estimate, rtol=0.05, atol=NEAR)


@pytest.mark.parametrize("device", [device for device in DEVICES if device != "mps"])  # which has no float64
def test_exact_attributions_are_the_same_on_every_device(device):
    x = load_digits().x_test[:2]
    true = igteach.exact_integrated_gradients(digits.load("cpu"), x, target=3)
    answer = igteach.exact_integrated_gradients(digits.load(device), x.to(device), target=3)
    assert answer.values.device.type == device
    assert l1_apart(answer.values, true.values) < NEAR


@pytest.mark.parametrize("device", DEVICES)
def test_the_network_with_kinks_is_nearly_the_same_on_every_device(device):
    answers = [
        integrated_gradients(scenes.load(place), pictures(place, torch.float32), target=3) for place in ("cpu", device)
    ]
    assert l1_apart(answers[1].values, answers[0].values) < 0.01


def evaluations(device):
    """What igteach.evaluate says of one map, on a device."""
    f, x, target = probability(Smooth(device, torch.float32)), pictures(device, torch.float32), torch.tensor([3, 0])
    controls = [control(f, x, 0.5, target.to(device)).values for control in (random_numbers, random_gradients, edges)]
    maps = randomised_maps(f, igteach.gradient_times_input, x, 0.5, target.to(device))
    curves = [judge(f, x, controls[1], 0.5, target.to(device), steps=6).values for judge in (deletion, insertion)]
    return [*controls, *curves, *maps.values(), agreement(controls[0], controls[1])]


@pytest.mark.parametrize("device", DEVICES)
def test_an_evaluation_stays_on_its_device_and_says_the_same_there(device):
    for there, here in zip(evaluations(device), evaluations("cpu"), strict=True):
        assert there.device.type == device
        assert l1_apart(there, here) < 0.01


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_are_drawn_wherever_they_lie(device):
    drawn = [
        show.curves([1, 2], {"F": values}, xlabel="x", ylabel="y") for values in ([3.0, 5.0], torch.tensor([3, 5]))
    ]
    there = torch.tensor([3.0, 5.0], device=device)
    drawn += [show.curves([1, 2], {"F": values}, xlabel="x", ylabel="y") for values in (there, list(there))]
    assert len({figure.alt for figure in drawn}) == 1


@pytest.mark.skipif(len(DEVICES) == 1, reason="no device beside the CPU")
def test_a_model_elsewhere_is_an_error_and_nothing_is_moved():
    model, x = scenes.load("cpu"), pictures(DEVICES[-1], torch.float32)
    with pytest.raises(RuntimeError):
        integrated_gradients(model, x, target=3)
    assert next(model.parameters()).device.type == "cpu"


X = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.2, -0.3]])
NET = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)).requires_grad_(False)
PICTURES = torch.linspace(0, 1, 2 * 3 * 8 * 8).view(2, 3, 8, 8)
ON_SMALL_INPUTS = {
    "integrated_gradients": lambda: integrated_gradients(NET, X).values,
    "gauss_legendre": lambda: integrated_gradients(NET, X, 1.0, steps=5, rule="gauss_legendre").values,
    "two inputs": lambda: integrated_gradients(lambda x, y: (x * y).sum(1), (X, X)).values,
    "path_gradients": lambda: igteach.path_gradients(NET, torch.stack([0 * X, X.square(), X])).values,
    "toy": lambda: integrated_gradients(igteach.toy(lambda x, y, z: x * y * z), X).values,
    "gradient": lambda: igteach.gradient(NET, X).values,
    "smoothgrad": lambda: igteach.smoothgrad(NET, X, stdev=0.1).values,
    "expected_gradients": lambda: igteach.expected_gradients(NET, X, X).values,
    "guided": lambda: igteach.guided_integrated_gradients(NET, X, legs=4).values,
    "exact": lambda: igteach.exact_integrated_gradients(NET, X).values,
    "conductance": lambda: igteach.neuron_conductance(NET, NET[1], X).values,
    "shapley_values": lambda: igteach.shapley_values(NET, X).values,
    "gradient_shap of Captum": lambda: igteach.captum_methods.gradient_shap(NET, X).values,
    "occlusion of Captum": lambda: igteach.captum_methods.occlusion(NET, X).values,
    "random_numbers": lambda: random_numbers(NET, X).values,
    "random_gradients": lambda: random_gradients(NET, X).values,
    "deletion": lambda: deletion(NET, X, X.abs()).values,
    "noise": lambda: igteach.baselines.noise(PICTURES, stdev=0.1),
    "uniform": lambda: igteach.baselines.uniform(PICTURES),
    "blur": lambda: igteach.baselines.blur(PICTURES, sigma=1.0),
    "sample": lambda: igteach.baselines.sample(X, X),
    "axioms": lambda: igteach.axioms.completeness(integrated_gradients).holds,
}


@pytest.mark.parametrize("name", ON_SMALL_INPUTS)
def test_the_default_device_of_new_tensors_changes_nothing(name):
    """On "meta" no tensor holds numbers: one that is made there by mistake is found out."""
    expected = ON_SMALL_INPUTS[name]()
    with torch.device("meta"):
        answer = ON_SMALL_INPUTS[name]()
    torch.testing.assert_close(answer, expected)
