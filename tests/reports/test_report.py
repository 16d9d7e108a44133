"""The report says what the answer says, runs its controls, escapes all, needs nothing else, and overwrites nothing."""

import json
import os
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch
from torch import nn

import igteach
from igteach.core.fingerprint import of_model, of_tensor
from igteach.datasets import load_digits
from igteach.models import digits, lookup
from igteach.reports import write_report
from igteach.reports.controls import against_random_gradients, by_deletion, with_random_weights
from igteach.reports.questions import question_of

F = igteach.toy(lambda x, y, z: 3 * x + y - 2 * z)
X = torch.tensor([[1.0, 2.0, 1.0]])


class Page(HTMLParser):
    """The words of a page, its tags, and every address in it."""

    def __init__(self, text):
        super().__init__()
        self.words, self.tags, self.addresses = "", set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            assert not name.startswith("on"), name
            if name in ("src", "href", "action"):
                self.addresses.append(value)

    def handle_data(self, data):
        self.words += data


def report(path, *arguments, **options):
    page = write_report(*arguments, path=path, **options).path
    return Page(page.read_text(encoding="utf-8")), json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def digit():
    model, x = digits.load("cpu"), load_digits().x_test[:1]
    f, target = igteach.probability(model), int(model(x).argmax())
    return f, x, target


def test_the_page_and_its_json_say_what_the_answer_says(tmp_path, digit):
    f, x, target = digit
    answer = igteach.integrated_gradients(f, x, 0.0, target)
    page, found = report(tmp_path / "report.html", answer, f, x, 0.0, target, picture=x[0], notes="Mine.")
    assert found["verdict"] == answer.verdict == "complete"
    assert found["may be read as shares of F(x) - F(x')"]
    evidence = found["evidence"]
    assert evidence["F(x)"] == answer.f_input.item()
    assert evidence["residual"] == answer.residual.item()
    assert evidence["error estimate, as a fraction of all |shares|"] == answer.error_estimate.item()
    assert evidence["gradients"] == int(answer.evaluations[0])
    assert found["asked"]["hash of the model's layers and weights"] == of_model(f.model)
    assert found["asked"]["input"] == of_tensor(x)
    assert found["asked"]["baseline"] == "0 in every place"
    assert found["asked"]["target"] == str(target)
    strongest = answer.values.flatten().abs().topk(10).values
    assert [abs(each["share"]) for each in found["strongest"]] == pytest.approx(strongest.tolist())
    for said in ("Verdict: complete", "Mine.", "probability", of_model(f.model), torch.__version__):
        assert said in page.words


def test_a_page_needs_no_script_and_nothing_from_elsewhere(tmp_path, digit):
    f, x, target = digit
    page, _ = report(tmp_path / "report.html", igteach.gradient(f, x, target=target), f, x, 0.0, target)
    assert not page.tags & {"script", "link", "iframe", "object", "embed"}
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)


def test_what_does_not_add_up_is_not_called_complete(tmp_path, digit):
    f, x, target = digit
    rough = igteach.integrated_gradients(f, x, 0.0, target, steps=2)
    page, found = report(tmp_path / "rough.html", rough)
    assert not found["may be read as shares of F(x) - F(x')"]
    assert "Do not read the numbers below as shares" in page.words
    page, found = report(tmp_path / "gradient.html", igteach.gradient(f, x, target=target))
    assert not found["may be read as shares of F(x) - F(x')"]
    unsettled = igteach.Attribution(
        torch.ones(1, 2), torch.full((1,), 2.0), torch.zeros(1), 9, error_estimate=torch.ones(1)
    )
    assert not report(tmp_path / "unsettled.html", unsettled)[1]["may be read as shares of F(x) - F(x')"]


def test_without_f_it_says_that_nothing_was_controlled(tmp_path):
    page, found = report(tmp_path / "report.html", igteach.integrated_gradients(F, X))
    assert not found["controls"]
    assert "no control was run, so nothing is known of what they are worth" in page.words


def test_a_text_is_reported_with_its_words(tmp_path):
    answer = igteach.token_attribution(lookup.load("cpu"), "k3 v7 k1 v2 k3", "v7", against="v2")
    page, found = report(tmp_path / "report.html", answer)
    asked = found["asked"]
    assert (asked["text"], asked["F"]) == ("k3 v7 k1 v2 k3", "logit of 'v7' minus that of 'v2'")
    assert asked["model"] == "LlamaForCausalLM, 86,592 parameters"
    place = int(answer.scores.abs().argmax())
    assert found["strongest"][0]["feature"] == f"{answer.tokens[place]!r} (token {place})"
    assert "k3" in page.words


