"""Networks small enough to work out by hand, and the cases on which each axiom is checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core.evaluation import forward_batched
from igteach.core.functions import Baseline, Function, Target
from igteach.core.per_row import PerRow
from igteach.core.validation import check_arguments, default_batch_size

ROUNDING_TOLERANCE = 1e-3  # for claims that hold exactly, but for rounding
NUM_POINTS = 32  # random points for each example, at which two functions are compared
SHOWN_AT_MOST = 8  # numbers that `rounded` writes out
SHOWN_AS_ZERO = 1e-6  # `rounded` writes 0 for anything smaller

Rows = Sequence[Sequence[float]]  # a matrix of weights, row by row


class Formula(nn.Module):
    """F from a function of columns, as one layer.

    Args:
        function: takes one tensor (N,) for each feature, returns (N,).

    Example:
        >>> import torch
        >>> product = Formula(lambda x, y: x * y)
        >>> product(torch.tensor([[2.0, 3.0], [4.0, 5.0]])).tolist()
        [6.0, 20.0]
    """

    def __init__(self, function: Callable[..., Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """F at each row of x (N, features): (N,)."""
        return self.function(*x.unbind(1))


class Combination(nn.Module):
    """The function a f + b g, mixed by a linear layer, so that methods that go layer by layer can take it.

    Args:
        a: the factor of f.
        f: the first function.
        b: the factor of g.
        g: the second function; its output has the shape of f's.
        like: a tensor of the dtype and on the device that f and g work in.

    Raises:
        ValueError: when called, if f and g return different shapes.

    Example:
        >>> import torch
        >>> double, square = Formula(lambda x: 2 * x), Formula(lambda x: x**2)
        >>> x = torch.tensor([[3.0]])
        >>> Combination(2.0, double, -3.0, square, like=x)(x).tolist()
        [-15.0]
    """

    def __init__(self, a: float, f: Function, b: float, g: Function, like: Tensor):
        super().__init__()
        self.f = f
        self.g = g
        self.mix = network([[a, b]], [0]).to(like)

    def forward(self, x: Tensor) -> Tensor:
        """a f + b g at each row of x (N, *features), in the shape that f and g return."""
        f_values, g_values = self.f(x), self.g(x)
        if f_values.shape != g_values.shape:
            raise ValueError(
                f"f returns shape {tuple(f_values.shape)}, g {tuple(g_values.shape)}; make them return the same shape"
            )
        mixed: Tensor = self.mix(torch.stack([f_values, g_values], dim=-1))
        return mixed.squeeze(-1)


def network(*weights_and_biases: Any) -> nn.Sequential:
    """Linear layers with a ReLU between each two, made of weights that are written out.

    Args:
        *weights_and_biases: weights (outputs, inputs) and biases (outputs,) of each layer in turn, as lists.

    Returns:
        The network, float32 and frozen. No random number is drawn.

    Example:
        >>> import torch
        >>> saturating = network([[-1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x)
        >>> saturating(torch.tensor([[0.5], [2.0]])).tolist()
        [[0.5], [1.0]]
    """
    layers: list[nn.Module] = []
    for weights, biases in zip(weights_and_biases[::2], weights_and_biases[1::2], strict=True):
        if layers:
            layers.append(nn.ReLU())
        layers.append(_linear(weights, biases))
    return nn.Sequential(*layers).requires_grad_(False)


def _linear(weights: Rows, biases: Sequence[float]) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights), device="meta", dtype=torch.float32)  # draws no random numbers
    layer = layer.to_empty(device="cpu")
    layer.load_state_dict({"weight": torch.tensor(weights, device="cpu"), "bias": torch.tensor(biases, device="cpu")})
    return layer


IDENTITY = [[1, 0], [0, 1]]
SATURATING = network([[-1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x): at 2, with baseline 0, its gradient is 0
EITHER = network([[-1, -1]], [1], [[-1]], [1])  # 1 - ReLU(1 - x - y): one of the two is enough
MIN_X_FIRST = network([[1, 0], [-1, 0], [1, -1]], [0, 0, 0], [[1, -1, -1]], [0])  # min(x, y) as x - ReLU(x - y)
MIN_Y_FIRST = network([[0, 1], [0, -1], [-1, 1]], [0, 0, 0], [[1, -1, -1]], [0])  # min(x, y) as y - ReLU(y - x)
PAPER_F = nn.Sequential(*network(IDENTITY, [0, 0], [[1, -1]], [-1]), nn.ReLU())  # ReLU(ReLU(x) - 1 - ReLU(y))
PAPER_G = nn.Sequential(*network(IDENTITY, [-1, 0], [[1, -1]], [0]), nn.ReLU())  # ReLU(ReLU(x - 1) - ReLU(y))
TWICE = network([[1, 0], [0, 1], [0, 1]], [0, 0, 0], [[1, 1, -1]], [0])  # ReLU(x) + ReLU(y) - ReLU(y)
F_MINUS_G = network(  # PAPER_F - PAPER_G + ReLU(z), which depends on z alone
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
    """What an axiom is checked on: F, an input and a baseline, and whatever else the axiom is about.

    Attributes:
        name: how a counterexample calls the case.
        f: F.
        x: (batch, *features).
        baseline: (batch, *features).
        target: (batch,), or None.
        g: the second function, for an axiom about two of them.
        dummy: the feature that F does not depend on, as an index into the flattened features.
        pair: two features that F treats alike, as indices into the flattened features.
    """

    name: str
    f: Function
    x: Tensor
    baseline: Tensor
    target: Tensor | None = None
    g: Function | None = None
    dummy: int | None = None
    pair: tuple[int, int] | None = None

    def forward(self, points: Tensor, f: Function | None = None) -> Tensor:
        """A function at points in the neighbourhood of the case.

        Args:
            points: (k * batch, *features); row n belongs to example n modulo batch, and has its target.
            f: the function; None is the case's own.

        Returns:
            (k * batch,), float64, on the CPU.
        """
        function = self.f if f is None else f
        per_row = PerRow(self.target).repeat(len(points) // len(self.x))
        return forward_batched(function, points, per_row, default_batch_size(points, None)).cpu().double()

    def random_points(self) -> Tensor:
        """The same 32 random points per example in the box between baseline and x: (32 * batch, *features)."""
        random = torch.Generator().manual_seed(0)
        alphas = torch.rand((NUM_POINTS, *self.x.shape), generator=random, device="cpu").to(self.x)
        return (self.baseline + alphas * (self.x - self.baseline)).flatten(0, 1)

    def check_same_values(self, claim: str, g: Function, points: Tensor) -> None:
        """Check a claim about F that the caller made: g at `points` equals F at the random points.

        Args:
            claim: the claim in words, for the message.
            g: a function.
            points: as many as `random_points` gives, in any shape.

        Raises:
            ValueError: if the values differ by more than rounding.
        """
        random_points = self.random_points()
        expected = self.forward(random_points)
        values = self.forward(points.view_as(random_points), g)
        difference = (expected - values).abs()
        worst = int(difference.argmax())
        if difference[worst] > ROUNDING_TOLERANCE * expected.abs().max():
            values_there = f"{rounded(expected[worst])} against {rounded(values[worst])}"
            raise ValueError(
                f"you say that {claim}, but it does not hold: {values_there} near {rounded(random_points[worst])}"
            )


def rounded(numbers: Tensor) -> str:
    """A few numbers as text.

    Args:
        numbers: of any shape.

    Returns:
        One number, or several in brackets, to three digits; the shape alone for more than 8.

    Example:
        >>> import torch
        >>> rounded(torch.tensor([2 / 3, 1e-9]))
        '(0.667, 0)'
        >>> rounded(torch.zeros(1, 8, 8))
        'an input of shape (1, 8, 8)'
    """
    if numbers.numel() > SHOWN_AT_MOST:
        return f"an input of shape {tuple(numbers.shape)}"
    texts = []
    for number in numbers.flatten().tolist():
        texts.append("0" if abs(number) < SHOWN_AS_ZERO else f"{number:.3g}")
    if len(texts) == 1:
        return texts[0]
    return f"({', '.join(texts)})"


def make_case(
    name: str, f: Function, x: Sequence[float], baseline: Sequence[float] | None = None, **about: Any
) -> Case:
    """A case of one example.

    Args:
        name: how a counterexample calls the case.
        f: F.
        x: the features of the example.
        baseline: the features of its baseline; None is zeros.
        **about: the fields of `Case` that the axiom needs besides: g, dummy or pair.

    Returns:
        The case, in float32.
    """
    if baseline is None:
        baseline = [0] * len(x)
    return Case(
        name, f, torch.tensor([x], device="cpu").float(), torch.tensor([baseline], device="cpu").float(), **about
    )


CASES = {
    "completeness": [
        make_case("1 - ReLU(1 - x)", SATURATING, [2]),
        make_case("1 - ReLU(1 - x - y)", EITHER, [2, 2]),
        make_case("min(x, y)", MIN_X_FIRST, [1, 3]),
        make_case("ReLU(ReLU(x) - 1 - ReLU(y))", PAPER_F, [3, 1]),
        make_case("ReLU(ReLU(x - 1) - ReLU(y))", PAPER_G, [3, 1]),
        make_case("2x - 3y", network([[2, -3]], [0]), [1, 2], [3, 1]),
        make_case("xy + z", XY_PLUS_Z, [1, 1, 1]),
    ],
    "sensitivity_a": [
        make_case("1 - ReLU(1 - x)", SATURATING, [2]),
        make_case("ReLU(x)", network([[1]], [0], [[1]], [0]), [-1], [1]),
        make_case("sigmoid(x)", nn.Sequential(nn.Sigmoid()), [10], [-10]),
        make_case("ReLU(ReLU(x) - 1 - ReLU(y))", PAPER_F, [3, 1], [3, 3]),
        make_case("xy + z", XY_PLUS_Z, [1, 1, 1], [1, 0, 1]),
    ],
    "sensitivity_b": [
        make_case("xy, whatever z", Formula(lambda x, y, z: x * y), [2, 1, 1], dummy=2),
        make_case("ReLU(x) + ReLU(y) - ReLU(y)", TWICE, [2, 1], dummy=1),
        make_case("f(x, y) - g(x, y) + ReLU(z) with the paper's f = g", F_MINUS_G, [3, 1, 1], dummy=0),
    ],
    "implementation_invariance": [
        make_case("ReLU(ReLU(x) - 1 - ReLU(y)) = ReLU(ReLU(x - 1) - ReLU(y))", PAPER_F, [3, 1], g=PAPER_G),
        make_case("min(x, y) = x - ReLU(x - y) = y - ReLU(y - x)", MIN_X_FIRST, [1, 3], g=MIN_Y_FIRST),
        make_case(
            "xy = ((x + y)^2 - (x - y)^2) / 4", XY, [2, 1], g=Formula(lambda x, y: ((x + y) ** 2 - (x - y) ** 2) / 4)
        ),
    ],
    "linearity": [
        make_case("f = ReLU(ReLU(x) - 1 - ReLU(y)), g = min(x, y)", PAPER_F, [3, 1], g=MIN_X_FIRST),
        make_case("f = 1 - ReLU(1 - x), g = 2x", SATURATING, [2], g=network([[2]], [0])),
        make_case("f = xy, g = x^2 - y", XY, [2, 1], g=Formula(lambda x, y: x**2 - y)),
    ],
    "symmetry": [
        make_case("xy + z", XY_PLUS_Z, [1, 1, 1], pair=(0, 1)),
        make_case("1 - ReLU(1 - x - y)", EITHER, [2, 2], pair=(0, 1)),
    ],
}


def own_case(f: Function | None, x: Tensor | None, baseline: Baseline, target: Target, **about: Any) -> Case | None:
    """The case that the caller of a check passed along, if any.

    Args:
        f: F.
        x: (batch, *features), floating point.
        baseline: a number, or broadcasts to x; None is zeros.
        target: an int, (batch,), or None.
        **about: what the axiom needs besides, by the name of the argument: g, dummy or pair.

    Returns:
        The case, or None if every argument is None.

    Raises:
        TypeError: if an argument that the axiom needs is missing, or as `check_arguments`.
        ValueError: if x has no such feature, or as `check_arguments`.
    """
    if all(argument is None for argument in (f, x, baseline, target, *about.values())):
        return None
    if f is None or x is None or any(argument is None for argument in about.values()):
        raise TypeError(f"a case of your own needs {', '.join(['f', 'x', *about])}; one of them is missing")
    x, baseline, per_row = check_arguments(f, x, baseline, target)
    case = Case("your function", f, x, baseline, per_row.target, **about)
    features = list(case.pair or ())
    if case.dummy is not None:
        features.append(case.dummy)
    for feature in features:
        if not 0 <= feature < x[0].numel():
            raise ValueError(f"feature {feature} was named, but x has {x[0].numel()} features, which count from 0")
    return case
