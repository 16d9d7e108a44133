"""docs/exercises.md, for instructors: what each exercise asks, what it is worth, and which mistakes it knows."""

import re
from pathlib import Path

from nbformat import NotebookNode

from igteach.course.questions import question_of
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.files import write_atomically
from igteach.lessons.lesson import Lesson, all_lessons, root
from igteach.lessons.lesson_map import minutes_of, title_of

HEAD = """# What each exercise tests, and what students hear

Written by `make lessons` from the lessons and their checkers. Every line under an exercise is a misconception that
students have: the words are what the check, and later the feedback, tells the student who has it. The rubrics of the
questions are in `igteach/course/questions.py`.
"""
EXERCISE_CELL = re.compile(r"### Exercise (\d): (.*)\n\n(.*)\n\n(.*)")  # number, title, effort, task


def exercise_list() -> str:
    """Write the page.

    Returns:
        The whole page in Markdown.
    """
    return "\n".join([HEAD, *(_lesson_section(lesson) for lesson in all_lessons())])


def write_list() -> None:
    """Write docs/exercises.md."""
    write_atomically(_page(), exercise_list(), replace=True)


def list_faults() -> list[str]:
    """Compare docs/exercises.md with the lessons and their checkers.

    Returns:
        A line if the page is missing or out of date, or else nothing.
    """
    if _page().is_file() and _page().read_text(encoding="utf-8") == exercise_list():
        return []
    return ["docs/exercises.md: out of date; run: python -m igteach build"]


def _page() -> Path:
    return root() / "docs" / "exercises.md"


def _lesson_section(lesson: Lesson) -> str:
    cells = lesson.read().cells
    points = _points_by_grade_id(cells)
    lines = [f"## {title_of(lesson)}", "", f"{minutes_of(lesson)} minutes.", ""]
    for cell in cells:
        exercise = EXERCISE_CELL.match(cell.source)
        if exercise:
            number, title, effort, task = exercise.groups()
            worth = points[f"check-{lesson.number}-{number}"]
            lines += [f"### {lesson.number}.{number} {title}", ""]
            lines += [f"{effort} · {worth} {'point' if worth == 1 else 'points'}", ""]
            lines += [task, ""]
            lines += [f"- {mistake.message}" for mistake in EXERCISES[f"{lesson.number}.{number}"].mistakes]
            lines += [""]
    question = question_of(lesson.number)
    lines += [f"**To hand in** ({question.points} points, marked by a person). {question.text}", ""]
    return "\n".join(lines)


def _points_by_grade_id(cells: list[NotebookNode]) -> dict[str, int]:
    """The points of the graded cells."""
    nbgrader = [cell.metadata.get("nbgrader", {}) for cell in cells]
    return {metadata["grade_id"]: metadata["points"] for metadata in nbgrader if metadata.get("grade")}
