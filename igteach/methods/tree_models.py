"""scikit-learn's trees and their ensembles: as F, and as the single trees whose sum F is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

HALFWAY = 0.5  # the alpha where a value changes that cannot move gradually
WORDS, WORD_BITS = 8, 32  # of the bit set of categories at a node


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree, node by node; node 0 is the root. A number goes left if it is at most the threshold.

    Attributes:
        left: (nodes,), the left child; unused at a leaf, as are all the others but value.
        right: (nodes,), the right child.
        is_leaf: (nodes,), bool.
        feature: (nodes,), the feature that the node splits.
        threshold: (nodes,), in the units of the feature.
        missing_left: (nodes,), bool: whether NaN goes left.
        categorical: (nodes,), bool: whether the feature is a category, not a number.
        left_categories: (nodes, 8), uint32: bit c % 32 of word c // 32 says that category c goes left.
        value: (nodes, outputs), what the node adds to F.
    """

    left: np.ndarray
    right: np.ndarray
    is_leaf: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    categorical: np.ndarray
    left_categories: np.ndarray
    value: np.ndarray

    def goes_left(self, node: np.ndarray, number: np.ndarray) -> np.ndarray:
        """Whether each number (visits,) goes left at its node (visits,)."""
        is_category = self.categorical[node]
        category = np.nan_to_num(np.where(is_category, number, 0)).astype(int)
        bits = self.left_categories[node, category // WORD_BITS] >> (category % WORD_BITS)
        is_left = np.where(is_category, (bits & 1) == 1, number <= self.threshold[node])
        goes_left: np.ndarray = np.where(np.isnan(number), self.missing_left[node], is_left)
        return goes_left

    def crossing(self, node: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The alpha where each number (visits,) crosses the threshold of its node between start and end, if it does."""
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = (self.threshold[node] / 2 - start / 2) / (end / 2 - start / 2)  # halves do not overflow
        jumps = self.categorical[node] | np.isnan(start) | np.isnan(end)
        return np.where(jumps, HALFWAY, alpha)


class TreeFunction:
    """F of a fitted model, a function of a batch like any other: (N, features) -> (N,) or (N, classes), float64.

    F is as `igteach.tree_integrated_gradients` says.

    Args:
        model: a fitted tree or ensemble of scikit-learn.

    Raises:
        TypeError: if the model is of another kind.
        sklearn.exceptions.NotFittedError: if it is not fitted.
        ValueError: if its F is not a sum of trees; when called, for a batch that it does not take.

    Example:
        >>> import torch
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> f = TreeFunction(DecisionTreeRegressor().fit([[0.0], [1.0]], [5.0, 7.0]))
        >>> f(torch.tensor([[0.2], [0.8]])).tolist()
        [5.0, 7.0]
    """

    def __init__(self, model: Any):
        from sklearn import ensemble, tree
        from sklearn.utils.validation import check_is_fitted

        single = (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor)
        forests = (
            ensemble.RandomForestClassifier,
            ensemble.ExtraTreesClassifier,
            ensemble.RandomForestRegressor,
            ensemble.ExtraTreesRegressor,
        )
        boosting = (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor)
        histograms = (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor)
        if not isinstance(model, single + forests + boosting + histograms):
            known = "a DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting or HistGradientBoosting"
            advice = "or, of a Pipeline, its last step, with x as that step takes it"
            raise TypeError(f"model is {type(model).__name__}; pass {known} of scikit-learn {advice}")
        check_is_fitted(model)
        self.model = model
        self.is_forest = isinstance(model, forests)
        self.is_boosting = isinstance(model, boosting)
        self.is_histogram = isinstance(model, histograms)
        self._check_model()

    def _check_model(self) -> None:
        """Raise ValueError if F is not a sum of trees, or has inputs that a tensor cannot hold."""
        outputs = getattr(self.model, "n_outputs_", 1)
        if outputs > 1:
            raise ValueError(f"model has {outputs} outputs; fit one model for each")
        init = getattr(self.model, "init", None)
        if init not in (None, "zero"):
            raise ValueError(f"model starts from init={type(init).__name__}, which is no tree; fit it without init")
        if not self.is_histogram or self.model.is_categorical_ is None:
            return
        for categories in self.model._preprocessor.named_transformers_["encoder"].categories_:
            if categories.dtype.kind not in "fiub":
                received = f"categories such as {categories[0]!r}, and x holds numbers"
                raise ValueError(f"model was fitted on {received}; number them (OrdinalEncoder) before it is fitted")

    def __call__(self, points: Tensor) -> Tensor:
        """F at each row of points (N, features), on the CPU: (N,) or (N, classes)."""
        self._check_points(points)
        rounded = self._rounded(points)
        if self.is_boosting or self.is_histogram:
            raw = self.model._raw_predict(rounded)
            return torch.from_numpy(raw[:, 0] if raw.shape[1] == 1 else raw)
        is_classifier = hasattr(self.model, "classes_")
        predict = self.model.predict_proba if is_classifier else self.model.predict
        return torch.from_numpy(predict(rounded))

    def _check_points(self, points: Tensor) -> None:
        """Raise ValueError for points that the model does not take."""
        from sklearn.utils import get_tags

        if points.device.type != "cpu":
            raise ValueError(f"x is on {points.device}, and trees are walked on the CPU; pass x.cpu()")
        if points.dim() != 2 or points.shape[1] != self.model.n_features_in_:
            wanted = f"(batch, {self.model.n_features_in_}), as the model was fitted"
            raise ValueError(f"x has shape {tuple(points.shape)}; it must be {wanted}")
        if points.isnan().any() and not get_tags(self.model).input_tags.allow_nan:
            refused = f"x or baseline holds NaN, which this {type(self.model).__name__} does not take"
            raise ValueError(f"{refused}; fill it, or fit a HistGradientBoosting model")

    def split_inputs(self, points: Tensor) -> np.ndarray:
        """The numbers that the splits compare: rounded as the model rounds, and the rank of each category.

        Args:
            points: (N, features).

        Returns:
            (N, features), float64.
        """
        numbers = self._rounded(points).astype(np.float64)  # a copy
        if self.is_histogram:
            numbers[:, self._feature_of_column()] = self.model._preprocess_X(numbers, reset=False)
        return numbers

    def _rounded(self, points: Tensor) -> np.ndarray:
        return points.detach().double().numpy().astype(np.float64 if self.is_histogram else np.float32)

    def trees(self) -> Iterator[Tree]:
        """The trees whose sum is F, but for a constant."""
        if self.is_histogram:
            return self._histogram_trees()
        if self.is_boosting:
            return self._boosted_trees()
        return self._averaged_trees()

    def _histogram_trees(self) -> Iterator[Tree]:
        for stage in self.model._predictors:
            for output, predictor in enumerate(stage):
                yield _histogram_tree(predictor, self._feature_of_column(), _one_hot(output, len(stage)))

    def _boosted_trees(self) -> Iterator[Tree]:
        for stage in self.model.estimators_:
            for output, estimator in enumerate(stage):
                yield _tree(estimator.tree_, self.model.learning_rate * _one_hot(output, len(stage)))

    def _averaged_trees(self) -> Iterator[Tree]:
        estimators = self.model.estimators_ if self.is_forest else [self.model]
        for estimator in estimators:
            yield _tree(estimator.tree_, np.ones(1) / len(estimators))

    def _feature_of_column(self) -> np.ndarray:
        """The feature in each column that a histogram tree sees, (features,): categories come first."""
        features = np.arange(self.model.n_features_in_)
        is_category = self.model.is_categorical_
        if is_category is None:
            return features
        return np.concatenate([features[is_category], features[~is_category]])


def _one_hot(output: int, outputs: int) -> np.ndarray:
    """1 for one output, 0 for the others: (outputs,)."""
    weights = np.zeros(outputs)
    weights[output] = 1
    return weights


def _tree(tree: Any, factors: np.ndarray) -> Tree:
    """A decision tree of scikit-learn; factors multiply its value: one for all outputs, or one for each."""
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        is_leaf=tree.children_left == -1,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left == 1,
        categorical=np.zeros(tree.node_count, bool),
        left_categories=np.zeros((tree.node_count, WORDS), np.uint32),
        value=tree.value[:, 0, :] * factors,
    )


def _histogram_tree(predictor: Any, feature_of_column: np.ndarray, factors: np.ndarray) -> Tree:
    """A tree of histogram gradient boosting; factors multiply its value, one for each output."""
    nodes = predictor.nodes
    categorical = nodes["is_categorical"] == 1
    left_categories = np.zeros((len(nodes), WORDS), np.uint32)
    left_categories[categorical] = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][categorical]]
    return Tree(
        left=nodes["left"].astype(int),
        right=nodes["right"].astype(int),
        is_leaf=nodes["is_leaf"] == 1,
        feature=feature_of_column[nodes["feature_idx"]],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"] == 1,
        categorical=categorical,
        left_categories=left_categories,
        value=nodes["value"][:, None] * factors,
    )
