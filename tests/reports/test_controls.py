"""What is not one tensor and one network is controlled as well: several inputs, tables, trees and texts."""

from dataclasses import replace
from itertools import product

import lightgbm
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import nn

import igteach
from igteach.core.fingerprint import of_model
from igteach.evaluate import token_deletion
from igteach.models import lookup, text
from igteach.reports import controls, write_report
from igteach.reports.controls import against_random_gradients, by_deletion, from_other_baselines
from igteach.reports.questions import question_of, question_of_text
from tests.text_models import OTHER, tiny_classifier, weighed

ALL_THREE = ["deletion against chance", "random gradients times x - x'", "weights at random"]
TOO_FEW = "two rankings of {} shares agree by chance; 8 are needed"
AREA = (3 / 2 + 0 - 2 + 0) / 3  # under F = 3, 0, -2, 0, while 3x + y - 2z loses x, y and z in this order


@pytest.fixture
def found(tmp_path):
    """What the report of some arguments found."""
    return lambda *arguments, **options: write_report(*arguments, path=tmp_path / "report.html", **options).found


def numbers_in(report):
    return {(each["name"], key): value for each in report["controls"] for key, value in each["numbers"].items()}


def question(answer, f, x, baseline=None, target=None, method=igteach.integrated_gradients):
    return question_of(answer, f, x, baseline, target, method)


class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.first, self.last = nn.Linear(9, 4), nn.Linear(4, 3)

    def forward(self, rows):
        return self.last(torch.tanh(self.first(rows)))


class Apart(Joined):
    def forward(self, image, age):
        return super().forward(torch.cat([image.flatten(1), age], 1))


def apart(rows, form):
    inputs = {"image": rows[:, :8].reshape(-1, 2, 4), "age": rows[:, 8:]}
    return inputs if form == "dict" else tuple(inputs.values())


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_several_inputs_are_controlled_as_one_tensor_that_holds_them(found, form):
    rows, start, other = torch.randn(3, 1, 9, generator=torch.Generator().manual_seed(1))
    one, several = igteach.probability(Joined()), igteach.probability(Apart())
    answer = igteach.integrated_gradients(one, rows, start, 2)
    wanted = found(answer, one, rows, start, 2, other_baselines={"other": other, "half": 0.5})
    x, baseline = apart(rows, form), apart(start, form)
    answer = igteach.integrated_gradients(several, x, baseline, 2)
    said = found(answer, several, x, baseline, 2, other_baselines={"other": apart(other, form), "half": 0.5})
    names = [each["name"] for each in said["controls"]]
    assert names == [*ALL_THREE, "from the baseline 'other'", "from the baseline 'half'"]
    assert numbers_in(said) == pytest.approx(numbers_in(wanted), abs=1e-5)
    assert said["asked"].pop("model") == "Apart, 55 parameters"
    assert wanted["asked"].pop("model") == "Joined, 55 parameters"
    for different in (said, wanted):
        different["asked"].pop("hash of the model's layers and weights")
    assert said["asked"] == wanted["asked"]
    assert said["evidence"]["largest outputs at x'"] == wanted["evidence"]["largest outputs at x'"]
    same = "sum of |shares| / |F(x) - F(x')|"
    assert said["evidence"][same] == pytest.approx(wanted["evidence"][same], rel=1e-5)


def of_two(a, b):
    return 3 * a[:, 0] + a[:, 1] - 2 * b[:, 0]


A, B = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0]])


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_the_order_of_a_dict_does_not_matter(order):
    answer = igteach.integrated_gradients(of_two, {"a": A, "b": B})
    asked = question(answer, of_two, {name: {"a": A, "b": B}[name] for name in order})
    assert by_deletion(asked).numbers["own"] == pytest.approx(AREA, abs=1e-6)
    same, beyond = from_other_baselines(asked, {"same": {"b": 0 * B, "a": 0 * A}, "beyond": {"b": 2 * B, "a": 2 * A}})
    assert (same.numbers["mean"], beyond.numbers["mean"]) == pytest.approx((1, -1))


def test_a_function_of_several_inputs_has_no_weights_to_draw_again(found):
    def f(a, b):
        return of_two(a, b) + b.sum(1)

    inputs = {"a": A, "b": torch.arange(1.0, 9.0)[None]}
    said = found(igteach.integrated_gradients(f, inputs), f, inputs)
    assert said["controls not run"] == {
        "weights at random": "f is function, not a module whose weights can be drawn again"
    }


