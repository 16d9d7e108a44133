"""Grading that is killed at random moments, by several signals, and run again: the marks of an undisturbed run."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from igteach.course.grade import grade
from igteach.course.gradebook import opened

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("box")]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
KILLS = 10
LONGEST = 900  # seconds, on a machine that does other things


@pytest.fixture(scope="module")
def handed_in(papers_of, tmp_path_factory) -> Path:
    """A course where ann, whom a person had marked, has a new answer, bob has new code, and cem and dan are new."""
    papers = papers_of(tmp_path_factory.mktemp("handed-in") / "course")
    papers.hand_in("ann", papers.filled(1, essay="A dimmer."))
    papers.hand_in("bob", papers.filled(essay="A bath."))
    grade(papers.course)
    with opened(papers.course) as gradebook:
        for student in ("ann", "bob"):
            point = gradebook.find_grade(f"question-{papers.number}", Path(papers.file).stem, papers.name, student)
            point.manual_score, point.needs_manual_grade = 2, False
        gradebook.db.commit()
    papers.hand_in("ann", papers.filled(1, 2, essay="A dimmer that is turned up."))
    papers.hand_in("bob", papers.filled(1, 2, 3, essay="A bath."))
    papers.hand_in("cem", papers.filled(3))
    papers.hand_in("dan", b'{"cells": [')
    return papers.course


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory) -> tuple[str, float]:
    """The marks of a run that nobody disturbs, and how long it took."""
    course = shutil.copytree(handed_in, tmp_path_factory.mktemp("undisturbed") / "course")
    start = time.monotonic()
    started(course).wait(LONGEST)
    marks = (course / "marks.csv").read_text(encoding="utf-8")
    assert [row.split(",")[2] for row in marks.splitlines()[1:]] == ["5", "10", "3", "0"]
    return marks, time.monotonic() - start


def started(course: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    # A signal that nohup has us ignore would be ignored by what we start, too.
    run = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); from igteach.course.commands import main; main()"
    )
    command = [sys.executable, "-c", run, "grade", str(course)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_run_run_again_gives_the_marks_of_an_undisturbed_one(handed_in, undisturbed, tmp_path, kill):
    marks, seconds = undisturbed
    draw = random.Random(kill)
    course = shutil.copytree(handed_in, tmp_path / "course")
    run = started(course)
    time.sleep(seconds * (kill + draw.random()) / KILLS)  # each in its own tenth of the run
    family = [psutil.Process(run.pid)] if run.poll() is None else []
    descendants = [child for process in family for child in process.children(recursive=True)]
    number = draw.choice(SIGNALS)
    for process in [*family, *(descendants if draw.random() < 0.5 else [])]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    run.wait(60)
    _, alive = psutil.wait_procs(descendants, timeout=20)
    assert alive == []
    assert started(course).wait(LONGEST) == 0
    assert (course / "marks.csv").read_text(encoding="utf-8") == marks
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        assert gradebook.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    pages = {page.parts[-3] for page in (course / "feedback").rglob("*.html")}
    assert pages == {"ann", "bob", "cem"}
    assert list((course / ".igteach").rglob("*.ipynb")) == []
