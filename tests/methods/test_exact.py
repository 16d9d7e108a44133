"""Exact IG: closed forms, completeness to rounding, and agreement with what is computed in other ways."""

import copy
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import igteach
from igteach.core import plain_modules
from igteach.datasets.digits import load_digits
from igteach.methods import exact
from igteach.methods.exact import exact_integrated_gradients
from igteach.models import digits

POOLS = [
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, stride=1, padding=1),
    nn.MaxPool2d(2, stride=2, padding=1, ceil_mode=True),
    nn.MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0), dilation=(2, 1)),
    nn.AvgPool2d(3, stride=2, padding=1),
    nn.AdaptiveAvgPool2d((3, 2)),
]


def linear(weight: list[list[float]], bias: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight)).double()
    layer.load_state_dict(
        {"weight": torch.tensor(weight, dtype=torch.float64), "bias": torch.tensor(bias, dtype=torch.float64)}
    )
    return layer


def random_cnn(pool: nn.Module, slope: float = 0.1, channels: int = 3, size: tuple[int, int] = (7, 6)) -> nn.Module:
    """Every supported layer, with batch statistics that are not trivial."""
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(2, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)),
        nn.Conv2d(channels, channels, 2, bias=False),
        pool,
        nn.LeakyReLU(slope),
        nn.Flatten(),
        nn.Sequential(nn.Identity(), nn.Dropout(0.5), nn.LazyLinear(8), nn.BatchNorm1d(8), nn.ReLU()),
        nn.Linear(8, 3),
    )
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(16, 2, *size))
    return model.eval()


@st.composite
def cases(draw: st.DrawFn) -> tuple[nn.Module, Tensor, Tensor]:
    """A random MLP or CNN in float64, x and a baseline."""
    torch.manual_seed(draw(st.integers(0, 10**6)))
    if draw(st.booleans()):
        widths = draw(st.lists(st.integers(1, 12), min_size=2, max_size=4))
        hidden = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
        model, shape = nn.Sequential(*hidden, nn.Linear(widths[-1], 3)), (widths[0],)
    else:
        shape = (2, draw(st.integers(6, 8)), draw(st.integers(4, 7)))
        slope, channels = draw(st.sampled_from([0.3, 1.0, -0.5])), draw(st.integers(1, 4))
        model = random_cnn(draw(st.sampled_from(POOLS)), slope, channels, shape[1:])
    x = torch.randn(draw(st.integers(1, 3)), *shape, dtype=torch.float64)
    return model.double(), x, draw(st.sampled_from([torch.randn_like(x), torch.zeros_like(x)]))


def gradients(model: nn.Module, points: Tensor, target: int) -> Tensor:
    points = points.clone().requires_grad_()
    return torch.autograd.grad(model(points)[:, target].sum(), points)[0]


def on_path(x: Tensor, baseline: Tensor, alphas: Tensor) -> Tensor:
    return baseline + alphas.view(-1, *(1,) * x.dim()) * (x - baseline)


def test_a_saturated_unit_gets_its_whole_share_and_the_pieces_show_where_it_saturates():
    model = nn.Sequential(linear([[-1.0]], [1.0]), nn.ReLU(), linear([[-1.0]], [1.0]))
    answer = exact_integrated_gradients(model, torch.tensor([[2.0]]).double())
    assert answer.values.item() == 1.0
    assert answer.pieces[0].tolist() == [0.0, 0.5, 1.0]
    assert answer.evaluations.tolist() == [2]


def test_two_networks_of_one_function_get_the_same_shares():
    difference = linear([[1.0, -1.0]], [0.0])
    f = nn.Sequential(nn.ReLU(), linear([[1.0, -1.0]], [-1.0]), nn.ReLU())
    g = nn.Sequential(linear([[1.0, 0.0], [0.0, 1.0]], [-1.0, 0.0]), nn.ReLU(), difference, nn.ReLU())
    for model in (f, g):
        answer = exact_integrated_gradients(model, torch.tensor([[3.0, 1.0]]).double())
        torch.testing.assert_close(answer.values, torch.tensor([[1.5, -0.5]]).double(), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("kept", "shares"), [([1.0, 0.0], [1.0, 0.0]), ([0.0, 1.0], [0.0, 1.0])])
