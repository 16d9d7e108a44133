"""When controls are run, when they pass, and what they refuse: borders on both sides."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from sklearn.tree import DecisionTreeRegressor
from torch import nn

import igteach
from igteach.models import text
from igteach.reports import controls, write_report
from igteach.reports.controls import against_random_gradients, by_deletion, with_random_weights
from igteach.reports.questions import question_of
from tests.text_models import weighed

F = igteach.toy(lambda x, y, z: 3 * x + y - 2 * z)
X = torch.tensor([[1.0, 2.0, 1.0]])


@pytest.fixture
def found(tmp_path):
    """What the report of some arguments found."""
    return lambda *arguments, **options: write_report(*arguments, path=tmp_path / "report.html", **options).found


def question(f, x, baseline=None, method=igteach.integrated_gradients):
    return question_of(method(f, x, baseline), f, x, baseline, None, method)


@pytest.mark.parametrize(("moved", "is_ranked"), [(7, False), (8, True)])
def test_fewer_than_eight_shares_are_deleted_and_not_ranked(found, moved, is_ranked):
    torch.manual_seed(0)
    f, x = nn.Linear(10, 1), torch.arange(1.0, 11.0)[None]
    x[:, moved:] = 0  # shares of zero do not count
    said = found(igteach.integrated_gradients(f, x), f, x)
    rankings = ["random gradients times x - x'", "weights at random"]
    assert [each["name"] for each in said["controls"]] == ["deletion against chance", *(rankings if is_ranked else [])]
    why = "two rankings of 7 shares agree by chance; 8 are needed"
    assert said["controls not run"] == ({} if is_ranked else dict.fromkeys(rankings, why))


@pytest.mark.parametrize("padding", [0.0, 5.0])
def test_padding_that_x_and_its_baseline_share_does_not_change_the_correlation_with_random_gradients(padding):
    random = torch.Generator().manual_seed(1)
    x, weights = torch.randn(2, 64, generator=random)
    wanted = against_random_gradients(question(lambda rows: rows @ weights, x[None]))
    same = torch.full((1, 64), padding)
    longer, start = torch.cat([x[None], same], 1), torch.cat([torch.zeros(1, 64), same], 1)
    said = against_random_gradients(question(lambda rows: rows[:, :64] @ weights, longer, start))
    assert said.numbers == pytest.approx(wanted.numbers, abs=1e-6)


@pytest.mark.parametrize(("beaten", "passed"), [(8, False), (9, True), (10, True)])
def test_deletion_passes_if_f_falls_sooner_than_in_nine_of_ten_random_orders(monkeypatch, beaten, passed):
    areas = torch.tensor([0.5, *[2.0] * beaten, *[0.0] * (10 - beaten)])
    monkeypatch.setattr(controls, "deletion", lambda *arguments, **options: SimpleNamespace(area=areas))
    control = by_deletion(question(F, X))
    assert control.passed == passed
    assert f"F falls sooner than in {beaten} of 10 random orders" in control.reading
    assert ("may be chance" in control.reading) != passed


ORDERED = torch.arange(1.0, 9.0)[None]
UNLIKE = torch.tensor([[1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0]])  # rank correlation of 0 with it


@pytest.mark.parametrize(
    ("maps", "reading"),
    [
        (5 * [UNLIKE], "another map"),
        (2 * [ORDERED] + 3 * [UNLIKE], "undecided"),
        (2 * [-ORDERED] + 3 * [UNLIKE], "undecided"),
        (4 * [ORDERED] + [UNLIKE], "much the same map"),
        (4 * [-ORDERED] + [UNLIKE], "much the same map"),
    ],
    ids=["unlike", "some alike", "some reversed", "alike", "reversed"],
)
def test_draws_of_the_weights_that_differ_widely_decide_nothing(maps, reading):
    given = iter([ORDERED, *maps])

    def method(f, x, baseline, target=None):
        return igteach.Attribution(next(given), f(x)[:, 0].detach(), f(0 * x)[:, 0].detach(), 1)

    control = with_random_weights(question(nn.Linear(8, 1), ORDERED, method=method))
    assert next(given, None) is None, "one for each draw"
    assert reading in control.reading
    assert control.passed == (reading == "another map")
    assert "5 draws" in control.found


def test_an_answer_from_another_baseline_or_of_another_model_is_refused(found):
    def agrees_at_x(rows):
        return F(rows) + (X - rows).sum(1)

    answer = igteach.integrated_gradients(F, X, X / 2)
    assert found(answer, F, X, X / 2)["controls"]
    for f, baseline, at_start in ((F, None, "0"), (F, X / 4, "0.75"), (agrees_at_x, X / 2, "3.5")):
        words = rf"^F\(x'\) is {at_start}, and the answer says 1.5: it is of another f, x, baseline or target"
        with pytest.raises(ValueError, match=words):
            found(answer, f, X, baseline)


@pytest.mark.parametrize("end", ["F(x)", "F(x')"])
def test_a_text_whose_model_has_changed_since_is_refused(found, end):
    """The change is seen at one end alone."""
    model = weighed()
    written, start = "how many people", "it is new"
    answer = igteach.token_attribution(model, written, " live", against=" it", baseline=start)
    assert found(answer)["controls"]
    ages = torch.tensor([[1 / 3], [1 / 2], [1.0]])
    with torch.no_grad():
        here, there = ((ages * model.model.table(model.encode(words).ids)[0]).sum(0) for words in (written, start))
        if end == "F(x)":
            here, there = there, here
        model.model.out.weight[model.token(" live")] += 9 * (there - here * (there @ here) / (here @ here))
    with pytest.raises(ValueError, match=rf"^{re.escape(end)} is .* the model has changed since; .* attribute again"):
        found(answer)


def prompt(written="how many people", baseline="mean", against=" it"):
    return igteach.token_attribution(weighed(), written, " live", against=against, baseline=baseline)


def test_other_baselines_of_a_text_are_answers_to_it(found):
    classifier = text.load("sentiment_zh", "cpu")
    answer, other = (igteach.token_attribution(classifier, "服务很差", baseline=start) for start in ("pad", "zero"))
    *_, same, compared = found(answer, other_baselines={"same": answer, "zero": other})["controls"]
    assert (same["name"], same["numbers"], same["passed"]) == ("from the baseline 'same'", {"mean": 1}, True)
    assert compared["numbers"]["mean"] == igteach.evaluate.agreement(answer.evidence.values, other.evidence.values)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (lambda: 0.0, TypeError, "float, and the answer is to a text; pass the answer from the other baseline"),
        (lambda: prompt("how many"), ValueError, "an answer to another text or target; pass answers to the same"),
        (lambda: prompt("who is it"), ValueError, "an answer to another text or target; pass answers to the same"),
        (lambda: prompt(against=" in"), ValueError, "an answer to another text or target; pass answers to the same"),
    ],
    ids=["a number", "fewer tokens", "as many tokens", "another question"],
)
def test_what_is_no_answer_to_the_same_text_is_refused(found, given, error, words):
    with pytest.raises(error, match=f"^other_baselines holds .*{words}"):
        found(prompt(), other_baselines={"other": given()})


@pytest.mark.parametrize("others", [[0.0], 0.0, X])
def test_other_baselines_without_names_are_refused(found, others):
    words = f"^other_baselines is {type(others).__name__}; pass a dict of baselines by name$"
    with pytest.raises(TypeError, match=words):
        found(igteach.integrated_gradients(F, X), F, X, other_baselines=others)


@pytest.mark.parametrize("kind", ["network", "trees"])
def test_other_baselines_of_a_table_have_its_columns(found, kind):
    table = pd.DataFrame({"rain": [1.0], "sun": [2.0], "wind": [1.0]})
    trees = DecisionTreeRegressor().fit([[0, 0, 0], [0, 2, 0], [1, 2, 1]], [0, 1, 2])
    f = F if kind == "network" else trees
    answer = (igteach.integrated_gradients if kind == "network" else igteach.tree_integrated_gradients)(f, table)
    assert found(answer, f, table, other_baselines={"none": 0 * table.iloc[0], "half": 0.5})["controls"]
    with pytest.raises(ValueError, match=r"baseline has the columns 'wind', 'sun', 'rain', .* pass those of x"):
        found(answer, f, table, other_baselines={"turned": 0 * table[["wind", "sun", "rain"]]})


def test_of_a_grouped_answer_the_one_before_is_asked_for(found):
    answer = igteach.integrated_gradients(F, X)
    grouped = answer.grouped(torch.tensor([0, 0, 1]))
    with pytest.raises(ValueError, match=r"of a grouped answer the one before \.grouped"):
        found(grouped, F, X)


def test_columns_of_a_table_are_not_compared_with_random_gradients(tmp_path):
    """Their distances depend on their units: in grams a weight is a thousand times as far away as in kilograms."""
    x = pd.DataFrame([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]], columns=list("abcdefghi"))
    f = igteach.toy(lambda *features: sum(features))
    found = write_report(igteach.integrated_gradients(f, x), f, x, path=tmp_path / "table.html").found
    name = "random gradients times x - x'"
    assert name not in [each["name"] for each in found["controls"]]
    assert found["controls not run"][name] == "columns have units of their own, so random gradients mean nothing"
