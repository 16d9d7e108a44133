"""Grading with a stand-in for nbgrader: what is run, what is kept, and that nobody's fault costs another one's mark."""

import csv
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from nbgrader.api import Gradebook

from igteach.course import grade as module
from igteach.course import submission
from igteach.course.commands import main
from igteach.course.grade import Request, grade
from igteach.course.submission import error_in_log

STOPPED = ["stopped after 55 seconds"]
LATE = subprocess.TimeoutExpired("nbgrader", 150)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def record(pupils, student, number=1):
    return json.loads((pupils.course / "attempts" / student / "a" / str(number) / "mark.json").read_text())


# What is run


def test_what_has_not_changed_is_not_run_again_whatever_its_times_and_owner(pupils):
    pupils.hand_in("ann")
    pupils.hand_in("bob", "wrong")
    marks = pupils.grade()
    assert pupils.runs == ["ann", "bob"]
    assert {name: mark.total for name, mark in marks.items()} == {"ann": 2, "bob": 0}
    file = pupils.course / "submitted" / "ann" / "a" / "n.ipynb"
    os.utime(file, (2**31, 2**31))
    file.chmod(0o600)
    assert {name: mark.total for name, mark in pupils.grade().items()} == {"ann": 2, "bob": 0}
    assert pupils.runs == []


def test_what_has_changed_is_run_even_if_its_times_are_old(pupils):
    pupils.hand_in("ann", "wrong")
    pupils.grade()
    pupils.hand_in("ann", "right")
    os.utime(pupils.course / "submitted" / "ann" / "a" / "n.ipynb", (10**9, 10**9))
    assert pupils.grade()["ann"].total == 2
    assert pupils.runs == ["ann"]


def test_a_copy_that_no_record_vouches_for_does_not_count(pupils):
    pupils.hand_in("ann")
    copy = pupils.course / "autograded" / "ann" / "a" / "n.ipynb"
    copy.parent.mkdir(parents=True)
    copy.write_bytes((pupils.course / "submitted" / "ann" / "a" / "n.ipynb").read_bytes())
    assert pupils.grade()["ann"].total == 2
    assert pupils.runs == ["ann"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b'{"state": 3}', b"\xff"])
def test_a_damaged_record_costs_a_run_and_not_the_mark(pupils, damage):
    pupils.hand_in("ann", essay="Because.")
    pupils.grade()
    pupils.give("ann", 3)
    (pupils.course / "attempts" / "ann" / "a" / "1" / "mark.json").write_bytes(damage)
    assert pupils.grade()["ann"].total == 5
    assert pupils.runs == ["ann"]


def test_a_record_whose_autograded_copy_is_gone_does_not_count(pupils):
    pupils.hand_in("ann")
    pupils.grade()
    shutil.rmtree(pupils.course / "autograded" / "ann")
    assert pupils.grade()["ann"].total == 2
    assert pupils.runs == ["ann"]


def test_one_student_or_assignment_is_graded_and_all_have_a_row(pupils):
    pupils.hand_in("ann")
    pupils.hand_in("bob")
    marks = pupils.grade(student="bob")
    assert pupils.runs == ["bob"]
    assert marks["ann"].reason == "not graded yet"
    assert marks["bob"].total == 2
    assert [row["student"] for row in rows_of(pupils.course / "marks.csv")] == ["ann", "bob"]
    pupils.grade(assignment="a")
    assert pupils.runs == ["ann"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"student": "eve"}, "student is 'eve', who handed in nothing; submitted/ has ann"),
        ({"assignment": "b"}, "assignment is 'b', which nobody handed in; submitted/ has a"),
        ({"jobs": 0}, "jobs is 0; give 1 or more"),
    ],
)
def test_a_request_that_fits_nothing_is_refused(pupils, asked, words):
    pupils.hand_in("ann")
    with pytest.raises(ValueError, match=words):
        pupils.grade(**{"jobs": 1} | asked)
    assert not (pupils.course / "marks.csv").exists()


def test_the_clean_copy_holds_the_notebook_and_the_time_alone(pupils, monkeypatch):
    pupils.hand_in("ann")
    place = pupils.course / "submitted" / "ann" / "a"
    (place / "timestamp.txt").write_text("2026-11-28 20:00:14 UTC")
    (place / "submission_secret.txt").write_text("abc")
    for name in ("._n.ipynb", "data.csv", "other.ipynb"):
        (place / name).write_bytes(b"\xff")
    seen = []

    def look(course, command, assignment, *options, seconds):
        if command == "autograde":
            seen.extend(sorted(path.name for path in (course / ".igteach/staged/ann/a").rglob("*")))
        return pupils.nbgrader(course, command, assignment, *options, seconds=seconds)

    monkeypatch.setattr(submission, "run_nbgrader_bound", look)
    assert pupils.grade()["ann"].total == 2
    assert seen == ["n.ipynb", "timestamp.txt"]
    assert (pupils.course / "autograded" / "ann" / "a" / "submission_secret.txt").read_text() == "abc"


