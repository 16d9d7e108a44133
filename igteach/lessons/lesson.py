"""A lesson: one script in notebooks/source, and the two notebooks that are made from it."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # copying the lessons needs neither jupytext nor nbgrader, which are slow to import
    from nbformat import NotebookNode

SOURCE = Path("notebooks", "source")
MARKER = re.compile(r" *### (BEGIN|END) SOLUTION\n?")  # of what learners do not see
SECONDS_A_CELL = 900  # a slow machine gets to the end, too
LEARNERS_VIEW = (  # of nbgrader.preprocessors
    "ClearSolutions",
    "ClearHiddenTests",
    "ClearMarkScheme",
    "LockCells",
    "ClearOutput",
    "CheckCellMetadata",
)


@dataclass(frozen=True)
class Lesson:
    """Where a lesson's script lies, and where what is made from it goes.

    Attributes:
        source: The script, such as notebooks/source/01_naive_gradients.py.
    """

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
        """The notebook with its exercises open."""
        return self.source.parent.parent / f"{self.name}.ipynb"

    @property
    def solved(self) -> Path:
        """The notebook with solutions and outputs."""
        return self.source.parent.parent / "solved" / f"{self.name}.ipynb"

    def read_script(self) -> NotebookNode:
        """Read the script.

        Returns:
            Its cells as a notebook, with solutions and without outputs, ids and metadata.
        """
        import jupytext

        return jupytext.read(self.source)

    def read(self) -> NotebookNode:
        """Read the lesson.

        Returns:
            A notebook with solutions and without outputs; the same bytes for the same script.
        """
        from nbformat import NotebookNode

        notebook = self.read_script()
        notebook.nbformat_minor = 5
        notebook.metadata = NotebookNode(
            kernelspec={"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
            language_info={"name": "python"},
        )
        _name_cells(notebook)
        version = version_of(learners_view(notebook))
        notebook.metadata["igteach"] = NotebookNode(lesson=self.number, version=version)
        return notebook


def clone() -> Path | None:
    """The clone of the repository in which igteach is used.

    Returns:
        The clone that this package is part of, else the one that the current folder lies in, else None.
    """
    for folder in (_package().parent, Path.cwd(), *Path.cwd().parents):
        if _is_clone(folder):
            return folder
    return None


def holds_lessons(path: Path) -> bool:
    """Whether a path lies in a clone of the repository, any clone, or in this package.

    Args:
        path: A file or a folder, which need not exist.

    Returns:
        True if it does; what is written there could be published.
    """
    place = path.resolve()
    return place.is_relative_to(_package()) or any(_is_clone(folder) for folder in (place, *place.parents))


def root() -> Path:
    """The folder that holds the lessons.

    Returns:
        The clone, or the installed package, which carries lessons of its own.

    Raises:
        FileNotFoundError: If neither holds any.
    """
    found = clone()
    if found is None and (_package() / SOURCE).is_dir():
        return _package()
    if found is None:
        raise FileNotFoundError(f"igteach, installed in {_package()}, came without its lessons; install it again")
    return found


def needs_clone(what: str) -> Path:
    """The clone, for what does not work without one.

    Args:
        what: What needs it; the first word of the message.

    Returns:
        The clone's folder.

    Raises:
        FileNotFoundError: If there is no clone here.
    """
    found = clone()
    if found is None:
        raise FileNotFoundError(f"{what} works in a clone of the igteach repository only, and this is not one")
    return found


def all_lessons(numbers: list[str] | None = None) -> list[Lesson]:
    """The lessons, in order.

    Args:
        numbers: The numbers of the lessons that are wanted, such as ["01", "04"]; all if None or empty.

    Returns:
        The lessons, at least one.

    Raises:
        FileNotFoundError: If there are no lessons here at all.
        ValueError: If no lesson has one of the numbers.
    """
    folder = root() / SOURCE
    found = [Lesson(path) for path in sorted(folder.glob("[0-9][0-9]_*.py"))]
    if not found:
        raise FileNotFoundError(f"{folder} holds no lessons; get the repository again, or reinstall igteach")
    known = {lesson.number for lesson in found}
    for number in numbers or []:
        if number not in known:
            raise ValueError(f"lesson {number!r} is not there; there are {', '.join(sorted(known))}")
    return [lesson for lesson in found if not numbers or lesson.number in numbers]


def learners_view(notebook: NotebookNode) -> NotebookNode:
    """The notebook that a learner opens.

    Args:
        notebook: A lesson with its solutions; it is not changed.

    Returns:
        The lesson with its exercises open, and nothing executed.
    """
    from nbgrader import preprocessors
    from traitlets.config import Config

    view = copy.deepcopy(notebook)
    for name in LEARNERS_VIEW:
        view, _ = getattr(preprocessors, name)(config=Config()).preprocess(view, {})
    return view


def grade_id(cell: NotebookNode) -> str:
    """The name that nbgrader knows a cell by.

    Args:
        cell: A cell.

    Returns:
        Such as "check-04-2"; empty for a cell that nbgrader does not know.
    """
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def version_of(notebook: NotebookNode) -> str:
    """The version of a lesson.

    Args:
        notebook: The learner's view of it.

    Returns:
        Twelve digits that change when the text or code of the notebook changes.
    """
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:12]


def _package() -> Path:
    return Path(__file__).resolve().parents[1]


def _is_clone(folder: Path) -> bool:
    try:
        pyproject = (folder / "pyproject.toml").read_text(encoding="utf-8")
        return (folder / SOURCE).is_dir() and tomllib.loads(pyproject)["project"]["name"] == "igteach"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _name_cells(notebook: NotebookNode) -> None:
    """Cell ids from the cells' own text, so that a rebuild changes none."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        repeat = seen[cell.source] = seen.get(cell.source, -1) + 1
        cell["id"] = hashlib.sha256(f"{repeat} {cell.source}".encode()).hexdigest()[:12]
