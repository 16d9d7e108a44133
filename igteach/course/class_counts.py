"""What a class has done, counted: by assignment, by exercise, and by mistake."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import quantiles

from igteach.course.exercise_list import exercise_titles, lesson_of
from igteach.course.marks import Mark
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson_map import title_of

LEFT_OPEN = "(left open)"
# What a message that is no known mistake contains, and the group that it is counted in. The first that fits counts.
MESSAGE_GROUPS = {
    "your code stopped with": "(the code stopped with an error)",
    "The check could not run": "(the code stopped with an error)",
    "Write the function above": LEFT_OPEN,
    "Writing it is the task": "(called the package's own answer)",
    "come to an end in time": "(ran out of time or memory)",
    "ended the kernel": "(ran out of time or memory)",
    "did not run": "(ran out of time or memory)",
}
OTHER_MESSAGES = "(another wrong answer)"


@dataclass
class ExerciseCount:
    """How a class did in an exercise.

    Attributes:
        number: The exercise's id, such as "04.2".
        title: Its title in the lesson; empty if it is of no lesson.
        tried: How many submissions were graded on it.
        passed: How many of them solved it.
        stopped: For how many it is the first that they did not solve.
        told: What those who did not solve it were told, and how many.
    """

    number: str
    title: str
    tried: int = 0
    passed: int = 0
    stopped: int = 0
    told: Counter[str] = field(default_factory=Counter)

    @property
    def heading(self) -> str:
        """Such as "04.2: walk any path"."""
        return f"{self.number}: {self.title}" if self.title else self.number


@dataclass
class AssignmentCount:
    """How a class did in an assignment.

    Attributes:
        name: Its name.
        title: The title of its lesson, or else its name.
        short: The number of its lesson, or else its name.
        marks: What was handed in.
        exercises: The exercises, the one at which most students stop first.
    """

    name: str
    title: str
    short: str
    marks: list[Mark]
    exercises: list[ExerciseCount]

    @property
    def graded(self) -> list[Mark]:
        """The submissions that could be graded."""
        return [mark for mark in self.marks if not mark.reason]

    @property
    def quartiles(self) -> list[float]:
        """A quarter, the median and three quarters of the fractions of the points that were reached."""
        fractions = [mark.total / mark.maximum for mark in self.graded if mark.maximum]
        return quantiles(fractions, method="inclusive") if len(fractions) > 1 else fractions * 3


def count(marks: Iterable[Mark]) -> list[AssignmentCount]:
    """Count what a class has done.

    Args:
        marks: The marks of the course.

    Returns:
        The assignments in the order of the term, which is that of their names.
    """
    marks = list(marks)
    names = sorted({mark.assignment for mark in marks})
    numbers = Counter(name[:2] for name in names)
    counts = []
    for name in names:
        lesson = lesson_of(name)
        is_only_one = lesson is not None and numbers[name[:2]] == 1
        of_assignment = [mark for mark in marks if mark.assignment == name]
        counts.append(
            AssignmentCount(
                name=name,
                title=title_of(lesson) if lesson else name,
                short=name[:2] if is_only_one else name,
                marks=of_assignment,
                exercises=count_exercises(of_assignment, exercise_titles(name)),
            )
        )
    return counts


def count_exercises(marks: list[Mark], titles: dict[str, str]) -> list[ExerciseCount]:
    """Count how a class did in the exercises of an assignment.

    Args:
        marks: The assignment's marks; those that could not be graded do not count.
        titles: The titles of the exercises, by their ids.

    Returns:
        The exercises, the one at which most students stop first.
    """
    graded = [mark for mark in marks if not mark.reason]
    checks = sorted({cell for mark in graded for cell in mark.out_of if cell.startswith("check-")})
    numbers = {check: check.removeprefix("check-").replace("-", ".") for check in checks}
    counts = {check: ExerciseCount(number, titles.get(number, "")) for check, number in numbers.items()}
    for mark in graded:
        unsolved = [check for check in checks if check in mark.out_of and not _is_solved(mark, check)]
        for check in unsolved[:1]:
            counts[check].stopped += 1
        for check in checks:
            counts[check].tried += check in mark.out_of
            counts[check].passed += check in mark.out_of and check not in unsolved
        for check in unsolved:
            if check in mark.messages:
                counts[check].told[message_group(numbers[check], mark.messages[check])] += 1
    return sorted(counts.values(), key=lambda exercise: (-exercise.stopped, exercise.number))


def _is_solved(mark: Mark, check: str) -> bool:
    return mark.points.get(check, 0) >= mark.out_of[check]


def message_group(number: str, message: str) -> str:
    """Say what a message of a check is counted as.

    Args:
        number: The exercise's id.
        message: What the check told a student.

    Returns:
        The message of a known mistake as it is, or else one of a few groups, in brackets.
    """
    if message in _known_mistakes(number):
        return message
    fitting = (group for words, group in MESSAGE_GROUPS.items() if words in message)
    return next(fitting, OTHER_MESSAGES)


def _known_mistakes(number: str) -> list[str]:
    return [mistake.message for mistake in EXERCISES[number].mistakes] if number in EXERCISES else []


def misconceptions(assignments: Iterable[AssignmentCount]) -> list[tuple[int, ExerciseCount, str]]:
    """Find the most common misconceptions.

    Args:
        assignments: The assignments to look at.

    Returns:
        How many students have it, the exercise, and what they were told; the most common first.
    """
    found = [
        (students, exercise, message)
        for assignment in assignments
        for exercise in assignment.exercises
        for message, students in exercise.told.items()
        if message in _known_mistakes(exercise.number)
    ]
    return sorted(found, key=lambda one: (-one[0], one[1].number, one[2]))
