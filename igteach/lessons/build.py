"""From a lesson's script to its two notebooks."""

import copy

import nbformat
from nbclient import NotebookClient
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode

from igteach.lessons.files import write_atomically
from igteach.lessons.lesson import SECONDS_A_CELL, Lesson, learners_view
from igteach.lessons.lesson_map import repository
from igteach.lessons.ways_in import with_colab_cell

WIDGET = "application/vnd.jupyter.widget-view+json"


def build_lesson(lesson: Lesson) -> None:
    """Write the solved notebook, executed, and the learner's, with its exercises open.

    Args:
        lesson: The lesson.

    Raises:
        CellExecutionError: If a cell of the lesson fails (nbclient's error).
    """
    notebook = lesson.read()
    write_atomically(lesson.learner, as_text(learners_notebook(notebook)), replace=True)
    write_atomically(lesson.solved, as_text(execute(notebook, lesson)), replace=True)


def learners_notebook(notebook: NotebookNode) -> NotebookNode:
    """What a learner's file holds: coursework, slides, the book and the lesson's version know no cell for Colab.

    Args:
        notebook: A lesson with its solutions; it is not changed.

    Returns:
        The learner's view, with a cell that installs the course in Colab if the repository has an address on GitHub.
    """
    return with_colab_cell(learners_view(notebook), repository())


def execute(notebook: NotebookNode, lesson: Lesson) -> NotebookNode:
    """Run a notebook from top to bottom in a fresh kernel, in the folder of the solved lessons.

    Args:
        notebook: The notebook; it gets its outputs.
        lesson: The lesson that it is made from.

    Returns:
        The notebook with its outputs, and with the metadata that it had.

    Raises:
        CellExecutionError: If a cell fails (nbclient's error).
    """
    lesson.solved.parent.mkdir(exist_ok=True)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(lesson.solved.parent)}},
    )
    metadata = copy.deepcopy(notebook.metadata)
    executed = client.execute()
    executed, _ = CoalesceStreamsPreprocessor(enabled=True).preprocess(executed, {})  # pieces differ from run to run
    executed.metadata = metadata  # the kernel adds its Python's version, which differs from machine to machine
    for cell in executed.cells:
        if "outputs" in cell:
            cell.outputs = without_widgets(cell.outputs)
    return executed


def without_widgets(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs as they can be stored: a widget is dead without its kernel.

    Args:
        outputs: Of a cell; their widgets are removed, and the static picture beside a widget stays.

    Returns:
        The outputs, less those of which nothing but text stands beside the widget: bars of progress.
    """
    kept = []
    for output in outputs:
        data = output.get("data", {})
        is_bar = WIDGET in data and set(data) <= {WIDGET, "text/plain"}
        data.pop(WIDGET, None)
        if not is_bar:
            kept.append(output)
    return kept


def as_text(notebook: NotebookNode) -> str:
    """The notebook as it is written in its file.

    Args:
        notebook: The notebook.

    Returns:
        JSON, with a line end after it.
    """
    return nbformat.writes(notebook) + "\n"
