"""XGBoost's and LightGBM's models, read from their own dumps. Neither library is imported: the model brings it."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from igteach.methods.tree_nodes import Tree, TreeModel, TreeSum, bit_sets, one_hot

# objectives whose prediction is the sum of the trees, not a function of it
XGBOOST_IDENTITY = {
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:quantileerror",
}
LIGHTGBM_IDENTITY = {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}
FITTED_ON_CATEGORIES = (
    "model was fitted on a DataFrame with categories, and x holds numbers; number them 0, 1, 2... before it is fitted "
    "and name their columns to "
)
LINEAR_TREES = "model has linear trees (linear_tree=True), which are not constant between splits; fit it without"


def read_xgboost(model: Any) -> TreeModel:
    """An XGBoost model. F is its margin, of all trees or, for a scikit-learn class, of those up to best_iteration.

    Args:
        model: a fitted Booster, or a class of xgboost.sklearn.

    Returns:
        The model, read.

    Raises:
        ValueError: if its F is no sum of trees with one number at a leaf.

    Example:
        >>> import numpy as np, xgboost
        >>> model = xgboost.XGBRegressor(n_estimators=2, max_depth=1).fit([[0.0], [1.0]] * 9, [0.0, 1.0] * 9)
        >>> len(list(read_xgboost(model).sums[0].trees()))
        2
    """
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    trees, weights = _xgboost_trees(learner["gradient_booster"])
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        raise ValueError(f"model has {learner['learner_model_param']['num_target']} outputs; fit one model for each")
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    ensemble = _ensemble(learner["gradient_booster"])
    if any(len(encoding["values"]) for encoding in ensemble.get("cats", {}).get("enc", ())):
        raise ValueError(FITTED_ON_CATEGORIES + "XGBoost in feature_types")
    rounds = _rounds(model, booster)
    trees_in_round = outputs * int(ensemble["gbtree_model_param"]["num_parallel_tree"])
    trees = trees if rounds is None else trees[: rounds * trees_in_round]
    missing = getattr(model, "missing", np.nan)
    names = tuple(booster.feature_names) if booster.feature_names else None

    def split_inputs(points: np.ndarray) -> np.ndarray:
        rounded = _in_float32(points).astype(np.float64)
        rounded[rounded == np.float32(missing)] = np.nan
        return rounded

    def f(points: np.ndarray) -> np.ndarray:
        taken = (0, rounds or 0)  # (0, 0): all of them
        margin: np.ndarray = booster.inplace_predict(
            _in_float32(points), iteration_range=taken, predict_type="margin", missing=missing
        )
        return margin.astype(np.float64)

    def each_tree() -> Iterator[Tree]:
        for tree, weight, output in zip(trees, weights, ensemble["tree_info"], strict=False):
            yield _xgboost_tree(tree, weight * one_hot(output, outputs))

    return TreeModel(
        features=int(learner["learner_model_param"]["num_feature"]),
        f=f,
        sums=[TreeSum(split_inputs, each_tree)],
        labels=_labels(model, outputs),
        names=names,
        takes_missing=True,
        is_prediction=learner["objective"]["name"] in XGBOOST_IDENTITY,
    )


def _ensemble(booster: dict[str, Any]) -> dict[str, Any]:
    """The trees and what goes with them, also of DART."""
    ensemble: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return ensemble


def _xgboost_trees(booster: dict[str, Any]) -> tuple[list[dict[str, Any]], list[float]]:
    """The trees, and the weight of each."""
    if booster["name"] == "gblinear":
        raise ValueError(
            "model is linear (booster='gblinear') and has no trees; its shares are weight * (x - baseline)"
        )
    trees = _ensemble(booster)["trees"]
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        raise ValueError("model has several numbers at a leaf; fit it with multi_strategy='one_output_per_tree'")
    return trees, booster.get("weight_drop") or [1.0] * len(trees)


def _rounds(model: Any, booster: Any) -> int | None:
    """How many rounds the model predicts with; None is all. A Booster takes all, whatever its best was."""
    best = booster.attr("best_iteration")
    return None if model is booster or best is None else int(best) + 1


def _in_float32(points: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        rounded = points.astype(np.float32)
    if np.isinf(rounded).any():
        raise ValueError(
            "x or baseline holds a number too large for float32, to which XGBoost rounds; pass smaller units"
        )
    return rounded


def _labels(model: Any, outputs: int) -> tuple[object, ...] | None:
    """The labels of the outputs; None if there is only one."""
    if outputs == 1:
        return None
    return tuple(np.asarray(getattr(model, "classes_", np.arange(outputs))).tolist())


def _xgboost_tree(tree: dict[str, Any], factors: np.ndarray) -> Tree:
    """A tree of XGBoost; factors multiply its value, one for each output. The categories that it lists go right."""
    left = np.array(tree["left_children"])
    conditions = np.array(tree["split_conditions"], np.float32).astype(np.float64)
    is_leaf = left == -1
    categorical = np.array(tree["split_type"]) == 1
    right_categories = [np.zeros(0, int)] * len(left)
    listed = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    for node, begin, size in listed:
        right_categories[node] = np.array(tree["categories"][begin : begin + size])
    return Tree(
        left=left,
        right=np.array(tree["right_children"]),
        is_leaf=is_leaf,
        feature=np.array(tree["split_indices"]),
        threshold=conditions,
        missing_left=np.array(tree["default_left"]) == 1,
        value=np.where(is_leaf, conditions, 0)[:, None] * factors,
        is_strict=True,
        categorical=categorical if categorical.any() else None,
        left_categories=~bit_sets(right_categories),
        others_left=True,
    )


def read_lightgbm(model: Any) -> TreeModel:
    """A LightGBM model. F is its raw score, up to best_iteration if it stopped early.

    Args:
        model: a fitted Booster, or a class of lightgbm.sklearn.

    Returns:
        The model, read.

    Raises:
        ValueError: if its F is no sum of trees, or categories were not numbers.

    Example:
        >>> import lightgbm, numpy as np
        >>> model = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(np.arange(90.0)[:, None], np.arange(90.0))
        >>> len(list(read_lightgbm(model).sums[0].trees()))
        2
    """
    booster = model.booster_ if hasattr(type(model), "booster_") else model
    dump = booster.dump_model()
    if dump["pandas_categorical"]:
        raise ValueError(FITTED_ON_CATEGORIES + "LightGBM in categorical_feature")
    outputs = dump["num_tree_per_iteration"]
    trees = dump["tree_info"]
    weight = outputs / max(1, len(trees)) if dump["average_output"] else 1.0  # raw_score does not average a forest

    def each_tree() -> Iterator[Tree]:
        for number, tree in enumerate(trees):
            yield _lightgbm_tree(tree["tree_structure"], weight * one_hot(number % outputs, outputs))

    def f(points: np.ndarray) -> np.ndarray:
        score: np.ndarray = booster.predict(np.ascontiguousarray(points, np.float64), raw_score=True)
        return score * weight

    is_named = dump["feature_names"] != [f"Column_{i}" for i in range(len(dump["feature_names"]))]
    if any("leaf_coeff" in leaf for tree in trees for leaf in _nodes(tree["tree_structure"])):
        raise ValueError(LINEAR_TREES)
    return TreeModel(
        features=dump["max_feature_idx"] + 1,
        f=f,
        sums=[TreeSum(lambda points: points.astype(np.float64), each_tree)],
        labels=_labels(model, outputs),
        names=tuple(dump["feature_names"]) if is_named else None,
        takes_missing=True,
        is_prediction=dump.get("objective") in LIGHTGBM_IDENTITY,
    )


def _nodes(root: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of a tree, the root first; each is then given its number."""
    nodes = [root]
    for node in nodes:  # the list grows
        if "split_feature" in node:
            nodes += [node["left_child"], node["right_child"]]
    return nodes


