"""A tree, node by node, and trees that see the same numbers: what every model of trees is read into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

HALFWAY = 0.5  # the alpha where a value changes that cannot move gradually
WORD_BITS = 32  # of the bit set of categories at a node
SMALLEST_NUMBER = 1e-35  # nearer to zero than this, a number is zero to LightGBM


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree, node by node; node 0 is the root.

    Attributes:
        left: (nodes,), the left child; unused at a leaf, as are all the others but value.
        right: (nodes,), the right child.
        is_leaf: (nodes,), bool.
        feature: (nodes,), the feature that the node splits.
        threshold: (nodes,), in the units of the feature. A number goes left if it is at most the threshold.
        missing_left: (nodes,), bool: whether NaN goes left.
        value: (nodes, outputs), what the node adds to F.
        is_strict: whether a number at the threshold goes right instead.
        zero_is_missing: (nodes,), bool: whether zero is a missing value, too; or None if at no node.
        categorical: (nodes,), bool: whether the feature is a category, not a number; or None if at no node.
        left_categories: (nodes, words), uint32: bit c % 32 of word c // 32 says that category c goes left.
        others_left: whether a category goes left that has no bit.
    """

    left: np.ndarray
    right: np.ndarray
    is_leaf: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    is_strict: bool = False
    zero_is_missing: np.ndarray | None = None
    categorical: np.ndarray | None = None
    left_categories: np.ndarray | None = None
    others_left: bool = False

    def goes_left(self, node: np.ndarray, number: np.ndarray) -> np.ndarray:
        """Whether each number (visits,) goes left at its node (visits,)."""
        threshold = self.threshold[node]
        is_left = number < threshold if self.is_strict else number <= threshold
        if self.categorical is not None:
            is_left = np.where(self.categorical[node], self._category_goes_left(node, number), is_left)
        goes_left: np.ndarray = np.where(self._is_missing(node, number), self.missing_left[node], is_left)
        return goes_left

    def crossing(self, node: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The alpha where each number (visits,) crosses the threshold of its node between start and end, if it does."""
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = (self.threshold[node] / 2 - start / 2) / (end / 2 - start / 2)  # halves do not overflow
        jumps = self._is_missing(node, start) | self._is_missing(node, end)
        if self.categorical is not None:
            jumps |= self.categorical[node]
        return np.where(jumps, HALFWAY, alpha)

    def _is_missing(self, node: np.ndarray, number: np.ndarray) -> np.ndarray:
        is_missing: np.ndarray = np.isnan(number)
        if self.zero_is_missing is not None:
            is_missing |= self.zero_is_missing[node] & (np.abs(number) <= SMALLEST_NUMBER)
        return is_missing

    def _category_goes_left(self, node: np.ndarray, number: np.ndarray) -> np.ndarray:
        assert self.left_categories is not None
        known = (number >= 0) & (number < self.left_categories.shape[1] * WORD_BITS)
        category = np.where(known, number, 0).astype(int)
        bits = self.left_categories[node, category // WORD_BITS] >> (category % WORD_BITS)
        goes_left: np.ndarray = np.where(known, (bits & 1) == 1, self.others_left)
        return goes_left


@dataclass(frozen=True, eq=False)
class TreeSum:
    """Trees that see the same numbers.

    Attributes:
        split_inputs: from points (N, features) to the numbers that the splits compare (N, features), float64: rounded
            as the model rounds, scaled as a pipeline scales, categories as their rank, NaN if missing.
        trees: a call iterates over the trees, whose sum is F but for a constant.
    """

    split_inputs: Callable[[np.ndarray], np.ndarray]
    trees: Callable[[], Iterator[Tree]]

    def times(self, factor: float) -> "TreeSum":
        """The trees with their values multiplied by a factor."""
        return self.with_values(lambda value: value * factor)

    def with_values(self, changed: Callable[[np.ndarray], np.ndarray]) -> "TreeSum":
        """The trees with other values, each a function of the old ones (nodes, outputs)."""
        return TreeSum(self.split_inputs, lambda: (replace(tree, value=changed(tree.value)) for tree in self.trees()))

    def after(self, transform: Callable[[np.ndarray], np.ndarray]) -> "TreeSum":
        """The trees behind a transformation of each feature by itself."""
        return TreeSum(lambda points: self.split_inputs(transform(points)), self.trees)

    def in_columns(self, columns: np.ndarray) -> "TreeSum":
        """The trees as they see a wider table, of which `columns` (features,) are theirs; one may stand there twice."""

        def split_inputs(points: np.ndarray) -> np.ndarray:
            numbers = points.astype(np.float64)
            numbers[:, columns] = self.split_inputs(points[:, columns])
            return numbers

        return TreeSum(split_inputs, lambda: (replace(tree, feature=columns[tree.feature]) for tree in self.trees()))


@dataclass(frozen=True, eq=False)
class TreeModel:
    """A fitted model, read: F, and the trees whose sum it is but for a constant.

    Attributes:
        features: how many columns it takes.
        f: the model's own F of points (N, features): (N,), or (N, labels).
        sums: the trees.
        labels: of the columns of F; None if it is one number for each row.
        names: of the columns that it was fitted on, or None.
        takes_missing: whether it takes NaN.
        is_prediction: whether F is what it predicts, so that a mean of predictions is one of trees.
    """

    features: int
    f: Callable[[np.ndarray], np.ndarray]
    sums: list[TreeSum]
    labels: tuple[object, ...] | None
    names: tuple[str, ...] | None
    takes_missing: bool
    is_prediction: bool


def one_hot(output: int, outputs: int) -> np.ndarray:
    """1 for one output, 0 for the others: (outputs,)."""
    weights = np.zeros(outputs)
    weights[output] = 1
    return weights


def bit_sets(categories: list[np.ndarray]) -> np.ndarray:
    """A bit set for each array of categories: (arrays, words), uint32."""
    most = max((int(each.max()) for each in categories if len(each)), default=0)
    words = np.zeros((len(categories), most // WORD_BITS + 1), np.uint32)
    for row, each in zip(words, categories, strict=True):
        np.bitwise_or.at(row, each // WORD_BITS, np.uint32(1) << (each % WORD_BITS).astype(np.uint32))
    return words
