"""The learner's own copies in work/: made where missing, never overwritten."""

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from igteach.lessons.files import write_atomically
from igteach.lessons.lesson import Lesson, clone

WORK = "work"
PROGRESS = "progress.json"


def find_work() -> Path | None:
    """The folder with the learner's copies and progress, seen from the current folder.

    It is the current folder, one above it that is called `work`, or a folder `work` beside one of these; whichever
    comes first holds `progress.json`. In a clone, the clone's own `work/` is tried last.

    Returns:
        The folder, or None if there is none.
    """
    here, own = Path.cwd(), clone()
    for folder in (here, *here.parents):
        is_work = folder == here or folder.name == WORK
        if is_work and (folder / PROGRESS).is_file():
            return folder
        if (folder / WORK / PROGRESS).is_file():
            return folder / WORK
        if folder == own:
            return None
    if own and (own / WORK / PROGRESS).is_file():
        return own / WORK
    return None


def work_folder() -> Path:
    """The folder that `copy` and `lab` fill.

    Returns:
        What `find_work` finds. If it finds nothing: `work/` in the clone, or, without one, in the current folder.
    """
    return find_work() or (clone() or Path.cwd()) / WORK


def copy_lesson(lesson: Lesson, work: Path) -> str | None:
    """Put the learner's copy of a lesson into `work`, overwriting nothing.

    An existing file stays as it is, byte for byte. If the lesson has changed since it was copied, the new version is
    put beside it as NAME.new.ipynb (or NAME.new-2.ipynb, and so on: a learner may be working in the earlier one).

    Args:
        lesson: The lesson.
        work: The folder, which is made if it is missing.

    Returns:
        What happened, in one line, or None if nothing did.

    Raises:
        OSError: If the copy cannot be written; no half-written file is left.
    """
    text = lesson.learner.read_text(encoding="utf-8")
    version = _version(lesson.learner)
    for place in _places(lesson, work):
        if not os.path.lexists(place):
            try:
                write_atomically(place, text, replace=False)
                return _what_happened(lesson, version, place, work)
            except FileExistsError:  # another `copy` that runs at this moment was first
                pass
        if _version(place) == version:
            return None
    return None


def _what_happened(lesson: Lesson, version: str | None, place: Path, work: Path) -> str:
    mine = work / f"{lesson.name}.ipynb"
    if place == mine:
        return f"{lesson.name}: copied (version {version})"
    if _version(mine) is None:
        why = f"your {mine.name} cannot be read as a copy of a lesson"
    else:
        why = "the lesson has changed"
    return f"{lesson.name}: {why}; yours is kept, and version {version} is {place.name}"


def _places(lesson: Lesson, work: Path) -> Iterator[Path]:
    yield work / f"{lesson.name}.ipynb"
    yield work / f"{lesson.name}.new.ipynb"
    for number in count(2):
        yield work / f"{lesson.name}.new-{number}.ipynb"


def _version(notebook: Path) -> str | None:
    """The version a notebook carries; None if it carries none or cannot be read."""
    try:
        return json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["igteach"]["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
