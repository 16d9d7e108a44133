"""The attempts of a student: each graded hand-in is kept, with its mark and a person's comments.

attempts/STUDENT/ASSIGNMENT/1/ holds the first one's notebook and mark.json. The latest attempt's mark.json also says
how far its grading came, so that an interrupted run goes on where it stopped.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from igteach.course.gradebook import Entry
from igteach.course.hand_ins import HandIn, gradebook_name
from igteach.lessons.files import write_atomically

FOLDER = "attempts"
RECORD = "mark.json"
BEGUN = "begun"  # the states, in their order
READY = "ready to run"
ONCE = "stopped once"  # and tried again, alone
DONE = "graded"


@dataclass(frozen=True)
class Grading:
    """One grading of an attempt.

    Attributes:
        attempt: The number of the attempt.
        graded: When it was.
        points: The points by cell that the grader gave.
    """

    attempt: int
    graded: str
    points: dict[str, float]


@dataclass
class Attempt:
    """A hand-in and its outcome.

    Attributes:
        folder: Where it is kept.
        digest: The SHA-256 of what was handed in.
        state: How far its grading came.
        handed_in: When it was handed in, if anything says so.
        graded: When it was graded.
        essay: What the student wrote for a person to read.
        reason: Why it could not be graded; empty if it was.
        notes: What the instructor should look at.
        asked_again: That a person has to mark the essay again, and why.
        cells: The points and comments by cell, as in the gradebook.
        seconds_late: How long after the due date it was handed in.
        late_penalty: The points that were taken off for it.
        earlier: The marks that a later grading of the same hand-in replaced.
        feedback: What the feedback page was written from.
    """

    folder: Path
    digest: str = ""
    state: str = BEGUN
    handed_in: str = ""
    graded: str = ""
    essay: str = ""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    asked_again: str = ""
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds_late: float = 0.0
    late_penalty: float = 0.0
    earlier: list[dict[str, Any]] = field(default_factory=list)
    feedback: str = ""

    @property
    def number(self) -> int:
        """1 for the first attempt."""
        return int(self.folder.name)

    @property
    def points(self) -> dict[str, float]:
        """The points by cell that the grader gave."""
        return grader_points(self.cells)

    @property
    def is_graded(self) -> bool:
        """Whether it has a mark."""
        return self.state == DONE and not self.reason

    @property
    def was_marked(self) -> bool:
        """Whether a person gave points or a comment for what only a person marks."""
        written = [cell for cell in self.cells.values() if cell["by_grader"] is None]
        return any(cell["by_person"] is not None or cell["comment"] for cell in written)

    def gradings(self) -> list["Grading"]:
        """The times that it was graded, the latest last.

        Returns:
            What the grader gave each time.
        """
        gradings = [*self.earlier, {"graded": self.graded, "cells": self.cells}]
        return [
            Grading(self.number, grading["graded"], grader_points(grading["cells"]))
            for grading in gradings
            if grading["cells"]
        ]

    def save(self) -> None:
        """Write it down, at once or not at all."""
        values = {key: value for key, value in asdict(self).items() if key != "folder"}
        write_atomically(self.folder / RECORD, json.dumps(values, indent=1) + "\n", replace=True)

    def take(self, entry: Entry) -> None:
        """Take over what the gradebook holds.

        Args:
            entry: What it holds.
        """
        self.cells = {name: asdict(cell) for name, cell in entry.cells.items()}
        self.seconds_late, self.late_penalty = entry.seconds_late, entry.late_penalty

    def finish(self, entry: Entry, reason: str, state: str) -> None:
        """Note that the grading has ended, and write it down; an earlier mark of the same hand-in is kept.

        Args:
            entry: What the gradebook holds now.
            reason: Why it could not be graded; empty if it was.
            state: DONE, or ONCE for a grading that is tried again.
        """
        before: dict[str, Any] = {"graded": self.graded, "cells": self.cells, "reason": self.reason}
        is_regrade = bool(self.graded) and self.state != ONCE
        self.graded = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        self.take(entry)
        if is_regrade and (grader_points(before["cells"]) != self.points or before["reason"] != reason):
            self.earlier.append(before)
        self.reason, self.state = reason, state
        self.save()


def grader_points(cells: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The grader's points among grades as mark.json holds them.

    Args:
        cells: The grades by cell.

    Returns:
        The points of each cell that a person does not mark.
    """
    return {name: cell["by_grader"] for name, cell in cells.items() if cell["by_grader"] is not None}


def attempts_of(course: Path, student: str, assignment: str) -> list[Attempt]:
    """Read the attempts of a student at an assignment.

    Args:
        course: The course folder.
        student: The student's name, as in submitted/.
        assignment: The name of the assignment.

    Returns:
        The attempts, the latest last. One whose mark.json is missing or damaged counts as not graded.
    """
    place = course / FOLDER / gradebook_name(student) / assignment
    numbered = [folder for folder in place.glob("*") if folder.name.isdecimal()]
    return [_read(folder) for folder in sorted(numbered, key=lambda folder: int(folder.name))]


def _read(folder: Path) -> Attempt:
    try:
        values = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        known = {item.name for item in fields(Attempt)} - {"folder"}
        return Attempt(folder, **{key: value for key, value in values.items() if key in known})
    except (OSError, ValueError, AttributeError):
        return Attempt(folder)


def begin(course: Path, student: str, assignment: str, hand_in: HandIn) -> Attempt:
    """Keep what was handed in as a new attempt.

    Args:
        course: The course folder.
        student: The student's name, as in submitted/.
        assignment: The name of the assignment.
        hand_in: What was handed in.

    Returns:
        The new attempt, not graded yet.
    """
    before = attempts_of(course, student, assignment)
    latest = before[-1] if before else None
    number = latest.number + 1 if latest else 1
    if latest and not (latest.folder / RECORD).exists():  # an interrupted run came no further
        number = latest.number
    attempt = Attempt(course / FOLDER / gradebook_name(student) / assignment / str(number), hand_in.digest)
    attempt.handed_in = hand_in.timestamp
    for name, data in hand_in.files.items():
        write_atomically(attempt.folder / name, data, replace=True)
    attempt.save()
    return attempt
