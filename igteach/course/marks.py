"""The marks of a course: read from its gradebook and its autograded notebooks, and written to a table."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from igteach.course.attempts import attempts_of
from igteach.course.collected import late_flags
from igteach.course.gradebook import CellGrade, entry_of
from igteach.course.hand_ins import gradebook_name, printable
from igteach.course.lateness import in_words
from igteach.course.tables import as_csv, escape_formula
from igteach.lessons.files import write_atomically

NOTHING_HANDED_IN = "nothing handed in"


@dataclass
class Mark:
    """What a student got for an assignment.

    Attributes:
        student: The student's name, as in submitted/.
        assignment: The name of the assignment.
        points: The points by cell, automatic ones and those that a person gave, none above what a cell is worth
            unless by extra credit.
        out_of: The points that could be reached, by cell.
        by_hand: Whether a person has still to mark something.
        reason: Why the submission could not be graded; empty if it could.
        flags: What the instructor should look at.
        messages: What the checks of unsolved exercises said, by cell.
        seconds: How long the grading took.
        late_penalty: The points that are taken off because it came late.
        seconds_late: How long after the due date, or the end of an extension, it was handed in.
        handed_in: Whether there is a submission; False only for rows of the roster.
        attempt: Which attempt of the student's it is; 0 if none was graded.
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
    late_penalty: float = 0.0
    attempt: int = 0
    seconds_late: float = 0.0
    handed_in: bool = True

    @property
    def maximum(self) -> float:
        """The points that could be reached."""
        return sum(self.out_of.values())

    @property
    def total(self) -> float:
        """The points that count: from 0 to the maximum, after the late penalty."""
        return max(min(sum(self.points.values()), self.maximum) - self.late_penalty, 0.0)

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
        Student and assignment of each folder in submitted/, in alphabetical order. Links are among them, so that
        they are refused in words. A hidden folder is left out, unless it holds a released assignment.
    """
    released = {path.name for path in (course / "release").glob("*")}
    pairs = []
    for student in _folders_or_links(course / "submitted"):
        if student.is_symlink():
            pairs.append((student.name, "*"))
            continue
        for assignment in _folders_or_links(student):
            hidden = student.name.startswith(".") or assignment.name.startswith(".")
            if not hidden or assignment.name in released:
                pairs.append((student.name, assignment.name))
    return sorted(pairs)


def _folders_or_links(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.is_symlink() or entry.is_dir()]
    except OSError:  # missing, or not ours to read
        found = []
    return (folder / name for name in found)


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
    name = gradebook_name(student)
    mark = Mark(printable(student), printable(assignment), {}, {}, False, reason)
    entry = entry_of(course, name, assignment)
    mark.late_penalty, mark.seconds_late = entry.late_penalty, entry.seconds_late
    mark.flags += late_flags(course, student, assignment)
    for cell, grade in entry.cells.items():
        mark.points[cell], mark.out_of[cell] = grade.points, grade.out_of
        mark.by_hand = mark.by_hand or grade.to_mark
        mark.flags += _doubts(cell, grade)
    for path in (course / "autograded" / name / assignment).glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        mark.flags += notebook.metadata.get("igteach", {}).get("flags", [])
        mark.messages |= _error_messages(notebook)
    for attempt in attempts_of(course, student, assignment)[-1:]:
        mark.attempt = attempt.number
        mark.flags += attempt.notes
        mark.flags += [attempt.asked_again] if attempt.asked_again and mark.by_hand else []
    return mark


def _doubts(cell: str, grade: CellGrade) -> list[str]:
    """What the gradebook has on a cell that neither the grader nor the rubric can have given."""
    doubts = []
    if grade.by_grader is not None and grade.by_person is not None:
        doubts.append(f"{cell}: a person gave {grade.by_person:g} points, and the grader {grade.by_grader:g}")
    if grade.extra:
        doubts.append(f"{cell}: {grade.extra:g} points of extra credit, which count only up to the total maximum")
    if not 0 <= grade.given <= grade.out_of:
        doubts.append(f"{cell}: the gradebook has {grade.given:g} of {grade.out_of:g} points; {grade.points:g} count")
    return doubts


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
    facts = [f"{mark.student} {mark.assignment}: {mark.total:g} of {mark.maximum:g}", f"{mark.seconds:.0f} s"]
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
    header = ["student", "assignment", "points", "out of", "late", "late penalty", *cells, "attempt", "to mark by hand"]
    write_table(path, [*header, "not graded because", "flags"], [_row(mark, cells) for mark in marks])


def write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Write a CSV file, so that a crash leaves the old one or the new one.

    Args:
        path: The file, which is replaced.
        header: The names of the columns.
        rows: The rows.
    """
    safe_rows = [[escape_formula(entry) for entry in row] for row in rows]
    write_atomically(path, as_csv([header, *safe_rows]), replace=True)


def _row(mark: Mark, cells: list[str]) -> list[str]:
    return [
        mark.student,
        mark.assignment,
        f"{mark.total:g}" if mark.handed_in else "",
        f"{mark.maximum:g}" if mark.handed_in else "",
        in_words(mark.seconds_late),
        f"{mark.late_penalty:g}",
        *(f"{mark.points[cell]:g}" if cell in mark.points else "" for cell in cells),
        str(mark.attempt),
        "yes" if mark.by_hand else "no",
        mark.reason if mark.handed_in else NOTHING_HANDED_IN,
        "; ".join(mark.flags),
    ]
