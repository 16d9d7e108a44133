"""A map with NaN gets no score: every function of `evaluate` that takes one says where it is and what to do."""

import inspect

import pytest
import torch

import igteach
from igteach import evaluate
from igteach.models import text as texts

MASK = torch.zeros(2, 4, 4, dtype=torch.bool)
MASK[:, 1] = True
WHOLE = torch.arange(96.0).reshape(2, 3, 4, 4)


def total(x):
    return x.sum((1, 2, 3))


CALLS = {
    ("agreement", "values"): lambda bad: evaluate.agreement(bad, WHOLE),
    ("agreement", "others"): lambda bad: evaluate.agreement(WHOLE, bad),
    ("relevance_mass", "values"): lambda bad: evaluate.relevance_mass(bad, MASK),
    ("pointing_game", "values"): lambda bad: evaluate.pointing_game(bad, MASK),
    ("deletion", "values"): lambda bad: evaluate.deletion(total, WHOLE, bad),
    ("insertion", "values"): lambda bad: evaluate.insertion(total, WHOLE, bad),
    ("interval", "scores"): lambda bad: evaluate.interval(bad[:, 0, 0, 0]),
}
MAPS = {"values", "others", "scores"}


def with_one(value):
    bad = WHOLE.clone()
    bad[1, 0, 0, 0] = value
    return bad


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(("function", "name"), CALLS)
def test_a_map_that_is_not_finite_is_refused_by_name_with_advice_that_works(function, name, value):
    bad = with_one(value)
    with pytest.raises(ValueError, match=rf"{name} holds 1 value that is NaN or infinite, in example 1; .*isfinite"):
        CALLS[function, name](bad)
    CALLS[function, name](torch.where(bad.isfinite(), bad, 0))


@pytest.mark.parametrize("function", ["token_deletion", "token_insertion"])
def test_scores_of_tokens_that_are_not_finite_are_refused(function):
    reader = texts.load("sentiment_zh", "cpu")
    answer = igteach.token_attribution(reader, "很差", steps=8)
    bad = torch.tensor([float("nan"), 1.0])
    with pytest.raises(ValueError, match="scores holds 1 value that is NaN or infinite"):
        getattr(evaluate, function)(reader, answer, bad)
    getattr(evaluate, function)(reader, answer, torch.where(bad.isfinite(), bad, 0))


def test_every_function_that_takes_a_map_is_tried_here():
    takes = {
        (function, name)
        for function in evaluate.__all__
        if inspect.isfunction(getattr(evaluate, function))
        for name in MAPS & set(inspect.signature(getattr(evaluate, function)).parameters)
    }
    assert takes == set(CALLS) | {("token_deletion", "scores"), ("token_insertion", "scores")}


@pytest.mark.parametrize(("function", "name"), [call for call in CALLS if call[1] != "scores"])
def test_an_attribution_in_place_of_its_values_is_named(function, name):
    answer = igteach.gradient(total, WHOLE)
    with pytest.raises((TypeError, ValueError), match=rf"{name} is Attribution; pass"):
        CALLS[function, name](answer)
    CALLS[function, name](answer.values)
