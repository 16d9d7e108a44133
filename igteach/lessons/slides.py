"""The lessons as slides for a class: a page for each lesson, which carries reveal.js and needs no network.

A cell of a lesson tagged `slide` begins a slide, one tagged `slide-goes-on` belongs to the slide before it. Code is
hidden, outputs are shown; of a lesson's head and tail, what only a reader needs is left out.
"""

import base64
import copy
import math
import re
import struct
from pathlib import Path

import nbformat
from nbconvert.exporters import SlidesExporter
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbformat import NotebookNode

from igteach.lessons.files import write_atomically
from igteach.lessons.formulas import FormulaRenderer
from igteach.lessons.lesson import Lesson
from igteach.lessons.lesson_map import title_of

TEMPLATE = Path(__file__).with_name("deck")
STARTS, GOES_ON = "slide", "slide-goes-on"
FOR_READERS = re.compile(
    r"^\*\*(You need\*\*|Where it comes from\.\*\*).*", re.MULTILINE | re.DOTALL
)  # of head and tail
LESSON_LINK = re.compile(r"\[([^\]]*)\]\(\w+\.ipynb\)")


def write_slides(lesson: Lesson, folder: Path) -> Path:
    """Write the slides of a lesson from its solved notebook.

    Args:
        lesson: The lesson.
        folder: Where to; made if it is missing. Earlier slides of the lesson are replaced.

    Returns:
        The page.

    Raises:
        ValueError: If no cell of the lesson is tagged, or the first is not the beginning of a slide.
        OSError: If the solved notebook cannot be read, or the page cannot be written.
    """
    page = folder / f"{lesson.name}.html"
    solved = nbformat.read(lesson.solved, as_version=4)
    try:
        write_atomically(page, page_of(solved, title_of(lesson)), replace=True)
    except ValueError as error:
        raise ValueError(f"{lesson.name}: {error}") from None
    return page


def page_of(notebook: NotebookNode, title: str) -> str:
    """The slides of a notebook.

    Args:
        notebook: A lesson with its outputs; it is not changed.
        title: The title of the page.

    Returns:
        HTML, with scripts, styles, pictures and formulas in it.

    Raises:
        ValueError: If no cell is tagged, or the first is not the beginning of a slide.
    """
    cells = []
    for slide in slides_of(notebook):
        layout = NotebookNode(layout=_layout(slide))
        for position, cell in enumerate(copy.deepcopy(slide)):
            cell.metadata["slideshow"] = NotebookNode(slide_type="-" if position else "slide", data=layout)
            if cell.cell_type == "markdown":
                cell.source = LESSON_LINK.sub(r"\1", FOR_READERS.sub("", cell.source))
            cells.append(cell)
    deck = nbformat.v4.new_notebook(cells=cells, metadata={"title": title})
    exporter = SlidesExporter(
        extra_template_basedirs=[str(TEMPLATE.parent)],
        template_name=TEMPLATE.name,
        filters={"markdown2html": html_of_markdown},
        exclude_input=True,
        exclude_output_prompt=True,
    )
    page, _ = exporter.from_notebook_node(deck)
    return page


def slides_of(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """The cells of each slide.

    Args:
        notebook: A lesson, with or without outputs.

    Returns:
        The slides in order, each of one cell or more.

    Raises:
        ValueError: If no cell is tagged, or the first is not the beginning of a slide.

    Example:
        >>> cells = [nbformat.v4.new_markdown_cell("# 01", metadata={"tags": ["slide"]}),
        ...          nbformat.v4.new_markdown_cell("Not on a slide.")]
        >>> [[cell.source for cell in slide] for slide in slides_of(nbformat.v4.new_notebook(cells=cells))]
        [['# 01']]
    """
    slides: list[list[NotebookNode]] = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if STARTS in tags:
            slides.append([cell])
        elif GOES_ON in tags and slides:
            slides[-1].append(cell)
        elif GOES_ON in tags:
            raise ValueError(f"its first slide has no cell tagged {STARTS!r}; {GOES_ON!r} goes on with a slide")
    if not slides:
        raise ValueError(f"no cell is tagged {STARTS!r}")
    return slides


def html_of_markdown(source: str) -> str:
    """Convert Markdown for a slide.

    Args:
        source: The Markdown, with formulas between dollars.

    Returns:
        HTML, with MathML for formulas.

    Example:
        >>> "<math" in html_of_markdown("Half of $x$.")
        True
    """
    return MarkdownWithMath(renderer=FormulaRenderer()).render(source)


def _layout(slide: list[NotebookNode]) -> str:
    """Where the figures of a slide stand, below the text or beside it: wherever they come out wider."""
    figures = [_proportion(output) for cell in slide for output in cell.get("outputs", []) if _is_figure(output)]
    if not figures:
        return "text"
    if _needs_the_whole_width(slide):
        return "below"
    height, width = 630, 1160  # what a slide has inside its margins
    room = (height - 40 * _lines(slide)) / len(figures)
    below = min(min(width, room * proportion) for proportion in figures)
    beside = min(min(0.47 * width, height / len(figures) * proportion) for proportion in figures)
    return f"beside-{len(figures)}" if beside > below else "below"


def _needs_the_whole_width(slide: list[NotebookNode]) -> bool:
    """Whether it has a formula on a line of its own, or prints a long line."""
    printed = [line for cell in slide for output in cell.get("outputs", []) for line in _printed(output)]
    has_formula = any("$$" in cell.source for cell in slide if cell.cell_type == "markdown")
    return has_formula or any(len(line) > 70 for line in printed)


def _printed(output: NotebookNode) -> list[str]:
    return output.get("text", "").splitlines()


def _is_figure(output: NotebookNode) -> bool:
    return "image/png" in output.get("data", {})


def _proportion(output: NotebookNode) -> float:
    """Width over height, which a PNG states in its bytes 16 to 24."""
    width, height = struct.unpack(">II", base64.b64decode(output.data["image/png"][:32])[16:24])
    return width / height


def _lines(slide: list[NotebookNode]) -> float:
    """About how many lines the text and the printed outputs of a slide take at full width."""
    lines = 0.0
    for cell in slide:
        if cell.cell_type == "markdown":
            lines += sum(math.ceil(len(line) / 80) + 0.3 for line in cell.source.splitlines() if line)
        for output in cell.get("outputs", []):
            lines += len(_printed(output))
    return lines
