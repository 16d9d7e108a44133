"""The axioms as checks: each takes any attribution method and answers with a verdict, and a counterexample.

A check calls method(f, x, baseline=..., target=...) -> Attribution on small cases (`igteach.axioms.cases`), and on a
case of your own if you pass f and x.

No built-in case has a kink *along* its path: there the axioms are not proved. A method that has no rule for a function
raises NotImplementedError; that case then counts neither for nor against it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from igteach.axioms.cases import CASES, ROUNDING_TOLERANCE, Case, Combination, own_case, rounded
from igteach.core.attribution import ROUGHLY_BELOW, SMALLEST_DIFFERENCE, Attribution
from igteach.core.functions import Baseline, Function, Target

Method = Callable[..., Attribution]

QUADRATURE_TOLERANCE = ROUGHLY_BELOW  # for integrals: as much as the paper allows, and as the default tolerance
NEGLIGIBLE = 1e-3  # of the change in F: a smaller share counts as none
FACTOR_F, FACTOR_G = 2.0, -3.0  # of linearity: of both signs, and their sum is not 1
TINY = torch.finfo(torch.float64).tiny  # so that 0 / 0 is 0


@dataclass(frozen=True)
class Counterexample:
    """Where a method breaks an axiom.

    Attributes:
        case: the name of the case.
        x: (*features), the example of the case that is worst.
        baseline: (*features), its baseline.
        expected: what the axiom asks, in words.
        received: what the method gave, in words.

    Example:
        >>> import igteach
        >>> counterexample = igteach.axioms.sensitivity_a(igteach.gradient).counterexample
        >>> counterexample.expected, counterexample.received
        ('F changes by 1', 'the feature gets 0')
    """

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
    """The verdict on one axiom.

    Attributes:
        holds: whether gap <= tolerance; None if the method could take none of the cases.
        gap: the largest of all cases and examples; what it measures is said by each check. None as for holds.
        tolerance: the largest gap at which the axiom counts as kept.
        counterexample: where the gap is largest, if the axiom is broken.
        not_applicable: for each case that the method could not take, the reason.

    Example:
        >>> import igteach
        >>> igteach.axioms.sensitivity_a(igteach.gradient)
        ✗ breaks: on 1 - ReLU(1 - x) at x = 2 against 0: F changes by 1, but the feature gets 0
    """

    holds: bool | None
    gap: float | None
    tolerance: float
    counterexample: Counterexample | None
    not_applicable: dict[str, str]

    def __repr__(self) -> str:
        if not self.notes:
            return self.verdict
        return f"{self.verdict}: {'; '.join(self.notes)}"

    def __bool__(self) -> bool:
        raise TypeError("an AxiomResult is a whole report, neither true nor false: ask its .holds")

    @property
    def verdict(self) -> str:
        """A symbol and a word; followed by a star if some case, but not all of them, could not be taken."""
        if self.holds is None:
            return "- not applicable"
        word = "✓ keeps" if self.holds else "✗ breaks"
        return f"{word}*" if self.not_applicable else word

    @property
    def notes(self) -> list[str]:
        """The counterexample and the cases left out, in words."""
        notes = []
        if self.counterexample is not None:
            notes.append(str(self.counterexample))
        for case, reason in self.not_applicable.items():
            notes.append(f"not put to {case}: {reason}")
        return notes

    def assert_holds(self) -> None:
        """Assert that the axiom holds.

        Raises:
            AssertionError: if it does not, or could not be checked; the message is the notes.
        """
        if not self.holds:
            raise AssertionError("; ".join(self.notes))


@dataclass(frozen=True, repr=False)
class AxiomTable:
    """Verdicts on several methods, one row a method and one column an axiom; `show.axiom_table` makes HTML of it.

    Attributes:
        results: by the name of a method, then by the name of an axiom, as in `results["IG"]["completeness"]`.

    Example:
        >>> import igteach
        >>> table = igteach.axioms.axiom_table({"IG": igteach.integrated_gradients})
        >>> table.results["IG"]["symmetry"]
        ✓ keeps
    """

    results: dict[str, dict[str, AxiomResult]]

    def __repr__(self) -> str:
        rows = [["", *TITLES]]
        notes = []
        for name, row in self.results.items():
            rows.append([name, *(result.verdict for result in row.values())])
            for title, result in zip(TITLES, row.values(), strict=True):
                notes += [f"{name}, {title}: {note}" for note in result.notes]
        return "\n".join([*_aligned(rows), *notes])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line of text for each row, with the cells of a column under one another."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def axiom_table(methods: dict[str, Method]) -> AxiomTable:
    """Check every method against every axiom, on the built-in cases.

    Args:
        methods: by the names that the table is to show.

    Returns:
        The verdicts, as a table.

    Raises:
        TypeError: if a method does not return an Attribution.
        ValueError: if its values do not have the shape of x.

    Example:
        >>> import igteach
        >>> print(igteach.axioms.axiom_table({"gradient": igteach.gradient}))  # doctest: +ELLIPSIS
                  completeness  sensitivity (a)  sensitivity (b)  implementation invariance  linearity  symmetry
        gradient  ✗ breaks      ✗ breaks         ✓ keeps          ✓ keeps                    ✓ keeps    ✓ keeps
        gradient, completeness: on ...

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    results = {}
    for name, method in methods.items():
        results[name] = {axiom: check(method) for axiom, check in AXIOMS.items()}
    return AxiomTable(results)