# Nobody stops the others

FAULTY = {
    "bad json": b'{"cells": [',
    "no notebook": b"[]",
    "empty": b"",
    "a picture": b"\x89PNG",
    "deep": b"[" * 100_000,
    "a number": b"1" * 5000,
}


@pytest.mark.parametrize("data", FAULTY.values(), ids=FAULTY)
def test_a_file_that_is_no_notebook_is_refused_in_words_and_the_others_are_graded(pupils, data, capsys):
    for name in ("ann", "bob", "cem"):
        pupils.hand_in(name)
    (pupils.course / "submitted" / "bob" / "a" / "n.ipynb").write_bytes(data)
    marks = pupils.grade()
    assert [marks[name].total for name in ("ann", "bob", "cem")] == [2, 0, 2]
    assert "; ask for the notebook again" in marks["bob"].reason
    assert f"NOT GRADED: {marks['bob'].reason}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "folder", ["[ab]", "*", "a?b", "-v", "~", ".ann", "a\nb", "{0}", "é" * 127, os.fsdecode(b"m\xfcller"), "e\u0301"]
)
def test_a_folder_of_any_name_is_graded_and_written_down(pupils, folder):
    pupils.hand_in("ann", "wrong")
    pupils.hand_in(folder)
    marks = pupils.grade()
    del marks["ann"]
    (mark,) = marks.values()
    assert (mark.total, mark.reason) == (2, "")
    written = {row["student"].removeprefix("'"): row["points"] for row in rows_of(pupils.course / "marks.csv")}
    assert written == {"ann": "0", mark.student: "2"}
    assert sorted(pupils.grade()) == sorted(["ann", mark.student])
    assert pupils.runs == []


def test_names_that_are_alike_are_graded_apart(pupils):
    for name, code in (("ann", "right"), ("Ann", "wrong"), ("\u00e9", "right"), ("e\u0301", "wrong")):
        pupils.hand_in(name, code)
    assert [mark.total for mark in pupils.grade().values()] == [0, 2, 0, 2]  # Ann, ann, e + accent, é


def test_a_link_is_refused_and_nothing_of_it_kept(pupils):
    pupils.hand_in("ann")
    pupils.hand_in("bob")
    (pupils.course / "submitted" / "bob" / "a" / "seed").symlink_to(pupils.course / "gradebook.db")
    (pupils.course / "submitted" / "cem").symlink_to(pupils.course / "submitted" / "ann")
    marks = pupils.grade()
    assert pupils.runs == ["ann"]
    assert "symbolic link" in marks["bob"].reason
    assert "is a link" in marks["cem"].reason
    assert [path.name for path in (pupils.course / "attempts").glob("*")] == ["ann"]


def test_a_fault_of_the_grader_itself_stops_nobody(pupils, monkeypatch):
    pupils.hand_in("ann")
    pupils.hand_in("bob")
    whole = submission.clean_notebook
    faults = iter([RecursionError("too deep")])
    monkeypatch.setattr(submission, "clean_notebook", lambda *file: next(map(raise_, faults), None) or whole(*file))
    marks = pupils.grade()
    assert "igteach failed on it (RecursionError: too deep); please report this" in marks["ann"].reason
    assert marks["bob"].total == 2


def raise_(error):
    raise error


def test_a_mark_that_cannot_be_read_is_said(pupils):
    pupils.hand_in("ann")
    pupils.grade()
    (pupils.course / "autograded" / "ann" / "a" / "n.ipynb").write_text("{")
    assert "its mark cannot be read" in pupils.grade()["ann"].reason
    assert pupils.grade(force=True)["ann"].total == 2


def test_a_hand_in_without_the_exchanges_secret_gets_one_so_that_feedback_can_be_released(pupils):
    pupils.hand_in("ann")
    pupils.hand_in("bob")
    pupils.grade()
    found = {path.read_text() for path in (pupils.course / "autograded").rglob("submission_secret.txt")}
    assert len(found) == 2


