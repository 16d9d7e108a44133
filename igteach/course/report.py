"""The class report: what a class found hard, for the instructor by name, and without names to be shown in class."""

from collections import defaultdict
from html import escape
from pathlib import Path

from igteach.course.class_counts import (
    LEFT_OPEN,
    AssignmentCount,
    ExerciseCount,
    count,
    misconceptions,
)
from igteach.course.html_parts import bar, definitions, page, spread, table
from igteach.course.marks import Mark, submissions
from igteach.course.roster import read_roster
from igteach.course.submission import Submission
from igteach.lessons.files import write_atomically

MOST_NAMED = 5  # misconceptions of the latest assignment, and of the term


def report(course: Path) -> tuple[Path, Path]:
    """Write the class report.

    Args:
        course: The course folder. If it holds roster.csv, those who handed in nothing are in the report, too.

    Returns:
        The files that were written: COURSE/report.html, and COURSE/report-class.html, which names no student.

    Raises:
        FileNotFoundError: Nothing was handed in.
        ValueError: The roster cannot be read.
    """
    roster = [person.student for person in read_roster(course)]
    marks = [Submission(course, *pair).mark() for pair in submissions(course)]
    if not marks:
        raise FileNotFoundError(f"{course / 'submitted'} holds no submission; there is nothing to report")
    graded_assignments = {mark.assignment for mark in marks if not mark.reason}
    # Others are no assignments: students name the folders that they hand in.
    counts = count(mark for mark in marks if mark.assignment in graded_assignments)
    title = f"{course.resolve().name}: what was hard"
    in_class = _next_lecture(counts) + _term(counts, roster) + "".join(_assignment(one) for one in reversed(counts))
    by_name = _students(counts, sorted({*roster, *(mark.student for mark in marks)})) + _to_look_at(marks, roster)
    whole, without_names = course / "report.html", course / "report-class.html"
    write_atomically(whole, page(title, in_class + by_name), replace=True)
    write_atomically(without_names, page(title, in_class), replace=True)
    return whole, without_names


def _next_lecture(assignments: list[AssignmentCount]) -> str:
    """What to talk about: the latest assignment, then the whole term."""
    if not assignments:
        return "<p>Nothing is graded yet.</p>\n"
    latest = assignments[-1]
    parts = ["<h2>For the next lecture</h2>\n", f"<h3>Latest: {escape(latest.title)}</h3>\n"]
    parts += [_stop(latest), _misconceptions([latest])]
    if len(assignments) > 1:
        parts += ["<h3>Over the whole term</h3>\n", _misconceptions(assignments)]
    return "".join(parts)


def _stop(assignment: AssignmentCount) -> str:
    """The exercise at which most students stop; they are sorted by that."""
    for exercise in assignment.exercises[:1]:
        if exercise.stopped:
            left_open = exercise.told[LEFT_OPEN]
            note = f" Of all who did not solve it, {left_open} left it open." if left_open else ""
            return (
                f"<p><b>Exercise {escape(exercise.heading)}</b> stops most: for {exercise.stopped} of "
                f"{exercise.tried} it is the first that they did not solve.{note}</p>\n"
            )
    return "<p>Everyone who could be graded solved all the exercises.</p>\n"


def _misconceptions(assignments: list[AssignmentCount]) -> str:
    found = misconceptions(assignments)[:MOST_NAMED]
    if not found:
        return "<p>Nobody made a mistake that the checks know.</p>\n"
    rows = [
        [f"{escape(message)}<br><small>{escape(exercise.heading)}</small>", f"{students} of {exercise.tried}"]
        for students, exercise, message in found
    ]
    return table(["most common misconceptions, in the words that students heard", "#students"], rows)


