"""A synthetic class, handed in, graded by the real nbgrader, and each student's mark and feedback looked at."""

import csv
import html
import re
from functools import cache
from pathlib import Path

import pytest
from course.students import ONCE, ONLY_CALLS, STUDENTS, Paper, Student, exercises_of, with_mistake

from igteach.course.assign import assign, assignment_name
from igteach.course.grade import grade
from igteach.course.marks import Mark
from igteach.course.questions import QUESTIONS
from igteach.course.report import report
from igteach.course.seed import derive_secret, read_seed
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson import all_lessons

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("box")]
LESSONS = ("01", "03", "04")


@cache
def course_of(number: str) -> tuple[Path, Path]:
    """A fresh course with one lesson, and its release."""
    folder = Path(pytest.class_folder) / f"course{number}"
    assign([number], folder, None)
    lesson = all_lessons([number])[0]
    return folder, folder / "release" / assignment_name(lesson) / f"{lesson.name}.ipynb"


def students_of(number: str) -> list[Student]:
    """The class, with a student for every known mistake."""
    tables = {n: EXERCISES[exercise].mistakes for n, exercise in exercises_of(number).items()}
    mistaken = [
        Student(f"mistake-{k:02d}", with_mistake(k), (), {n: table[: k + 1][-1].message for n, table in tables.items()})
        for k in range(max(map(len, tables.values())))
    ]
    caught, _ = ONLY_CALLS[number]
    for student in STUDENTS:
        if student.name == "only-calls":
            student.solved = tuple(n for n in (1, 2, 3) if n != caught)
            student.says = {caught: "Writing it is the task"}
    students = STUDENTS if number == "04" else [student for student in STUDENTS if student.name not in ONCE]
    return [*students, *mistaken]


@cache
def graded(number: str) -> dict[str, Mark]:
    folder, release = course_of(number)
    for student in students_of(number):
        paper = Paper(number, course_of(number)[1])
        student.hand_in(paper)
        place = folder / "submitted" / student.name / release.parent.name / release.name
        place.parent.mkdir(parents=True)
        place.write_bytes(paper.file)
    return {mark.student: mark for mark in grade(folder)}


@pytest.fixture(scope="module", autouse=True)
def _class_folder(tmp_path_factory):
    pytest.class_folder = tmp_path_factory.mktemp("class")


def feedback_of(number: str, student: str) -> str:
    folder, release = course_of(number)
    path = folder / "feedback" / student / release.parent.name / release.with_suffix(".html").name
    return as_read(path)


def as_read(page: Path) -> str:
    """The text of a page, without its tags, which cut code into words."""
    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))


def secrets_of(number: str) -> list[str]:
    """The seed, and what the hidden cases were drawn with."""
    folder, _ = course_of(number)
    seed = read_seed(folder.with_name(f"{folder.name}.seed"))
    return [seed.hex(), *(str(derive_secret(seed, exercise)) for exercise in exercises_of(number).values())]


def every_student_gets_the_mark_and_the_words(number):
    marks = graded(number)
    wrong = []
    for student in students_of(number):
        mark, paper = marks[student.name], Paper(number, course_of(number)[1])
        wanted = {paper.grade_id("check", n): paper.points(n) if n in student.solved else 0 for n in (1, 2, 3)}
        got = {cell: points for cell, points in mark.points.items() if cell.startswith("check")}
        if got != wanted and not student.reason:
            wrong.append(f"{student.name}: {got}, not {wanted}; {mark.messages}")
        if student.reason not in mark.reason or bool(student.reason) != bool(mark.reason):
            wrong.append(f"{student.name}: reason {mark.reason!r}")
        if student.flag and not any(student.flag in flag for flag in mark.flags):
            wrong.append(f"{student.name}: flags {mark.flags}")
        text = "" if student.reason else feedback_of(number, student.name)
        wrong += [f"{student.name}: no {words!r} for {n}" for n, words in student.says.items() if words not in text]
    assert wrong == []


def nothing_that_a_student_is_handed_holds_a_solution_or_a_secret(number):
    graded(number)
    folder, release = course_of(number)
    secrets, paper = secrets_of(number), Paper(number, course_of(number)[1])
    hints = "".join(cell.source for cell in paper.notebook.cells if cell.cell_type == "markdown")
    solutions = {line.strip() for source in paper.solutions.values() for line in body_of(source)}
    lines = [line for line in solutions if line not in hints]
    assert len(lines) >= 3
    rubric = set(QUESTIONS[number].points_for)
    handed = {release: release.read_text(encoding="utf-8")}
    handed |= {path: as_read(path) for path in (folder / "feedback").rglob("*.html")}
    assert len(handed) == len(students_of(number))  # all but the one that is no JSON, and the release
    for path, text in handed.items():
        words = {*secrets, "MARK SCHEME", *rubric}
        assert [word for word in words if word in text] == [], path
        assert path.stat().st_size < 2_000_000, path
    assert [line for line in lines if line in handed[release]] == []
    assert [line for line in lines if line in feedback_of(number, "untouched")] == []
    assert [line for line in lines if line not in feedback_of(number, "perfect")] == []  # so that they would be found


def body_of(source: str) -> list[str]:
    """The lines of a solution that are long enough to know it by."""
    inside = source.partition("### BEGIN SOLUTION")[2].partition("### END SOLUTION")[0]
    return [line for line in inside.splitlines() if len(line.strip()) > 15]


def the_table_of_marks_has_a_row_for_each_and_says_who_could_not_be_graded(number):
    graded(number)
    with (course_of(number)[0] / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == {student.name for student in students_of(number)}
    assert [name for name, row in rows.items() if row["not graded because"]] == ["no-json"]
    assert rows["perfect"]["to mark by hand"] == "yes"
    assert float(rows["perfect"]["out of"]) - float(rows["perfect"]["points"]) == QUESTIONS[number].points


def what_is_graded_is_not_graded_again_and_points_by_hand_stay(number):
    from nbgrader.api import Gradebook

    graded(number)
    folder, release = course_of(number)
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        point = book.find_grade(f"question-{number}", release.stem, release.parent.name, "perfect")
        point.manual_score, point.needs_manual_grade = 2, False
        book.db.commit()
    marks = {mark.student: mark for mark in grade(folder)}
    assert {mark.seconds for mark in marks.values() if not mark.reason} == {0}
    assert sum(marks["perfect"].points.values()) == sum(graded(number)["perfect"].points.values()) + 2
    assert not marks["perfect"].by_hand


def the_report_counts_every_known_mistake(number):
    graded(number)
    whole, without_names = report(course_of(number)[0])
    text = as_read(whole)
    for exercise in exercises_of(number).values():
        for mistake in EXERCISES[exercise].mistakes:
            assert mistake.message in text
    assert "no-json" in text
    assert "no-json" not in as_read(without_names)


@pytest.mark.sampled(0)  # the class of forty is graded every week
@pytest.mark.parametrize("number", LESSONS)
def test_a_class_gets_what_it_deserves_and_nothing_else(number):
    every_student_gets_the_mark_and_the_words(number)
    nothing_that_a_student_is_handed_holds_a_solution_or_a_secret(number)
    the_table_of_marks_has_a_row_for_each_and_says_who_could_not_be_graded(number)
    the_report_counts_every_known_mistake(number)
    what_is_graded_is_not_graded_again_and_points_by_hand_stay(number)
