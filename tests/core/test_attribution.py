"""An answer says how far it can be trusted, in one line, and never NaN."""

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from igteach import Attribution, integrated_gradients
from igteach.core.attribution import all_finite, l1_norm, leaves


def answer(values, f_input, f_baseline, dtype=torch.float64):
    numbers = [torch.tensor(value, dtype=dtype) for value in (values, f_input)]
    return Attribution(*numbers, None if f_baseline is None else torch.tensor(f_baseline, dtype=dtype), evaluations=7)


def test_residual_is_the_sum_of_values_less_the_difference_of_F():
    a = answer([[[1.0, 2.0], [3.0, -1.0]], [[0.0, 0.0], [0.0, 0.5]]], [4.0, 1.0], [1.0, 1.0])
    assert a.residual.tolist() == [2.0, 0.5]
    assert a.relative_residual[0].item() == pytest.approx(2 / 3)


def test_the_sum_of_half_precision_values_is_taken_in_double_precision():
    values = torch.full((1, 100_000), 2.0**-10, dtype=torch.float16)
    total = torch.tensor([100_000 / 1024], dtype=torch.float64)
    assert Attribution(values, total, torch.zeros(1, dtype=torch.float64), 1).residual.item() == 0.0


@pytest.mark.parametrize(
    ("total", "verdict"),
    [
        (1.0, "complete"),
        (1.009, "complete"),
        (0.97, "roughly complete"),
        (1.06, "NOT complete"),
        (-1.0, "NOT complete"),
    ],
)
def test_verdict_goes_by_the_residual(total, verdict):
    a = answer([[total]], [1.0], [0.0])
    assert a.verdict.split(":")[0] == verdict
    assert verdict in repr(a)


def test_verdict_and_repr_speak_of_the_worst_example():
    a = answer([[1.0], [0.5], [1.0]], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0])
    assert a.verdict.startswith("NOT complete")
    assert repr(a).startswith("Attribution(residual -0.5, 50.0% of F(x) - F(x') (worst of 3): NOT complete")


def test_repr_is_one_line_with_the_residual_first():
    a = answer([[0.25, 0.5]], [1.0], [0.25])
    expected = "Attribution(residual +0, 0.0% of F(x) - F(x'): complete; shape (1, 2), 7 gradients an example)"
    assert repr(a) == expected


def test_repr_of_a_gradient_says_that_it_promises_no_completeness():
    a = answer([[0.25, 0.5]], [1.0], None)
    assert a.residual is None
    assert a.relative_residual is None
    assert repr(a).startswith("Attribution(no residual; a gradient: promises no completeness")
    assert "\n" not in repr(a)


@pytest.mark.parametrize(
    ("error", "word", "verdict"),
    [
        (0.002, "error below 1%", "complete"),
        (0.032, "error about 3%", "complete"),
        (0.2, "error about 20%", "adds up, but"),
    ],
)
def test_a_small_residual_is_no_proof_where_the_error_estimate_is_large(error, word, verdict):
    a = replace(answer([[1.0], [1.0]], [1.0, 1.0], [0.0, 0.0]), error_estimate=torch.tensor([0.0, error]))
    assert a.verdict.startswith(verdict)
    assert f"{word}: {verdict}" in repr(a)


def test_a_large_residual_is_not_complete_whatever_the_error_estimate():
    assert replace(answer([[1.5]], [1.0], [0.0]), error_estimate=torch.zeros(1)).verdict.startswith("NOT complete")


def test_repr_counts_the_examples_that_did_not_converge():
    a = answer([[1.0], [1.0]], [1.0, 1.0], [0.0, 0.0])
    assert "1 of 2 NOT converged" in repr(replace(a, converged=torch.tensor([True, False])))
    assert "converged" not in repr(replace(a, converged=torch.tensor([True, True])))


@pytest.mark.parametrize("f_baseline", [[0.0], None])
def test_html_is_one_line_and_says_the_same_as_repr(f_baseline):
    a = answer([[1.0]], [1.0], f_baseline)
    html = a._repr_html_()
    assert "\n" not in html
    assert html.startswith("<code>")
    assert html.endswith("</code>")
    assert repr(a) in html