def test_inputs_that_are_not_those_of_the_answer_are_refused(found):
    answer = igteach.integrated_gradients(of_two, {"a": A, "b": B})
    with pytest.raises(ValueError, match=r"x has \['a', 'c'\], and the answer \['a', 'b'\]; pass the input"):
        found(answer, lambda a, c: of_two(a, c), {"a": A, "c": B})
    with pytest.raises(ValueError, match=r"x has shape \(1, 4\), and the answer has 3 values"):
        found(answer, of_two, {"a": A, "b": A})
    with pytest.raises(TypeError, match="x is a dict: pass a dict with one for each input"):
        found(answer, of_two, {"a": A, "b": B}, other_baselines={"rows": torch.ones(1, 3)})


def test_a_table_is_reported_by_its_columns(found):
    f = igteach.toy(lambda x, y, z: 3 * x + y - 2 * z)
    table = pd.DataFrame({"rain": [1.0], "sun": [2.0], "wind": [1.0]})
    others = {"beyond": 2 * table, "nothing": pd.Series({"rain": 0.0, "sun": 0.0, "wind": 0.0})}
    said = found(igteach.integrated_gradients(f, table), f, table, other_baselines=others)
    assert {each["feature"]: each["share"] for each in said["strongest"]} == pytest.approx(
        {"rain": 3, "sun": 2, "wind": -2}
    )
    numbers = numbers_in(said)
    assert numbers["deletion against chance", "own"] == pytest.approx(AREA, abs=1e-6)
    assert numbers["from the baseline 'beyond'", "mean"] == pytest.approx(-1)
    assert numbers["from the baseline 'nothing'", "mean"] == pytest.approx(1)


CORNERS = np.array([*product([0.0, 1.0], repeat=3)])  # of a cube
MANY = np.repeat(CORNERS, 10, 0)
HEIGHTS = MANY @ [4.0, 2.0, 1.0]
X = CORNERS[-1:]
TREES = {
    "DecisionTreeRegressor": lambda: DecisionTreeRegressor(),
    "LGBMRegressor": lambda: lightgbm.LGBMRegressor(
        n_estimators=30, learning_rate=1, min_child_samples=1, min_data_in_bin=1, n_jobs=1, verbose=-1
    ),
    "XGBRegressor": lambda: xgboost.XGBRegressor(n_estimators=4, learning_rate=1, reg_lambda=0, n_jobs=1),
}


@pytest.mark.parametrize("kind", TREES)
def test_trees_are_controlled_by_their_own_method(found, kind):
    model = TREES[kind]().fit(MANY, HEIGHTS)
    answer = igteach.tree_integrated_gradients(model, X)
    said = found(answer, model, X, other_baselines={"in the same order": -X, "without the first": CORNERS[4:5]})
    assert (said["asked"]["F"], said["asked"]["method, as told"]) == (kind, "tree_integrated_gradients")
    numbers = numbers_in(said)
    assert numbers["deletion against chance", "own"] == pytest.approx((7 / 2 + 3 + 1 + 0) / 3, abs=1e-4)
    assert numbers["from the baseline 'in the same order'", "mean"] == pytest.approx(1)
    assert numbers["from the baseline 'without the first'", "mean"] == pytest.approx(-0.5)  # 0, 2, 1 beside 4, 2, 1
    assert said["controls not run"] == dict.fromkeys(ALL_THREE[1:], TOO_FEW.format(3))


def test_another_method_of_trees_is_run_with_the_model_and_its_label(found):
    model = DecisionTreeClassifier().fit(MANY, np.where(HEIGHTS >= 3, 20, 10))  # x, or y and z
    calls = []

    def shapley(*arguments):
        calls.append(arguments)
        return igteach.tree_shapley_values(*arguments)

    other = 0.6 * X
    said = found(shapley(model, X, None, 20), model, X, None, 20, method=shapley, other_baselines={"other": other})
    ((of, x, baseline, label),) = calls[1:]
    assert (of, x.tolist(), baseline.tolist(), label) == (model, X.tolist(), other.tolist(), 20)
    assert (said["asked"]["method, as told"], said["asked"]["target"]) == ("shapley", "20")
    assert numbers_in(said)["deletion against chance", "own"] == pytest.approx((1 / 2 + 1 + 0 + 0) / 3)


