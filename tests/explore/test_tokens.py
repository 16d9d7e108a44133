"""The token explorer's data are the shares of token_attribution, in the colours of show.text."""

import json

import pytest

from igteach import explore, show, token_attribution
from igteach.models import lookup, text

TEXT = "很干净"


@pytest.fixture(scope="module")
def answers():
    guest = text.load("sentiment_zh", "cpu")
    return {
        (target, baseline): token_attribution(guest, TEXT, target, baseline=baseline, steps=32)
        for target in guest.labels
        for baseline in ("pad", "zero")
    }


def test_each_choice_has_its_shares_ends_and_residual(answers):
    data = explore.token_explorer(answers).data
    assert (data["targets"], data["baselines"]) == (["negative", "positive"], ["pad", "zero"])
    for (target, baseline), answer in answers.items():
        one = data["maps"][data["targets"].index(target)][data["baselines"].index(baseline)]
        assert "".join(piece for piece, *_ in one["pieces"]) == TEXT
        assert [score for _, score, *_ in one["pieces"]] == answer.scores.tolist()
        ends = answer.evidence.f_input.item(), answer.evidence.f_baseline.item()
        assert (one["f"], one["f_baseline"], one["residual"]) == (*ends, answer.residual)
        assert one["words"].startswith(f"{target}, ")


def test_the_colours_are_those_of_the_plate_with_all_answers(answers):
    data, plate = explore.token_explorer(answers).data, show.text([*answers.values()]).html
    coloured = [piece for row in data["maps"] for one in row for piece in one["pieces"] if len(piece) == 4]
    assert len(coloured) > 4
    for piece, _, ground, letters in coloured:
        assert f"background-color: {ground}; color: {letters}; text-decoration" in plate
        assert f">{piece}</span>" in plate
    for value, ground, letters in data["scale"]:
        assert f"background-color: {ground}; color: {letters}; padding: 0 0.5em" in plate
        assert f">{show.rounded(value, 2):+g}</b>" in plate


def test_what_is_between_tokens_has_no_share():
    critic = text.load("sentiment_en", "cpu")
    answer = token_attribution(critic, "Not bad.", "positive", steps=2)
    (row,) = explore.token_explorer({("positive", "padding"): answer}).data["maps"]
    assert [len(piece) > 1 for piece in row[0]["pieces"]] == [True, False, True, True]


def test_the_text_stands_there_without_a_script(answers):
    bundle = explore.token_explorer(answers)._repr_mimebundle_()
    first = answers["negative", "pad"]
    assert show.text(first).html in bundle["text/html"]
    assert bundle["text/plain"] == f"LiveFigure: {show.text(first).text}"
    assert "image/png" not in bundle
    json.dumps(explore.token_explorer(answers).data, allow_nan=False)


def test_a_missing_answer_is_named(answers):
    with pytest.raises(ValueError, match="answers is empty"):
        explore.token_explorer({})
    some = {choice: answer for choice, answer in answers.items() if choice != ("positive", "zero")}
    with pytest.raises(ValueError, match=r"answers lacks \('positive', 'zero'\)"):
        explore.token_explorer(some)


def test_the_answer_so_far_goes_with_each_of_its_tokens():
    model = lookup.load("cpu")
    told = token_attribution(model, "k3 v7 k3", continuation="v7 k3 v7", steps=2)
    data = explore.token_explorer({(str(row), "mean"): answer for row, answer in enumerate(told)}).data
    assert [maps[0]["given"] for maps in data["maps"]] == ["", "v7", "v7 k3"]
