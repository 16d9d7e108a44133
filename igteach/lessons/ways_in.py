"""Links from the course's pages into its repository, and to the machines of others that run it."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

from igteach.lessons.lesson import Lesson

if TYPE_CHECKING:
    from nbformat import NotebookNode

IN_COLAB = """# In Colab this cell installs the course; anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q "igteach[lessons] @ git+https://github.com/{place}"
"""


def github_place(address: str | None) -> str | None:
    """The owner and name of a repository on GitHub.

    Args:
        address: The repository's address, if it has one.

    Returns:
        Such as `owner/name`; None if it is not on GitHub.

    Example:
        >>> github_place("https://github.com/owner/name.git")
        'owner/name'
    """
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", address or "")
    return found.group(1) if found else None


def site_address(address: str | None) -> str:
    """Where GitHub shows the book of a repository.

    Args:
        address: The repository's address, if it has one.

    Returns:
        The address with a slash at its end; empty if the repository is not on GitHub.

    Example:
        >>> site_address("https://github.com/Owner/name")
        'https://owner.github.io/name/'
    """
    place = github_place(address)
    if place is None:
        return ""
    owner, _, name = place.partition("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def colab(place: str, lesson: Lesson) -> str:
    """The learner's notebook in Colab.

    Args:
        place: Such as `owner/name`.
        lesson: The lesson.

    Returns:
        An address.
    """
    return f"https://colab.research.google.com/github/{place}/blob/main/notebooks/{lesson.name}.ipynb"


def with_colab_cell(learner: NotebookNode, address: str | None) -> NotebookNode:
    """A learner's notebook that installs the course where Colab opens it.

    Args:
        learner: The learner's view of a lesson; it is not changed.
        address: The repository's address, if it has one.

    Returns:
        The notebook with a cell before its first code; the same notebook if the repository is not on GitHub.
    """
    from nbformat.v4 import new_code_cell

    place = github_place(address)
    if place is None:
        return learner
    cell = new_code_cell(IN_COLAB.format(place=place).rstrip(), id="colab")
    notebook = copy.deepcopy(learner)
    first_code = [one.cell_type for one in notebook.cells].index("code")
    notebook.cells.insert(first_code, cell)
    return notebook


def binder(place: str, lesson: Lesson) -> str:
    """The learner's notebook in Binder.

    Args:
        place: Such as `owner/name`.
        lesson: The lesson.

    Returns:
        An address.
    """
    return f"https://mybinder.org/v2/gh/{place}/main?labpath=notebooks/{lesson.name}.ipynb"


def codespaces(place: str) -> str:
    """The repository in a Codespace.

    Args:
        place: Such as `owner/name`.

    Returns:
        An address.
    """
    return f"https://codespaces.new/{place}?quickstart=1"


def ways_in(address: str | None, lesson: Lesson | None, source: str) -> list[tuple[str, str]]:
    """What a page offers beside its text.

    Args:
        address: The repository's address, if it has one.
        lesson: The lesson that the page shows, if it shows one.
        source: The file that the page is made from, such as docs/captum.md.

    Returns:
        Words and addresses; none if the repository is not on GitHub.
    """
    place = github_place(address)
    if place is None:
        return []
    ways = []
    if lesson:
        ways += [("Open in Colab", colab(place, lesson)), ("Open in Binder", binder(place, lesson))]
    ways.append(("Open in Codespaces", codespaces(place)))
    if source:
        ways.append(("Edit this page", f"https://github.com/{place}/edit/main/{source}"))
    return [*ways, ("Report an issue", f"https://github.com/{place}/issues/new")]