@dataclass(frozen=True, eq=False)
class _Findings:
    """How far a method is from an axiom in one case.

    Attributes:
        gaps: (batch,), float64.
        expected: for each example, what the axiom asks, in words.
        received: for each example, what the method gave, in words.
    """

    gaps: Tensor
    expected: list[str]
    received: list[str]


def _judge(
    axiom: str,
    measure: Callable[[Method, Case], _Findings],
    tolerance: float,
    method: Method,
    own: Case | None,
) -> AxiomResult:
    """Measure a method on the built-in cases of an axiom, and on the caller's own; the largest gap decides."""
    all_cases = list(CASES[axiom])
    if own is not None:
        all_cases.append(own)
    largest_gap: float | None = None
    counterexample: Counterexample | None = None
    not_applicable: dict[str, str] = {}
    for case in all_cases:
        try:
            findings = measure(method, case)
        except NotImplementedError as reason:
            not_applicable[case.name] = str(reason)
            continue
        n = int(findings.gaps.argmax())
        gap = findings.gaps[n].item()
        if largest_gap is None or gap > largest_gap + ROUNDING_TOLERANCE:  # of equal gaps the first is reported
            largest_gap = gap
            counterexample = Counterexample(
                case.name, case.x[n], case.baseline[n], findings.expected[n], findings.received[n]
            )
    if largest_gap is None:
        return AxiomResult(None, None, tolerance, None, not_applicable)
    holds = largest_gap <= tolerance
    return AxiomResult(holds, largest_gap, tolerance, None if holds else counterexample, not_applicable)


def _shares(method: Method, case: Case, f: Function | None = None) -> Tensor:
    """The shares that a method gives for f, or for the case's own F: (batch, flattened features), float64, on the CPU.

    Raises TypeError or ValueError for an answer that is no Attribution of x.
    """
    function = case.f if f is None else f
    answer = method(function, case.x, baseline=case.baseline, target=case.target)
    if not isinstance(answer, Attribution):
        raise TypeError(f"the method returned {type(answer).__name__} on {case.name}; it must be an Attribution")
    if answer.values.shape != case.x.shape:
        received = f"the method's values on {case.name} have shape {tuple(answer.values.shape)}"
        raise ValueError(f"{received}; they must have x's, {tuple(case.x.shape)}")
    shares: Tensor = answer.values.detach().cpu().double().flatten(1)
    return shares


