"""Answers that are more alike than chance makes them: a list to look at, never a verdict."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from igteach.course.normal_form import normal_form

LEAST_LIKENESS = 0.7  # of two different texts that are listed
LEAST_BITS = 12.0  # anything less unusual is not listed, unless it is the public solution's own text
RUN = 4  # tokens that are counted together


@dataclass(frozen=True)
class Side:
    """One side of a likeness: whoever has the same text, but for names and layout.

    Attributes:
        students: Their names.
        is_public: Whether the solution in the public lesson has this text, too.
        source: The text as the first of them, or the public solution, has it.
    """

    students: tuple[str, ...]
    is_public: bool
    source: str


@dataclass(frozen=True)
class Likeness:
    """Two texts that are alike.

    Attributes:
        left: One of them.
        right: The other.
        likeness: From 0 to 1; 1 if they differ in nothing but names, comments and layout.
        bits: How unusual it is that two share what these two share, in bits.
    """

    left: Side
    right: Side
    likeness: float
    bits: float


@dataclass
class Text:
    """A normal form, and who has it.

    Attributes:
        form: The tokens.
        sources: What the students wrote, by name.
        public: The public solution, if it has this form; empty if not.
    """

    form: tuple[str, ...]
    sources: dict[str, str] = field(default_factory=dict)
    public: str = ""

    @cached_property
    def runs(self) -> frozenset[str]:
        """The runs of tokens that occur in it; the whole, if it is shorter than a run."""
        starts = range(max(len(self.form) - RUN + 1, 1))
        return frozenset(" ".join(self.form[start : start + RUN]) for start in starts)

    def side(self, students: list[str] | None = None) -> Side:
        """What a likeness shows of this text.

        Args:
            students: Those that are named; all, and the public solution, if None.

        Returns:
            The side.
        """
        if students is not None:
            return Side(tuple(students), False, self.sources[students[0]])
        source = self.public or next(iter(self.sources.values()))
        return Side(tuple(self.sources), bool(self.public), source)


def likenesses(answers: dict[str, str], stub: str, public: str) -> list[Likeness]:
    """Compare the answers to one exercise with each other and with the public solution.

    Args:
        answers: The source of each student's answer, by name.
        stub: The cell as it was handed out.
        public: The public solution; empty if there is none.

    Returns:
        What is alike and unusual, the most unusual first. Answers without a line of the student's own are left out.
    """
    texts = _texts(answers, stub, public)
    usual = _Usual(texts)
    found = [*_same(texts, usual), *_alike(texts, usual)]
    found = [one for one in found if one.bits >= LEAST_BITS or (one.left.is_public and one.likeness == 1)]
    return sorted(found, key=lambda one: (-one.bits, one.left.students, one.right.students))


def _texts(answers: dict[str, str], stub: str, public: str) -> list[Text]:
    """The different texts; the one of the public solution is first, if there is any."""
    texts: dict[tuple[str, ...], Text] = {}
    if form := normal_form(public, stub):
        texts[form] = Text(form, public=public)
    for student, source in answers.items():
        if form := normal_form(source, stub):
            texts.setdefault(form, Text(form)).sources[student] = source
    return list(texts.values())


class _Usual:
    """How unusual each run of tokens is: in bits, -log2 of the fraction of the other students who have it, too."""

    def __init__(self, texts: list[Text]) -> None:
        students = sum(len(text.sources) for text in texts)
        counts = Counter[str]()
        for text in texts:
            for run in text.runs:
                counts[run] += len(text.sources)
        self.tables = {
            pair: {run: _bits(count - pair, students - pair) for run, count in counts.items()}
            for pair in (1, 2)  # how many of the two that share the run are students
        }

    def bits(self, one: Text, other: Text) -> float:
        """The sum over the runs that two texts share.

        Args:
            one: A text.
            other: Another; the same one, if two have it.

        Returns:
            The bits.
        """
        students = bool(one.sources) + bool(other.sources)
        if one is other and one.public:
            students = 1  # and the public solution
        return sum(map(self.tables[students].__getitem__, one.runs & other.runs))


def _bits(having: int, others: int) -> float:
    """In bits, the rarity of what some of the others have; one more of each, so that no one is ever certain."""
    return -math.log2((max(having, 0) + 1) / (max(others, 0) + 2))


def _same(texts: list[Text], usual: _Usual) -> Iterator[Likeness]:
    for text in texts:
        students = list(text.sources)
        if text.public and students:
            public = Side((), True, text.public)
            yield Likeness(public, text.side(students), 1.0, usual.bits(text, text))
        elif len(students) > 1:
            yield Likeness(text.side(students[:1]), text.side(students[1:]), 1.0, usual.bits(text, text))


def _alike(texts: list[Text], usual: _Usual) -> Iterator[Likeness]:
    numbers: dict[str, int] = {}
    forms = [[numbers.setdefault(token, len(numbers)) for token in text.form] for text in texts]
    table = cdist(forms, forms, scorer=Indel.normalized_similarity, score_cutoff=LEAST_LIKENESS)
    for row, one in enumerate(texts):
        for column in range(row + 1, len(texts)):
            if table[row, column] >= LEAST_LIKENESS:
                other = texts[column]
                yield Likeness(one.side(), other.side(), float(table[row, column]), usual.bits(one, other))