def test_a_unit_on_its_kink_all_along_the_path_has_the_gradient_that_autograd_gives_it(kept, shares):
    other = [1.0 - k for k in kept]  # min(x, y) = kept - ReLU(kept - other)
    gap = [k - o for k, o in zip(kept, other, strict=True)]
    model = nn.Sequential(linear([kept, gap], [0.0, 0.0]), nn.ReLU(), linear([[1.0, -1.0]], [0.0]))
    answer = exact_integrated_gradients(model, torch.tensor([[1.0, 1.0]]).double())
    assert answer.values.tolist() == [shares]


@settings(max_examples=60)
@given(cases())
def test_completeness_holds_to_rounding_and_dense_midpoint_sums_agree(case):
    model, x, baseline = case
    steps = 500
    answer = exact_integrated_gradients(model, x, baseline, target=1)
    dense = igteach.integrated_gradients(model, x, baseline, target=1, steps=steps)
    assert answer.relative_residual.max() < 1e-10
    for i, ends in enumerate(answer.pieces):
        along = gradients(model, on_path(x[i], baseline[i], (ends[1:] + ends[:-1]) / 2), target=1)
        jumps = along.diff(dim=0).abs().sum(0) * (x[i] - baseline[i]).abs()
        assert ((answer.values[i] - dense.values[i]).abs() <= jumps / steps + 1e-10).all()


@settings(max_examples=30)
@given(cases())
def test_the_score_is_linear_within_each_piece(case):
    model, x, baseline = case
    answer = exact_integrated_gradients(model, x, baseline, target=0)
    for i, ends in enumerate(answer.pieces):
        quarters = (ends[:-1] + fraction * ends.diff() for fraction in (0.25, 0.5, 0.75))
        with torch.no_grad():
            first, middle, last = (model(on_path(x[i], baseline[i], alphas))[:, 0] for alphas in quarters)
        torch.testing.assert_close(middle, (first + last) / 2, rtol=1e-9, atol=1e-9)


def patterns(model: nn.Sequential, points: Tensor) -> Tensor:
    """Which units are on, and who leads each pooling window: (points, units)."""
    found = []
    for layer in model:
        if isinstance(layer, nn.MaxPool2d):
            found.append(F.max_pool2d(points, layer.kernel_size, layer.stride, return_indices=True)[1].flatten(1))
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            found.append((points > 0).long().flatten(1))
        points = layer(points)
    return torch.cat(found, dim=1)


@pytest.mark.parametrize("seed", range(4))
def test_the_pieces_are_those_that_a_dense_scan_of_the_activation_patterns_finds(seed):
    torch.manual_seed(seed)
    head = (nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 1))
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.MaxPool2d(3, stride=2), nn.LeakyReLU(), *head).double()
    x, baseline = torch.randn(2, 1, 7, 7).double() * 2
    ends = exact_integrated_gradients(model, x[None], baseline).pieces[0]
    alphas = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    with torch.no_grad():
        seen = torch.cat([patterns(model, on_path(x, baseline, part)) for part in alphas.split(20_000)])
    (changes,) = torch.nonzero((seen.diff(dim=0) != 0).any(1), as_tuple=True)
    assert len(ends) - 2 == len(changes) > 15
    assert (alphas[changes] <= ends[1:-1]).all()
    assert (ends[1:-1] <= alphas[changes + 1]).all()


