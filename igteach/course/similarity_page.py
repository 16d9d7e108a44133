"""`similar.html` and `similar.csv` of a course: what is alike in the answers to each exercise, to be looked at."""

from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat

from igteach.course.answers import answers_in, submitted_answers
from igteach.course.exercise_list import exercise_titles, lesson_of
from igteach.course.hand_ins import Refused, printable
from igteach.course.html_parts import page
from igteach.course.marks import submissions, write_table
from igteach.course.normal_form import LONGEST_SOURCE, is_cut
from igteach.course.similarity import LEAST_LIKENESS, Likeness, Side, likenesses
from igteach.lessons.files import write_atomically

MOST_LISTED = 30  # likenesses of an exercise on the page; all are in the table
MOST_NAMED = 6  # students in the line of a likeness; all are named above the texts
MOST_SHOWN = 3_000  # characters of a text
PUBLIC = "the public solution"
HEADER = ["assignment", "exercise", "unusual (bits)", "alike", PUBLIC, "one", "other"]
NO_VERDICT = (
    "<p class=note><b>This is no verdict.</b> It is a list to look at. Short answers to one task look alike, whoever "
    "wrote them; people learn together, and the solutions of the lessons are public. Read both texts, and talk with "
    "the students before you conclude anything. Nothing here has changed a mark.</p>"
    "<p>Names of variables, comments, docstrings, annotations and layout do not count, nor do the lines that were "
    "handed out. The most unusual likeness comes first: what much of the class has in common weighs little, what "
    "only two share weighs much.</p>"
)


@dataclass
class Assignment:
    """What an assignment's submissions were compared on.

    Attributes:
        name: Its name.
        found: What is alike, by the exercise's id.
        compared: How many students were compared, by the exercise's id.
        remarks: What could not be read or compared, and whose it was.
    """

    name: str
    found: dict[str, list[Likeness]] = field(default_factory=dict)
    compared: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def similar(course: Path, assignment: str | None = None) -> list[Assignment]:
    """Compare what was handed in, and write COURSE/similar.html and COURSE/similar.csv. Nothing of it is run.

    Args:
        course: The course folder.
        assignment: The name of the only assignment that is compared; all if None.

    Returns:
        What was compared, in the order of the term.

    Raises:
        FileNotFoundError: Nothing was handed in.
        ValueError: Nothing was handed in for an assignment of that name.
    """
    students = defaultdict(list)
    for student, name in submissions(course):
        students[name].append(student)
    if not students:
        raise FileNotFoundError(f"{course / 'submitted'} holds no submission; there is nothing to compare")
    if assignment is not None and assignment not in students:
        known = ", ".join(map(printable, sorted(students)))
        raise ValueError(f"nothing was handed in for {assignment!r}, but for {known}")
    names = [assignment] if assignment is not None else sorted(students)
    compared = [compare(course, name, students[name]) for name in names]
    write_atomically(course / "similar.html", _page(course, compared), replace=True)
    write_table(course / "similar.csv", HEADER, _rows(compared))
    return compared


def compare(course: Path, assignment: str, students: list[str]) -> Assignment:
    """Compare the submissions of an assignment.

    Args:
        course: The course folder.
        assignment: The name of the assignment.
        students: Who handed something in.

    Returns:
        What is alike, and what could not be compared.
    """
    result = Assignment(assignment)
    lesson = lesson_of(assignment)
    public = answers_in(lesson.read()) if lesson else {}
    releases = (course / "release" / assignment).glob("*.ipynb")
    stubs = {number: text for path in releases for number, text in answers_in(nbformat.read(path, 4)).items()}
    if lesson is None:
        result.remarks.append(
            "This assignment does not belong to a lesson, so there is no public solution to compare it with."
        )
    answers: dict[str, dict[str, str]] = {exercise: {} for exercise in sorted({**stubs, **public})}
    for student in students:
        try:
            read = submitted_answers(course, student, assignment)
        except Refused as refusal:
            result.remarks.append(f"{printable(student)}: {refusal}.")
            continue
        for exercise in answers.keys() & read.keys():
            answers[exercise][printable(student)] = read[exercise]
            if is_cut(read[exercise]):
                result.remarks.append(
                    f"{printable(student)}: of {exercise} only the first {LONGEST_SOURCE} characters count."
                )
    for exercise, sources in answers.items():
        result.compared[exercise] = len(sources)
        result.found[exercise] = likenesses(sources, stubs.get(exercise, ""), public.get(exercise, ""))
    return result


def _page(course: Path, assignments: list[Assignment]) -> bytes:
    sections = []
    for assignment in assignments:
        titles = exercise_titles(assignment.name)
        sections.append(f"<h2>{escape(assignment.name)}</h2>\n")
        for exercise, found in assignment.found.items():
            heading = f"{exercise}: {titles[exercise]}" if exercise in titles else exercise
            sections.append(f"<h3>{escape(heading)}</h3>\n" + _exercise(found, assignment.compared[exercise]))
        if assignment.remarks:
            lines = "".join(f"<li>{escape(remark)}</li>\n" for remark in sorted(assignment.remarks))
            sections.append(f"<h3>Not compared, or not to the end</h3><ul>{lines}</ul>\n")
    return page(f"{course.resolve().name}: answers that are alike", NO_VERDICT + "".join(sections))


def _exercise(found: list[Likeness], compared: int) -> str:
    if not found:
        return f"<p>{compared} answers; none more alike than is usual.</p>\n"
    listed = found[:MOST_LISTED]
    rest = f" {len(found) - len(listed)} more are in similar.csv." if len(found) > len(listed) else ""
    return (
        f"<p>{compared} answers. Listed: texts with at least {LEAST_LIKENESS:.0%} in common.{rest} The bits say how "
        f"rare in this class is what the two share.</p>\n<ol>{''.join(_pair(one) for one in listed)}</ol>\n"
    )


def _pair(one: Likeness) -> str:
    same = "the same" if one.likeness == 1 else f"{min(one.likeness, 0.99):.0%} alike"
    sides = "".join(
        f"<div><b>{_names(side)}</b><pre>{escape(_shown(side.source))}</pre></div>" for side in (one.left, one.right)
    )
    head = f"{_names(one.left, MOST_NAMED)} <b>and</b> {_names(one.right, MOST_NAMED)}: {same}, {one.bits:.0f} bits"
    return f"<li><details><summary>{head}</summary><div class=side-by-side>{sides}</div></details></li>\n"


def _shown(source: str) -> str:
    return source if len(source) <= MOST_SHOWN else f"{source[:MOST_SHOWN]}\n[... and more]"


def _names(side: Side, most: int | None = None) -> str:
    """Who has a text, as HTML; more than `most` students are only counted."""
    names = [f"<i>{PUBLIC}</i>"] if side.is_public else []
    if most is not None and len(side.students) > most:
        return ", ".join([*names, f"{len(side.students)} students"])
    return ", ".join([*names, *(escape(student) for student in side.students)])


def _rows(assignments: list[Assignment]) -> list[list[str]]:
    rows = []
    for assignment in assignments:
        for exercise, found in assignment.found.items():
            for one in found:
                public = "yes" if one.left.is_public or one.right.is_public else "no"
                facts = [printable(assignment.name), exercise, f"{one.bits:.0f}", f"{one.likeness:.2f}", public]
                rows.append([*facts, _plain(one.left), _plain(one.right)])
    return rows


def _plain(side: Side) -> str:
    return "; ".join([*([PUBLIC] if side.is_public else []), *side.students])
