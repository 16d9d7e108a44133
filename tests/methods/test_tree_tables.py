"""Trees at home in tables: arrays, DataFrames and their names, labels, ensembles of ensembles, and pipelines."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tree_walks import by_orders, walked

import igteach
from igteach.methods.trees import tree_integrated_gradients, tree_shapley_values

METHODS = pytest.mark.parametrize("method", [tree_integrated_gradients, tree_shapley_values])
FOREST, HISTOGRAM = RandomForestRegressor(4, max_depth=5), HistGradientBoostingRegressor(max_iter=4)
REGRESSORS = {
    "voting": VotingRegressor([("a", FOREST), ("b", HISTOGRAM)]),
    "voting with weights": VotingRegressor(
        [("a", FOREST), ("off", "drop"), ("b", GradientBoostingRegressor(n_estimators=4))], weights=[1, 5, 3]
    ),
    "bagging": BaggingRegressor(n_estimators=4),
    "bagging of columns": BaggingRegressor(n_estimators=4, max_features=2),
    "bagging of columns twice": BaggingRegressor(n_estimators=4, bootstrap_features=True),
    "bagging of histograms": BaggingRegressor(HISTOGRAM, n_estimators=3, max_features=3),
    "bagging of pipelines": BaggingRegressor(make_pipeline(StandardScaler(), FOREST), n_estimators=3, max_features=3),
    "standard": make_pipeline(StandardScaler(), FOREST),
    "minimum and maximum": make_pipeline(MinMaxScaler((-3, 2)), "passthrough", HISTOGRAM),
    "robust, then largest": make_pipeline(RobustScaler(), MaxAbsScaler(), ExtraTreesRegressor(4)),
    "pipeline in voting": VotingRegressor(
        [("a", make_pipeline(MinMaxScaler(), FOREST)), ("b", FOREST)], weights=[2, 1]
    ),
    "voting in a pipeline": make_pipeline(StandardScaler(), VotingRegressor([("a", FOREST), ("b", HISTOGRAM)])),
}
TREES = RandomForestClassifier(4, max_depth=5)
CLASSIFIERS = {
    "voting": VotingClassifier([("a", TREES), ("b", ExtraTreesClassifier(3))], voting="soft", weights=[3, 1]),
    "bagging": BaggingClassifier(n_estimators=4, max_features=2),
    "bagging of few": BaggingClassifier(  # most members do not see every class: a pipeline takes no weights of rows
        make_pipeline(StandardScaler(), DecisionTreeClassifier()), n_estimators=6, max_samples=4
    ),
    "pipeline": make_pipeline(StandardScaler(), TREES),
}
ENSEMBLES = [(name, False) for name in REGRESSORS] + [(name, True) for name in CLASSIFIERS]


def columns(seed, rows=200):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4)) * [1, 10, 0.1, 3] + [0, 50, 0, -1]
    x[:, 1] = np.round(x[:, 1])
    return x, x[:, 0] * (x[:, 1] > 50) + 10 * x[:, 2] + np.sin(x[:, 3])


def labelled(seed, labels=(1, 2, 3)):
    x, y = columns(seed)
    return x, np.array(labels)[np.digitize(y, np.quantile(y, [0.3, 0.7]))]


def seeded(model, seed):
    states = {name: seed for name in model.get_params() if name.endswith("random_state")}
    return clone(model).set_params(**states)


def fitted(name, is_classifier, seed):
    models, table = (CLASSIFIERS, labelled) if is_classifier else (REGRESSORS, columns)
    return seeded(models[name], seed).fit(*table(seed))


def compare(name, is_classifier, seed, rows):
    """Against a walk along the path and all orders, in what the model itself predicts."""
    model = fitted(name, is_classifier, seed)
    target = 2 if is_classifier else None
    table, _ = columns(seed + 1000, 2 * rows)
    x, baseline = table[:rows], table[rows:]

    def f(points):
        return model.predict_proba(points)[:, 1] if is_classifier else model.predict(points)

    found = tree_integrated_gradients(model, x, baseline, target)
    np.testing.assert_allclose(found.f_input, f(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.f_baseline, f(baseline), rtol=1e-12, atol=1e-12)
    assert found.residual.abs().max() < 1e-9
    orders, _ = by_orders(f, baseline, x)
    np.testing.assert_allclose(tree_shapley_values(model, x, baseline, target).values, orders, rtol=0, atol=1e-9)
    for row in range(rows):
        np.testing.assert_allclose(found.values[row], walked(f, baseline[row], x[row]), rtol=0, atol=1e-9)
    assert found.values.abs().max() > 0.01


@pytest.mark.parametrize(("name", "is_classifier"), ENSEMBLES)
def test_shares_of_an_ensemble_are_those_of_a_walk_and_of_all_orders(name, is_classifier):
    compare(name, is_classifier, 0, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize(("name", "is_classifier"), ENSEMBLES)
def test_shares_of_many_ensembles_are_those_of_a_walk_and_of_all_orders(name, is_classifier, seed):
    compare(name, is_classifier, seed, 4)


@pytest.mark.parametrize("name", ["bagging", "bagging of histograms", "minimum and maximum"])
def test_a_missing_value_goes_through_an_ensemble_as_through_its_members(name):
    x, y = columns(2)
    x[::5, 0] = np.nan
    model = seeded(REGRESSORS[name], 0).fit(x, y)
    answer = tree_integrated_gradients(model, x[:60], x[60:120])
    assert answer.residual.abs().max() < 1e-9
    filled = np.c_[np.full(40, 0.9), x[::5, 1:]]
    alone = tree_integrated_gradients(model, x[::5], filled).values
    assert alone[:, 1:].abs().max() == 0
    assert alone[:, 0].abs().max() > 0.1


def test_a_scaler_that_works_in_place_leaves_the_other_members_their_numbers():
    x, y = columns(3)
    scaled = make_pipeline(StandardScaler(), RandomForestRegressor(3, random_state=0))
    model = VotingRegressor([("a", scaled), ("b", RandomForestRegressor(3, random_state=1))]).fit(x, y)
    expected = tree_integrated_gradients(model, x[:9], x[9:18])
    model.estimators_[0].steps[0][1].copy = False
    found = tree_integrated_gradients(model, x[:9], x[9:18])
    assert torch.equal(found.f_input, expected.f_input)
    assert torch.equal(found.values, expected.values)


# --- arrays and frames


def frame(seed=0):
    x, y = columns(seed)
    return pd.DataFrame(x, columns=["age", "daily dose", "pulse", "weight"]), y


EACH_KIND = {
    "tree": DecisionTreeRegressor(max_depth=4),
    "forest": FOREST,
    "boosting": GradientBoostingRegressor(n_estimators=4),
    "histogram": HISTOGRAM,
    **{
        name: REGRESSORS[name]
        for name in ("voting", "bagging of columns", "pipeline in voting", "voting in a pipeline")
    },
}


@METHODS
@pytest.mark.parametrize("kind", EACH_KIND)
def test_a_frame_an_array_and_a_tensor_get_the_same_shares_without_a_warning(method, kind):
    table, y = frame()
    model = seeded(EACH_KIND[kind], 0).fit(table, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = method(model, table[:9], table.mean())
        same = [
            method(model, table[:9].to_numpy(), table.mean().to_numpy()),
            method(model, torch.tensor(table[:9].to_numpy()), table.mean()),
            method(model, table[:9], table.mean().to_frame().T),
        ]
    assert answer.feature_names == tuple(table.columns)
    for other in same:
        assert torch.equal(other.values, answer.values)
        assert other.feature_names == tuple(table.columns)
    assert model.feature_names_in_ is not None if hasattr(model, "feature_names_in_") else True


def test_a_model_without_names_takes_those_of_the_frame_or_has_none():
    table, y = frame()
    model = RandomForestRegressor(3, random_state=0).fit(table.to_numpy(), y)
    assert tree_integrated_gradients(model, table[:2]).feature_names == tuple(table.columns)
    assert tree_integrated_gradients(model, table[:2].to_numpy()).feature_names is None


def test_columns_in_another_order_or_of_other_names_are_refused():
    table, y = frame()
    model = RandomForestRegressor(3).fit(table, y)
    turned = table[table.columns[::-1]]
    with pytest.raises(
        ValueError, match=r"x has the columns 'weight', .*, the model was fitted on 'age', .*; pass the"
    ):
        tree_integrated_gradients(model, turned)
    tree_integrated_gradients(model, turned[model.feature_names_in_][:2])
    with pytest.raises(ValueError, match=r"baseline has the columns 'weight', .*, the model was fitted on 'age'"):
        tree_integrated_gradients(model, table, turned.mean())
    without = RandomForestRegressor(3).fit(table.to_numpy(), y)
    with pytest.raises(ValueError, match=r"baseline has the columns 'weight', .*, x has 'age', .*; pass those of x"):
        tree_integrated_gradients(without, table, turned.mean())


def test_whole_numbers_and_truth_values_are_numbers_to_a_tree():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5)
    model = DecisionTreeRegressor().fit(x, x.prod(1))
    expected = tree_integrated_gradients(model, torch.ones(1, 2)).values
    mixed = pd.DataFrame({"a": [1], "b": [True]})
    for ones in (np.ones((1, 2), int), np.ones((1, 2), bool), torch.ones(1, 2, dtype=torch.int32), mixed):
        assert torch.equal(tree_integrated_gradients(model, ones).values, expected)
    assert torch.equal(tree_integrated_gradients(model, x[3:4], np.array([0, 0])).values, expected)


def test_a_column_of_words_is_refused_by_name():
    table, y = frame()
    model = RandomForestRegressor(3).fit(table, y)
    with pytest.raises(TypeError, match=r"column 'pulse' of x is str, such as 'fast'; pass numbers"):
        tree_integrated_gradients(model, table[:2].assign(pulse="fast"))


def test_categories_of_a_frame_that_are_numbers_count_as_those_numbers():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"ward": pd.Categorical(random.choice([10, 20, 70], 200)), "age": random.normal(size=200)})
    y = table["age"] + 3 * (table["ward"] == 20)
    model = HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype").fit(table, y)
    with pytest.raises(TypeError, match=r"column 'ward' of x is category; pass numbers: .astype\(float\)"):
        tree_integrated_gradients(model, table[:20])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = tree_integrated_gradients(model, table[:20].astype(float), [[10.0, 0.0]] @ np.eye(2))
    np.testing.assert_allclose(answer.f_input, model.predict(table[:20]))
    assert answer.residual.abs().max() < 1e-9
    assert answer.values[:, 0].abs().max() > 0.5


def test_the_callers_frame_and_model_stay_as_they_were():
    table, y = frame()
    model = make_pipeline(StandardScaler(copy=False), FOREST).fit(table.copy(), y)
    before = table.copy()
    tree_integrated_gradients(model, table, table.mean())
    pd.testing.assert_frame_equal(table, before)
    assert list(model.feature_names_in_) == list(table.columns)


def test_a_sum_of_trees_and_a_network_keeps_the_names():
    table, y = frame()
    trees = tree_integrated_gradients(RandomForestRegressor(3).fit(table, y), table[:4])
    linear = torch.nn.Linear(4, 1).double()
    network = igteach.exact_integrated_gradients(linear, torch.tensor(table[:4].to_numpy()))
    assert igteach.sum_attributions(trees, network).feature_names == tuple(table.columns)
    assert igteach.sum_attributions(network, network).feature_names is None
    turned = table[table.columns[::-1]]
    other = tree_integrated_gradients(RandomForestRegressor(3).fit(turned, y), turned[:4])
    with pytest.raises(
        ValueError, match=r"answers name the feature 'age' where another has 'weight'; pass the columns"
    ):
        igteach.sum_attributions(trees, other)


# --- labels


@METHODS
@pytest.mark.parametrize("kind", ["forest", "boosting", "histogram", "voting", "bagging", "pipeline"])
@pytest.mark.parametrize("labels", [(1, 2, 3), ("ill", "so-so", "well"), (-2.0, -1.0, 7.0)])
def test_a_class_is_given_by_its_label(method, kind, labels):
    models = {"forest": TREES, "boosting": GradientBoostingClassifier(n_estimators=3)} | CLASSIFIERS
    models |= {"histogram": HistGradientBoostingClassifier(max_iter=3)}
    x, y = labelled(0, labels)
    model = seeded(models[kind], 0).fit(x, y)
    score = model.decision_function if kind in ("boosting", "histogram") else model.predict_proba
    expected = score(x[:6])
    for column, label in enumerate(labels):
        answer = method(model, x[:6], x.mean(0), label)
        np.testing.assert_allclose(answer.f_input, expected[:, column], rtol=1e-9, atol=1e-12)
        assert answer.residual.abs().max() < 1e-9
    one_each = method(model, x[:6], x.mean(0), model.predict(x[:6]))
    np.testing.assert_allclose(one_each.f_input, expected.max(1), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=rf"target is 0, which is no label of the model; pass one of {labels[0]!r}, "):
        method(model, x[:6], target=0)
    with pytest.raises(ValueError, match=rf"target is missing: f returns 3 classes; pass one of {labels[0]!r}, "):
        method(model, x[:6])


def test_truth_values_are_labels_of_a_model_that_has_them_and_no_numbers():
    x, y = columns(0)
    model = RandomForestClassifier(3, random_state=0).fit(x, y > 0)
    yes = tree_integrated_gradients(model, x[:5], target=True)
    no = tree_integrated_gradients(model, x[:5], target=np.zeros(5, bool))
    torch.testing.assert_close(yes.values, -no.values)
    assert yes.f_input.tolist() == model.predict_proba(x[:5])[:, 1].tolist()
    with pytest.raises(TypeError, match="target is True; pass one of the model's labels: 1, 2, 3"):
        tree_integrated_gradients(TREES.fit(*labelled(0)), x[:5], target=True)


def test_of_two_classes_boosting_has_the_second_and_says_so():
    x, y = columns(0)
    for model in (GradientBoostingClassifier(n_estimators=3), HistGradientBoostingClassifier(max_iter=3)):
        model.fit(x, np.where(y > 0, "up", "down"))
        assert tree_integrated_gradients(model, x[:5]).f_input.tolist() == model.decision_function(x[:5]).tolist()
        with pytest.raises(ValueError, match=r"f returns one number a row \(the log odds of 'up'\); leave target out"):
            tree_integrated_gradients(model, x[:5], target="up")


def test_as_many_labels_as_rows_are_wanted():
    x, y = labelled(0)
    model = TREES.fit(x, y)
    for target in (torch.tensor([1, 2]), [1, 2], np.array([[1]])):
        with pytest.raises(ValueError, match=r"target has shape .*; for 3 examples pass a label or 3 of them"):
            tree_integrated_gradients(model, x[:3], target=target)


# --- refusals


def searched(model, x, y):
    return GridSearchCV(model, {}, cv=2).fit(x, y)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda x, y: IsolationForest(n_estimators=3).fit(x),
            TypeError,
            "model is IsolationForest, whose output is no sum of trees",
        ),
        (
            lambda x, y: StackingRegressor([("a", FOREST)], cv=2).fit(x, y),
            TypeError,
            "model is StackingRegressor, whose",
        ),
        (lambda x, y: searched(FOREST, x, y), TypeError, "model is GridSearchCV; pass model.best_estimator_"),
        (
            lambda x, y: VotingClassifier([("a", TREES)], voting="hard").fit(x, y > 0),
            ValueError,
            r"model votes by class \(voting='hard'\)",
        ),
        (
            lambda x, y: VotingClassifier([("a", GradientBoostingClassifier(n_estimators=2))], voting="soft").fit(
                x, y > 0
            ),
            ValueError,
            "model averages probabilities, and those of its GradientBoostingClassifier are no sum of trees; pass that",
        ),
        (
            lambda x, y: BaggingRegressor(
                HistGradientBoostingRegressor(max_iter=2, loss="poisson"), n_estimators=2
            ).fit(x, y + 99),
            ValueError,
            "model averages predictions, and those of its HistGradientBoostingRegressor are no sum of trees",
        ),
        (
            lambda x, y: make_pipeline(PCA(4), FOREST).fit(x, y),
            ValueError,
            r"model has the step 'pca', PCA, behind .*; pass model.steps\[-1\]\[1\], and x .*model\[:-1\].transform",
        ),
        (
            lambda x, y: make_pipeline(QuantileTransformer(n_quantiles=9), FOREST).fit(x, y),
            ValueError,
            "QuantileTransformer, behind",
        ),
        (lambda x, y: make_pipeline(FunctionTransformer(np.sqrt), FOREST).fit(abs(x), y), ValueError, "FunctionTransf"),
        (
            lambda x, y: make_pipeline(MinMaxScaler(clip=True), FOREST).fit(x, y),
            ValueError,
            r"MinMaxScaler\(clip=True\), behind",
        ),
    ],
)
def test_what_is_no_sum_of_trees_is_refused_in_words(make, error, message):
    x, y = columns(0)
    model = make(x, y)
    with pytest.raises(error, match=message):
        tree_integrated_gradients(model, x[:2])
    if "steps" in message:  # the advice works
        inside = model[:-1].transform(x)
        assert tree_integrated_gradients(model.steps[-1][1], inside[:2], inside[2:4]).residual.abs().max() < 1e-9
    if "best_estimator_" in message:
        assert tree_integrated_gradients(model.best_estimator_, x[:2]).verdict == "complete"


def test_a_gap_is_refused_where_a_member_takes_none():
    x, y = columns(0)
    model = VotingRegressor([("a", FOREST), ("b", GradientBoostingRegressor(n_estimators=2))]).fit(x, y)
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="holds NaN, which this VotingRegressor does not take"):
        tree_integrated_gradients(model, x[:2])


def test_names_are_in_the_facades_answer_too():
    table, y = frame()
    assert igteach.tree_shapley_values(FOREST.fit(table, y), table[:1]).feature_names[0] == "age"
