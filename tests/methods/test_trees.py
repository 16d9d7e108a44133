"""Integrated Gradients of trees: closed forms, completeness, axioms, and agreement with what others compute."""

from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from torch import nn
from tree_walks import by_orders, walked

import igteach
from igteach import axioms
from igteach.axioms.cases import Combination
from igteach.datasets.patients import load_patients
from igteach.methods.sums import sum_attributions
from igteach.methods.tree_models import TreeFunction
from igteach.methods.trees import tree_integrated_gradients, tree_shapley_values

REGRESSORS = {
    "tree": DecisionTreeRegressor(max_depth=6, random_state=0),
    "extra tree": ExtraTreeRegressor(random_state=0),
    "forest": RandomForestRegressor(12, random_state=0),
    "extra trees": ExtraTreesRegressor(12, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=15, random_state=0),
    "boosting from zero": GradientBoostingRegressor(n_estimators=15, init="zero", loss="huber", random_state=0),
    "histogram": HistGradientBoostingRegressor(max_iter=15, random_state=0),
    "histogram, poisson": HistGradientBoostingRegressor(max_iter=15, loss="poisson", random_state=0),
}
CLASSIFIERS = {
    "tree": DecisionTreeClassifier(max_depth=6, random_state=0),
    "extra tree": ExtraTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(12, class_weight="balanced", random_state=0),
    "extra trees": ExtraTreesClassifier(12, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=10, random_state=0),
    "histogram": HistGradientBoostingClassifier(max_iter=10, random_state=0),
}
KINDS = [("regressor", name) for name in REGRESSORS]
KINDS += [(f"{classes} classes", name) for classes in (2, 3) for name in CLASSIFIERS]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=" ".join)


def table(classes=3):
    return make_classification(300, 4, n_informative=4, n_redundant=0, n_classes=classes, random_state=1)


@cache
def fitted(kind):
    """A model of the kind, of four features, two of which come in steps of a half; and a target, where it wants one."""
    task, name = kind
    models = REGRESSORS if task == "regressor" else CLASSIFIERS
    model = clone(models[name])
    data, labels = table(2 if task == "2 classes" else 3)
    data[:, 2:] = np.round(2 * data[:, 2:]) / 2
    if task == "regressor":
        return model.fit(data, labels + np.abs(data).sum(1)), None
    one_score = task == "2 classes" and name in ("boosting", "histogram")
    return model.fit(data, labels), None if one_score else 1