def test_everything_is_escaped(tmp_path):
    evil = "<script>alert(1)</script>"
    values, zero = torch.tensor([[1.0, 2.0]]), torch.zeros(1)
    answer = igteach.Attribution(values, torch.full((1,), 3.0), zero, 1, feature_names=(evil, "b"))
    page, found = report(tmp_path / "report.html", answer, title=evil, notes=evil)
    assert "script" not in page.tags
    assert page.words.count(evil) >= 3
    assert found["title"] == evil


def test_deletion_of_a_linear_function_is_known(tmp_path):
    """F falls by 3, 2 and then rises by 2 in the order of the shares; the mean over the path is known."""
    answer = igteach.integrated_gradients(F, X)
    question = question_of(answer, F, X, 0.0, None, igteach.integrated_gradients)
    control = by_deletion(question)
    assert control.numbers["own"] == pytest.approx((3 / 2 + 0 + -2 + 0) / 3, abs=1e-6)
    assert control.numbers["own"] < control.numbers["low"]


def test_a_map_that_follows_x_alone_is_warned_of():
    f = igteach.toy(lambda *features: sum(features))
    x = torch.arange(1.0, 65.0)[None] ** 2
    answer = igteach.integrated_gradients(f, x)
    control = against_random_gradients(question_of(answer, f, x, 0.0, None, igteach.integrated_gradients))
    assert not control.passed
    assert control.numbers["mean"] > 0.5
    assert "follows largely from |x - x'|" in control.reading


def test_a_method_that_ignores_the_model_fails_the_control_of_weights(digit):
    f, x, target = digit

    def edges(f, x, baseline=None, target=None):
        return igteach.evaluate.edges(f, x, baseline, target)

    question = question_of(edges(f, x, 0.0, target), f, x, 0.0, target, edges)
    control = with_random_weights(question)
    assert not control.passed
    assert control.numbers["mean"] == pytest.approx(1)
    own = igteach.integrated_gradients(f, x, 0.0, target)
    assert with_random_weights(question_of(own, f, x, 0.0, target, igteach.integrated_gradients)).passed


def test_other_baselines_are_compared_and_what_cannot_be_run_is_said(tmp_path):
    answer = igteach.integrated_gradients(F, X)
    others = {"the same": 0.0, "beyond": 2 * X}
    page, found = report(tmp_path / "report.html", answer, F, X, 0.0, other_baselines=others)
    numbers = {control["name"]: control["numbers"]["mean"] for control in found["controls"]}
    assert numbers["from the baseline 'the same'"] == pytest.approx(1)
    assert numbers["from the baseline 'beyond'"] == pytest.approx(-1)
    assert "another map" in page.words
    assert list(found["controls not run"]) == ["random gradients times x - x'", "weights at random"]
    assert "Not run: random gradients times x - x' (two rankings of 3 shares agree by chance; 8 are" in page.words


SLOPES = torch.tensor([5.0, -4.0, 3.0, 2.0, 1.0, 0.9, 0.8, -0.7])


def eight(x):
    return x @ SLOPES


def test_a_report_is_its_path_and_holds_what_its_json_holds(tmp_path):
    path = tmp_path / "deep" / "report.html"
    written = write_report(igteach.integrated_gradients(F, X), F, X, path=path)
    assert isinstance(written, os.PathLike)
    assert os.fspath(written) == str(path)
    with open(written, encoding="utf-8") as page:
        assert page.read() == written.path.read_text(encoding="utf-8")
    assert written.found == json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert write_report(igteach.integrated_gradients(F, X), path=written).path == path


def test_a_report_shows_its_verdict_its_strongest_features_and_its_controls(tmp_path):
    x, path = torch.ones(1, 8), tmp_path / "a &amp; b.html"
    written = write_report(igteach.integrated_gradients(eight, x), eight, x, path=path, other_baselines={"beyond": 2.0})
    in_notebook = Page(written._repr_html_())
    said = [control[kind] for control in written.found["controls"] for kind in ("name", "found", "reading")]
    assert len(said) == 9
    said += ["Verdict: complete. The shares add up; mind what these controls say: ", "from the baseline 'beyond'", "+5"]
    said += ["-4", "+3", "weights at random (f is function, not a module", str(path)]
    for words in (repr(written), in_notebook.words):
        assert not [each for each in said if each not in words]
        assert "+2" not in words, "three features are enough"
    assert repr(written).splitlines()[1:4] == ["  0: +5", "  1: -4", "  2: +3"]
    assert "Warning: another map" in in_notebook.words


