"""The class report: one HTML page on what a class found hard, from the gradebook and the autograded notebooks."""

from collections import Counter
from html import escape
from pathlib import Path

from igteach.course.marks import Mark, mark_of, submissions
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.files import write_atomically

NOT_GRADED = "not graded; marks.csv says why"
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2em}td,th{text-align:left;padding:.3em .6em;"
    "border-bottom:1px solid #ccc;vertical-align:top}.n{text-align:right;white-space:nowrap}"
    "meter{width:8em;height:1em}"
)
# What a message that is no known mistake contains, and the group that it is counted in. The first that fits counts.
MESSAGE_GROUPS = {
    "your code stopped with": "(the code stopped with an error)",
    "The check could not run": "(the code stopped with an error)",
    "Write the function above": "(left open)",
    "Writing it is the task": "(called the package's own answer)",
    "come to an end in time": "(ran out of time or memory)",
    "ended the kernel": "(ran out of time or memory)",
    "did not run": "(ran out of time or memory)",
}
OTHER_MESSAGES = "(another wrong answer)"


def report(course: Path) -> Path:
    """Write the class report.

    Args:
        course: The course folder.

    Returns:
        The file that was written, COURSE/report.html.

    Raises:
        FileNotFoundError: Nothing was handed in.
    """
    marks = [_mark_for_report(course, student, assignment) for student, assignment in submissions(course)]
    if not marks:
        raise FileNotFoundError(f"{course / 'submitted'} holds no submission; there is nothing to report")
    title = f"{escape(course.resolve().name)}: what was hard"
    sections = []
    for assignment in sorted({mark.assignment for mark in marks}):
        sections.append(_assignment_section(assignment, [mark for mark in marks if mark.assignment == assignment]))
    page = (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style>"
        f"<h1>{title}</h1>{''.join(sections)}</html>\n"
    )
    file = course / "report.html"
    write_atomically(file, page, replace=True)
    return file


def _mark_for_report(course: Path, student: str, assignment: str) -> Mark:
    was_graded = (course / "autograded" / student / assignment).is_dir()
    return mark_of(course, student, assignment, "" if was_graded else NOT_GRADED)


def _assignment_section(assignment: str, marks: list[Mark]) -> str:
    graded = [mark for mark in marks if not mark.reason]
    checks = sorted({cell for mark in graded for cell in mark.out_of if cell.startswith("check-")})
    to_mark = sum(mark.by_hand for mark in marks)
    late = sum(mark.seconds_late > 0 for mark in marks)
    summary = f"{len(marks)} handed in, {to_mark} still to be marked by hand."
    if late:
        summary += f" {late} handed in late."
    if graded:
        totals = sorted(mark.total for mark in graded)
        out_of = sum(graded[0].out_of.values())
        summary += f" Median {totals[len(totals) // 2]:g} of {out_of:g} points so far."
    sections = [_exercise_section(check, graded) for check in checks]
    return f"<h2>{escape(assignment)}</h2><p>{summary}</p>{''.join(sections)}{_table_to_look_at(marks)}"


def _exercise_section(check: str, marks: list[Mark]) -> str:
    """How many students passed a check, and what the others were told, the most frequent message first."""
    number = check.removeprefix("check-").replace("-", ".")
    passed = sum(mark.points[check] == mark.out_of[check] for mark in marks)
    counts = Counter(message_group(number, mark.messages[check]) for mark in marks if check in mark.messages)
    rows = "".join(f"<tr><td>{escape(group)}<td class=n>{count}" for group, count in counts.most_common())
    meter = f"<meter max={len(marks)} value={passed}>{passed} of {len(marks)}</meter>"
    return (
        f"<h3>Exercise {escape(number)}: {passed} of {len(marks)} passed {meter}</h3>"
        f"<table><tr><th>What the others were told<th class=n>how many{rows}</table>"
    )


def message_group(number: str, message: str) -> str:
    """Say what a message of a check is counted as.

    Args:
        number: The exercise's id.
        message: What the check told a student.

    Returns:
        The message of a known mistake as it is, or else one of a few groups, in brackets.
    """
    mistakes = EXERCISES[number].mistakes if number in EXERCISES else []
    if any(message == mistake.message for mistake in mistakes):
        return message
    fitting = (group for words, group in MESSAGE_GROUPS.items() if words in message)
    return next(fitting, OTHER_MESSAGES)


def _table_to_look_at(marks: list[Mark]) -> str:
    """A table of the students who could not be graded, were late or were flagged; empty if there are none."""
    rows = []
    for mark in marks:
        reasons = [reason for reason in (mark.reason, mark.late, *mark.flags) if reason]
        if reasons:
            rows.append(f"<tr><td>{escape(mark.student)}<td>{escape('; '.join(reasons))}")
    if not rows:
        return ""
    return f"<h3>To look at</h3><table><tr><th>student<th>why{''.join(rows)}</table>"
