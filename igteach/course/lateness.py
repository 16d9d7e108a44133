"""Due dates, extensions and what lateness costs: kept in nbgrader's gradebook, where nbgrader itself reads them."""

import logging
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Assignment, Gradebook, MissingEntry
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor
from traitlets import Float
from traitlets.config import Config

from igteach.course.course_folder import load_settings
from igteach.course.gradebook import FILE, ONE_AT_A_TIME, find_submission, opened

DAY = 24 * 60 * 60  # seconds
QUIET = logging.getLogger(__name__)  # nbgrader warns of each late hand-in; the marks say it in their own words
QUIET.setLevel(logging.ERROR)
NO_DATE = "none"  # the word that takes a date away


class LatePolicy(LateSubmissionPlugin):
    """What a late hand-in costs: nothing, unless the course's nbgrader_config.py sets `percent_a_day`."""

    percent_a_day = Float(
        0.0, min=0.0, max=100.0, help="percent of the points reached that each day begun after the due date costs"
    ).tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """The points that a late hand-in loses.

        Args:
            student_id: The student's name.
            score: The points that the student reached.
            total_seconds_late: How long after the due date, or the end of the extension, it was handed in.

        Returns:
            The points, `score` at most; None for no penalty.
        """
        if self.penalty_method != "none" or not self.percent_a_day:
            return super().late_submission_penalty(student_id, score, total_seconds_late)
        days = math.ceil(total_seconds_late / DAY)
        return min(score, score * days * self.percent_a_day / 100)


class NoteLateness(NbGraderPreprocessor):
    """Puts `late`, such as "2 days 3 h late", into what a feedback page's template can show; "" if it was in time."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            seconds = gradebook.find_submission(names["assignment"], names["student"]).total_seconds_late
        names["late"] = in_words(seconds)
        nb.metadata["igteach"] = {**nb.metadata.get("igteach", {}), "late": names["late"]}
        return nb, resources


def in_words(seconds_late: float) -> str:
    """Say how late something is.

    Args:
        seconds_late: The seconds after the due date.

    Returns:
        Such as "2 days 3 h late" or "5 min late", rounded up; empty if it is not late.

    Example:
        >>> in_words(2 * 86400 + 3 * 3600), in_words(30), in_words(0)
        ('2 days 3 h late', '1 min late', '')
    """
    if seconds_late <= 0:
        return ""
    days, hours = divmod(math.ceil(seconds_late / 3600), 24)
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} h late"
    hours, minutes = divmod(math.ceil(seconds_late / 60), 60)
    return f"{hours} h {minutes} min late" if hours else f"{minutes} min late"


def settle_late_penalty(course: Path, student: str, assignment: str) -> None:
    """Compute a submission's late penalty again by nbgrader's own step, as its points or dates may have changed.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.
    """
    with opened(course) as gradebook:
        submission = find_submission(gradebook, student, assignment)
        if submission is None or not (submission.total_seconds_late or submission.late_submission_penalty):
            return
        notebooks = [notebook.name for notebook in submission.notebooks]
    database = f"sqlite:///{course.resolve() / FILE}"
    config = Config({"AssignLatePenalties": {"plugin_class": LatePolicy}})
    config.merge(load_settings(course))
    step = AssignLatePenalties(config=config, log=QUIET)
    for notebook in notebooks:
        names = {
            "notebook": notebook,
            "assignment": assignment,
            "student": student,
            "db_url": database,
        }
        with ONE_AT_A_TIME:
            step.preprocess(nbformat.v4.new_notebook(), {"nbgrader": names})


def parse_date(text: str) -> datetime:
    """Read a due date.

    Args:
        text: Such as 2027-01-31T23:59, by this computer's clock, or 2027-01-31T23:59+01:00.

    Returns:
        The moment, with its time zone.

    Raises:
        ValueError: It is not a date with a time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or len(text) < len("2027-01-31T23:59"):
        raise ValueError(f"{text!r} is not a date with a time; write 2027-01-31T23:59, or 2027-01-31T23:59+01:00")
    return moment.astimezone()


