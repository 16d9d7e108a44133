"""The learner's own copies in work/: made where missing, never overwritten."""

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from igteach.lessons.files import write_whole
from igteach.lessons.lesson import Lesson


def copy_lesson(lesson: Lesson, work: Path) -> str | None:
    """Lay the learner's copy of a lesson in `work`; what happened, in one line, or None where nothing did.

    An existing file stays byte for byte. Where the lesson has changed since it was copied, the new one is laid
    beside it as NAME.new.ipynb (or NAME.new-2.ipynb, ...: a learner may be working in the earlier new one).
    """
    text = lesson.learner.read_text(encoding="utf-8")
    version = _version(lesson.learner)
    for place in _places(lesson, work):
        if os.path.lexists(place):
            if _version(place) == version:
                return None
            continue
        write_whole(place, text, replace=False)
        if ".new" in place.name:
            return (
                f"{lesson.name}: the lesson has changed (version {version}); yours is kept, the new one is {place.name}"
            )
        return f"{lesson.name}: copied (version {version})"
    return None


def _places(lesson: Lesson, work: Path) -> Iterator[Path]:
    yield work / f"{lesson.name}.ipynb"
    yield work / f"{lesson.name}.new.ipynb"
    for number in count(2):
        yield work / f"{lesson.name}.new-{number}.ipynb"


def _version(notebook: Path) -> str | None:
    """The version a notebook carries; None where it carries none or cannot be read."""
    try:
        return json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["igteach"]["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
