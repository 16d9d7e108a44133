"""Checks that run at once, name the mistake, and never print the answer: `check("01.1", my_function)`."""

from importlib import import_module

from igteach.exercises.checker import Exercise, Verdict, judge
from igteach.exercises.hints import hint
from igteach.exercises.progress_store import Progress, of_exercises, record

__all__ = ["EXERCISES", "Exercise", "Verdict", "check", "hint", "judge", "progress"]

LESSONS = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12")
EXERCISES: dict[str, Exercise] = {
    exercise.id: exercise
    for number in LESSONS
    for exercise in import_module(f"igteach.exercises.lesson{number}").EXERCISES
}


def check(exercise: str, answer: object) -> Verdict:
    """The verdict on an answer: solved, open, or not yet and why. Shown, never raised, and kept in your progress.

    exercise is a number such as "01.1", answer the function that was written.
    Raises ValueError for an exercise that does not exist.
    """
    if exercise not in EXERCISES:
        raise ValueError(f"exercise is {exercise!r}; there are {', '.join(EXERCISES)}")
    verdict = judge(EXERCISES[exercise], answer)
    record(verdict)
    return verdict


def progress(lesson: str) -> Progress:
    """Which exercises of a lesson you have solved, and how to get a hint; one line where no progress is kept.

    lesson is a number such as "01". Raises ValueError for a lesson that does not exist.
    """
    if lesson not in LESSONS:
        raise ValueError(f"lesson is {lesson!r}; there are {', '.join(LESSONS)}")
    return of_exercises([number for number in EXERCISES if number.startswith(lesson)])
