"""Functions of pictures whose shares are known, and what a live figure's data hold."""

import base64
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from igteach.show import Figure


def squares(x: Tensor) -> Tensor:
    """F = the sum of the squares: the share of a pixel against black is its square."""
    return x.flatten(1).square().sum(1)


@pytest.fixture
def f():
    return squares


@pytest.fixture
def unpacked():
    """A function from packed maps to the maps, (N, rows, columns), as `igteachLive.decode` reads them."""

    def decode(maps: dict[str, Any]) -> np.ndarray:
        return np.frombuffer(base64.b64decode(maps["values"]), np.int8).reshape(maps["shape"]) * maps["step"]

    return decode


@pytest.fixture
def shown():
    """A function from a figure and a title to the array drawn under that title."""

    def find(figure: Figure, title: str) -> np.ndarray:
        (pane,) = [axes for axes in figure.canvas.axes if axes.get_title() == title]
        return np.asarray(pane.images[0].get_array())

    return find