def _term(assignments: list[AssignmentCount], roster: list[str]) -> str:
    rows = []
    for assignment in assignments:
        handed_in = f"{len(assignment.marks)} of {len(roster)}" if roster else str(len(assignment.marks))
        low, middle, high = assignment.quartiles or (0.0, 0.0, 0.0)
        words = f"median {middle:.0%}, middle half {low:.0%} to {high:.0%}"
        to_mark = sum(mark.by_hand for mark in assignment.marks)
        late = sum(mark.seconds_late > 0 for mark in assignment.marks)
        still = f", {late} of them late" if late else ""
        still += f"; {to_mark} still to be marked by hand" if to_mark else ""
        facts = f"{escape(assignment.title)}<br><small>{handed_in} handed in{still}</small>"
        rows.append([facts, f"{words}{spread(low, middle, high, words)}"])
    explained = (
        "<p>Points so far; what is still to be marked by hand counts as none. A bar goes from none to all the points, "
        "the stroke is the median, and the middle half of the class is grey.</p>\n"
    )
    return f"<h2>Over the term</h2>\n{explained}" + table(["assignment", "points"], rows)


def _assignment(assignment: AssignmentCount) -> str:
    name = f"<p class=quiet>{escape(assignment.name)}</p>" if assignment.name != assignment.title else ""
    order = "<p>The exercise at which most students stop comes first.</p>\n" if assignment.exercises else ""
    sections = "".join(_exercise(exercise) for exercise in assignment.exercises)
    return f"<h2>{escape(assignment.title)}</h2>\n{name}{order}{sections}"


def _exercise(exercise: ExerciseCount) -> str:
    """How many students passed a check, and what the others were told, the most frequent message first."""
    words = f"{exercise.passed} of {exercise.tried} passed"
    stops = f"; {exercise.stopped} stop here" if exercise.stopped else ""
    head = (
        f"<h3>Exercise {escape(exercise.heading)}</h3>\n<p>{words}{stops}{bar(exercise.passed, exercise.tried, words)}"
    )
    rows = [[escape(message), str(students)] for message, students in exercise.told.most_common()]
    told = table(["what the others were told", "#how many"], rows) if rows else ""
    return f"{head}</p>\n{told}"


def _students(assignments: list[AssignmentCount], students: list[str]) -> str:
    marks: dict[str, dict[str, Mark]] = defaultdict(dict)
    for assignment in assignments:
        for mark in assignment.marks:
            marks[mark.student][assignment.name] = mark
    rows = []
    for student in students:
        own = marks[student]
        chips = "".join(f"<li>{_chip(one.short, own.get(one.name))}</li>" for one in assignments)
        reached = sum(mark.total for mark in own.values())
        out_of = sum(mark.maximum for mark in own.values())
        head = f"<b>{escape(student)}</b>: {reached:g} of {out_of:g} points"
        rows.append((head, f"<ul class=chips>{chips}</ul>"))
    explained = "<p>Points so far, out of those of the assignments that were handed in.</p>\n"
    return f"<h2>By student</h2>\n{explained}{definitions(rows)}"


def _chip(assignment: str, mark: Mark | None) -> str:
    name = escape(assignment)
    if mark is None:
        return f"{name}: none{bar(0, 1, f'{assignment}: nothing handed in')}"
    if mark.reason:
        return f"{name}: ungraded{bar(0, 1, f'{assignment}: not graded')}"
    words = f"{assignment}: {mark.total:g} of {mark.maximum:g}"
    return f"{name}: {mark.total:g}/{mark.maximum:g}{bar(mark.total, mark.maximum, words)}"


def _to_look_at(marks: list[Mark], roster: list[str]) -> str:
    """A list of who could not be graded, was flagged, or is not on the roster; empty if there is nobody."""
    rows = []
    for mark in marks:
        reasons = [reason for reason in (mark.reason, mark.late, *mark.flags) if reason]
        if roster and mark.student not in roster:
            reasons.append("is not on roster.csv")
        if reasons:
            rows.append(
                (f"<b>{escape(mark.student)}</b>, {escape(mark.assignment)}", "<br>".join(map(escape, reasons)))
            )
    present = {mark.student for mark in marks}
    rows += [(f"<b>{escape(student)}</b>", "has handed in nothing") for student in roster if student not in present]
    return "<h2>To look at</h2>\n" + definitions(rows) if rows else ""
