"""The axioms as checks: each takes any method, and answers with a verdict or a counterexample.

A check puts the method to small functions whose truth is known, and to the caller's own where given. Kinks that
lie *along* the straight path are kept out of these: there the gradient does not exist, and no axiom is proved
(MIN_X_FIRST and MIN_Y_FIRST at (1, 1) from 0 show it). A method that cannot take a function raises
NotImplementedError; that case is then reported as not applicable, neither kept nor broken.
Source: Sundararajan, Taly and Yan (2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor, nn

from igteach.attribution import ROUGHLY, SMALLEST_DIFFERENCE, Attribution
from igteach.gradients import rows_at_once, values_at
from igteach.models.toys import (
    EITHER,
    MIN_X_FIRST,
    MIN_Y_FIRST,
    PAPER_F,
    PAPER_G,
    SATURATING,
    XY,
    XY_PLUS_Z,
    Formula,
    network,
)
from igteach.scores import Function, check_arguments

Method = Callable[..., Attribution]
Net = Function | None  # what a check is given of your own case, if anything
Input = Tensor | None
Baseline = Tensor | float | None
Target = int | Tensor | None
Index = int | None
Pair = tuple[int, int] | None
Finding = tuple[Tensor, Callable[[int], tuple[str, str]]]  # gaps (batch,); of one example, what is so and what came

QUADRATURE = ROUGHLY  # where an integral enters: 64 steps are up to 2% off at a kink, and the paper allows 5%
EXACT = 1e-3  # where both sides see the same nodes, and only rounding is left
NOTHING = 1e-3  # of the change in F: a smaller share counts as none
A, B = 2.0, -3.0  # the factors of linearity: of both signs, and their sum is not 1


@dataclass(frozen=True)
class Counterexample:
    """Where a method breaks an axiom: the case, one example of it (features), what is so, and what came."""

    case: str
    x: Tensor
    baseline: Tensor
    expected: str
    came: str

    def __str__(self) -> str:
        where = f"x = {rounded(self.x)} against {rounded(self.baseline)}"
        return f"on {self.case} at {where}: {self.expected}, but {self.came}"


@dataclass(frozen=True)
class AxiomResult:
    """The verdict on one axiom.

    holds           gap <= tolerance; None where the method could be put to no case
    gap             the worst of all cases and examples, in the unit that the check names
    counterexample  of the worst gap; None where the axiom holds
    not_applicable  case -> why the method could not be put to it
    """

    holds: bool | None
    gap: float | None
    tolerance: float
    counterexample: Counterexample | None
    not_applicable: dict[str, str]

    @property
    def verdict(self) -> str:
        """A symbol and a word; a star where some case could not be put."""
        word = {True: "✓ keeps", False: "✗ breaks", None: "- not applicable"}[self.holds]
        return word + "*" * (self.holds is not None and bool(self.not_applicable))

    @property
    def notes(self) -> list[str]:
        """The counterexample and the cases left out, in words."""
        left_out = [f"not put to {case}: {why}" for case, why in self.not_applicable.items()]
        return ([str(self.counterexample)] if self.counterexample else []) + left_out

    def assert_holds(self) -> None:
        """Raise AssertionError, with the counterexample in words, unless the axiom holds."""
        if not self.holds:
            raise AssertionError("; ".join(self.notes))


@dataclass(frozen=True, repr=False)
class AxiomTable:
    """Methods by axioms: `results["IG"]["completeness"]` is an AxiomResult. Prints as text, shows as HTML."""

    results: dict[str, dict[str, AxiomResult]]

    def __repr__(self) -> str:
        rows = [["", *TITLES]] + [[name, *(r.verdict for r in row.values())] for name, row in self.results.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        for name, row in self.results.items():
            for title, result in zip(TITLES, row.values(), strict=True):
                lines += [f"{name}, {title}: {note}" for note in result.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{title}</th>' for title in ("method", *TITLES))
        rows = ""
        for name, row in self.results.items():
            rows += f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_html_cell, row.values()))}</tr>'
        caption = "Which method keeps which axiom (open a verdict for its counterexample; * some cases left out)"
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def axiom_table(methods: dict[str, Method]) -> AxiomTable:
    """Every method put to every axiom, on the built-in cases. Raises as `completeness` does."""
    return AxiomTable({name: {axiom: check(m) for axiom, check in AXIOMS.items()} for name, m in methods.items()})


def completeness(
    method: Method, f: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None
) -> AxiomResult:
    """Whether the shares add up to F(x) - F(x').

    method: method(f, x, baseline=None, target=None) -> Attribution; the other arguments are a case of your own, as
    a method takes it, judged beside the built-in ones. The gap is |residual| over |F(x) - F(x')|, tolerance 5%.
    Raises TypeError or ValueError for a method that returns no Attribution, another shape than x's, or NaN.
    """

    def find(case: Case) -> Finding:
        values, (at_x, at_baseline) = case.values(method), case.ends()
        gaps = Attribution(values, at_x, at_baseline, evaluations=0).relative_residual
        assert gaps is not None
        change, total = at_x - at_baseline, values.sum(1)
        return gaps, lambda n: (f"F changes by {rounded(change[n])}", f"the shares add up to {rounded(total[n])}")

    cases = [
        _case("1 - ReLU(1 - x)", SATURATING, [2]),
        _case("1 - ReLU(1 - x - y)", EITHER, [2, 2]),
        _case("min(x, y)", MIN_X_FIRST, [1, 3]),
        _case("ReLU(ReLU(x) - 1 - ReLU(y))", PAPER_F, [3, 1]),
        _case("ReLU(ReLU(x - 1) - ReLU(y))", PAPER_G, [3, 1]),
        _case("2x - 3y", network([[2, -3]], [0]), [1, 2], [3, 1]),
        _case("xy + z", XY_PLUS_Z, [1, 1, 1]),
    ]
    return _judge(find, cases + _yours(f, x, baseline, target), QUADRATURE)


def sensitivity_a(
    method: Method, f: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None
) -> AxiomResult:
    """Whether a feature that alone differs from the baseline, and changes F, gets a share other than zero.

    The gap is the part of |F(x) - F(x')| that it is not given; only nothing (under a thousandth) breaks the axiom.
    Arguments and errors as for `completeness`; in your own case x and baseline differ in one feature, and F differs.
    """

    def find(case: Case) -> Finding:
        at_x, at_baseline = case.ends()
        change, moved = at_x - at_baseline, (case.x != case.baseline).flatten(1).cpu()
        if (moved.sum(1) != 1).any():
            raise ValueError(f"x and baseline differ in {moved.sum(1).tolist()} features; make it one feature a row")
        if (change.abs() <= SMALLEST_DIFFERENCE * at_x.abs()).any():
            raise ValueError("F is the same at x and at the baseline, where this axiom asks nothing; pass another x")
        share = case.values(method)[moved]
        gaps = 1 - (share / change).abs().clamp_max(1)
        return gaps, lambda n: (f"F changes by {rounded(change[n])}", f"the feature gets {rounded(share[n])}")

    cases = [
        _case("1 - ReLU(1 - x)", SATURATING, [2]),
        _case("ReLU(x)", network([[1]], [0], [[1]], [0]), [-1], [1]),
        _case("sigmoid(x)", nn.Sequential(nn.Sigmoid()), [10], [-10]),
        _case("ReLU(ReLU(x) - 1 - ReLU(y))", PAPER_F, [3, 1], [3, 3]),
        _case("xy + z", XY_PLUS_Z, [1, 1, 1], [1, 0, 1]),
    ]
    return _judge(find, cases + _yours(f, x, baseline, target), 1 - NOTHING)


def sensitivity_b(
    method: Method,
    f: Net = None,
    x: Input = None,
    baseline: Baseline = None,
    target: Target = None,
    dummy: Index = None,
) -> AxiomResult:
    """Whether a feature that F does not depend on (a dummy) gets zero.

    `dummy` is that of your own case, an index into the flattened features; ValueError where F depends on it.
    The gap is its |share| over the mean |share| of a feature. Other arguments and errors as for `completeness`.
    """

    def find(case: Case) -> Finding:
        (i,) = case.features
        nudged = case.points().flatten(1)
        nudged[:, i] += 1
        case.check_equal(f"F does not depend on feature {i}", case.f, nudged.view_as(case.points()))
        values = case.values(method)
        gaps = _ratio(values[:, i].abs(), values.abs().mean(1))
        return gaps, lambda n: (f"F does not depend on feature {i}", f"it gets {rounded(values[n, i])}")

    twice = network([[1, 0], [0, 1], [0, 1]], [0, 0, 0], [[1, 1, -1]], [0])
    first = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]], [0, 0, -1, 0]
    second = [[1, -1, 0, 0], [0, -1, 1, 0], [0, 0, 0, 1]], [-1, 0, 0]
    difference = network(*first, *second, [[1, -1, 1]], [0])
    cases = [
        _case("xy, whatever z", Formula(lambda x, y, z: x * y), [2, 1, 1], features=(2,)),
        _case("ReLU(x) + ReLU(y) - ReLU(y)", twice, [2, 1], features=(1,)),
        _case("f(x, y) - g(x, y) + ReLU(z) with the paper's f = g", difference, [3, 1, 1], features=(0,)),
    ]
    return _judge(find, cases + _yours(f, x, baseline, target, features=None if dummy is None else (dummy,)), EXACT)


def implementation_invariance(
    method: Method, f: Net = None, g: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None
) -> AxiomResult:
    """Whether two networks that compute the same function get the same shares.

    `g` is the second network of your own case; ValueError where it does not equal f between baseline and x.
    The gap is the L1 distance over the larger L1 norm. Other arguments and errors as for `completeness`.
    """

    def find(case: Case) -> Finding:
        case.check_equal("f equals g", case.other, case.points())
        one, other = case.values(method), case.values(method, case.other)
        gaps = _ratio((one - other).abs().sum(1), torch.maximum(one.abs().sum(1), other.abs().sum(1)))
        return gaps, lambda n: (f"the first gets {rounded(one[n])}", f"the second gets {rounded(other[n])}")

    squares = Formula(lambda x, y: ((x + y) ** 2 - (x - y) ** 2) / 4)
    cases = [
        _case("ReLU(ReLU(x) - 1 - ReLU(y)) = ReLU(ReLU(x - 1) - ReLU(y))", PAPER_F, [3, 1], other=PAPER_G),
        _case("min(x, y) = x - ReLU(x - y) = y - ReLU(y - x)", MIN_X_FIRST, [1, 3], other=MIN_Y_FIRST),
        _case("xy = ((x + y)^2 - (x - y)^2) / 4", XY, [2, 1], other=squares),
    ]
    return _judge(find, cases + _yours(f, x, baseline, target, other=g), EXACT)


def linearity(
    method: Method, f: Net = None, g: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None
) -> AxiomResult:
    """Whether the shares of 2f - 3g are twice those of f less three times those of g.

    `g` is the second function of your own case. The gap is the L1 distance over the L1 norms of the two parts; a
    method may choose other nodes for each, so the tolerance is 5%. Arguments and errors as for `completeness`.
    """

    def find(case: Case) -> Finding:
        one, other = A * case.values(method), B * case.values(method, case.other)
        parts, whole = one + other, case.values(method, Combination(case.f, case.other, case.x))
        gaps = _ratio((parts - whole).abs().sum(1), one.abs().sum(1) + other.abs().sum(1))
        return gaps, lambda n: (f"2f and -3g together get {rounded(parts[n])}", f"2f - 3g gets {rounded(whole[n])}")

    cases = [
        _case("f = ReLU(ReLU(x) - 1 - ReLU(y)), g = min(x, y)", PAPER_F, [3, 1], other=MIN_X_FIRST),
        _case("f = 1 - ReLU(1 - x), g = 2x", SATURATING, [2], other=network([[2]], [0])),
        _case("f = xy, g = x^2 - y", XY, [2, 1], other=Formula(lambda x, y: x**2 - y)),
    ]
    return _judge(find, cases + _yours(f, x, baseline, target, other=g), QUADRATURE)


def symmetry(
    method: Method, f: Net = None, x: Input = None, baseline: Baseline = None, target: Target = None, pair: Pair = None
) -> AxiomResult:
    """Whether two features that F treats alike, with equal values in x and in the baseline, get equal shares.

    `pair` names them in your own case, as indices into the flattened features; ValueError where F tells them apart.
    The gap is their difference over the mean |share| of a feature. Other arguments and errors as for `completeness`.
    """

    def find(case: Case) -> Finding:
        i, j = case.features
        for name, end in (("x", case.x), ("baseline", case.baseline)):
            if not torch.equal(end.flatten(1)[:, i], end.flatten(1)[:, j]):
                raise ValueError(f"{name} differs between features {i} and {j}; this axiom speaks of equal ones only")
        swapped = case.points().flatten(1)
        swapped[:, [i, j]] = swapped[:, [j, i]]
        case.check_equal(f"F treats features {i} and {j} alike", case.f, swapped.view_as(case.points()))
        values = case.values(method)
        gaps = _ratio((values[:, i] - values[:, j]).abs(), values.abs().mean(1))
        return gaps, lambda n: (f"features {i} and {j} play the same part", f"they get {rounded(values[n, [i, j]])}")

    cases = [
        _case("xy + z", XY_PLUS_Z, [1, 1, 1], features=(0, 1)),
        _case("1 - ReLU(1 - x - y)", EITHER, [2, 2], features=(0, 1)),
    ]
    return _judge(find, cases + _yours(f, x, baseline, target, features=pair), EXACT)


AXIOMS: dict[str, Callable[..., AxiomResult]] = {
    check.__name__: check
    for check in (completeness, sensitivity_a, sensitivity_b, implementation_invariance, linearity, symmetry)
}
TITLES = ("completeness", "sensitivity (a)", "sensitivity (b)", "implementation invariance", "linearity", "symmetry")


class Combination(nn.Module):
    """2f - 3g, mixed by a layer, so that methods that go layer by layer can take it."""

    def __init__(self, f: Function, g: Function, like: Tensor):
        super().__init__()
        self.f, self.g, self.mix = f, g, network([[A, B]], [0]).to(like)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.f(x), self.g(x)
        if one.shape != other.shape:
            raise ValueError(f"f returns shape {tuple(one.shape)}, g {tuple(other.shape)}; make them alike")
        return self.mix(torch.stack([one, other], dim=-1)).squeeze(-1)


@dataclass(frozen=True)
class Case:
    """What a check puts to a method.

    x, baseline (batch, *features); target (batch,) or None; other: the second function of an axiom about two;
    features: those that the axiom speaks of, as indices into the flattened features.
    """

    name: str
    f: Function
    x: Tensor
    baseline: Tensor
    target: Tensor | None = None
    other: Any = None
    features: tuple[int, ...] = ()

    def values(self, method: Method, f: Net = None) -> Tensor:
        """The shares that the method gives in f, or in the case's own: (batch, flattened features), float64."""
        answer = method(f or self.f, self.x, baseline=self.baseline, target=self.target)
        if not isinstance(answer, Attribution):
            raise TypeError(f"the method returned {type(answer).__name__} on {self.name}; it must be an Attribution")
        if answer.values.shape != self.x.shape:
            came, wanted = tuple(answer.values.shape), tuple(self.x.shape)
            raise ValueError(f"the method's values on {self.name} have shape {came}; they must have x's, {wanted}")
        return answer.values.detach().cpu().double().flatten(1)

    def ends(self) -> tuple[Tensor, Tensor]:
        """F(x) and F(x'), each (batch,)."""
        return _scores(self.f, self.x, self.target), _scores(self.f, self.baseline, self.target)

    def points(self) -> Tensor:
        """32 random points an example in the box between baseline and x, always the same: (32 batch, *features)."""
        shares = torch.rand((32, *self.x.shape), generator=torch.Generator().manual_seed(0))
        return (self.baseline + shares.to(self.x) * (self.x - self.baseline)).flatten(0, 1)

    def check_equal(self, claim: str, other: Function, there: Tensor) -> None:
        """Raise ValueError unless `other` at the points `there` equals f at the case's own."""
        target = None if self.target is None else self.target.repeat(32)
        one, two = _scores(self.f, self.points(), target), _scores(other, there, target)
        n = int((one - two).abs().argmax())
        if (one - two).abs()[n] > EXACT * one.abs().max():
            came = f"{rounded(one[n])} against {rounded(two[n])} near {rounded(self.points()[n])}"
            raise ValueError(f"you say that {claim}, but it does not hold: {came}")


def _case(name: str, f: Function, x: list, baseline: list | None = None, **more: Any) -> Case:
    start = torch.zeros(1, len(x)) if baseline is None else torch.tensor([baseline]).float()
    return Case(name, f, torch.tensor([x]).float(), start.float(), **more)


def _yours(f: Net, x: Input, baseline: Baseline, target: Target, **more: Any) -> list[Case]:
    """The caller's own case, checked; none where neither f nor x is given."""
    if all(given is None for given in (f, x, baseline, target, *more.values())):
        return []
    if f is None or x is None or None in more.values():
        names = ["f", "x", *more]
        raise TypeError(f"a case of your own needs {', '.join(names)}; one of them is missing")
    x, baseline, target = check_arguments(f, x, baseline, target)
    for i in more.get("features", ()):
        if not 0 <= i < x[0].numel():
            raise ValueError(f"feature {i} was named, but x has {x[0].numel()} features, which count from 0")
    return [Case("your function", f, x, baseline, target, **more)]


def _judge(find: Callable[[Case], Finding], cases: list[Case], tolerance: float) -> AxiomResult:
    """The worst of what `find` finds in the cases; of equals, the first."""
    gap, counterexample, left_out = None, None, {}
    for case in cases:
        try:
            gaps, tell = find(case)
        except NotImplementedError as reason:
            left_out[case.name] = str(reason)
            continue
        n = int(gaps.argmax())
        if gap is None or gaps[n] > gap + EXACT:
            gap, counterexample = gaps[n].item(), Counterexample(case.name, case.x[n], case.baseline[n], *tell(n))
    holds = None if gap is None else gap <= tolerance
    return AxiomResult(holds, gap, tolerance, None if holds else counterexample, left_out)


def rounded(numbers: Tensor) -> str:
    """One number or a few, to three digits; what is below a millionth is 0."""
    if numbers.numel() > 8:
        return f"an input of shape {tuple(numbers.shape)}"
    texts = ["0" if abs(number) < 1e-6 else f"{number:.3g}" for number in numbers.flatten().tolist()]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _scores(f: Function, points: Tensor, target: Tensor | None) -> Tensor:
    return values_at(f, points, target, rows_at_once(points, None)).cpu().double()


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return part / whole.clamp_min(torch.finfo(whole.dtype).tiny)


def _html_cell(result: AxiomResult) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in result.notes)
    return (
        f"<td><details><summary>{result.verdict}</summary>{notes}</details></td>"
        if notes
        else f"<td>{result.verdict}</td>"
    )
