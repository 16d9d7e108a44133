"""scikit-learn's ensembles of other models, and pipelines: read by reading what is in them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from igteach.methods.tree_nodes import TreeModel, TreeSum

Read = Callable[[Any], TreeModel]


def read_voting(model: Any, read: Read) -> TreeModel:
    """A voting ensemble: the weighted mean of what its members predict.

    Args:
        model: a fitted VotingClassifier (soft) or VotingRegressor.
        read: what reads a member.

    Returns:
        The ensemble, read.

    Raises:
        ValueError: if it votes by class, or the prediction of a member is no sum of trees.

    Example:
        >>> import numpy as np
        >>> from sklearn.ensemble import VotingRegressor
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> from igteach.methods.tree_models import read_model
        >>> model = VotingRegressor([("a", DecisionTreeRegressor()), ("b", DecisionTreeRegressor())])
        >>> read_voting(model.fit([[0.0], [1.0]], [5.0, 7.0]), read_model).f(np.array([[0.2]])).tolist()
        [5.0]
    """
    if getattr(model, "voting", "soft") == "hard":
        raise ValueError(
            "model votes by class (voting='hard'), which jumps with no share for a tree; fit voting='soft'"
        )
    members = [read(member) for member in model.estimators_]
    for member, estimator in zip(members, model.estimators_, strict=True):
        _check_prediction(model, member, estimator)
    weights = np.ones(len(members)) if model._weights_not_none is None else np.asarray(model._weights_not_none, float)
    weights = weights / weights.sum()
    return TreeModel(
        features=members[0].features,
        f=lambda points: sum(weight * member.f(points) for weight, member in zip(weights, members, strict=True)),
        sums=[each.times(weight) for weight, member in zip(weights, members, strict=True) for each in member.sums],
        labels=_labels(model),
        names=None,
        takes_missing=all(member.takes_missing for member in members),
        is_prediction=True,
    )


def _labels(model: Any) -> tuple[object, ...] | None:
    return tuple(model.classes_.tolist()) if hasattr(model, "classes_") else None


def _check_prediction(model: Any, member: TreeModel, estimator: Any) -> None:
    if not member.is_prediction:
        what = "probabilities" if hasattr(model, "classes_") else "predictions"
        raise ValueError(
            f"model averages {what}, and those of its {type(estimator).__name__} are no sum of trees; "
            "pass that member alone: its F is the sum"
        )


def read_bagging(model: Any, read: Read) -> TreeModel:
    """A bagging ensemble: the mean of what its members predict, each from its own columns.

    Args:
        model: a fitted BaggingClassifier or BaggingRegressor.
        read: what reads a member.

    Returns:
        The ensemble, read.

    Raises:
        ValueError: if the prediction of a member is no sum of trees.

    Example:
        >>> import numpy as np
        >>> from sklearn.ensemble import BaggingRegressor
        >>> from igteach.methods.tree_models import read_model
        >>> model = BaggingRegressor(n_estimators=3, random_state=0).fit([[0.0], [1.0]], [5.0, 5.0])
        >>> read_bagging(model, read_model).f(np.array([[0.2]])).tolist()
        [5.0]
    """
    labels = _labels(model)
    members = [read(member) for member in model.estimators_]
    _check_prediction(model, members[0], model.estimators_[0])
    columns_of = [np.asarray(columns) for columns in model.estimators_features_]
    share = 1 / len(members)

    def f(points: np.ndarray) -> np.ndarray:
        predicted = [
            _in_classes(member.f(points[:, columns]), member, labels)
            for member, columns in zip(members, columns_of, strict=True)
        ]
        mean: np.ndarray = np.mean(predicted, axis=0)
        return mean

    sums = [
        _of_member(each, member, labels).in_columns(columns).times(share)
        for member, columns in zip(members, columns_of, strict=True)
        for each in member.sums
    ]
    takes_missing = all(member.takes_missing for member in members)
    return TreeModel(model.n_features_in_, f, sums, labels, None, takes_missing, is_prediction=True)


def _in_classes(values: np.ndarray, member: TreeModel, labels: tuple[object, ...] | None) -> np.ndarray:
    """Values (N, classes of the member) in the columns of the whole: a member may have seen some of the classes.

    The labels of a member are the places of its classes among those of the whole.
    """
    if labels is None or member.labels is None:
        return values
    spread = np.zeros((len(values), len(labels)))
    spread[:, np.array(member.labels, int)] = values
    return spread


def _of_member(trees: TreeSum, member: TreeModel, labels: tuple[object, ...] | None) -> TreeSum:
    return trees.with_values(lambda value: _in_classes(value, member, labels))


def read_pipeline(model: Any, read: Read, nameless: Callable[[Any], Any]) -> TreeModel:
    """A pipeline of scalers and a model of trees; the shares are those of the pipeline's own columns.

    A scaler maps each column by a straight line, so a straight path stays straight behind it.

    Args:
        model: a fitted Pipeline.
        read: what reads its last step.
        nameless: what gives an estimator without the names that it was fitted on.

    Returns:
        The pipeline, read.

    Raises:
        ValueError: if one of its steps is no scaler.

    Example:
        >>> import numpy as np
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> from igteach.methods.tree_models import read_model
        >>> model = make_pipeline(StandardScaler(), DecisionTreeRegressor()).fit([[0.0], [9.0]], [5.0, 7.0])
        >>> read_pipeline(model, read_model, lambda scaler: scaler).f(np.array([[6.0]])).tolist()
        [7.0]
    """
    *steps, (_, last) = model.steps
    scalers = [nameless(step) for name, step in steps if _is_scaler(name, step)]
    inner = read(last)

    def scaled(points: np.ndarray) -> np.ndarray:
        for scaler in scalers:
            points = np.asarray(scaler.transform(points.copy()))
        return points

    return TreeModel(
        features=inner.features,
        f=lambda points: inner.f(scaled(points)),
        sums=[each.after(scaled) for each in inner.sums],
        labels=inner.labels,
        names=inner.names,
        takes_missing=inner.takes_missing,
        is_prediction=inner.is_prediction,
    )


def _is_scaler(name: str, step: Any) -> bool:
    """Whether a step maps each column by a straight line; False if it does nothing, ValueError if it does more."""
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    if step is None or step == "passthrough":
        return False
    known = isinstance(step, StandardScaler | MinMaxScaler | MaxAbsScaler | RobustScaler)
    if known and not getattr(step, "clip", False):
        return True
    what = f"{type(step).__name__}(clip=True)" if known else type(step).__name__
    raise ValueError(
        f"model has the step {name!r}, {what}, behind which a straight path is not straight or a column not one "
        "column; pass model.steps[-1][1], and x and baseline as model[:-1].transform gives them"
    )
