"""Grading one submission: read, staged as a clean copy, autograded by nbgrader, and written down when it is whole."""

import re
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from igteach.course import attempts
from igteach.course.attempts import BEGUN, DONE, ONCE, READY, Attempt, attempts_of
from igteach.course.children import run_nbgrader_bound
from igteach.course.course_folder import Misconfigured
from igteach.course.gradebook import Entry, ask_again, entry_of
from igteach.course.hand_ins import (
    SECRET,
    HandIn,
    Refused,
    clean_notebook,
    essay_of,
    gradebook_name,
    keep_answers_in_locked_cells,
    printable,
    read_hand_in,
)
from igteach.course.lateness import settle_late_penalty
from igteach.course.marks import Mark, mark_of
from igteach.course.time_limits import Limits, TimeLimits
from igteach.lessons.files import write_atomically

OWN_FOLDER = ".igteach"  # for what is under way; hidden, so that neither nbgrader nor a person looks there
STAGED = f"{OWN_FOLDER}/staged"  # clean copies of hand-ins, which nbgrader takes for what was submitted
FRESH = f"{OWN_FOLDER}/autograded"  # what nbgrader makes of them, until it is whole
LONGEST_REASON = 300  # characters
NOT_YET = "not graded yet"


@dataclass(frozen=True)
class Submission:
    """What a student handed in for an assignment.

    Attributes:
        course: The course folder.
        student: The student's name, as in submitted/.
        assignment: The name of the assignment.
    """

    course: Path
    student: str
    assignment: str

    @property
    def name(self) -> str:
        """The student's name in the gradebook."""
        return gradebook_name(self.student)

    def attempts(self) -> list[Attempt]:
        """The student's attempts at the assignment, the latest last.

        Returns:
            The attempts; none if nothing was graded.
        """
        return attempts_of(self.course, self.student, self.assignment)

    def is_to_run(self, force: bool = False) -> bool:
        """Whether it is to be graded: by what was handed in, and never by the times of files.

        Args:
            force: Grade it also if it was graded, and has not changed.

        Returns:
            False also for what is refused.
        """
        try:
            hand_in = read_hand_in(self.course, self.student, self.assignment)
        except Refused:
            return False
        return force or not self._is_done(hand_in)

    def is_to_run_again(self) -> bool:
        """Whether its grading was stopped or failed, maybe because others ran beside it.

        Returns:
            True if it gets another try, alone.
        """
        return self.is_to_run() and any(attempt.state in (READY, ONCE) for attempt in self.attempts()[-1:])

    def _is_done(self, hand_in: HandIn) -> bool:
        latest = self.attempts()[-1:]
        if not latest or latest[0].digest != hand_in.digest or latest[0].state != DONE:
            return False
        return bool(latest[0].reason) or self._folder("autograded").is_dir()

    def _folder(self, step: str) -> Path:
        return self.course / step / self.name / self.assignment

    def has_feedback(self) -> bool:
        """Whether there is a feedback page.

        Returns:
            True if there is one, old or new.
        """
        return any(self._folder("feedback").glob("*.html"))

    def grade(self, limits: Limits) -> Mark:
        """Grade it. Points that a person gave are kept, unless they were for another essay.

        Args:
            limits: The time limits.

        Returns:
            The mark, or why there is none: nothing that a student hands in raises an error.

        Raises:
            Misconfigured: The course's configuration does not load, so nothing can be graded.
        """
        allowed = limits.of(self.assignment)
        start = time.monotonic()
        try:
            reason = self._grade(allowed)
        except Misconfigured:
            raise
        except Refused as refusal:
            reason = str(refusal)
        except Exception as error:  # a fault of ours, which must not stop the others
            reason = f"igteach failed on it ({type(error).__name__}: {error}); please report this"[:LONGEST_REASON]
        mark = self._mark(reason)
        mark.seconds = time.monotonic() - start
        return mark

    def mark(self) -> Mark:
        """Read its mark, without grading it.

        Returns:
            The mark, or why there is none.
        """
        try:
            hand_in = read_hand_in(self.course, self.student, self.assignment)
            reason = self.attempts()[-1].reason if self._is_done(hand_in) else NOT_YET
        except Refused as refusal:
            reason = str(refusal)
        return self._mark(reason)

    def _mark(self, reason: str) -> Mark:
        graded = [attempt for attempt in self.attempts() if attempt.is_graded]
        if reason and graded:
            reason += f"; the points are those of attempt {graded[-1].number}"
        try:
            settle_late_penalty(self.course, self.name, self.assignment)
            return mark_of(self.course, self.student, self.assignment, reason)
        except Exception as error:  # a damaged autograded notebook, for example
            unread = f"its mark cannot be read ({type(error).__name__}: {error}); grade it again with --force"
            return Mark(printable(self.student), printable(self.assignment), {}, {}, False, reason or unread)

    def _grade(self, allowed: TimeLimits) -> str:
        """Why it could not be graded; empty if it was. What stops it half-way leaves a state to go on from."""
        hand_in = read_hand_in(self.course, self.student, self.assignment)
        cleaned = {name: clean_notebook(name, data) for name, data in hand_in.files.items()}
        notebooks = {name: notebook for name, (notebook, _) in cleaned.items()}
        for name, release in self._releases().items():
            keep_answers_in_locked_cells(notebooks[name], release)
        attempt = self._attempt(hand_in)
        attempt.notes = [*hand_in.notes, *(note for _, notes in cleaned.values() for note in notes)]
        if attempt.state == BEGUN:
            self._ask_for_new_essay(attempt, notebooks)
        if attempt.state != ONCE:
            attempt.state = READY
        attempt.save()
        self._stage(hand_in, notebooks)
        try:
            reason = self._autograde(allowed)
            was_stopped = not reason and self._was_stopped()
        except subprocess.TimeoutExpired:
            reason, was_stopped = f"took more than {allowed.process:.0f} seconds", True
        if reason and not was_stopped:
            return reason
        if not reason:
            self._publish(hand_in)
        entry = Entry() if reason else entry_of(self.course, self.name, self.assignment)
        attempt.finish(entry, reason, ONCE if was_stopped and attempt.state != ONCE else DONE)
        return reason

    def _attempt(self, hand_in: HandIn) -> Attempt:
        """The attempt that a hand-in is: the latest, or a new one."""
        latest = self.attempts()[-1:]
        if latest and latest[0].digest == hand_in.digest:
            return latest[0]
        if not latest:
            self._adopt_autograded()
        elif latest[0].is_graded:
            latest[0].take(entry_of(self.course, self.name, self.assignment))
            latest[0].save()
        return attempts.begin(self.course, self.student, self.assignment, hand_in)

    def _adopt_autograded(self) -> None:
        """Keep what somebody had graded by nbgrader's own command, and maybe marked, as the first attempt."""
        copies = list(self._folder("autograded").glob("*.ipynb"))
        if not copies:
            return
        found = HandIn({path.name: path.read_bytes() for path in copies})
        attempt = attempts.begin(self.course, self.student, self.assignment, found)
        attempt.essay = self._essay({path.name: nbformat.read(path, as_version=4) for path in copies})
        attempt.finish(entry_of(self.course, self.name, self.assignment), "", DONE)

    def _ask_for_new_essay(self, attempt: Attempt, notebooks: dict[str, NotebookNode]) -> None:
        """Have a person mark an essay that is not the one that was marked; the old points stay in the old attempt."""
        attempt.essay = self._essay(notebooks)
        graded = [old for old in self.attempts() if old.is_graded and old.number < attempt.number]
        if not graded or graded[-1].essay == attempt.essay:
            return
        ask_again(self.course, self.name, self.assignment)
        if graded[-1].was_marked:
            place = f"{attempts.FOLDER}/{self.name}/{self.assignment}/{graded[-1].number}"
            attempt.asked_again = f"a new answer, to be marked again; the earlier points and comment are in {place}"

    def _essay(self, notebooks: dict[str, NotebookNode]) -> str:
        releases = self._releases()
        essays = [essay_of(notebooks[name], releases[name]) for name in sorted(releases) if name in notebooks]
        return "\n\n".join(essays)

    def _releases(self) -> dict[str, NotebookNode]:
        files = (self.course / "release" / self.assignment).glob("*.ipynb")
        return {path.name: nbformat.read(path, as_version=4) for path in files}

    def _stage(self, hand_in: HandIn, notebooks: dict[str, NotebookNode]) -> None:
        """Write the clean copy: the released notebooks, the time, and nothing else."""
        staged = self._folder(STAGED)
        shutil.rmtree(staged, ignore_errors=True)
        for name, notebook in notebooks.items():
            write_atomically(staged / name, nbformat.writes(notebook), replace=True)
        if hand_in.timestamp:
            write_atomically(staged / "timestamp.txt", hand_in.timestamp + "\n", replace=True)

    def _autograde(self, allowed: TimeLimits) -> str:
        """Run nbgrader's autograde on the clean copy; why it failed, or empty."""
        shutil.rmtree(self._folder(FRESH), ignore_errors=True)
        options = [
            f"--CourseDirectory.submitted_directory={STAGED}",
            f"--CourseDirectory.autograded_directory={FRESH}",
            *allowed.options,
        ]
        finished = run_nbgrader_bound(
            self.course, "autograde", self.assignment, f"--student={self.name}", *options, seconds=allowed.process
        )
        return error_in_log(finished.stderr) if finished.returncode != 0 else ""

    def _was_stopped(self) -> bool:
        notebooks = [nbformat.read(path, as_version=4) for path in self._folder(FRESH).glob("*.ipynb")]
        flags = [flag for notebook in notebooks for flag in notebook.metadata.get("igteach", {}).get("flags", [])]
        return any("stopped after" in flag for flag in flags)

    def _publish(self, hand_in: HandIn) -> None:
        """Put what nbgrader made in the place where it is looked for."""
        place = self._folder("autograded")
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        secret = hand_in.secret or secrets.token_hex(64)  # without one nbgrader releases nobody's feedback
        write_atomically(self._folder(FRESH) / SECRET, secret, replace=True)
        self._folder(FRESH).rename(place)
        shutil.rmtree(self._folder(STAGED), ignore_errors=True)


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
