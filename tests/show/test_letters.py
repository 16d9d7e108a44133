"""No figure has letters smaller than the least size, which the book shows 12 pixels tall."""

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from igteach import Attribution, show
from igteach.show.panes import Heatmap, Lines, board
from igteach.show.plates import SMALL

ACROSS = np.array([1.0, 2.0, 4.0])
MAP = np.array([[1.0, -1.0], [0.0, 3.0]])


def answer(values, **fields):
    total = values.reshape(len(values), -1).sum(1, dtype=torch.float64)
    return Attribution(values, total, torch.zeros_like(total), 1, **fields)


FIGURES = {
    "bars": lambda: show.bars(["a", "b"], {"one": [1.0, 2.0], "two": [0.5, 1.0]}, ylabel="F"),
    "bars of one group": lambda: show.bars(["a", "b"], {"one": [1.0, 2.0]}, ylabel="F"),
    "intervals": lambda: show.intervals({"IG": (0.5, 0.25, 0.75)}, xlabel="deletion"),
    "curves": lambda: show.curves(ACROSS, {"one": ACROSS, "two": 1 / ACROSS}, xlabel="a", ylabel="b"),
    "numbered matrix": lambda: show.matrix(torch.tensor(MAP), ["x", "y"], ["u", "v"], unit="share"),
    "large matrix": lambda: show.matrix(
        torch.randn(4, 30, generator=torch.Generator().manual_seed(0)),
        list("abcd"),
        list(map(str, range(30))),
        unit="F",
    ),
    "heatmaps": lambda: show.heatmaps({"map": MAP}),
    "a row of a table": lambda: show.attribution(answer(torch.tensor([[0.25, -2.0]]), feature_names=("age", "dose"))),
    "a long row": lambda: show.attribution(answer(torch.linspace(-1, 1, 60)[None])),
    "a picture": lambda: show.attribution(answer(torch.tensor(MAP)[None, None])),
    "panes": lambda: board(
        Heatmap("a map", MAP, 2.0, "share of F"),
        Lines("curves", {"one": (ACROSS, ACROSS)}, (2.0, 2.0), "alpha", (0.5, 6.0)),
        Lines("logarithmic", {"one": (ACROSS, ACROSS)}, (2.0, 2.0), "steps", (0.5, 6.0), logarithmic=True),
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_letters_are_no_smaller_than_the_book_shows_well(name):
    canvas = FIGURES[name]().canvas
    canvas.draw_without_rendering()
    written = [text for text in canvas.findobj(Text) if text.get_text() and text.get_visible()]
    assert written
    small = {text.get_text(): text.get_fontsize() for text in written if text.get_fontsize() < SMALL}
    assert small == {}
