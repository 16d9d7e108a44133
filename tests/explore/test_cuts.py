"""The cuts explorer cuts the cells that lesson 05 cuts, and its errors are those of the shares."""

import numpy as np
import pytest
import torch

import igteach
from igteach import explore
from igteach.datasets import load_digits
from igteach.explore.cuts import COUNTS
from igteach.models import digits


@pytest.fixture(scope="module")
def digit():
    f, x = igteach.probability(digits.load_flat("cpu").double()), load_digits().x_test[239:240].double()
    return f, x, int(f(x).argmax())


def test_the_cuts_are_those_of_the_lesson_and_so_are_their_errors(digit):
    f, x, target = digit
    data = explore.cuts_explorer(f, x, 0.0, target).data
    truth = igteach.integrated_gradients(f, x, 0.0, target, steps=729).values
    nodes, widths = (torch.arange(9, dtype=torch.float64) + 0.5) / 9, torch.full((9,), 1 / 9, dtype=torch.float64)
    for cuts, count in enumerate(COUNTS):
        g = x * igteach.gradient(f, nodes.view(-1, 1, 1, 1) * x, target=target).values
        shares = (widths.view(-1, 1, 1, 1) * g).sum(0)
        equal = igteach.integrated_gradients(f, x, 0.0, target, steps=count, rule="midpoint").values
        for line, values in enumerate((shares, equal)):
            error = (values - truth).abs().sum() / truth.abs().sum()
            assert data["errors"][line][cuts] == pytest.approx(error.item(), rel=1e-4)
        assert len(nodes) == count
        apart = torch.zeros(len(nodes) + 1, dtype=torch.float64)
        apart[1:-1] = g.flatten(1).diff(dim=0).abs().sum(1)
        k = int((widths * (apart[:-1] + apart[1:])).argmax())
        assert data["cut"][cuts] == k
        third = widths[k] / 3
        nodes = torch.cat([nodes[:k], torch.stack([nodes[k] - third, nodes[k], nodes[k] + third]), nodes[k + 1 :]])
        widths = torch.cat([widths[:k], third.repeat(3), widths[k + 1 :]])


def test_slopes_are_those_of_f_along_the_path(f):
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    data = explore.cuts_explorer(f, x, torch.tensor([[0.0, -1.0]]), None).data
    alphas = (np.arange(729) + 0.5) / 729
    assert np.allclose(data["slopes"], 20 * alphas - 6, rtol=1e-5, atol=1e-5)
    assert data["change"] == pytest.approx(4)


def test_a_linear_function_is_cut_somewhere_and_has_no_error():
    data = explore.cuts_explorer(lambda x: x.sum(1), torch.ones(1, 3), None, None).data
    assert max(max(line) for line in data["errors"]) < 1e-6
    assert len(data["cut"]) == len(COUNTS)


def test_several_examples_and_no_shares_are_refused(f):
    with pytest.raises(ValueError, match="x has 2 rows; pass one example"):
        explore.cuts_explorer(f, torch.rand(2, 3), None, None)
    with pytest.raises(ValueError, match="every share is 0"):
        explore.cuts_explorer(lambda x: 0 * x.sum(1), torch.rand(1, 3), None, None)
