"""Due dates, extensions and what lateness costs, in nbgrader's own gradebook."""

import csv
import shutil
import time
from datetime import UTC, datetime, timedelta

import nbformat
import pytest
from nbgrader.api import Gradebook

from igteach.course.assign import add_scripts_to_path
from igteach.course.commands import main
from igteach.course.course_folder import CONFIG
from igteach.course.lateness import (
    LatePolicy,
    NoteLateness,
    due_dates,
    in_words,
    local_time,
    parse_date,
    set_hand_in_times,
    settle_late_penalty,
)
from igteach.course.marks import mark_of, summary_line, write_marks

DUE = datetime(2027, 1, 31, 22, 59)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A gradebook with an assignment of 10 points, of which ann and bob have 8; ann is a day and an hour late."""
    add_scripts_to_path()
    file = tmp_path_factory.mktemp("made") / "gradebook.db"
    with Gradebook(f"sqlite:///{file}") as gradebook:
        gradebook.add_assignment("a")
        gradebook.add_notebook("n", "a")
        gradebook.add_grade_cell("check-1", "n", "a", max_score=10, cell_type="code")
        for student, hours in (("ann", 25), ("bob", 0)):
            gradebook.add_student(student)
            gradebook.add_submission("a", student, timestamp=DUE + timedelta(hours=hours))
            grade = gradebook.find_grade("check-1", "n", "a", student)
            grade.auto_score, grade.needs_manual_grade = 8, False
        gradebook.db.commit()
    return file


@pytest.fixture
def course(made, tmp_path):
    """A folder with a copy of that gradebook."""
    shutil.copy(made, tmp_path)
    return tmp_path


@pytest.fixture
def berlin(monkeypatch):
    """A computer in Berlin."""
    with monkeypatch.context() as context:
        context.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def due(course, *words):
    return main(["due", str(course), *words])


def policy(course, percent):
    text = CONFIG.format(name="course", seed_file="seed").replace("percent_a_day = 0", f"percent_a_day = {percent}")
    assert f"percent_a_day = {percent}" in text
    (course / "nbgrader_config.py").write_text(text)


def marks(course):
    for student in ("ann", "bob"):
        settle_late_penalty(course, student, "a")
    return {student: mark_of(course, student, "a", "") for student in ("ann", "bob")}


def test_a_date_without_a_zone_is_of_this_computer_and_is_shown_with_it(course, berlin, capsys):
    assert due(course, "a", "2027-01-31T23:59") == 0
    assert capsys.readouterr().out == "a: due 2027-01-31 23:59 CET (UTC+01:00)\n"
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_assignment("a").duedate == DUE
    assert due(course, "a", "2027-07-31T23:59-07:00") == 0
    assert capsys.readouterr().out == "a: due 2027-08-01 08:59 CEST (UTC+02:00)\n"


def test_an_extension_is_one_students_and_is_listed(course, berlin, capsys):
    due(course, "a", "2027-01-31T23:59")
    assert due(course, "a", "2027-02-02T12:00", "--student", "ann") == 0
    listed = ["a: due 2027-01-31 23:59 CET (UTC+01:00)", "  ann: until 2027-02-02 12:00 CET (UTC+01:00)"]
    assert due_dates(course) == listed
    assert [mark.seconds_late for mark in marks(course).values()] == [0, 0]
    assert due(course, "a", "none", "--student", "ann") == 0
    assert due_dates(course, "a") == listed[:1]
    assert [mark.seconds_late for mark in marks(course).values()] == [25 * 3600, 0]
    due(course, "a", "2027-02-02T12:00", "--student", "ann")
    assert due(course, "a", "none") == 0
    assert due_dates(course) == ["a: no due date"]
    assert marks(course)["ann"].seconds_late == 0


def test_an_extension_can_be_given_before_anything_is_handed_in(course, capsys):
    due(course, "a", "2027-01-31T23:59+01:00")
    assert due(course, "a", "2027-02-02T12:00+01:00", "--student", "new") == 0
    assert "  new: until " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["b", "2027-01-31T23:59"], "there is no assignment b; there are: a"),
        (["b"], "there is no assignment b; there are: a"),
        (["a", "31.1.2027"], "'31.1.2027' is not a date with a time; write 2027-01-31T23:59"),
        (["a", "2027-01-31"], "'2027-01-31' is not a date with a time"),
        (["a", "2027-01-31T23:59", "--student", "ann"], "a has no due date that ann could get an extension of"),
        (["a", "--student", "ann"], "until when has ann time?"),
    ],
)
def test_what_is_no_date_is_said(course, capsys, words, said):
    assert due(course, *words) == 1
    assert said in capsys.readouterr().err


def test_an_extension_that_ends_before_the_due_date_is_refused(course, capsys):
    due(course, "a", "2027-01-31T23:59Z")
    assert due(course, "a", "2027-01-30T23:59Z", "--student", "ann") == 1
    assert "would end before the due date" in capsys.readouterr().err


def test_lateness_is_noted_and_costs_nothing_unless_the_course_says_so(course, tmp_path, caplog):
    due(course, "a", "2027-01-31T22:59Z")
    policy(course, 0)
    ann, bob = marks(course).values()
    assert (ann.late, ann.total, ann.late_penalty) == ("1 day 1 h late", 8, 0)
    assert (bob.late, bob.total) == ("", 8)
    assert "8 of 10; 0 s; 1 day 1 h late" in summary_line(ann)
    policy(course, 10)
    ann, bob = marks(course).values()
    assert caplog.messages == []
    assert (ann.late, ann.total, ann.late_penalty) == ("1 day 1 h late, -1.6 points", 6.4, 1.6)  # two days begun
    assert (bob.late, bob.total) == ("", 8)
    assert "6.4 of 10; 0 s; 1 day 1 h late, -1.6 points" in summary_line(ann)
    write_marks(tmp_path / "marks.csv", [ann, bob])
    with (tmp_path / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = [[row["points"], row["late"], row["late penalty"]] for row in csv.DictReader(file)]
    assert rows == [["6.4", "1 day 1 h late", "1.6"], ["8", "", "0"]]


def test_a_penalty_follows_the_points_that_a_person_gives_and_the_dates(course):
    due(course, "a", "2027-01-31T22:59Z")
    policy(course, 10)
    assert marks(course)["ann"].late_penalty == 1.6
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        gradebook.find_grade("check-1", "n", "a", "ann").manual_score = 5
        gradebook.db.commit()
    assert marks(course)["ann"].total == 4
    due(course, "a", "2027-03-01T22:59Z")
    assert marks(course)["ann"].total == 5


def test_a_course_made_before_there_was_a_policy_takes_nothing_off(course):
    due(course, "a", "2027-01-31T22:59Z")
    ann = marks(course)["ann"]
    assert (ann.late, ann.total) == ("1 day 1 h late", 8)


def test_nbgraders_own_policy_of_a_course_stays(course):
    due(course, "a", "2027-01-31T22:59Z")
    (course / "nbgrader_config.py").write_text('c = get_config()\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    assert marks(course)["ann"].total == 0


def test_a_configuration_that_does_not_load_is_said(course):
    due(course, "a", "2027-01-31T22:59Z")
    (course / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(RuntimeError, match=r"nbgrader_config.py of the course does not load \("):
        marks(course)


@pytest.mark.parametrize(
    ("percent", "seconds", "penalty"),
    [(0, 99_999, None), (10, 1, 1), (10, 86_400, 1), (10, 86_401, 2), (10, 86_400 * 30, 10), (100, 60, 10)],
)
def test_each_day_begun_costs_and_no_more_than_all(percent, seconds, penalty):
    assert LatePolicy(percent_a_day=percent).late_submission_penalty("ann", 10, seconds) == penalty


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, ""),
        (1, "1 min late"),
        (3_600, "1 h 0 min late"),
        (86_399, "1 day 0 h late"),
        (200_000, "2 days 8 h late"),
        (86_401, "1 day 1 h late"),
    ],
)
def test_how_late_is_said_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_feedback_page_can_show_how_late_it_was(course):
    due(course, "a", "2027-01-31T22:59Z")
    names = {"assignment": "a", "student": "ann", "db_url": f"sqlite:///{course}/gradebook.db"}
    notebook, resources = NoteLateness().preprocess(nbformat.v4.new_notebook(), {"nbgrader": names})
    assert resources["nbgrader"]["late"] == notebook.metadata.igteach["late"] == "1 day 1 h late"


def test_a_second_hand_in_without_a_time_does_not_keep_the_time_of_the_first(course):
    due(course, "a", "2027-01-31T22:59Z")
    set_hand_in_times(course, {("ann", "a"): None, ("new", "a"): DUE})
    assert marks(course)["ann"].late == ""


def test_a_moment_is_read_and_shown_alike(berlin):
    moment = parse_date("2027-07-31T23:59")
    assert moment.astimezone(UTC) == datetime(2027, 7, 31, 21, 59, tzinfo=UTC)
    assert local_time(datetime(2027, 7, 31, 21, 59)) == "2027-07-31 23:59 CEST (UTC+02:00)"
