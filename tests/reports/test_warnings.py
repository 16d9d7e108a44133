"""What a report warns of in the line of its verdict, and the evidence for it, on its page and in its JSON."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

import igteach
from igteach.models import lookup, text
from igteach.reports import write_report
from tests.text_models import tiny_classifier, weighed

F = igteach.toy(lambda x, y, z: 3 * x + y - 2 * z)
X = torch.tensor([[1.0, 2.0, 1.0]])
WARNINGS = {
    "F hardly changes": "F is nearly the same at x' and at x, so there is almost nothing to attribute",
    "x' is not neutral": "so the shares compare with that",
    "truncated": "the model did not read all of the text",
}
LARGEST, SUM = "largest outputs at x'", "sum of |shares| / |F(x) - F(x')|"


def warned(folder, *arguments, **options):
    """Which warnings a report gives; its JSON, its page and what is printed of it say the same."""
    written = write_report(*arguments, path=folder / "report.html", **options)
    found = json.loads(written.path.with_suffix(".json").read_text(encoding="utf-8"))
    page = written.path.read_text(encoding="utf-8").replace("&#x27;", "'")
    for name, words in WARNINGS.items():
        for said in (page.split('<p class="verdict')[1].split("</p>")[0], repr(written).splitlines()[0]):
            assert (words in said) == found[name], (name, said)
    return [name for name in WARNINGS if found[name]]


def evidence(folder, *arguments):
    written = write_report(*arguments, path=folder / "report.html")
    found = written.found["evidence"]
    for value in (found.get(LARGEST), found[SUM] and f"{found[SUM]:.4g}"):
        assert value is None or value in written.path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(0.0, False), (56.0, False), (58.0, True), (-58.0, False), (-61.0, True)],
)
def test_f_that_hardly_changes_is_warned_of(tmp_path, offset, expected):
    def f(rows):
        return F(rows) + offset  # F(x) - F(x') is 3

    assert warned(tmp_path, igteach.integrated_gradients(f, X), f, X) == ["F hardly changes"] * expected
    assert warned(tmp_path, igteach.gradient(f, X), f, X) == []  # F(x') is not known


def test_f_that_is_zero_at_both_ends_hardly_changes(tmp_path):
    f = igteach.toy(lambda x, y: x - y)
    answer = igteach.integrated_gradients(f, torch.ones(1, 2))
    assert answer.verdict == "complete"
    assert warned(tmp_path, answer, f, torch.ones(1, 2)) == ["F hardly changes"]


def of_classes(*at_zero):
    """A model that gives classes these probabilities at zero, and others where a feature is one."""
    torch.manual_seed(0)
    model = nn.Linear(3, len(at_zero))
    with torch.no_grad():
        model.bias.copy_(torch.tensor(at_zero).log())
    return model


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.65, 0.2, 0.15), False),
        ((0.7, 0.2, 0.1), True),
        ((0.3, 0.3, 0.4), False),
        ((0.74, 0.26), False),
        ((0.76, 0.24), True),
    ],
)
def test_a_baseline_at_which_the_model_is_sure_is_warned_of(tmp_path, probabilities, expected):
    model = of_classes(*probabilities)
    f = igteach.probability(model)
    answer = igteach.integrated_gradients(f, X, target=1)
    assert warned(tmp_path, answer, f, X, None, 1) == ["x' is not neutral"] * expected
    several = {"a": X[:, :1], "b": X[:, 1:]}
    of_several = igteach.probability(Parts(model))
    answer = igteach.integrated_gradients(of_several, several, target=1)
    assert warned(tmp_path, answer, of_several, several, None, 1) == ["x' is not neutral"] * expected
    answer = igteach.integrated_gradients(model, X, target=1)
    assert warned(tmp_path, answer, model, X, None, 1) == [], "of logits nothing is known"


@pytest.mark.parametrize(("at_zero", "expected"), [(0.74, False), (0.76, True), (0.24, True), (0.26, False)])
def test_one_probability_stands_for_two_classes(tmp_path, at_zero, expected):
    model = nn.Linear(3, 1)
    with torch.no_grad():
        model.weight.fill_(1.0)
        model.bias.copy_(torch.tensor(at_zero).logit())
    f = igteach.probability(model)
    answer = igteach.integrated_gradients(f, X)
    assert warned(tmp_path, answer, f, X) == ["x' is not neutral"] * expected
    assert LARGEST not in evidence(tmp_path, answer, f, X)


class Parts(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, a, b):
        return self.model(torch.cat([a, b], 1))


def test_a_text_whose_baseline_is_not_neutral_or_that_was_truncated_is_warned_of(tmp_path):
    classifier = tiny_classifier("Bert")
    assert "x' is not neutral" not in warned(tmp_path, igteach.token_attribution(classifier, "who is it"))
    with torch.no_grad():
        classifier.model.classifier.weight.mul_(0.01)
        classifier.model.classifier.bias.copy_(torch.tensor([4.0, 0.0, 0.0]))
    assert "x' is not neutral" in warned(tmp_path, igteach.token_attribution(classifier, "who is it"))
    answer = igteach.token_attribution(weighed(), "how many people", " live", against=" it")
    assert warned(tmp_path, replace(answer, truncated=True)) == ["truncated"]
    assert warned(tmp_path, answer) == []


def test_what_controls_say_stands_beside_the_warnings(tmp_path):
    f = igteach.toy(lambda x, y, z: 100 + 3 * x + y - 2 * z)
    written = write_report(
        igteach.integrated_gradients(f, X), f, X, other_baselines={"beyond": 2 * X}, path=tmp_path / "report.html"
    )
    said = f"The shares add up; {WARNINGS['F hardly changes']}; mind what these controls say: "
    assert said in repr(written)
    assert "from the baseline 'beyond'" in repr(written).splitlines()[0]


def test_how_much_shares_cancel_is_in_the_evidence(tmp_path):
    assert evidence(tmp_path, igteach.integrated_gradients(F, X))[SUM] == pytest.approx((3 + 2 + 2) / 3)
    inputs = {"a": X[:, :1], "b": X[:, 1:]}
    answer = igteach.integrated_gradients(lambda a, b: F(torch.cat([a, b], 1)), inputs)
    assert evidence(tmp_path, answer)[SUM] == pytest.approx((3 + 2 + 2) / 3)
    assert evidence(tmp_path, igteach.integrated_gradients(F, X, X))[SUM] is None
    assert evidence(tmp_path, igteach.gradient(F, X))[SUM] is None


def test_the_largest_outputs_at_the_baseline_are_in_the_evidence(tmp_path):
    f = igteach.probability(of_classes(0.125, 0.5, 0.0625, 0.3125))
    answer = igteach.integrated_gradients(f, X, target=0)
    assert evidence(tmp_path, answer, f, X, None, 0)[LARGEST] == "1: 0.5, 3: 0.312, 0: 0.125"
    assert LARGEST not in evidence(tmp_path, answer)
    assert LARGEST not in evidence(tmp_path, igteach.integrated_gradients(F, X), F, X)


def test_the_largest_outputs_of_a_text_classifier_have_its_labels(tmp_path):
    classifier = text.load("sentiment_zh", "cpu")
    answer = igteach.token_attribution(classifier, "很差")
    said = dict(each.split(": ") for each in evidence(tmp_path, answer)[LARGEST].split(", "))
    assert sorted(said) == sorted(classifier.labels)
    assert said[answer.target] == f"{answer.evidence.f_baseline.item():.3g}"
    prompts = igteach.token_attribution(lookup.load("cpu"), "k3 v7 k3", continuation="v7 k1")
    number = igteach.token_attribution(tiny_classifier("Bert", ("stars",)), "who is it")
    for other in (*prompts, number):
        assert LARGEST not in evidence(tmp_path, other)


def test_a_function_that_works_in_place_does_not_change_the_baseline(tmp_path):
    f = igteach.probability(nn.Sequential(nn.ReLU(inplace=True), of_classes(0.85, 0.1, 0.05)))
    baseline = torch.full((1, 3), -1.0)
    answer = igteach.integrated_gradients(f, X, baseline, 1)
    assert warned(tmp_path, answer, f, X, baseline, 1) == ["x' is not neutral"]
    assert baseline.eq(-1).all()


def test_versions_are_those_of_what_is_in_use(tmp_path, monkeypatch):
    for module, package in (("lightgbm", "lightgbm"), ("sklearn", "scikit-learn")):
        monkeypatch.setitem(sys.modules, module, torch)
        found = write_report(igteach.integrated_gradients(F, X), path=tmp_path / "report.html").found["versions"]
        assert {"python", "igteach", "torch", package} <= set(found)
        monkeypatch.delitem(sys.modules, module)
        found = write_report(igteach.integrated_gradients(F, X), path=tmp_path / "report.html").found["versions"]
        assert package not in found


def test_the_strongest_features_leave_out_what_has_no_share(tmp_path):
    start = torch.tensor([[0.0, 2.0, 0.0]])
    answer = igteach.integrated_gradients(F, X, start)
    written = write_report(answer, F, X, start, path=tmp_path / "report.html")
    assert [(each["feature"], each["share"]) for each in written.found["strongest"]] == [("0", 3), ("2", -2)]
    answer = igteach.token_attribution(tiny_classifier("Bert"), "who is it")
    written = write_report(answer, path=tmp_path / "report.html")
    assert len(answer.tokens) == 5, "with those at the ends, which have none"
    assert sorted(each["feature"] for each in written.found["strongest"]) == [
        "'is' (token 2)",
        "'it' (token 3)",
        "'who' (token 1)",
    ]


@pytest.mark.parametrize(
    ("target", "said"), [(0, "gives the same answer at x' already"), (1, "is sure of another class")]
)
def test_the_warning_tells_the_target_s_own_class_from_another(tmp_path, target, said):
    f = igteach.probability(of_classes(0.9, 0.06, 0.04))
    answer = igteach.integrated_gradients(f, X, target=target)
    assert said in repr(write_report(answer, f, X, None, target, path=tmp_path / "report.html"))
