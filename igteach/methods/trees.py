"""Integrated Gradients of tree ensembles: no gradient, but a jump wherever the path crosses a split.

Each leaf is a box. The path from x' to x comes into it where the last of the features comes into its range, and goes
out where the first one leaves. That feature gets what F gains there, the leaf's value, and what F loses.

Where several features cross at one alpha, the jump is shared as Shapley values share it: the mean over the orders in
which they could have crossed. For a box that is a closed form, so no order is ever tried. It is the one rule that asks
only what F is around the point, not how a tree is written, and keeps all the axioms: equal parts of each jump, say,
would break linearity. It is also the limit of IG, were F smoothed by noise in proportion to |x - x'|.

A category, or a number that is missing at one end only, has no way to go: it changes at alpha = 1/2, which is where the
path crosses a split of its one-hot code.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from igteach.core.attribution import Attribution
from igteach.core.evaluation import forward
from igteach.core.functions import Baseline, Target
from igteach.core.validation import check_arguments
from igteach.methods.exact import CLOSEST
from igteach.methods.tree_models import HALFWAY, Tree, TreeFunction

ROUNDING = 1e-13  # of all that a feature gained and lost: less than that left of it is nothing


def tree_integrated_gradients(model: Any, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The exact share of each feature in F(x) - F(x'), for F of a scikit-learn tree or ensemble of trees.

    model   DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting, HistGradientBoosting; fitted
    x       (batch, features) on the CPU, floating point; NaN where the model takes missing values, also in baseline
    F       trees and forests: predict, or of a classifier predict_proba, with the class as target
            boosting: the sum of its trees, which is predict (its logarithm for a loss of poisson or gamma), or of a
            classifier decision_function: the log odds of the second of two classes, without target, or one for each

    x and baseline are rounded to float32 where the model does that (all but HistGradientBoosting); the path is not.
    Returns an Attribution in float64, complete to rounding.
    Raises TypeError for another model, ValueError where its sum is not one of trees alone, and as integrated_gradients.
    Source: Merrill et al. (2019), Generalized IG; the share of a box in a tie: Lundberg et al. (2020).
    """
    return _attribution(model, x, baseline, target, all_at_once=False)


def tree_shapley_values(model: Any, x: Tensor, baseline: Baseline = None, target: Target = None) -> Attribution:
    """The Shapley values of the same F, exact: what the jumps come to where all features cross at once.

    A feature is then either as in x or as in the baseline: the interventional TreeSHAP of one baseline.
    Arguments, answer and errors as for tree_integrated_gradients. Source: Lundberg et al. (2020).
    """
    return _attribution(model, x, baseline, target, all_at_once=True)


def _attribution(model: Any, x: Tensor, baseline: Baseline, target: Target, all_at_once: bool) -> Attribution:
    f = TreeFunction(model)
    _, _, target = check_arguments(f, _filled(x), _filled(baseline), target)
    baseline = torch.as_tensor(0.0 if baseline is None else baseline, dtype=x.dtype).expand(x.shape)
    at_x, at_baseline = forward(f, x, target), forward(f, baseline, target)
    end, start = f.seen(x), f.seen(baseline)
    outputs = np.zeros(len(x), int) if target is None else target.numpy()
    totals = np.zeros((2, *x.shape))
    for tree in f.trees():
        _add_shares(totals, tree, start, end, outputs, all_at_once)
    values = np.where(np.abs(totals[0]) > ROUNDING * totals[1], totals[0], 0)
    exact = torch.zeros(len(x), dtype=torch.float64)
    return Attribution(torch.from_numpy(values), at_x, at_baseline, evaluations=0, error_estimate=exact)


@dataclass(frozen=True, eq=False)
class Visits:
    """Paths in nodes: that of `example` is in `node` while alpha is between enter and leave; each (visits,)."""

    example: np.ndarray
    node: np.ndarray
    enter: np.ndarray  # -inf where the path starts inside
    leave: np.ndarray  # inf where it ends inside
    entered_by: np.ndarray  # (visits, features) bool: the features that cross at enter
    left_by: np.ndarray  # and at leave

    def only(self, kept: np.ndarray) -> "Visits":
        return Visits(*(column[kept] for column in vars(self).values()))


