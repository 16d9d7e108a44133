"""Grading a course: each submission in a process of its own, then feedback and a table of marks."""

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry

from igteach.course import sandbox
from igteach.course.assign import add_scripts_to_path, nbgrader, run_nbgrader

MAX_PARALLEL = 2  # submissions at a time; nbgrader's gradebook could take more, but small machines could not
GRADEBOOK_LOCK = Lock()  # opening a gradebook may create its tables, which two threads must not do at once
TIMEOUT = 150  # seconds until a submission's process is ended; SandboxedExecute stops its kernel long before
LONGEST_REASON = 300  # characters


@dataclass
class Mark:
    """What a student got for an assignment.

    Attributes:
        student: The student's name, as in submitted/.
        assignment: The name of the assignment.
        points: The points by cell, automatic ones and those that a person gave.
        out_of: The points that could be reached, by cell.
        by_hand: Whether a person has still to mark something.
        reason: Why the submission could not be graded; empty if it could.
        flags: What the instructor should look at.
        messages: What the checks of unsolved exercises said, by cell.
        seconds: How long the grading took.
    """

    student: str
    assignment: str
    points: dict[str, float]
    out_of: dict[str, float]
    by_hand: bool
    reason: str
    flags: list[str] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


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
    write_marks(course / "marks.csv", marks)
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
        mark = mark_of(course, student, assignment, reason)
    mark.seconds = time.monotonic() - start
    print(summary_line(mark), flush=True)
    return mark


def submissions(course: Path) -> list[tuple[str, str]]:
    """List what was handed in.

    Args:
        course: The course folder.

    Returns:
        Student and assignment of each folder in submitted/, in alphabetical order, without hidden folders.
    """
    folders = [path for path in (course / "submitted").glob("*/*") if path.is_dir()]
    pairs = [(folder.parent.name, folder.name) for folder in folders]
    return sorted(
        (student, assignment)
        for student, assignment in pairs
        if not student.startswith(".") and not assignment.startswith(".")
    )


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


def mark_of(course: Path, student: str, assignment: str, reason: str) -> Mark:
    """Read a mark from the gradebook, and its flags and messages from the autograded notebooks.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.
        reason: Why the submission could not be graded; empty if it could.

    Returns:
        The mark; without points if the gradebook has no such submission.
    """
    mark = Mark(student, assignment, {}, {}, False, reason)
    _add_points(mark, course)
    for path in (course / "autograded" / student / assignment).glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        mark.flags += notebook.metadata.get("igteach", {}).get("flags", [])
        mark.messages |= _error_messages(notebook)
    return mark


def _add_points(mark: Mark, course: Path) -> None:
    """Fill in what the gradebook has on a mark's submission."""
    add_scripts_to_path()
    with Gradebook(f"sqlite:///{course.resolve()}/gradebook.db") as gradebook:
        try:
            notebooks = gradebook.find_submission(mark.assignment, mark.student).notebooks
        except MissingEntry:
            return
        for notebook in notebooks:
            for grade in notebook.grades:
                mark.points[grade.name] = grade.score
                mark.out_of[grade.name] = grade.max_score
                mark.by_hand = mark.by_hand or grade.needs_manual_grade


def _error_messages(notebook: NotebookNode) -> dict[str, str]:
    """What the graded cells with an error say, by cell."""
    graded_cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    return {
        cell.metadata.nbgrader.grade_id: output.evalue
        for cell in graded_cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    }


def summary_line(mark: Mark) -> str:
    """Say how a submission was graded.

    Args:
        mark: The mark.

    Returns:
        Such as "ann 04_integrated_gradients-1a2b3c: 7 of 11; 12 s; the rest is marked by hand".
    """
    points = sum(mark.points.values())
    out_of = sum(mark.out_of.values())
    facts = [f"{mark.student} {mark.assignment}: {points:g} of {out_of:g}", f"{mark.seconds:.0f} s"]
    if mark.by_hand:
        facts.append("the rest is marked by hand")
    if mark.reason:
        facts.append(f"NOT GRADED: {mark.reason}")
    facts += [f"FLAG: {flag}" for flag in mark.flags]
    return "; ".join(facts)


def write_marks(path: Path, marks: list[Mark]) -> None:
    """Write the table of marks, with a row for each submission.

    Args:
        path: The CSV file, which is replaced.
        marks: The marks.
    """
    cells = sorted({cell for mark in marks for cell in mark.out_of})
    header = ["student", "assignment", "points", "out of", *cells, "to mark by hand", "not graded because", "flags"]
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        for mark in marks:
            table.writerow([_escape_formula(entry) for entry in _row(mark, cells)])
    os.replace(temporary, path)


def _row(mark: Mark, cells: list[str]) -> list[str]:
    return [
        mark.student,
        mark.assignment,
        f"{sum(mark.points.values()):g}",
        f"{sum(mark.out_of.values()):g}",
        *(f"{mark.points[cell]:g}" if cell in mark.points else "" for cell in cells),
        "yes" if mark.by_hand else "no",
        mark.reason,
        "; ".join(mark.flags),
    ]


def _escape_formula(entry: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{entry}" if entry.startswith(("=", "+", "-", "@")) else entry
