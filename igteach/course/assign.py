"""How a lesson becomes an assignment of an nbgrader course."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from igteach.course.course_folder import Misconfigured, prepare_course
from igteach.course.questions import Question, question_of
from igteach.course.stated_limits import stated_in
from igteach.lessons.build import as_text
from igteach.lessons.contract import given_away
from igteach.lessons.files import write_atomically
from igteach.lessons.lesson import Lesson, all_lessons


def assign(numbers: list[str], course: Path, seed_file: Path | None) -> list[str]:
    """Make assignments of lessons.

    Args:
        numbers: The numbers of the lessons, such as "04".
        course: The course folder, made if it is missing.
        seed_file: The file of the course seed, made if it is missing; None for the one in nbgrader_config.py, or in
            a new course for one beside the course folder.

    Returns:
        What was done, a line for each lesson.

    Raises:
        ValueError: The course or the seed is in the repository, the course has another seed, or there is no such
            lesson.
        RuntimeError: nbgrader failed, or a release would have given something away.
    """
    lessons = all_lessons(numbers)
    done = [f"seed: {prepare_course(course, seed_file)}"]
    return done + [assign_lesson(lesson, course) for lesson in lessons]


def assign_lesson(lesson: Lesson, course: Path) -> str:
    """Write the source of an assignment, and let nbgrader make its release.

    An assignment is named after its lesson and the lesson's version, and is never changed once it is there.

    Args:
        lesson: The lesson.
        course: The course folder, as `prepare_course` leaves it.

    Returns:
        What was done, in one line.

    Raises:
        ValueError: The lesson has no question to hand in, or states limits that cannot be read.
        RuntimeError: nbgrader failed, or the release would have given something away.
    """
    name = assignment_name(lesson)
    release = course / "release" / name / f"{lesson.name}.ipynb"
    if release.exists():
        return f"{name}: already there, unchanged"
    source = course / "source" / name / f"{lesson.name}.ipynb"
    notebook = with_question(lesson)
    stated_in(notebook)  # now, because grading could not read it either
    write_atomically(source, as_text(notebook), replace=True)
    nbgrader(course, "generate_assignment", name, "--create", "--force")
    found = list(given_away(nbformat.read(release, as_version=4)))
    if found:
        release.unlink()
        raise RuntimeError(f"the release of {name} gave something away and was deleted: {found[0]}")
    return f"{name}: {points_of(source)} points, release in {release.parent}"


def assignment_name(lesson: Lesson) -> str:
    """The name of the assignment that a lesson makes.

    Args:
        lesson: The lesson.

    Returns:
        The lesson's name and the first half of its version, such as "04_integrated_gradients-1a2b3c".
    """
    return f"{lesson.name}-{lesson.read().metadata.igteach.version[:6]}"


def with_question(lesson: Lesson) -> NotebookNode:
    """Add its question to a lesson, at the end.

    Args:
        lesson: The lesson; it is not changed.

    Returns:
        The source notebook of the assignment.
    """
    notebook = copy.deepcopy(lesson.read())
    notebook.cells += question_cells(lesson.number, question_of(lesson.number))
    return notebook


def question_cells(number: str, question: Question) -> list[NotebookNode]:
    """The question of a lesson as nbgrader's manually graded task.

    Args:
        number: The number of the lesson.
        question: The question and its rubric.

    Returns:
        A locked cell with the question and the rubric, which nbgrader removes from the release, and a cell for the
        answer.
    """
    rubric = "\n".join(f"- 1 point: {line}" for line in question.points_for)
    text = f"## To hand in\n\n{question.text}\n\n*{question.points} points, marked by a person.*"
    mark_scheme = f"\n\n### BEGIN MARK SCHEME\n{rubric}\n### END MARK SCHEME"
    task = {
        "grade_id": f"question-{number}",
        "points": question.points,
        "task": True,
        "locked": True,
        "schema_version": 3,
        "grade": False,
        "solution": False,
    }
    question_cell = nbformat.v4.new_markdown_cell(text + mark_scheme, metadata={"nbgrader": task})
    question_cell["id"] = f"question-{number}"
    answer_cell = nbformat.v4.new_markdown_cell("*Write your answer here.*")
    answer_cell["id"] = f"written-{number}"
    return [question_cell, answer_cell]


def points_of(notebook: Path) -> int:
    """Add up the points of a notebook, including those that a person gives.

    Args:
        notebook: The file of the notebook.

    Returns:
        The points.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    return sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)


def nbgrader(course: Path, *arguments: str) -> str:
    """Run one of nbgrader's commands, which must succeed.

    Args:
        course: The folder to run it in.
        *arguments: The command and its options.

    Returns:
        What nbgrader logged.

    Raises:
        RuntimeError: The command failed, or the course's configuration does not load. The message has the last
            lines of the log.
    """
    add_scripts_to_path()
    command = [sys.executable, "-m", "nbgrader", *arguments]
    finished = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    config_must_load(finished.stderr)
    if finished.returncode != 0:
        last_lines = finished.stderr.strip().splitlines()[-3:]
        raise RuntimeError(f"nbgrader {arguments[0]} failed: {' / '.join(last_lines)}")
    return finished.stderr


def add_scripts_to_path() -> None:
    """Put the folder of Python's scripts on PATH, if no environment was activated.

    nbgrader starts `alembic` by its name to open a gradebook.
    """
    scripts = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, path])


def config_must_load(log: str) -> None:
    """Stop if nbgrader could not read nbgrader_config.py: it would go on without our sandbox.

    Args:
        log: What nbgrader logged.

    Raises:
        Misconfigured: The log says that the configuration failed to load.
    """
    if "Exception while loading config file" not in log:
        return
    errors = (line.strip() for line in log.splitlines() if re.match(r" +\w+Error: ", line))
    error = next(errors, "see its log")
    raise Misconfigured(
        f"nbgrader_config.py of the course does not load ({error}); fix it, or delete it and assign again"
    )
