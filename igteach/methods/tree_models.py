"""Models of trees: as F, and as the single trees whose sum F is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igteach.methods.boosters import read_lightgbm, read_xgboost
from igteach.methods.sklearn_trees import nameless, names_of, read_average, read_boosting, read_histogram
from igteach.methods.tree_ensembles import read_bagging, read_pipeline, read_voting
from igteach.methods.tree_nodes import TreeModel

KNOWN = (
    "a DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting, HistGradientBoosting, Bagging or Voting "
    "model of scikit-learn, a Pipeline of scalers and one of them, or a model of XGBoost or LightGBM"
)
MANY_LABELS = 12  # more are not all listed in a message
Target = Any  # None, a label, or a label for each row


class TreeFunction:
    """F of a fitted model, a function of a batch like any other: (N, features) -> (N,) or (N, labels), float64.

    F is as `igteach.tree_integrated_gradients` says.

    Args:
        model: a fitted tree or ensemble, as `igteach.tree_integrated_gradients` takes it.

    Attributes:
        model: as it was passed.
        sums: the trees whose sum is F, but for a constant.
        names: of the columns that it was fitted on, or None.

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
        self.model = model
        self._read = read_model(model)
        self.sums = self._read.sums
        self.names = names_of(model) or self._read.names

    def __call__(self, points: Tensor) -> Tensor:
        """F at each row of points (N, features), on the CPU: (N,) or (N, labels)."""
        self._check_points(points)
        return torch.from_numpy(np.asarray(self._read.f(as_array(points)), np.float64))

    def _check_points(self, points: Tensor) -> None:
        """Raise ValueError for points that the model does not take."""
        if points.device.type != "cpu":
            raise ValueError(f"x is on {points.device}, and trees are walked on the CPU; pass x.cpu()")
        if points.dim() != 2 or points.shape[1] != self._read.features:
            wanted = f"(batch, {self._read.features}), as the model was fitted"
            raise ValueError(f"x has shape {tuple(points.shape)}; it must be {wanted}")
        if points.isnan().any() and not self._read.takes_missing:
            refused = f"x or baseline holds NaN, which this {type(self.model).__name__} does not take"
            raise ValueError(f"{refused}; fill it, or fit a HistGradientBoosting model")

    def outputs(self, target: Target, rows: int) -> Tensor | None:
        """The column of F for each row.

        Args:
            target: a label, one for each row, or None if F is one number for each row.
            rows: how many rows x has.

        Returns:
            (rows,), int64, or None if F is one number for each row.

        Raises:
            TypeError: if target is not of the kind of the labels.
            ValueError: if it is no label, or missing, or there for a model that wants none.
        """
        labels = self._read.labels
        if labels is None:
            if target is not None:
                raise ValueError(
                    f"target was given, but f returns one number a row{self._of_label()}; leave target out"
                )
            return None
        if target is None:
            raise ValueError(f"target is missing: f returns {len(labels)} classes; pass one of {_listed(labels)}")
        wanted = target.numpy() if isinstance(target, Tensor) else np.asarray(target)
        if wanted.ndim == 0:
            wanted = np.full(rows, wanted)
        if wanted.shape != (rows,):
            raise ValueError(f"target has shape {wanted.shape}; for {rows} examples pass a label or {rows} of them")
        place = {label: column for column, label in enumerate(labels)}
        return torch.tensor([place[_label(each, labels)] for each in wanted.tolist()], device="cpu")

    def _of_label(self) -> str:
        """Whose score the one number of a classifier is."""
        labels = np.asarray(getattr(self.model, "classes_", ())).tolist()
        return f" (the log odds of {labels[1]!r})" if len(labels) == 2 else ""


def _label(target: object, labels: tuple[object, ...]) -> object:
    """The target, if it is one of the labels."""
    if isinstance(target, bool) and not any(isinstance(label, bool) for label in labels):
        raise TypeError(f"target is {target}; pass one of the model's labels: {_listed(labels)}")
    if target not in labels:
        raise ValueError(f"target is {target!r}, which is no label of the model; pass one of {_listed(labels)}")
    return target


def _listed(labels: tuple[object, ...]) -> str:
    few = ", ".join(repr(label) for label in labels[:MANY_LABELS])
    return few if len(labels) <= MANY_LABELS else f"{few} and {len(labels) - MANY_LABELS} more"


def as_array(points: Tensor) -> np.ndarray:
    """Points in an array of their own, as models take it: float32 or float64, row by row.

    Args:
        points: a tensor on the CPU.

    Returns:
        The numbers, in the dtype of the tensor if it is one of the two, else in float64.

    Example:
        >>> import torch
        >>> as_array(torch.ones(1, 2))
        array([[1., 1.]], dtype=float32)
    """
    kept = points.detach() if points.dtype in (torch.float32, torch.float64) else points.detach().double()
    return np.array(kept.numpy(), order="C")


def read_model(model: Any) -> TreeModel:
    """Any model of trees, read.

    Args:
        model: as `igteach.tree_integrated_gradients` takes it.

    Returns:
        The model, read.

    Raises:
        TypeError: if it is of another kind.
        sklearn.exceptions.NotFittedError: if it is not fitted.
        ValueError: if its F is not a sum of trees.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> read_model(DecisionTreeClassifier().fit([[0.0], [1.0]], ["no", "yes"])).labels
        ('no', 'yes')
    """
    libraries = {kind.__module__.split(".")[0] for kind in type(model).__mro__}
    if "xgboost" in libraries and (hasattr(model, "get_booster") or hasattr(model, "save_raw")):
        return read_xgboost(model)
    if "lightgbm" in libraries and (hasattr(type(model), "booster_") or hasattr(model, "dump_model")):
        return read_lightgbm(model)
    return _read_sklearn(model)


def _read_sklearn(model: Any) -> TreeModel:
    from sklearn import ensemble, pipeline, tree
    from sklearn.utils.validation import check_is_fitted

    trees = (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor)
    forests = (
        ensemble.RandomForestClassifier,
        ensemble.ExtraTreesClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesRegressor,
    )
    readers: dict[tuple[type, ...], Callable[[Any], TreeModel]] = {
        trees + forests: read_average,
        (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor): read_boosting,
        (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor): read_histogram,
        (ensemble.VotingClassifier, ensemble.VotingRegressor): lambda model: read_voting(model, read_model),
        (ensemble.BaggingClassifier, ensemble.BaggingRegressor): lambda model: read_bagging(model, read_model),
        (pipeline.Pipeline,): lambda model: read_pipeline(model, read_model, nameless),
    }
    for kinds, read in readers.items():
        if isinstance(model, kinds):
            check_is_fitted(model)
            return read(model)
    if hasattr(model, "best_estimator_"):
        raise TypeError(f"model is {type(model).__name__}; pass model.best_estimator_")
    raise TypeError(f"model is {type(model).__name__}, whose output is no sum of trees; pass {KNOWN}")