def local_time(utc: datetime) -> str:
    """Show a moment of the gradebook by this computer's clock, with its zone.

    Args:
        utc: The moment, in UTC and without a zone, as nbgrader stores it.

    Returns:
        Such as "2027-01-31 23:59 CET (UTC+01:00)".
    """
    moment = utc.replace(tzinfo=UTC).astimezone()
    offset = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M} {moment:%Z} (UTC{offset[:3]}:{offset[3:]})"


def set_due(course: Path, assignment: str, date: str, student: str = "") -> None:
    """Set an assignment's due date, or until when one student has time.

    Args:
        course: The course folder.
        assignment: The name of the assignment.
        date: The date, as parse_date takes it; "none" takes it away, and with the due date all extensions.
        student: The student who gets an extension; empty to set the due date of all.

    Raises:
        ValueError: There is no such assignment, no due date to extend, or the extension ends before it.
        FileNotFoundError: The folder has no gradebook.
    """
    moment = None if date == NO_DATE else parse_date(date).astimezone(UTC).replace(tzinfo=None)
    with opened(course) as gradebook:
        entry = _entry(gradebook, assignment)
        if student:
            _extend(gradebook, entry.duedate, assignment, student, moment)
        else:
            entry.duedate = moment
            for submission in entry.submissions if moment is None else ():
                submission.extension = None
        gradebook.db.commit()


def _extend(gradebook: Gradebook, due: datetime | None, assignment: str, student: str, moment: datetime | None) -> None:
    if due is None:
        raise ValueError(f"{assignment} has no due date that {student} could get an extension of; set it first")
    if moment is not None and moment <= due:
        raise ValueError(f"{student}'s extension would end before the due date, {local_time(due)}")
    gradebook.update_or_create_student(student)
    submission = gradebook.update_or_create_submission(assignment, student)
    submission.extension = None if moment is None else moment - due


def _entry(gradebook: Gradebook, assignment: str) -> Assignment:
    try:
        return gradebook.find_assignment(assignment)
    except MissingEntry:
        names = ", ".join(sorted(one.name for one in gradebook.assignments)) or "none"
        raise ValueError(f"there is no assignment {assignment}; there are: {names}") from None


def due_dates(course: Path, assignment: str = "") -> list[str]:
    """List due dates and extensions.

    Args:
        course: The course folder.
        assignment: The name of an assignment; empty for all.

    Returns:
        A line for each assignment, and below it one for each student with an extension.

    Raises:
        ValueError: There is no such assignment.
        FileNotFoundError: The folder has no gradebook.
    """
    lines = []
    with opened(course) as gradebook:
        entries = [_entry(gradebook, assignment)] if assignment else gradebook.assignments
        for entry in sorted(entries, key=lambda entry: entry.name):
            lines.append(f"{entry.name}: " + (f"due {local_time(entry.duedate)}" if entry.duedate else "no due date"))
            extended = [submission for submission in entry.submissions if submission.extension]
            for submission in sorted(extended, key=lambda submission: submission.student.id):
                lines.append(f"  {submission.student.id}: until {local_time(submission.duedate)}")
    return lines


def set_hand_in_times(course: Path, times: dict[tuple[str, str], datetime | None]) -> None:
    """Tell the gradebook when something was handed in, where it has an earlier hand-in of it.

    nbgrader reads the time when it grades; it would keep the time of an earlier hand-in for one without a time.

    Args:
        course: The course folder.
        times: The moments, in UTC and without a zone, or None, by student and assignment.
    """
    with opened(course) as gradebook:
        for (student, assignment), moment in times.items():
            submission = find_submission(gradebook, student, assignment)
            if submission is not None:
                submission.timestamp = moment
        gradebook.db.commit()
