"""The answers in notebooks, as their authors wrote them; nothing is run."""

from pathlib import Path

from nbformat import NotebookNode

from igteach.course.hand_ins import Refused, clean_notebook, read_hand_in
from igteach.course.normal_form import LONGEST_SOURCE
from igteach.lessons.lesson import grade_id


def submitted_answers(course: Path, student: str, assignment: str) -> dict[str, str]:
    """Read the answers of a submission.

    Args:
        course: The course folder.
        student: The name of the student's folder.
        assignment: The name of the submission's folder.

    Returns:
        The source of each answer cell, by the exercise's id, such as "04.2".

    Raises:
        Refused: The submission holds a link, or no notebook with answers.
    """
    files = read_hand_in(course, student, assignment).files
    answers: dict[str, str] = {}
    for name, data in files.items():
        answers |= answers_in(clean_notebook(name, data)[0])
    if not answers:
        raise Refused("has no answer cell; without the cells' metadata it cannot be compared")
    return answers


def answers_in(notebook: NotebookNode) -> dict[str, str]:
    """Find the answers in a notebook.

    Args:
        notebook: A submission, a release or a solved lesson.

    Returns:
        The source of each answer cell, its start if it is very long, by the exercise's id; of doubled cells the last,
        which is the one that is graded.
    """
    cells = {grade_id(cell): cell.source for cell in notebook.cells}
    return {
        name.removeprefix("answer-").replace("-", "."): source[: LONGEST_SOURCE + 1]
        for name, source in cells.items()
        if name.startswith("answer-")
    }
