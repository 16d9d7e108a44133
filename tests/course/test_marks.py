"""Totals never exceed the maximum, and what neither the grader nor the rubric can have given is flagged."""

import csv
from datetime import datetime

import pytest
from nbgrader.api import Gradebook

from igteach.course.marks import Mark, summary_line, write_marks


@pytest.fixture
def edited(pupils):
    """Grades ann's submission, lets a person change the gradebook, and reads the mark again."""

    def edit(change):
        pupils.hand_in("ann", "right", "Because.")
        pupils.grade()
        with Gradebook(f"sqlite:///{pupils.course}/gradebook.db") as gradebook:
            check, question = (gradebook.find_grade(name, "n", "a", "ann") for name in ("check-1", "question-1"))
            change(check, question, gradebook)
            gradebook.db.commit()
        return pupils.grade()["ann"]

    return edit


def set_to(cell, **values):
    for name, value in values.items():
        setattr(cell, name, value)


@pytest.mark.parametrize(
    ("check", "question", "total", "flags"),
    [
        ({}, {"manual_score": 3}, 5, []),
        ({}, {"manual_score": 40}, 5, ["question-1: the gradebook has 40 of 3 points; 3 count"]),
        ({}, {"manual_score": -1}, 2, ["question-1: the gradebook has -1 of 3 points; 0 count"]),
        ({"auto_score": 40}, {}, 2, ["check-1: the gradebook has 40 of 2 points; 2 count"]),
        ({"auto_score": 0, "manual_score": 2}, {}, 2, ["check-1: a person gave 2 points, and the grader 0"]),
        (
            {"manual_score": 40},
            {},
            2,
            [
                "check-1: a person gave 40 points, and the grader 2",
                "check-1: the gradebook has 40 of 2 points; 2 count",
            ],
        ),
        (
            {},
            {"manual_score": 1, "extra_credit": 1},
            4,
            ["question-1: 1 points of extra credit, which count only up to the total maximum"],
        ),
        (
            {"extra_credit": 100},
            {},
            5,
            ["check-1: 100 points of extra credit, which count only up to the total maximum"],
        ),
        (
            {"extra_credit": -1},
            {},
            2,
            ["check-1: -1 points of extra credit, which count only up to the total maximum"],
        ),
    ],
)
def test_a_total_lies_between_nothing_and_the_maximum_and_what_is_odd_is_flagged(edited, check, question, total, flags):
    def change(check_cell, question_cell, _):
        set_to(check_cell, **check)
        set_to(question_cell, **question)

    mark = edited(change)
    assert mark.total == total
    assert mark.maximum == 5
    assert mark.flags == flags


def test_the_late_penalty_counts_and_is_shown_and_never_leads_below_nothing(edited, pupils):
    def late(check, question, gradebook):
        submission = gradebook.find_submission("a", "ann")
        submission.timestamp = datetime(2027, 1, 2)
        submission.assignment.duedate = datetime(2027, 1, 1)

    config = pupils.course / "nbgrader_config.py"
    config.write_text("c = get_config()\nc.LatePolicy.percent_a_day = 25\n")
    mark = edited(late)
    assert (mark.total, mark.late_penalty) == (1.5, 0.5)
    assert "1.5 of 5; 0 s; 1 day 0 h late, -0.5 points" in summary_line(mark)
    with (pupils.course / "marks.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["points"], row["late"], row["late penalty"]) == ("1.5", "1 day 0 h late", "0.5")
    config.write_text("c = get_config()\nc.LatePolicy.percent_a_day = 100\n")
    assert pupils.grade()["ann"].total == 0


def test_a_crash_leaves_the_old_table(tmp_path, monkeypatch):
    table = tmp_path / "marks.csv"
    write_marks(table, [Mark("ann", "a", {}, {}, False, "")])
    before = table.read_bytes()
    with pytest.raises(AttributeError):
        write_marks(table, [Mark("bob", "a", {}, {}, False, ""), None])
    assert table.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["marks.csv"]


def test_a_spreadsheet_takes_no_name_for_a_formula(tmp_path):
    write_marks(tmp_path / "marks.csv", [Mark("=1+1", "a", {}, {}, False, "")])
    assert "\n'=1+1,a," in (tmp_path / "marks.csv").read_text(encoding="utf-8")
