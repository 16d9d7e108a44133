"""Grading without running anything: what is new, what is refused, which reason is told."""

import csv
import os
import time

import pytest

from igteach.course import grade as module
from igteach.course.commands import main
from igteach.course.grade import autograde, error_in_log, is_new
from igteach.course.marks import submissions


@pytest.fixture
def course(tmp_path):
    for student in ("bob", "ann"):
        (tmp_path / "submitted" / student / "a").mkdir(parents=True)
        (tmp_path / "submitted" / student / "a" / "n.ipynb").write_text("{}")
    (tmp_path / "submitted" / ".hidden" / "a").mkdir(parents=True)
    (tmp_path / "submitted" / "ann" / ".ipynb_checkpoints").mkdir()
    return tmp_path


def test_submissions_come_in_order_and_without_hidden_folders(course):
    assert submissions(course) == [("ann", "a"), ("bob", "a")]


def test_a_submission_is_new_until_it_is_graded_and_when_it_is_handed_in_again(course):
    assert is_new(course, "ann", "a")
    graded = course / "autograded" / "ann" / "a" / "n.ipynb"
    graded.parent.mkdir(parents=True)
    graded.write_text("{}")
    assert not is_new(course, "ann", "a")
    os.utime(course / "submitted" / "ann" / "a" / "n.ipynb", (2**31, 2**31))
    assert is_new(course, "ann", "a")
    assert is_new(course, "bob", "a")


def test_what_was_written_before_the_grading_and_collected_after_it_is_new(course):
    graded = course / "autograded" / "ann" / "a" / "n.ipynb"
    graded.parent.mkdir(parents=True)
    graded.write_text("{}")
    time.sleep(0.05)
    collected = course / "submitted" / "ann" / "a" / "n.ipynb"
    collected.write_text('{"cells": []}')
    os.utime(collected, (10**9, 10**9))
    assert is_new(course, "ann", "a")


def test_a_symbolic_link_is_refused_before_nbgrader_copies_what_it_leads_to(course):
    (course / "submitted" / "bob" / "a" / "data.csv").symlink_to(course / "gradebook.db")
    assert "symbolic link" in autograde(course, "bob", "a")
    assert not (course / "autograded").exists()


def test_a_file_or_folder_of_another_name_is_refused_in_words_and_not_run(course, monkeypatch):
    monkeypatch.setattr(module, "run_nbgrader", None)
    assert autograde(course, "ann", "a") == ("there is no assignment a; the folder must be named as one in release/: ")
    for name in ("a", "b"):
        (course / "release" / name).mkdir(parents=True)
        (course / "release" / name / "n.ipynb").write_text("{}")
    (course / "submitted" / "ann" / "a" / "n.ipynb").rename(course / "submitted" / "ann" / "a" / "n (1).ipynb")
    (course / "submitted" / "ann" / "c").mkdir()
    assert autograde(course, "ann", "a") == "holds n (1).ipynb; the file must be named n.ipynb"
    assert "no assignment c; the folder must be named as one in release/: a, b" in autograde(course, "ann", "c")
    (course / "submitted" / "ann" / "b").mkdir()
    assert autograde(course, "ann", "b") == "holds no notebook; the file must be named n.ipynb"


LOG = """[AutogradeApp | WARNING] No notebooks were matched
[AutogradeApp | ERROR] There was an error processing assignment: x
    nbformat.reader.NotJSONError: Notebook does not appear to be JSON: '{"cells": ['
[AutogradeApp | ERROR] There was an error
"""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (LOG, "nbformat.reader.NotJSONError: Notebook does not appear to be JSON: '{\"cells\": ['"),
        ("[AutogradeApp | ERROR] No notebooks were matched by 'x'", "No notebooks were matched by 'x'"),
        ("", "nbgrader failed and said nothing"),
        ("KeyError: " + "x" * 1000, "KeyError: " + "x" * 290),
    ],
)
def test_the_reason_is_the_error_in_one_line(log, reason):
    assert error_in_log(log) == reason


@pytest.mark.parametrize("command", ["grade", "report", "similar", "assign"])
def test_a_course_folder_must_be_named(command, capsys):
    with pytest.raises(SystemExit) as leaving:
        main([command])
    assert leaving.value.code == 2
    assert "COURSE" in capsys.readouterr().err


def test_what_cannot_be_graded_and_feedback_that_fails_stop_nobody(course, monkeypatch, capsys):
    (course / "gradebook.db").touch()
    left = course / "autograded" / "ann" / "a"
    left.mkdir(parents=True)
    monkeypatch.setattr(module, "autograde", lambda course, student, _: "took too long" if student == "ann" else "")

    def fails(course, command, *_):
        raise RuntimeError("nbgrader generate_feedback failed")

    monkeypatch.setattr(module, "nbgrader", fails)
    assert main(["grade", str(course)]) == 0
    told = capsys.readouterr()
    assert "2 submissions, 1 could not be graded" in told.out
    assert told.out.count("NOT GRADED: took too long") == 2  # it is tried once more, alone
    assert "not all feedback could be written" in told.err
    assert not left.exists()
    with (course / "marks.csv").open(encoding="utf-8", newline="") as file:
        assert [row["not graded because"] for row in csv.DictReader(file)] == ["took too long", ""]