def _add_shares(
    totals: np.ndarray, tree: Tree, start: np.ndarray, end: np.ndarray, outputs: np.ndarray, all_at_once: bool
) -> None:
    """Adds one tree's shares to the totals (2, batch, features), and to the second their sizes; level by level."""
    examples = np.flatnonzero(np.abs(tree.value).max(axis=0)[outputs])  # a boosted tree has one output of several
    nowhere, no_one = np.full(len(examples), -np.inf), np.zeros((len(examples), start.shape[1]), bool)
    visits = Visits(examples, np.zeros(len(examples), int), nowhere, -nowhere, no_one, no_one)
    while len(visits.node):
        is_leaf = tree.is_leaf[visits.node]
        leaves, visits = visits.only(is_leaf), visits.only(~is_leaf)
        _share_out(totals, leaves, tree.value[leaves.node, outputs[leaves.example]])
        feature = tree.feature[visits.node]
        begins, ends = start[visits.example, feature], end[visits.example, feature]
        left = tree.goes_left(visits.node, begins), tree.goes_left(visits.node, ends)
        alpha = np.full(len(begins), HALFWAY) if all_at_once else tree.crossing(visits.node, begins, ends)
        visits = _joined(
            _narrowed(visits, tree.left[visits.node], feature, *left, alpha),
            _narrowed(visits, tree.right[visits.node], feature, ~left[0], ~left[1], alpha),
        )


def _narrowed(
    visits: Visits, child: np.ndarray, feature: np.ndarray, at_start: np.ndarray, at_end: np.ndarray, alpha: np.ndarray
) -> Visits:
    """The visits that reach the child, whose side of the split the feature is on at the start and at the end."""
    enter = np.where(at_start, -np.inf, np.where(at_end, alpha, np.inf))
    leave = np.where(at_end, np.inf, np.where(at_start, alpha, -np.inf))
    enter, entered_by = _latest(visits.enter, visits.entered_by, enter, feature)
    leave, left_by = _latest(-visits.leave, visits.left_by, -leave, feature)
    reached = Visits(visits.example, child, enter, -leave, entered_by, left_by)
    return reached.only(enter <= -leave + CLOSEST)


def _latest(
    alpha: np.ndarray, crossed_by: np.ndarray, new: np.ndarray, feature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The later of two alphas, and who crosses there, when `feature` crosses at the new one."""
    crossed_by = crossed_by & (new <= alpha + CLOSEST)[:, None]
    crossed_by[np.arange(len(feature)), feature] |= new >= alpha - CLOSEST
    return np.maximum(alpha, new), crossed_by


def _share_out(totals: np.ndarray, leaves: Visits, value: np.ndarray) -> None:
    """Adds to the totals what F gains and loses at the leaves, whose value is (visits,).

    Take a box that a features enter and b others leave at the same alpha. The path is inside it only in orders with all
    of the a first: each of the a gains (a - 1)! b! / (a + b)! of its value, each of the b loses a! (b - 1)! / (a + b)!.
    Where enter and leave differ, b is 0 in the gain and a is 0 in the loss.
    """
    from scipy.special import comb

    tie = leaves.enter >= leaves.leave - CLOSEST
    never = tie & (leaves.entered_by & leaves.left_by).any(1)  # one feature is in and out at once, in no order between
    a, b = leaves.entered_by.sum(1), leaves.left_by.sum(1)
    gain = np.where((leaves.enter == -np.inf) | never, 0, value / np.maximum(a, 1) / comb(a + tie * b, a))
    loss = np.where((leaves.leave == np.inf) | never, 0, value / np.maximum(b, 1) / comb(b + tie * a, b))
    for crossed_by, change in ((leaves.entered_by, gain), (leaves.left_by, -loss)):
        visit, feature = np.nonzero(crossed_by)
        for total, number in zip(totals, (change, np.abs(change)), strict=True):
            np.add.at(total, (leaves.example[visit], feature), number[visit])


def _joined(one: Visits, other: Visits) -> Visits:
    return Visits(*map(np.concatenate, zip(vars(one).values(), vars(other).values(), strict=True)))


def _filled(numbers: Any) -> Any:
    """Zero for NaN: what is left is checked as every method does it."""
    missing = isinstance(numbers, Tensor) and numbers.is_floating_point()
    return numbers.masked_fill(numbers.isnan(), 0) if missing else numbers
