"""The error estimate is honest and sharp where the truth is known, costs no gradient, and steers the steps."""

import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from igteach import exact_integrated_gradients, integrated_gradients, toy
from igteach.core.integration import MAX_EVALUATIONS
from igteach.core.partition import FIRST_CELLS
from igteach.core.quadrature import RULES

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from error_estimates import SMALL, Transformer, cases, known, measure, relative_l1, summary


@pytest.fixture(scope="module")
def small():
    return list(cases(seed=3, count=4, dense=4096))


@pytest.mark.parametrize("rule", RULES)
def test_the_error_is_under_the_estimate_and_the_estimate_at_most_three_times_the_error(small, rule):
    under, ratio, _ = summary([measure(case, rule=rule, steps=64) for case in small])
    assert under >= 0.95
    assert ratio <= 3


@pytest.mark.parametrize("tolerance", [0.05, 0.01])
def test_where_a_network_has_kinks_a_refined_answer_is_judged_as_honestly_and_as_sharply(small, tolerance):
    kinked = [case for case in small if not isinstance(case.f.model, Transformer)]
    under, ratio, _ = summary([measure(case, tolerance=tolerance) for case in kinked])
    assert under >= 0.95
    assert ratio <= 3


@pytest.mark.parametrize("tolerance", [0.05, 0.01])
def test_where_a_network_is_smooth_a_refined_answer_is_better_than_it_knows(small, tolerance):
    smooth = [case for case in small if isinstance(case.f.model, Transformer)]
    under, _, error = summary([measure(case, tolerance=tolerance) for case in smooth])
    assert under >= 0.95
    assert error < tolerance / 3


@pytest.mark.parametrize("seed", [7000005, 7000231, 8000639, 8000691])
def test_what_looks_settled_in_the_first_cells_has_to_look_so_twice_as_much(seed):
    case = known(SMALL["MLP, logit"](seed), "MLP, logit")
    error, estimate = measure(case, tolerance=0.05)
    assert error <= estimate


def relu_network(seed=0, features=5):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(features, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 3)).double()


def test_the_estimate_costs_no_gradient_and_no_forward_pass():
    seen = []

    def f(x):
        seen.append(len(x))
        return (x**3).sum(1)

    integrated_gradients(f, torch.ones(2, 3), steps=10)
    assert sum(seen) == 2 * 10 + 2 * 2 + 1  # the path, its ends, and a row to see by that rows are independent


@settings(max_examples=30)
@given(st.integers(1, 5), st.sampled_from([1, 3, 10, None]), st.sampled_from([0.05, 0.003]), st.integers(0, 2**31))
def test_a_refined_answer_asks_f_for_no_gradient_twice(batch, batch_size, tolerance, seed):
    network, seen = relu_network(seed), list[torch.Tensor]()
    x = torch.randn(batch, 5).double()

    def f(points):
        if points.requires_grad:
            seen.append(points.detach().clone())
        else:
            others.append(len(points))
        return network(points)

    others = []
    answer = integrated_gradients(f, x, target=1, tolerance=tolerance, batch_size=batch_size)
    rows = torch.cat(seen)
    assert len(rows) == len(rows.unique(dim=0)) == answer.evaluations.sum()
    assert sum(others) == 2 * batch + 1


