"""Grading a course: what is new, some at a time, then feedback and a table of marks."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from igteach.course import memory_bound, sandbox
from igteach.course.attempts import Attempt
from igteach.course.children import end_all, run_nbgrader_bound
from igteach.course.class_list import with_roster
from igteach.course.gradebook import entry_of, require_gradebook
from igteach.course.hand_ins import printable, strays
from igteach.course.marks import Mark, submissions, summary_line, write_marks, write_table
from igteach.course.submission import OWN_FOLDER, Submission, error_in_log
from igteach.course.time_limits import Limits

JOBS = 2  # submissions at a time; the gradebook could take more, but small machines could not
PATIENCE = 5  # seconds for another run, or what a killed one left, to end
SECONDS_A_PAGE = 60  # that a feedback page may take


@dataclass(frozen=True)
class Request:
    """What to grade.

    Attributes:
        student: The only student to grade; None for all.
        assignment: The only assignment to grade; None for all.
        force: Whether to grade also what has been graded, and has not changed since.
        jobs: How many submissions to run at a time.
    """

    student: str | None = None
    assignment: str | None = None
    force: bool = False
    jobs: int = JOBS

    def takes(self, student: str, assignment: str) -> bool:
        """Whether a submission is to be graded.

        Args:
            student: The student's name.
            assignment: The name of the assignment.

        Returns:
            True if it is among what was asked for.
        """
        is_asked_student = self.student in (None, student, printable(student))
        return is_asked_student and self.assignment in (None, assignment)


def say(line: str) -> None:
    """Print a line to stderr, above the progress bar.

    Args:
        line: The line.
    """
    tqdm.write(line, file=sys.stderr)


def grade(course: Path, request: Request | None = None) -> list[Mark]:
    """Grade what is new in submitted/, and write feedback/, marks.csv and changes.csv.

    It may be interrupted at any time, and goes on where it was when it is called again.

    Args:
        course: The course folder.
        request: What to grade; all that is new if None.

    Returns:
        A mark for each submission, also for those that were graded before or are not asked for.

    Raises:
        FileNotFoundError: The folder is no course.
        ValueError: The request names nobody, or no assignment.
        RuntimeError: Another run is at work on the course, its configuration does not load, or this is Windows.
    """
    require_gradebook(course)
    if not hasattr(os, "O_NOFOLLOW"):
        raise RuntimeError("grading needs Linux or macOS, where files can be opened without following links")
    request = request or Request()
    limits = Limits(course, say)
    with _only_run(course):
        _check_request(request, submissions(course))
        everything = [Submission(course, *pair) for pair in submissions(course)]
        _warn(course)
        marks = _grade_all(everything, request, limits)
        write_marks(course / "marks.csv", with_roster(course, marks))
        _write_changes(course / "changes.csv", everything)
        _write_feedback(course, everything)
        _warn(course)
    return marks


@contextmanager
def _only_run(course: Path) -> Iterator[None]:
    """Keep two runs from working on a course at a time."""
    (course / OWN_FOLDER).mkdir(exist_ok=True)
    lock = FileLock(course / OWN_FOLDER / "lock", timeout=PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise RuntimeError(f"another grade is running on {course}; wait for it, or stop it") from None
    try:
        yield
    finally:
        lock.release()


def _check_request(request: Request, everything: list[tuple[str, str]]) -> None:
    students = sorted({student for student, _ in everything})
    known_names = {*students, *map(printable, students)}
    if request.student is not None and request.student not in known_names:
        known = ", ".join(printable(student) for student in students[:20]) or "nobody"
        raise ValueError(f"student is {request.student!r}, who handed in nothing; submitted/ has {known}")
    assignments = sorted({assignment for _, assignment in everything})
    if request.assignment is not None and request.assignment not in assignments:
        raise ValueError(
            f"assignment is {request.assignment!r}, which nobody handed in; submitted/ has {', '.join(assignments)}"
        )
    if request.jobs < 1:
        raise ValueError(f"jobs is {request.jobs}; give 1 or more")


def _warn(course: Path) -> None:
    """Say, before and after, what the instructor must not overlook."""
    if not sandbox.available():
        say(f"\n*** {sandbox.NO_SANDBOX} ***\n")
    elif memory_bound.working_way() is None:
        say(f"igteach: {memory_bound.NO_BOUND}")
    for path in strays(course):
        say(f"igteach: {path} is not graded, because it is not in a folder submitted/STUDENT/ASSIGNMENT; move it there")


def _grade_all(everything: list[Submission], request: Request, limits: Limits) -> list[Mark]:
    """Grade what is to be graded, some at a time, and once more alone what was stopped or failed."""
    asked = [submission for submission in everything if request.takes(submission.student, submission.assignment)]
    todo = [submission for submission in asked if submission.is_to_run(request.force)]
    before = {submission: _grader_points(submission) for submission in todo}
    marks = {submission: submission.mark() for submission in everything if submission not in before}
    for submission in asked:
        if submission in marks and marks[submission].reason:
            print_above_bar(summary_line(marks[submission]))
    pool = ThreadPoolExecutor(request.jobs)
    try:
        with tqdm(total=len(todo), unit="submission", disable=None if todo else True) as bar:
            futures = {pool.submit(submission.grade, limits): submission for submission in todo}
            for future in as_completed(futures):
                marks[futures[future]] = future.result()
                print_above_bar(summary_line(marks[futures[future]]))
                bar.update()
            for submission in todo:
                if submission.is_to_run_again():
                    marks[submission] = submission.grade(limits)
                    print_above_bar(summary_line(marks[submission]))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        end_all()
        raise
    pool.shutdown()
    for submission in todo:
        _say_change(submission, before[submission])
    return [marks[submission] for submission in everything]


def print_above_bar(line: str) -> None:
    """Print a line to stdout, above the progress bar.

    Args:
        line: The line.
    """
    tqdm.write(line)
    sys.stdout.flush()


def _grader_points(submission: Submission) -> dict[str, float]:
    """The points of the machine-graded cells, by the latest grading; empty if there was none."""
    graded = [attempt for attempt in submission.attempts() if attempt.points]
    return graded[-1].points if graded else {}


def _say_change(submission: Submission, before: dict[str, float]) -> None:
    """Say which points of an earlier grading have changed."""
    after = _grader_points(submission)
    changed = [f"{cell} {before[cell]:g} -> {after[cell]:g}" for cell in _different(before, after)]
    if changed:
        print_above_bar(f"CHANGED: {printable(submission.student)} {submission.assignment}: {', '.join(changed)}")


def _different(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """The cells that have other points after than before."""
    return sorted(cell for cell in before.keys() & after.keys() if before[cell] != after[cell])


def _write_changes(path: Path, everything: list[Submission]) -> None:
    """Write who got other points when the same work was graded again, or other work was handed in."""
    rows = []
    for submission in everything:
        gradings = [grading for attempt in submission.attempts() for grading in attempt.gradings()]
        for old, new in pairwise(gradings):
            why = "graded again" if old.attempt == new.attempt else "handed in again"
            who = [printable(submission.student), submission.assignment]
            for cell in _different(old.points, new.points):
                points = [f"{old.points[cell]:g}", f"{new.points[cell]:g}"]
                rows.append([*who, cell, *points, why, str(new.attempt), new.graded])
    header = ["student", "assignment", "cell", "points before", "points after", "why", "attempt", "graded"]
    write_table(path, header, rows)


def _write_feedback(course: Path, everything: list[Submission]) -> None:
    """Write down what a person gave, and let nbgrader write the feedback pages that are missing or out of date."""
    outdated: dict[str, list[tuple[Submission, Attempt, str]]] = {}
    for submission in everything:
        for attempt in submission.attempts()[-1:]:
            if not attempt.is_graded:
                continue
            attempt.take(entry_of(course, submission.name, submission.assignment))
            attempt.save()
            version = _version(attempt)
            if attempt.feedback != version or not submission.has_feedback():
                outdated.setdefault(submission.assignment, []).append((submission, attempt, version))
    for assignment, pages in sorted(outdated.items()):
        _run_feedback(course, assignment, {submission.name for submission, _, _ in pages})
        for submission, attempt, version in pages:
            if submission.has_feedback():
                attempt.feedback = version
                attempt.save()


def _version(attempt: Attempt) -> str:
    """Changes when the feedback does: after a grading, or when a person gives points or a comment."""
    whole = json.dumps(
        [attempt.number, attempt.graded, attempt.cells, attempt.seconds_late, attempt.late_penalty], sort_keys=True
    )
    return hashlib.sha256(whole.encode()).hexdigest()


def _run_feedback(course: Path, assignment: str, names: set[str]) -> None:
    """Let nbgrader write the feedback of some students, and say if it failed for one of them."""
    graded = {folder.parent.name for folder in (course / "autograded").glob(f"*/{assignment}")}
    others = sorted(name for name in graded - names if "," not in name)  # nbgrader parts the list at commas
    options = ["--force", f"--CourseDirectory.student_id_exclude={','.join(others)}"]
    seconds = SECONDS_A_PAGE * (len(names) + 1)
    done = run_nbgrader_bound(course, "generate_feedback", assignment, *options, seconds=seconds)
    if done.returncode != 0:  # nbgrader writes the other pages before it reports a notebook that failed
        say(f"igteach: not all feedback of {assignment} could be written: {error_in_log(done.stderr)}")
