"""Networks drawn from a grammar: every method that takes one gives what a plain autograd loop gives.

`make test` draws 40 networks, `make ci` 300, `make release` 2,000, and 3 compiled ones in the last two. One seed again:

    IGTEACH_NETWORK=1234 python -m pytest tests/methods/test_random_networks.py -k one_network
"""

import os
import shutil
import sys
import warnings
from collections.abc import Callable
from functools import partial
from itertools import combinations
from math import comb
from pathlib import Path

import captum.attr
import pytest
import torch
from torch import Tensor, nn

import igteach
from igteach import captum_methods
from igteach.core import affine_prefix
from igteach.methods.guided import guided_path

sys.path.insert(0, str(Path(__file__).parent))
from random_networks import Case, draw

STEPS, FINE = 6, 300
PEERS = {
    "deep_lift": captum.attr.DeepLift,
    "guided_backprop": captum.attr.GuidedBackprop,
    "deconvolution": captum.attr.Deconvolution,
}


def value(case: Case, points: Tensor) -> Tensor:
    out = case.f(points.clone())
    return out if out.dim() == 1 else out[:, case.target or 0]


def grad(case: Case, points: Tensor) -> Tensor:
    points = points.detach().clone().requires_grad_()
    return torch.autograd.grad(value(case, points).sum(), points)[0]


def between(case: Case, alpha: float) -> Tensor:
    return case.baseline + alpha * (case.x - case.baseline)


def midpoints(steps: int) -> list[float]:
    return [(step + 0.5) / steps for step in range(steps)]


def by_steps(case: Case, steps: int = STEPS) -> Tensor:
    mean = sum(grad(case, between(case, alpha)) for alpha in midpoints(steps)) / steps
    return mean * (case.x - case.baseline)


def smoothed(case: Case) -> Tensor:
    random = torch.Generator().manual_seed(5)
    return sum(grad(case, case.x + 0.1 * torch.randn(case.x.shape, generator=random).to(case.x)) for _ in range(3)) / 3


def along(case: Case, path: Callable[[float], Tensor]) -> Tensor:
    steps = range(STEPS)
    moved = [path((step + 1) / STEPS) - path(step / STEPS) for step in steps]
    return sum(grad(case, path(alpha)) * way for alpha, way in zip(midpoints(STEPS), moved, strict=True))


def polyline(waypoints: Tensor) -> Callable[[float], Tensor]:
    def path(alpha: float) -> Tensor:
        leg = min(int(alpha * (len(waypoints) - 1)), len(waypoints) - 2)
        return torch.lerp(waypoints[leg], waypoints[leg + 1], alpha * (len(waypoints) - 1) - leg)

    return path


def sampled(case: Case, baselines: Tensor, samples: int) -> Tensor:
    random = torch.Generator().manual_seed(2)
    chosen = torch.randint(len(baselines), (samples,), generator=random)
    alphas = torch.rand(samples, generator=random, dtype=torch.float64)
    total = torch.zeros_like(case.x)
    for start, alpha in zip(baselines[chosen], alphas, strict=True):
        total += grad(case, start + alpha * (case.x - start)) * (case.x - start)
    return total / samples


def shapley(case: Case) -> Tensor:
    x, start = case.x.flatten(1), case.baseline.flatten(1)
    n = x.shape[1]

    def of(chosen: set[int]) -> Tensor:
        mask = torch.tensor([feature in chosen for feature in range(n)])
        with torch.no_grad():
            return value(case, torch.where(mask, x, start).view_as(case.x))

    total = torch.zeros_like(x)
    for feature in range(n):
        others = [other for other in range(n) if other != feature]
        for size in range(n):
            for chosen in combinations(others, size):
                total[:, feature] += (of({*chosen, feature}) - of(set(chosen))) / (n * comb(n - 1, size))
    return total.view_as(case.x)


def occluded(case: Case) -> Tensor:
    found = torch.empty_like(case.x).flatten(1)
    with torch.no_grad():
        for feature in range(found.shape[1]):
            points = case.x.clone().flatten(1)
            points[:, feature] = case.baseline.flatten(1)[:, feature]
            found[:, feature] = value(case, case.x) - value(case, points.view_as(case.x))
    return found.view_as(case.x)