def doubles(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def grid(size, features=2):
    return np.array(list(product(range(size), repeat=features)), float)


def grid_tree(function, size=4, features=2, **options):
    """A tree that is function(*columns) at the integers 0 to size - 1 and jumps half-way between them."""
    points = grid(size, features)
    return DecisionTreeRegressor(**options).fit(points, function(*points.T).astype(float))


def shares(model, x, baseline=0.0, target=None):
    return tree_integrated_gradients(model, doubles(x), doubles(*baseline) if baseline else baseline, target).values[0]


# --- closed forms


def test_a_stump_gives_its_whole_jump_to_its_one_feature():
    stump = DecisionTreeRegressor().fit([[0.0, 3.0], [1.0, 3.0]], [2.0, 7.0])
    assert shares(stump, [1.0, 9.0]).tolist() == [5.0, 0.0]
    assert shares(stump, [0.2, 9.0]).tolist() == [0.0, 0.0]
    assert shares(stump, [0.0, 1.0], [1.0, 5.0]).tolist() == [-5.0, 0.0]


@pytest.mark.parametrize(
    ("end", "start", "share"), [(0.5, 0.0, 0.0), (0.5, 1.0, -5.0), (1.0, 0.5, 5.0), (0.0, 0.5, 0.0)]
)
def test_a_number_at_the_threshold_is_on_the_left_of_it_at_either_end(end, start, share):
    stump = DecisionTreeRegressor().fit([[0.0], [1.0]], [2.0, 7.0])
    assert shares(stump, [end], [start]).tolist() == [share]


def test_the_feature_that_is_late_gets_the_jump_of_a_minimum_and_shapley_values_halve_it():
    model = grid_tree(np.minimum)
    x = doubles([1.0, 3.0], [3.0, 1.0], [1.0, 1.0], [2.0, 2.0], [1.0, 2.0])
    late = doubles([1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [1.0, 1.0], [1.0, 0.0])
    assert torch.equal(tree_integrated_gradients(model, x).values, late)
    assert torch.equal(tree_shapley_values(model, x).values, late[[2, 2, 2, 3, 2]])


TIES = [
    (lambda x, y, z: x * y * z, [1 / 3, 1 / 3, 1 / 3]),
    (lambda x, y, z: x * np.maximum(y, z), [4 / 6, 1 / 6, 1 / 6]),  # by halves of the jump z would get as much as x
    (lambda x, y, z: x + y + z >= 2, [1 / 3, 1 / 3, 1 / 3]),
    (lambda x, y, z: (x != y) + 0 * z, [0, 0, 0]),
    (lambda x, y, z: x * y + z, [1 / 2, 1 / 2, 1]),
    (lambda x, y, z: x - x * y * z, [2 / 3, -1 / 3, -1 / 3]),
    (lambda x, y, z: 3 * x - 2 * y, [3, -2, 0]),
]


@pytest.mark.parametrize(("function", "expected"), TIES)
@pytest.mark.parametrize("seed", range(4))
def test_a_jump_that_several_features_make_at_once_is_the_mean_over_their_orders(function, expected, seed):
    model = grid_tree(function, 2, 3, max_features=1, random_state=seed)
    torch.testing.assert_close(shares(model, [1.0, 1.0, 1.0]), doubles(*expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "expected"), [(lambda x, y: x * y, [0.5, 0.5]), (lambda x, y: x * (1 - y), [0.5, -0.5])]
)
@pytest.mark.parametrize("swapped", [False, True])
def test_crossings_that_only_rounding_tells_apart_are_one(function, expected, swapped):
    points, values = np.repeat(grid(2), 20, 0), np.repeat(function(*grid(2).T), 20)
    columns, to = points * [0.2, 0.6], doubles([0.62, 3 * 0.62])
    assert 0.1 / 0.62 != 0.3 / (3 * 0.62)
    if swapped:
        columns, to, expected = columns[:, ::-1], to.flip(1), expected[::-1]
    model = HistGradientBoostingRegressor(learning_rate=1, max_iter=1, min_samples_leaf=1).fit(columns, values)
    nodes = model._predictors[0][0].nodes
    assert set(nodes["num_threshold"][nodes["is_leaf"] == 0]) == {0.1, 0.3}
    for start, end, sign in ((0 * to, to, 1), (to, 0 * to, -1)):
        found = sign * tree_integrated_gradients(model, end, start).values
        torch.testing.assert_close(found, doubles(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_what_a_feature_gains_and_loses_again_leaves_nothing_not_even_rounding(seed):
    heights = np.r_[0, np.random.default_rng(seed).random(8), 0]
    model = grid_tree(lambda x: heights[x.astype(int)], 10, 1)
    answer = tree_integrated_gradients(model, doubles([9.0]))
    assert answer.values.item() == 0
    assert answer.verdict == "complete"


def test_a_tie_is_what_noise_in_proportion_to_the_way_makes_of_it():
    model, noise = grid_tree(lambda x, y, z: x * np.maximum(y, z), 2, 3), torch.Generator().manual_seed(0)
    moved = torch.rand(20_000, 3, generator=noise, dtype=torch.float64) * 0.2 - 0.1
    around = tree_integrated_gradients(model, 1 + moved, moved).values.mean(0)
    torch.testing.assert_close(around, shares(model, [1.0, 1.0, 1.0]), rtol=0, atol=0.02)


def test_a_leaf_whose_way_through_is_shorter_than_rounding_gets_nothing():
    step = np.nextafter(0.5, 1)
    model = HistGradientBoostingRegressor(learning_rate=1, max_iter=1, min_samples_leaf=1)
    model.fit(np.repeat([[0.0], [0.5], [step], [1.0]], 20, 0), np.repeat([0.0, 5, -5, 1], 20))
    answer = tree_integrated_gradients(model, doubles([1.0]))
    torch.testing.assert_close(answer.values, doubles([1.0]))


# --- every kind of model


@pytest.mark.sampled(8)
@every_kind
@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), batch=st.integers(1, 5), on_grid=st.booleans())
def test_the_shares_add_up_to_the_change_of_f_to_rounding(kind, seed, batch, on_grid):
    model, target = fitted(kind)
    ends = 2 * torch.randn(2, batch, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x, baseline = (4 * ends).round() / 4 if on_grid else ends  # thresholds lie on quarters, too
    if target is not None:
        target = torch.arange(batch) % (2 if kind[0] == "2 classes" else 3)
    for method in (tree_integrated_gradients, tree_shapley_values):
        answer = method(model, x, baseline, target)
        assert answer.residual.abs().max() < 1e-9
        assert answer.verdict == "complete"


@every_kind
def test_f_is_what_the_documentation_says(kind):
    model, target = fitted(kind)
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = tree_integrated_gradients(model, x, 0.25, target)
    for points, f in ((x, found.f_input), (torch.full((20, 4), 0.25).double(), found.f_baseline)):
        if kind[0] == "regressor":
            expected = model.predict(points.numpy())
            expected = np.log(expected) if kind[1] == "histogram, poisson" else expected
        elif hasattr(model, "decision_function"):
            expected = model.decision_function(points.numpy())
            expected = expected if target is None else expected[:, target]
        else:
            expected = model.predict_proba(points.numpy())[:, target]
        np.testing.assert_allclose(f.numpy(), expected, rtol=1e-12, atol=1e-12)


@every_kind
def test_a_fine_walk_along_the_path_finds_the_same_shares(kind):
    model, target = fitted(kind)
    x, baseline = torch.from_numpy(1.5 * np.random.default_rng(0).normal(size=(2, 5, 4)))

    def f(points):
        scores = TreeFunction(model)(torch.from_numpy(points)).numpy()
        return scores if target is None else scores[:, target]

    shares = tree_integrated_gradients(model, x, baseline, target).values
    shapley = tree_shapley_values(model, x, baseline, target).values
    np.testing.assert_allclose(shapley, by_orders(f, baseline.numpy(), x.numpy())[0], rtol=0, atol=1e-9)
    for i in range(len(x)):
        np.testing.assert_allclose(shares[i], walked(f, baseline[i].numpy(), x[i].numpy()), rtol=0, atol=1e-9)
    assert shares.abs().max() > 0.1


def test_an_example_gets_the_same_alone_and_in_company():
    model, _ = fitted(("3 classes", "histogram"))
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = torch.tensor([0, 1, 2, 2, 1, 0])
    together = tree_integrated_gradients(model, x, x.mean(0), targets).values
    for i in range(6):
        alone = tree_integrated_gradients(model, x[i : i + 1], x.mean(0), targets[i : i + 1]).values
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-13)


def test_the_way_back_gives_the_same_shares_with_the_other_sign():
    model, _ = fitted(("2 classes", "histogram"))
    x, baseline = torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    there, back = (tree_integrated_gradients(model, *ends).values for ends in ((x, baseline), (baseline, x)))
    torch.testing.assert_close(there, -back, rtol=0, atol=1e-12)


def test_a_forest_gets_the_mean_of_its_trees():
    model, target = fitted(("3 classes", "forest"))
    x = torch.randn(10, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    each = [tree_integrated_gradients(tree, x, 0.3, target).values for tree in model.estimators_]
    whole = tree_integrated_gradients(model, x, 0.3, target).values
    torch.testing.assert_close(whole, torch.stack(each).mean(0), rtol=0, atol=1e-12)


# --- the axioms


def on_trees(f, x, baseline=None, target=None):
    """As a method; a combination is made one tree, from what it says on the grid."""
    if isinstance(f, Combination) and isinstance(f.f, TreeFunction):
        points = grid(4, x.shape[1])
        f = TreeFunction(DecisionTreeRegressor(random_state=0).fit(points, f(torch.from_numpy(points)).numpy()))
    if not isinstance(f, TreeFunction):
        raise NotImplementedError("no tree")
    return tree_integrated_gradients(f.model, x, baseline, target)


def random_tree(seed, features=3, spoil=lambda values: values):
    values = np.random.default_rng(seed).integers(-3, 4, size=(4,) * features).astype(float)
    return lambda **options: TreeFunction(
        DecisionTreeRegressor(**options).fit(grid(4, features), spoil(values).reshape(-1))
    )


def ends(seed, batch=20, features=3):
    """Half of them at integers, so that features often cross together."""
    x, baseline = torch.rand(2, batch, features, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    x[::2], baseline[::2] = x[::2].round(), baseline[::2].round()
    return x, baseline


@pytest.mark.parametrize("seed", range(5))
def test_every_axiom_that_applies_holds_on_trees_also_where_features_cross_together(seed):
    (x, baseline), options = ends(seed), {"max_features": 1, "random_state": seed}
    f, g = random_tree(seed)(**options), random_tree(seed + 100)(**options)
    assert axioms.completeness(on_trees, f, x, baseline).gap < 1e-12
    result = axioms.linearity(on_trees, f, g, x, baseline)
    assert result.gap < 1e-9, result
    again = random_tree(seed)(max_features=1, random_state=seed + 50)
    assert not np.array_equal(f.model.tree_.feature, again.model.tree_.feature)
    result = axioms.implementation_invariance(on_trees, f, again, x, baseline)
    assert result.gap < 1e-9, result
    alike = random_tree(seed, spoil=lambda values: values + values.swapaxes(0, 1))(**options)
    x[:, 1], baseline[:, 1] = x[:, 0], baseline[:, 0]
    result = axioms.symmetry(on_trees, alike, x, baseline, pair=(0, 1))
    assert result.gap < 1e-9, result
    alone = torch.zeros(3, 3).double() + 3 * torch.eye(3).double()
    one = random_tree(seed, spoil=lambda values: values + 50 * np.arange(4).reshape(-1, 1, 1))(**options)
    assert axioms.sensitivity_a(on_trees, one, alone[:1]).holds


def test_a_feature_that_a_tree_splits_on_to_no_effect_gets_zero():
    points = grid(3, 2)
    model = DecisionTreeRegressor(max_features=1, random_state=1).fit(
        points, points[:, 0] * 2 + 100 * (points[:, 1] > 9)
    )
    noisy = GradientBoostingRegressor(n_estimators=2, learning_rate=1.0, max_depth=4, max_features=1, random_state=0)
    noisy.fit(points, points[:, 0] * 2)
    split_on = {feature for stage in noisy.estimators_ for feature in stage[0].tree_.feature}
    assert 1 in split_on  # redundantly
    x, baseline = ends(0, features=2)
    for tree in (model, noisy):
        assert axioms.sensitivity_b(on_trees, TreeFunction(tree), x, baseline, dummy=1).gap < 1e-12


# --- what has no way to go


def one_hot_table():
    """A column of four categories, a number, and y; and the same with the categories one-hot."""
    category, number = (column.ravel() for column in np.meshgrid([0.0, 1, 2, 7], np.arange(6.0)))
    y = np.array([0.0, 4, 1, 9])[np.searchsorted([0, 1, 2, 7], category)] * (number > 2.5) + number
    code = (category[:, None] == [0, 1, 2, 7]).astype(float)
    return np.repeat(np.c_[number, category], 20, 0), np.repeat(np.c_[code, number], 20, 0), np.repeat(y, 20)


def test_a_category_changes_half_way_where_its_one_hot_code_crosses():
    table, coded, y = one_hot_table()
    options = {"learning_rate": 0.5, "max_iter": 60, "min_samples_leaf": 1, "early_stopping": False}
    model = HistGradientBoostingRegressor(**options, categorical_features=[1]).fit(table, y)
    twin = HistGradientBoostingRegressor(**options).fit(coded, y)
    rows = torch.randint(len(table), (2, 40), generator=torch.Generator().manual_seed(0))
    (x, baseline), (x_coded, baseline_coded) = torch.from_numpy(table)[rows], torch.from_numpy(coded)[rows]
    x[:, 0], x_coded[:, 4] = x[:, 0] + 0.3, x_coded[:, 4] + 0.3  # so that no number crosses half-way, with the code
    found = tree_integrated_gradients(model, x, baseline)
    expected = tree_integrated_gradients(twin, x_coded, baseline_coded).values
    assert any(predictor.nodes["is_categorical"].any() for (predictor,) in model._predictors)
    assert found.residual.abs().max() < 1e-9
    torch.testing.assert_close(found.values[:, 1], expected[:, :4].sum(1), rtol=0, atol=1e-6)
    torch.testing.assert_close(found.values[:, 0], expected[:, 4], rtol=0, atol=1e-6)


@pytest.mark.parametrize("category", [5.0, -1.0, 2.5, 300.0, torch.nan])
def test_a_category_never_seen_counts_as_missing_as_in_the_model(category):
    table, _, y = one_hot_table()
    model = HistGradientBoostingRegressor(categorical_features=[1]).fit(table, y)
    answer = tree_integrated_gradients(model, doubles([4.0, category]), doubles(1.0, 7.0))
    assert answer.residual.abs().item() < 1e-9
    assert answer.values.abs().min() > 0.1
    missing = tree_integrated_gradients(model, doubles([4.0, torch.nan]), doubles(1.0, 7.0))
    assert torch.equal(answer.values, missing.values)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=5),
        RandomForestRegressor(10, random_state=0),
        ExtraTreesRegressor(10, random_state=0),
        HistGradientBoostingRegressor(max_iter=20),
    ],
)
def test_a_missing_value_goes_where_the_model_sends_it(model):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 3))
    data[rng.random(data.shape) < 0.2] = np.nan
    model.fit(data, np.isnan(data[:, 0]) * 3 + np.nan_to_num(data).sum(1))
    points = torch.from_numpy(data)
    answer = tree_integrated_gradients(model, points[:200], points[200:])
    assert answer.residual.abs().max() < 1e-9
    one = doubles([torch.nan, 0.1, 0.2])
    assert tree_integrated_gradients(model, one, one).values.abs().max() == 0
    only = tree_integrated_gradients(model, one, doubles(0.3, 0.1, 0.2)).values[0]
    assert only[0] > 1
    assert only[1:].abs().max() == 0


