"""A solved notebook as a page to read: answers folded, exercises and questions set off, checks left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from igteach.lessons.citations import with_links
from igteach.lessons.lesson import MARKER, Lesson, grade_id

if TYPE_CHECKING:
    from nbformat import NotebookNode

HEADING = re.compile(r"^#{1,4} ", re.MULTILINE)
EXERCISE = re.compile(r"^### Exercise \d")
QUESTION = re.compile(r"^\*\*(Question \d+)\.\*\* ", re.MULTILINE)
PREDICT = re.compile(r"\*\*Predict\b")
SOLUTION = ("Show a solution", "Hide the solution")
PREDICTION = ":class: predict"
OUTPUT = ("Made your prediction? Show the output", "Hide the output")
MORE_OUTPUT = ("Show this output", "Hide this output")
ANSWER = ("Made your prediction? Show the answer", "Hide the answer")
WITH_ANSWER = ("Show this output and the answer", "Hide this output and the answer")
ENDS_ANSWER = re.compile(r"^#{1,4} |^.*\*\*Predict\b|^\*\*Question \d", re.MULTILINE)


def page_of(lesson: Lesson, works: dict[str, str]) -> NotebookNode:
    """The lesson as a notebook for myst-nb.

    Args:
        lesson: The lesson, whose two notebooks are built.
        works: The addresses of cited works, as `citations.works` has them.

    Returns:
        A notebook that folds its solutions and what answers a **Predict**, and links the works that it cites.
    """
    import nbformat

    stubs = {grade_id(cell): cell.source for cell in nbformat.read(lesson.learner, as_version=4).cells}
    notebook = nbformat.read(lesson.solved, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(cell.source, works)
    notebook.cells = page_cells(notebook.cells, stubs)
    return notebook


def prose_of(page: NotebookNode) -> str:
    """What a page says in words.

    Args:
        page: A notebook of `page_of`.

    Returns:
        Its Markdown, with that in folds.
    """
    texts = []
    for cell in page.cells:
        if cell.cell_type == "markdown":
            texts.append(cell.source)
        data = [output.get("data", {}) for output in cell.get("outputs", [])]
        texts += [one["text/markdown"] for one in data if "text/markdown" in one]
    return "\n".join(texts)


def page_cells(cells: list[NotebookNode], stubs: dict[str, str]) -> list[NotebookNode]:
    """The cells of a page.

    Args:
        cells: Those of the solved notebook; they are changed.
        stubs: What a learner finds in place of each solution, by grade_id.

    Returns:
        The same without checks and progress, and each solution as two cells: its stub, and its code in a fold.
    """
    page = _Page()
    for cell in cells:
        if cell.cell_type == "markdown":
            page.add_text(cell)
        elif _is_left_out(cell):
            continue
        elif grade_id(cell) in stubs and grade_id(cell):
            page.add_solution(cell, stubs[grade_id(cell)])
        else:
            page.add_code(cell)
    return page.cells


class _Page:
    """The cells of a page as they come. What answers a prediction goes into folds, outputs and the text after them."""

    def __init__(self) -> None:
        self.cells: list[NotebookNode] = []
        self.is_asked = False  # whether a prediction stands above, under the same heading
        self.is_told = False  # whether text has answered it
        self.fold: NotebookNode | None = None  # the cell above, if it is part of an answer
        self.prompts = OUTPUT

    def add_text(self, cell: NotebookNode) -> None:
        if self._is_answering():
            cut = ENDS_ANSWER.search(cell.source)
            end = cut.start() if cut else len(cell.source)
            answer, cell.source = cell.source[:end].strip(), cell.source[end:]
            if answer:
                self._fold_text(answer)
                self.is_told = True
        if cell.source:
            is_question = bool(PREDICT.search(cell.source))
            is_exercise_before = bool(EXERCISE.match(cell.source)) and not self.is_told
            goes_on = is_exercise_before or not HEADING.search(cell.source)
            self.is_asked = is_question or (self.is_asked and goes_on)
            if is_question:
                self.is_told, self.prompts = False, OUTPUT
            self.fold = None
            cell.source = with_admonitions(cell.source)
            self.cells.append(cell)

    def _is_answering(self) -> bool:
        """Whether text that comes now gives the answer away: it follows an output, or the prediction itself."""
        if self.fold is not None:
            return self.prompts != OUTPUT
        return self.is_asked and PREDICTION in self.cells[-1].source

    def add_solution(self, cell: NotebookNode, stub: str) -> None:
        self.fold = None
        self.cells.append(_stub(cell, stub))
        cell.source = MARKER.sub("", cell.source)
        _fold(cell, "hide-input", SOLUTION)
        self.cells.append(cell)

    def add_code(self, cell: NotebookNode) -> None:
        self.fold = cell if self.is_asked else None
        if self.fold and cell.get("outputs"):
            self._hide_output(cell)
        self.cells.append(cell)

    def _fold_text(self, text: str) -> None:
        from nbformat.v4 import new_code_cell, new_output

        if self.fold is None:
            self.fold = new_code_cell("answer", metadata={"tags": ["remove-input"]})
            self.prompts = ANSWER if self.prompts == OUTPUT else self.prompts
            self.cells.append(self.fold)
        if not self.fold.outputs:
            self._hide_output(self.fold)
        elif self.fold.metadata.mystnb.code_prompt_show == MORE_OUTPUT[0]:
            _name(self.fold, WITH_ANSWER)
        self.fold.outputs.append(new_output("display_data", {"text/markdown": text}))

    def _hide_output(self, cell: NotebookNode) -> None:
        _fold(cell, "hide-output", self.prompts)
        self.prompts = MORE_OUTPUT


def with_admonitions(text: str) -> str:
    """Put the exercise, the predictions, the recap and the questions of a Markdown cell into admonitions.

    Args:
        text: The Markdown of a lesson.

    Returns:
        The same, with directives of MyST.

    Example:
        >>> print(with_admonitions("**Predict.** Up or down?"))
        ::::{admonition} Predict
        :class: predict tip
        <BLANKLINE>
        Up or down?
        <BLANKLINE>
        ::::
    """
    starts = [0, *(match.start() for match in HEADING.finditer(text) if match.start())]
    sections = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return "".join(_section(section) for section in sections).rstrip("\n")


def _section(text: str) -> str:
    """A heading, and what stands below it, down to the next."""
    heading, _, body = text.partition("\n\n") if HEADING.match(text) else ("", "", text)
    if EXERCISE.match(heading):
        effort, _, task = body.partition("\n\n")
        blocks = [_admonition(effort, "exercise important", task)]
    elif heading == "## Recap":
        blocks = [_admonition("From an earlier lesson", "recap seealso", body)]
    elif QUESTION.match(body):
        _, number, question = QUESTION.split(body, maxsplit=1)
        blocks = [_admonition(number, "quiz note", question)]
    else:
        return text if PREDICT.search(text) is None else _joined(heading, map(_paragraph, body.split("\n\n")))
    return _joined(heading, blocks) + "\n\n"


def _joined(heading: str, blocks: Iterable[str]) -> str:
    return "\n\n".join([heading, *blocks]) if heading else "\n\n".join(blocks)


def _paragraph(text: str) -> str:
    asked = PREDICT.search(text)
    if asked is None:
        return text
    before, question = text[: asked.start()].rstrip(), text[asked.start() :].removeprefix("**Predict.** ")
    admonition = _admonition("Predict", "predict tip", question)
    return f"{before}\n\n{admonition}" if before else admonition


def _admonition(title: str, classes: str, body: str) -> str:
    return f"::::{{admonition}} {title}\n:class: {classes}\n\n{body.strip()}\n\n::::"


def _is_left_out(cell: NotebookNode) -> bool:
    graded = cell.metadata.get("nbgrader", {})
    return bool(graded.get("grade") and not graded.get("solution")) or "\nprogress(" in cell.source


def _stub(cell: NotebookNode, source: str) -> NotebookNode:
    stub = cell.copy()
    stub.update(id=f"{cell.id}-stub", source=source, outputs=[], execution_count=None, metadata={})
    return stub


def _fold(cell: NotebookNode, tag: str, prompts: tuple[str, str]) -> None:
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
    _name(cell, prompts)


def _name(cell: NotebookNode, prompts: tuple[str, str]) -> None:
    """Give a fold its words, closed and open."""
    cell.metadata["mystnb"] = {"code_prompt_show": prompts[0], "code_prompt_hide": prompts[1]}
