"""scikit-learn's trees and their ensembles: as F, and as the single trees that F is the sum of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

HALFWAY = 0.5  # the alpha where a value changes that has no way to go


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree, node by node; node 0 is the root. A number goes left where it is at most the threshold."""

    left: np.ndarray  # (nodes,) the child; at a leaf unused, as are all the others but value
    right: np.ndarray
    is_leaf: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray  # does NaN go left?
    categorical: np.ndarray  # is it a split of categories, not of numbers?
    left_categories: np.ndarray  # (nodes, 8) uint32: bit c % 32 of word c // 32 says that category c goes left
    value: np.ndarray  # (nodes, outputs) of F

    def goes_left(self, node: np.ndarray, number: np.ndarray) -> np.ndarray:
        category = np.nan_to_num(np.where(self.categorical[node], number, 0)).astype(int)
        listed = self.left_categories[node, category // 32] >> (category % 32) & 1
        left = np.where(self.categorical[node], listed == 1, number <= self.threshold[node])
        return np.where(np.isnan(number), self.missing_left[node], left)

    def crossing(self, node: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The alpha where a number on its way from start to end crosses the threshold, if it does."""
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = (self.threshold[node] / 2 - start / 2) / (end / 2 - start / 2)  # halves do not overflow
        return np.where(self.categorical[node] | np.isnan(start) | np.isnan(end), HALFWAY, alpha)


class TreeFunction:
    """F of a fitted model, a function of a batch as any other: (N, features) -> (N,) or (N, classes), float64.

    F is as `igteach.tree_integrated_gradients` says. NotFittedError or ValueError for a model whose F is not a sum of
    trees, ValueError for a batch that it does not take.
    """

    def __init__(self, model: Any):
        from sklearn import ensemble as e
        from sklearn import tree
        from sklearn.utils.validation import check_is_fitted

        single = tree.DecisionTreeClassifier, tree.DecisionTreeRegressor
        averaged = e.RandomForestClassifier, e.ExtraTreesClassifier, e.RandomForestRegressor, e.ExtraTreesRegressor
        boosted = e.GradientBoostingClassifier, e.GradientBoostingRegressor
        histogram = e.HistGradientBoostingClassifier, e.HistGradientBoostingRegressor
        if not isinstance(model, single + averaged + boosted + histogram):
            known = "a DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting or HistGradientBoosting"
            advice = "or, of a Pipeline, its last step, with x as that step takes it"
            raise TypeError(f"model is {type(model).__name__}; pass {known} of scikit-learn {advice}")
        check_is_fitted(model)
        self.model, self.averaged = model, isinstance(model, averaged)
        self.boosted, self.histogram = isinstance(model, boosted), isinstance(model, histogram)
        self._check_model()

    def _check_model(self) -> None:
        outputs, init = getattr(self.model, "n_outputs_", 1), getattr(self.model, "init", None)
        if outputs > 1:
            raise ValueError(f"model has {outputs} outputs; fit one model for each")
        if init not in (None, "zero"):
            raise ValueError(f"model starts from init={type(init).__name__}, which is no tree; fit it without init")
        if self.histogram and self.model.is_categorical_ is not None:
            for categories in self.model._preprocessor.named_transformers_["encoder"].categories_:
                if categories.dtype.kind not in "fiub":
                    received = f"categories such as {categories[0]!r}, and x holds numbers"
                    raise ValueError(
                        f"model was fitted on {received}; number them (OrdinalEncoder) before it is fitted"
                    )

    def __call__(self, points: Tensor) -> Tensor:
        from sklearn.utils import get_tags

        if points.device.type != "cpu":
            raise ValueError(f"x is on {points.device}, and trees are walked on the CPU; pass x.cpu()")
        if points.dim() != 2 or points.shape[1] != self.model.n_features_in_:
            wanted = f"(batch, {self.model.n_features_in_}), as the model was fitted"
            raise ValueError(f"x has shape {tuple(points.shape)}; it must be {wanted}")
        if points.isnan().any() and not get_tags(self.model).input_tags.allow_nan:
            refused = f"x or baseline holds NaN, which this {type(self.model).__name__} does not take"
            raise ValueError(f"{refused}; fill it, or fit a HistGradientBoosting model")
        if self.boosted or self.histogram:
            raw = self.model._raw_predict(self._rounded(points))
            return torch.from_numpy(raw[:, 0] if raw.shape[1] == 1 else raw)
        predict = self.model.predict_proba if hasattr(self.model, "classes_") else self.model.predict
        return torch.from_numpy(predict(self._rounded(points)))

    def seen(self, points: Tensor) -> np.ndarray:
        """The numbers that the splits compare, (N, features) float64: rounded, or of a category its rank."""
        numbers = self._rounded(points).astype(np.float64)  # a copy
        if self.histogram:
            numbers[:, self._order()] = self.model._preprocess_X(numbers, reset=False)
        return numbers

    def _rounded(self, points: Tensor) -> np.ndarray:
        return points.detach().double().numpy().astype(np.float64 if self.histogram else np.float32)

    def trees(self) -> Iterator[Tree]:
        """The trees whose sum is F, up to a constant."""
        if self.histogram:
            for stage in self.model._predictors:
                for output, predictor in enumerate(stage):
                    yield _histogram_tree(predictor, self._order(), _only(output, len(stage)))
        elif self.boosted:
            for stage in self.model.estimators_:
                for output, tree in enumerate(stage):
                    yield _tree(tree.tree_, self.model.learning_rate * _only(output, len(stage)))
        else:
            trees = self.model.estimators_ if self.averaged else [self.model]
            for tree in trees:
                yield _tree(tree.tree_, np.ones(1) / len(trees))

    def _order(self) -> np.ndarray:
        """The feature that stands in each column that a histogram tree sees: categories come first."""
        categorical = self.model.is_categorical_
        features = np.arange(self.model.n_features_in_)
        return features if categorical is None else np.r_[features[categorical], features[~categorical]]


def _only(output: int, outputs: int) -> np.ndarray:
    """1 for one output, 0 for the others: (outputs,)."""
    return np.eye(outputs)[output]


def _tree(tree: Any, factors: np.ndarray) -> Tree:
    """Of a decision tree; factors of its value: one for all outputs, or one for each."""
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        is_leaf=tree.children_left == -1,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left == 1,
        categorical=np.zeros(tree.node_count, bool),
        left_categories=np.zeros((tree.node_count, 8), np.uint32),
        value=tree.value[:, 0, :] * factors,
    )


def _histogram_tree(predictor: Any, order: np.ndarray, factors: np.ndarray) -> Tree:
    """Of one tree of histogram gradient boosting; order: the feature in each of its columns."""
    nodes, categorical = predictor.nodes, predictor.nodes["is_categorical"] == 1
    left_categories = np.zeros((len(nodes), 8), np.uint32)
    left_categories[categorical] = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][categorical]]
    return Tree(
        left=nodes["left"].astype(int),
        right=nodes["right"].astype(int),
        is_leaf=nodes["is_leaf"] == 1,
        feature=order[nodes["feature_idx"]],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"] == 1,
        categorical=categorical,
        left_categories=left_categories,
        value=nodes["value"][:, None] * factors,
    )
