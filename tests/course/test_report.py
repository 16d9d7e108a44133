"""The page for instructors: counts that are right, words that are escaped; the list of exercises is up to date."""

import re

import pytest

from igteach.course import report as module
from igteach.course.commands import main
from igteach.course.exercise_list import exercise_list, list_faults
from igteach.course.marks import Mark, write_marks
from igteach.course.questions import QUESTIONS
from igteach.course.report import message_group
from igteach.exercises.solutions import EXERCISES

MISTAKES = [mistake.message for mistake in EXERCISES["03.1"].mistakes]


def mark(student, points, message="", **more):
    messages = {"check-03-1": message} if message else {}
    return Mark(student, "03_x-1", {"check-03-1": points}, {"check-03-1": 2}, True, messages=messages, **more)


CLASS = {
    "ann": mark("ann", 2, reason=""),
    "bob": mark("bob", 0, MISTAKES[0], reason=""),
    "cem": mark("cem", 0, MISTAKES[0], reason="", flags=["<script>alert(1)</script>"]),
    "dot": mark("dot", 0, "Write the function above, run its cell, then run this one.", reason=""),
    "eve": mark("eve", 0, reason="not graded; marks.csv says why"),
}


@pytest.fixture
def page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "submissions", lambda course: [(name, "03_x-1") for name in CLASS])
    monkeypatch.setattr(module, "mark_of", lambda course, student, assignment, reason: CLASS[student])
    assert main(["report", str(tmp_path)]) == 0
    assert f"report: {tmp_path / 'report.html'}" in capsys.readouterr().out
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_it_counts_who_passed_and_which_mistake_was_made_how_often(page):
    text = re.sub(r"<[^>]*>", "|", page)
    assert "5 handed in, 5 still to be marked by hand" in text
    assert "Exercise 03.1: 1 of 4 passed" in text  # eve could not be graded
    assert re.search(rf"{re.escape(MISTAKES[0])}\|+2\|", text)
    assert re.search(r"\(left open\)\|+1\|", text)
    assert text.index(MISTAKES[0]) < text.index("(left open)")


def test_it_lists_what_to_look_at_and_runs_nothing(page):
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "not graded; marks.csv says why" in page
    assert "http" not in page  # opens without a network


@pytest.mark.parametrize("number", EXERCISES)
def test_every_known_mistake_is_a_message_group_its_own(number):
    assert all(message_group(number, mistake.message) == mistake.message for mistake in EXERCISES[number].mistakes)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("On function 1 your code stopped with ValueError: 3", "(the code stopped with an error)"),
        ("Your answer calls igteach.x. Writing it is the task: the check wants your own.", "(called the package's own"),
        ("Your function did not come to an end in time.", "(ran out of time or memory)"),
        ("On 4 words your answer is off.", "(another wrong answer)"),
    ],
)
def test_other_messages_fall_into_few_groups(message, kind):
    assert message_group("03.1", message).startswith(kind)


def test_where_nothing_was_handed_in_it_says_so(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "holds no submission" in capsys.readouterr().err


def test_no_field_of_the_table_is_a_formula(tmp_path):
    write_marks(tmp_path / "marks.csv", [mark("=cmd()", 2, reason="", flags=["@x"])])
    text = (tmp_path / "marks.csv").read_text(encoding="utf-8")
    assert "'=cmd()" in text
    assert "'@x" in text


def test_the_list_of_exercises_is_up_to_date_and_complete():
    text = exercise_list()
    assert list_faults() == []
    for number, exercise in EXERCISES.items():
        assert f"### {number} " in text
        assert all(f"- {mistake.message}" in text for mistake in exercise.mistakes)
    assert all(question.text in text for question in QUESTIONS.values())
    assert not any(line in text for question in QUESTIONS.values() for line in question.points_for)
