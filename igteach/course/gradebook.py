"""What nbgrader's gradebook holds on a submission: points by the grader and by a person, and a person's comments."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, SubmittedAssignment

from igteach.course.assign import add_scripts_to_path

ONE_AT_A_TIME = Lock()  # opening a gradebook may create its tables, which two threads must not do at once
FILE = "gradebook.db"


@dataclass
class CellGrade:
    """The points of one graded cell.

    Attributes:
        out_of: The points that it is worth.
        by_grader: The points that the grader gave; None for a cell that a person marks.
        by_person: The points that a person gave; None if nobody did.
        extra: The extra credit that a person gave.
        to_mark: Whether a person has still to mark it.
        comment: A person's comment.
    """

    out_of: float
    by_grader: float | None = None
    by_person: float | None = None
    extra: float = 0.0
    to_mark: bool = False
    comment: str = ""

    @property
    def given(self) -> float:
        """The points as they are in the gradebook, without the extra credit."""
        given = self.by_grader if self.by_person is None else self.by_person
        return given or 0.0

    @property
    def points(self) -> float:
        """The points that count: from 0 to what the cell is worth, and the extra credit."""
        return min(max(self.given, 0.0), self.out_of) + max(self.extra, 0.0)


@dataclass
class Entry:
    """What the gradebook holds on a submission.

    Attributes:
        cells: The graded cells by name; empty if there is no such submission.
        late_penalty: The points that are taken off because it came late.
        seconds_late: How long after the due date, or the end of an extension, it was handed in.
    """

    cells: dict[str, CellGrade] = field(default_factory=dict)
    late_penalty: float = 0.0
    seconds_late: float = 0.0


def require_gradebook(course: Path) -> None:
    """Refuse a folder that is not a course.

    Args:
        course: The course folder.

    Raises:
        FileNotFoundError: The folder has no gradebook.
    """
    if not (course / FILE).exists():
        raise FileNotFoundError(f"{course} has no {FILE}; make a course with: python -m igteach assign NN --out COURSE")


@contextmanager
def opened(course: Path) -> Iterator[Gradebook]:
    """Open the gradebook of a course, for one thread at a time.

    Args:
        course: The course folder.

    Yields:
        The gradebook.

    Raises:
        FileNotFoundError: The folder has none; nbgrader would make one.
    """
    require_gradebook(course)
    add_scripts_to_path()
    with ONE_AT_A_TIME, Gradebook(f"sqlite:///{course.resolve() / FILE}") as gradebook:
        yield gradebook


def entry_of(course: Path, name: str, assignment: str) -> Entry:
    """Read what the gradebook holds on a submission.

    Args:
        course: The course folder.
        name: The student's name in the gradebook.
        assignment: The name of the assignment.

    Returns:
        The entry; an empty one if the gradebook has no such submission.
    """
    entry = Entry()
    with opened(course) as gradebook:
        submission = find_submission(gradebook, name, assignment)
        if submission is None:
            return entry
        entry.seconds_late, entry.late_penalty = submission.total_seconds_late, submission.late_submission_penalty
        for grade, comment in _grades_with_comments(submission):
            entry.cells[grade.name] = CellGrade(
                grade.max_score,
                grade.auto_score,
                grade.manual_score,
                grade.extra_credit or 0.0,
                grade.needs_manual_grade,
                (comment and comment.manual_comment) or "",
            )
    return entry


def find_submission(gradebook: Gradebook, name: str, assignment: str) -> SubmittedAssignment | None:
    """Find a submission.

    Args:
        gradebook: An open gradebook.
        name: The student's name in it.
        assignment: The name of the assignment.

    Returns:
        The submission; None if there is none.
    """
    try:
        return gradebook.find_submission(assignment, name)
    except MissingEntry:
        return None


def _grades_with_comments(submission: SubmittedAssignment) -> Iterator[tuple[Grade, Comment | None]]:
    for notebook in submission.notebooks:
        comments = {comment.name: comment for comment in notebook.comments}
        for grade in notebook.grades:
            yield grade, comments.get(grade.name)


def ask_again(course: Path, name: str, assignment: str) -> None:
    """Take away what a person gave for a submission's written answers, so that they are marked again.

    Args:
        course: The course folder.
        name: The student's name in the gradebook.
        assignment: The name of the assignment.
    """
    with opened(course) as gradebook:
        submission = find_submission(gradebook, name, assignment)
        for grade, comment in _grades_with_comments(submission) if submission else ():
            was_marked = grade.manual_score is not None or (comment and comment.manual_comment)
            if grade.auto_score is None and was_marked:
                grade.manual_score, grade.needs_manual_grade = None, True
                if comment:
                    comment.manual_comment = None
        gradebook.db.commit()