def test_a_label_of_trees_is_checked(found):
    model = DecisionTreeClassifier().fit(MANY, np.where(HEIGHTS >= 3, "high", "low"))
    answer = igteach.tree_integrated_gradients(model, X, None, "high")
    assert found(answer, model, X, None, "high")["asked"]["target"] == "high"
    with pytest.raises(ValueError, match=r"F\(x\) is 0, and the answer says 1: it is of another f, x, baseline or t"):
        found(answer, model, X, None, "low")
    with pytest.raises(ValueError, match="target is 'even', which is no label of the model"):
        found(answer, model, X, None, "even")
    with pytest.raises(ValueError, match="target is missing: f returns 2 classes"):
        found(answer, model, X)


BOOSTERS = {
    "GradientBoostingClassifier": lambda: GradientBoostingClassifier(n_estimators=4),
    "LGBMClassifier": lambda: lightgbm.LGBMClassifier(n_estimators=4, n_jobs=1, verbose=-1),
    "XGBClassifier": lambda: xgboost.XGBClassifier(n_estimators=4, n_jobs=1),
}


@pytest.mark.parametrize("kind", BOOSTERS)
def test_a_booster_of_two_classes_has_one_number_and_no_target(found, kind):
    model = BOOSTERS[kind]().fit(MANY, (HEIGHTS >= 3).astype(int))
    answer = igteach.tree_integrated_gradients(model, X)
    said = found(answer, model, X)
    assert said["asked"]["target"] == "none: F is one number"
    assert numbers_in(said)["deletion against chance", "own"] < answer.f_input.item()
    with pytest.raises(ValueError, match=r"f returns one number a row .*; leave target out"):
        found(answer, model, X, None, 1)


def test_trees_are_asked_of_whole_numbers_too(found):
    model = DecisionTreeRegressor().fit(MANY, HEIGHTS)
    wanted = numbers_in(found(igteach.tree_integrated_gradients(model, X), model, X))
    table = pd.DataFrame({"age": [1], "smokes": [True], "weight": [1.0]})
    for whole in (torch.ones(1, 3, dtype=torch.int64), table):
        answer = igteach.tree_integrated_gradients(model, whole)
        assert numbers_in(found(answer, model, whole, 0 * whole)) == pytest.approx(wanted)


def test_a_missing_value_is_refused_and_the_advice_works(found):
    model = lightgbm.LGBMRegressor(n_estimators=4, n_jobs=1, verbose=-1).fit(MANY, HEIGHTS)
    x = np.where(X == [[0, 1, 0]], X, np.nan)
    answer = igteach.tree_integrated_gradients(model, x)
    for given, baseline in ((x, None), (X, x)):
        with pytest.raises(ValueError, match=r"x or baseline holds NaN, .* leave out f and x"):
            found(answer, model, given, baseline)
    assert not found(answer)["controls"]


def test_a_model_that_is_neither_network_nor_trees_is_refused(found):
    answer = igteach.tree_integrated_gradients(DecisionTreeRegressor().fit(MANY, HEIGHTS), X)
    with pytest.raises(TypeError, match="LinearRegression, whose output is no sum of trees"):
        found(answer, LinearRegression().fit(MANY, HEIGHTS), X)


def prompt(**options):
    """F is linear in the switches."""
    return igteach.token_attribution(weighed(), "how many people", " live", against=" it", **options)