@settings(max_examples=30)
@given(st.sampled_from(RULES), st.integers(1, 30), st.sampled_from([1, 2, 3, 7, 50, None]), st.integers(0, 2**31))
def test_values_and_estimate_depend_neither_on_rows_nor_on_company(rule, steps, batch_size, seed):
    if rule == "trapezoid":
        steps += 1
    network, (x, baseline) = relu_network(seed), torch.randn(2, 3, 5).double()
    whole = integrated_gradients(network, x, baseline, 1, rule=rule, steps=steps, batch_size=1000)
    for i in range(3):
        alone = integrated_gradients(
            network, x[i : i + 1], baseline[i], 1, rule=rule, steps=steps, batch_size=batch_size
        )
        torch.testing.assert_close(alone.values[0], whole.values[i], rtol=1e-9, atol=1e-12)
        assert (alone.error_estimate is None) == (steps < 4)
        if alone.error_estimate is not None:
            torch.testing.assert_close(alone.error_estimate[0], whole.error_estimate[i], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_a_linear_function_has_no_error_but_rounding(rule):
    model = nn.Linear(4, 1).double()
    estimate = integrated_gradients(model, torch.randn(3, 4).double(), rule=rule, steps=64).error_estimate
    assert (estimate > 0).all()
    assert (estimate < 1e-12).all()


@pytest.mark.parametrize("steps", [5, 64, 200])
def test_a_parabola_by_midpoints_has_the_error_of_the_textbook(steps):
    def f(x):
        return (x**3).sum(1)  # its gradient along the path is a parabola; F - IG = 1 / 4 n^2

    answer = integrated_gradients(f, torch.ones(1, 2).double(), steps=steps)
    assert answer.residual.abs().item() / 2 == pytest.approx(1 / (4 * steps**2), rel=1e-6)
    assert answer.error_estimate.item() == pytest.approx(1.5 / (4 * steps**2), rel=1e-3)


def test_errors_that_cancel_in_the_residual_are_seen():
    def f(x):  # two kinks, far apart in the features and equal in the path: F stays 0
        return torch.relu(x[:, 0] - 0.3) - torch.relu(x[:, 1] - 0.3)

    answer = integrated_gradients(f, torch.ones(1, 2).double(), steps=8)
    assert answer.residual.abs().item() < 1e-12
    assert answer.error_estimate.item() >= relative_l1(answer.values, torch.tensor([[0.7, -0.7]])) > 0.05
    assert answer.verdict.startswith("adds up, but single shares are NOT settled")


def test_a_spike_between_the_nodes_is_seen_by_the_residual():
    def f(x):
        return torch.sigmoid(1e4 * (x[:, 0] - 0.5))

    answer = integrated_gradients(f, torch.ones(1, 1).double(), steps=64)
    assert answer.values.abs().item() < 1e-6
    assert answer.error_estimate.item() == pytest.approx(1, abs=1e-3)


def test_a_spike_that_F_gives_away_is_found_and_cut_until_it_is_resolved():
    f = toy(lambda u, v: u + torch.sigmoid(2000 * (u - 0.53)) + 0 * v)
    answer = integrated_gradients(f, torch.ones(1, 2).double(), tolerance=0.01)
    assert answer.converged.all()
    assert answer.values[0, 0].item() == pytest.approx(2, rel=0.01)


def test_what_cancels_between_the_nodes_is_unseen():
    def f(x):  # shares (2, -1)
        return x[:, 0] + torch.sigmoid(2000 * (x[:, 0] - 0.53)) - torch.sigmoid(2000 * (x[:, 1] - 0.53))

    answer = integrated_gradients(f, torch.ones(1, 2).double(), tolerance=0.01)
    torch.testing.assert_close(answer.values, torch.tensor([[1.0, 0.0]]).double(), rtol=0, atol=1e-3)
    assert answer.verdict == "complete"  # no estimate can know; the docstring says so
    assert "goes unseen" in integrated_gradients.__doc__


def test_from_a_cliff_at_the_baseline_that_no_cell_resolves_the_answer_is_not_settled():
    """As a transformer without biases climbs from embeddings of zero: F rises within the smallest numbers."""

    def f(x):
        return x[:, 0] / (x[:, 0].square() + 1e-36).sqrt() + x[:, 1]

    answer = integrated_gradients(f, torch.ones(1, 2).double(), max_evaluations=60)
    assert not answer.converged.any()
    assert "NOT" in answer.verdict


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_no_attributions_where_F_does_not_move_give_a_small_number(dtype):
    answer = integrated_gradients(toy(lambda x, y: x * 0 + 3), torch.ones(2, 2, dtype=dtype), tolerance=0.02)
    assert (answer.error_estimate <= 0.01).all()
    assert answer.converged.all()
    assert answer.verdict == "complete"


def test_exact_attributions_have_no_error():
    assert exact_integrated_gradients(relu_network(), torch.ones(2, 5).double(), target=1).error_estimate.tolist() == [
        0,
        0,
    ]


# --- tolerance


@pytest.mark.parametrize("tolerance", [0.05, 0.01, 0.003])
def test_what_has_converged_is_within_the_tolerance_of_the_exact_truth(tolerance):
    errors = []
    for seed in range(5):
        network, (x, baseline) = relu_network(seed), torch.randn(2, 4, 5).double()
        truth = exact_integrated_gradients(network, x, baseline, 1).values
        answer = integrated_gradients(network, x, baseline, 1, tolerance=tolerance)
        assert answer.converged.all()
        assert (answer.error_estimate <= tolerance).all()
        errors += [relative_l1(values, true) for values, true in zip(answer.values, truth, strict=True)]
    assert sum(error <= tolerance for error in errors) >= 0.95 * len(errors)
    assert max(errors) > tolerance / 20  # and no more was spent than makes sense


def test_only_what_has_not_converged_is_evaluated_again_and_evaluations_count_each_gradient():
    seen = {True: 0, False: 0}

    def f(x):
        for easy in (x[:, 1] == 0).tolist():
            seen[easy] += x.requires_grad
        return torch.relu(x[:, 0] - 0.3 * x[:, 1]) * x[:, 0] + x[:, 0]

    x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]).double()
    answer = integrated_gradients(f, x, x * torch.tensor([0, 1]), tolerance=1e-3)
    assert answer.evaluations[0] == FIRST_CELLS < answer.evaluations[1:].min()
    assert answer.evaluations.max() <= MAX_EVALUATIONS
    assert seen[True] == FIRST_CELLS
    assert seen[False] == answer.evaluations[1:].sum()


