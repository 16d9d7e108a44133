"""Functions of pictures whose shares are known, and what a figure shows."""

import numpy as np
import pytest
from torch import Tensor


def squares(x: Tensor) -> Tensor:
    """F = the sum of the squares: the share of a pixel against black is its square."""
    return x.flatten(1).square().sum(1)


@pytest.fixture
def f():
    return squares


@pytest.fixture
def shown():
    """A function from a figure and a title to the array drawn under that title."""

    def find(figure, title) -> np.ndarray:
        (pane,) = [axes for axes in figure.canvas.axes if axes.get_title() == title]
        return np.asarray(pane.images[0].get_array())

    return find
