"""Grading a course: each submission in a process of its own, then feedback and a table of marks."""

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from igteach.course import sandbox
from igteach.course.assign import nbgrader, run_nbgrader
from igteach.course.class_list import with_roster
from igteach.course.lateness import settle_late_penalty
from igteach.course.marks import Mark, mark_of, submissions, summary_line, write_marks

MAX_PARALLEL = 2  # submissions at a time; nbgrader's gradebook could take more, but small machines could not
GRADEBOOK_LOCK = Lock()  # opening a gradebook may create its tables, which two threads must not do at once
TIMEOUT = 150  # seconds until a submission's process is ended; SandboxedExecute stops its kernel long before
LONGEST_REASON = 300  # characters


def grade(course: Path) -> list[Mark]:
    """Grade what is new in submitted/, and write feedback/ and marks.csv.

    Args:
        course: The course folder.

    Returns:
        A mark for each submission, also for those that were graded before.

    Raises:
        FileNotFoundError: The folder has no gradebook.
    """
    if not (course / "gradebook.db").exists():
        raise FileNotFoundError(
            f"{course} has no gradebook.db; make a course with: python -m igteach assign NN --out COURSE"
        )
    _warn_without_sandbox()
    workers = min(MAX_PARALLEL, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        marks = list(pool.map(lambda submission: grade_submission(course, *submission), submissions(course)))
    for number, mark in enumerate(marks):
        if _deserves_another_try(mark):
            marks[number] = grade_submission(course, mark.student, mark.assignment, again=True)
    write_marks(course / "marks.csv", with_roster(course, marks))
    _write_feedback(course, marks)
    _warn_without_sandbox()
    return marks


def _warn_without_sandbox() -> None:
    if not sandbox.available():
        print(f"\n*** {sandbox.NO_SANDBOX} ***\n", file=sys.stderr, flush=True)


def _deserves_another_try(mark: Mark) -> bool:
    """Whether a submission may have failed because others ran beside it."""
    was_stopped = any("stopped after" in flag for flag in mark.flags)
    return bool(mark.reason) or was_stopped


def _write_feedback(course: Path, marks: list[Mark]) -> None:
    """Let nbgrader write the feedback pages, and say which assignments it failed for."""
    graded_assignments = {mark.assignment for mark in marks if not mark.reason}
    for assignment in sorted(graded_assignments):
        try:
            nbgrader(course, "generate_feedback", assignment, "--force")
        except RuntimeError as error:  # nbgrader writes the other pages before it reports a notebook that failed
            print(f"igteach: not all feedback could be written: {error}", file=sys.stderr)


def grade_submission(course: Path, student: str, assignment: str, again: bool = False) -> Mark:
    """Grade a submission if it is new, and print a line about it.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.
        again: Grade it even if it is not new.

    Returns:
        The student's mark.
    """
    start = time.monotonic()
    reason = ""
    if again or is_new(course, student, assignment):
        reason = autograde(course, student, assignment)
    if reason:
        discard_attempt(course, student, assignment)
    with GRADEBOOK_LOCK:
        settle_late_penalty(course, student, assignment)
        mark = mark_of(course, student, assignment, reason)
    mark.seconds = time.monotonic() - start
    print(summary_line(mark), flush=True)
    return mark


def autograde(course: Path, student: str, assignment: str) -> str:
    """Run nbgrader's autograde on a submission. Points that a person gave are kept.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.

    Returns:
        Why the submission could not be graded; empty if it was.
    """
    files = (course / "submitted" / student / assignment).rglob("*")
    if any(path.is_symlink() for path in files):  # nbgrader would copy the file that it points to
        return "holds a symbolic link, which may point to other people's files"
    reason = naming_fault(course, student, assignment)
    if reason:
        return reason
    try:
        finished = run_nbgrader(course, "autograde", assignment, f"--student={student}", "--force", seconds=TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"took more than {TIMEOUT} seconds"
    return error_in_log(finished.stderr) if finished.returncode != 0 else ""


def naming_fault(course: Path, student: str, assignment: str) -> str:
    """Compare the names of a submission's folder and files with the release, as nbgrader goes by them.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the submission's folder.

    Returns:
        What is wrong with the names; empty if nothing is.
    """
    released = _notebook_names(course / "release" / assignment)
    submitted = _notebook_names(course / "submitted" / student / assignment)
    if not released:
        names = ", ".join(sorted(path.name for path in (course / "release").glob("*")))
        return f"there is no assignment {assignment}; the folder must be named as one in release/: {names}"
    missing = set(released) - set(submitted)
    if missing:
        found = ", ".join(submitted) or "no notebook"
        return f"holds {found}; the file must be named {', '.join(sorted(missing))}"
    return ""


def _notebook_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.ipynb"))


def discard_attempt(course: Path, student: str, assignment: str) -> None:
    """Remove what a failed attempt left behind, so that it gets no feedback and the next run tries again.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.
    """
    shutil.rmtree(course / "autograded" / student / assignment, ignore_errors=True)


def is_new(course: Path, student: str, assignment: str) -> bool:
    """Whether a submission was handed in, or put into submitted/, after it was last graded.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.

    Returns:
        True if there is no autograded copy, or only an older one.
    """
    last_change = 0.0
    for path in (course / "submitted" / student / assignment).glob("*.ipynb"):
        status = path.stat()
        last_change = max(last_change, status.st_mtime, status.st_ctime)  # collecting a file keeps its mtime
    graded = (course / "autograded" / student / assignment).glob("*.ipynb")
    return not any(path.stat().st_mtime >= last_change for path in graded)


def error_in_log(log: str) -> str:
    """Find the line of nbgrader's log that says what was wrong.

    Args:
        log: What nbgrader logged before it failed.

    Returns:
        The last error of Python, or else the first error or warning of nbgrader, or else the first line.
    """
    lines = [line.strip() for line in log.splitlines()]
    python_errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Invalid\w*|NotJSON\w*)\b", line)]
    if python_errors:
        return python_errors[-1][:LONGEST_REASON]
    nbgrader_errors = [line.partition("] ")[2] for line in lines if "ERROR" in line or "WARNING" in line]
    candidates = nbgrader_errors or lines or ["nbgrader failed and said nothing"]
    return candidates[0][:LONGEST_REASON]
