"""Negative detection: what counts as found, and what the table states."""

import re

import pytest
import torch

from igteach.core.attribution import Attribution
from igteach.datasets.shipped import data_folder
from igteach.datasets.texts import MarkedText, load_frames
from igteach.methods.token_answer import TokenAttribution
from igteach.training.frames import finds_the_word, held_out_frames, measure, over_seeds, train_on_frames

SENTENCE = MarkedText("it was clean", "positive", 0, 7, 12)


def scored(*scores):
    values = torch.tensor([scores])
    words = ("it", "was", "clean", "[PAD]")
    spans = ((0, 2), (3, 6), (7, 12), (0, 0))
    evidence = Attribution(values, values.sum(1), torch.zeros(1), 1)
    return TokenAttribution(
        SENTENCE.text, words, spans, (0, 1, 2, None), values[0], "positive", "positive", evidence, False
    )


@pytest.mark.parametrize(
    ("scores", "found"), [((0.1, 0.2, 0.3, 0.0), True), ((0.4, 0.2, 0.3, 0.0), False), ((-3.0, 0.0, -1.0, 0.2), False)]
)
def test_the_word_is_found_where_its_token_has_the_highest_signed_score(scores, found):
    assert finds_the_word(scored(*scores), SENTENCE) == found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_frame_serves_both_to_learn_and_to_judge(language):
    sentences = load_frames(language)
    known, held = held_out_frames(sentences, 0)
    assert not {one.frame for one in known} & {one.frame for one in held}
    assert len(known) + len(held) == len(sentences)
    assert held != held_out_frames(sentences, 1)[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_network_tells_most_unseen_frames_and_ig_finds_the_word_far_more_often_than_chance(language):
    known, held = held_out_frames(load_frames(language), 0)
    network = train_on_frames(known, ("negative", "neutral", "positive"), language, 0)
    found = measure(network, held[:120], "positive")
    assert found["told right"] > 0.6
    assert found["word found"] > 3 * found["chance"]


def test_the_table_has_a_mean_between_its_ends_in_every_cell():
    card = (data_folder() / "negative_detection.md").read_text(encoding="utf-8")
    rows = [line for line in card.splitlines() if line.startswith(("| en", "| zh"))]
    assert len(rows) == 4
    for row in rows:
        cells = re.findall(r"(-?\d\.\d\d) \((-?\d\.\d\d) to (-?\d\.\d\d)\)", row)
        assert len(cells) == 5
        assert all(float(low) <= float(mean) <= float(high) for mean, low, high in cells)


def test_over_seeds_gives_mean_and_ends():
    assert over_seeds([0.1, 0.5, 0.9]) == "0.50 (0.10 to 0.90)"
