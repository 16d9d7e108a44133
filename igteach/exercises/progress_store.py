"""What a learner has solved: kept in progress.json beside their notebooks, for them alone, sent nowhere."""

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igteach.exercises.checker import Verdict
from igteach.lessons.files import write_whole

FILE = "progress.json"  # `lab` and `copy` lay it in work/; where it is not, nothing is kept
Kept = dict[str, dict[str, Any]]  # exercise -> tries, solved, hints, solution_seen


def read(folder: Path) -> Kept | None:
    """What is kept in a folder; None where nothing is kept there. Raises ValueError for a file that is no progress."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        kept = json.loads(file.read_text(encoding="utf-8") or "{}")
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(entry, dict) for entry in kept.values()):
        raise ValueError(f"{file} holds no progress; move it away, and a new one is begun")
    return kept


def change(exercise: str, folder: Path | None = None, **entries: Any) -> None:
    """Write entries about an exercise, where progress is kept (the folder a notebook runs in)."""
    place = folder or Path()
    if (kept := read(place)) is not None:
        kept.setdefault(exercise, {}).update(entries)
        write_whole(place / FILE, json.dumps(kept, indent=1, sort_keys=True) + "\n", replace=True)


def record(verdict: Verdict) -> None:
    """Count a try, and keep that an exercise is solved; a check never fails because this does."""
    if verdict.state == "open":
        return
    try:
        entry = (read(Path()) or {}).get(verdict.exercise, {})
        solved = bool(entry.get("solved")) or verdict.state == "solved"
        change(verdict.exercise, tries=int(entry.get("tries", 0)) + 1, solved=solved)
    except (OSError, ValueError, TypeError):
        return


def in_words(entry: dict[str, Any]) -> str:
    """Such as `solved · 3 checks · 1 hint · solution opened`."""
    words = ["solved" if entry.get("solved") else "not yet"]
    for what, one in (("tries", "check"), ("hints", "hint")):
        if count := entry.get(what):
            words.append(f"{count} {one}{'s' * (count != 1)}")
    return " · ".join([*words, *["solution opened"] * bool(entry.get("solution_seen"))])


@dataclass(frozen=True)
class Progress:
    """What the progress cell of a lesson shows."""

    lines: list[str]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self.lines)
        return f'<div style="border-left: 4px solid #555555; padding: 2px 10px">{lines}</div>'


def of_exercises(numbers: list[str]) -> Progress:
    """How far a learner has come with these exercises of a lesson; in one line where nothing is kept or readable."""
    try:
        kept = read(Path())
    except (OSError, ValueError) as error:
        return Progress([f"Your progress cannot be read: {error}"])
    if kept is None:
        return Progress(["No progress is kept here. It begins in your own copies: python -m igteach lab"])
    solved = [number for number in numbers if kept.get(number, {}).get("solved")]
    text = [f"{len(solved)} of {len(numbers)} exercises solved"]
    for number in numbers:
        text.append(f"{'✓' if number in solved else '○'} {number} {in_words(kept.get(number, {}))}")
    open_ones = [number for number in numbers if number not in solved]
    if open_ones:
        text.append(f'Stuck? hint("{open_ones[0]}") gives one hint more at each call, and after the last the solution.')
    return Progress(text)
