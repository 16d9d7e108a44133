"""Grading a course: every submission in a process of its own, feedback, and the marks as a table."""

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
from nbgrader.api import Gradebook, MissingEntry

from igteach.course import sandbox
from igteach.course.assign import find_alembic, nbgrader, run_nbgrader

TOGETHER = 2  # submissions at a time; nbgrader's gradebook stands more, small machines do not
ONE_READER = Lock()  # opening a gradebook may make its tables, which two must not do at once
SECONDS = 150  # after which a submission's whole process is ended; SandboxedExecute ends its kernel long before


@dataclass
class Mark:
    """What one student got for one assignment."""

    student: str
    assignment: str
    points: dict[str, float]  # by cell
    out_of: dict[str, float]
    by_hand: bool  # whether a person has still to mark something
    reason: str  # why it could not be graded; empty where it could
    flags: list[str] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)  # what an unsolved check said, by cell
    seconds: float = 0.0


def grade(course: Path) -> list[Mark]:
    """Autograde what is new in submitted/, write feedback/ and marks.csv; a mark for each submission.

    Raises FileNotFoundError where there is no course.
    """
    if not (course / "gradebook.db").exists():
        raise FileNotFoundError(
            f"{course} has no gradebook.db; make a course with: python -m igteach assign NN --out COURSE"
        )
    if not sandbox.available():
        print(f"\n*** {sandbox.NONE} ***\n", file=sys.stderr, flush=True)
    with ThreadPoolExecutor(min(TOGETHER, os.cpu_count() or 1)) as pool:
        marks = list(pool.map(lambda submission: grade_one(course, *submission), submissions(course)))
    for number, mark in enumerate(marks):
        if mark.reason or any("stopped after" in flag for flag in mark.flags):  # once more, with nothing beside it
            marks[number] = grade_one(course, mark.student, mark.assignment, again=True)
    write_marks(course / "marks.csv", marks)
    for assignment in sorted({mark.assignment for mark in marks if not mark.reason}):
        try:
            nbgrader(course, "generate_feedback", assignment, "--force")
        except RuntimeError as error:  # nbgrader goes on past a notebook that fails, and then fails itself
            print(f"igteach: not all feedback could be written: {error}", file=sys.stderr)
    if not sandbox.available():
        print(f"\n*** {sandbox.NONE} ***", file=sys.stderr, flush=True)
    return marks


def grade_one(course: Path, student: str, assignment: str, again: bool = False) -> Mark:
    """Grade one submission where it is new, or again, and say so in a line."""
    start = time.monotonic()
    reason = autograde(course, student, assignment) if again or is_new(course, student, assignment) else ""
    if reason:
        discard(course, student, assignment)
    with ONE_READER:
        mark = mark_of(course, student, assignment, reason)
    mark.seconds = time.monotonic() - start
    print(line_of(mark), flush=True)
    return mark


def submissions(course: Path) -> list[tuple[str, str]]:
    """Student and assignment of each folder in submitted/, as nbgrader lays them, in order."""
    names = [(path.parent.name, path.name) for path in (course / "submitted").glob("*/*") if path.is_dir()]
    return sorted(pair for pair in names if not any(name.startswith(".") for name in pair))


def autograde(course: Path, student: str, assignment: str) -> str:
    """Put one submission through nbgrader in a process of its own; why it failed, or nothing. Points by hand stay."""
    if any(path.is_symlink() for path in (course / "submitted" / student / assignment).rglob("*")):
        return "holds a symbolic link, which may lead to files of others"  # nbgrader would copy what it leads to
    if wrong := misnamed(course, student, assignment):
        return wrong
    arguments = ("autograde", assignment, f"--student={student}", "--force")
    try:
        done = run_nbgrader(course, *arguments, seconds=SECONDS)
    except subprocess.TimeoutExpired:
        return f"took more than {SECONDS} seconds"
    return reason_in(done.stderr) if done.returncode else ""


