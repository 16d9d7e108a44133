"""The axioms as checks: each takes any method, and answers with a verdict or a counterexample.

A check puts method(f, x, baseline=None, target=None) -> Attribution to small cases (igteach.axioms.cases), and to one
of your own where f and x are given, as a method takes them (g: its second function; dummy, pair: indices into its
flattened features). No built-in one has a kink *along* its path: there no axiom is proved. A method without a rule for
a function raises NotImplementedError; that case is then neither kept nor broken. TypeError or ValueError: the method
returned no Attribution, or the axiom does not speak of your case. Source: Sundararajan, Taly and Yan (2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import Signature, signature
from typing import Any

import torch
from torch import Tensor

from igteach.axioms import cases
from igteach.axioms.cases import CASES, EXACT, Case, Combination, rounded
from igteach.core.attribution import ROUGHLY_BELOW, SMALLEST_DIFFERENCE, Attribution
from igteach.core.functions import Function

Method = Callable[..., Attribution]
Finding = tuple[Tensor, Callable[[int], tuple[str, str]]]  # gaps (batch,); of one example, what is so and what came
Find = Callable[[Method, Case], Finding]

QUADRATURE = ROUGHLY_BELOW  # where an integral enters: 64 steps are up to 2% off at a kink, and the paper allows 5%
NOTHING = 1e-3  # of the change in F: a smaller share counts as none
A, B = 2.0, -3.0  # the factors of linearity: of both signs, and their sum is not 1
TINY = torch.finfo(torch.float64).tiny  # so that 0 / 0 is 0


@dataclass(frozen=True)
class Counterexample:
    """Where a method breaks an axiom: the case, one example of it (features), what is so, and what came."""

    case: str
    x: Tensor
    baseline: Tensor
    expected: str
    received: str

    def __str__(self) -> str:
        where = f"on {self.case} at x = {rounded(self.x)} against {rounded(self.baseline)}"
        return f"{where}: {self.expected}, but {self.received}"


@dataclass(frozen=True, repr=False)
class AxiomResult:
    """The verdict on one axiom: holds where gap <= tolerance; None where the method could be put to no case.

    gap, counterexample: the worst of all cases and examples. not_applicable: of each case left out, why.
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
    """Methods by axioms: `results["IG"]["completeness"]` is an AxiomResult. `show.axiom_table` makes HTML of it."""

    results: dict[str, dict[str, AxiomResult]]

    def __repr__(self) -> str:
        rows = [["", *TITLES]] + [[name, *(r.verdict for r in row.values())] for name, row in self.results.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        for name, row in self.results.items():
            for title, result in zip(TITLES, row.values(), strict=True):
                lines += [f"{name}, {title}: {note}" for note in result.notes]
        return "\n".join(lines)


def axiom_table(methods: dict[str, Method]) -> AxiomTable:
    """Every method put to every axiom, on the built-in cases."""
    return AxiomTable({name: {axiom: check(m) for axiom, check in AXIOMS.items()} for name, m in methods.items()})


def _axiom(tolerance: float, own: Callable[..., list[Case]]) -> Callable[[Find], Callable[..., AxiomResult]]:
    """Makes a check out of what finds the gaps in one case; own makes a case out of the caller's arguments."""

    def make_check(find: Find) -> Callable[..., AxiomResult]:
        @wraps(find)
        def check(method: Method, *args: Any, **kwargs: Any) -> AxiomResult:
            gap, worst, left_out = None, None, {}
            for case in CASES[find.__name__] + own(*args, **kwargs):
                try:
                    gaps, tell = find(method, case)
                except NotImplementedError as reason:
                    left_out[case.name] = str(reason)
                    continue
                n = int(gaps.argmax())
                if gap is None or gaps[n] > gap + EXACT:  # of equals, the first
                    gap, worst = gaps[n].item(), Counterexample(case.name, case.x[n], case.baseline[n], *tell(n))
            holds = None if gap is None else gap <= tolerance
            return AxiomResult(holds, gap, tolerance, None if holds else worst, left_out)

        arguments = [signature(find).parameters["method"], *signature(own).parameters.values()]
        vars(check)["__signature__"] = Signature(arguments, return_annotation=AxiomResult)  # what help() shows
        return check

    return make_check


def _shares(method: Method, case: Case, f: Function | None = None) -> Tensor:
    """The shares that the method gives in f, or in the case's own: (batch, flattened features), float64."""
    answer = method(f or case.f, case.x, baseline=case.baseline, target=case.target)
    if not isinstance(answer, Attribution):
        raise TypeError(f"the method returned {type(answer).__name__} on {case.name}; it must be an Attribution")
    if answer.values.shape != case.x.shape:
        wrong = f"the method's values on {case.name} have shape {tuple(answer.values.shape)}"
        raise ValueError(f"{wrong}; they must have x's, {tuple(case.x.shape)}")
    return answer.values.detach().cpu().double().flatten(1)


@_axiom(QUADRATURE, cases.own_case)
def completeness(method: Method, case: Case) -> Finding:
    """Whether the shares add up to F(x) - F(x'). The gap is |residual| over |F(x) - F(x')|, the tolerance 5%."""
    values, at_x, at_baseline = _shares(method, case), case.scores(case.x), case.scores(case.baseline)
    gaps = Attribution(values, at_x, at_baseline, evaluations=0).relative_residual
    assert gaps is not None
    change, total = at_x - at_baseline, values.sum(1)
    return gaps, lambda n: (f"F changes by {rounded(change[n])}", f"the shares add up to {rounded(total[n])}")


@_axiom(1 - NOTHING, cases.own_case)
def sensitivity_a(method: Method, case: Case) -> Finding:
    """Whether a feature that alone moves, and moves F, gets a share. The gap is the part of |F(x) - F(x')| missed."""
    at_x, moved = case.scores(case.x), (case.x != case.baseline).flatten(1).cpu()
    change = at_x - case.scores(case.baseline)
    if (moved.sum(1) != 1).any():
        raise ValueError(f"x and baseline differ in {moved.sum(1).tolist()} features; make it one feature a row")
    if (change.abs() <= SMALLEST_DIFFERENCE * at_x.abs()).any():
        raise ValueError("F is the same at x and at the baseline, where this axiom asks nothing; pass another x")
    share = _shares(method, case)[moved]
    gaps = 1 - (share / change).abs().clamp_max(1)
    return gaps, lambda n: (f"F changes by {rounded(change[n])}", f"the feature gets {rounded(share[n])}")


@_axiom(EXACT, cases.own_dummy)
def sensitivity_b(method: Method, case: Case) -> Finding:
    """Whether a feature that F does not depend on (a dummy) gets zero. The gap is its |share| over the mean |share|."""
    (i,) = case.features
    nudged = case.between().flatten(1)
    nudged[:, i] += 1
    case.check_equal(f"F does not depend on feature {i}", case.f, nudged)
    values = _shares(method, case)
    gaps = values[:, i].abs() / values.abs().mean(1).clamp_min(TINY)
    return gaps, lambda n: (f"F does not depend on feature {i}", f"it gets {rounded(values[n, i])}")


@_axiom(EXACT, cases.own_pair_of_functions)
def implementation_invariance(method: Method, case: Case) -> Finding:
    """Whether networks f and g of one function get the same shares. The gap is L1 distance over the larger L1 norm."""
    case.check_equal("f equals g", case.other, case.between())
    one, other = _shares(method, case), _shares(method, case, case.other)
    gaps = (one - other).abs().sum(1) / torch.maximum(one.abs().sum(1), other.abs().sum(1)).clamp_min(TINY)
    return gaps, lambda n: (f"the first gets {rounded(one[n])}", f"the second gets {rounded(other[n])}")


@_axiom(QUADRATURE, cases.own_pair_of_functions)
def linearity(method: Method, case: Case) -> Finding:
    """Whether the shares of 2f - 3g are those of 2f and -3g together. The gap is L1 distance over both L1 norms."""
    one, other = A * _shares(method, case), B * _shares(method, case, case.other)
    parts, whole = one + other, _shares(method, case, Combination(A, case.f, B, case.other, like=case.x))
    gaps = (parts - whole).abs().sum(1) / (one.abs() + other.abs()).sum(1).clamp_min(TINY)
    return gaps, lambda n: (f"2f and -3g together get {rounded(parts[n])}", f"2f - 3g gets {rounded(whole[n])}")


@_axiom(EXACT, cases.own_pair_of_features)
def symmetry(method: Method, case: Case) -> Finding:
    """Whether a pair that F treats alike, equal in x and baseline, gets equal shares. The gap is over mean |share|."""
    i, j = case.features
    for name, end in (("x", case.x), ("baseline", case.baseline)):
        if not torch.equal(end.flatten(1)[:, i], end.flatten(1)[:, j]):
            raise ValueError(f"{name} differs between features {i} and {j}; this axiom speaks of equal ones only")
    swapped = case.between().flatten(1)
    swapped[:, [i, j]] = swapped[:, [j, i]]
    case.check_equal(f"F treats features {i} and {j} alike", case.f, swapped)
    values = _shares(method, case)
    gaps = (values[:, i] - values[:, j]).abs() / values.abs().mean(1).clamp_min(TINY)
    return gaps, lambda n: (f"features {i} and {j} play the same part", f"they get {rounded(values[n, [i, j]])}")


CHECKS = (completeness, sensitivity_a, sensitivity_b, implementation_invariance, linearity, symmetry)
TITLES = ("completeness", "sensitivity (a)", "sensitivity (b)", "implementation invariance", "linearity", "symmetry")
AXIOMS: dict[str, Callable[..., AxiomResult]] = {check.__name__: check for check in CHECKS}