number = st.floats(-1e6, 1e6, width=32)


@given(st.lists(number, min_size=1, max_size=4), number, number, st.sampled_from([torch.float32, torch.float64]))
def test_relative_residual_is_a_number_whatever_the_values(values, f_input, f_baseline, dtype):
    a = answer([values], [f_input], [f_baseline], dtype)
    assert 0 <= a.relative_residual.item() < 1e7
    assert "nan" not in repr(a)
    assert "inf" not in repr(a)


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_no_difference_and_no_attributions_count_as_complete(level):
    a = answer([[0.0, 0.0]], [level], [level])
    assert a.relative_residual.item() == 0.0
    assert a.verdict == "complete"


def test_large_shares_that_do_not_cancel_where_F_did_not_move_are_not_complete():
    assert answer([[20.0, 30.0]], [0.0], [0.0]).verdict.startswith("NOT complete")


def test_rounding_of_large_shares_that_cancel_is_no_residual():
    a = answer([[3.0, -3.0 + 2e-7]], [0.0], [0.0], torch.float32)
    assert a.residual.item() != 0.0
    assert a.verdict == "complete"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="overflow"):
        answer([[1.0, bad]], [1.0], [0.0])


def test_an_answer_cannot_be_changed():
    with pytest.raises(AttributeError):
        answer([[1.0]], [1.0], [0.0]).values = torch.zeros(1, 1)


IMAGE = torch.tensor([[[1.0, -2.0]], [[0.5, 0.0]]], dtype=torch.float16)
AGE = torch.tensor([[4.0], [1.0]], dtype=torch.float64)
FORMS = {"tuple": (IMAGE, AGE), "dict": {"image": IMAGE, "age": AGE}}


def of_several(values):
    return Attribution(values, torch.tensor([3.0, 2.0]), torch.tensor([0.0, 0.0]), evaluations=7)


@pytest.mark.parametrize("values", FORMS.values(), ids=FORMS)
def test_sums_and_norms_go_over_all_tensors_of_several_inputs(values):
    a = of_several(values)
    assert a.residual.tolist() == [0.0, -0.5]
    assert a.relative_residual.tolist() == [0.0, 0.25]
    assert l1_norm(values).tolist() == [7.0, 1.5]
    assert a.verdict.startswith("NOT complete")
    assert all_finite(values)
    assert leaves(values)[0] is IMAGE
    assert leaves(values)[1] is AGE


def test_the_sum_over_several_inputs_is_taken_in_double_precision():
    values = (torch.tensor([[1e8]]), torch.tensor([[1.0]]), torch.tensor([[-1e8]]))
    assert Attribution(values, torch.ones(1), torch.zeros(1), 1).residual.item() == 0.0


def test_repr_names_the_shape_of_each_input():
    assert "shapes (2, 1, 2), (2, 1), 7 gradients" in repr(of_several(FORMS["tuple"]))
    assert "shapes image (2, 1, 2), age (2, 1), 7 gradients" in repr(of_several(FORMS["dict"]))


def test_html_shows_the_name_of_an_input_as_text():
    assert "&lt;b&gt; (2, 1)" in of_several({"<b>": AGE})._repr_html_()


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([IMAGE], TypeError, "values is list; pass a tensor, or a tuple or dict"),
        ((IMAGE, 2.0), TypeError, "values is a tuple with float; pass tensors"),
        ({0: IMAGE}, TypeError, "values is a dict with key 0; pass tensors, and str keys"),
        ((), ValueError, "values is an empty tuple"),
        ((IMAGE, AGE[:1]), ValueError, r"shape \(2, 1, 2\), \(1, 1\); pass tensors with one batch axis"),
        ((IMAGE, AGE / 0), ValueError, "overflow torch.float64"),
    ],
)
def test_values_of_another_form_are_named(values, error, message):
    with pytest.raises(error, match=message):
        of_several(values)


