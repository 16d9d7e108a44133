"""Checks that run at once, name the mistake, and never print the answer: `check("01.1", my_function)`."""

from igteach.exercises import lesson00, lesson01, lesson02
from igteach.exercises.checker import Exercise, Verdict, judge

EXERCISES: dict[str, Exercise] = {
    exercise.id: exercise for lesson in (lesson00, lesson01, lesson02) for exercise in lesson.EXERCISES
}


def check(exercise: str, answer: object) -> Verdict:
    """The verdict on an answer: solved, open, or not yet and why. Shown, never raised.

    exercise is a number such as "01.1", answer the function that was written.
    Raises ValueError for an exercise that does not exist.
    """
    if exercise not in EXERCISES:
        raise ValueError(f"exercise is {exercise!r}; there are {', '.join(EXERCISES)}")
    return judge(EXERCISES[exercise], answer)
