import csv
import os
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from igteach.datasets import texts
from igteach.datasets.shipped import data_folder
from igteach.datasets.texts import load_frames, load_questions, load_reviews

QUESTION_TYPES = {"ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"}
NEGATION = {
    "en": r"\b(not|no|never|nothing|nobody|none|hardly|without|neither|cannot|but|yet|although|though)\b|n't",
    "zh": "不|没|无",
}
CORPORA = {
    "questions": load_questions,
    "reviews_en": lambda: load_reviews("en"),
    "reviews_zh": lambda: load_reviews("zh"),
    "frames_en": lambda: load_frames("en"),
    "frames_zh": lambda: load_frames("zh"),
}
PUBLIC_ENGLISH = ("TREC.train", "TREC.test", "rt-polarity.pos", "rt-polarity.neg")
PUBLIC_CHINESE = "ChnSentiCorp_htl_all.csv"
TOO_LONG = {"en": 8, "zh": 9}  # words, or characters, in a row that must not also stand in a public corpus


def words(text):
    """Lower case, without punctuation."""
    return re.findall(r"\w+", text.lower())


def runs(sequence, length):
    return {tuple(sequence[i : i + length]) for i in range(len(sequence) - length + 1)}


@pytest.mark.parametrize("name", CORPORA)
def test_no_sentence_is_there_twice(name):
    counts = Counter("".join(words(sentence.text)) for sentence in CORPORA[name]())
    assert [text for text, n in counts.items() if n > 1] == []


def test_each_of_the_six_types_has_at_least_35_questions():
    questions = load_questions()
    counts = Counter(question.label for question in questions)
    assert set(counts) == QUESTION_TYPES
    assert len(questions) >= 210
    assert min(counts.values()) >= 35
    assert all(re.search(r'\w"?[?.]$', question.text) for question in questions)


def test_the_first_word_of_a_question_does_not_give_its_type_away():
    types = defaultdict(set)
    for question in load_questions():
        types[words(question.text)[0]].add(question.label)
    assert len(types) >= 25
    assert types["what"] == QUESTION_TYPES
    assert types["where"] > {"LOC"}
    assert min(len(types[first]) for first in ("how", "which", "who", "in", "name")) >= 3


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_half_of_at_least_310_reviews_are_positive(language):
    counts = Counter(review.label for review in load_reviews(language))
    assert set(counts) == {"positive", "negative"}
    assert counts["positive"] == counts["negative"] >= 155


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_negation_stands_in_at_least_40_reviews_of_each_label(language):
    negated = Counter(r.label for r in load_reviews(language) if re.search(NEGATION[language], r.text, re.IGNORECASE))
    assert min(negated["positive"], negated["negative"]) >= 40


def test_reviews_are_of_readable_length():
    assert all(8 <= len(review.text.split()) <= 25 for review in load_reviews("en"))
    assert all(10 <= len(review.text) <= 40 for review in load_reviews("zh"))


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_frame_carries_all_three_labels_twice_and_the_rest_of_it_never_changes(language):
    labels, rest = defaultdict(Counter), defaultdict(set)
    for sentence in load_frames(language):
        labels[sentence.frame][sentence.label] += 1
        rest[sentence.frame].add((sentence.text[: sentence.start], sentence.text[sentence.end :]))
    assert list(labels) == list(range(len(labels)))
    assert len(labels) >= 100
    for frame, counts in labels.items():
        assert set(counts) == {"positive", "negative", "neutral"}, frame
        assert min(counts.values()) >= 2, frame
        assert len(rest[frame]) == 1, frame
    assert len(set.union(*rest.values())) == len(labels)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_marked_span_is_a_filler_of_the_file(language):
    with (data_folder() / f"frames_{language}.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    sentences = load_frames(language)
    for sentence in sentences:
        assert 0 <= sentence.start < sentence.end <= len(sentence.text)
        assert sentence.text[sentence.start : sentence.end] == sentence.marked
        assert sentence.marked in rows[sentence.frame][sentence.label].split("|")
    assert len(sentences) == sum(len(row[label].split("|")) for row in rows for label in list(row)[1:])


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_deciding_word_stands_in_three_frames_and_has_one_label(language):
    frames, labels = defaultdict(set), defaultdict(set)
    for sentence in load_frames(language):
        frames[sentence.marked.lower()].add(sentence.frame)
        labels[sentence.marked.lower()].add(sentence.label)
    assert [word for word, found in frames.items() if len(found) < 3] == []
    assert [word for word, found in labels.items() if len(found) > 1] == []
    counts = Counter(label for found in labels.values() for label in found)
    assert min(counts["positive"], counts["negative"], counts["neutral"]) >= 60


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_positive_and_negative_sentences_are_equally_many(language):
    counts = Counter(sentence.label for sentence in load_frames(language))
    assert counts["positive"] == counts["negative"]
    assert counts["neutral"] >= 200


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_marked_words_stand_at_the_beginning_in_the_middle_and_at_the_end(language):
    place = Counter()
    for sentence in load_frames(language):
        last = sentence.end == len(sentence.text) - 1  # but for the full stop
        place["beginning" if sentence.start == 0 else "end" if last else "middle"] += 1
    assert min(place[where] for where in ("beginning", "middle", "end")) >= 100


def test_marked_words_are_one_word_in_english_and_four_characters_at_most_in_chinese():
    assert all(s.marked.isalpha() for s in load_frames("en") if s.label != "neutral")
    assert all(1 <= len(s.marked) <= 4 for s in load_frames("zh"))


@pytest.mark.parametrize("name", [name for name in CORPORA if name != "reviews_zh" and name != "frames_zh"])
def test_english_has_no_wrong_article_and_no_character_beyond_latin(name):
    for sentence in CORPORA[name]():
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeiouhF]|  |\t", sentence.text), sentence.text
        assert all(unicodedata.name(c).startswith("LATIN") for c in sentence.text if c.isalpha()), sentence.text


