"""Cells: what is cut, what is kept, and what F gives away."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from igteach.core.partition import FIRST_CELLS, Partition, rounded
from igteach.core.quadrature import nodes_and_weights


def partition(f=np.sin, cells=FIRST_CELLS, slope=np.cos):
    """Equal cells of one example, with F at their nodes and ends, its slopes, and a gradient of one number each."""
    made = Partition(0, *(each.numpy() for each in nodes_and_weights("midpoint", cells)), float(f(0.0)), float(f(1.0)))
    made.f, made.slopes = f(made.nodes), slope(made.nodes)
    made.gradients = [torch.tensor([value]) for value in made.slopes]
    return made


@given(st.lists(st.integers(0, 8), unique=True, max_size=9), st.integers(0, 2**31))
def test_a_cut_cell_becomes_three_and_the_middle_keeps_what_is_known(chosen, seed):
    cells = partition()
    before = dict(zip(cells.nodes, cells.gradients, strict=True))
    cells.cut(chosen)
    assert len(cells) == 9 + 2 * len(chosen)
    ends = np.cumsum(cells.widths)
    np.testing.assert_allclose(cells.nodes, ends - cells.widths / 2, atol=1e-15)
    assert ends[-1] == pytest.approx(1)
    kept = {node: gradient for node, gradient in zip(cells.nodes, cells.gradients, strict=True) if gradient is not None}
    assert kept == before
    assert len(cells.missing) == 2 * len(chosen)
    assert np.isnan(cells.f[cells.missing]).all()


def test_the_cell_whose_gradient_differs_most_is_cut_first():
    cells = partition()
    distances = np.zeros(8)
    distances[5] = 1.0  # between the cells 5 and 6
    cells.slopes[:] = np.nan
    cells.judge(distances)
    assert sorted(np.flatnonzero(cells.indicators)) == [5, 6]
    assert cells.to_cut(1) == [5]  # of equals, the smaller alpha
    assert cells.to_cut(9) == [5, 6]
    assert cells.to_cut(0) == []


def test_where_F_changes_though_the_gradients_do_not_a_cell_is_cut():
    cells = partition(f=lambda a: np.where(np.asarray(a) < 0.6, 0.0, 1.0), slope=lambda a: 0.0 * a)
    cells.judge(np.zeros(8))
    assert sorted(np.flatnonzero(cells.indicators)) == [4, 5]  # around 0.6
    assert cells.to_cut(9) == [4, 5]


def test_what_F_does_before_the_first_node_is_seen():
    cells = partition(f=lambda a: np.where(np.asarray(a) <= 0, 0.0, 1.0), slope=lambda a: 0.0 * a)
    cells.judge(np.zeros(8))
    assert cells.to_cut(1) == [0]


def test_cells_that_are_closed_or_too_narrow_for_more_nodes_are_left():
    cells = partition()
    cells.judge(np.ones(8))
    cells.is_closed[:] = True
    assert cells.to_cut(9) == []
    cells = partition()
    for _ in range(40):
        cells.cut([len(cells) - 1])
    cells.judge(np.ones(len(cells) - 1))
    assert all(cells.widths[cell] > 1e-12 for cell in cells.to_cut(len(cells)))


def test_towards_alpha_0_cells_may_be_as_narrow_as_it_takes():
    cells = partition()
    for _ in range(60):
        cells.cut([0])
    assert (np.diff(cells.nodes) > 0).all()
    assert cells.nodes[0] > 0


def test_a_closed_cell_keeps_a_sample_of_its_gradient():
    cells = partition()
    cells.gradients = [torch.arange(6.0) + i for i in range(9)]
    cells.close([2], torch.tensor([7.0]), torch.tensor([1, 4]))
    cells.close([3], torch.tensor([1.0]), torch.tensor([1, 4]))
    assert cells.gradients[2].tolist() == [3, 6]
    assert cells.kept == 7
    assert cells.counted.item() == 8


def test_numbers_are_rounded_to_three_digits_so_that_another_machine_ranks_them_alike():
    numbers = np.array([0.0, 1.23456, 98765.0, 1e-200, 4.4444e-7])
    np.testing.assert_allclose(rounded(numbers), [0, 1.23, 98800, 1e-200, 4.44e-7], rtol=1e-12)
    assert (rounded(numbers * (1 + 1e-9)) == rounded(numbers)).all()
