"""What a learner has solved: kept in progress.json beside their notebooks, for them alone, sent nowhere."""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from igteach.exercises.checker import Verdict
from igteach.lessons.copies import PROGRESS
from igteach.lessons.files import write_atomically

Entry = dict[str, Any]  # tries, solved, hints, solution_seen
Kept = dict[str, Entry]  # by exercise
COUNTS = ("tries", "hints")
LARGEST_COUNT = 1_000_000  # more is no learner's
PATIENCE = 5.0  # seconds to wait for another kernel that is writing


def read(folder: Path) -> Kept | None:
    """What is kept in a folder.

    Args:
        folder: The folder that holds progress.json.

    Returns:
        An entry for each exercise that was tried, without counts that nobody can have reached; None if nothing is kept
        there.

    Raises:
        ValueError: If the file holds something else than progress.
        OSError: If the file cannot be read.
    """
    file = folder / PROGRESS
    if not file.is_file():
        return None
    try:
        kept = json.loads(file.read_text(encoding="utf-8") or "{}")
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(entry, dict) for entry in kept.values()):
        raise ValueError(f"{file} holds no progress; move it away, and a new one is begun")
    return {exercise: _believed(entry) for exercise, entry in kept.items()}


def change(exercise: str, how: Callable[[Entry], Entry], folder: Path | None = None) -> None:
    """Change the entry of an exercise, if progress is kept in the folder.

    Two kernels may do so at the same time: each waits for the other, and no change is lost.

    Args:
        exercise: Its number, such as "04.2".
        how: Takes the entry as it is kept, and gives what changes in it.
        folder: The folder that holds progress.json; the one that the notebook runs in if None.

    Raises:
        ValueError: If the file holds something else than progress.
        OSError: If the file cannot be written, or if another kernel does not let go of it.
    """
    place = folder or Path()
    if not (place / PROGRESS).is_file():
        return
    file = (place / PROGRESS).resolve()
    lock = FileLock(file.with_name(f".{file.name}.lock"), timeout=PATIENCE)
    with lock:
        kept = read(place)
        if kept is not None:
            entry = kept.setdefault(exercise, {})
            entry.update(how(entry))
            write_atomically(file, json.dumps(kept, indent=1, sort_keys=True) + "\n", replace=True)


def record(verdict: Verdict) -> None:
    """Count a try, and keep that an exercise is solved. A check never fails because this does.

    Args:
        verdict: What the check found.
    """
    if verdict.state == "open":
        return

    def counted(entry: Entry) -> Entry:
        solved = bool(entry.get("solved")) or verdict.state == "solved"
        return {"tries": entry.get("tries", 0) + 1, "solved": solved}

    try:
        change(verdict.exercise, counted)
    except (OSError, ValueError):
        return


def in_words(entry: Entry) -> str:
    """An entry as a learner reads it.

    Args:
        entry: What is kept of an exercise.

    Returns:
        Such as `solved · 3 checks · 1 hint · solution opened`.

    Example:
        >>> in_words({"solved": True, "tries": 3, "hints": 1})
        'solved · 3 checks · 1 hint'
    """
    words = ["solved" if entry.get("solved") else "not yet"]
    for what, one in (("tries", "check"), ("hints", "hint")):
        count = entry.get(what)
        if count:
            words.append(f"{count} {one}" if count == 1 else f"{count} {one}s")
    if entry.get("solution_seen"):
        words.append("solution opened")
    return " · ".join(words)


def _believed(entry: Entry) -> Entry:
    """The entry without counts that are no counts."""
    return {name: value for name, value in entry.items() if name not in COUNTS or _is_count(value)}


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_COUNT


@dataclass(frozen=True)
class Progress:
    """What the progress cell of a lesson shows.

    Attributes:
        lines: One for each exercise, with a sum before them.
    """

    lines: list[str]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self.lines)
        return f'<div style="border-left: 4px solid #555555; padding: 2px 10px">{lines}</div>'


def of_exercises(numbers: list[str]) -> Progress:
    """How far a learner has come with the exercises of a lesson.

    Args:
        numbers: The exercises, such as ["04.1", "04.2"].

    Returns:
        A line for each exercise; or a single line, if no progress is kept in the folder that the notebook runs in, or
        if it cannot be read.
    """
    try:
        kept = read(Path())
    except (OSError, ValueError) as error:
        return Progress([f"Your progress cannot be read: {error}"])
    if kept is None:
        return Progress(["No progress is kept here. It begins in your own copies: python -m igteach lab"])
    solved = [number for number in numbers if kept.get(number, {}).get("solved")]
    text = [f"{len(solved)} of {len(numbers)} exercises solved"]
    for number in numbers:
        mark = "✓" if number in solved else "○"
        text.append(f"{mark} {number} {in_words(kept.get(number, {}))}")
    open_ones = [number for number in numbers if number not in solved]
    if open_ones:
        text.append(f'Stuck? hint("{open_ones[0]}") gives one hint more at each call, and after the last the solution.')
    return Progress(text)