def test_a_missing_value_comes_half_way():
    numbers = np.repeat([[0.0, 0.0], [0.0, 1.0], [np.nan, 0.0], [np.nan, 1.0]], 20, 0)
    model = DecisionTreeRegressor().fit(numbers, np.repeat([0.0, 0, 0, 1], 20))
    for y, late in ((0.8, [0, 1]), (1.25, [1, 0]), (1.0, [0.5, 0.5])):  # y crosses 0.5 after, before and at the half
        assert shares(model, [torch.nan, y]).tolist() == late


def test_numbers_are_rounded_to_float32_where_the_model_rounds_them():
    points = np.repeat([[1.0], [1.5]], 20, 0)
    just_over = doubles([1.25 + 2.0**-30])  # in float32 it is the threshold, 1.25
    for model, share in ((DecisionTreeRegressor(), 0), (HistGradientBoostingRegressor(max_iter=1, learning_rate=1), 1)):
        answer = tree_integrated_gradients(model.fit(points, points[:, 0] > 1.25), just_over, 1.0)
        assert answer.values.item() == pytest.approx(share)
        assert answer.residual.item() == pytest.approx(0)


# --- against TreeSHAP


def test_shapley_values_are_those_of_tree_shap():
    shap = pytest.importorskip("shap")
    patients = load_patients()
    x, baseline = patients.x_test, patients.x_train[patients.y_train == 0].mean(0)
    for model in (  # none has a threshold that float32 rounds to a patient's number: there the peer goes left of it
        DecisionTreeClassifier(random_state=0),
        ExtraTreesClassifier(20, random_state=0),
        RandomForestRegressor(20, random_state=0),
        GradientBoostingClassifier(random_state=0),
        HistGradientBoostingClassifier(max_iter=50, random_state=0),
    ):
        model.fit(patients.x_train.numpy(), patients.y_train.numpy())
        target = 1 if hasattr(model, "predict_proba") and not hasattr(model, "decision_function") else None
        explainer = shap.TreeExplainer(model, data=baseline[None].numpy(), feature_perturbation="interventional")
        peer = explainer.shap_values(x.numpy())
        peer = peer if target is None else peer[:, :, target]
        ours = tree_shapley_values(model, x, baseline, target).values
        np.testing.assert_allclose(ours, peer, rtol=0, atol=1e-6)  # the peer keeps values in float32
        assert np.abs(tree_integrated_gradients(model, x, baseline, target).values.numpy() - peer).max() > 0.1


