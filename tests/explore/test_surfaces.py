"""The functions that a page walks over have the shares that their closed forms say."""

import pytest
import torch

import igteach
from igteach import explore
from igteach.explore.surfaces import SURFACES

BELOW_ONE = 1 / 3  # of the way from (0, 0) to (1, 2) the alarm's slope is 1


@pytest.mark.parametrize(
    ("name", "stops", "shares"),
    [
        ("product", [(0.0, 0.0), (1.0, 1.0)], (0.5, 1.5)),
        ("product", [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], (0.0, 2.0)),
        ("product", [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)], (1.0, 1.0)),
        ("alarm", [(0.0, 0.0), (1.0, 2.0)], (BELOW_ONE, 2 * BELOW_ONE)),
        ("alarm", [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], (1.0, 0.0)),
        ("smaller", [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], (0.0, 1.0)),
        ("smaller", [(0.0, 0.0), (0.5, 1.0)], (0.5, 0.0)),
        ("smaller", [(0.0, 0.0), (1.0, 1.0)], (0.5, 0.5)),
    ],
)
def test_the_shares_along_a_path_are_those_of_the_closed_form(name, stops, shares):
    _, f = SURFACES[name]
    points = torch.tensor(stops, dtype=torch.float64)
    legs = igteach.integrated_gradients(f, points[1:], points[:-1], steps=3000)
    assert legs.values.sum(0).tolist() == pytest.approx(shares, abs=1e-3)


def test_the_words_for_a_function_are_that_function():
    point = torch.tensor([[0.3, 0.4]])
    x1, x2 = 0.3, 0.4
    for words, f in SURFACES.values():
        python = words.replace("x1 x2", "x1 * x2")
        value = eval(python, {"x1": x1, "x2": x2, "min": min, "ReLU": lambda z: max(z, 0.0)})
        assert f(point).item() == pytest.approx(value)


def test_the_figure_holds_the_points_and_shows_the_straight_path():
    figure = explore.surface_explorer((0.0, 0.1), (1.0, 0.0), (1.0, 0.8))
    assert figure.data["points"] == {"baseline": [0.0, 0.1], "corner": [1.0, 0.0], "x": [1.0, 0.8]}
    assert figure.data["functions"].keys() == SURFACES.keys()
    assert "with a path from (0, 0.1) to (1, 0.8)" in figure.still.alt


def test_a_point_outside_is_refused():
    with pytest.raises(ValueError, match=r"corner is \(2.0, 0.0\); pass two numbers from -0.2 to 1.3"):
        explore.surface_explorer((0.0, 0.0), (2.0, 0.0), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"x is \(1.0,\); pass two numbers"):
        explore.surface_explorer((0.0, 0.0), (1.0, 0.0), (1.0,))
