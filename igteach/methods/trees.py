"""Integrated Gradients of tree ensembles: no gradient, but a jump wherever the path crosses a split.

Each leaf is a box. The path from x' to x enters it when the last of the features comes into its range, and leaves it
when the first one goes out. The feature that enters gets what F gains there, the leaf's value; the one that leaves gets
what F loses.

Where several features cross at one alpha, the jump is distributed as Shapley values distribute it: by the mean over the
orders in which they could have crossed. For a box that has a closed form, so no order is ever tried. It is the only
rule that depends on nothing but F around the point, not on how a tree is written, and keeps all the axioms: equal
shares of each jump, say, would break linearity. It is also the limit of IG if F were smoothed by noise in proportion
to |x - x'|.

A category, or a value that is missing at one end only, cannot move gradually: it changes at alpha = 1/2, which is
where the path crosses a split of its one-hot code.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward
from igteach.core.tables import few_names, read_table
from igteach.core.validation import check_arguments
from igteach.methods.exact import CLOSEST
from igteach.methods.tree_models import TreeFunction, as_array
from igteach.methods.tree_nodes import HALFWAY, Tree

ROUNDING = 1e-13  # of all that a feature gained and lost: if less than that is left of it, nothing is


def tree_integrated_gradients(model: Any, x: Any, baseline: Any = None, target: Any = None) -> Attribution:
    """The exact share of each feature in F(x) - F(x'), for F of a tree or an ensemble of trees.

    F of scikit-learn's trees, forests, bagging and voting is predict or, for a classifier, predict_proba of the target.
    F of boosting is the sum of its trees: predict (its logarithm for a loss of poisson or gamma) or, for a classifier,
    decision_function. F of XGBoost is the margin, output_margin=True; of LightGBM the raw score, raw_score=True; both
    up to best_iteration where the model predicts with that. Of two classes boosting has one number, the log odds of the
    second, without target.

    x and baseline are rounded to float32 if the model does that (all but HistGradientBoosting and LightGBM); the path
    is not. A pipeline's scalers move both; the shares are of its own columns.

    A value that is missing at one end only, be it NaN or what the model was told to take as missing, changes half-way,
    as a category does.

    Args:
        model: a fitted DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting or HistGradientBoosting of
            scikit-learn; a Bagging or (soft) Voting ensemble of such, if what they predict is their sum; a Pipeline of
            StandardScaler, MinMaxScaler, MaxAbsScaler or RobustScaler and such a model; or one of XGBoost or LightGBM.
        x: (batch, features), a tensor on the CPU, a NumPy array or a DataFrame. Categories are numbers, as the model
            was fitted on them; NaN is a missing value, if the model takes such.
        baseline: x', a number, or a tensor, array, DataFrame or Series that broadcasts to x; None is zeros. It may hold
            NaN, as x.
        target: the label of a class as in ``model.classes_``, or (batch,) of them; the number of the class for a
            Booster, which keeps no labels. None if F is one number for each row.

    Returns:
        An Attribution in float64, in units of F and complete but for rounding (XGBoost adds up F in float32), with the
        names of the columns where x or the model has them.

    Raises:
        TypeError: if the model is of another kind, or as `igteach.integrated_gradients`.
        ValueError: if F is not a sum of trees alone, target is no label, columns have other names than the model's, or
            as `igteach.integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> tree = DecisionTreeRegressor().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])  # x and y
        >>> igteach.tree_integrated_gradients(tree, torch.tensor([[1.0, 2.0]])).values.tolist()  # x crosses last
        [[1.0, 0.0]]

    Source:
        Merrill et al. (2019), Generalized IG, https://arxiv.org/abs/1909.01869; the share of a box in a tie: Lundberg
        et al. (2020), https://doi.org/10.1038/s42256-019-0138-9.
    """
    return _attribution(model, x, baseline, target, all_at_once=False)


def tree_shapley_values(model: Any, x: Any, baseline: Any = None, target: Any = None) -> Attribution:
    """The exact Shapley values of the same F: what the jumps amount to if all features cross at once.

    A feature is then either as in x or as in the baseline: this is the interventional TreeSHAP of one baseline.

    Args:
        model: as for `igteach.tree_integrated_gradients`.
        x: (batch, features), a tensor, NumPy array or DataFrame; as there.
        baseline: x'; as there.
        target: the label of a class, (batch,) of them, or None; as there.

    Returns:
        An Attribution in float64, in units of F and complete but for rounding (XGBoost adds up F in float32), with the
        names of the columns where x or the model has them.

    Raises:
        TypeError: if the model is of another kind, or as `igteach.integrated_gradients`.
        ValueError: if F is not a sum of trees alone, target is no label, columns have other names than the model's, or
            as `igteach.integrated_gradients`.

    Example:
        >>> import igteach, torch
        >>> from sklearn.tree import DecisionTreeRegressor
        >>> tree = DecisionTreeRegressor().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])  # x and y
        >>> igteach.tree_shapley_values(tree, torch.tensor([[1.0, 2.0]])).values.tolist()
        [[0.5, 0.5]]

    Source:
        Lundberg et al. (2020), https://doi.org/10.1038/s42256-019-0138-9.
    """
    return _attribution(model, x, baseline, target, all_at_once=True)


def _attribution(model: Any, x: Any, baseline: Any, target: Any, all_at_once: bool) -> Attribution:
    """IG of a model, or its Shapley values, for which all features cross at once."""
    f = TreeFunction(model)
    x, baseline, names = read_arguments(f, x, baseline)
    outputs = f.outputs(target, len(x))
    _, _, per_row = check_arguments(f, _without_nan(x), _without_nan(baseline), outputs)
    baseline = torch.as_tensor(0.0 if baseline is None else baseline, dtype=x.dtype, device=x.device).expand(x.shape)
    f_input, f_baseline = forward(f, x, per_row), forward(f, baseline, per_row)
    totals = np.zeros((2, *x.shape))
    columns = np.zeros(len(x), int) if outputs is None else outputs.numpy()
    for trees in f.sums:
        paths = _Paths(trees.split_inputs(as_array(baseline)), trees.split_inputs(as_array(x)), columns, all_at_once)
        for tree in trees.trees():
            _add_shares(totals, tree, paths)
    shares, changes = totals
    values = torch.from_numpy(np.where(np.abs(shares) > ROUNDING * changes, shares, 0))
    no_error = torch.zeros(len(x), dtype=torch.float64, device="cpu")
    return Attribution(values, f_input, f_baseline, evaluations=0, error_estimate=no_error, feature_names=names)


def read_arguments(f: TreeFunction, x: Any, baseline: Any) -> tuple[Any, Any, tuple[str, ...] | None]:
    """x and the baseline as tensors of floats, and the names of their columns.

    Args:
        f: of a model of trees.
        x: as for `igteach.tree_integrated_gradients`.
        baseline: as for it.

    Returns:
        x and the baseline, which stays a number or None if it is one; and the names, or None.

    Raises:
        TypeError: one is of the wrong kind.
        ValueError: their columns have other names than the model's, or than each other's.
    """
    x, names = read_table("x", x)
    baseline_names = None
    if baseline is not None and not isinstance(baseline, int | float):
        baseline, baseline_names = read_table("baseline", baseline)
    expected, whose = (f.names, "the model was fitted on") if f.names else (names, "x has")
    for argument, found in (("x", names), ("baseline", baseline_names)):
        if found is not None and expected is not None and _plain(found) != _plain(expected):
            wanted = "the model's columns, in its order" if f.names else "those of x, in its order"
            raise ValueError(
                f"{argument} has the columns {few_names(found)}, {whose} {few_names(expected)}; pass {wanted}"
            )
    return _floating(x), _floating(baseline), names or f.names


def _plain(names: tuple[str, ...]) -> list[str]:
    """Names as LightGBM keeps them."""
    return [name.replace(" ", "_") for name in names]


def _floating(numbers: Any) -> Any:
    """Whole numbers in float64: to a tree they are numbers like others."""
    is_whole = isinstance(numbers, Tensor) and not numbers.is_floating_point() and not numbers.is_complex()
    return numbers.double() if is_whole else numbers


def _without_nan(numbers: Any) -> Any:
    """Zero for NaN, so that the rest is checked as for every method."""
    return numbers.masked_fill(numbers.isnan(), 0) if isinstance(numbers, Tensor) else numbers


@dataclass(frozen=True, eq=False)
class _Paths:
    """The paths of a batch, as a tree sees them.

    Attributes:
        start: (batch, features), the baseline in the numbers that the splits compare.
        end: (batch, features), x in these numbers.
        outputs: (batch,), the output of the tree that counts.
        all_at_once: whether all features cross at the same alpha, whatever the split.
    """

    start: np.ndarray
    end: np.ndarray
    outputs: np.ndarray
    all_at_once: bool


@dataclass(frozen=True, eq=False)
class _Visits:
    """Visits of paths to nodes: the path of `example` is in `node` for alpha from enter to leave.

    Attributes:
        example: (visits,).
        node: (visits,).
        enter: (visits,), -inf if the path starts inside.
        leave: (visits,), inf if it ends inside.
        entered_by: (visits, features), bool: the features that cross at enter.
        left_by: (visits, features), bool: the features that cross at leave.
    """

    example: np.ndarray
    node: np.ndarray
    enter: np.ndarray
    leave: np.ndarray
    entered_by: np.ndarray
    left_by: np.ndarray

    def select(self, is_selected: np.ndarray) -> "_Visits":
        """Some of the visits, by a mask (visits,)."""
        return _Visits(
            self.example[is_selected],
            self.node[is_selected],
            self.enter[is_selected],
            self.leave[is_selected],
            self.entered_by[is_selected],
            self.left_by[is_selected],
        )


def _concatenated(first: _Visits, second: _Visits) -> _Visits:
    return _Visits(
        np.concatenate([first.example, second.example]),
        np.concatenate([first.node, second.node]),
        np.concatenate([first.enter, second.enter]),
        np.concatenate([first.leave, second.leave]),
        np.concatenate([first.entered_by, second.entered_by]),
        np.concatenate([first.left_by, second.left_by]),
    )


@dataclass(frozen=True, eq=False)
class _Crossing:
    """How paths pass the split of a node, seen from one of its sides.

    Attributes:
        feature: (visits,), the feature that the node splits.
        alpha: (visits,), where it crosses the threshold, if it does.
        starts_inside: (visits,), bool: whether the path starts on this side.
        ends_inside: (visits,), bool: whether it ends on this side.
    """

    feature: np.ndarray
    alpha: np.ndarray
    starts_inside: np.ndarray
    ends_inside: np.ndarray

    def other_side(self) -> "_Crossing":
        """The same, seen from the other side."""
        return _Crossing(self.feature, self.alpha, ~self.starts_inside, ~self.ends_inside)


def _add_shares(totals: np.ndarray, tree: Tree, paths: _Paths) -> None:
    """Add the shares of one tree to totals[0] (batch, features), and their absolute values to totals[1].

    The tree is walked level by level, by all paths at once.
    """
    visits = _at_root(tree, paths)
    while len(visits.node):
        is_leaf = tree.is_leaf[visits.node]
        leaves, visits = visits.select(is_leaf), visits.select(~is_leaf)
        _distribute_with_ties(totals, leaves, tree.value[leaves.node, paths.outputs[leaves.example]])
        crossing = _crossing(visits, tree, paths)
        visits = _concatenated(
            _enter_child(visits, tree.left[visits.node], crossing),
            _enter_child(visits, tree.right[visits.node], crossing.other_side()),
        )


def _at_root(tree: Tree, paths: _Paths) -> _Visits:
    """A visit to the root by each path whose output the tree has: of several, a boosted tree has one."""
    has_output = np.abs(tree.value).max(axis=0)[paths.outputs]
    example = np.flatnonzero(has_output)
    always = np.full(len(example), np.inf)
    nobody = np.zeros((len(example), paths.start.shape[1]), bool)
    return _Visits(example, np.zeros(len(example), int), -always, always, nobody, nobody)


def _crossing(visits: _Visits, tree: Tree, paths: _Paths) -> _Crossing:
    """How the paths pass the splits of the nodes they are in, seen from the left."""
    feature = tree.feature[visits.node]
    start, end = paths.start[visits.example, feature], paths.end[visits.example, feature]
    alpha = tree.crossing(visits.node, start, end)
    if paths.all_at_once:
        alpha = np.full_like(alpha, HALFWAY)
    return _Crossing(feature, alpha, tree.goes_left(visits.node, start), tree.goes_left(visits.node, end))


def _enter_child(visits: _Visits, child: np.ndarray, crossing: _Crossing) -> _Visits:
    """The visits that reach a child (visits,), on whose side of the split the crossing is seen."""
    enters_at = np.where(crossing.ends_inside, crossing.alpha, np.inf)
    leaves_at = np.where(crossing.starts_inside, crossing.alpha, -np.inf)
    side_enter = np.where(crossing.starts_inside, -np.inf, enters_at)
    side_leave = np.where(crossing.ends_inside, np.inf, leaves_at)
    enter, entered_by = _latest(visits.enter, visits.entered_by, side_enter, crossing.feature)
    minus_leave, left_by = _latest(-visits.leave, visits.left_by, -side_leave, crossing.feature)
    reached = _Visits(visits.example, child, enter, -minus_leave, entered_by, left_by)
    return reached.select(enter <= -minus_leave + CLOSEST)


def _latest(
    alpha: np.ndarray, crossed_by: np.ndarray, new_alpha: np.ndarray, feature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The later of two alphas, and the features that cross there, if `feature` crosses at the new one."""
    crossed_by = crossed_by & (new_alpha <= alpha + CLOSEST)[:, None]
    crossed_by[np.arange(len(feature)), feature] |= new_alpha >= alpha - CLOSEST
    return np.maximum(alpha, new_alpha), crossed_by


def _distribute_with_ties(totals: np.ndarray, leaves: _Visits, value: np.ndarray) -> None:
    """Add to the totals what F gains and loses at the leaves, whose value is (visits,).

    Take a box that a features enter and b others leave at the same alpha. The path is inside it only in orders with all
    of the a first: each of the a gains (a - 1)! b! / (a + b)! of its value, each of the b loses a! (b - 1)! / (a + b)!.
    Where enter and leave differ, b is 0 in the gain and a is 0 in the loss.
    """
    from scipy.special import comb

    is_tie = leaves.enter >= leaves.leave - CLOSEST
    is_both = (leaves.entered_by & leaves.left_by).any(1)  # one feature enters and leaves
    is_never_inside = is_tie & is_both  # then no order has the path in between
    a, b = leaves.entered_by.sum(1), leaves.left_by.sum(1)
    gain = value / np.maximum(a, 1) / comb(a + is_tie * b, a)
    loss = value / np.maximum(b, 1) / comb(b + is_tie * a, b)
    gain = np.where((leaves.enter == -np.inf) | is_never_inside, 0, gain)
    loss = np.where((leaves.leave == np.inf) | is_never_inside, 0, loss)
    _add_changes(totals, leaves.example, leaves.entered_by, gain)
    _add_changes(totals, leaves.example, leaves.left_by, -loss)


def _add_changes(totals: np.ndarray, example: np.ndarray, crossed_by: np.ndarray, change: np.ndarray) -> None:
    """Add a change (visits,) to the totals of all the features that cross (visits, features)."""
    visit, feature = np.nonzero(crossed_by)
    places = (example[visit], feature)
    np.add.at(totals[0], places, change[visit])
    np.add.at(totals[1], places, np.abs(change[visit]))
