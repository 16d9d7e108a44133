"""Panes describe themselves, and lie side by side without touching."""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from igteach.show.palette import WHITE_IS_ZERO
from igteach.show.panes import Heatmap, Lines, Picture, board

ACROSS = np.array([1.0, 2.0, 4.0])
CURVES = {"one": (ACROSS, np.array([1.0, 5.0, 2.0])), "two": (ACROSS[:2], np.array([3.0, 1.0]))}
PANES = (
    Picture("a picture", np.zeros((4, 6, 3), np.uint8)),
    Heatmap("a map", np.array([[1.0, -1.0], [0.0, 3.0]]), 2.0, "share of F"),
    Lines("curves", CURVES, (2.0, 5.0), "alpha", (0.5, 6.0)),
    Lines("logarithmic", CURVES, (2.0, 5.0), "steps", (0.5, 6.0), logarithmic=True),
)


def test_the_alt_text_tells_of_each_pane():
    assert board(*PANES).alt == (
        "4 panes. a picture. a map: strongest in row 2, column 2 of 2 by 2, about 80% of its mass positive. "
        "curves: one goes from 1 to 2, on the way up to 5; two goes from 3 to 1; marked at alpha 2. "
        "logarithmic: one does not fall; two falls; marked at steps 2."
    )


def test_the_strongest_colour_is_the_one_that_was_given():
    pane = board(PANES[1]).canvas.axes[0]
    np.testing.assert_allclose(pane.images[0].get_array()[1, 1], WHITE_IS_ZERO(1.0)[:3])
    np.testing.assert_allclose(pane.images[0].get_array()[0, 0], WHITE_IS_ZERO(0.75)[:3])
    assert [label.get_text() for label in pane.child_axes[0].get_xticklabels()] == ["-2", "0", "2"]


def test_panes_with_their_labels_do_not_touch_nor_leave_the_figure():
    canvas = board(*PANES).canvas
    renderer = FigureCanvasAgg(canvas).get_renderer()
    canvas.draw(renderer)
    boxes = [axes.get_tightbbox(renderer) for axes in canvas.axes]
    assert len(boxes) == 4
    for one, other in combinations(boxes, 2):
        assert one.x1 < other.x0 or other.x1 < one.x0 or one.y1 < other.y0 or other.y1 < one.y0
    width, height = canvas.get_size_inches() * canvas.dpi
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)


def test_a_key_of_two_lines_lies_below_the_scales_of_the_maps():
    ghost = np.linspace(0, 1, 128 * 128).reshape(128, 128)
    large = Heatmap("a map", np.random.default_rng(0).normal(size=(128, 128)), 2.0, "share of F", ghost)
    canvas = board(large, large).canvas
    renderer = FigureCanvasAgg(canvas).get_renderer()
    canvas.draw(renderer)
    (key,) = canvas.texts
    assert "\n" in key.get_text()
    assert all(axes.get_tightbbox(renderer).y0 > key.get_window_extent(renderer).y1 for axes in canvas.axes)