def misnamed(course: Path, student: str, assignment: str) -> str:
    """What is wrong with the names of a submission's folder or file, which nbgrader goes by; or nothing."""
    wanted, here = (
        sorted(path.name for path in (course / folder).glob("*.ipynb"))
        for folder in (f"release/{assignment}", f"submitted/{student}/{assignment}")
    )
    if not wanted:
        names = ", ".join(sorted(path.name for path in (course / "release").glob("*")))
        return f"there is no assignment {assignment}; the folder must be named as one in release/: {names}"
    if missing := set(wanted) - set(here):
        return f"holds {', '.join(here) or 'no notebook'}; the file must be named {', '.join(sorted(missing))}"
    return ""


def discard(course: Path, student: str, assignment: str) -> None:
    """Remove what a failed attempt left behind, so that no feedback is made of it and the next run tries again."""
    shutil.rmtree(course / "autograded" / student / assignment, ignore_errors=True)


def is_new(course: Path, student: str, assignment: str) -> bool:
    """Whether there is no autograded copy, or one older than a submission, or than its being laid here."""
    submitted, graded = (course / folder / student / assignment for folder in ("submitted", "autograded"))
    stats = [path.stat() for path in submitted.glob("*.ipynb")]
    times = [max(stat.st_mtime, stat.st_ctime) for stat in stats]  # collecting keeps the time of writing, not of laying
    return not any(path.stat().st_mtime >= max(times, default=0) for path in graded.glob("*.ipynb"))


def reason_in(log: str) -> str:
    """The line of nbgrader's log that says what was wrong: the last error of Python, or else of nbgrader."""
    lines = [line.strip() for line in log.splitlines()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Invalid\w*|NotJSON\w*)\b", line)]
    said = [line.partition("] ")[2] for line in lines if "ERROR" in line or "WARNING" in line]
    return (errors or said or lines or ["nbgrader failed and said nothing"])[-1 if errors else 0][:300]


def mark_of(course: Path, student: str, assignment: str, reason: str) -> Mark:
    """What the gradebook holds, with the flags and messages that the autograded notebook carries."""
    mark = Mark(student, assignment, {}, {}, False, reason)
    find_alembic()
    with Gradebook(f"sqlite:///{course.resolve()}/gradebook.db") as book:
        try:
            notebooks = book.find_submission(assignment, student).notebooks
        except MissingEntry:
            notebooks = []
        for grade in (grade for notebook in notebooks for grade in notebook.grades):
            mark.points[grade.name], mark.out_of[grade.name] = grade.score, grade.max_score
            mark.by_hand |= grade.needs_manual_grade
    for path in (course / "autograded" / student / assignment).glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        mark.flags += notebook.metadata.get("igteach", {}).get("flags", [])
        for cell in notebook.cells:
            for output in cell.get("outputs", ()) if cell.metadata.get("nbgrader", {}).get("grade") else ():
                if output.output_type == "error":
                    mark.messages[cell.metadata.nbgrader.grade_id] = output.evalue
    return mark


def line_of(mark: Mark) -> str:
    got, out_of = sum(mark.points.values()), sum(mark.out_of.values())
    words = [f"{mark.student} {mark.assignment}: {got:g} of {out_of:g}", f"{mark.seconds:.0f} s"]
    words += ["a person has to mark the rest"] * mark.by_hand + [f"NOT GRADED: {mark.reason}"] * bool(mark.reason)
    return "; ".join([*words, *(f"FLAG: {flag}" for flag in mark.flags)])


def write_marks(path: Path, marks: list[Mark]) -> None:
    """A row for each submission: points in all and by cell, what is open, why it failed, what to look at."""
    cells = sorted({cell for mark in marks for cell in mark.out_of})
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["student", "assignment", "points", "out of", *cells, "to mark by hand", "not graded because", "flags"]
        )
        for mark in marks:
            points = [f"{mark.points[cell]:g}" if cell in mark.points else "" for cell in cells]
            sums = [f"{sum(numbers.values()):g}" for numbers in (mark.points, mark.out_of)]
            by_hand = "yes" if mark.by_hand else "no"
            row = [mark.student, mark.assignment, *sums, *points, by_hand, mark.reason, "; ".join(mark.flags)]
            table.writerow([_plain(field) for field in row])
    os.replace(temporary, path)


def _plain(field: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{field}" if field[:1] in ("=", "+", "-", "@") else field
