"""Reading the answers out of notebooks that anybody may have written: no link is followed, and nothing is run."""

import json
import stat
from pathlib import Path
from typing import Any

from igteach.course.normal_form import LONGEST_SOURCE

LARGEST_FILE = 100 * 2**20  # bytes


class Unreadable(ValueError):
    """Answers that cannot be read; the message says why."""


def submitted_answers(course: Path, student: str, assignment: str) -> dict[str, str]:
    """Read the answers of a submission.

    Args:
        course: The course folder.
        student: The name of the student's folder.
        assignment: The name of the submission's folder.

    Returns:
        The source of each answer cell, by the exercise's id, such as "04.2".

    Raises:
        Unreadable: The submission is or holds a link, or has no notebook with answers.
    """
    folder = course / "submitted" / student
    for place in (folder, folder / assignment):
        if place.is_symlink():
            raise Unreadable("is a link, which is not followed")
    answers = answers_of(folder / assignment)
    if not answers:
        raise Unreadable("holds no answer cell; whoever deleted the cells' metadata cannot be compared")
    return answers


def answers_of(folder: Path) -> dict[str, str]:
    """Read the answers of the notebooks in a folder.

    Args:
        folder: The folder.

    Returns:
        The source of each answer cell, its start if it is very long, by the exercise's id; of doubled cells the first.

    Raises:
        Unreadable: A notebook is a link or no ordinary file, is too large, or is no notebook.
    """
    answers: dict[str, str] = {}
    for path in sorted(folder.glob("*.ipynb")):
        if not path.name.startswith("."):
            answers = read_answers(path) | answers
    return answers


def read_answers(path: Path) -> dict[str, str]:
    """Read the answers of one notebook.

    Args:
        path: The notebook.

    Returns:
        The source of each answer cell, its start if it is very long, by the exercise's id; of doubled cells the first.

    Raises:
        Unreadable: It is a link or no ordinary file, is too large, or is no notebook.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{path.name} is a link or no ordinary file, which is not read")
        if status.st_size > LARGEST_FILE:
            raise Unreadable(f"{path.name} is larger than {LARGEST_FILE // 2**20} MB")
        cells = json.loads(path.read_bytes())["cells"]
        found = [(_grade_id(cell), _text(cell["source"])) for cell in cells if _grade_id(cell).startswith("answer-")]
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"{path.name} is no notebook that can be read") from None
    answers: dict[str, str] = {}
    for cell, source in found:
        answers.setdefault(cell.removeprefix("answer-").replace("-", "."), source)
    return answers


def _grade_id(cell: dict[str, Any]) -> str:
    nbgrader = cell.get("metadata", {}).get("nbgrader") or {}
    return str(nbgrader.get("grade_id", ""))


def _text(source: str | list[str]) -> str:
    """The text of a cell, if it is very long only as much as shows that it is."""
    text = source if isinstance(source, str) else "".join(source)
    return text[: LONGEST_SOURCE + 1]
