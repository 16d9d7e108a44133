"""How long a submission may take: nbgrader_config.py or the lesson says how long at least, a slow machine gets more."""

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

import nbformat
from traitlets.config import Config

from igteach.course.children import run_nbgrader_bound
from igteach.course.course_folder import SETTINGS, Misconfigured, load_settings
from igteach.course.gradebook import FILE
from igteach.course.stated_limits import DEFAULT, stated_for

TIMES_THE_SOLUTION = 5  # how much longer than the solution a submission may take
MARGIN = 40  # seconds that nbgrader may need besides
LONGEST_SOLUTION = 600.0  # seconds


@dataclass(frozen=True)
class TimeLimits:
    """How long things may take, in seconds.

    Attributes:
        cell: A cell.
        submission: A submission in all.
    """

    cell: float
    submission: float

    @property
    def process(self) -> float:
        """How long nbgrader's process may take: long enough for SandboxedExecute to stop the submission before."""
        return 2 * self.submission + MARGIN

    @property
    def options(self) -> list[str]:
        """The options of nbgrader's autograde that set the limits."""
        return [
            f"--SandboxedExecute.timeout={round(self.cell)}",
            f"--SandboxedExecute.seconds={round(self.submission)}",
        ]


class Limits:
    """The time limits of a run of `grade`.

    Args:
        course: The course folder.
        say: What prints a line.

    Raises:
        FileNotFoundError: The course has no nbgrader_config.py, so nbgrader would run submissions without the sandbox.
        Misconfigured: The file does not load, or sets a limit that is not a number.
    """

    def __init__(self, course: Path, say: Callable[[str], None]) -> None:
        self._course, self._say = course, say
        self._configured = configured(course)
        self._measured: dict[str, TimeLimits] = {}
        self._measuring = Lock()

    def of(self, assignment: str) -> TimeLimits:
        """The time limits of an assignment, measured when first asked for.

        Args:
            assignment: The name of the assignment.

        Returns:
            The limits; the least ones if the solution does not run, which is then said.

        Raises:
            ValueError: What the lesson states in its head cannot be read.
        """
        with self._measuring:
            if assignment not in self._measured:
                self._measured[assignment] = self._measure(assignment)
            return self._measured[assignment]

    def _measure(self, assignment: str) -> TimeLimits:
        stated = stated_for(self._course, assignment)
        both = stated.unless_set(cell=self._configured.cell, submission=self._configured.submission)
        least = TimeLimits(both.cell, both.submission)
        try:
            return measured(self._course, assignment, least)
        except Misconfigured:
            raise
        except (RuntimeError, OSError) as error:
            reason = f"the limits are those of {SETTINGS} or of its head: {error}"
            self._say(f"igteach: the solution of {assignment} could not be timed, so {reason}")
            return least


def configured(course: Path) -> TimeLimits:
    """Read the limits of a course.

    Args:
        course: The course folder.

    Returns:
        The limits that nbgrader_config.py sets.

    Raises:
        FileNotFoundError: There is no such file, so nbgrader would run submissions without the sandbox.
        Misconfigured: The file does not load, or sets a limit that is not a number.
    """
    if not (course / SETTINGS).is_file():
        raise FileNotFoundError(
            f"{course} has no {SETTINGS}, without which nbgrader uses no sandbox; assign a lesson again to have it"
        )
    section = load_settings(course).get("SandboxedExecute", Config())
    cell, submission = section.get("timeout", DEFAULT.cell), section.get("seconds", DEFAULT.submission)
    try:
        return TimeLimits(float(cell), float(submission))
    except (TypeError, ValueError):
        raise Misconfigured(
            f"{SETTINGS} sets SandboxedExecute.timeout to {cell!r} and SandboxedExecute.seconds to {submission!r}; "
            "both must be numbers of seconds"
        ) from None


def measured(course: Path, assignment: str, least: TimeLimits) -> TimeLimits:
    """Run the solution of an assignment as submissions are run, and allow them a multiple of its time.

    Args:
        course: The course folder.
        assignment: The name of the assignment.
        least: The limits that nbgrader_config.py sets, or the lesson states.

    Returns:
        The limits for this machine as it is now, never below `least`.

    Raises:
        RuntimeError: The solution does not run; the message has the end of nbgrader's log.
    """
    place = course / ".igteach" / "solution"
    shutil.rmtree(place, ignore_errors=True)
    handed_in = place / "submitted" / "solution" / assignment
    handed_in.mkdir(parents=True)
    for notebook in (course / "source" / assignment).glob("*.ipynb"):
        shutil.copyfile(notebook, handed_in / notebook.name)
    _copy_gradebook(course / FILE, place / FILE)
    seconds = _run(course, assignment, place)
    slowest = max(map(_slowest_cell, (place / "autograded").rglob("*.ipynb")), default=0.0)
    shutil.rmtree(place)
    return TimeLimits(
        max(least.cell, TIMES_THE_SOLUTION * slowest), max(least.submission, TIMES_THE_SOLUTION * seconds)
    )


def _run(course: Path, assignment: str, place: Path) -> float:
    """Autograde the solution, in a gradebook of its own; how long it took."""
    generous = TimeLimits(LONGEST_SOLUTION, LONGEST_SOLUTION)
    folder = place.relative_to(course)
    options = [
        f"--CourseDirectory.db_url=sqlite:///{(place / FILE).resolve()}",
        f"--CourseDirectory.submitted_directory={folder / 'submitted'}",
        f"--CourseDirectory.autograded_directory={folder / 'autograded'}",
        *generous.options,
    ]
    start = time.monotonic()
    try:
        finished = run_nbgrader_bound(
            course, "autograde", assignment, "--student=solution", *options, seconds=generous.process
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it took more than {generous.process:.0f} seconds") from None
    if finished.returncode != 0:
        raise RuntimeError(" / ".join(finished.stderr.strip().splitlines()[-3:]))
    return time.monotonic() - start


def _copy_gradebook(source: Path, copy: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)


def _slowest_cell(notebook: Path) -> float:
    """How long the slowest cell of an autograded notebook took, in seconds, by the times that nbclient noted."""
    seconds = [0.0]
    for cell in nbformat.read(notebook, as_version=4).cells:
        times = cell.metadata.get("execution", {})
        if "iopub.execute_input" in times and "shell.execute_reply" in times:
            start, end = (datetime.fromisoformat(times[key]) for key in ("iopub.execute_input", "shell.execute_reply"))
            seconds.append((end - start).total_seconds())
    return max(seconds)
