"""The axiom checks, put to right methods and to methods tampered with: each row of verdicts is asserted whole."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import igteach
from igteach import axioms
from igteach.axioms import cases
from igteach.axioms.checks import AXIOMS, axiom_table
from igteach.core.attribution import Attribution

IG = partial(igteach.integrated_gradients, steps=64)


def broken(method):
    results = {axiom: check(method) for axiom, check in AXIOMS.items()}
    assert all(result.holds is not None and not result.not_applicable for result in results.values())
    return {axiom for axiom, result in results.items() if not result.holds}


def changed(change):
    def method(f, x, baseline=None, target=None):
        answer = IG(f, x, baseline, target)
        return replace(answer, values=change(answer.values))

    return method


def average_gradient(f, x, baseline=None, target=None):
    at_ends = igteach.gradient_times_input(f, x, baseline, target)
    alphas = (torch.arange(64) + 0.5) / 64
    gradients = [igteach.gradient(f, baseline + alpha * (x - baseline), None, target).values for alpha in alphas]
    return replace(at_ends, values=torch.stack(gradients).mean(0))


def one_axis_after_the_other(f, x, baseline=None, target=None):
    corner, values = baseline.clone(), torch.zeros_like(x)
    for i in range(x.shape[1]):
        reached = corner.clone()
        reached[:, i] = x[:, i]
        values += IG(f, reached, corner, target, steps=96).values  # exact at kinks in the thirds
        corner = reached
    return replace(IG(f, x, baseline, target), values=values)


def by_the_first_bias(f, x, baseline=None, target=None):
    first = next((layer for layer in f.modules() if isinstance(layer, nn.Linear)), None)
    peculiar = first is not None and (first.bias < 0).any()
    return (one_axis_after_the_other if peculiar else IG)(f, x, baseline, target)


halved = changed(lambda values: values / 2)
absolute = changed(torch.abs)
gift_to_dummies = changed(lambda values: torch.where(values == 0, 0.5, values))
backwards = changed(torch.negative)

ROWS = {
    "IG": (IG, set()),
    "gradient": (igteach.gradient, {"completeness", "sensitivity_a"}),
    "gradient x input": (igteach.gradient_times_input, {"completeness", "sensitivity_a"}),
    "IG without x - x'": (average_gradient, {"completeness"}),
    "IG halved": (halved, {"completeness"}),
    "IG from x to x'": (backwards, {"completeness"}),
    "|IG|": (absolute, {"completeness", "linearity"}),
    "IG and a gift to dummies": (gift_to_dummies, {"completeness", "sensitivity_b", "linearity"}),
    "axis by axis": (one_axis_after_the_other, {"symmetry"}),
    "by the first bias": (by_the_first_bias, {"implementation_invariance"}),
    "nothing": (changed(torch.zeros_like), {"completeness", "sensitivity_a"}),
}


@pytest.mark.parametrize("name", ROWS)
def test_whole_row_of_verdicts(name):
    method, expected = ROWS[name]
    assert broken(method) == expected


@pytest.mark.parametrize("steps", [20, 21, 37, 51, 64, 300])
def test_ig_keeps_every_axiom_from_20_midpoint_steps(steps):
    assert broken(lambda *args, **kwargs: IG(*args, **kwargs, steps=steps)) == set()


def test_ig_with_64_steps_is_exact_on_all_cases():
    assert all(check(IG).gap < 1e-5 for check in AXIOMS.values())


@pytest.mark.parametrize(
    ("axiom", "name", "gap"),
    [
        ("completeness", "gradient x input", 1),
        ("completeness", "IG halved", 1 / 2),
        ("completeness", "IG without x - x'", 1),  # f at (3, 1): .5 - .5, where F changes by 1
        ("completeness", "|IG|", 2),  # 2x - 3y: 7, where F changes by -7
        ("sensitivity_a", "IG halved", 1 / 2),
        ("sensitivity_b", "IG and a gift to dummies", 3 / 4),  # .5 of (.5, .5, 1)
        ("implementation_invariance", "by the first bias", 1 / 3),  # (1.5, -.5) and (2, -1)
        ("linearity", "|IG|", 10 / 7),  # 2 * 1 - 3 * 4 and |2 * 1 - 3 * 4|
        ("symmetry", "axis by axis", 2),  # (1, 0), whose mean is 1/2
    ],
)
def test_gap_is_the_closed_form(axiom, name, gap):
    assert AXIOMS[axiom](ROWS[name][0]).gap == pytest.approx(gap, abs=1e-4)


@given(factor=st.floats(0, 3))
@settings(max_examples=20)
def test_completeness_gap_of_scaled_ig_is_the_missing_part(factor):
    result = axioms.completeness(changed(lambda values: values * factor))
    assert result.gap == pytest.approx(abs(1 - factor), abs=1e-4)
    assert result.holds == (result.gap <= result.tolerance)


def test_networks_compute_what_their_names_say():
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0)) * 3
    x, y = points.unbind(1)
    formulas = {
        cases.PAPER_F: (x.relu() - 1 - y.relu()).relu(),
        cases.PAPER_G: ((x - 1).relu() - y.relu()).relu(),
        cases.MIN_X_FIRST: torch.minimum(x, y),
        cases.MIN_Y_FIRST: torch.minimum(x, y),
        cases.EITHER: 1 - (1 - x - y).relu(),
    }
    for network, values in formulas.items():
        torch.testing.assert_close(network(points)[:, 0], values)
    torch.testing.assert_close(cases.SATURATING(points[:, :1])[:, 0], 1 - (1 - x).relu())
    torch.testing.assert_close(cases.PAPER_F(points), cases.PAPER_G(points))


def test_counterexample_in_words():
    with pytest.raises(AssertionError) as error:
        axioms.sensitivity_a(igteach.gradient).assert_holds()
    assert str(error.value) == "on 1 - ReLU(1 - x) at x = 2 against 0: F changes by 1, but the feature gets 0"
    words = str(axioms.implementation_invariance(by_the_first_bias).counterexample)
    assert words.endswith("at x = (3, 1) against (0, 0): the first gets (1.5, -0.5), but the second gets (2, -1)")


def test_a_verdict_prints_in_one_line_with_its_counterexample():
    assert repr(axioms.completeness(IG)) == "✓ keeps"
    assert repr(axioms.sensitivity_a(igteach.gradient)) == (
        "✗ breaks: on 1 - ReLU(1 - x) at x = 2 against 0: F changes by 1, but the feature gets 0"
    )
    assert repr(axioms.symmetry(layers_only)) == "✓ keeps*: not put to xy + z: no rule for a product"


def test_an_axiom_that_holds_has_no_counterexample_and_asserts_quietly():
    result = axioms.completeness(IG)
    assert result.counterexample is None
    result.assert_holds()


def test_kink_along_the_path_is_outside_what_is_proved():
    x = torch.ones(1, 2)
    two_ways = axioms.implementation_invariance(IG, cases.MIN_X_FIRST, cases.MIN_Y_FIRST, x)
    assert (two_ways.counterexample.expected, two_ways.counterexample.received) == (
        "the first gets (1, 0)",
        "the second gets (0, 1)",
    )
    assert not axioms.symmetry(IG, cases.MIN_X_FIRST, x, pair=(0, 1)).holds


def right_where_small(f, x, baseline=None, target=None):
    return (IG if x[0].numel() < 4 else igteach.gradient_times_input)(f, x, baseline, target)


def test_your_own_case_is_judged_beside_the_built_in_ones():
    f, x = igteach.toy(lambda a, b, c, d: a * b * c * d), torch.tensor([[0.0, 0, 0, 0], [1, 1, 1, 1]])
    assert axioms.completeness(right_where_small).holds
    result = axioms.completeness(right_where_small, f, x)
    assert result.gap == pytest.approx(3)
    assert str(result.counterexample) == (
        "on your function at x = (1, 1, 1, 1) against (0, 0, 0, 0): F changes by 1, but the shares add up to 4"
    )


@pytest.mark.parametrize("target", [2, torch.tensor([0, 2])])
def test_every_axiom_takes_a_classifier_of_images(target):
    layers = [nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 3)]
    f, g = nn.Sequential(*layers), nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    with torch.no_grad():
        layers[1].weight[:, 4] = 0
        layers[1].weight[:, 6] = layers[1].weight[:, 7]
    x = torch.rand(2, 1, 3, 4, generator=torch.Generator().manual_seed(1)) + 0.5
    x.flatten(1)[:, 6] = x.flatten(1)[:, 7]
    one_pixel = torch.zeros_like(x)
    one_pixel[:, 0, 0, 0] = 1
    assert axioms.completeness(IG, f, x, 0.1, target).holds
    assert axioms.sensitivity_a(IG, f, one_pixel, None, target).holds
    assert axioms.sensitivity_b(IG, f, x, None, target, dummy=4).holds
    assert axioms.implementation_invariance(IG, f, igteach.logit(f), x, None, target).holds
    assert axioms.linearity(IG, f, g, x, None, target).holds
    assert axioms.symmetry(IG, f, x, None, target, pair=(6, 7)).holds
    assert not axioms.completeness(halved, f, x, 0.1, target).holds


def test_a_claim_is_tried_on_each_example_with_its_own_target():
    def f(x):  # the first class minds x1 where x0 < 0, the second where x0 > 0
        return torch.stack([x[:, 0] + (-x[:, 0]).relu() * x[:, 1], x[:, 0] + x[:, 0].relu() * x[:, 1]], dim=1)

    x = torch.tensor([[1.0, 1], [-1, 1]])
    assert axioms.sensitivity_b(IG, f, x, None, torch.tensor([0, 1]), dummy=1).holds
    with pytest.raises(ValueError, match="does not depend on feature 1, but"):
        axioms.sensitivity_b(IG, f, x, None, torch.tensor([1, 0]), dummy=1)


def test_your_own_case_may_be_in_float64():
    f, g = igteach.toy(lambda x, y: x * y), igteach.toy(lambda x, y: x - y)
    assert axioms.linearity(IG, f, g, torch.tensor([[1.0, 2]], dtype=torch.float64)).holds


def test_shares_that_cancel_are_complete():
    result = axioms.completeness(IG, igteach.toy(lambda x, y: x - y), torch.ones(1, 2))
    assert result.holds
    assert result.gap < 1e-3


XY, TWO = igteach.toy(lambda x, y: x * y), torch.tensor([[1.0, 2]])
FALSE_CLAIMS = [
    (lambda: axioms.sensitivity_a(IG, XY, TWO), "differ in .2. features"),
    (lambda: axioms.sensitivity_a(IG, XY, TWO, TWO), "differ in .0."),
    (lambda: axioms.sensitivity_a(IG, XY, torch.tensor([[1.0, 0]]), 0.0), "F is the same"),
    (lambda: axioms.sensitivity_b(IG, XY, TWO, dummy=1), "does not depend on feature 1, but"),
    (lambda: axioms.sensitivity_b(IG, XY, TWO, dummy=2), "feature 2 was named, but x has 2"),
    (lambda: axioms.sensitivity_b(IG, XY, TWO), "needs f, x, dummy"),
    (lambda: axioms.implementation_invariance(IG, XY, igteach.toy(lambda x, y: x + y), TWO), "f equals g, but"),
    (lambda: axioms.implementation_invariance(IG, XY, None, TWO), "needs f, x, g"),
    (lambda: axioms.linearity(IG, XY, nn.Linear(2, 1), TWO), r"f returns shape \(\d,\), g \(\d, 1\)"),
    (lambda: axioms.symmetry(IG, XY, TWO, pair=(0, 1)), "x differs between features 0 and 1"),
    (lambda: axioms.symmetry(IG, XY, TWO * 0 + 1, TWO, pair=(0, 1)), "baseline differs"),
    (lambda: axioms.symmetry(IG, igteach.toy(lambda x, y: x), TWO * 0 + 1, pair=(0, 1)), "alike, but"),
    (lambda: axioms.completeness(IG, x=TWO), "needs f, x"),
    (lambda: axioms.completeness(IG, f=XY), "needs f, x"),
    (lambda: axioms.completeness(IG, XY, TWO.int()), "x is torch.int32"),
]


@pytest.mark.parametrize(("call", "message"), FALSE_CLAIMS)
def test_a_case_that_does_not_fit_the_axiom_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize("axiom", AXIOMS)
@pytest.mark.parametrize(
    ("method", "message"),
    [
        (lambda *a, **k: IG(*a, **k).values, "returned Tensor on"),
        (lambda *a, **k: None, "returned NoneType on"),
        (changed(lambda values: values[:, :0]), r"shape \(1, 0\)"),
        (changed(lambda values: values.sum()), r"shape \(\); they must have x's"),
        (changed(lambda values: values * torch.nan), "attributions"),
    ],
)
def test_a_method_without_a_proper_answer_is_refused(axiom, method, message):
    with pytest.raises((TypeError, ValueError), match=message):
        AXIOMS[axiom](method)


def test_a_method_without_residual_can_be_judged():
    def bare(f, x, baseline=None, target=None):
        return Attribution(IG(f, x, baseline, target).values, torch.zeros(len(x)), None, evaluations=1)

    assert broken(bare) == set()


def layers_only(f, x, baseline=None, target=None):
    if any(isinstance(layer, cases.Formula) for layer in f.modules()):
        raise NotImplementedError("no rule for a product")
    return IG(f, x, baseline, target)


def never(f, x, baseline=None, target=None):
    raise NotImplementedError("no rule for anything")


def test_what_a_method_cannot_take_is_neither_kept_nor_broken():
    part, none = axioms.completeness(layers_only), axioms.completeness(never)
    assert part.holds is True
    assert part.not_applicable == {"xy + z": "no rule for a product"}
    assert (none.holds, none.gap, none.counterexample, len(none.not_applicable)) == (None, None, None, 7)
    with pytest.raises(AssertionError, match=r"not put to xy \+ z: no rule for anything"):
        none.assert_holds()


def test_checks_draw_no_random_numbers():
    before = torch.get_rng_state()
    axiom_table({"IG": IG})
    assert torch.equal(before, torch.get_rng_state())


def test_table_says_as_text_what_the_data_say():
    table = axiom_table({"IG": IG, "<gradient>": igteach.gradient, "layers only": layers_only, "never": never})
    lines = str(table).splitlines()
    for line, results in zip(lines[1:5], table.results.values(), strict=True):
        assert [line.count(mark) for mark in "✓✗"] == [
            sum(result.holds is verdict for result in results.values()) for verdict in (True, False)
        ]
    assert "<gradient>, sensitivity (a): on 1 - ReLU(1 - x) at x = 2 against 0" in str(table)
    assert table.results["<gradient>"]["sensitivity_a"].counterexample is not None


def test_rounded_hides_noise_and_large_inputs():
    shown = [cases.rounded(torch.tensor(v, dtype=torch.float64)) for v in (1.0000001, -1e-9, 0.66666, 12345.0)]
    assert shown == ["1", "0", "0.667", "1.23e+04"]
    assert cases.rounded(torch.zeros(1, 8, 8)) == "an input of shape (1, 8, 8)"


def test_a_result_does_not_pass_for_a_truth_value():
    with pytest.raises(TypeError, match=r"ask its \.holds"):
        bool(axioms.completeness(igteach.gradient))
