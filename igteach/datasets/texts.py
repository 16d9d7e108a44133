"""Sentences written for this course: questions, reviews, and frames in which one known word decides."""

import csv
from dataclasses import dataclass

from igteach.datasets.shipped import data_folder

LANGUAGES = ("en", "zh")  # English, and Chinese in simplified characters
SLOT = "{}"  # where a frame takes its word


@dataclass(frozen=True)
class Text:
    """A sentence and its label.

    Attributes:
        text: the sentence.
        label: one of the labels of its table.
    """

    text: str
    label: str


@dataclass(frozen=True)
class MarkedText(Text):
    """A sentence whose label is decided by `text[start:end]` alone; sentences of one frame have all else in common.

    Attributes:
        text: the sentence.
        label: "positive", "negative" or "neutral".
        frame: the number of its frame, from 0.
        start, end: where in the text the deciding word starts and ends, in characters.
    """

    frame: int
    start: int
    end: int

    @property
    def marked(self) -> str:
        """The word or words that decide the label."""
        return self.text[self.start : self.end]


def load_questions() -> list[Text]:
    """Load questions in English, each with one of the six coarse types of question.

    Returns:
        Questions labelled ABBR, DESC, ENTY, HUM, LOC or NUM.

    Raises:
        FileNotFoundError: the folder data/ lacks the table.

    Example:
        >>> sorted({question.label for question in load_questions()})
        ['ABBR', 'DESC', 'ENTY', 'HUM', 'LOC', 'NUM']

    Source:
        The types: X. Li and D. Roth (2002), Learning Question Classifiers, https://aclanthology.org/C02-1150/
    """
    return [Text(row["question"], row["label"]) for row in _read("questions")]


def load_reviews(language: str) -> list[Text]:
    """Load reviews of one sentence each.

    Args:
        language: "en", or "zh" for Chinese in simplified characters.

    Returns:
        Reviews labelled positive or negative.

    Raises:
        FileNotFoundError: the folder data/ lacks the table.
        ValueError: there are no reviews in that language.

    Example:
        >>> sorted({review.label for review in load_reviews("zh")})
        ['negative', 'positive']
    """
    return [Text(row["review"], row["label"]) for row in _read("reviews", language)]


def load_frames(language: str) -> list[MarkedText]:
    """Load sentences of which one known word decides the label, frame by frame.

    The table has one frame on each line, such as "The room was {}.", and for each label the words that fill it, such
    as "clean|cosy".

    Args:
        language: "en", or "zh" for Chinese in simplified characters.

    Returns:
        Sentences labelled positive, negative or neutral, with the deciding word marked.

    Raises:
        FileNotFoundError: the folder data/ lacks the table.
        ValueError: there are no frames in that language.

    Example:
        >>> sentence = load_frames("en")[0]
        >>> sentence.text[sentence.start : sentence.end] == sentence.marked
        True
    """
    sentences = []
    for number, row in enumerate(_read("frames", language)):
        start = row["frame"].index(SLOT)
        for label in ("positive", "negative", "neutral"):
            for word in row[label].split("|"):
                text = row["frame"].replace(SLOT, word)
                sentences.append(MarkedText(text, label, number, start, start + len(word)))
    return sentences


def _read(name: str, language: str | None = None) -> list[dict[str, str]]:
    """The rows of a shipped table, by column."""
    if language is not None:
        if language not in LANGUAGES:
            raise ValueError(f"language is {language!r}; choose one of {', '.join(LANGUAGES)}")
        name = f"{name}_{language}"
    path = data_folder() / f"{name}.tsv"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; copy the folder data/ from the repository again, or reinstall igteach"
        )
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