def test_a_path_cut_into_stretches_gives_the_same_answer_in_less_memory(monkeypatch):
    torch.manual_seed(0)
    model = random_cnn(nn.MaxPool2d(2))
    sizes, original = list[int](), nn.Conv2d.forward

    def note_size(layer: nn.Conv2d, given: Tensor) -> Tensor:
        if not torch.is_grad_enabled() and layer.kernel_size == (2, 2):  # the search for the pieces
            sizes.append(given.numel())
        return original(layer, given)

    monkeypatch.setattr(nn.Conv2d, "forward", note_size)
    x = torch.randn(1, 2, 7, 6)
    whole = exact_integrated_gradients(model, x, target=0)
    largest = max(sizes)
    sizes.clear()
    monkeypatch.setattr(exact, "ELEMENTS_AT_ONCE", 500)
    cut = exact_integrated_gradients(model, x, target=0)
    assert max(sizes) <= 500 < largest / 5
    torch.testing.assert_close(cut.pieces[0], whole.pieces[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(cut.values, whole.values, rtol=1e-12, atol=1e-12)


def test_a_batch_with_a_target_a_row_is_answered_as_each_example_alone():
    torch.manual_seed(1)
    model, x, baseline = random_cnn(nn.MaxPool2d(2)), torch.randn(3, 2, 7, 6), torch.randn(2, 7, 6)
    targets = torch.tensor([2, 0, 1])
    together = exact_integrated_gradients(model, x, baseline, targets)
    for i in range(3):
        alone = exact_integrated_gradients(model, x[i : i + 1], baseline, int(targets[i]))
        torch.testing.assert_close(together.values[i], alone.values[0], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(together.pieces[i], alone.pieces[0], rtol=0, atol=1e-12)
        assert together.evaluations[i] == len(together.pieces[i]) - 1


def test_the_callers_model_and_input_stay_as_they_were():
    torch.manual_seed(2)
    model, x = random_cnn(nn.MaxPool2d(2)), torch.randn(1, 2, 7, 6)
    model[1].train()  # a layer that does not mind the mode
    state, modes = {k: v.clone() for k, v in model.state_dict().items()}, [m.training for m in model.modules()]
    before = x.clone()
    answer = exact_integrated_gradients(model, x, target=0)
    for key, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, state[key], rtol=0, atol=0)  # compares dtypes, too
    assert [m.training for m in model.modules()] == modes
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(x, before)
    assert answer.values.dtype == answer.f_input.dtype == answer.pieces[0].dtype == torch.float64


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [2, 20])
def test_units_of_all_layers_that_switch_at_one_place_make_one_kink_of_it(seed, width):
    torch.manual_seed(seed)
    first, second = nn.Linear(1, 20).double(), nn.Linear(20, width, bias=False).double()
    first.bias.data = -0.7 * first.weight.data[:, 0]  # all at alpha = 0.7, up to rounding on either side
    model = nn.Sequential(first, nn.LeakyReLU(), second, nn.ReLU(), nn.Linear(width, 1).double())
    answer = exact_integrated_gradients(model, torch.ones(1, 1).double())
    torch.testing.assert_close(answer.pieces[0], torch.tensor([0, 0.7, 1], dtype=torch.float64), rtol=0, atol=1e-12)


def test_an_input_at_its_baseline_gets_zeros_and_one_piece():
    x = torch.ones(1, 2, 7, 6)
    answer = exact_integrated_gradients(random_cnn(nn.MaxPool2d(2)), x, x, target=0)
    assert not answer.values.any()
    assert answer.pieces[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("wrap", [igteach.logit, nn.Sequential])
def test_a_wrapped_network_gets_the_answer_of_the_network(wrap):
    torch.manual_seed(3)
    model, x = random_cnn(nn.MaxPool2d(2)), torch.randn(1, 2, 7, 6)
    plain, wrapped = (exact_integrated_gradients(f, x, 0.5, target=2) for f in (model, wrap(model)))
    assert torch.equal(plain.values, wrapped.values)
    assert torch.equal(plain.pieces[0], wrapped.pieces[0])


class Written(nn.Module):
    """A network whose middle is a function or a method, as many are written."""

    def __init__(self, middle: Callable[[Tensor], Tensor]):
        super().__init__()
        self.first, self.middle, self.last = nn.Conv2d(2, 3, 2), middle, nn.Sequential(nn.LazyLinear(4), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.flatten(self.middle(self.first(x)), 1))


@pytest.mark.parametrize(
    ("function", "layer"),
    [
        (F.relu, nn.ReLU()),
        (torch.relu, nn.ReLU()),
        (lambda x: x.relu().flatten(2), nn.Sequential(nn.ReLU(), nn.Flatten(2))),
        (lambda x: F.leaky_relu(x, 0.3), nn.LeakyReLU(0.3)),
        (lambda x: F.max_pool2d(x, 3, stride=1, padding=1), nn.MaxPool2d(3, stride=1, padding=1)),
        (lambda x: F.avg_pool2d(x, 3, 2, padding=1), nn.AvgPool2d(3, 2, padding=1)),
        (lambda x: F.adaptive_avg_pool2d(x, 2), nn.AdaptiveAvgPool2d(2)),
    ],
)
def test_a_function_in_a_forward_counts_as_its_layer(function, layer):
    torch.manual_seed(3)
    x, baseline = torch.randn(1, 2, 5, 6), torch.randn(2, 5, 6)
    written = Written(function)
    written(x)
    chain = nn.Sequential(written.first, layer, nn.Flatten(), written.last)
    by_function, by_layer = (exact_integrated_gradients(f, x, baseline, target=2) for f in (written, chain))
    assert torch.equal(by_function.values, by_layer.values)
    assert torch.equal(by_function.pieces[0], by_layer.pieces[0])


def test_the_digits_network_is_complete_to_rounding():
    held_out = load_digits()
    x, y = held_out.x_test[:20], held_out.y_test[:20]
    start = time.perf_counter()
    answer = exact_integrated_gradients(digits.load("cpu"), x, target=y)
    seconds = (time.perf_counter() - start) / len(x)
    worst = answer.relative_residual.max()
    assert worst < 1e-10
    assert answer.evaluations.min() > 100
    low, high = answer.evaluations.aminmax()
    print(f"digits CNN: {low} to {high} pieces, {seconds:.2f} s an example, relative residual {worst:.1e} at most")


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(x).relu()


class Deciding(Residual):
    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if x.sum() > 0 else x


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()), r"Sigmoid, its layer '1'.* Linear, Conv2d"),
        (nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.GELU())), r"GELU, its layer '1\.0'"),
        (Residual(), r"add of several tensors \(as in a residual connection\)"),
        (Deciding(), "Deciding cannot be followed: .*control flow"),
        (igteach.probability(nn.Linear(2, 2)), "probability, which is not piecewise linear"),
        (igteach.logit(igteach.probability(nn.Linear(2, 2))), "probability, which is not piecewise linear"),
        (igteach.toy(lambda x, y: x + y), "model is function"),
    ],
)
def test_a_model_that_is_no_chain_of_known_layers_is_refused_by_name(model, message):
    with pytest.raises(TypeError, match=message):
        exact_integrated_gradients(model, torch.ones(1, 2), target=0)