def test_a_report_of_an_answer_alone_says_in_a_notebook_that_nothing_was_controlled(tmp_path):
    written = write_report(igteach.integrated_gradients(F, X), path=tmp_path / "report.html")
    for words in (repr(written), Page(written._repr_html_()).words):
        assert "The shares add up; no control was run, so nothing is known of what they are worth." in words


def test_a_report_escapes_everything_in_a_notebook(tmp_path):
    evil = "<script>alert(1)</script>"
    answer = replace(igteach.integrated_gradients(F, X), feature_names=(evil, "b", "c"))
    in_notebook = Page(write_report(answer, F, X, path=tmp_path / "a.html", other_baselines={evil: 1.0})._repr_html_())
    assert "script" not in in_notebook.tags
    assert in_notebook.words.count(evil) >= 2


def first_pixel(pictures):
    return 3 * pictures[:, 0, 0, 0] - pictures[:, 1, 0, 0]


@pytest.mark.parametrize(
    ("f", "x", "baseline"),
    [
        (F, X, torch.tensor([[1.0, 0.0, 1.0]])),
        (F, X, X),
        (igteach.toy(lambda x: x**2), torch.ones(1, 1), None),
        (first_pixel, torch.ones(1, 2, 3, 3), None),
    ],
    ids=["one of three", "none", "the only one", "one pixel"],
)
def test_a_single_share_cannot_be_ranked(tmp_path, f, x, baseline):
    answer = igteach.integrated_gradients(f, x, baseline)
    page, found = report(tmp_path / "report.html", answer, f, x, baseline, other_baselines={"beyond": 2 * x})
    assert found["controls"] == []
    assert not found["controls"]
    why = "only one share differs from zero: F(x) - F(x'), which two calls of F tell"
    if baseline is x:
        why = "no share differs from zero"
    assert found["controls not run"] == {"all": why}
    assert f"Not run: all ({why})." in page.words
    assert "no control speaks against them" not in page.words


def test_two_shares_can_be_deleted_but_not_ranked(tmp_path):
    baseline = torch.tensor([[0.0, 0.0, 1.0]])
    _, found = report(tmp_path / "report.html", igteach.integrated_gradients(F, X, baseline), F, X, baseline)
    assert found["controls"]
    assert [control["name"] for control in found["controls"]] == ["deletion against chance"]
    too_few = "two rankings of 2 shares agree by chance; 8 are needed"
    assert found["controls not run"] == dict.fromkeys(["random gradients times x - x'", "weights at random"], too_few)


def test_a_report_is_replaced_and_nothing_else_is(tmp_path):
    answer = igteach.integrated_gradients(F, X)
    path = tmp_path / "report.html"
    write_report(answer, path=path)
    write_report(answer, path=path, title="Second")
    assert "Second" in path.read_text()
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="is not a report of ours, so it was left"):
        write_report(answer, path=path)
    assert path.read_text() == "mine"
    other = tmp_path / "other.html"
    other.with_suffix(".json").write_text("{}")
    with pytest.raises(FileExistsError, match=r"other\.json"):
        write_report(answer, path=other)
    assert not other.exists()


def test_bad_input_is_refused_by_name(tmp_path, digit):
    f, x, target = digit
    answer, path = igteach.integrated_gradients(f, x, 0.0, target), tmp_path / "report.html"
    with pytest.raises(TypeError, match="answer is Tensor; pass the answer that a method returned"):
        write_report(answer.values, path=path)
    with pytest.raises(ValueError, match=r"answer is about 2 examples; pass one: answer.example\(0\)"):
        write_report(igteach.integrated_gradients(F, torch.ones(2, 3)), path=path)
    with pytest.raises(ValueError, match="f or x is missing"):
        write_report(answer, f, path=path)
    with pytest.raises(ValueError, match="it is of another f, x, baseline or target"):
        write_report(answer, f, x, 0.0, (target + 1) % 10, path=path)
    with pytest.raises(ValueError, match="x has shape"):
        write_report(answer, F, X, path=path)
    with pytest.raises(ValueError, match=r"has to end in \.html"):
        write_report(answer, path=tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())


def test_a_model_without_names_or_weights_is_reported(tmp_path):
    model = nn.Sequential(nn.Linear(3, 1))
    answer = igteach.integrated_gradients(model, X)
    _, found = report(tmp_path / "deep" / "report.html", answer, model, X)
    assert found["asked"]["F"] == "Sequential"
    assert found["asked"]["model"] == "Sequential, 4 parameters"
