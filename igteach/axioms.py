"""The axioms as checks: each takes any method, and answers with a verdict or a counterexample.

A check puts method(f, x, baseline=None, target=None) -> Attribution to small cases (igteach.models.toys), and to one
of your own where f and x are given, as a method takes them; g is its second function, dummy and pair are indices into
its flattened features. No built-in case has a kink *along* its straight path: there the gradient does not exist, and
no axiom is proved. A method that has no rule for a function raises NotImplementedError; that case is then neither kept
nor broken. TypeError or ValueError: the method returned no Attribution, another shape than x's, or NaN; or the axiom
does not speak of your case. Source: Sundararajan, Taly and Yan (2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor

from igteach.attribution import ROUGHLY, SMALLEST_DIFFERENCE, Attribution
from igteach.gradients import rows_at_once, values_at
from igteach.models.toys import CASES, Case, Combination
from igteach.scores import Function, check_arguments

Method = Callable[..., Attribution]
Net = Function | None  # what a check is given of your own case, if anything
Input = Tensor | None
Base = Tensor | float | None
Target = int | Tensor | None
Dummy = int | None
Pair = tuple[int, int] | None
Finding = tuple[Tensor, Callable[[int], tuple[str, str]]]  # gaps (batch,); of one example, what is so and what came

QUADRATURE = ROUGHLY  # where an integral enters: 64 steps are up to 2% off at a kink, and the paper allows 5%
EXACT = 1e-3  # where both sides see the same nodes, and only rounding is left
NOTHING = 1e-3  # of the change in F: a smaller share counts as none
A, B = 2.0, -3.0  # the factors of linearity: of both signs, and their sum is not 1
TINY = torch.finfo(torch.float64).tiny  # so that 0 / 0 is 0

STYLE = """<style>
table.axioms :is(caption, th, td) {vertical-align: top; padding: .4em .8em; border-bottom: 1px solid #8886}
.axioms * {text-align: left !important} .axioms summary {white-space: nowrap}
.axioms td.breaks {font-weight: bold; background: #d55e0026; box-shadow: inset 4px 0 #d55e00}
.axioms p {max-width: 16em; margin: .4em 0; font-weight: normal}
</style>"""


@dataclass(frozen=True)
class Counterexample:
    """Where a method breaks an axiom: the case, one example of it (features), what is so, and what came."""

    case: str
    x: Tensor
    baseline: Tensor
    expected: str
    came: str

    def __str__(self) -> str:
        at = f"x = {rounded(self.x)} against {rounded(self.baseline)}"
        return f"on {self.case} at {at}: {self.expected}, but {self.came}"


@dataclass(frozen=True, repr=False)
class AxiomResult:
    """The verdict on one axiom: holds where gap <= tolerance; None where the method could be put to no case.

    gap is the worst of all cases and examples, in the unit that the check names, and counterexample where it is that;
    not_applicable says of each case that was left out why.
    """

    holds: bool | None
    gap: float | None
    tolerance: float
    counterexample: Counterexample | None
    not_applicable: dict[str, str]

    def __repr__(self) -> str:
        return f"{self.verdict}: {'; '.join(self.notes)}" if self.notes else self.verdict

    @property
    def verdict(self) -> str:
        """A symbol and a word; a star where some case could not be put."""
        word = {True: "✓ keeps", False: "✗ breaks", None: "- not applicable"}[self.holds]
        return word + "*" * (self.holds is not None and bool(self.not_applicable))

    @property
    def notes(self) -> list[str]:
        """The counterexample and the cases left out, in words."""
        worst = [str(self.counterexample)] if self.counterexample else []
        return worst + [f"not put to {case}: {why}" for case, why in self.not_applicable.items()]

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
        caption = "<caption>Which method keeps which axiom. Open a verdict to see why; * some cases left out.</caption>"
        head = "".join(f'<th scope="col">{title}</th>' for title in ("method", *TITLES))
        rows = ""
        for name, row in self.results.items():
            rows += f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_html_cell, row.values()))}</tr>'
        return f'{STYLE}<table class="axioms">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def axiom_table(methods: dict[str, Method]) -> AxiomTable:
    """Every method put to every axiom, on the built-in cases."""
    return AxiomTable({name: {axiom: check(m) for axiom, check in AXIOMS.items()} for name, m in methods.items()})


def completeness(
    method: Method, f: Net = None, x: Input = None, baseline: Base = None, target: Target = None
) -> AxiomResult:
    """Whether the shares add up to F(x) - F(x'). The gap is |residual| over |F(x) - F(x')|, the tolerance 5%."""

    def find(case: Case) -> Finding:
        values, at_x, at_baseline = _shares(method, case), _scores(case, case.x), _scores(case, case.baseline)
        gaps = Attribution(values, at_x, at_baseline, evaluations=0).relative_residual
        assert gaps is not None
        change, total = at_x - at_baseline, values.sum(1)
        return gaps, lambda n: (f"F changes by {rounded(change[n])}", f"the shares add up to {rounded(total[n])}")

    return _judge(find, CASES["completeness"] + _yours(f, x, baseline, target), QUADRATURE)


def sensitivity_a(
    method: Method, f: Net = None, x: Input = None, baseline: Base = None, target: Target = None
) -> AxiomResult:
    """Whether a feature that alone differs from the baseline, and changes F, gets a share other than zero.

    The gap is the part of |F(x) - F(x')| that it is not given; only nothing (under a thousandth) breaks the axiom.
    """

    def find(case: Case) -> Finding:
        at_x, at_baseline = _scores(case, case.x), _scores(case, case.baseline)
        change, moved = at_x - at_baseline, (case.x != case.baseline).flatten(1).cpu()
        if (moved.sum(1) != 1).any():
            raise ValueError(f"x and baseline differ in {moved.sum(1).tolist()} features; make it one feature a row")
        if (change.abs() <= SMALLEST_DIFFERENCE * at_x.abs()).any():
            raise ValueError("F is the same at x and at the baseline, where this axiom asks nothing; pass another x")
        share = _shares(method, case)[moved]
        gaps = 1 - (share / change).abs().clamp_max(1)
        return gaps, lambda n: (f"F changes by {rounded(change[n])}", f"the feature gets {rounded(share[n])}")

    return _judge(find, CASES["sensitivity_a"] + _yours(f, x, baseline, target), 1 - NOTHING)


def sensitivity_b(
    method: Method, f: Net = None, x: Input = None, baseline: Base = None, target: Target = None, dummy: Dummy = None
) -> AxiomResult:
    """Whether a feature that F does not depend on (a dummy) gets zero. The gap is its |share| over the mean |share|."""

    def find(case: Case) -> Finding:
        (i,) = case.features
        nudged = _between(case).flatten(1)
        nudged[:, i] += 1
        _check_equal(case, f"F does not depend on feature {i}", case.f, nudged)
        values = _shares(method, case)
        gaps = values[:, i].abs() / values.abs().mean(1).clamp_min(TINY)
        return gaps, lambda n: (f"F does not depend on feature {i}", f"it gets {rounded(values[n, i])}")

    yours = _yours(f, x, baseline, target, features=None if dummy is None else (dummy,))
    return _judge(find, CASES["sensitivity_b"] + yours, EXACT)


def implementation_invariance(
    method: Method, f: Net = None, g: Net = None, x: Input = None, baseline: Base = None, target: Target = None
) -> AxiomResult:
    """Whether networks f and g of one function get the same shares. The gap is L1 distance over the larger L1 norm."""

    def find(case: Case) -> Finding:
        _check_equal(case, "f equals g", case.other, _between(case))
        one, other = _shares(method, case), _shares(method, case, case.other)
        gaps = (one - other).abs().sum(1) / torch.maximum(one.abs().sum(1), other.abs().sum(1)).clamp_min(TINY)
        return gaps, lambda n: (f"the first gets {rounded(one[n])}", f"the second gets {rounded(other[n])}")

    return _judge(find, CASES["implementation_invariance"] + _yours(f, x, baseline, target, other=g), EXACT)


def linearity(
    method: Method, f: Net = None, g: Net = None, x: Input = None, baseline: Base = None, target: Target = None
) -> AxiomResult:
    """Whether the shares of 2f - 3g are twice those of f less three times those of g.

    The gap is the L1 distance over the L1 norms of the two parts, the tolerance 5%: each may have nodes of its own.
    """

    def find(case: Case) -> Finding:
        one, other = A * _shares(method, case), B * _shares(method, case, case.other)
        parts, whole = one + other, _shares(method, case, Combination(A, case.f, B, case.other, like=case.x))
        gaps = (parts - whole).abs().sum(1) / (one.abs() + other.abs()).sum(1).clamp_min(TINY)
        return gaps, lambda n: (f"2f and -3g together get {rounded(parts[n])}", f"2f - 3g gets {rounded(whole[n])}")

    return _judge(find, CASES["linearity"] + _yours(f, x, baseline, target, other=g), QUADRATURE)


def symmetry(
    method: Method, f: Net = None, x: Input = None, baseline: Base = None, target: Target = None, pair: Pair = None
) -> AxiomResult:
    """Whether a pair that F treats alike, equal in x and baseline, gets equal shares. The gap is over mean |share|."""

    def find(case: Case) -> Finding:
        i, j = case.features
        for name, end in (("x", case.x), ("baseline", case.baseline)):
            if not torch.equal(end.flatten(1)[:, i], end.flatten(1)[:, j]):
                raise ValueError(f"{name} differs between features {i} and {j}; this axiom speaks of equal ones only")
        swapped = _between(case).flatten(1)
        swapped[:, [i, j]] = swapped[:, [j, i]]
        _check_equal(case, f"F treats features {i} and {j} alike", case.f, swapped)
        values = _shares(method, case)
        gaps = (values[:, i] - values[:, j]).abs() / values.abs().mean(1).clamp_min(TINY)
        return gaps, lambda n: (f"features {i} and {j} play the same part", f"they get {rounded(values[n, [i, j]])}")

    return _judge(find, CASES["symmetry"] + _yours(f, x, baseline, target, features=pair), EXACT)


CHECKS = (completeness, sensitivity_a, sensitivity_b, implementation_invariance, linearity, symmetry)
TITLES = ("completeness", "sensitivity (a)", "sensitivity (b)", "implementation invariance", "linearity", "symmetry")
AXIOMS: dict[str, Callable[..., AxiomResult]] = {check.__name__: check for check in CHECKS}


def rounded(numbers: Tensor) -> str:
    """One number or a few, to three digits; what is below a millionth is 0."""
    if numbers.numel() > 8:
        return f"an input of shape {tuple(numbers.shape)}"
    texts = ["0" if abs(number) < 1e-6 else f"{number:.3g}" for number in numbers.flatten().tolist()]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


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


def _yours(f: Net, x: Input, baseline: Base, target: Target, **more: Any) -> list[Case]:
    """The caller's own case, checked; none where neither f nor x is given."""
    if all(given is None for given in (f, x, baseline, target, *more.values())):
        return []
    if f is None or x is None or None in more.values():
        raise TypeError(f"a case of your own needs {', '.join(['f', 'x', *more])}; one of them is missing")
    x, baseline, target = check_arguments(f, x, baseline, target)
    for i in more.get("features", ()):
        if not 0 <= i < x[0].numel():
            raise ValueError(f"feature {i} was named, but x has {x[0].numel()} features, which count from 0")
    return [Case("your function", f, x, baseline, target, **more)]


def _shares(method: Method, case: Case, f: Net = None) -> Tensor:
    """The shares that the method gives in f, or in the case's own: (batch, flattened features), float64."""
    answer = method(f or case.f, case.x, baseline=case.baseline, target=case.target)
    if not isinstance(answer, Attribution):
        raise TypeError(f"the method returned {type(answer).__name__} on {case.name}; it must be an Attribution")
    if answer.values.shape != case.x.shape:
        came, wanted = tuple(answer.values.shape), tuple(case.x.shape)
        raise ValueError(f"the method's values on {case.name} have shape {came}; they must have x's, {wanted}")
    return answer.values.detach().cpu().double().flatten(1)


def _between(case: Case) -> Tensor:
    """32 random points an example in the box between baseline and x, always the same: (32 * batch, *features)."""
    shares = torch.rand((32, *case.x.shape), generator=torch.Generator().manual_seed(0))
    return (case.baseline + shares.to(case.x) * (case.x - case.baseline)).flatten(0, 1)


def _check_equal(case: Case, claim: str, other: Function, there: Tensor) -> None:
    """Raise ValueError unless `other` at the points `there` equals the case's f at the points between."""
    points = _between(case)
    one, two = _scores(case, points), _scores(case, there.view_as(points), other)
    n = int((one - two).abs().argmax())
    if (one - two).abs()[n] > EXACT * one.abs().max():
        came = f"{rounded(one[n])} against {rounded(two[n])} near {rounded(points[n])}"
        raise ValueError(f"you say that {claim}, but it does not hold: {came}")


def _scores(case: Case, points: Tensor, f: Net = None) -> Tensor:
    """F, or f, at the points (k * batch, *features): (k * batch,)."""
    target = None if case.target is None else case.target.repeat(len(points) // len(case.x))
    return values_at(f or case.f, points, target, rows_at_once(points, None)).cpu().double()


def _html_cell(result: AxiomResult) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in result.notes)
    words = f"<details><summary>{result.verdict}</summary>{notes}</details>" if notes else result.verdict
    return f'<td class="breaks">{words}</td>' if result.holds is False else f"<td>{words}</td>"
