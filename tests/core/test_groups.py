"""Shares added up by groups: against a loop, complete as before, and with an error estimate that still holds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import igteach
from igteach import Attribution
from igteach.core.error_estimate import error_scale


def answer(values, **fields):
    """An answer that adds up."""
    f_input = values.flatten(1).sum(1, dtype=torch.float64)
    return Attribution(values, f_input, torch.zeros_like(f_input), 1, **fields)


def sums_by_loop(values, groups, count):
    """One share at a time, in double precision."""
    groups = torch.as_tensor(groups).expand(values.shape)
    sums = np.zeros((len(values), count))
    for place in np.ndindex(*values.shape):
        sums[place[0], int(groups[place])] += float(values[place])
    return sums


SHAPES = [
    ((2, 7), (7,)),
    ((3, 2, 4, 5), (4, 5)),
    ((3, 2, 4, 5), (2, 1, 5)),
    ((3, 2, 4, 5), (3, 1, 4, 5)),
    ((2, 6), (1,)),
]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(SHAPES), st.sampled_from([torch.float16, torch.float32, torch.float64]))
def test_random_masks_agree_with_a_loop_and_keep_the_residual(seed, shapes, dtype):
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(shapes[0], generator=draw).to(dtype)
    groups = torch.randint(5, shapes[1], generator=draw)
    whole = replace(answer(values), f_input=torch.randn(len(values), generator=draw).double())
    grouped = whole.grouped(groups)
    np.testing.assert_allclose(
        grouped.values, sums_by_loop(values, groups, grouped.values.shape[1]), rtol=1e-12, atol=1e-12
    )
    torch.testing.assert_close(grouped.residual, whole.residual, rtol=1e-12, atol=1e-12)
    assert grouped.f_input is whole.f_input


def test_sums_of_half_precision_neither_round_nor_overflow():
    values = torch.full((1, 1000), 100.0, dtype=torch.float16)
    assert answer(values).grouped(torch.zeros(1000, dtype=torch.int8)).values.tolist() == [[100_000.0]]


def test_a_numpy_array_a_list_and_a_bool_mask_are_groups():
    values = torch.tensor([[1.0, 2.0, 4.0]])
    assert answer(values).grouped(np.array([1, 0, 1])).values.tolist() == [[2.0, 5.0]]
    assert answer(values).grouped([2, 0, 2]).values.tolist() == [[2.0, 0.0, 5.0]]
    assert answer(values).grouped(torch.tensor([False, True, True])).values.tolist() == [[1.0, 6.0]]


def test_names_are_those_of_the_groups():
    a = answer(torch.tensor([[1.0, 2.0, 4.0]]), feature_names=("age", "city A", "city B"))
    assert a.grouped([0, 1, 1], names=["age", "city"]).feature_names == ("age", "city")
    assert a.grouped([0, 1, 1]).feature_names is None


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_groups_may_reach_over_several_inputs(form):
    values = {"image": torch.ones(2, 1, 2, 2), "age": torch.tensor([[8.0], [16.0]])}
    groups = {"image": torch.tensor([[0, 0], [0, 1]]), "age": [1]}
    if form == "tuple":
        a = Attribution(tuple(values.values()), torch.zeros(2), None, 1).grouped(tuple(groups.values()))
    else:
        a = Attribution(values, torch.zeros(2), None, 1).grouped(dict(reversed(groups.items())))
    assert a.values.tolist() == [[3.0, 9.0], [3.0, 17.0]]


def test_the_estimate_is_the_same_error_over_what_the_groups_are():
    a = answer(torch.tensor([[3.0, 1.0], [3.0, -1.0]]), error_estimate=torch.tensor([0.1, 0.1]))
    assert a.grouped([0, 0]).error_estimate.tolist() == pytest.approx([0.1, 0.2])
    cancelled = answer(torch.tensor([[3.0, -3.0]]), error_estimate=torch.tensor([0.1]))
    assert cancelled.grouped([0, 0]).error_estimate.item() > 1e6
    assert "NOT settled" in cancelled.grouped([0, 0]).verdict


@given(st.integers(0, 10**6))
@settings(max_examples=40)
def test_an_estimate_that_is_right_for_the_features_is_no_lower_than_the_truth_for_the_groups(seed):
    draw = torch.Generator().manual_seed(seed)
    values, errors = torch.randn(2, 4, 12, generator=draw, dtype=torch.float64)
    errors *= 0.01
    a = answer(values)
    a = replace(a, error_estimate=errors.abs().sum(1) / error_scale(a))
    groups = torch.randint(3, (12,), generator=draw)
    grouped = a.grouped(groups)
    true_error = np.abs(sums_by_loop(errors, groups, grouped.values.shape[1])).sum(1)
    assert bool((grouped.error_estimate * error_scale(grouped) >= torch.from_numpy(true_error) * (1 - 1e-9)).all())


def test_evidence_stays_and_what_the_groups_no_longer_know_goes():
    a = igteach.integrated_gradients(igteach.toy(lambda x, y: x * y), torch.ones(2, 2))
    grouped = a.grouped([0, 0])
    assert a.converged is not None
    assert grouped.converged is None
    assert grouped.evaluations is a.evaluations
    assert grouped.path_values is a.path_values
    assert grouped.verdict == "complete"
    assert igteach.gradient(igteach.toy(lambda x, y: x * y), torch.ones(1, 2)).grouped([0, 1]).residual is None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_patches_are_squares_numbered_row_by_row(size):
    groups = igteach.groups.patches(4, 7, size)
    columns = -(-7 // size)
    assert groups.tolist() == [[row // size * columns + column // size for column in range(7)] for row in range(4)]


def test_patches_are_those_of_a_convolution_with_that_stride():
    pixels = torch.rand(1, 1, 6, 9, dtype=torch.float64)
    sums = torch.nn.functional.avg_pool2d(pixels, 3).flatten(1) * 9
    torch.testing.assert_close(answer(pixels).grouped(igteach.groups.patches(6, 9, 3)).values, sums)


PICTURE = answer(torch.ones(2, 3, 4, 5))
PAIR = Attribution((torch.ones(2, 3), torch.ones(2, 1)), torch.zeros(2), None, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: PICTURE.grouped(torch.zeros(5, 4).long()), ValueError, r"groups has shape \(5, 4\).*\(3, 4, 5\)"),
        (lambda: PICTURE.grouped(torch.zeros(2, 4, 5).long()), ValueError, r"each example \(2, 3, 4, 5\)"),
        (lambda: PICTURE.grouped(torch.zeros(4, 5)), TypeError, "groups holds torch.float32; pass the number"),
        (lambda: PICTURE.grouped(torch.full((4, 5), -1)), ValueError, "groups holds the group -1; number the groups"),
        (lambda: PICTURE.grouped(torch.ones(4, 5).long(), names=["a"]), ValueError, "1 names, and groups has 2 groups"),
        (lambda: PAIR.grouped([0, 0, 0]), TypeError, r"groups is list, and values is a tuple of \[0, 1\]"),
        (lambda: PAIR.grouped(([0, 0, 0],)), TypeError, r"groups is tuple of \[0\]"),
        (lambda: PAIR.grouped(([0, 0, 0], [-1])), ValueError, r"groups\[1\] holds the group -1"),
        (lambda: igteach.groups.patches(4, 0, 2), ValueError, "width is 0"),
    ],
)
def test_groups_that_do_not_fit_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