@pytest.mark.parametrize("at_once", [2**20, 500])
def test_a_path_of_too_many_pieces_stops_at_the_limit_and_says_so(monkeypatch, at_once):
    monkeypatch.setattr(exact, "ELEMENTS_AT_ONCE", at_once)
    torch.manual_seed(5)
    model, x = random_cnn(nn.MaxPool2d(2)), torch.randn(1, 2, 7, 6)
    pieces = exact_integrated_gradients(model, x, target=0).evaluations.item()
    assert exact_integrated_gradients(model, x, target=0, max_pieces=pieces).evaluations == pieces
    with pytest.raises(ValueError, match=f"more than max_pieces={pieces - 1} linear pieces; raise max_pieces"):
        exact_integrated_gradients(model, x, target=0, max_pieces=pieces - 1)


def test_wrong_arguments_are_refused_as_by_the_other_methods():
    model = nn.Sequential(nn.Linear(2, 3), nn.Dropout())
    with pytest.raises(ValueError, match="train mode"):
        exact_integrated_gradients(model, torch.ones(1, 2), target=0)
    with pytest.raises(TypeError, match=r"x is torch\.uint8"):
        exact_integrated_gradients(model.eval(), torch.ones(1, 2, dtype=torch.uint8), target=0)
    with pytest.raises(ValueError, match="target is missing"):
        exact_integrated_gradients(model, torch.ones(1, 2))


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2)).eval()


def sine(*received: Tensor) -> Tensor:
    return torch.sin(7 * received[-1])


def set_forward(f: nn.Module) -> nn.Module:
    original = f[0].forward
    f[0].forward = lambda x: sine(original(x))
    return f


def with_hook(kind: str, place: Callable[[nn.Module], nn.Module], act: Callable[..., object]) -> nn.Module:
    f = igteach.logit(small())
    getattr(place(f), f"register_{kind}")(act)
    return f


class Sine(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(super().forward(x))


HOOKS = {
    "forward": ("forward_hook", lambda module, received, out: sine(out)),
    "pre": ("forward_pre_hook", lambda module, received: (sine(*received),)),
    "backward": ("full_backward_hook", lambda module, grad_in, grad_out: (grad_in[0] * 2,)),
    "backward pre": ("full_backward_pre_hook", lambda module, grad_out: (grad_out[0] * 2,)),
}
PLACES = {
    "layer": lambda f: f.model[2],
    "activation": lambda f: f.model[1],
    "network": lambda f: f.model,
    "wrapper": lambda f: f,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_anywhere_is_refused(place, hook):
    kind, act = HOOKS[hook]
    with pytest.raises(TypeError, match="has hooks, which may change what it computes; remove them"):
        exact_integrated_gradients(with_hook(kind, PLACES[place], act), torch.ones(1, 4), target=1)


def test_a_hook_on_every_module_is_refused():
    handle = nn.modules.module.register_module_forward_hook(lambda module, received, out: None)
    try:
        with pytest.raises(TypeError, match="has hooks"):
            exact_integrated_gradients(small(), torch.ones(1, 4), target=1)
    finally:
        handle.remove()


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda: set_forward(small()), "Linear in it has a forward of its own"),
        (lambda: nn.Sequential(Sine(4, 2)), "model uses '0.weight' outside of a layer of a known kind"),
        (
            lambda: torch.jit.script(small()),
            "RecursiveScriptModule in it is scripted .* pass the module that it was made",
        ),
        (lambda: torch.jit.trace(small(), torch.ones(1, 4)), "is scripted"),
        (lambda: nn.Sequential(torch.jit.script(small()), nn.Linear(2, 1)), "is scripted"),
        (lambda: torch.compile(small()), "OptimizedModule in it is compiled .* pass the module that it was made from"),
        (lambda: nn.Sequential(torch.compile(small())), "is compiled"),
        (lambda: nn.Sequential(nn.Linear(4, 1), nn.Flatten(0), nn.ReLU()), "model uses Flatten, its layer '1'"),
    ],
)
def test_what_hides_its_layers_is_refused_and_told_why(f, message):
    with pytest.raises(TypeError, match=message):
        exact_integrated_gradients(f(), torch.ones(1, 4), target=1)


