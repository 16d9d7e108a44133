"""A lesson: one script in notebooks/source, and the two notebooks that are made from it."""

import copy
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbgrader import preprocessors as nbgrader
from traitlets.config import Config

LEARNERS_VIEW = (
    nbgrader.ClearSolutions,
    nbgrader.ClearHiddenTests,
    nbgrader.ClearMarkScheme,
    nbgrader.LockCells,
    nbgrader.ClearOutput,
    nbgrader.CheckCellMetadata,
)


@dataclass(frozen=True)
class Lesson:
    """Where a lesson's script lies, and where what is made from it goes."""

    source: Path

    @property
    def name(self) -> str:
        """Such as `01_naive_gradients`."""
        return self.source.stem

    @property
    def number(self) -> str:
        """Such as `01`."""
        return self.name[:2]

    @property
    def learner(self) -> Path:
        return self.source.parent.parent / f"{self.name}.ipynb"

    @property
    def solved(self) -> Path:
        return self.source.parent.parent / "solved" / f"{self.name}.ipynb"

    def read(self) -> NotebookNode:
        """The lesson as a notebook with solutions and without outputs; the same bytes for the same script."""
        notebook = jupytext.read(self.source)
        notebook.nbformat_minor = 5
        notebook.metadata = NotebookNode(
            kernelspec={"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
            language_info={"name": "python"},
        )
        _name_cells(notebook)
        version = version_of(learners_view(notebook))
        notebook.metadata["igteach"] = NotebookNode(lesson=self.number, version=version)
        return notebook


def root() -> Path:
    """The clone that holds the lessons.

    Raises FileNotFoundError where igteach runs outside of one.
    """
    clone = Path(__file__).resolve().parents[2]
    for folder in (clone, Path.cwd()):
        if (folder / "notebooks" / "source").is_dir():
            return folder
    raise FileNotFoundError("the folder notebooks/source is not here; run this in a clone of the igteach repository")


def all_lessons(numbers: list[str] | None = None) -> list[Lesson]:
    """The lessons in order, or those with the given numbers.

    Raises ValueError for a number that no lesson has.
    """
    found = [Lesson(path) for path in sorted((root() / "notebooks" / "source").glob("[0-9][0-9]_*.py"))]
    known = {lesson.number for lesson in found}
    for number in numbers or []:
        if number not in known:
            raise ValueError(f"lesson {number!r} is not there; there are {', '.join(sorted(known))}")
    return [lesson for lesson in found if not numbers or lesson.number in numbers]


def learners_view(notebook: NotebookNode) -> NotebookNode:
    """The notebook a learner opens: exercises open, nothing executed."""
    view = copy.deepcopy(notebook)
    for preprocessor in LEARNERS_VIEW:
        view, _ = preprocessor(config=Config()).preprocess(view, {})
    return view


def version_of(notebook: NotebookNode) -> str:
    """Twelve digits that change when the text or code of a notebook changes."""
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:12]


def _name_cells(notebook: NotebookNode) -> None:
    """Cell ids from the cells' own text, so that a rebuild changes none."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        repeat = seen[cell.source] = seen.get(cell.source, -1) + 1
        cell["id"] = hashlib.sha256(f"{repeat} {cell.source}".encode()).hexdigest()[:12]