def test_on_patients_the_path_and_the_mean_over_orders_rank_features_alike_but_not_the_same():
    patients = load_patients()
    x, baseline = patients.x_test, patients.x_train[patients.y_train == 0].mean(0)
    model = GradientBoostingClassifier(random_state=0).fit(patients.x_train.numpy(), patients.y_train.numpy())
    path, orders = (m(model, x, baseline).values.numpy() for m in (tree_integrated_gradients, tree_shapley_values))
    told = (path != 0).any(1)  # the others are to the model what the baseline is
    path, orders = path[told], orders[told]
    ranks = np.array([spearmanr(one, other).statistic for one, other in zip(path, orders, strict=True)])
    far = np.abs(path - orders).sum(1) / np.abs(orders).sum(1)
    same_top = (path.argmax(1) == orders.argmax(1)).mean()
    patient, feature = np.unravel_index(np.abs(path - orders).argmax(), path.shape)
    assert 0.7 < np.median(ranks) < 0.99
    assert 0.1 < np.median(far) < 0.6
    assert 0.6 < same_top < 0.98
    assert np.abs(path - orders)[patient, feature] > 1  # in log odds
    apart = (
        f"{patients.names[feature]} {path[patient, feature]:+.2f} by the path, {orders[patient, feature]:+.2f} by all"
    )
    print(f"ranks correlate: median {np.median(ranks):.2f}, lowest {ranks.min():.2f}; L1 distance {np.median(far):.0%}")
    print(f"the same feature comes first in {same_top:.0%}; farthest apart: {apart} orders")