def test_a_subclass_that_computes_what_its_class_does_is_taken():
    class Named(nn.Linear):
        pass

    f = small()
    expected = exact_integrated_gradients(f, torch.ones(1, 4), target=1).values
    named = Named(4, 6)
    named.load_state_dict(f[0].state_dict())
    f[0] = named
    assert torch.equal(exact_integrated_gradients(f, torch.ones(1, 4), target=1).values, expected)


def pruned(layer: nn.Module) -> None:
    nn.utils.prune.l1_unstructured(layer, "weight", 0.3)
    nn.utils.prune.random_unstructured(layer, "weight", 2)
    nn.utils.prune.l1_unstructured(layer, "bias", 1)


NORMALISED = {
    "old weight norm": nn.utils.weight_norm,
    "old spectral norm": nn.utils.spectral_norm,
    "weight norm": nn.utils.parametrizations.weight_norm,
    "spectral norm": nn.utils.parametrizations.spectral_norm,
    "orthogonal": nn.utils.parametrizations.orthogonal,
    "pruning": pruned,
}


@pytest.mark.parametrize("name", NORMALISED)
def test_weights_made_of_others_are_followed_and_stay_as_they_were(name):
    f, x = small(), torch.randn(2, 4)
    NORMALISED[name](f[2])
    f.train()(x)
    f.eval()(x)  # leaves results of autograd in the module
    state, kinds = copy.deepcopy(f.state_dict()), [type(module) for module in f.modules()]
    answer = exact_integrated_gradients(f, x, target=1)
    dense = igteach.integrated_gradients(f, x, target=1, steps=2000)
    torch.testing.assert_close(answer.values.float(), dense.values, rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(answer.f_input.float(), f(x)[:, 1], rtol=1e-5, atol=1e-6)
    assert answer.relative_residual.max() < 1e-10
    assert [type(module) for module in f.modules()] == kinds
    assert all(torch.equal(state[key], value) for key, value in f.state_dict().items())
    assert f(x).requires_grad


@pytest.mark.parametrize("norm", [nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm])
def test_spectral_norm_in_train_mode_is_told_to_leave_it(norm):
    f = small()
    norm(f[2])
    buffers = [each.clone() for each in f.buffers()]
    with pytest.raises(ValueError, match=r"behaves differently there; call .eval\(\) on f"):
        igteach.gradient(f.train(), torch.ones(1, 4), target=1)
    assert all(map(torch.equal, buffers, f.buffers()))


def test_a_hook_of_another_thread_is_none():
    f = small()
    expected = exact_integrated_gradients(f, torch.ones(1, 4), target=1).values
    hook = plain_modules.ThreadHook(lambda received, out: sine(out))
    hook.owner = -1
    f[0].register_forward_hook(hook)
    assert torch.equal(exact_integrated_gradients(f, torch.ones(1, 4), target=1).values, expected)


def test_tracing_leaves_the_calls_of_other_threads_alone():
    """A forward that runs another thread, in which another network is called, while it is traced."""
    other, results = nn.Sequential(nn.Linear(4, 2)), list[Tensor]()

    class Waits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            thread = threading.Thread(target=lambda: results.append(other(torch.ones(1, 4))))
            thread.start()
            thread.join()
            return self.layer(x)

    before = nn.Module.__call__
    exact_integrated_gradients(Waits(), torch.ones(1, 4), target=1)
    assert nn.Module.__call__ is before
    assert results
    assert all(isinstance(result, Tensor) for result in results)
