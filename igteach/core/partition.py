"""How [0, 1] is cut into cells for one example, and which of its cells need to be cut further."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from igteach.core.attribution import SMALLEST_DIFFERENCE

FIRST_CELLS = 9  # the cells to begin with: a power of 3, so that no cut moves a node
FEWEST_CUT = 4
SHARE_CUT = 0.4  # of the sum of all indicators, held by the cells that are cut at once
NARROWEST = 1e-12  # of its alpha: a narrower cell has no room for two more nodes in double precision
Numbers = NDArray[np.float64]


class Partition:
    """The cells of one example, each with a node; all arrays are in the order of alpha, (cells,).

    Args:
        example: Its number in the batch.
        nodes: Where the gradients are.
        widths: Of the cells.
        f_start: F at alpha 0.
        f_end: F at alpha 1.

    Attributes:
        f: F at the nodes, NaN where it is not known yet.
        slopes: The derivative of F by alpha at the nodes, or NaN.
        gradients: What is kept of the gradient at each node; None where it is not known yet.
        is_closed: Whether a cell is not to be cut any more, and its gradient is counted and gone but for a sample.
        counted: The weighted sum of the gradients of closed cells.
        indicators: How much each cell needs to be cut, once `judge` has said so.
        error: The error estimate, once `estimate` has said so.
        scale: What the error estimate has to be multiplied by.
    """

    def __init__(self, example: int, nodes: Numbers, widths: Numbers, f_start: float, f_end: float):
        self.example, self.nodes, self.widths, self.f_start, self.f_end = example, nodes, widths, f_start, f_end
        self.f, self.slopes = np.full(len(nodes), np.nan), np.full(len(nodes), np.nan)
        self.gradients: list[Tensor | None] = [None] * len(nodes)
        self.is_closed = np.zeros(len(nodes), dtype=bool)
        self.counted: Tensor | None = None
        self.indicators: Numbers | None = None
        self.error, self.scale = np.inf, 1.0

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def kept(self) -> int:
        """How many gradients are kept."""
        return len(self) - int(self.is_closed.sum())

    @property
    def missing(self) -> list[int]:
        """The cells whose gradient is not known yet."""
        return [i for i, gradient in enumerate(self.gradients) if gradient is None]

    def judge(self, distances: Numbers) -> None:
        """Say how much each cell needs to be cut.

        A cell's indicator is its width times the L1 distances of its gradient from its neighbours'. What the change of
        F between two nodes proves to be missed by their slopes counts like a distance. The numbers are rounded, so that
        another machine cuts the same cells.

        Args:
            distances: The L1 distance between the gradients of neighbours, (cells - 1,).
        """
        seen = np.concatenate([distances[:1], distances, distances[-1:]])
        places = np.concatenate([[0.0], self.nodes, [1.0]])
        f = np.concatenate([[self.f_start], self.f, [self.f_end]])
        slopes = np.concatenate([self.slopes[:1], self.slopes, self.slopes[-1:]])
        foretold = np.diff(places) * (slopes[1:] + slopes[:-1]) / 2
        missed = np.nan_to_num(np.abs(np.diff(f) - foretold) / np.diff(places).clip(np.finfo(float).tiny))
        apart = seen + missed
        self.indicators = rounded(self.widths * (apart[1:] + apart[:-1]))

    def estimate(self, distance: float, size: float, weights: Numbers) -> None:
        """Keep the error estimate: relative to the values' L1 norm, as in core.error_estimate.

        Args:
            distance: The L1 distance to expect between the values and the true ones.
            size: The L1 norm of the values.
            weights: How much each node counts, (cells,).
        """
        change = self.f_end - self.f_start
        residual = float(np.nan_to_num(abs(weights @ self.slopes - change)))
        rounding = SMALLEST_DIFFERENCE * max(abs(self.f_start), abs(self.f_end))
        relative_to = max(size, abs(change), rounding, float(np.finfo(float).tiny))
        self.error = self.scale * max(distance, residual) / relative_to

    def close(self, cells: list[int], counted: Tensor, features: Tensor) -> None:
        """Keep of the gradients of some cells no more than a sample, now that their integral is counted."""
        self.counted = counted if self.counted is None else self.counted + counted
        for cell in cells:
            gradient = self.gradients[cell]
            self.gradients[cell] = None if gradient is None else gradient[features]
        self.is_closed[cells] = True

    def finished(self) -> "Partition":
        """The same without gradients."""
        self.gradients, self.counted = [], None
        return self

    def to_cut(self, most: int) -> list[int]:
        """The cells to cut next, `most` of them at most.

        FEWEST_CUT, for a batch of some size, or as many as hold SHARE_CUT of what is wrong with those that can be cut.
        """
        assert self.indicators is not None
        is_wide = (self.widths > NARROWEST * self.nodes) & (self.widths > NARROWEST**4)
        needs = np.where(is_wide & ~self.is_closed, self.indicators, 0.0)
        order = np.argsort(-needs, kind="stable")
        held = np.cumsum(needs[order])
        count = max(FEWEST_CUT, int(np.searchsorted(held, SHARE_CUT * held[-1])) + 1)
        return [int(i) for i in order[: min(count, most)] if needs[i] > 0]

    def least_needed(self, most: int) -> list[int]:
        """The open cells with a gradient that need a cut least, `most` of them at most."""
        needs = np.full(len(self), 0.0) if self.indicators is None else self.indicators
        order = [int(i) for i in np.argsort(needs, kind="stable")]
        return [i for i in order if not self.is_closed[i] and self.gradients[i] is not None][:most]

    def cut(self, cells: list[int]) -> None:
        """Cut some cells into three; the one in the middle keeps its node."""
        is_cut = np.zeros(len(self), dtype=bool)
        is_cut[cells] = True
        old = np.repeat(np.arange(len(self)), np.where(is_cut, 3, 1))
        first = np.r_[True, old[1:] != old[:-1]]
        place = np.arange(len(old)) - np.flatnonzero(first)[np.cumsum(first) - 1]
        keeps = ~is_cut[old] | (place == 1)
        widths = np.where(is_cut[old], self.widths[old] / 3, self.widths[old])
        self.nodes = np.where(keeps, self.nodes[old], self.nodes[old] + (place - 1) * widths)
        self.widths = widths
        self.f, self.slopes = np.where(keeps, self.f[old], np.nan), np.where(keeps, self.slopes[old], np.nan)
        self.is_closed = self.is_closed[old]
        self.gradients = [self.gradients[i] if keep else None for i, keep in zip(old, keeps, strict=True)]
        self.indicators = None

    def path_values(self) -> Numbers:
        """The alphas from 0 to 1, and F there: (2, cells + 2)."""
        alphas = np.concatenate([[0.0], self.nodes, [1.0]])
        return np.stack([alphas, np.concatenate([[self.f_start], self.f, [self.f_end]])])


def rounded(numbers: Numbers) -> Numbers:
    """To three significant digits."""
    with np.errstate(divide="ignore"):
        digits = 2 - np.floor(np.log10(np.abs(numbers)))
    scale = 10.0 ** np.where(np.isfinite(digits), digits.clip(max=300), 0)
    return np.asarray(np.round(numbers * scale) / scale)
