"""scikit-learn's trees, forests and boosting: as F, and as the single trees whose sum F is."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from igteach.methods.tree_nodes import Tree, TreeModel, TreeSum, one_hot


def nameless(estimator: Any) -> Any:
    """A shallow copy of an estimator that does not know the names it was fitted on, so it does not warn without them.

    Args:
        estimator: of scikit-learn.

    Returns:
        The copy; it shares all else with the estimator.

    Example:
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> nameless(DecisionTreeRegressor(max_depth=2))
        DecisionTreeRegressor(max_depth=2)
    """
    twin = copy.copy(estimator)
    vars(twin).pop("feature_names_in_", None)
    return twin


def names_of(estimator: Any) -> tuple[str, ...] | None:
    """The names of the columns that an estimator was fitted on, or None.

    Args:
        estimator: of scikit-learn, or one that behaves like it.

    Returns:
        The names, in the order of the columns.

    Example:
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> names_of(DecisionTreeRegressor().fit([[0.0]], [1.0])) is None
        True
    """
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else tuple(map(str, names))


def _takes_missing(model: Any) -> bool:
    from sklearn.utils import get_tags

    return bool(get_tags(model).input_tags.allow_nan)


def _check_one_output(model: Any) -> None:
    outputs = getattr(model, "n_outputs_", 1)
    if outputs > 1:
        raise ValueError(f"model has {outputs} outputs; fit one model for each")


def _in_float32(points: np.ndarray) -> np.ndarray:
    return points.astype(np.float32)


def _rounded_to_float32(points: np.ndarray) -> np.ndarray:
    return points.astype(np.float32).astype(np.float64)


def read_average(model: Any) -> TreeModel:
    """A tree or a forest, which is the mean of its trees.

    Args:
        model: a fitted tree or forest of scikit-learn.

    Returns:
        The model, read.

    Raises:
        ValueError: if it has several outputs.

    Example:
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> read_average(DecisionTreeRegressor().fit([[0.0], [1.0]], [5.0, 7.0])).features
        1
    """
    _check_one_output(model)
    is_classifier = hasattr(model, "classes_")
    estimators = model.estimators_ if hasattr(model, "estimators_") else [model]
    predict = nameless(model).predict_proba if is_classifier else nameless(model).predict

    def trees() -> Iterator[Tree]:
        for estimator in estimators:
            yield _tree(estimator.tree_, np.ones(1) / len(estimators))

    return TreeModel(
        features=model.n_features_in_,
        f=lambda points: predict(_in_float32(points)),
        sums=[TreeSum(_rounded_to_float32, trees)],
        labels=tuple(model.classes_.tolist()) if is_classifier else None,
        names=names_of(model),
        takes_missing=_takes_missing(model),
        is_prediction=True,
    )


def read_boosting(model: Any) -> TreeModel:
    """Gradient boosting, but for its initial constant.

    Args:
        model: a fitted GradientBoosting model.

    Returns:
        The model, read.

    Raises:
        ValueError: if it starts from another model.

    Example:
        >>> from sklearn.ensemble import GradientBoostingRegressor
        >>> read_boosting(GradientBoostingRegressor().fit([[0.0], [1.0]], [5.0, 7.0])).features
        1
    """
    if model.init not in (None, "zero"):
        raise ValueError(f"model starts from init={type(model.init).__name__}, which is no tree; fit it without init")
    outputs = model.estimators_.shape[1]
    is_classifier = hasattr(model, "classes_")

    def trees() -> Iterator[Tree]:
        for stage in model.estimators_:
            for output, estimator in enumerate(stage):
                yield _tree(estimator.tree_, model.learning_rate * one_hot(output, outputs))

    return TreeModel(
        features=model.n_features_in_,
        f=lambda points: _raw_scores(model._raw_predict(_in_float32(points))),
        sums=[TreeSum(_rounded_to_float32, trees)],
        labels=tuple(model.classes_.tolist()) if outputs > 1 else None,
        names=names_of(model),
        takes_missing=_takes_missing(model),
        is_prediction=not is_classifier,
    )


def _raw_scores(raw: np.ndarray) -> np.ndarray:
    return raw[:, 0] if raw.shape[1] == 1 else raw


def read_histogram(model: Any) -> TreeModel:
    """Histogram gradient boosting, whose categories become ranks before the trees see them.

    Args:
        model: a fitted HistGradientBoosting model.

    Returns:
        The model, read.

    Raises:
        ValueError: if its categories are not numbers.

    Example:
        >>> from sklearn.ensemble import HistGradientBoostingRegressor
        >>> read_histogram(HistGradientBoostingRegressor().fit([[0.0], [1.0]], [5.0, 7.0])).features
        1
    """
    _check_categories(model)
    outputs = len(model._predictors[0])
    is_classifier = hasattr(model, "classes_")
    twin = nameless(model)
    twin._preprocessor = _nameless_encoder(model._preprocessor)
    feature_of_column = _feature_of_column(model)

    def split_inputs(points: np.ndarray) -> np.ndarray:
        numbers = points.astype(np.float64)
        numbers[:, feature_of_column] = twin._preprocess_X(numbers, reset=False)
        return numbers

    def trees() -> Iterator[Tree]:
        for stage in model._predictors:
            for output, predictor in enumerate(stage):
                yield _histogram_tree(predictor, feature_of_column, one_hot(output, outputs))

    return TreeModel(
        features=model.n_features_in_,
        f=lambda points: _raw_scores(twin._raw_predict(points.astype(np.float64))),
        sums=[TreeSum(split_inputs, trees)],
        labels=tuple(model.classes_.tolist()) if outputs > 1 else None,
        names=names_of(model),
        takes_missing=True,
        is_prediction=not is_classifier and model.loss not in ("poisson", "gamma"),
    )


def _check_categories(model: Any) -> None:
    """Raise ValueError if the model has inputs that a tensor cannot hold."""
    if model.is_categorical_ is None:
        return
    for categories in model._preprocessor.named_transformers_["encoder"].categories_:
        if categories.dtype.kind not in "fiub":
            received = f"categories such as {categories[0]!r}, and x holds numbers"
            raise ValueError(f"model was fitted on {received}; number them (OrdinalEncoder) before it is fitted")


def _nameless_encoder(preprocessor: Any) -> Any:
    """The encoder of the categories, without the names that it and its parts were fitted on."""
    if preprocessor is None:
        return None
    twin = nameless(preprocessor)
    twin.transformers_ = [
        (name, part if isinstance(part, str) else nameless(part), columns)
        for name, part, columns in preprocessor.transformers_
    ]
    return twin


def _feature_of_column(model: Any) -> np.ndarray:
    """The feature in each column that a histogram tree sees, (features,): categories come first."""
    features = np.arange(model.n_features_in_)
    is_category = model.is_categorical_
    if is_category is None:
        return features
    return np.concatenate([features[is_category], features[~is_category]])


def _tree(tree: Any, factors: np.ndarray) -> Tree:
    """A decision tree of scikit-learn; factors multiply its value: one for all outputs, or one for each."""
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        is_leaf=tree.children_left == -1,
        feature=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left == 1,
        value=tree.value[:, 0, :] * factors,
    )


def _histogram_tree(predictor: Any, feature_of_column: np.ndarray, factors: np.ndarray) -> Tree:
    """A tree of histogram gradient boosting; factors multiply its value, one for each output."""
    nodes = predictor.nodes
    categorical = nodes["is_categorical"] == 1
    left_categories = np.zeros((len(nodes), predictor.raw_left_cat_bitsets.shape[1]), np.uint32)
    left_categories[categorical] = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][categorical]]
    return Tree(
        left=nodes["left"].astype(int),
        right=nodes["right"].astype(int),
        is_leaf=nodes["is_leaf"] == 1,
        feature=feature_of_column[nodes["feature_idx"]],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"] == 1,
        value=nodes["value"][:, None] * factors,
        categorical=categorical if categorical.any() else None,
        left_categories=left_categories,
    )
