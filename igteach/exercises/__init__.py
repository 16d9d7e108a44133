"""Checks that answer at once, name the mistake, and never print the solution: `check("01.1", my_function)`.

`cases` has what answers are called with, a module a lesson; `solutions` the right answers and the common mistakes.
`checker` runs an answer, `judging` compares what it returned; `graded` runs it as coursework, without the solutions.
"""

from igteach.exercises.cases import LESSONS, RETIRED, TASKS
from igteach.exercises.checker import Verdict
from igteach.exercises.graded import hand_in, is_graded
from igteach.exercises.hints import hint
from igteach.exercises.judging import judge
from igteach.exercises.progress_store import Progress, of_exercises, record

__all__ = ["TASKS", "Verdict", "check", "hint", "progress"]


def check(exercise: str, answer: object) -> Verdict:
    """Check your answer to an exercise, and record the result in your progress.

    Where coursework is graded, the answer runs on hidden cases, and what it returned is handed to the grader.

    Args:
        exercise: The number of the lesson and of the exercise in it, such as "01.1".
        answer: The function that you wrote.

    Returns:
        The verdict: solved, open (nothing is written yet), or not yet and why; handed in, where the grader judges it.
        A notebook shows it in colour. An error that your function raises is described in the verdict, not raised.

    Raises:
        ValueError: There is no such exercise, or there is none any more.

    Example:
        >>> from igteach.exercises import check
        >>> def to_share(f, x, baseline):
        ...     return (f(x) - f(baseline))[0]
        >>> check("00.1", to_share)
        Exercise 00.1: solved.
    """
    if exercise in RETIRED:
        raise ValueError(f"exercise {exercise} was replaced by another; a fresh copy of lesson {exercise[:2]} has it")
    if exercise not in TASKS:
        raise ValueError(f"exercise is {exercise!r}; there are {', '.join(TASKS)}")
    if is_graded():
        return hand_in(exercise, answer)
    from igteach.exercises.solutions import EXERCISES  # where coursework is graded, there are none

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
    return of_exercises([number for number in TASKS if number.startswith(lesson)])
