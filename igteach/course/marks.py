"""The marks of a course: read from its gradebook and its autograded notebooks, and written to a table."""

import csv
import os
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry

from igteach.course.assign import add_scripts_to_path
from igteach.course.collected import late_flags
from igteach.course.lateness import in_words
from igteach.course.tables import escape_formula

NOTHING_HANDED_IN = "nothing handed in"


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
        seconds_late: How long after the due date, or the end of an extension, it was handed in.
        late_penalty: The points that this costs.
        handed_in: Whether there is a submission; False only for rows of the roster.
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
    seconds_late: float = 0.0
    late_penalty: float = 0.0
    handed_in: bool = True

    @property
    def total(self) -> float:
        """The points that count: all of them, less the late penalty, and never less than none."""
        return max(sum(self.points.values()) - self.late_penalty, 0.0)

    @property
    def late(self) -> str:
        """Such as "2 days 3 h late, -0.7 points"; empty if it was handed in in time."""
        words = in_words(self.seconds_late)
        return f"{words}, -{self.late_penalty:g} points" if self.late_penalty else words


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
    mark.flags += late_flags(course, student, assignment)
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
            submission = gradebook.find_submission(mark.assignment, mark.student)
        except MissingEntry:
            return
        mark.seconds_late = submission.total_seconds_late
        mark.late_penalty = submission.late_submission_penalty
        for notebook in submission.notebooks:
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
    out_of = sum(mark.out_of.values())
    facts = [f"{mark.student} {mark.assignment}: {mark.total:g} of {out_of:g}", f"{mark.seconds:.0f} s"]
    if mark.late:
        facts.append(mark.late)
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
    header = ["student", "assignment", "points", "out of", "late", "late penalty", *cells]
    header += ["to mark by hand", "not graded because", "flags"]
    temporary = path.with_suffix(".part")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        for mark in marks:
            table.writerow([escape_formula(entry) for entry in _row(mark, cells)])
    os.replace(temporary, path)


def _row(mark: Mark, cells: list[str]) -> list[str]:
    return [
        mark.student,
        mark.assignment,
        f"{mark.total:g}" if mark.handed_in else "",
        f"{sum(mark.out_of.values()):g}" if mark.handed_in else "",
        in_words(mark.seconds_late),
        f"{mark.late_penalty:g}",
        *(f"{mark.points[cell]:g}" if cell in mark.points else "" for cell in cells),
        "yes" if mark.by_hand else "no",
        mark.reason if mark.handed_in else NOTHING_HANDED_IN,
        "; ".join(mark.flags),
    ]
