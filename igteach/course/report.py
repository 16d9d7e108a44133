"""What a class found hard: one HTML page from a course's gradebook and autograded notebooks."""

from collections import Counter
from html import escape
from pathlib import Path

from igteach.course.grade import Mark, mark_of, submissions
from igteach.exercises import EXERCISES
from igteach.lessons.files import write_whole

NOT_GRADED = "not graded; marks.csv says why"
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2em}td,th{text-align:left;padding:.3em .6em;"
    "border-bottom:1px solid #ccc;vertical-align:top}.n{text-align:right;white-space:nowrap}"
    "meter{width:8em;height:1em}"
)


def report(course: Path) -> Path:
    """Write COURSE/report.html; its path. Raises FileNotFoundError where nothing was handed in."""
    marks = [mark_of(course, *one, "" if _was_graded(course, *one) else NOT_GRADED) for one in submissions(course)]
    if not marks:
        raise FileNotFoundError(f"{course / 'submitted'} holds no submission; there is nothing to report")
    assignments = sorted({mark.assignment for mark in marks})
    parts = [_assignment(name, [mark for mark in marks if mark.assignment == name]) for name in assignments]
    title = f"{escape(course.resolve().name)}: what was hard"
    page = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
    page += f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style>"
    page += f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    write_whole(course / "report.html", page, replace=True)
    return course / "report.html"


def _was_graded(course: Path, student: str, assignment: str) -> bool:
    return (course / "autograded" / student / assignment).is_dir()


def _assignment(name: str, marks: list[Mark]) -> str:
    graded = [mark for mark in marks if not mark.reason]
    exercises = sorted({cell for mark in graded for cell in mark.out_of if cell.startswith("check-")})
    totals = sorted(sum(mark.points.values()) for mark in graded)
    by_hand = sum(mark.by_hand for mark in marks)
    head = f"<h2>{escape(name)}</h2><p>{len(marks)} handed in, {by_hand} still to be marked by hand."
    if totals:
        head += f" Median {totals[len(totals) // 2]:g} of {sum(graded[0].out_of.values()):g} points so far."
    return head + "</p>" + "".join(_exercise(cell, graded) for cell in exercises) + _to_look_at(marks)


def _exercise(cell: str, marks: list[Mark]) -> str:
    """How many passed, and what the others were told, the most frequent first."""
    number = cell.removeprefix("check-").replace("-", ".")
    passed = sum(mark.points[cell] == mark.out_of[cell] for mark in marks)
    told = Counter(kind_of(number, mark.messages[cell]) for mark in marks if cell in mark.messages)
    rows = "".join(f"<tr><td>{escape(kind)}<td class=n>{count}" for kind, count in told.most_common())
    share = f"<meter max={len(marks)} value={passed}>{passed} of {len(marks)}</meter>"
    return (
        f"<h3>Exercise {escape(number)}: {passed} of {len(marks)} passed {share}</h3>"
        f"<table><tr><th>What the others were told<th class=n>how many{rows}</table>"
    )


def kind_of(number: str, message: str) -> str:
    """A message by its kind: a known mistake in its own words, the rest in few groups."""
    known = {mistake.message for mistake in EXERCISES[number].mistakes} if number in EXERCISES else set()
    if message in known:
        return message
    if message.startswith("Write the function above"):
        return "(left open)"
    if "Writing it is the task" in message:
        return "(called the package's own answer)"
    if "your code stopped with" in message or message.startswith("The check could not run"):
        return "(the code stopped with an error)"
    if "come to an end in time" in message or "ended the kernel" in message or "did not run" in message:
        return "(ran out of time or memory)"
    return "(another wrong answer)"


def _to_look_at(marks: list[Mark]) -> str:
    """Who could not be graded, and who was flagged."""
    said = [(mark.student, "; ".join([*filter(None, [mark.reason]), *mark.flags])) for mark in marks]
    rows = "".join(f"<tr><td>{escape(student)}<td>{escape(text)}" for student, text in said if text)
    return f"<h3>To look at</h3><table><tr><th>student<th>why{rows}</table>" if rows else ""
