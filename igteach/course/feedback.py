"""The feedback page: what a student has got for which exercise, which mistake was found, and what a person wrote."""

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from traitlets import default
from traitlets.config import Config

from igteach.course.pages import safe_pages
from igteach.lessons.lesson import grade_id

HEADING = re.compile(r"^#{1,6} +(.+?)#*\s*$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass
class Item:
    """What a student is told of one exercise, or of the question that a person marks.

    Attributes:
        title: The heading that it stands under in the lesson.
        points: The points that were given.
        out_of: The points that could be reached.
        is_marked: False while a person has still to mark it.
        question: What was asked, without its heading; empty for an exercise, which the student has at hand.
        message: What the check said; empty for a solved exercise.
        comment: What a person wrote; empty if nobody did.
        answer: The cells with the student's answer.
    """

    title: str
    points: float
    out_of: float
    is_marked: bool
    question: str
    message: str
    comment: str
    answer: list[NotebookNode] = field(default_factory=list)

    @property
    def state(self) -> str:
        """One of "open", as long as it is not marked, "solved", "partly" and "missed"."""
        if not self.is_marked:
            return "open"
        if self.points >= self.out_of:
            return "solved"
        return "partly" if self.points > 0 else "missed"


class FeedbackPage(HTMLExporter):
    """nbconvert's page with a template of ours; it is passive, and asks for nothing from the network."""

    def __init__(self, config: Config | None = None, **kwargs: Any) -> None:
        safe = copy.deepcopy(config or Config())
        safe_pages(safe)
        super().__init__(config=safe, **kwargs)

    @default("template_name")
    def _template_name_default(self) -> str:
        return "feedback"

    def from_notebook_node(  # type: ignore[override]  # as HTMLExporter's own
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page. nbgrader calls this.

        Args:
            nb: The graded notebook.
            resources: nbgrader's, with the names of student, assignment and notebook.
            **kwargs: For nbconvert.

        Returns:
            The page, and the resources.
        """
        resources = {} if resources is None else resources
        names = resources.setdefault("nbgrader", {})
        released = _released(names) or nb
        resources["lesson"] = next(iter(_headings(released)), "Feedback")
        unmarked = _unmarked(names)
        self.register_filter("items", lambda graded: items_of(graded, titles_of(released), unmarked))
        return super().from_notebook_node(nb, resources, **kwargs)


def _released(names: dict[str, str]) -> NotebookNode | None:
    """The notebook as it was handed out, whose headings nobody has changed; None if it is not there."""
    file = Path("release", names.get("assignment", ""), f"{names.get('notebook', '')}.ipynb")
    return nbformat.read(file, as_version=4) if file.is_file() else None


def _unmarked(names: dict[str, str]) -> set[str]:
    """The grade_ids of what a person has still to mark."""
    if "db_url" not in names:
        return set()
    with Gradebook(names["db_url"]) as gradebook:
        graded = gradebook.find_submission_notebook(names["notebook"], names["assignment"], names["student"])
        return {grade.name for grade in graded.grades if grade.needs_manual_grade}


def _headings(nb: NotebookNode) -> list[str]:
    sources = (cell.source for cell in nb.cells if cell.cell_type == "markdown")
    return [heading for source in sources for heading in HEADING.findall(FENCED.sub("", source))]


def titles_of(nb: NotebookNode) -> dict[str, str]:
    """Find the heading that each graded cell stands under.

    Args:
        nb: A release.

    Returns:
        The headings by grade_id.
    """
    titles = {}
    heading = "Exercise"
    for cell in nb.cells:
        heading = (_headings(NotebookNode(cells=[cell])) or [heading])[-1]
        if grade_id(cell):
            titles[grade_id(cell)] = heading
    return titles


def items_of(nb: NotebookNode, titles: dict[str, str], unmarked: set[str]) -> list[Item]:
    """List what a student is told, in the order of the notebook.

    Args:
        nb: The graded notebook, with the points and comments that nbgrader's GetGrades has put into its metadata.
        titles: The headings by grade_id.
        unmarked: The grade_ids of what a person has still to mark.

    Returns:
        An item for each graded cell and each question.
    """
    by_id = {cell.metadata.nbgrader.grade_id: cell for cell in nb.cells if "nbgrader" in cell.metadata}
    items = []
    for number, cell in enumerate(nb.cells):
        about = cell.metadata.get("nbgrader", {})
        if not (about.get("grade") or about.get("task")):
            continue
        answer = [by_id.get(about.grade_id.replace("check", "answer"), cell)]
        if about.get("task"):
            answer = _cells_below(nb, number)
        comments = [other.metadata.get("nbgrader", {}).get("comment") for other in (cell, *answer)]
        items.append(
            Item(
                title=titles.get(about.grade_id, "Exercise"),
                points=about.get("score") or 0,
                out_of=about.get("points") or 0,
                is_marked=about.grade_id not in unmarked,
                question=HEADING.sub("", cell.source).strip() if about.get("task") else "",
                message=_message(cell),
                comment=next((comment for comment in comments if comment and comment != "No response."), ""),
                answer=answer,
            )
        )
    return items


def _cells_below(nb: NotebookNode, number: int) -> list[NotebookNode]:
    """The cells between a question and whatever is graded next: the student's answer to it."""
    below = []
    for cell in nb.cells[number + 1 :]:
        if "nbgrader" in cell.metadata:
            break
        below.append(cell)
    return below


def _message(cell: NotebookNode) -> str:
    errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
    return errors[0].evalue if errors else ""
