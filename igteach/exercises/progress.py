"""What a learner has solved: kept in progress.json beside their notebooks, for them alone, sent nowhere."""

import json
from pathlib import Path
from typing import Any

from igteach.course.files import write_whole
from igteach.exercises.checker import Verdict

FILE = "progress.json"  # `lab` and `copy` lay it in work/; where it is not, nothing is kept
Progress = dict[str, dict[str, Any]]  # exercise -> tries, solved, hints, solution_seen


def read(folder: Path) -> Progress | None:
    """What is kept in a folder; None where nothing is kept there. Raises ValueError for a file that is no progress."""
    file = folder / FILE
    if not file.is_file():
        return None
    kept = json.loads(file.read_text(encoding="utf-8") or "{}")
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