def at_layer(case: Case, points: Tensor, put: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The output of the layer at the points, or what is put there, and the gradient by it."""
    kept = []

    def hook(module: nn.Module, received: tuple[Tensor], out: Tensor) -> Tensor:
        kept.append((out if put is None else put).detach().clone().requires_grad_())
        return kept[0].clone()

    handle = case.layer.register_forward_hook(hook)
    try:
        (by_units,) = torch.autograd.grad(value(case, points).sum(), kept)
    finally:
        handle.remove()
    return kept[0].detach(), by_units


def conductance(case: Case) -> Tensor:
    units, slopes = zip(*(at_layer(case, between(case, alpha)) for alpha in midpoints(STEPS)), strict=True)
    inner = [(one + other) / 2 for one, other in zip(units[1:], units, strict=False)]
    edges = [at_layer(case, case.baseline)[0], *inner, at_layer(case, case.x)[0]]
    return sum(slope * (right - left) for slope, right, left in zip(slopes, edges[1:], edges, strict=False))


def layer_path(case: Case) -> Tensor:
    start, end = (at_layer(case, points)[0] for points in (case.baseline, case.x))
    slopes = [at_layer(case, case.x, torch.lerp(start, end, alpha))[1] for alpha in midpoints(STEPS)]
    return sum(slopes) / STEPS * (end - start)


def compare(case: Case) -> None:
    """Every method beside its loop; an AssertionError names the first that differs."""
    f, x, baseline, target = case.f, case.x, case.baseline, case.target
    ask = (f, x, baseline, target)
    squares = torch.stack([baseline, baseline + (x - baseline) ** 2, x])
    guided = guided_path(*ask, legs=3)
    baselines = torch.stack([baseline[0], x[0] / 2])
    ours = {
        "gradient": (igteach.gradient(*ask), grad(case, x)),
        "gradient_times_input": (igteach.gradient_times_input(*ask), grad(case, x) * (x - baseline)),
        "smoothgrad": (igteach.smoothgrad(*ask, stdev=0.1, samples=3, seed=5), smoothed(case)),
        "integrated_gradients": (igteach.integrated_gradients(*ask, steps=STEPS), by_steps(case)),
        "path_gradients": (igteach.path_gradients(f, squares, target, steps=STEPS), along(case, polyline(squares))),
        "guided": (
            igteach.guided_integrated_gradients(*ask, legs=3, steps=STEPS),
            along(case, polyline(guided)),
        ),
        "expected_gradients": (
            igteach.expected_gradients(f, x, baselines, target, samples=4, seed=2),
            sampled(case, baselines, 4),
        ),
    }
    if x[0].numel() <= 6:
        ours["shapley_values"] = igteach.shapley_values(*ask), shapley(case)
        ours["occlusion"] = captum_methods.occlusion(*ask), occluded(case)
    if case.layer is not None and sees(case):
        ours["neuron_conductance"] = igteach.neuron_conductance(f, case.layer, *ask[1:], steps=STEPS), conductance(case)
        ours["layer"] = igteach.layer_integrated_gradients(f, case.layer, *ask[1:], steps=STEPS), layer_path(case)
    for name, (answer, expected) in ours.items():
        torch.testing.assert_close(
            answer.values, expected, rtol=1e-7, atol=1e-9, msg=lambda text, n=name: f"{n}: {text}"
        )
        with torch.no_grad():
            torch.testing.assert_close(answer.f_input, value(case, x), rtol=1e-9, atol=1e-11)
    compare_fine(case)
    compare_with_captum(case)


def sees(case: Case) -> bool:
    """Whether F depends on the layer's output, a tensor of the rows, for autograd."""
    seen = list[Tensor]()
    handle = case.layer.register_forward_hook(lambda module, received, out: seen.append(out))
    try:
        case.f(case.x.clone())
        at_layer(case, case.x)
    except (RuntimeError, IndexError):
        return False
    finally:
        handle.remove()
    return len(seen) == 1 and len(seen[0]) == len(case.x)


def compare_fine(case: Case) -> None:
    """By a tolerance, and exactly where the network is taken, beside many steps."""
    ask = (case.f, case.x, case.baseline, case.target)
    fine = by_steps(case, FINE)
    scale = fine.abs().flatten(1).sum(1)
    answer = igteach.integrated_gradients(*ask, tolerance=0.02)
    distance = (answer.values - fine).abs().flatten(1).sum(1)
    assert (distance <= 0.1 * scale + 1e-6).all(), f"by tolerance: {distance / scale}"
    if not isinstance(case.f, nn.Module):
        return
    try:
        exact = igteach.exact_integrated_gradients(*ask)
    except TypeError:
        return
    distance = (exact.values - fine).abs().flatten(1).sum(1)
    assert (distance <= 0.02 * scale + 1e-6).all(), f"exact: {distance / scale}"
    assert exact.relative_residual.max() < 1e-8, "exact: not complete"


def compare_with_captum(case: Case) -> None:
    if not isinstance(case.f, nn.Module):
        return
    options = {"target": case.target if case.target is not None or case.f(case.x.clone()).dim() == 1 else 0}
    for name, peer in PEERS.items():
        more = {"baselines": case.baseline} if name == "deep_lift" else {}
        by_captum = attempt(partial(theirs, case, peer, options | more))
        answer = attempt(partial(ours_by_captum, case, name))
        if isinstance(answer, NotImplementedError):
            continue
        if isinstance(by_captum, Tensor):
            assert isinstance(answer, Tensor), f"{name}: {answer!r}, and Captum has an answer"
            torch.testing.assert_close(answer, by_captum, rtol=1e-7, atol=1e-9, msg=lambda text, n=name: f"{n}: {text}")


def ours_by_captum(case: Case, name: str) -> Tensor:
    return getattr(captum_methods, name)(case.f, case.x, case.baseline, case.target).values


def theirs(case: Case, peer: type, options: dict[str, object]) -> Tensor:
    return peer(case.f).attribute(case.x.clone().requires_grad_(), **options)


def attempt(work: Callable[[], Tensor]) -> Tensor | Exception:
    """The answer, or what was raised: Captum says in its own words what it cannot take."""
    try:
        return work().detach()
    except Exception as error:
        return error


def check(seed: int) -> None:
    case = draw(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare(case)
    except Exception as error:
        again = f"IGTEACH_NETWORK={seed} python -m pytest {Path(__file__).name} -k one_network"
        raise AssertionError("\n".join([f"network {seed}: {error}", *case.story, again])) from error


def check_all(seeds: range) -> None:
    for seed in seeds:
        check(seed)


@pytest.fixture(autouse=True)
def always_a_prefix(monkeypatch):
    monkeypatch.setattr(affine_prefix, "FEWEST_PRODUCTS", 1)


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_forty_networks_get_what_a_loop_gets(first):
    check_all(range(first, first + 10))


@pytest.mark.long
@pytest.mark.sampled(6)
@pytest.mark.parametrize("first", range(40, 2000, 20))
def test_two_thousand_networks_get_what_a_loop_gets(first):
    check_all(range(first, first + 20))


def test_one_network_gets_what_a_loop_gets():
    check(int(os.environ.get("IGTEACH_NETWORK", "0")))


@pytest.mark.parametrize("seed", [1311, 1708, 1895])
def test_a_network_that_once_failed_gets_what_a_loop_gets(seed):
    """Rows out of order in memory, also with a single channel; logits that came near a sum of one."""
    check(seed)


def test_a_wrong_answer_is_found_and_its_seed_printed(monkeypatch):
    monkeypatch.setattr(affine_prefix, "is_plain", lambda module: True)
    with pytest.raises(AssertionError, match=r"network \d+: .*\n(.*\n)*IGTEACH_NETWORK=\d+ python -m pytest"):
        check_all(range(200))


@pytest.mark.long
@pytest.mark.sampled(1)
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("seed", range(3))
def test_a_compiled_network_gets_what_a_loop_gets(seed):
    torch.manual_seed(seed)
    start = nn.Conv2d(2, 3, 3), nn.Conv2d(2, 3, 3, padding=1), nn.Linear(6, 5)
    act = nn.ReLU(), nn.GELU(), nn.Tanh()
    plain = nn.Sequential(start[seed], act[seed], nn.Flatten(), nn.LazyLinear(3)).double()
    x = torch.randn(2, 2, 6, 6).double()
    plain(x)
    compiled = torch.compile(plain) if seed else igteach.probability(torch.compile(plain))
    case = Case(compiled, x, torch.zeros_like(x), 1, None)
    compare(case)
    plain.compile()
    compare(Case(plain, x, torch.zeros_like(x), 1, None))
