"""One lesson, three students, the real nbgrader: assigned, graded, told. test_class.py has the large class."""

import re

import nbformat
import pytest

from igteach.course.assign import assign, assignment_name
from igteach.course.grade import grade
from igteach.course.questions import QUESTIONS
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson import all_lessons, grade_id

pytestmark = pytest.mark.long  # a minute and a half, most of it nbgrader's
OPEN = "Write the function above, run its cell, then run this one."
MISTAKE = "def walk(f, stops):\n    return (igteach.gradient(f, stops[-1:]).values * stops.diff(dim=0)).sum()"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of lesson 04, graded: its folder, and the marks by student."""
    folder = tmp_path_factory.mktemp("small") / "course"
    assign(["04"], folder, None)
    lesson = all_lessons(["04"])[0]
    answers = {grade_id(cell): cell.source for cell in lesson.read().cells}
    hand_ins = {"perfect": answers, "untouched": {}, "mistaken": {**answers, "answer-04-1": MISTAKE}}
    name = assignment_name(lesson)
    for student, cells in hand_ins.items():
        notebook = nbformat.read(folder / "release" / name / f"{lesson.name}.ipynb", as_version=4)
        for cell in notebook.cells:
            number = grade_id(cell)
            if number.startswith("answer"):
                cell.source = cells.get(number, cell.source)
        place = folder / "submitted" / student / name
        place.mkdir(parents=True)
        nbformat.write(notebook, place / f"{lesson.name}.ipynb")
    return folder, {mark.student: mark for mark in grade(folder)}


def feedback(course, student):
    (page,) = (course[0] / "feedback" / student).rglob("*.html")
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("student", "unsolved"),
    [
        ("perfect", {}),
        ("untouched", {f"check-04-{n}": OPEN for n in (1, 2, 4)}),
        ("mistaken", {"check-04-1": EXERCISES["04.1"].mistakes[0].message}),
    ],
)
def test_each_student_gets_the_points_of_what_is_solved_and_a_word_on_what_is_not(course, student, unsolved):
    mark = course[1][student]
    assert mark.reason == ""
    assert set(mark.flags) <= {"ran without a sandbox"}
    assert mark.messages == unsolved
    checks = {cell: points for cell, points in mark.points.items() if cell.startswith("check")}
    assert checks == {cell: 0 if cell in unsolved else mark.out_of[cell] for cell in mark.out_of if "check" in cell}
    assert len(checks) == 3
    assert mark.by_hand
    assert mark.out_of["question-04"] == QUESTIONS["04"].points
    assert all(message in feedback(course, student) for message in unsolved.values())


@pytest.mark.parametrize("student", ["perfect", "untouched", "mistaken"])
def test_feedback_asks_for_nothing_from_the_network_and_shows_formulas_and_no_hidden_test(course, student):
    page = feedback(course, student)
    asked = re.findall(r"<(?!a\b)\w+\b[^>]*?\b(?:href|src)=[\"']?((?:https?:)?//[^\"' >]*)", page)
    asked += re.findall(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]*)", page)
    assert asked == []
    assert "<math" in page
    assert not re.search(r"\$\$|\\frac", page)
    assert not re.search("graded_check|HIDDEN TESTS|MARK SCHEME", re.sub(r"<[^>]*>", "", page))


def test_a_progress_cell_stops_no_submission(course):
    (notebook,) = (course[0] / "autograded" / "untouched").rglob("*.ipynb")
    (cell,) = (cell for cell in nbformat.read(notebook, as_version=4).cells if 'progress("04")' in cell.source)
    assert "No progress is kept here" in cell.outputs[0].data["text/plain"]