@pytest.mark.parametrize("seed", range(3))
def test_a_sum_of_stumps_has_one_answer_and_an_interaction_two(seed):
    data, labels = table(2)
    x, baseline = torch.from_numpy(data[:50]), torch.from_numpy(data[50:100])
    for depth in (1, 2):
        model = GradientBoostingClassifier(max_depth=depth, random_state=seed).fit(data, labels)
        gap = tree_integrated_gradients(model, x, baseline).values - tree_shapley_values(model, x, baseline).values
        assert gap.abs().max() < 1e-9 if depth == 1 else gap.abs().max() > 0.1


def test_on_yes_and_no_every_feature_crosses_at_once_and_the_shares_are_shapley_values():
    data = np.random.default_rng(0).integers(0, 2, size=(200, 5)).astype(float)
    model = RandomForestRegressor(10, random_state=0).fit(data, data[:, 0] * data[:, 1] + data[:, 2] * data[:, 3])
    x, baseline = torch.from_numpy(data[:50]), torch.from_numpy(data[50:100])
    shares = tree_integrated_gradients(model, x, baseline).values
    torch.testing.assert_close(shares, tree_shapley_values(model, x, baseline).values, rtol=0, atol=1e-12)
    assert shares.abs().max() > 0.3


# --- a sum of trees and a network


