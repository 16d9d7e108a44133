"""The model that looks values up is right on sequences that it never saw, and the text alone tells what decides."""

import functools
import re

import pytest
import torch

from igteach.datasets.lookup import KEYS, PAIRS, VALUES, draw, make_lookups
from igteach.datasets.shipped import data_folder
from igteach.models import lookup
from igteach.training.lookup import COUNT, FRESH, SEED, measure

UNSEEN = 11  # the seed of sequences that neither training nor the card drew


@functools.cache
def model():
    return lookup.load("cpu")


def answer_of(prompt):
    """The value, and the places of the tokens that decide, read off the text."""
    *pairs, asked = prompt.split()
    place = pairs.index(asked)
    return pairs[place + 1], [place, place + 1, len(pairs)]


@pytest.mark.parametrize("seed", [UNSEEN, FRESH])
def test_the_answer_and_what_decides_are_those_that_the_text_tells(seed):
    drawn = make_lookups(300, seed)
    for prompt, answer, decides in zip(drawn.prompts, drawn.answers, drawn.decides, strict=True):
        assert (answer, decides.nonzero()[:, 0].tolist()) == answer_of(prompt)
    assert drawn.decides.shape == (300, 13)


def test_a_sequence_has_six_pairs_with_keys_that_differ_and_then_one_of_the_keys():
    drawn = make_lookups(300, UNSEEN)
    for prompt in drawn.prompts:
        words = prompt.split()
        keys, values = words[0:-1:2], words[1:-1:2]
        assert len(set(keys)) == len(keys) == PAIRS
        assert set(keys) <= set(KEYS)
        assert set(values) <= set(VALUES)
        assert words[-1] in keys
    assert [kind[0] for kind in drawn.kinds[:-1]] == [word[0] for word in drawn.prompts[0].split()[:-1]]
    assert drawn.kinds[-1] == "asked"
    places = {answer_of(prompt)[1][0] for prompt in drawn.prompts}
    assert places == {0, 2, 4, 6, 8, 10}


def test_a_seed_always_draws_the_same_and_another_other_sequences():
    one, again, other = make_lookups(20, 5), make_lookups(20, 5), make_lookups(20, 6)
    assert one.prompts == again.prompts
    assert torch.equal(one.decides, again.decides)
    assert not set(one.prompts) & set(other.prompts)


def test_what_is_learnt_from_asks_for_each_pair_once():
    _, _, order = draw(50, torch.Generator().manual_seed(0))
    assert torch.equal(order.sort(1).values, torch.arange(PAIRS).expand(50, -1))


def test_it_is_right_on_sequences_that_it_never_saw():
    drawn = make_lookups(1000, UNSEEN)
    assert UNSEEN not in (SEED, FRESH)
    figures = measure(model(), drawn.prompts, drawn.answers)
    assert figures["accuracy"] >= 0.99
    assert figures["mean probability"] >= 0.99


def test_the_likeliest_token_is_the_value():
    drawn = make_lookups(30, UNSEEN)
    found = [model().likeliest(prompt, 1)[0][0] for prompt in drawn.prompts]
    assert found == list(drawn.answers)


def test_another_value_behind_the_key_is_another_answer_and_other_pairs_do_not_matter():
    words = ["k3", "v7", "k1", "v2", "k0", "v0", "k5", "v5", "k9", "v9", "k7", "v1", "k1"]
    changed, elsewhere = [*words], [*words]
    changed[3], elsewhere[1] = "v11", "v11"
    found = [model().likeliest(" ".join(each), 1)[0][0] for each in (words, changed, elsewhere)]
    assert found == ["v2", "v11", "v2"]


def test_the_card_states_what_is_measured():
    card = (data_folder() / "lookup.md").read_text(encoding="utf-8")
    drawn = make_lookups(COUNT, FRESH)
    figures = measure(model(), drawn.prompts, drawn.answers)
    for name, value in figures.items():
        (stated,) = re.findall(rf"^\| {name} \| (\S+) \|$", card, re.MULTILINE)
        assert float(stated) == pytest.approx(value, abs=2e-4)
    size = sum(weights.numel() for weights in model().model.parameters())
    assert f"{size:,} parameters" in card


def test_a_token_is_a_word_and_the_model_is_ready_to_be_asked():
    names = model().tokenizer.convert_ids_to_tokens(range(len(model().tokenizer)))
    assert names == ["[PAD]", "[UNK]", *KEYS, *VALUES]
    assert not model().model.training
    assert model().device.type == "cpu"
    assert model().encode("k3 v7").tokens == ("k3", "v7")
    assert model().encode("k3 v7").is_written.all()
