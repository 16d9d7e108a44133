"""One hint more, and the solution after the last: `hint("04.2")`."""

import re
from dataclasses import dataclass
from pathlib import Path

from igteach.exercises.progress_store import change, read

HINT = re.compile(r"<summary>Hint \d</summary>\s*(.*?)\s*(?=<details>|</details>)", re.DOTALL)


@dataclass(frozen=True)
class Hint:
    """A hint, or the solution, in Markdown."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def hint(exercise: str) -> Hint:
    """The next hint of an exercise; after its last hint, its solution. What was opened is kept in your progress.

    Raises ValueError for an exercise that does not exist, and FileNotFoundError where no progress is kept or there
    is no clone to read from.
    """
    kept = read(Path())
    if kept is None:
        raise FileNotFoundError("hints are counted beside your copies in work/, which `python -m igteach lab` makes")
    hints, solution = hints_and_solution(exercise)
    opened = int(kept.get(exercise, {}).get("hints", 0))
    if opened < len(hints):
        change(exercise, hints=opened + 1)
        return Hint(f"**Hint {opened + 1} of {len(hints)}.** {hints[opened]}")
    change(exercise, solution_seen=True)
    return Hint(f"**The solution**, which you opened after {len(hints)} hints:\n\n```python\n{solution}\n```")


def hints_and_solution(exercise: str) -> tuple[list[str], str]:
    """What the lesson's source says under an exercise, and the function that solves it."""
    from igteach.lessons.lesson import all_lessons  # here, because a check needs no clone

    lesson, _, number = exercise.partition(".")
    cells = all_lessons([lesson])[0].read().cells
    answers = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}
    if f"answer-{lesson}-{number}" not in answers:
        raise ValueError(f"exercise is {exercise!r}; lesson {lesson} has none of that number")
    text = next(cell.source for cell in cells if cell.source.startswith(f"### Exercise {number}:"))
    return HINT.findall(text), re.sub(
        r" *### (BEGIN|END) SOLUTION\n?", "", answers[f"answer-{lesson}-{number}"]
    ).strip()