ANSWERS = {
    "a text": lambda: [igteach.token_attribution(text.load("sentiment_zh", "cpu"), "很差")],
    "texts of several lengths": lambda: igteach.token_attribution(text.load("sentiment_zh", "cpu"), ["不很差", "好"]),
    "special tokens": lambda: [igteach.token_attribution(tiny_classifier("Bert"), OTHER, "b")],
    "a number": lambda: [igteach.token_attribution(tiny_classifier("Bert", ("stars",)), OTHER)],
    "a prompt": lambda: [igteach.token_attribution(lookup.load("cpu"), "k3 v7 k3", "v7", against="v2")],
    "a continuation": lambda: igteach.token_attribution(weighed(), "how many people", continuation=" live in it"),
    "a minimal pair": lambda: [prompt(baseline="how many land")],
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_switches_lead_from_the_baseline_to_the_text_and_their_shares_are_the_scores(kind):
    for answer in ANSWERS[kind]():
        evidence, on = answer.evidence, torch.ones_like(answer.evidence.values)
        assert answer.f(on)[0, answer.f_target].item() == pytest.approx(evidence.f_input.item(), rel=1e-5)
        assert answer.f(0 * on)[0, answer.f_target].item() == pytest.approx(evidence.f_baseline.item(), rel=1e-5)
        shares = igteach.integrated_gradients(answer.f, on, target=answer.f_target).values[0]
        common = min(len(shares), len(answer.scores))
        torch.testing.assert_close(shares[:common], answer.scores[:common], rtol=1e-4, atol=1e-6)
        assert not shares[common:].any(), "the tokens before it in a continuation"
        assert not answer.scores[common:].any(), "padding"


def test_f_of_a_text_is_what_the_model_says_of_it():
    classifier = text.load("sentiment_zh", "cpu")
    answer = igteach.token_attribution(classifier, "很差", "positive")
    (probabilities,) = classifier.probabilities(["很差"])
    torch.testing.assert_close(answer.f(torch.ones(1, 2))[0], probabilities)
    assert answer.f_target == classifier.number("positive")


def test_each_token_of_a_continuation_has_its_own_target():
    rows = ANSWERS["a continuation"]()
    assert [row.f_target for row in rows] == [0, 1, 2]
    wanted = torch.cat([row.evidence.f_input for row in rows])
    assert len(wanted.unique()) == 3
    torch.testing.assert_close(rows[0].f(torch.ones_like(rows[0].evidence.values))[0], wanted)
    assert question_of_text(rows[2], igteach.integrated_gradients).target == 2


def test_a_prompt_is_controlled_token_by_token(found):
    answer = prompt()
    said = found(answer)
    assert [each["name"] for each in said["controls"]] == ALL_THREE[:1]
    assert said["controls not run"] == dict.fromkeys(ALL_THREE[1:], TOO_FEW.format(3))
    f_input, (first, second, third) = answer.evidence.f_input.item(), sorted(answer.scores.tolist(), reverse=True)
    on_the_way = f_input, f_input - first, f_input - first - second, f_input - first - second - third
    assert numbers_in(said)["deletion against chance", "own"] == pytest.approx(np.trapezoid(on_the_way) / 3, rel=1e-4)
    assert said["asked"]["F"] == "logit of ' live' minus that of ' it'"
    assert said["asked"]["model"].startswith("Weighed, ")


def test_a_text_is_controlled_as_the_curves_of_its_tokens_say(found):
    classifier = text.load("sentiment_zh", "cpu")
    answer = igteach.token_attribution(classifier, "服务很差房间不干净")
    said = found(answer)
    assert [each["name"] for each in said["controls"]] == [ALL_THREE[0], ALL_THREE[2]]
    assert said["controls not run"] == {
        ALL_THREE[1]: "every token moves from 0 to 1, so there is no |x - x'| to follow"
    }
    area = token_deletion(classifier, answer).area.item()
    assert numbers_in(said)["deletion against chance", "own"] == pytest.approx(area, abs=1e-6)
    assert said["asked"] == {
        "text": "服务很差房间不干净",
        "F": "probability of 'negative'",
        "baseline": "the pad token in place of each word",
        "model": "CharacterCNN, 209,218 parameters",
        "hash of the model's layers and weights": of_model(classifier.model),
        "method, as told": "integrated_gradients",
    }


def test_words_are_controlled_by_their_tokens(found):
    answer = igteach.token_attribution(weighed(), "abc it", " live", against=" it")
    assert len(answer.merged().scores) < len(answer.scores)
    assert found(answer.merged())["controls"] == found(answer)["controls"]


def test_the_only_token_that_differs_from_the_baseline_cannot_be_ranked(found):
    said = found(prompt(baseline="how many land"))
    assert said["asked"]["baseline"] == "the prompt 'how many land'"
    assert said["controls"] == []
    assert said["controls not run"] == {
        "all": "only one share differs from zero: F(x) - F(x'), which two calls of F tell"
    }
    assert [each["feature"] for each in said["strongest"]] == ["' people' (token 2)"]


@pytest.mark.parametrize("name", ["f", "x", "baseline", "target"])
def test_what_an_answer_to_a_text_knows_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=f"^{name} is given, and an answer to a text knows its own; leave it out$"):
        write_report(prompt(), path=tmp_path / "report.html", **{name: 0})
    assert not list(tmp_path.iterdir())


