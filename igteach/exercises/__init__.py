"""Checks that answer at once, name the mistake, and never print the solution: `check("01.1", my_function)`.

The checker of lesson 04 is the module `lesson04`, and so on: solutions, then the cases that an answer is checked on,
then the exercises with their common mistakes. `checker` compares an answer with them; `graded` does so for coursework.
"""

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
    """Check your answer to an exercise, and record the result in your progress.

    Args:
        exercise: The number of the lesson and of the exercise in it, such as "01.1".
        answer: The function that you wrote.

    Returns:
        The verdict: solved, open (nothing is written yet), or not yet and why. A notebook shows it in colour. An
        error that your function raises is described in the verdict, not raised.

    Raises:
        ValueError: There is no such exercise.

    Example:
        >>> from igteach.exercises import check
        >>> def to_share(f, x, baseline):
        ...     return (f(x) - f(baseline))[0]
        >>> check("00.1", to_share)
        Exercise 00.1: solved.
    """
    if exercise not in EXERCISES:
        raise ValueError(f"exercise is {exercise!r}; there are {', '.join(EXERCISES)}")
    verdict = judge(EXERCISES[exercise], answer)
    record(verdict)
    return verdict


def progress(lesson: str) -> Progress:
    """Show which exercises of a lesson you have solved, and how to get a hint.

    Args:
        lesson: The number of the lesson, such as "01".

    Returns:
        Your progress, which a notebook shows; in a folder where no progress is kept, one line that says so.

    Raises:
        ValueError: There is no such lesson.

    Example:
        >>> from igteach.exercises import progress
        >>> progress("01")
        No progress is kept here. ...
    """
    if lesson not in LESSONS:
        raise ValueError(f"lesson is {lesson!r}; there are {', '.join(LESSONS)}")
    return of_exercises([number for number in EXERCISES if number.startswith(lesson)])
