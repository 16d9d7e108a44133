"""The limits that a lesson states in its head, for where it is graded: read from the instructor's copy in source/."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from igteach.course.memory_bound import GIGABYTE, MEMORY

MARK = "**Graded.**"
EXAMPLE = f"{MARK} 60 seconds a cell, 150 seconds in all, 5 GB of memory."
STATEMENT = re.compile(
    rf"{re.escape(MARK)} ([1-9]\d*) seconds a cell, ([1-9]\d*) seconds in all, ([1-9]\d*) GB of memory\."
)


@dataclass(frozen=True)
class RunLimits:
    """What a submission may take.

    Attributes:
        cell: A cell, in seconds.
        submission: All of it, in seconds.
        memory: All its processes, in GB of 2**30 bytes.
    """

    cell: int = 20
    submission: int = 55
    memory: int = MEMORY // GIGABYTE

    def unless_set(self, **settings: float) -> "RunLimits":
        """Let the instructor's own settings win.

        Args:
            **settings: Limits by name. One that is the default is no setting: `assign` writes those into each course.

        Returns:
            These limits, with the other settings, in whole numbers, in their place.
        """
        own = {name: round(value) for name, value in settings.items() if value != getattr(DEFAULT, name)}
        return replace(self, **own)


DEFAULT = RunLimits()


def stated_in(notebook: NotebookNode) -> RunLimits:
    """Read the limits in the head of a lesson, its first cell.

    Args:
        notebook: The lesson; never what was handed in for it.

    Returns:
        The limits; the default where the head states none.

    Raises:
        ValueError: What the head states cannot be read.
    """
    head = notebook.cells[0].source if notebook.cells else ""
    if MARK not in head:
        return DEFAULT
    found = STATEMENT.search(head)
    if not found:
        title, *_ = lines = head.splitlines()
        line = next(line for line in lines if MARK in line)
        raise ValueError(f"the head of {title!r} says {line!r}; write it as {EXAMPLE!r}, or leave it out")
    return RunLimits(*map(int, found.groups()))


def stated_for(course: Path, assignment: str) -> RunLimits:
    """Read the limits of an assignment.

    Args:
        course: The course folder.
        assignment: The name of the assignment.

    Returns:
        The limits that the notebook in source/ states; the default where it states none, or is not there.

    Raises:
        ValueError: The notebook cannot be read, or what its head states.
    """
    for path in sorted((course / "source" / assignment).glob("*.ipynb")):
        try:
            stated = stated_in(nbformat.read(path, as_version=4))
        except ValueError as error:
            raise ValueError(f"{path} gives no limits: {error}") from error
        if stated != DEFAULT:
            return stated
    return DEFAULT
