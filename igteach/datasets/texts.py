"""Sentences written for this course: questions, reviews, and frames in which one known word decides."""

import csv
from dataclasses import dataclass

from igteach.datasets.shipped import data_folder

LANGUAGES = ("en", "zh")  # English, and Chinese in simplified characters
SLOT = "{}"  # where a frame takes its word


@dataclass(frozen=True)
class Text:
    """A sentence and its label."""

    text: str
    label: str


@dataclass(frozen=True)
class MarkedText(Text):
    """A sentence whose label is decided by `text[start:end]` alone; sentences of one `frame` share all the rest."""

    frame: int  # its number, from 0
    start: int
    end: int

    @property
    def marked(self) -> str:
        """The word or words that decide."""
        return self.text[self.start : self.end]


def load_questions() -> list[Text]:
    """Questions in English, labelled ABBR, DESC, ENTY, HUM, LOC or NUM: the six coarse types of Li and Roth (2002)."""
    return [Text(row["question"], row["label"]) for row in _read("questions")]


def load_reviews(language: str) -> list[Text]:
    """Reviews of one sentence in "en" or "zh", labelled positive or negative.

    Raises ValueError for another language.
    """
    return [Text(row["review"], row["label"]) for row in _read("reviews", language)]


def load_frames(language: str) -> list[MarkedText]:
    """Sentences in "en" or "zh", labelled positive, negative or neutral, frame by frame, the deciding word marked.

    The file has a frame a line, such as "The room was {}.", and the words that each label puts there: "clean|cosy".
    Raises ValueError for another language.
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
            f"{path} is missing; copy the folder data/ of the repository anew, or reinstall igteach"
        )
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
