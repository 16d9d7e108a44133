"""docs/exercises.md, for instructors: what each exercise asks, what it is worth, and which mistakes it knows."""

import re
from pathlib import Path

from igteach.course.questions import question_of
from igteach.exercises import EXERCISES
from igteach.lessons.files import write_whole
from igteach.lessons.lesson import Lesson, all_lessons, root
from igteach.lessons.lesson_map import minutes_of, title_of

HEAD = """# What each exercise tests, and what students hear

Written by `make lessons` from the lessons and their checkers. Every line under an exercise is a misconception that
students have: the words are what the check, and later the feedback, tells the student who has it. The rubrics of the
questions are in `igteach/course/questions.py`.
"""


def exercise_list() -> str:
    """The whole page in Markdown."""
    return "\n".join([HEAD, *map(_of_lesson, all_lessons())])


def write_list() -> None:
    write_whole(_page(), exercise_list(), replace=True)


def list_faults() -> list[str]:
    """One line where the page is not the one that lessons and checkers make."""
    if _page().is_file() and _page().read_text(encoding="utf-8") == exercise_list():
        return []
    return ["docs/exercises.md: out of date; run: python -m igteach build"]


def _page() -> Path:
    return root() / "docs" / "exercises.md"


def _of_lesson(lesson: Lesson) -> str:
    cells = lesson.read().cells
    points = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.get("points") for cell in _graded(cells)}
    text = [f"## {title_of(lesson)}", "", f"{minutes_of(lesson)} minutes.", ""]
    for cell in cells:
        if found := re.match(r"### Exercise (\d): (.*)\n\n(.*)\n\n(.*)", cell.source):
            number, title, effort, task = found.groups()
            worth = points[f"check-{lesson.number}-{number}"]
            text += [
                f"### {lesson.number}.{number} {title}",
                "",
                f"{effort} · {worth} point{'s' * (worth != 1)}",
                "",
                task,
                "",
            ]
            text += [*(f"- {mistake.message}" for mistake in EXERCISES[f"{lesson.number}.{number}"].mistakes), ""]
    question = question_of(lesson.number)
    return "\n".join([*text, f"**To hand in** ({question.points} points, marked by a person). {question.text}", ""])


def _graded(cells: list) -> list:
    return [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
