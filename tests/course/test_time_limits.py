"""Time limits grow with the machine's slowness, and are set in one place."""

import shutil
from datetime import UTC, datetime, timedelta

import nbformat
import pytest

from igteach.course import time_limits
from igteach.course.course_folder import Misconfigured
from igteach.course.time_limits import TIMES_THE_SOLUTION, Limits, TimeLimits, configured, measured

LEAST = TimeLimits(20, 55)


@pytest.fixture
def course(empty_course, tmp_path):
    shutil.copytree(empty_course, tmp_path / "course")
    return tmp_path / "course"


def solution_that_takes(seconds, course):
    """A stand-in for nbgrader, which writes an autograded solution whose one cell took so long."""
    seen = []

    def run(folder, command, assignment, *options, seconds):
        given = dict(option.removeprefix("--").split("=", 1) for option in options if "=" in option)
        seen.append(given)
        assert (course / given["CourseDirectory.submitted_directory"] / "solution" / assignment / "n.ipynb").is_file()
        place = course / given["CourseDirectory.autograded_directory"] / "solution" / assignment
        place.mkdir(parents=True)
        start = datetime(2026, 11, 28, tzinfo=UTC)
        times = {"iopub.execute_input": start, "shell.execute_reply": start + timedelta(seconds=took)}
        cell = nbformat.v4.new_code_cell("f()")
        cell.metadata["execution"] = {name: time.isoformat().replace("+00:00", "Z") for name, time in times.items()}
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), place / "n.ipynb")
        clock[0] += 2 * took
        return type("Done", (), {"returncode": 0})

    took, clock = seconds, [0.0]
    return run, (lambda: clock[0]), seen


@pytest.mark.parametrize(("seconds", "cell", "whole"), [(1, 20, 55), (10, 50, 100), (60, 300, 600)])
def test_a_submission_may_take_a_multiple_of_the_solution_and_never_less_than_is_set(
    course, monkeypatch, seconds, cell, whole
):
    run, clock, seen = solution_that_takes(seconds, course)
    monkeypatch.setattr(time_limits, "run_nbgrader_bound", run)
    monkeypatch.setattr(time_limits.time, "monotonic", clock)
    gradebook = (course / "gradebook.db").read_bytes()
    limits = measured(course, "a", LEAST)
    assert (limits.cell, limits.submission) == (cell, whole)
    assert TIMES_THE_SOLUTION == 5
    assert limits.process > limits.submission + limits.cell
    assert seen[0]["CourseDirectory.db_url"].endswith("/.igteach/solution/gradebook.db")
    assert (course / "gradebook.db").read_bytes() == gradebook
    assert not (course / ".igteach" / "solution").exists()


def test_the_limits_are_options_of_nbgrader():
    assert TimeLimits(20.4, 300).options == ["--SandboxedExecute.timeout=20", "--SandboxedExecute.seconds=300"]


def test_they_are_set_in_the_courses_configuration(course):
    assert configured(course) == LEAST
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.SandboxedExecute.seconds = 300\nc.SandboxedExecute.timeout = 90\n"
    )
    assert configured(course) == TimeLimits(90, 300)
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.SandboxedExecute.seconds = 'long'\n")
    with pytest.raises(Misconfigured, match=r"SandboxedExecute\.seconds to 'long'; both must be numbers of seconds"):
        configured(course)
    (course / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(Misconfigured, match="does not load"):
        configured(course)


def test_each_assignment_is_measured_once_a_run_and_none_that_is_not_asked_for(course, monkeypatch):
    seen = []
    monkeypatch.setattr(time_limits, "measured", lambda course, name, least: seen.append(name) or TimeLimits(30, 99))
    limits = Limits(course, print)
    assert seen == []
    assert [limits.of(name).submission for name in ("a", "b", "a")] == [99] * 3
    assert seen == ["a", "b"]


@pytest.mark.parametrize("code", ["fails", "late"])
def test_a_solution_that_does_not_run_leaves_what_is_set_and_is_named(course, monkeypatch, code):
    def run(*_, seconds, **__):
        if code == "late":
            raise time_limits.subprocess.TimeoutExpired("nbgrader", seconds)
        return type("Done", (), {"returncode": 1, "stderr": "one\ntwo\nbroken"})

    monkeypatch.setattr(time_limits, "run_nbgrader_bound", run)
    said = []
    assert Limits(course, said.append).of("a") == LEAST
    assert (
        "the solution of a could not be timed, so the limits are those of nbgrader_config.py or of its head: "
        in said[0]
    )
    assert said[0].endswith("broken" if code == "fails" else "it took more than 1240 seconds")


def test_a_lesson_that_states_limits_has_those_at_least_unless_others_are_set(course, monkeypatch):
    source = nbformat.read(course / "source" / "a" / "n.ipynb", as_version=4)
    head = nbformat.v4.new_markdown_cell("**Graded.** 60 seconds a cell, 150 seconds in all, 5 GB of memory.")
    source.cells.insert(0, head)
    nbformat.write(source, course / "source" / "a" / "n.ipynb")
    monkeypatch.setattr(time_limits, "measured", lambda course, name, least: least)
    assert Limits(course, print).of("a") == TimeLimits(60, 150)
    assert Limits(course, print).of("b") == LEAST
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.SandboxedExecute.seconds = 30\n")
    assert Limits(course, print).of("a") == TimeLimits(60, 30)
    head.source = "**Graded.** Quickly."
    nbformat.write(source, course / "source" / "a" / "n.ipynb")
    with pytest.raises(ValueError, match="gives no limits"):
        Limits(course, print).of("a")


def test_a_configuration_that_breaks_on_the_way_is_no_reason_to_go_on(course, monkeypatch):
    def breaks(*_, **__):
        raise Misconfigured("nbgrader_config.py of the course does not load")

    monkeypatch.setattr(time_limits, "run_nbgrader_bound", breaks)
    with pytest.raises(Misconfigured):
        Limits(course, print).of("a")
