"""Checks that run at once, name the mistake, and never print the answer: `check("01.1", my_function)`."""

from igteach.exercises.checker import Exercise, Verdict, judge
from igteach.exercises.lesson00 import EXERCISES as LESSON_00
from igteach.exercises.lesson01 import EXERCISES as LESSON_01
from igteach.exercises.lesson02 import EXERCISES as LESSON_02

EXERCISES: dict[str, Exercise] = {exercise.id: exercise for exercise in LESSON_00 + LESSON_01 + LESSON_02}


def check(exercise: str, answer: object) -> Verdict:
    """The verdict on an answer: solved, open, or not yet and why. Shown, never raised.

    exercise is a number such as "01.1", answer the function that was written.
    Raises ValueError for an exercise that does not exist.
    """
    if exercise not in EXERCISES:
        raise ValueError(f"exercise is {exercise!r}; there are {', '.join(EXERCISES)}")
    return judge(EXERCISES[exercise], answer)
