"""XGBoost's and LightGBM's models: their shares against a walk along the path, all orders, shap, and their own F."""

import subprocess
import sys
import warnings

import lightgbm
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost
from tree_walks import by_orders, walked

from igteach.methods.tree_models import TreeFunction
from igteach.methods.trees import tree_integrated_gradients, tree_shapley_values

BOTH = pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
DRAWN = [(library, seed) for library in ("xgboost", "lightgbm") for seed in range(8)]
MANY = [(library, seed) for library in ("xgboost", "lightgbm") for seed in range(8, 48)]


def drawn_table(seed, rows=300):
    """Four columns: a real number, one in steps of a quarter, one with gaps, and a category; and y."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4))
    x[:, 1] = np.round(4 * x[:, 1]) / 4
    x[random.random(rows) < 0.2, 2] = np.nan
    x[:, 3] = random.choice([0, 1, 2, 5, 63], rows)  # 63 has the last bit of its word
    by_category = random.normal(size=64)[x[:, 3].astype(int)]
    return x, x[:, 0] * x[:, 1] + 2 * np.isnan(x[:, 2]) + np.nan_to_num(x[:, 2]) + 2 * by_category


def drawn_model(library, seed):
    """A model of a kind that the seed draws, its own score as a function of points, and the classes it has."""
    random = np.random.default_rng(seed)
    x, y = drawn_table(seed)
    classes = int(random.choice([1, 2, 3]))
    size = {"n_jobs": 1, "n_estimators": 6, "max_depth": int(random.integers(1, 5)), "random_state": seed}
    target = y if classes == 1 else np.digitize(y, np.quantile(y, [0.5] if classes == 2 else [0.3, 0.7]))
    if library == "xgboost":
        kinds = {"gbtree": {}, "dart": {"rate_drop": 0.4}, "forests": {"num_parallel_tree": 3, "subsample": 0.6}}
        kind = str(random.choice(list(kinds)))
        options = kinds[kind] | {"booster": "dart" if kind == "dart" else "gbtree"}
        make = xgboost.XGBRegressor if classes == 1 else xgboost.XGBClassifier
        model = make(
            **size, **options, feature_types=["q", "q", "q", "c"], enable_categorical=True, max_cat_to_onehot=3
        )
        model.fit(x, target)
        return model, lambda points: model.predict(points, output_margin=True).astype(float), classes
    kinds = {"gbdt": {}, "dart": {"drop_rate": 0.4}, "rf": {"subsample": 0.6, "subsample_freq": 1}}
    kind = str(random.choice(list(kinds)))
    options = kinds[kind] | {"zero_as_missing": bool(random.random() < 0.4), "min_child_samples": 5, "cat_smooth": 1.0}
    options |= {"min_data_per_group": 5}
    make = lightgbm.LGBMRegressor if classes == 1 else lightgbm.LGBMClassifier
    model = make(**size, **options, boosting_type=kind, verbose=-1).fit(x, target, categorical_feature=[3])
    return model, lambda points: scored(model, points, 6 if kind == "rf" else 1), classes


def scored(model, points, divided_by):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.predict(points, raw_score=True) / divided_by


def missing(model, points):
    """What a model takes as missing."""
    zero = getattr(model, "zero_as_missing", False)
    return np.isnan(points) | (points == 0 if zero else False)


def compare(library, seed, rows):
    model, score, classes = drawn_model(library, seed)
    table, _ = drawn_table(seed + 1000, 2 * rows)
    x, baseline = table[:rows], table[rows:]
    target = None if classes < 3 else seed % 3

    def f(points):
        return score(points) if target is None else score(points)[:, target]

    found = tree_integrated_gradients(model, x, baseline, target)
    np.testing.assert_allclose(found.f_input, f(x), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.f_baseline, f(baseline), rtol=1e-6, atol=1e-7)
    assert found.residual.abs().max() < (1e-5 if library == "xgboost" else 1e-12)
    orders, _ = by_orders(f, baseline, x)
    np.testing.assert_allclose(tree_shapley_values(model, x, baseline, target).values, orders, rtol=0, atol=1e-5)
    for row in range(rows):
        # zero is missing only to numbers: a category 0 is one like others
        jumps = missing(model, baseline[row]) | missing(model, x[row]) | [False, False, False, True]
        shares = walked(f, baseline[row], x[row], jumps)
        np.testing.assert_allclose(found.values[row], shares, rtol=0, atol=1e-5)
    return found


@pytest.mark.parametrize(("library", "seed"), DRAWN)
def test_shares_of_drawn_models_are_those_of_a_walk_and_of_all_orders(library, seed):
    compare(library, seed, 3)


@pytest.mark.long
@pytest.mark.parametrize(("library", "seed"), MANY)
def test_shares_of_many_drawn_models_are_those_of_a_walk_and_of_all_orders(library, seed):
    compare(library, seed, 6)


@BOTH
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_shapley_values_are_those_of_shap(library, classes):
    shap = pytest.importorskip("shap")
    x, y = drawn_table(0)
    x = np.nan_to_num(x[:, :3])
    y = y if classes == 1 else np.digitize(y, np.quantile(y, [0.5] if classes == 2 else [0.3, 0.7]))
    kinds = {
        ("xgboost", True): xgboost.XGBClassifier,
        ("xgboost", False): xgboost.XGBRegressor,
        ("lightgbm", True): lightgbm.LGBMClassifier,
        ("lightgbm", False): lightgbm.LGBMRegressor,
    }
    options = {"verbose": -1, "n_jobs": 1} if library == "lightgbm" else {}
    model = kinds[library, classes > 1](n_estimators=20, max_depth=4, **options).fit(x[:200], y[:200])
    baseline = x[:200].mean(0)
    peer = shap.TreeExplainer(model, baseline[None], feature_perturbation="interventional").shap_values(x[200:])
    target = None if classes < 3 else 1
    peer = peer if target is None else peer[:, :, target]
    found = tree_shapley_values(model, x[200:], baseline, target).values
    np.testing.assert_allclose(found, peer, rtol=0, atol=1e-5)


# --- where a number goes


def test_a_number_at_xgboosts_threshold_goes_right_of_it_and_float32_decides():
    model = xgboost.XGBRegressor(n_estimators=1, max_depth=1, learning_rate=1, min_child_weight=0, reg_lambda=0)
    model.fit([[0.0], [0.1]] * 20, [0.0, 1.0] * 20)
    threshold = next(TreeFunction(model).sums[0].trees()).threshold[0]
    below = float(np.nextafter(np.float32(threshold), np.float32(-1)))
    for number, share in ((threshold, 1), (below, 0), (threshold - 1e-12, 1)):  # the last is the threshold in float32
        answer = tree_integrated_gradients(model, np.array([[number]]), -1.0)
        assert answer.values.item() == pytest.approx(share, abs=1e-6)
        assert answer.residual.item() == pytest.approx(0, abs=1e-6)


def test_two_features_that_cross_xgboosts_thresholds_at_once_share_the_jump():
    corners = np.repeat([[0.0, 0], [0, 6], [2, 0], [2, 6]], 10, 0)  # thresholds 2 and 6: exact in float32
    model = xgboost.XGBRegressor(n_estimators=1, max_depth=2, learning_rate=1, reg_lambda=0, tree_method="exact")
    model.fit(corners, corners.prod(1))
    thresholds = next(TreeFunction(model).sums[0].trees()).threshold
    assert {1.0, 3.0} <= set(thresholds)
    answer = tree_integrated_gradients(model, np.array([[2.0, 6.0]]))
    np.testing.assert_allclose(answer.values, [[6, 6]], rtol=1e-6)


def test_lightgbm_compares_in_float64():
    x, y = np.array([[1.0], [1 + 1e-12]] * 30), [0.0, 1.0] * 30
    model = lightgbm.LGBMRegressor(n_estimators=1, learning_rate=1, min_child_samples=1, verbose=-1, n_jobs=1).fit(x, y)
    answer = tree_integrated_gradients(model, x[1:2], 1.0)
    assert answer.values.item() == pytest.approx(1)
    assert answer.residual.item() == pytest.approx(0)


@BOTH
def test_a_category_that_the_model_never_saw_goes_where_the_model_sends_it(library):
    for seed in range(3):
        model, score, classes = drawn_model(library, seed)
        target = None if classes < 3 else 2
        x = np.array([[0.3, 0.25, 0.1, category] for category in (3, 7, 31, 32, 62, 64, 1000, -1, np.nan)])
        answer = tree_integrated_gradients(model, x, np.array([0.3, 0.25, 0.1, 2.0]), target)
        expected = score(x) if target is None else score(x)[:, target]
        np.testing.assert_allclose(answer.f_input, expected, rtol=1e-6, atol=1e-7)
        assert answer.residual.abs().max() < 1e-5
        assert answer.values[:, :3].abs().max() == 0


def test_what_xgboost_was_told_is_missing_is_missing():
    x, y = drawn_table(3)
    gaps = np.where(np.isnan(x[:, :3]), -999, x[:, :3])
    plain = xgboost.XGBRegressor(n_estimators=5, max_depth=3).fit(x[:, :3], y)
    told = xgboost.XGBRegressor(n_estimators=5, max_depth=3, missing=-999).fit(gaps, y)
    found = tree_integrated_gradients(told, gaps[:20], gaps[20:40])
    expected = tree_integrated_gradients(plain, x[:20, :3], x[20:40, :3])
    assert torch.equal(found.values, expected.values)
    assert found.residual.abs().max() < 1e-5
    assert found.values[:, 2].abs().max() > 0.1


def test_trees_of_lightgbm_that_were_fitted_without_gaps_take_one_as_zero():
    x, y = drawn_table(4)
    x = np.nan_to_num(x[:, :3])
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1).fit(x, y)
    holes = x[:30].copy()
    holes[:, 2] = np.nan
    answer = tree_integrated_gradients(model, holes, x[30:60])
    np.testing.assert_allclose(answer.f_input, model.predict(np.nan_to_num(holes)))
    assert answer.residual.abs().max() < 1e-12


# --- which trees count


def test_the_trees_up_to_the_best_iteration_count_as_in_predict():
    x, y = drawn_table(5)
    x = np.nan_to_num(x[:, :3])
    fit, watch = (x[:100], y[:100]), [(x[200:], np.random.default_rng(0).normal(size=100))]
    stopped = xgboost.XGBRegressor(n_estimators=50, early_stopping_rounds=5).fit(*fit, eval_set=watch, verbose=False)
    assert stopped.best_iteration + 1 < stopped.get_booster().num_boosted_rounds()
    answer = tree_integrated_gradients(stopped, x[:20])
    np.testing.assert_allclose(answer.f_input, stopped.predict(x[:20]), rtol=1e-6)
    assert answer.residual.abs().max() < 1e-5
    booster = stopped.get_booster()  # predicts with all
    answer = tree_integrated_gradients(booster, x[:20])
    np.testing.assert_allclose(answer.f_input, booster.predict(xgboost.DMatrix(x[:20])), rtol=1e-6)
    assert answer.residual.abs().max() < 1e-5
    stop = [lightgbm.early_stopping(5, verbose=False)]
    early = lightgbm.LGBMRegressor(n_estimators=50, verbose=-1, n_jobs=1).fit(*fit, eval_set=watch, callbacks=stop)
    for model in (early, early.booster_):
        answer = tree_integrated_gradients(model, x[:20])
        np.testing.assert_allclose(answer.f_input, early.predict(x[:20]), rtol=1e-12)
        assert answer.residual.abs().max() < 1e-12


def test_every_class_and_forest_of_a_round_counts_up_to_the_best_iteration():
    x, y = drawn_table(9)
    x, classes = np.nan_to_num(x[:, :3]), np.digitize(y, [-1, 1])
    watch = [(x[200:], np.random.default_rng(0).integers(0, 3, 100))]
    options = {"booster": "dart", "num_parallel_tree": 2, "subsample": 0.5}
    model = xgboost.XGBClassifier(n_estimators=20, early_stopping_rounds=3, n_jobs=1, **options)
    model.fit(x[:100], classes[:100], eval_set=watch, verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    for label in range(3):
        answer = tree_integrated_gradients(model, x[:20], target=label)
        np.testing.assert_allclose(answer.f_input, model.predict(x[:20], output_margin=True)[:, label], rtol=1e-6)
        assert answer.residual.abs().max() < 1e-5


def test_a_booster_gives_what_its_scikit_learn_class_gives_and_numbers_its_classes():
    x, y = drawn_table(6)
    labels = np.array(["a", "b", "c"])[np.digitize(y, [-1, 1])]
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(x, labels)
    by_label = tree_integrated_gradients(model, x[:9], target="c")
    by_number = tree_integrated_gradients(model.booster_, x[:9], target=2)
    assert torch.equal(by_label.values, by_number.values)
    with pytest.raises(ValueError, match="target is 3, which is no label of the model; pass one of 0, 1, 2"):
        tree_integrated_gradients(model.booster_, x[:9], target=3)


def test_a_model_of_one_leaf_gives_nothing():
    x = np.ones((30, 2))
    for model in (xgboost.XGBRegressor(n_estimators=2), lightgbm.LGBMRegressor(n_estimators=2, verbose=-1, n_jobs=1)):
        answer = tree_integrated_gradients(model.fit(x, np.arange(30.0)), x[:1], 0.0)
        assert answer.values.abs().max() == 0
        assert answer.f_input.item() == pytest.approx(14.5)


# --- names and refusals


def test_columns_keep_their_names_with_boosters_too():
    x, y = drawn_table(7)
    frame = pd.DataFrame(np.nan_to_num(x[:, :3]), columns=["age", "daily dose", "pulse"])
    for model in (xgboost.XGBRegressor(n_estimators=3), lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1)):
        model.fit(frame, y)
        inside = model.get_booster() if hasattr(model, "get_booster") else model.booster_
        for each in (model, inside):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                answer = tree_integrated_gradients(each, frame[:9], frame.mean())
                assert answer.feature_names == ("age", "daily dose", "pulse")
                assert tree_integrated_gradients(each, frame[:9].to_numpy()).feature_names[0] == "age"
            with pytest.raises(ValueError, match=r"x has the columns 'pulse', .* the model was fitted on 'age'"):
                tree_integrated_gradients(each, frame[["pulse", "age", "daily dose"]])


def linear_trees(x, y):
    return lightgbm.LGBMRegressor(n_estimators=2, linear_tree=True, verbose=-1, n_jobs=1).fit(x, y)


def with_categories(kind, **options):
    frame = pd.DataFrame({"a": pd.Categorical(["u", "v"] * 20)})
    return kind(n_estimators=2, **options).fit(frame, [0.0, 1.0] * 20)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, y: xgboost.XGBRegressor(booster="gblinear").fit(x, y), r"model is linear \(booster='gblinear'\)"),
        (lambda x, y: xgboost.XGBRegressor(n_estimators=2).fit(x, np.c_[y, y]), "model has 2 outputs; fit one model"),
        (
            lambda x, y: xgboost.XGBClassifier(n_estimators=2, multi_strategy="multi_output_tree").fit(
                x, np.arange(len(x)) % 3
            ),
            "several numbers at a leaf; fit it with multi_strategy='one_output_per_tree'",
        ),
        (linear_trees, r"model has linear trees \(linear_tree=True\)"),
        (
            lambda x, y: with_categories(xgboost.XGBRegressor, enable_categorical=True),
            "DataFrame with categories.*feature_types",
        ),
        (
            lambda x, y: with_categories(lightgbm.LGBMRegressor, verbose=-1, n_jobs=1),
            "DataFrame with categories.*categorical_feature",
        ),
    ],
)
def test_a_booster_whose_f_is_no_sum_of_trees_is_refused_in_words(make, message):
    x, y = drawn_table(8)
    model = make(np.nan_to_num(x[:, :3]), y)
    with pytest.raises(ValueError, match=message):
        tree_integrated_gradients(model, x[:1, :1] if "categories" in message else x[:1, :3])


def test_a_number_that_float32_cannot_hold_is_refused():
    model = xgboost.XGBRegressor(n_estimators=1).fit([[0.0], [1.0]] * 9, [0.0, 1.0] * 9)
    with pytest.raises(ValueError, match="holds a number too large for float32, to which XGBoost rounds"):
        tree_integrated_gradients(model, np.array([[1e300]]))


@BOTH
def test_a_model_that_is_not_fitted_says_so(library):
    model = xgboost.XGBRegressor() if library == "xgboost" else lightgbm.LGBMRegressor()
    with pytest.raises(Exception, match=r"eed to call fit"):
        tree_integrated_gradients(model, np.ones((1, 2)))


def test_neither_library_is_imported_by_ours():
    code = "import sys, igteach.methods.trees; print({'xgboost', 'lightgbm', 'pandas', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