def test_an_answer_to_a_text_that_has_lost_its_f_is_reported_without_controls(found):
    said = found(replace(prompt(), f=None))
    assert not said["controls"]
    assert said["asked"] == {
        "text": "how many people",
        "F": "logit of ' live' minus that of ' it'",
        "baseline": "the mean of all embeddings",
    }


class Steep(nn.Module):
    """Needs many gradients, whatever its weights are, and counts them."""

    rows = 0

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(5, 1)

    def forward(self, x):
        Steep.rows += len(x) if x.requires_grad else 0
        return (torch.sigmoid(1000 * (self.layer(x) - 0.3)) + torch.sin(40 * x).sum(1, keepdim=True))[:, 0]


def spent(control, *arguments):
    Steep.rows = 0
    control(*arguments)
    return Steep.rows


def test_deletion_leads_to_the_baseline():
    f, x = igteach.toy(lambda x, y, z: 3 * x + y - 2 * z), torch.tensor([[1.0, 2.0, 1.0]])
    own = by_deletion(question(igteach.integrated_gradients(f, x, x / 2), f, x, x / 2)).numbers["own"]
    assert own == pytest.approx((3 / 2 + 1.5 + 0.5 + 1.5 / 2) / 3)


def test_random_gradients_meet_the_distance_from_the_baseline():
    f, distance = igteach.toy(lambda *features: sum(features)), torch.arange(64.0)[None] ** 2
    x = torch.full((1, 64), 5.0)
    control = against_random_gradients(question(igteach.integrated_gradients(f, x, x - distance), f, x, x - distance))
    assert control.numbers["mean"] > 0.5
    assert not control.passed


def running_sums(x):
    return torch.stack([x.cumsum(1), -x.cumsum(1)], 1)


@pytest.mark.parametrize(
    ("f", "target", "tensor"),
    [(igteach.probability(Joined()), 2, torch.tensor([2])), (running_sums, (1, 3), torch.tensor([[1, 3]]))],
    ids=["class", "place"],
)
def test_the_target_of_one_example_may_be_a_row_of_a_tensor(found, f, target, tensor):
    x = torch.tensor([[1.0, -2.0, 3.0, 4.0, 0.5, 0.25, -1.5, 2.0, -3.0]])
    wanted = found(igteach.integrated_gradients(f, x, None, target), f, x, None, target)
    batch = igteach.integrated_gradients(f, torch.cat([0 * x, x]), None, tensor.repeat(2, *[1] * (tensor.dim() - 1)))
    assert numbers_in(found(batch.example(1), f, x, None, tensor)) == pytest.approx(numbers_in(wanted), abs=1e-5)


def test_a_network_that_knows_nothing_is_asked_as_the_trained_one_was():
    f, calls = igteach.probability(Joined()), []
    x, baseline = torch.randn(2, 1, 9, generator=torch.Generator().manual_seed(1))

    def method(*asked):
        calls.append(asked)
        return igteach.gradient_times_input(*asked)

    controls.with_random_weights(question(method(f, x, baseline, 2), f, x, baseline, 2, method))
    trained, *others = (dict(changed.named_parameters()) for changed, *_ in calls)
    assert len(others) == controls.DRAWS == 5
    for number, drawn in enumerate(others):
        for before in (trained, *others[:number]):
            assert not any(torch.equal(before[name], value) for name, value in drawn.items())
    for _, *asked in calls[1:]:
        assert [each.tolist() for each in asked[:2]] == [x.tolist(), baseline.tolist()]
        assert asked[2] == 2


def test_what_is_only_ranked_is_computed_roughly():
    f, x = Steep(), torch.arange(1.0, 6.0)[None]
    answer = igteach.integrated_gradients(f, x)
    assert answer.evaluations.item() > 65
    asked = question(answer, f, x)
    assert 0 < spent(from_other_baselines, asked, {"half": 0.5}) <= 65
    assert 65 < spent(controls.with_random_weights, asked) <= 5 * 65

    def in_full(f, x, baseline, target):
        return igteach.integrated_gradients(f, x, baseline, target)

    asked = question(answer, f, x, method=in_full)
    assert spent(from_other_baselines, asked, {"half": 0.5}) > 65, "another method is run as it is"
