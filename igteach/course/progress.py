"""A learner's progress in words: lesson by lesson, exercise by exercise."""

from pathlib import Path

from igteach.exercises import TASKS
from igteach.exercises.progress_store import Kept, in_words, read
from igteach.lessons.lesson import all_lessons
from igteach.lessons.lesson_map import title_of


def lines(work: Path) -> list[str]:
    """What a learner has solved.

    Args:
        work: The folder that holds progress.json.

    Returns:
        A line for each lesson, one for each exercise that was tried, and a sum.

    Raises:
        FileNotFoundError: If no progress is kept there.
        ValueError: If the file holds something else than progress.
    """
    kept = read(work)
    if kept is None:
        raise FileNotFoundError(f"no progress is kept in {work}; it begins with: python -m igteach lab")
    text = []
    for lesson in all_lessons():
        own = [number for number in TASKS if number.startswith(lesson.number)]
        text.append(f"{title_of(lesson)}: {sum(_solved(kept, number) for number in own)} of {len(own)} solved")
        text += [f"   {number} {in_words(kept[number])}" for number in own if number in kept]
    return [*text, f"in all: {sum(_solved(kept, number) for number in TASKS)} of {len(TASKS)} solved"]


def _solved(kept: Kept, number: str) -> bool:
    return bool(kept.get(number, {}).get("solved"))
