"""The solutions of all exercises, with the common mistakes. Those of lesson 04 are in `lesson04`, and so on.

Where coursework is graded this folder is not there for the code of a hand-in: only the grader, outside, reads it.
"""

from importlib import import_module

from igteach.exercises.cases import LESSONS
from igteach.exercises.judging import Exercise

EXERCISES: dict[str, Exercise] = {
    exercise.task.id: exercise
    for number in LESSONS
    for exercise in import_module(f"igteach.exercises.solutions.lesson{number}").EXERCISES
}
