"""Networks small enough to do by hand, and the cases that each axiom is put to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.validation import check_arguments, default_batch_size

EXACT = 1e-3  # where only rounding is left


class Formula(nn.Module):
    """F from a function of columns, as one layer: Formula(lambda x, y: x * y) takes (N, 2) and returns (N,)."""

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(*x.unbind(1))


class Combination(nn.Module):
    """af + bg of two functions, mixed by a layer, so that methods that go layer by layer can take it.

    like: a tensor of the dtype and device that f and g work in.
    """

    def __init__(self, a: float, f: Function, b: float, g: Function, like: Tensor):
        super().__init__()
        self.f, self.g, self.mix = f, g, network([[a, b]], [0]).to(like)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.f(x), self.g(x)
        if one.shape != other.shape:
            raise ValueError(f"f returns shape {tuple(one.shape)}, g {tuple(other.shape)}; make them alike")
        return self.mix(torch.stack([one, other], dim=-1)).squeeze(-1)


def network(*weights_and_biases: list) -> nn.Sequential:
    """Linear layers of the weights and biases given, in turn, with a ReLU between any two."""
    layers: list[nn.Module] = []
    for weights, biases in zip(weights_and_biases[::2], weights_and_biases[1::2], strict=True):
        layer = nn.utils.skip_init(nn.Linear, len(weights[0]), len(weights), dtype=torch.float32)  # draws no numbers
        layer.load_state_dict({"weight": torch.tensor(weights), "bias": torch.tensor(biases)})
        layers += [nn.ReLU(), layer]
    return nn.Sequential(*layers[1:]).requires_grad_(False)


IDENTITY = [[1, 0], [0, 1]]
SATURATING = network([[-1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x): at 2 against 0 its gradient is 0
EITHER = network([[-1, -1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x - y): one of the two is enough
MIN_X_FIRST = network([[1, 0], [-1, 0], [1, -1]], [0, 0, 0], [[1, -1, -1]], [0])  # min(x, y) as x - ReLU(x - y)
MIN_Y_FIRST = network([[0, 1], [0, -1], [-1, 1]], [0, 0, 0], [[1, -1, -1]], [0])  # min(x, y) as y - ReLU(y - x)
PAPER_F = nn.Sequential(*network(IDENTITY, [0, 0], [[1, -1]], [-1]), nn.ReLU())  # ReLU(ReLU(x) - 1 - ReLU(y))
PAPER_G = nn.Sequential(*network(IDENTITY, [-1, 0], [[1, -1]], [0]), nn.ReLU())  # ReLU(ReLU(x - 1) - ReLU(y))
TWICE = network([[1, 0], [0, 1], [0, 1]], [0, 0, 0], [[1, 1, -1]], [0])  # ReLU(x) + ReLU(y) - ReLU(y)
F_MINUS_G = network(  # PAPER_F - PAPER_G + ReLU(z): whatever x and y
    [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]],
    [0, 0, -1, 0],
    [[1, -1, 0, 0], [0, -1, 1, 0], [0, 0, 0, 1]],
    [-1, 0, 0],
    [[1, -1, 1]],
    [0],
)
XY = Formula(lambda x, y: x * y)
XY_PLUS_Z = Formula(lambda x, y, z: x * y + z)


@dataclass(frozen=True)
class Case:
    """What an axiom puts to a method: F, an input and a baseline, and what else the axiom speaks of.

    x, baseline  (batch, *features)
    target       (batch,) or None
    other        the second function, of an axiom about two
    features     those that the axiom names, as indices into the flattened features
    """

    name: str
    f: Function
    x: Tensor
    baseline: Tensor
    target: Tensor | None = None
    other: Any = None
    features: tuple[int, ...] = ()

    def scores(self, points: Tensor, f: Function | None = None) -> Tensor:
        """F, or f, at the points (k * batch, *features): (k * batch,), float64 on the CPU."""
        target = None if self.target is None else self.target.repeat(len(points) // len(self.x))
        return forward_batched(f or self.f, points, target, default_batch_size(points, None)).cpu().double()

    def between(self) -> Tensor:
        """32 random points an example in the box between baseline and x, always the same: (32 * batch, *features)."""
        shares = torch.rand((32, *self.x.shape), generator=torch.Generator().manual_seed(0))
        return (self.baseline + shares.to(self.x) * (self.x - self.baseline)).flatten(0, 1)

    def check_equal(self, claim: str, other: Function, there: Tensor) -> None:
        """Raise ValueError unless `other` at the points `there` equals F at the points between."""
        points = self.between()
        one, two = self.scores(points), self.scores(there.view_as(points), other)
        n = int((one - two).abs().argmax())
        if (one - two).abs()[n] > EXACT * one.abs().max():
            received = f"{rounded(one[n])} against {rounded(two[n])} near {rounded(points[n])}"
            raise ValueError(f"you say that {claim}, but it does not hold: {received}")


def rounded(numbers: Tensor) -> str:
    """One number or a few, to three digits; what is below a millionth is 0."""
    if numbers.numel() > 8:
        return f"an input of shape {tuple(numbers.shape)}"
    texts = ["0" if abs(number) < 1e-6 else f"{number:.3g}" for number in numbers.flatten().tolist()]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def case(name: str, f: Function, x: list, baseline: list | None = None, **more: Any) -> Case:
    """A case of one example, its features as a list; without a baseline, that is zeros."""
    start = [0] * len(x) if baseline is None else baseline
    return Case(name, f, torch.tensor([x]).float(), torch.tensor([start]).float(), **more)


CASES = {
    "completeness": [
        case("1 - ReLU(1 - x)", SATURATING, [2]),
        case("1 - ReLU(1 - x - y)", EITHER, [2, 2]),
        case("min(x, y)", MIN_X_FIRST, [1, 3]),
        case("ReLU(ReLU(x) - 1 - ReLU(y))", PAPER_F, [3, 1]),
        case("ReLU(ReLU(x - 1) - ReLU(y))", PAPER_G, [3, 1]),
        case("2x - 3y", network([[2, -3]], [0]), [1, 2], [3, 1]),
        case("xy + z", XY_PLUS_Z, [1, 1, 1]),
    ],
    "sensitivity_a": [
        case("1 - ReLU(1 - x)", SATURATING, [2]),
        case("ReLU(x)", network([[1]], [0], [[1]], [0]), [-1], [1]),
        case("sigmoid(x)", nn.Sequential(nn.Sigmoid()), [10], [-10]),
        case("ReLU(ReLU(x) - 1 - ReLU(y))", PAPER_F, [3, 1], [3, 3]),
        case("xy + z", XY_PLUS_Z, [1, 1, 1], [1, 0, 1]),
    ],
    "sensitivity_b": [
        case("xy, whatever z", Formula(lambda x, y, z: x * y), [2, 1, 1], features=(2,)),
        case("ReLU(x) + ReLU(y) - ReLU(y)", TWICE, [2, 1], features=(1,)),
        case("f(x, y) - g(x, y) + ReLU(z) with the paper's f = g", F_MINUS_G, [3, 1, 1], features=(0,)),
    ],
    "implementation_invariance": [
        case("ReLU(ReLU(x) - 1 - ReLU(y)) = ReLU(ReLU(x - 1) - ReLU(y))", PAPER_F, [3, 1], other=PAPER_G),
        case("min(x, y) = x - ReLU(x - y) = y - ReLU(y - x)", MIN_X_FIRST, [1, 3], other=MIN_Y_FIRST),
        case(
            "xy = ((x + y)^2 - (x - y)^2) / 4",
            XY,
            [2, 1],
            other=Formula(lambda x, y: ((x + y) ** 2 - (x - y) ** 2) / 4),
        ),
    ],
    "linearity": [
        case("f = ReLU(ReLU(x) - 1 - ReLU(y)), g = min(x, y)", PAPER_F, [3, 1], other=MIN_X_FIRST),
        case("f = 1 - ReLU(1 - x), g = 2x", SATURATING, [2], other=network([[2]], [0])),
        case("f = xy, g = x^2 - y", XY, [2, 1], other=Formula(lambda x, y: x**2 - y)),
    ],
    "symmetry": [
        case("xy + z", XY_PLUS_Z, [1, 1, 1], features=(0, 1)),
        case("1 - ReLU(1 - x - y)", EITHER, [2, 2], features=(0, 1)),
    ],
}


Net = Function | None  # what is given of a case of your own, if anything
Input = Tensor | None


def own_case(f: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None) -> list[Case]:
    """A case of your own, its arguments those of a method; an empty list where none is given."""
    return _own(f, x, baseline, target)


def own_pair_of_functions(
    f: Net = None, g: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None
) -> list[Case]:
    """A case of your own with a second function g."""
    return _own(f, x, baseline, target, other=g)


def own_dummy(
    f: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None, dummy: int | None = None
) -> list[Case]:
    """A case of your own with a feature, dummy, that F does not depend on."""
    return _own(f, x, baseline, target, features=None if dummy is None else (dummy,))


def own_pair_of_features(
    f: Net = None,
    x: Input = None,
    baseline: Baseline = None,
    target: Target = None,
    pair: tuple[int, int] | None = None,
) -> list[Case]:
    """A case of your own with a pair of features that F treats alike."""
    return _own(f, x, baseline, target, features=pair)


def _own(f: Net, x: Input, baseline: Baseline, target: Target, **more: Any) -> list[Case]:
    """TypeError where a part is missing, ValueError where a feature is none of x's, and those of check_arguments."""
    if all(given is None for given in (f, x, baseline, target, *more.values())):
        return []
    if f is None or x is None or None in more.values():
        raise TypeError(f"a case of your own needs {', '.join(['f', 'x', *more])}; one of them is missing")
    x, baseline, target = check_arguments(f, x, baseline, target)
    for i in more.get("features", ()):
        if not 0 <= i < x[0].numel():
            raise ValueError(f"feature {i} was named, but x has {x[0].numel()} features, which count from 0")
    return [Case("your function", f, x, baseline, target, **more)]
