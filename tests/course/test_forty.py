"""Forty students of lesson 02, honest, clumsy and hostile, graded at once: each gets the points that are deserved.

A third of them, the strangers, were written without a look at these tests.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from course.strangers import STRANGERS, Stranger, apply
from course.students import FORTY, Paper, Student

from igteach.course.assign import assign, assignment_name
from igteach.course.grade import grade
from igteach.course.marks import Mark
from igteach.lessons.lesson import all_lessons

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("box")]
NUMBER = "02"
KILLS = 10
LONGEST = 3600  # seconds


def of_a_stranger(stranger: Stranger) -> Student:
    """A stranger, as a student of these tests."""

    def hand_in(paper: Paper) -> None:
        paper.raw = apply(stranger, paper.notebook)

    return Student(stranger.name, hand_in, stranger.deserves)


CLASS = [*FORTY, *map(of_a_stranger, STRANGERS)]


@pytest.fixture(scope="module")
def chosen(request) -> list[Student]:
    """The students whose tests run: all forty, or the week's sample."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    students = [params["student"] for params in cases if "student" in params]
    return [student for student in students if student in CLASS]


@pytest.fixture(scope="module")
def course(chosen, tmp_path_factory) -> Path:
    """A course to which they have handed in."""
    folder = tmp_path_factory.mktemp("forty") / "course"
    assign([NUMBER], folder, None)
    lesson = all_lessons([NUMBER])[0]
    name, file = assignment_name(lesson), f"{lesson.name}.ipynb"
    for student in chosen:
        paper = Paper(NUMBER, folder / "release" / name / file)
        student.hand_in(paper)
        place = folder / "submitted" / student.name / name
        place.mkdir(parents=True)
        (place / file).write_bytes(paper.file)
    return folder


@pytest.fixture(scope="module")
def undisturbed(course, tmp_path_factory) -> tuple[dict[str, Mark], float]:
    """The marks of a run that nobody disturbs, by student, and how long it took."""
    copied = shutil.copytree(course, tmp_path_factory.mktemp("undisturbed") / "course")
    start = time.monotonic()
    marks = grade(copied)
    return {mark.student: mark for mark in marks}, time.monotonic() - start


UNDESERVED = {
    "worker": "before Python 3.12 the lock does not watch a thread that was there before; its student is flagged",
}


def wrong_points(student: Student, mark: Mark) -> str:
    """What is wrong with a student's mark; empty if nothing is."""
    right = {f"check-{NUMBER}-{n}" for n in student.solved}
    got = {cell for cell, points in mark.points.items() if cell.startswith("check") and points > 0}
    if got == right and student.reason in mark.reason:
        return ""
    return f"points for {sorted(got)}, deserved {sorted(right)}; {mark.reason}; {mark.flags}; {mark.messages}"


def test_the_class_is_forty():
    assert len({student.name for student in CLASS}) == 40


@pytest.mark.sampled(8)
@pytest.mark.parametrize("student", CLASS, ids=lambda student: student.name)
def test_a_student_gets_the_points_that_are_deserved(student, undisturbed):
    marks, _ = undisturbed
    mark = marks[student.name]
    if student.name in UNDESERVED and sys.version_info < (3, 12) and mark.flags:
        pytest.xfail(UNDESERVED[student.name])
    assert wrong_points(student, mark) == ""


@pytest.mark.sampled(0)  # every week a run of a smaller class is killed, in test_interrupted.py
def test_after_kills_the_marks_are_the_same(course, undisturbed, tmp_path):
    marks, seconds = undisturbed
    copied = shutil.copytree(course, tmp_path / "course")
    draw = random.Random(seconds)
    for _ in range(KILLS):
        run = started(copied)
        time.sleep(draw.uniform(0, 2 * seconds / KILLS))
        kill_with_children(run, draw)
    assert started(copied).wait(LONGEST) == 0
    after = {mark.student: mark for mark in grade(copied)}
    assert {name: mark.points for name, mark in after.items()} == {name: mark.points for name, mark in marks.items()}


def started(course: Path) -> "subprocess.Popen[bytes]":
    """A run of `igteach grade`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    # A signal that nohup has us ignore would be ignored by what we start, too.
    run = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); from igteach.course.commands import main; main()"
    )
    command = [sys.executable, "-c", run, "grade", str(course)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_with_children(run: "subprocess.Popen[bytes]", draw: random.Random) -> None:
    """Kill a run, or a run and all that it started, by one of three signals."""
    processes = [psutil.Process(run.pid)] if run.poll() is None else []
    if draw.random() < 0.5:
        processes += [child for process in processes for child in process.children(recursive=True)]
    number = draw.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGHUP))
    for process in processes:
        if process.is_running():
            process.send_signal(number)
    run.wait(LONGEST)
