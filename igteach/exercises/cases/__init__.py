"""What an answer is called with: tensors, and functions of named families. The cases of lesson 04 are in `lesson04`.

The right answers are not here but in `igteach.exercises.solutions`, which the code of a hand-in cannot read while it
is graded.
"""

from importlib import import_module

from igteach.exercises.checker import Task

LESSONS = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14")
RETIRED = (  # exercises that were replaced; no other gets their number
    *("00.3", "01.2", "01.3", "03.3", "04.3"),
    *("05.1", "06.2", "07.4", "08.1", "09.2"),
    *("10.4", "11.2", "12.2", "13.1"),
)
TASKS: dict[str, Task] = {
    task.id: task for number in LESSONS for task in import_module(f"igteach.exercises.cases.lesson{number}").TASKS
}