def test_what_lies_in_no_folder_of_an_assignment_is_named(pupils, capsys):
    pupils.hand_in("ann")
    (pupils.course / "submitted" / "bob.ipynb").write_text("{}")
    pupils.grade()
    assert "submitted/bob.ipynb is not graded, because it is not in a folder" in capsys.readouterr().err


# What is stopped


@pytest.mark.parametrize("mishap", [STOPPED, LATE], ids=["inside", "outside"])
def test_what_was_stopped_is_tried_once_more_alone_and_never_again_unless_asked(pupils, mishap):
    for name in ("ann", "bob"):
        pupils.hand_in(name)
    pupils.fails = {"ann": [mishap] * 4}
    first = pupils.grade()["ann"]
    assert pupils.runs == ["ann", "bob", "ann"]
    second = pupils.grade()["ann"]
    assert pupils.runs == []
    assert (second.reason, second.flags, second.total) == (first.reason, first.flags, first.total)
    assert second.reason == "took more than 150 seconds" or second.flags == STOPPED
    pupils.grade(force=True, student="ann")
    assert pupils.runs == ["ann", "ann"]
    pupils.hand_in("ann", "right", "more")
    assert pupils.grade()["ann"].total == 2


def test_the_second_try_counts(pupils):
    pupils.hand_in("ann")
    pupils.fails = {"ann": [STOPPED]}
    assert pupils.grade()["ann"].flags == []
    assert record(pupils, "ann")["earlier"] == []


def test_a_failure_of_nbgrader_is_tried_again_in_this_run_and_the_next(pupils):
    pupils.hand_in("ann")
    pupils.fails = {"ann": ["OperationalError: database is locked"] * 2}
    assert pupils.grade()["ann"].reason == "OperationalError: database is locked"
    assert pupils.runs == ["ann", "ann"]
    assert not (pupils.course / "autograded").exists()
    assert pupils.grade()["ann"].total == 2


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


# Interruptions


