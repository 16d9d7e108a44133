"""Marks beside the roster: a row for everyone, handed in or not."""

from pathlib import Path

from igteach.course.marks import Mark
from igteach.course.roster import read_roster


def with_roster(course: Path, marks: list[Mark]) -> list[Mark]:
    """Add a row for everyone on the roster who handed in nothing, and flag who is not on it.

    Args:
        course: The course folder.
        marks: The marks of what was handed in.

    Returns:
        These marks, and one without points for each person and released assignment that has none; in order of
        students and assignments. Without a roster, the marks as they are.

    Raises:
        ValueError: The roster cannot be read.
    """
    people = read_roster(course)
    if not people:
        return marks
    students = {person.student for person in people}
    for mark in marks:
        if mark.student not in students:
            mark.flags.append("not on the roster")
    assignments = sorted(path.name for path in (course / "release").glob("*") if path.is_dir())
    have = {(mark.student, mark.assignment) for mark in marks}
    absent = [
        Mark(student, assignment, {}, {}, False, "", handed_in=False)
        for student in students
        for assignment in assignments
        if (student, assignment) not in have
    ]
    return sorted([*marks, *absent], key=lambda mark: (mark.student, mark.assignment))
