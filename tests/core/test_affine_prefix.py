"""The affine prefix gives the plain answer and as honest an estimate, in fewer passes; it is never made up."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from igteach import integrated_gradients, logit, path_gradients, probability
from igteach.core import affine_prefix
from igteach.core.integration import BATCHES_ADMITTED
from igteach.core.profiling import peak_bytes
from igteach.core.quadrature import RULES
from igteach.methods import integrated_gradients as module
from igteach.models import scenes

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from error_estimates import Transformer, cases, measure, summary


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(affine_prefix, "FEWEST_PRODUCTS", 1)


def plainly(monkeypatch, work):
    with monkeypatch.context() as patch:
        patch.setattr(module, "split_model", lambda *_: None)
        return work()


def network(further=0):
    """A prefix of a convolution and, if wanted, a normalisation and a pooling layer; then the rest."""
    torch.manual_seed(0)
    normalisation = nn.BatchNorm2d(4)
    normalisation.running_mean, normalisation.running_var = torch.randn(4), torch.rand(4) + 0.5
    first = nn.Sequential(nn.Conv2d(2, 4, 5, padding=2, stride=2), *[normalisation, nn.AvgPool2d(1)][:further])
    size = 4 * 4 * 4
    tail = nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(size, 3)
    return nn.Sequential(first, *tail).double().eval()


@pytest.mark.sampled(15)
@pytest.mark.parametrize("further", [0, 1, 2])
@pytest.mark.parametrize("wrapper", [logit, probability, lambda f: f], ids=["logit", "probability", "itself"])
@pytest.mark.parametrize("rule", RULES)
def test_the_answer_is_the_plain_one_to_rounding(monkeypatch, rule, wrapper, further):
    f, (x, baseline) = wrapper(network(further)), torch.randn(2, 3, 2, 12, 12).double()
    target = torch.tensor([0, 2, 1])

    def work(batch_size=None):
        return integrated_gradients(f, x, baseline, target, steps=40, rule=rule, batch_size=batch_size)

    assert len(affine_prefix.split_model(f, x).prefix) == 1 + further
    plain = plainly(monkeypatch, work)
    for batch_size in (None, 1, 7, 90):
        torch.testing.assert_close(work(batch_size).values, plain.values, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(work(batch_size).error_estimate, plain.error_estimate, rtol=0.2, atol=0)


@pytest.mark.parametrize("rule", RULES)
def test_up_to_a_jump_for_each_sum_the_estimate_is_nearly_the_plain_one_too(monkeypatch, always, rule):
    f, x = network(), torch.randn(3, 2, 12, 12).double()
    for steps in (4, affine_prefix.SKETCH_SIZE + 1):
        answers = [
            way(lambda n=steps: integrated_gradients(f, x, target=1, steps=n, rule=rule))
            for way in (lambda work: work(), lambda work: plainly(monkeypatch, work))
        ]
        # which jumps are foretold is judged by h in the one, by x in the other
        torch.testing.assert_close(answers[0].error_estimate, answers[1].error_estimate, rtol=0.4, atol=0)


@pytest.fixture(scope="module")
def known():
    return [case for case in cases(seed=4, count=6, dense=4096) if not isinstance(case.f.model, Transformer)]


@pytest.mark.parametrize("rule", RULES)
def test_the_error_is_under_the_estimate_and_the_estimate_at_most_three_times_the_error(always, known, rule):
    assert all(affine_prefix.split_model(case.f, case.x) for case in known)
    under, ratio, _ = summary([measure(case, rule=rule, steps=64) for case in known])
    assert under >= 0.95
    assert ratio <= 3


def test_the_prefix_is_passed_twice_forward_for_the_ends_and_a_few_times_back(monkeypatch):
    f, x = network(), torch.randn(1, 2, 12, 12).double()
    seen, original = [], nn.Conv2d.forward
    monkeypatch.setattr(
        nn.Conv2d, "forward", lambda self, x: seen.append((self.in_channels, len(x))) or original(self, x)
    )
    integrated_gradients(f, x, target=1, steps=100)
    rows = {channels: sum(count for inputs, count in seen if inputs == channels) for channels in (2, 4)}
    assert rows[2] == 2 + 1 + 1 + 3  # both ends; the way back, of the values and of the estimate; F at three points
    assert rows[4] == 100 + 3


def test_a_refined_answer_is_honest_in_the_units_of_x(always, known):
    pairs = [measure(case, tolerance=0.02) for case in known]
    under, ratio, _ = summary(pairs)
    assert under >= 0.95
    assert ratio <= 3
    assert all(estimate <= 0.02 for _, estimate in pairs)


def test_the_scenes_network_has_a_prefix_of_one_convolution():
    model = scenes.load("cpu")
    split = affine_prefix.split_model(probability(model), x := torch.rand(1, 3, 64, 64))
    assert [type(layer) for layer in split.prefix] == [nn.Conv2d]
    with torch.no_grad():
        torch.testing.assert_close(
            split.remainder(split.prefix(x).movedim(1, -1)), probability(model)(x), rtol=1e-5, atol=1e-6
        )


class Sneaky(nn.Sequential):
    def forward(self, x):
        return super().forward(x.abs())


def hooked(model):
    model[0][0].register_forward_hook(lambda *_: None)
    return model


def hooked_wrapper():
    f = probability(network())
    f.register_forward_hook(lambda module, received, out: torch.sin(7 * out))
    return f


def own_forward():
    f = network()
    original = f[0][0].forward
    f[0][0].forward = lambda x: torch.sin(7 * original(x))
    return f


def normalised():
    f = network()
    nn.utils.weight_norm(f[0][0])
    return f


def without_statistics():
    return nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False), network())


@pytest.mark.parametrize(
    "f",
    [
        lambda x: network()(x),
        Sneaky(*network()),
        nn.Sequential(Sneaky(nn.Conv2d(2, 4, 5)), nn.ReLU()),
        hooked(network()),
        hooked_wrapper(),
        own_forward(),
        normalised(),
        nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        nn.Sequential(torch.jit.script(network()), nn.ReLU()),
        torch.compile(network(), backend="eager"),
        without_statistics(),
        nn.Sequential(nn.ReLU(), network()),
        nn.Sequential(nn.Conv2d(2, 4, 1), nn.ReLU()),  # 2 products for an output
    ],
    ids=[
        "function",
        "own forward",
        "own forward inside",
        "hooks",
        "hooks of the wrapper",
        "set forward",
        "weight norm",
        "parametrised",
        "scripted",
        "compiled",
        "statistics",
        "kink first",
        "cheap",
    ],
)
def test_no_prefix_is_seen_where_there_is_none_or_none_that_pays(f):
    assert affine_prefix.split_model(f, torch.zeros(1, 2, 12, 12).double()) is None


def test_no_prefix_in_low_precision():
    x = torch.zeros(1, 2, 12, 12, dtype=torch.bfloat16)
    assert affine_prefix.split_model(network().to(x.dtype), x) is None


def test_a_curved_path_goes_the_plain_way():
    f, x = network(), torch.randn(1, 2, 12, 12).double()
    way = torch.stack([torch.zeros_like(x), x**2, x])
    torch.testing.assert_close(
        path_gradients(f, way, 1, steps=400).residual, torch.zeros(1).double(), rtol=0, atol=1e-3
    )


def test_a_rest_that_works_in_place_and_parameters_are_left_as_they_were():
    f = network()
    f[1].inplace = True
    x = torch.randn(2, 2, 12, 12).double()
    before = x.clone()
    expected = integrated_gradients(network(), x, target=1).values
    torch.testing.assert_close(integrated_gradients(f, x, target=1).values, expected)
    assert torch.equal(x, before)
    assert all(p.requires_grad and p.grad is None for p in f.parameters())


@pytest.mark.long
@pytest.mark.sampled(1)
@pytest.mark.parametrize("options", [{"steps": 20}, {"tolerance": 0.05}])
def test_memory_beyond_x_and_one_result_does_not_grow_with_the_batch(options):
    torch.manual_seed(0)
    f = nn.Sequential(nn.Linear(64, 2048), nn.Tanh(), nn.Linear(2048, 1))

    def beyond(batch):
        x = torch.randn(batch, 64)
        return peak_bytes(lambda: integrated_gradients(f, x, batch_size=16, **options)) - x.nbytes

    assert affine_prefix.split_model(f, torch.zeros(1, 64))
    full = beyond(16 * BATCHES_ADMITTED)
    assert beyond(32 * BATCHES_ADMITTED) < 1.05 * full


def agree(f, x, **options):
    """Whether the answer is that of the same function, whose layers cannot be seen."""
    seen, unseen = (integrated_gradients(each, x, steps=16, **options) for each in (f, lambda rows: f(rows)))
    torch.testing.assert_close(seen.values, unseen.values, rtol=1e-9, atol=1e-12)


class View(nn.Module):
    def forward(self, x):
        return x.view(len(x), -1)


class Turned(nn.Module):
    """Takes its input in pairs, which `view_as_complex` wants side by side in memory."""

    def forward(self, x):
        return torch.view_as_complex(x.unflatten(-1, (-1, 2))).abs().flatten(1)


@pytest.mark.parametrize("last", [nn.Flatten, View, Turned])
@pytest.mark.parametrize("wrapper", [probability, lambda f: f], ids=["probability", "itself"])
def test_what_comes_next_may_view_its_input_in_any_way(wrapper, last):
    torch.manual_seed(0)
    behind = {Turned: 192}.get(last, 384)
    f = nn.Sequential(nn.Conv2d(3, 6, 5), nn.Tanh(), last(), nn.Linear(behind, 3)).double()
    f, x = wrapper(f), torch.randn(2, 3, 12, 12).double()
    assert affine_prefix.split_model(f, x)
    agree(f, x, target=1)
    agree(f, x.to(memory_format=torch.channels_last), target=1)


def test_an_error_of_f_itself_is_not_tried_again():
    calls = []

    class Fails(nn.Module):
        def forward(self, x):
            if torch.is_grad_enabled():
                calls.append(1)
                raise RuntimeError("of f itself")
            return x

    f = nn.Sequential(nn.Linear(64, 8), Fails(), nn.Linear(8, 1))
    with pytest.raises(RuntimeError, match="of f itself"):
        integrated_gradients(f, torch.ones(1, 64))
    assert len(calls) == 1


def test_layers_that_come_twice_are_passed_twice():
    torch.manual_seed(0)
    layer, act = nn.Linear(64, 64), nn.ReLU()
    f = nn.Sequential(layer, layer, act, nn.Linear(64, 64), act, nn.Linear(64, 2)).double()
    x = torch.randn(2, 64).double()
    assert len(affine_prefix.split_model(f, x).prefix) == 2
    agree(f, x, target=1)


def test_a_flatten_of_the_rows_is_no_part_of_the_prefix():
    torch.manual_seed(0)
    f = nn.Sequential(nn.Linear(64, 1), nn.Flatten(0), nn.Sigmoid()).double()
    agree(f, torch.randn(3, 64).double())


@pytest.mark.parametrize("change", [hooked_wrapper, own_forward, normalised], ids=lambda change: change.__name__)
def test_hooks_and_set_forwards_count(change):
    agree(change(), torch.randn(2, 2, 12, 12).double(), target=1)


def test_global_hooks_count():
    f, x = network(), torch.randn(2, 2, 12, 12).double()

    def hook(module, received, out):
        return torch.sin(3 * out) if isinstance(module, nn.Conv2d) else None

    handle = nn.modules.module.register_module_forward_hook(hook)
    try:
        agree(f, x, target=1)
    finally:
        handle.remove()


def test_rows_that_depend_on_one_another_behind_the_prefix_are_told_so():
    class Mixes(nn.Module):
        def forward(self, x):
            return x - x.mean(0)

    f = nn.Sequential(nn.Linear(64, 4), nn.Tanh(), Mixes(), nn.Linear(4, 1))
    with pytest.raises(ValueError, match="f must treat each row independently"):
        integrated_gradients(f, torch.randn(2, 64))