@pytest.mark.parametrize("most", [4, 9, 64, 100, 500])
def test_refining_stops_at_max_evaluations_and_says_so(most):
    answer = integrated_gradients(
        relu_network(), torch.randn(3, 5).double(), target=0, tolerance=1e-9, max_evaluations=most
    )
    assert not answer.converged.any()
    assert (answer.evaluations <= most).all()
    assert "3 of 3 NOT converged" in repr(answer)


def test_an_answer_of_each_example_of_its_own_with_a_tolerance():
    network, x = relu_network(), 2 * torch.randn(4, 5).double()
    target = torch.tensor([0, 2, 1, 1])
    together = integrated_gradients(network, x, target=target, tolerance=0.004)
    for i in range(4):
        alone = integrated_gradients(network, x[i : i + 1], target=int(target[i]), tolerance=0.004)
        torch.testing.assert_close(alone.values[0], together.values[i])
        assert alone.evaluations[0] == together.evaluations[i]
        assert alone.converged[0] == together.converged[i]


def test_of_a_fixed_rule_nothing_is_said_of_converging():
    answer = integrated_gradients(relu_network(), torch.ones(1, 5).double(), target=0, steps=64)
    assert answer.converged is None
    assert answer.evaluations == 64


@pytest.mark.parametrize("options", [{"steps": 7}, {"tolerance": 0.003}])
def test_F_along_the_path_is_part_of_the_answer(options):
    network, (x, baseline) = relu_network(), torch.randn(2, 3, 5).double()
    answer = integrated_gradients(network, x, baseline, 1, **options)
    for i, (alphas, values) in enumerate(answer.path_values):
        assert (alphas.diff() > 0).all()
        assert len(alphas) == int(torch.as_tensor(answer.evaluations).expand(3)[i]) + 2
        torch.testing.assert_close(values, network(torch.lerp(baseline[i], x[i], alphas[:, None]))[:, 1].detach())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tolerance": 0}, "tolerance is 0; pass a number above 0"),
        ({"tolerance": -0.1}, "tolerance is -0.1"),
        ({"tolerance": float("nan")}, "tolerance is nan"),
        ({"tolerance": 0.1, "max_evaluations": 3}, "max_evaluations is 3; .*at least 4"),
        ({"tolerance": 0.1, "max_evaluations": 1e4}, "max_evaluations is 10000.0"),
    ],
)
def test_tolerances_that_cannot_be_met_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        integrated_gradients(toy(lambda x: x), torch.ones(1, 1), **options)
