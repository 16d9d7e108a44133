"""The shares of trees are those of shap; tests/methods/test_trees.py has the deep comparison."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor

from igteach import tree_shapley_values

shap = pytest.importorskip("shap")


def test_tree_shapley_values_are_those_of_shap():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 5))
    forest = RandomForestRegressor(20, max_depth=4, random_state=0).fit(table, table[:, 0] * table[:, 1] + table[:, 2])
    x, baseline = table[:10], table[10:11]
    ours = tree_shapley_values(forest, torch.from_numpy(x), torch.from_numpy(baseline)).values
    theirs = shap.TreeExplainer(forest, baseline, feature_perturbation="interventional").shap_values(x)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