@pytest.mark.parametrize("name", ["reviews_zh", "frames_zh"])
def test_chinese_is_simplified_and_has_chinese_punctuation_alone(name):
    for sentence in CORPORA[name]():
        sentence.text.encode("gb2312")  # has no traditional characters
        assert re.fullmatch(r"[\u4e00-\u9fff，。！？、；：《》]+[。！？]", sentence.text), sentence.text


@pytest.mark.parametrize("load", [load_reviews, load_frames])
def test_another_language_is_refused_by_name(load):
    with pytest.raises(ValueError, match=r"language is 'de'; choose one of en, zh"):
        load("de")


def test_a_missing_file_is_named_and_the_way_out_told(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "data_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"frames_zh\.tsv is missing; copy the folder data/"):
        load_frames("zh")


@pytest.mark.parametrize("name", CORPORA)
def test_the_card_states_how_many_there_are(name):
    card = (data_folder() / f"{name}.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| (\w+) \| ([\d,]+) \|$", card, re.MULTILINE))
    counts = Counter(sentence.label for sentence in CORPORA[name]())
    assert {label: int(n.replace(",", "")) for label, n in stated.items()} == counts
    assert "CC BY 4.0" in card


@pytest.fixture(scope="module")
def public():
    """The folder of the public corpora."""
    folder = os.environ.get("IGTEACH_DATA")
    if not folder:
        pytest.skip("IGTEACH_DATA is not set: the public corpora that ours must not repeat are not here")
    return Path(folder)


@pytest.mark.parametrize("name", ["questions", "reviews_en", "frames_en"])
def test_no_english_sentence_is_taken_from_a_public_corpus(public, name):
    lines = [line for file in PUBLIC_ENGLISH for line in (public / file).read_text("latin-1").splitlines()]
    assert len(lines) > 16_000
    theirs = [words(re.sub(r"^[A-Z]+:\w+ ", "", line)) for line in lines]  # TREC's lines begin with their label
    whole = {"".join(sentence) for sentence in theirs}
    common = set().union(*(runs(sentence, TOO_LONG["en"]) for sentence in theirs))
    for sentence in CORPORA[name]():
        ours = words(sentence.text)
        assert "".join(ours) not in whole, sentence.text
        assert not runs(ours, TOO_LONG["en"]) & common, sentence.text


@pytest.mark.parametrize("name", ["reviews_zh", "frames_zh"])
def test_no_chinese_sentence_is_taken_from_a_public_corpus(public, name):
    with (public / PUBLIC_CHINESE).open(encoding="utf-8", newline="") as file:
        theirs = ["".join(words(row["review"])) for row in csv.DictReader(file)]
    assert len(theirs) > 7_000
    common = set().union(*(runs(review, TOO_LONG["zh"]) for review in theirs))
    for sentence in CORPORA[name]():
        ours = "".join(words(sentence.text))
        assert not runs(ours, TOO_LONG["zh"]) & common, sentence.text
        assert not any(ours in review for review in theirs), sentence.text
