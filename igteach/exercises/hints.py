"""One hint more, and the solution after the last: `hint("04.2")`."""

import re
from dataclasses import dataclass
from pathlib import Path

from igteach.exercises.cases import RETIRED
from igteach.exercises.graded import is_graded
from igteach.exercises.progress_store import Entry, change, read
from igteach.lessons.copies import find_work
from igteach.lessons.lesson import MARKER, all_lessons, grade_id

HINT = re.compile(r"<summary>Hint \d</summary>\s*(.*?)\s*(?=<details>|</details>)", re.DOTALL)
_opened_here: dict[str, int] = {}  # hints of this session that could not be kept


@dataclass(frozen=True)
class Hint:
    """A hint, or the solution.

    Attributes:
        text: Markdown.
    """

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def hint(exercise: str) -> Hint:
    """The next hint of an exercise and, after its last hint, the solution.

    What you opened is kept in your progress (`progress.json` in the current folder, or in `work/` beside it or above
    it). If no progress is kept, or if it cannot be written, you get your hint all the same, and it is counted until
    the kernel ends.

    Args:
        exercise: Its number, such as "04.2".

    Returns:
        The hint, which a notebook shows.

    Raises:
        ValueError: If there is no such exercise.

    Example:
        >>> hint("4.2")
        Traceback (most recent call last):
        ValueError: exercise is '4.2'; did you mean "04.2"?
    """
    if is_graded():
        return Hint("There are no hints while coursework is graded.")
    hints, solution = hints_and_solution(exercise)
    work = find_work()
    opened = max(_kept_count(exercise, work), _opened_here.get(exercise, 0))
    if opened < len(hints):
        if _keep(exercise, {"hints": opened + 1}, work):
            _opened_here.pop(exercise, None)
        else:
            _opened_here[exercise] = opened + 1
        return Hint(f"**Hint {opened + 1} of {len(hints)}.** {hints[opened]}")
    _keep(exercise, {"solution_seen": True}, work)
    return Hint(f"**The solution**, which you opened after {len(hints)} hints:\n\n```python\n{solution}\n```")


def hints_and_solution(exercise: str) -> tuple[list[str], str]:
    """What the lesson's script says under an exercise.

    Args:
        exercise: Its number, such as "04.2".

    Returns:
        The hints in order, and the function that solves the exercise.

    Raises:
        ValueError: If there is no such exercise.
    """
    found = re.fullmatch(r"(\d\d)\.([1-9]\d*)", exercise) if isinstance(exercise, str) else None
    if found is None:
        raise ValueError(f"exercise is {exercise!r}; {_suggestion(exercise)}")
    lesson, number = found.groups()
    cells = all_lessons([lesson])[0].read_script().cells
    answers = {grade_id(cell): cell.source for cell in cells}
    answer = answers.get(f"answer-{lesson}-{number}")
    if answer is None:
        any_more = " any more" if exercise in RETIRED else ""
        raise ValueError(f"exercise is {exercise!r}; lesson {lesson} has none of that number{any_more}")
    text = next(cell.source for cell in cells if cell.source.startswith(f"### Exercise {number}:"))
    return HINT.findall(text), MARKER.sub("", answer).strip()


def _suggestion(exercise: object) -> str:
    """What may have been meant: 4.2, "4.2" and "04.02" look like "04.2"."""
    found = re.fullmatch(r"\s*(\d{1,2})[.,](\d{1,2})\s*", str(exercise))
    if found is None:
        return 'pass its number in quotes, such as "04.2"'
    lesson, number = (int(digits) for digits in found.groups())
    return f'did you mean "{lesson:02}.{number}"?'


def _kept_count(exercise: str, work: Path | None) -> int:
    """How many hints were opened, as far as that is kept and can be read."""
    try:
        kept = read(work) if work else None
    except (OSError, ValueError):
        kept = None
    return (kept or {}).get(exercise, {}).get("hints", 0)


def _keep(exercise: str, entries: Entry, work: Path | None) -> bool:
    """Keep it, and say whether that was possible: a hint never fails because this does."""
    if work is None:
        return False
    try:
        change(exercise, lambda _: entries, work)
    except (OSError, ValueError):
        return False
    return True