@pytest.mark.parametrize("place", ["begin", "_ask_for_new_essay", "_stage", "_autograde", "_publish", "finish"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_interrupted_anywhere_the_next_run_gives_what_an_undisturbed_one_gives(pupils, monkeypatch, place, when):
    pupils.hand_in("ann", "wrong", "Because.")
    pupils.grade()
    pupils.give("ann", 3, "Well said.")
    pupils.hand_in("ann", "right", "Since.")
    owner = {"begin": submission.attempts, "finish": submission.Attempt}.get(place, submission.Submission)
    whole = getattr(owner, place)

    def breaks(*arguments):
        if when == "after":
            whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, place, breaks)
        with pytest.raises(KeyboardInterrupt):
            pupils.grade()
    mark = pupils.grade()["ann"]
    assert (mark.total, mark.by_hand, mark.attempt) == (2, True, 2)
    assert mark.flags == ["a new answer, to be marked again; the earlier points and comment are in attempts/ann/a/1"]
    old = record(pupils, "ann")
    assert old["cells"]["question-1"]["by_person"] == 3
    assert old["cells"]["question-1"]["comment"] == "Well said."
    assert not list((pupils.course / ".igteach" / "staged").rglob("*.ipynb"))


def test_a_copy_half_kept_is_kept_again_under_the_same_number(pupils):
    pupils.hand_in("ann")
    (pupils.course / "attempts" / "ann" / "a" / "1").mkdir(parents=True)
    (pupils.course / "attempts" / "ann" / "a" / "1" / "n.ipynb").write_text("half")
    assert pupils.grade()["ann"].attempt == 1
    kept = pupils.course / "attempts" / "ann" / "a" / "1" / "n.ipynb"
    assert kept.read_bytes() == (pupils.course / "submitted" / "ann" / "a" / "n.ipynb").read_bytes()


def test_marks_and_feedback_that_a_kill_left_out_are_written_by_the_next_run(pupils, monkeypatch):
    pupils.hand_in("ann")
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_marks", lambda *_: raise_(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            pupils.grade()
    pupils.grade()
    assert pupils.runs == []
    assert pupils.pages == ["ann"]
    assert [row["points"] for row in rows_of(pupils.course / "marks.csv")] == ["2"]


def test_ctrl_c_is_answered_in_words_and_ends_what_was_started(pupils, monkeypatch, capsys):
    pupils.hand_in("ann")
    ended = []
    monkeypatch.setattr(module, "end_all", lambda: ended.append(True))
    monkeypatch.setattr(submission.Submission, "grade", lambda *_: raise_(KeyboardInterrupt()))
    assert main(["grade", str(pupils.course)]) == 130
    assert "interrupted; what was graded is kept" in capsys.readouterr().err
    assert ended


def test_a_second_run_at_once_is_refused_in_words(pupils, monkeypatch, capsys):
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    (pupils.course / ".igteach").mkdir()
    with FileLock(pupils.course / ".igteach" / "lock"):
        assert main(["grade", str(pupils.course)]) == 1
    assert "another grade is running on" in capsys.readouterr().err
    assert main(["grade", str(pupils.course)]) == 0


def test_several_jobs_give_the_same_marks(pupils):
    for number in range(8):
        pupils.hand_in(f"student{number}", "right" if number % 2 else "wrong")
    together = threading.Barrier(2, timeout=20)
    waits = [True, True]
    whole = pupils.nbgrader

    def at_once(course, command, assignment, *options, seconds):
        if command == "autograde" and waits:
            waits.pop()
            together.wait()
        return whole(course, command, assignment, *options, seconds=seconds)

    pupils.nbgrader = at_once
    submission.run_nbgrader_bound = at_once  # put back by the fixture
    assert [mark.total for mark in pupils.grade(jobs=2).values()] == [0, 2] * 4


# A person's marks


def test_other_code_under_the_same_essay_keeps_a_persons_points_and_comment(pupils):
    pupils.hand_in("ann", "wrong", "Because.")
    pupils.grade()
    pupils.give("ann", 3, "Well said.")
    pupils.hand_in("ann", "right", "Because. ")
    mark = pupils.grade()["ann"]
    assert (mark.total, mark.by_hand, mark.flags, mark.attempt) == (5, False, [], 2)
    assert record(pupils, "ann", 2)["cells"]["question-1"]["comment"] == "Well said."


def test_a_new_essay_asks_to_be_marked_again_and_the_old_points_and_comment_are_history(pupils):
    pupils.hand_in("ann", "right", "Because.")
    pupils.grade()
    pupils.give("ann", 3, "Well said.")
    pupils.hand_in("ann", "right", "Since.")
    mark = pupils.grade()["ann"]
    assert (mark.total, mark.by_hand) == (2, True)
    assert mark.flags == ["a new answer, to be marked again; the earlier points and comment are in attempts/ann/a/1"]
    with Gradebook(f"sqlite:///{pupils.course}/gradebook.db") as gradebook:
        assert gradebook.find_comment("question-1", "n", "a", "ann").comment is None
    pupils.give("ann", 1)
    mark = pupils.grade()["ann"]
    assert (mark.total, mark.by_hand, mark.flags) == (3, False, [])
    cells = [record(pupils, "ann", number)["cells"]["question-1"] for number in (1, 2)]
    assert [(cell["by_person"], cell["comment"]) for cell in cells] == [(3, "Well said."), (1, "")]


def test_each_attempt_is_kept_with_what_was_handed_in(pupils):
    for number, code in enumerate(("wrong", "right", "wrong"), start=1):
        pupils.hand_in("ann", code)
        handed_in = (pupils.course / "submitted" / "ann" / "a" / "n.ipynb").read_bytes()
        assert pupils.grade()["ann"].attempt == number
        assert (pupils.course / "attempts" / "ann" / "a" / str(number) / "n.ipynb").read_bytes() == handed_in
    assert [record(pupils, "ann", n)["cells"]["check-1"]["by_grader"] for n in (1, 2, 3)] == [0, 2, 0]


def test_a_second_hand_in_that_cannot_be_read_keeps_the_mark_of_the_first(pupils):
    pupils.hand_in("ann")
    pupils.grade()
    (pupils.course / "submitted" / "ann" / "a" / "n.ipynb").write_text("{")
    for _ in range(2):
        mark = pupils.grade()["ann"]
        assert mark.total == 2
        assert mark.reason.endswith("as JupyterLab saves it; the points are those of attempt 1")


def test_what_nbgrader_graded_by_itself_and_a_person_marked_is_kept(pupils):
    pupils.hand_in("ann", "right", "Because.")
    pupils.grade()
    pupils.give("ann", 3)
    for folder in ("attempts", ".igteach"):
        (pupils.course / folder).rename(pupils.course.parent / folder)
    mark = pupils.grade()["ann"]
    assert (mark.total, mark.by_hand) == (5, False)
    (pupils.course / "attempts").rename(pupils.course.parent / "again")
    pupils.hand_in("ann", "right", "Since.")
    mark = pupils.grade()["ann"]
    assert (mark.total, mark.by_hand) == (2, True)
    assert record(pupils, "ann")["cells"]["question-1"]["by_person"] == 3


# Grading again


def test_a_regrade_says_and_writes_who_changed_and_keeps_the_old_marks_and_a_persons_points(pupils, capsys):
    for name, code in (("ann", "right"), ("bob", "wrong")):
        pupils.hand_in(name, code, "Because.")
    pupils.grade()
    pupils.give("ann", 3)
    pupils.grade()
    assert rows_of(pupils.course / "changes.csv") == []
    pupils.points = 1.5  # the mended checker
    capsys.readouterr()
    marks = pupils.grade(force=True)
    assert (marks["ann"].total, marks["ann"].by_hand, marks["ann"].attempt) == (4.5, False, 1)
    assert [line for line in capsys.readouterr().out.splitlines() if "CHANGED" in line] == [
        "CHANGED: ann a: check-1 2 -> 1.5"
    ]
    (row,) = rows_of(pupils.course / "changes.csv")
    assert list(row.values())[:7] == ["ann", "a", "check-1", "2", "1.5", "graded again", "1"]
    (earlier,) = record(pupils, "ann")["earlier"]
    assert earlier["cells"]["check-1"]["by_grader"] == 2
    assert record(pupils, "bob")["earlier"] == []


def test_a_second_attempt_is_a_change_too(pupils, capsys):
    pupils.hand_in("ann", "wrong")
    pupils.grade()
    pupils.hand_in("ann", "right")
    pupils.grade()
    assert "CHANGED: ann a: check-1 0 -> 2" in capsys.readouterr().out
    (row,) = rows_of(pupils.course / "changes.csv")
    assert row["why"] == "handed in again"


# Feedback


def test_feedback_is_written_where_something_is_new(pupils):
    for name in ("ann", "bob", "Müller, Cem"):
        pupils.hand_in(name)
    pupils.grade()
    assert sorted(pupils.pages) == ["Müller, Cem", "ann", "bob"]
    pupils.grade()
    assert pupils.pages == []
    pupils.give("bob", 2, "Good.")
    pupils.grade()
    assert set(pupils.pages) == {"bob", "Müller, Cem"}  # a comma parts nbgrader's list of those to leave out


def test_feedback_that_fails_stops_nobody(pupils, monkeypatch, capsys):
    pupils.hand_in("ann")
    failed = subprocess.CompletedProcess([], 1, "", "[Feedback | ERROR] broken")
    monkeypatch.setattr(module, "run_nbgrader_bound", lambda *_, **__: failed)
    assert pupils.grade()["ann"].total == 2
    assert "not all feedback of a could be written: broken" in capsys.readouterr().err


# The command


def test_the_command_passes_its_options_on_and_sums_up(pupils, monkeypatch, capsys):
    asked = []
    whole = grade
    monkeypatch.setattr(module, "grade", lambda course, request: asked.append(request) or whole(course, request))
    pupils.hand_in("ann")
    pupils.hand_in("bob")
    (pupils.course / "submitted" / "bob" / "a" / "n.ipynb").write_text("{")
    options = ["--student", "ann", "--assignment", "a", "--force", "--jobs", "3"]
    assert main(["grade", str(pupils.course), *options]) == 0
    assert main(["grade", str(pupils.course)]) == 0
    assert asked == [Request("ann", "a", True, 3), Request()]
    last = capsys.readouterr().out.splitlines()[-1]
    assert "grade: 2 submissions, 1 could not be graded, 0 to look at, 1 to mark by hand; see " in last


def test_a_folder_that_is_no_course_is_named(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 1
    assert "has no gradebook.db; make a course with" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["grade", "report", "similar", "assign"])
def test_a_course_folder_must_be_named(command, capsys):
    with pytest.raises(SystemExit) as leaving:
        main([command])
    assert leaving.value.code == 2
    assert "COURSE" in capsys.readouterr().err


def test_a_configuration_that_does_not_load_stops_everything(pupils, capsys):
    pupils.hand_in("ann")
    (pupils.course / "nbgrader_config.py").write_text("import no_such_module")
    assert main(["grade", str(pupils.course)]) == 1
    assert "does not load (ModuleNotFoundError: No module named 'no_such_module')" in capsys.readouterr().err
    Path(pupils.course / "nbgrader_config.py").unlink()
    assert main(["grade", str(pupils.course)]) == 1
    assert "has no nbgrader_config.py, without which nbgrader uses no sandbox" in capsys.readouterr().err
    assert pupils.runs == []