def test_trees_and_a_network_added_together_get_the_sum_of_their_shares():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)).double()
    model, _ = fitted(("regressor", "forest"))
    x, baseline = torch.randn(2, 10, 4, dtype=torch.float64)
    parts = tree_integrated_gradients(model, x, baseline), igteach.exact_integrated_gradients(network, x, baseline)
    whole = sum_attributions(*parts)
    trees = TreeFunction(model)
    for points, f in ((x, whole.f_input), (baseline, whole.f_baseline)):
        torch.testing.assert_close(f, trees(points) + network(points)[:, 0].detach())
    assert whole.residual.abs().max() < 1e-9
    assert torch.equal(whole.values, parts[0].values + parts[1].values)
    assert torch.equal(whole.evaluations, parts[1].evaluations)
    assert whole.error_estimate.max() < 1e-9


def test_the_error_of_a_sum_is_the_sum_of_the_errors_of_its_parts():
    def network(x):
        return torch.sin(3 * x).sum(1)

    x = doubles([1.0, 2.0], [3.0, 1.0])
    rough, fine = (igteach.integrated_gradients(network, x, steps=steps) for steps in (8, 512))
    stepwise = tree_integrated_gradients(grid_tree(np.minimum), x)
    whole = sum_attributions(stepwise, rough)
    true = stepwise.values + fine.values
    distance = (whole.values - true).abs().sum(1)
    promised = whole.error_estimate * whole.values.abs().sum(1)
    assert (distance <= promised * 1.01).all()
    torch.testing.assert_close(promised, rough.error_estimate * rough.values.abs().sum(1), rtol=0.05, atol=0)
    assert sum_attributions(stepwise, igteach.integrated_gradients(network, x, steps=2)).error_estimate is None


def test_parts_that_do_not_belong_together_are_not_added():
    model = grid_tree(np.minimum)
    one, two = (tree_integrated_gradients(model, torch.ones(n, 2)) for n in (1, 2))
    with pytest.raises(ValueError, match=r"shapes \[\(1, 2\), \(2, 2\)\]; attribute every part"):
        sum_attributions(one, two)
    slope = igteach.gradient(nn.Linear(2, 1), torch.ones(1, 2))
    with pytest.raises(ValueError, match="one without F\\(baseline\\)"):
        sum_attributions(one, slope)


# --- what is refused