def completeness(
    method: Method,
    f: Function | None = None,
    x: Tensor | None = None,
    baseline: Baseline = None,
    target: Target = None,
) -> AxiomResult:
    """Check whether the shares add up to F(x) - F(x').

    The gap is |residual| over |F(x) - F(x')|, the tolerance 5%.

    Args:
        method: the method, as in `method(f, x, baseline=None, target=None) -> Attribution`.
        f: F in a case of your own, if you want one beside those built in.
        x: its input (batch, *features), floating point.
        baseline: its baseline x', a number or broadcasts to x; None is zeros.
        target: its class, an int or (batch,); None if f gives one number for each row.

    Returns:
        The verdict.

    Raises:
        TypeError: if one of f and x is missing, or the method does not return an Attribution.
        ValueError: if an argument is wrong, or the method's values do not have the shape of x.

    Example:
        >>> import igteach
        >>> igteach.axioms.completeness(igteach.integrated_gradients)
        ✓ keeps
        >>> igteach.axioms.completeness(igteach.gradient_times_input).holds
        False

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    own = own_case(f, x, baseline, target)
    return _judge("completeness", _incompleteness, QUADRATURE_TOLERANCE, method, own)


def _incompleteness(method: Method, case: Case) -> _Findings:
    shares = _shares(method, case)
    at_x = case.forward(case.x)
    at_baseline = case.forward(case.baseline)
    gaps = Attribution(shares, at_x, at_baseline, evaluations=0).relative_residual
    assert gaps is not None  # because F(x') is there
    return _Findings(
        gaps,
        [f"F changes by {rounded(change)}" for change in at_x - at_baseline],
        [f"the shares add up to {rounded(total)}" for total in shares.sum(1)],
    )


def sensitivity_a(
    method: Method,
    f: Function | None = None,
    x: Tensor | None = None,
    baseline: Baseline = None,
    target: Target = None,
) -> AxiomResult:
    """Check whether a feature gets a share if it alone differs from the baseline, and F differs.

    The gap is the fraction of |F(x) - F(x')| that the feature does not get, the tolerance 99.9%.

    Args:
        method: the method, as in `method(f, x, baseline=None, target=None) -> Attribution`.
        f: F in a case of your own, if you want one beside those built in.
        x: its input (batch, *features), floating point; in each row one feature differs from the baseline.
        baseline: its baseline x', a number or broadcasts to x; None is zeros.
        target: its class, an int or (batch,); None if f gives one number for each row.

    Returns:
        The verdict.

    Raises:
        TypeError: if one of f and x is missing, or the method does not return an Attribution.
        ValueError: if x and baseline do not differ in one feature, if F does not differ, if an argument is wrong, or
            the method's values do not have the shape of x.

    Example:
        >>> import igteach
        >>> igteach.axioms.sensitivity_a(igteach.gradient)
        ✗ breaks: on 1 - ReLU(1 - x) at x = 2 against 0: F changes by 1, but the feature gets 0

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    own = own_case(f, x, baseline, target)
    return _judge("sensitivity_a", _insensitivity, 1 - NEGLIGIBLE, method, own)


def _insensitivity(method: Method, case: Case) -> _Findings:
    at_x = case.forward(case.x)
    change = at_x - case.forward(case.baseline)
    differs = (case.x != case.baseline).flatten(1).cpu()
    counts = differs.sum(1)
    if (counts != 1).any():
        raise ValueError(f"x and baseline differ in {counts.tolist()} features; make it one feature a row")
    if (change.abs() <= SMALLEST_DIFFERENCE * at_x.abs()).any():
        raise ValueError("F is the same at x and at the baseline, where this axiom asks nothing; pass another x")
    share = _shares(method, case)[differs]  # (batch,), that of the feature that differs
    return _Findings(
        1 - (share / change).abs().clamp_max(1),
        [f"F changes by {rounded(each)}" for each in change],
        [f"the feature gets {rounded(each)}" for each in share],
    )


def sensitivity_b(
    method: Method,
    f: Function | None = None,
    x: Tensor | None = None,
    baseline: Baseline = None,
    target: Target = None,
    dummy: int | None = None,
) -> AxiomResult:
    """Check whether a feature gets a share of zero if F does not depend on it (a dummy).

    The gap is the dummy's |share| over the mean |share| of all features, the tolerance 0.1%.

    Args:
        method: the method, as in `method(f, x, baseline=None, target=None) -> Attribution`.
        f: F in a case of your own, if you want one beside those built in.
        x: its input (batch, *features), floating point.
        baseline: its baseline x', a number or broadcasts to x; None is zeros.
        target: its class, an int or (batch,); None if f gives one number for each row.
        dummy: a feature that f does not depend on, as an index into the flattened features.

    Returns:
        The verdict.

    Raises:
        TypeError: if one of f, x and dummy is missing, or the method does not return an Attribution.
        ValueError: if f does depend on the dummy, if an argument is wrong, or the method's values do not have the
            shape of x.

    Example:
        >>> import igteach
        >>> igteach.axioms.sensitivity_b(igteach.integrated_gradients)
        ✓ keeps

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    own = own_case(f, x, baseline, target, dummy=dummy)
    return _judge("sensitivity_b", _share_of_dummy, ROUNDING_TOLERANCE, method, own)


def _share_of_dummy(method: Method, case: Case) -> _Findings:
    dummy = case.dummy
    if dummy is None:
        raise TypeError(f"the case {case.name!r} names no feature that F does not depend on, which this axiom is about")
    moved = case.random_points().flatten(1)
    moved[:, dummy] += 1
    case.check_same_values(f"F does not depend on feature {dummy}", case.f, moved)
    shares = _shares(method, case)
    return _Findings(
        shares[:, dummy].abs() / shares.abs().mean(1).clamp_min(TINY),
        [f"F does not depend on feature {dummy}"] * len(shares),
        [f"it gets {rounded(share)}" for share in shares[:, dummy]],
    )


def implementation_invariance(
    method: Method,
    f: Function | None = None,
    g: Function | None = None,
    x: Tensor | None = None,
    baseline: Baseline = None,
    target: Target = None,
) -> AxiomResult:
    """Check whether two networks that compute the same function get the same shares.

    The gap is the L1 distance of their shares over the larger of their L1 norms, the tolerance 0.1%.

    Args:
        method: the method, as in `method(f, x, baseline=None, target=None) -> Attribution`.
        f: F in a case of your own, if you want one beside those built in.
        g: the same function, written in another way.
        x: their input (batch, *features), floating point.
        baseline: its baseline x', a number or broadcasts to x; None is zeros.
        target: its class, an int or (batch,); None if f gives one number for each row.

    Returns:
        The verdict.

    Raises:
        TypeError: if one of f, g and x is missing, or the method does not return an Attribution.
        ValueError: if f and g differ between baseline and x, if an argument is wrong, or the method's values do not
            have the shape of x.

    Example:
        >>> import igteach
        >>> igteach.axioms.implementation_invariance(igteach.integrated_gradients)
        ✓ keeps

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    own = own_case(f, x, baseline, target, g=g)
    return _judge("implementation_invariance", _variance, ROUNDING_TOLERANCE, method, own)


def _variance(method: Method, case: Case) -> _Findings:
    g = _second_function(case)
    case.check_same_values("f equals g", g, case.random_points())
    f_shares = _shares(method, case)
    g_shares = _shares(method, case, g)
    distance = (f_shares - g_shares).abs().sum(1)
    larger_norm = torch.maximum(f_shares.abs().sum(1), g_shares.abs().sum(1))
    return _Findings(
        distance / larger_norm.clamp_min(TINY),
        [f"the first gets {rounded(shares)}" for shares in f_shares],
        [f"the second gets {rounded(shares)}" for shares in g_shares],
    )


def linearity(
    method: Method,
    f: Function | None = None,
    g: Function | None = None,
    x: Tensor | None = None,
    baseline: Baseline = None,
    target: Target = None,
) -> AxiomResult:
    """Check whether the shares of 2f - 3g are 2 times those of f minus 3 times those of g.

    The gap is the L1 distance of the two sides over the sum of the L1 norms of 2f's and 3g's shares, the tolerance 5%.

    Args:
        method: the method, as in `method(f, x, baseline=None, target=None) -> Attribution`.
        f: F in a case of your own, if you want one beside those built in.
        g: another function, with outputs of the same shape.
        x: their input (batch, *features), floating point.
        baseline: its baseline x', a number or broadcasts to x; None is zeros.
        target: its class, an int or (batch,); None if f gives one number for each row.

    Returns:
        The verdict.

    Raises:
        TypeError: if one of f, g and x is missing, or the method does not return an Attribution.
        ValueError: if f and g return different shapes, if an argument is wrong, or the method's values do not have
            the shape of x.

    Example:
        >>> import igteach
        >>> igteach.axioms.linearity(igteach.integrated_gradients)
        ✓ keeps

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    own = own_case(f, x, baseline, target, g=g)
    return _judge("linearity", _nonlinearity, QUADRATURE_TOLERANCE, method, own)


def _nonlinearity(method: Method, case: Case) -> _Findings:
    g = _second_function(case)
    combination = Combination(FACTOR_F, case.f, FACTOR_G, g, like=case.x)
    scaled_f_shares = FACTOR_F * _shares(method, case)
    scaled_g_shares = FACTOR_G * _shares(method, case, g)
    expected = scaled_f_shares + scaled_g_shares
    received = _shares(method, case, combination)
    norms = (scaled_f_shares.abs() + scaled_g_shares.abs()).sum(1)
    return _Findings(
        (expected - received).abs().sum(1) / norms.clamp_min(TINY),
        [f"2f and -3g together get {rounded(shares)}" for shares in expected],
        [f"2f - 3g gets {rounded(shares)}" for shares in received],
    )


def _second_function(case: Case) -> Function:
    if case.g is None:
        raise TypeError(f"the case {case.name!r} has no second function g, which this axiom is about")
    return case.g


def symmetry(
    method: Method,
    f: Function | None = None,
    x: Tensor | None = None,
    baseline: Baseline = None,
    target: Target = None,
    pair: tuple[int, int] | None = None,
) -> AxiomResult:
    """Check whether two features that F treats alike, and that are equal in x and in the baseline, get equal shares.

    The gap is the absolute difference of their shares over the mean |share| of all features, the tolerance 0.1%.

    Args:
        method: the method, as in `method(f, x, baseline=None, target=None) -> Attribution`.
        f: F in a case of your own, if you want one beside those built in.
        x: its input (batch, *features), floating point.
        baseline: its baseline x', a number or broadcasts to x; None is zeros.
        target: its class, an int or (batch,); None if f gives one number for each row.
        pair: two features that f treats alike, as indices into the flattened features.

    Returns:
        The verdict.

    Raises:
        TypeError: if one of f, x and pair is missing, or the method does not return an Attribution.
        ValueError: if f does not treat the pair alike, if the two differ in x or in the baseline, if an argument is
            wrong, or the method's values do not have the shape of x.

    Example:
        >>> import igteach
        >>> igteach.axioms.symmetry(igteach.integrated_gradients)
        ✓ keeps

    Source:
        Sundararajan, Taly and Yan (2017), https://arxiv.org/abs/1703.01365.
    """
    own = own_case(f, x, baseline, target, pair=pair)
    return _judge("symmetry", _asymmetry, ROUNDING_TOLERANCE, method, own)


def _asymmetry(method: Method, case: Case) -> _Findings:
    if case.pair is None:
        raise TypeError(f"the case {case.name!r} has no pair of features, which this axiom is about")
    i, j = case.pair
    for name, point in (("x", case.x), ("baseline", case.baseline)):
        features = point.flatten(1)
        if not torch.equal(features[:, i], features[:, j]):
            raise ValueError(f"{name} differs between features {i} and {j}; this axiom speaks of equal ones only")
    exchanged = case.random_points().flatten(1)
    exchanged[:, [i, j]] = exchanged[:, [j, i]]
    case.check_same_values(f"F treats features {i} and {j} alike", case.f, exchanged)
    shares = _shares(method, case)
    return _Findings(
        (shares[:, i] - shares[:, j]).abs() / shares.abs().mean(1).clamp_min(TINY),
        [f"features {i} and {j} play the same part"] * len(shares),
        [f"they get {rounded(both)}" for both in shares[:, [i, j]]],
    )


CHECKS = (completeness, sensitivity_a, sensitivity_b, implementation_invariance, linearity, symmetry)
TITLES = ("completeness", "sensitivity (a)", "sensitivity (b)", "implementation invariance", "linearity", "symmetry")
AXIOMS: dict[str, Callable[..., AxiomResult]] = {check.__name__: check for check in CHECKS}