def _lightgbm_tree(root: dict[str, Any], factors: np.ndarray) -> Tree:
    """A tree of LightGBM; factors multiply its value, one for each output. The categories that it lists go left."""
    nodes = _nodes(root)
    number = {id(node): index for index, node in enumerate(nodes)}
    is_leaf = np.array(["split_feature" not in node for node in nodes])
    categorical = np.array([node.get("decision_type") == "==" for node in nodes])
    threshold = np.array(
        [
            0.0 if leaf or category else node["threshold"]
            for node, leaf, category in zip(nodes, is_leaf, categorical, strict=True)
        ]
    )
    missing = np.array([node.get("missing_type", "None") for node in nodes])
    default_left = np.array([node.get("default_left", False) for node in nodes])
    missing_left = np.where(missing == "None", threshold >= 0, default_left)  # without a type NaN counts as zero
    return Tree(
        left=np.array([number.get(id(node.get("left_child")), -1) for node in nodes]),
        right=np.array([number.get(id(node.get("right_child")), -1) for node in nodes]),
        is_leaf=is_leaf,
        feature=np.array([node.get("split_feature", 0) for node in nodes]),
        threshold=threshold,
        missing_left=missing_left & ~categorical,
        value=np.array([node.get("leaf_value", 0.0) for node in nodes])[:, None] * factors,
        zero_is_missing=(missing == "Zero") & ~categorical,
        categorical=categorical if categorical.any() else None,
        left_categories=bit_sets([_listed(node) for node in nodes]),
    )


def _listed(node: dict[str, Any]) -> np.ndarray:
    """The categories that a node lists."""
    is_category = node.get("decision_type") == "=="
    return np.array([int(category) for category in node["threshold"].split("||")] if is_category else [], int)