TWO = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            LinearRegression().fit(TWO, TWO[:, 0]),
            TypeError,
            "model is LinearRegression, whose output is no sum of trees; pass a DecisionTree, .* Pipeline",
        ),
        (
            AdaBoostClassifier().fit(TWO, TWO[:, 0]),
            TypeError,
            "model is AdaBoostClassifier, whose output is no sum of trees; pass",
        ),
        (nn.Linear(2, 1), TypeError, "model is Linear, whose output is no sum of trees; pass"),
        (RandomForestRegressor(), NotFittedError, "RandomForestRegressor instance is not fitted yet. Call 'fit'"),
        (DecisionTreeRegressor().fit(TWO, TWO), ValueError, "model has 2 outputs; fit one model for each"),
        (RandomForestClassifier(2).fit(TWO, TWO), ValueError, "model has 2 outputs; fit one model for each"),
        (
            GradientBoostingRegressor(init=LinearRegression()).fit(TWO, TWO[:, 0]),
            ValueError,
            "model starts from init=LinearRegression, which is no tree; fit it without init",
        ),
        (
            HistGradientBoostingRegressor(categorical_features=[0]).fit(np.array([["a", 1], ["b", 2]], object), [1, 2]),
            ValueError,
            r"model was fitted on categories such as 'a', and x holds numbers; number them",
        ),
    ],
)
def test_a_model_whose_f_is_no_sum_of_trees_is_refused_by_name(model, error, message):
    with pytest.raises(error, match=message):
        tree_integrated_gradients(model, torch.ones(1, 2))


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (torch.ones(2), {}, ValueError, r"x has shape \(2,\); .* pass x\[None\]"),
        (torch.ones(1, 3), {}, ValueError, r"x has shape \(1, 3\); it must be \(batch, 2\), as the model was fitted"),
        (torch.ones(1, 2, 2), {}, ValueError, r"x has shape \(1, 2, 2\); it must be \(batch, 2\)"),
        ([[1.0, 1.0]], {}, TypeError, "x is list; pass a tensor, array or DataFrame"),
        (torch.ones(1, 2, dtype=torch.complex64), {}, TypeError, r"x is torch\.complex64"),
        (torch.tensor([[1, torch.inf]]), {}, ValueError, "x holds NaN or infinity"),
        (torch.ones(1, 2), {"baseline": torch.ones(3)}, ValueError, "baseline has shape"),
        (torch.ones(1, 2), {"target": 0}, ValueError, "target was given, but f returns one number a row"),
        (doubles([1e300, 0]), {}, ValueError, "too large for dtype"),
    ],
)
def test_what_a_tree_does_not_take_is_refused_by_name(x, options, error, message):
    with pytest.raises(error, match=message):
        tree_integrated_gradients(grid_tree(np.minimum), x, **options)


def test_a_tensor_on_another_device_is_refused_and_not_copied():
    with pytest.raises(ValueError, match=r"x is on meta, and trees are walked on the CPU; pass x\.cpu\(\)"):
        TreeFunction(grid_tree(np.minimum))(torch.ones(1, 2, device="meta"))


def test_a_class_is_asked_for_where_there_are_several():
    for kind, classes in ((("3 classes", "histogram"), 3), (("2 classes", "forest"), 2)):
        model, _ = fitted(kind)
        with pytest.raises(ValueError, match=f"target is missing: f returns {classes} classes"):
            tree_integrated_gradients(model, torch.ones(1, 4))
        with pytest.raises(ValueError, match=f"target is {classes}, which is no label of the model; pass one of 0, 1"):
            tree_integrated_gradients(model, torch.ones(1, 4), target=classes)


def test_a_missing_value_is_refused_where_the_model_takes_none():
    model, _ = fitted(("regressor", "boosting"))
    for ends in ((torch.full((1, 4), torch.nan), None), (torch.ones(1, 4), torch.full((4,), torch.nan))):
        with pytest.raises(
            ValueError, match=r"NaN, which this GradientBoostingRegressor does not take; .* HistGradient"
        ):
            tree_integrated_gradients(model, *ends)


def test_the_callers_tensors_stay_as_they_were():
    table, _, y = one_hot_table()
    model = HistGradientBoostingRegressor(categorical_features=[1]).fit(table, y)
    x = doubles([4.0, 2.0], [torch.nan, 7.0])
    before = x.clone()
    tree_integrated_gradients(model, x, x[:1])
    torch.testing.assert_close(x, before, rtol=0, atol=0, equal_nan=True)