@pytest.mark.parametrize(
    ("names", "values", "error", "message"),
    [
        (("a",), [[1.0, 2.0]], ValueError, r"1 names, and values has shape \(1, 2\); pass a name for each place"),
        (["a", "b"], [[1.0, 2.0]], TypeError, r"\['a', 'b'\]; pass a tuple of strings"),
        (("a", 1), [[1.0, 2.0]], TypeError, "pass a tuple of strings"),
        (("a",), [1.0], ValueError, r"shape \(1,\)"),
    ],
)
def test_feature_names_must_fit_the_last_axis(names, values, error, message):
    with pytest.raises(error, match=message):
        replace(answer(values, [1.0], [0.0]), feature_names=names)


def test_feature_names_are_of_one_tensor():
    with pytest.raises(ValueError, match="2 names, and values is a dict; names are for the last axis"):
        replace(of_several(FORMS["dict"]), feature_names=("a", "b"))


def test_names_that_fit_are_kept():
    assert replace(answer([[1.0, 2.0]], [3.0], [0.0]), feature_names=("a", "b")).feature_names == ("a", "b")


def several(form=lambda values: values, **fields):
    """Three examples of which each number tells the example."""
    values = torch.arange(6.0, dtype=torch.float64).view(3, 2)
    return Attribution(form(values), values.sum(1), torch.zeros(3, dtype=torch.float64), 5, **fields)


EVIDENCE = {
    "error_estimate": torch.tensor([0.1, 0.2, 0.3]),
    "converged": torch.tensor([True, False, True]),
    "path_values": tuple(torch.full((2, points), float(points)) for points in (4, 5, 6)),
    "feature_names": ("a", "b"),
}


@pytest.mark.parametrize("number", [0, 1, 2, -1, -3])
def test_an_example_is_a_batch_of_one_with_all_that_belongs_to_it(number):
    whole = several(**EVIDENCE)
    one, place = whole.example(number), number % 3
    assert torch.equal(one.values, whole.values[place][None])
    assert one.f_input.tolist() == [whole.f_input[place]]
    assert one.f_baseline.tolist() == [0]
    assert one.residual.tolist() == [0]
    assert one.error_estimate.tolist() == [whole.error_estimate[place]]
    assert one.converged.tolist() == [whole.converged[place]]
    assert [path.tolist() for path in one.path_values] == [whole.path_values[place].tolist()]
    assert one.feature_names == ("a", "b")
    assert one.evaluations == 5
    assert one.example(0).values.tolist() == one.values.tolist()


def test_an_example_of_what_has_no_evidence_has_none():
    one = several().example(1)
    assert (one.error_estimate, one.converged, one.path_values, one.feature_names) == (None, None, None, None)
    assert replace(several(), f_baseline=None).example(1).residual is None


def test_an_example_has_its_own_count_of_gradients():
    whole = replace(several(), evaluations=torch.tensor([7, 8, 9]))
    assert whole.example(2).evaluations.tolist() == [9]
    assert "9 gradients" in repr(whole.example(2))


def test_an_example_of_several_inputs_has_each_of_them():
    pair = several(lambda values: (values, values[:, :1])).example(1)
    assert [tensor.tolist() for tensor in pair.values] == [[[2.0, 3.0]], [[2.0]]]
    named = several(lambda values: {"x": values, "y": values[:, :1]}).example(1)
    assert {name: tensor.tolist() for name, tensor in named.values.items()} == {"x": [[2.0, 3.0]], "y": [[2.0]]}


def test_examples_of_a_call_are_those_of_calls_for_each():
    f = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).double()
    x = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]]).double()
    together = integrated_gradients(f, x)
    for number in range(3):
        alone, one = integrated_gradients(f, x[number : number + 1]), together.example(number)
        torch.testing.assert_close(one.values, alone.values)
        torch.testing.assert_close(one.f_input, alone.f_input)
        torch.testing.assert_close(one.error_estimate, alone.error_estimate)
        assert int(torch.as_tensor(one.evaluations)) == int(torch.as_tensor(alone.evaluations))
        torch.testing.assert_close(one.path_values[0], alone.path_values[0])


@pytest.mark.parametrize("number", [3, -4, 1.0, True, None, "0"])
def test_an_example_that_is_not_there_is_refused(number):
    with pytest.raises(ValueError, match=re.escape(f"example is {number!r}, and the answer has 3; pass 0 to 2")):
        several().example(number)
