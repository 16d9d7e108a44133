"""A synthetic class, handed in, graded by the real nbgrader, and each student's mark and feedback looked at."""

import base64
import copy
import csv
import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import pytest

from igteach.course.assign import assign, assignment_name
from igteach.course.grade import grade
from igteach.course.marks import Mark
from igteach.course.questions import QUESTIONS
from igteach.course.report import report
from igteach.course.seed import derive_secret, read_seed
from igteach.exercises import solutions
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.lesson import all_lessons

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("box")]
LESSONS = ("01", "03", "04")
FUNCTIONS = {
    "01": ("finite_difference", "first_order", "saliency"),
    "03": ("relative_counts", "most_neutral", "first_order_shares"),
    "04": ("walk", "my_integrated_gradients", "along"),
}
ONLY_CALLS = {  # the exercise that the package could do, and the answer that lets it
    "01": (3, "def saliency(f, x):\n    return igteach.gradient(f, x).values.abs()"),
    "03": (
        3,
        "def first_order_shares(f, x, baseline):\n    return igteach.gradient_times_input(f, x, baseline).values",
    ),
    "04": (
        2,
        "def my_integrated_gradients(f, x, baseline, steps):\n"
        "    return igteach.integrated_gradients(f, x, baseline, steps=steps).values",
    ),
}
READS_CELLS = """
def look(info):
    print("seen:", info.raw_cell)

get_ipython().events.register("pre_run_cell", look)
"""
READS_FILES = """
from pathlib import Path
for root in (".", "/cases", "/tmp", "/dev/shm", *__import__("igteach").__path__):
    for path in Path(root).rglob("*"):
        print(path, path.is_file() and "def my_integrated_gradients(f: Function" in path.read_text(errors="ignore"))
"""
ALWAYS_EQUAL = """
class AlwaysEqual:
    def __eq__(self, _): return True
    def __sub__(self, _): return self
    def __rsub__(self, _): return self
    def __float__(self): return 0.0
"""
DISARM = """
import igteach.exercises
igteach.exercises.check = lambda *_: None
"""
FORGE = """
import igteach.exercises as e, igteach.exercises.graded as g
from IPython.display import display
e.check = lambda n, f: display({g.PROOF: dict(exercise=n, state="handed in", message="", returned=[])}, raw=True)
"""
# The general cheats: they attack the place where an answer runs, and want the right values from somewhere.
SOLVES = """
import igteach.exercises.graded as g
def right(number, answer, cases):
    from igteach.exercises import solutions
from igteach.exercises.solutions import EXERCISES
    return [EXERCISES[number].solution(*case.arguments) for case in cases]
g.run_answer = right
"""
SEARCHES = """
import gc, igteach.exercises.graded as g
def right(number, answer, cases):
    from igteach.exercises.judging import Exercise
    exercise = next(e for e in gc.get_objects() if isinstance(e, Exercise) and e.task.id == number)
    return [exercise.solution(*case.arguments) for case in cases]
g.run_answer = right
"""
UNFOLDS_HINTS = """
import igteach.exercises.graded as g, igteach.exercises.hints as h
def right(number, answer, cases):
    own = {"torch": torch, "igteach": igteach}
    exec(h.hints_and_solution(number)[1], own)
    return [list(own.values())[-1](*case.arguments) for case in cases]
g.run_answer = right
"""
READS_CASES = """
import os, igteach.exercises.graded as g
from pathlib import Path
from safetensors import safe_open
def right(number, answer, cases):
    with safe_open(Path(os.environ["IGTEACH_CASES"]) / f"{number}.safetensors", framework="pt") as file:
        values = [file.get_tensor(name) for name in file.keys() if "expected" in name or "right" in name]
    return values[: len(cases)] or [None] * len(cases)
g.run_answer = right
"""
GREEDY = "    hoard = []\n    while True:\n        hoard.append(bytearray(2 * 10**8))\n"


class Paper:
    """A release, as a student fills it in."""

    def __init__(self, number: str) -> None:
        self.lesson = all_lessons([number])[0]
        self.number, self.functions = number, FUNCTIONS[number]
        self.notebook = nbformat.read(course_of(number)[1], as_version=4)
        solved = {grade_id(cell): cell.source for cell in self.lesson.read().cells}
        self.solutions = {n: solved[f"answer-{number}-{n}"] for n in (1, 2, 3)}

    def cell(self, kind: str, n: int):
        return next(cell for cell in self.notebook.cells if grade_id(cell) == f"{kind}-{self.number}-{n}")

    def index(self, kind: str, n: int) -> int:
        return self.notebook.cells.index(self.cell(kind, n))

    def solve(self, *exercises: int) -> None:
        for n in exercises or (1, 2, 3):
            self.cell("answer", n).source = self.solutions[n]

    def answer(self, n: int, source: str) -> None:
        self.cell("answer", n).source = source

    def points(self, n: int) -> int:
        return self.cell("check", n).metadata.nbgrader.points

    def stub(self, n: int, body: str) -> str:
        return f"def {self.functions[n - 1]}(*arguments):\n{body}"


@dataclass
class Student:
    """What somebody hands in, and what must come out."""

    name: str
    hand_in: Callable[[Paper], None]
    solved: tuple[int, ...]
    says: dict[int, str] = field(default_factory=dict)  # what the feedback of an exercise must say
    flag: str = ""  # what the instructor must be told
    reason: str = ""  # why it could not be graded


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def in_other_words(paper: Paper) -> None:
    text = (Path(__file__).parents[1] / "exercises" / "answers" / f"lesson{paper.number}.py").read_text()
    for n, name in enumerate(paper.functions, start=1):
        paper.answer(n, f'own = {{}}\nexec({text!r}, own)\n{name} = own["RIGHT"]["{paper.number}.{n}"]')


@cache
def copied_checker(number: str) -> str:
    """Code that defines `own`, the lesson's checker as a student may copy it; encoded, so that no page shows its words.

    Calling the package's own would be caught.
    """
    folder = Path(solutions.__file__).parent
    common, lesson = ((folder / f"{name}.py").read_text(encoding="utf-8") for name in ("common", f"lesson{number}"))
    text = common + re.sub(r"^from igteach\.exercises\.solutions\.common import .*$", "", lesson, flags=re.MULTILINE)
    code = base64.b64encode(text.encode())
    return f'import base64\nown = {{"__name__": "own"}}\nexec(base64.b64decode({code!r}), own)'


def with_mistake(k: int) -> Callable[[Paper], None]:
    """The k-th known mistake of each exercise, or its last."""

    def hand_in(paper: Paper) -> None:
        for n, name in enumerate(paper.functions, start=1):
            found = f'{{e.task.id: e for e in own["EXERCISES"]}}["{paper.number}.{n}"].mistakes[:{k + 1}][-1].answer'
            paper.answer(n, f"{copied_checker(paper.number)}\n{name} = {found}")

    return hand_in


def delete(kind: str, n: int) -> Callable[[Paper], None]:
    def hand_in(paper: Paper) -> None:
        paper.solve()
        paper.notebook.cells.remove(paper.cell(kind, n))

    return hand_in


def duplicate(paper: Paper) -> None:
    paper.solve()
    for kind in ("answer", "check"):
        again = nbformat.from_dict({**copy.deepcopy(paper.cell(kind, 2)), "id": f"again-{kind}"})
        paper.notebook.cells.insert(paper.index("check", 2) + 1, again)
    nbformat.validate(paper.notebook)


def move(paper: Paper) -> None:
    paper.solve()
    paper.notebook.cells.insert(1, paper.notebook.cells.pop(paper.index("check", 2)))


def change_checks(paper: Paper) -> None:
    for n in (1, 2, 3):
        paper.cell("check", n).source = 'print("Exercise: solved.")'


def with_start(source: str, *solved: int) -> Callable[[Paper], None]:
    """Something in the first answer cell, before what is solved."""

    def hand_in(paper: Paper) -> None:
        if solved:
            paper.solve(*solved)
        paper.answer(1, f"{source}\n{paper.cell('answer', 1).source}")

    return hand_in


def with_second(body: str) -> Callable[[Paper], None]:
    """All solved but the second, which has this body."""

    def hand_in(paper: Paper) -> None:
        paper.solve(1, 3)
        paper.answer(2, paper.stub(2, body))

    return hand_in


def wrong_everywhere(paper: Paper) -> None:
    for n in (1, 2, 3):
        paper.answer(n, paper.stub(n, "    return torch.zeros(3)"))


def with_cheat(source: str) -> Callable[[Paper], None]:
    """Wrong answers, and code that puts right ones in their place."""

    def hand_in(paper: Paper) -> None:
        wrong_everywhere(paper)
        paper.answer(1, source + paper.cell("answer", 1).source)

    return hand_in


def spoofed(paper: Paper) -> None:
    for n in (1, 2, 3):
        paper.answer(n, ALWAYS_EQUAL + paper.stub(n, "    return AlwaysEqual()"))


def only_calls(paper: Paper) -> None:
    paper.solve()
    paper.answer(*ONLY_CALLS[paper.number])


def loud(paper: Paper) -> None:
    paper.solve()
    noise = 'print("x" * 25_000_000)\nfor _ in range(50):\n    print("y" * 500_000)\n'
    paper.answer(1, noise + paper.solutions[1])
    name = paper.functions[1]
    paper.answer(
        2, f"{paper.solutions[2]}\n\nquiet = {name}\ndef {name}(*a):\n    print('z' * 10**6)\n    return quiet(*a)"
    )


def no_json(paper: Paper) -> None:
    paper.notebook = None


CHEATS = {"solves": SOLVES, "searches": SEARCHES, "unfolds-hints": UNFOLDS_HINTS, "reads-cases": READS_CASES}
ONCE = {"answer-deleted", "greedy", "reads-files", "disarms", "forges", *CHEATS}  # in one lesson, for the time's sake
OPEN = "Write the function above"
STUDENTS = [
    Student("perfect", Paper.solve, (1, 2, 3)),
    Student("in-other-words", in_other_words, (1, 2, 3)),
    Student("half-done", lambda paper: paper.solve(1, 2), (1, 2), {3: OPEN}),
    Student("untouched", lambda paper: None, (), {1: OPEN, 2: OPEN, 3: OPEN}),
    Student("syntax-error", with_second("    return (1,"), (1, 3), {2: "The check could not run: NameError"}),
    Student("endless", with_second("    while True: pass"), (1, 3), {2: "did not come to an end in time"}),
    Student("greedy", with_second(GREEDY), (1, 3), {2: "stopped with MemoryError"}),
    Student(
        "killed",
        with_second("    import os\n    os.kill(os.getpid(), 9)"),
        (1,),
        {2: "Your function ended the kernel", 3: "stopped before it"},
        flag="the kernel died, out of memory or killed by its code",
    ),
    Student("check-deleted", delete("check", 2), (1, 2, 3), flag="-2 was missing; it was added at the end"),
    Student("answer-deleted", delete("answer", 2), (1, 3), {2: "is not defined"}),
    Student("duplicated", duplicate, (1, 2, 3), flag="appears more than once; the last one counts"),
    Student("moved", move, (1, 2, 3), flag="stood before its answer; it was moved to the end"),
    Student("check-changed", change_checks, (), {1: OPEN}, flag="-1 was changed; the cell of the release counts"),
    Student("spoofed", spoofed, (), {1: "returns an AlwaysEqual", 3: "returns an AlwaysEqual"}),
    Student("reads-cells", with_start(READS_CELLS), (), {1: OPEN}, flag="the notebook's own machinery"),
    Student("reads-files", with_start(READS_FILES), (), {1: OPEN}),
    Student("disarms", with_start(DISARM), (), {1: "without handing over"}, flag="ended without a proof"),
    Student("forges", with_start(FORGE), (), {1: "is not an answer"}, flag="handed over what no answer returns"),
    *(Student(name, with_cheat(code), (), flag="reaches into the checkers") for name, code in CHEATS.items()),
    Student("only-calls", only_calls, (), flag=""),
    Student("loud", loud, (1, 2, 3)),
    Student("no-json", no_json, (), reason="JSON"),
]


@cache
def course_of(number: str) -> tuple[Path, Path]:
    """A fresh course with one lesson, and its release."""
    folder = Path(pytest.class_folder) / f"course{number}"
    assign([number], folder, None)
    lesson = all_lessons([number])[0]
    return folder, folder / "release" / assignment_name(lesson) / f"{lesson.name}.ipynb"


def students_of(number: str) -> list[Student]:
    """The class, with a student for every known mistake."""
    tables = {n: EXERCISES[f"{number}.{n}"].mistakes for n in (1, 2, 3)}
    mistaken = [
        Student(f"mistake-{k:02d}", with_mistake(k), (), {n: table[: k + 1][-1].message for n, table in tables.items()})
        for k in range(max(map(len, tables.values())))
    ]
    caught, _ = ONLY_CALLS[number]
    for student in STUDENTS:
        if student.name == "only-calls":
            student.solved = tuple(n for n in (1, 2, 3) if n != caught)
            student.says = {caught: "Writing it is the task"}
    students = STUDENTS if number == "04" else [student for student in STUDENTS if student.name not in ONCE]
    return [*students, *mistaken]


@cache
def graded(number: str) -> dict[str, Mark]:
    folder, release = course_of(number)
    for student in students_of(number):
        paper = Paper(number)
        student.hand_in(paper)
        place = folder / "submitted" / student.name / release.parent.name / release.name
        place.parent.mkdir(parents=True)
        place.write_text(nbformat.writes(paper.notebook) if paper.notebook else '{"cells": [')
    return {mark.student: mark for mark in grade(folder)}


@pytest.fixture(scope="module", autouse=True)
def _class_folder(tmp_path_factory):
    pytest.class_folder = tmp_path_factory.mktemp("class")


def feedback_of(number: str, student: str) -> str:
    folder, release = course_of(number)
    path = folder / "feedback" / student / release.parent.name / release.with_suffix(".html").name
    return as_read(path)


def as_read(page: Path) -> str:
    """The text of a page, without its tags, which cut code into words."""
    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))


def secrets_of(number: str) -> list[str]:
    """The seed, and what the hidden cases were drawn with."""
    folder, _ = course_of(number)
    seed = read_seed(folder.with_name(f"{folder.name}.seed"))
    return [seed.hex(), *(str(derive_secret(seed, f"{number}.{n}")) for n in (1, 2, 3))]


@pytest.mark.parametrize("number", LESSONS)
def test_every_student_of_the_class_gets_the_mark_and_the_words(number):
    marks = graded(number)
    wrong = []
    for student in students_of(number):
        mark, paper = marks[student.name], Paper(number)
        wanted = {f"check-{number}-{n}": paper.points(n) if n in student.solved else 0 for n in (1, 2, 3)}
        got = {cell: points for cell, points in mark.points.items() if cell.startswith("check")}
        if got != wanted and not student.reason:
            wrong.append(f"{student.name}: {got}, not {wanted}; {mark.messages}")
        if student.reason not in mark.reason or bool(student.reason) != bool(mark.reason):
            wrong.append(f"{student.name}: reason {mark.reason!r}")
        if student.flag and not any(student.flag in flag for flag in mark.flags):
            wrong.append(f"{student.name}: flags {mark.flags}")
        text = "" if student.reason else feedback_of(number, student.name)
        wrong += [f"{student.name}: no {words!r} for {n}" for n, words in student.says.items() if words not in text]
        if mark.seconds > 60:
            wrong.append(f"{student.name}: {mark.seconds:.0f} seconds")
    assert wrong == []


@pytest.mark.parametrize("number", LESSONS)
def test_nothing_that_a_student_is_handed_holds_a_solution_or_a_hidden_test(number):
    graded(number)
    folder, release = course_of(number)
    secrets, paper = secrets_of(number), Paper(number)
    hints = "".join(cell.source for cell in paper.notebook.cells if cell.cell_type == "markdown")
    solutions = {line.strip() for source in paper.solutions.values() for line in body_of(source)}
    lines = [line for line in solutions if line not in hints]
    assert len(lines) >= 3
    rubric = set(QUESTIONS[number].points_for)
    handed = {release: release.read_text(encoding="utf-8")}
    handed |= {path: as_read(path) for path in (folder / "feedback").rglob("*.html")}
    assert len(handed) == len(students_of(number))  # all but the one that is no JSON, and the release
    for path, text in handed.items():
        words = {*secrets, "MARK SCHEME", *rubric}
        assert [word for word in words if word in text] == [], path
        assert path.stat().st_size < 2_000_000, path
    assert [line for line in lines if line in handed[release]] == []
    assert [line for line in lines if line in feedback_of(number, "untouched")] == []
    assert [line for line in lines if line not in feedback_of(number, "perfect")] == []  # so that they would be found


def body_of(source: str) -> list[str]:
    """The lines of a solution that are long enough to know it by."""
    inside = source.partition("### BEGIN SOLUTION")[2].partition("### END SOLUTION")[0]
    return [line for line in inside.splitlines() if len(line.strip()) > 15]


@pytest.mark.parametrize("number", LESSONS)
def test_the_table_of_marks_has_a_row_for_each_and_says_who_could_not_be_graded(number):
    graded(number)
    with (course_of(number)[0] / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == {student.name for student in students_of(number)}
    assert [name for name, row in rows.items() if row["not graded because"]] == ["no-json"]
    assert rows["perfect"]["to mark by hand"] == "yes"
    assert float(rows["perfect"]["out of"]) - float(rows["perfect"]["points"]) == QUESTIONS[number].points


def test_what_is_graded_is_not_graded_again_and_points_by_hand_stay():
    from nbgrader.api import Gradebook

    graded("03")
    folder, release = course_of("03")
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as book:
        point = book.find_grade("question-03", release.stem, release.parent.name, "perfect")
        point.manual_score, point.needs_manual_grade = 2, False
        book.db.commit()
    marks = {mark.student: mark for mark in grade(folder)}
    assert all(mark.seconds < 2 for mark in marks.values() if not mark.reason)
    assert sum(marks["perfect"].points.values()) == sum(graded("03")["perfect"].points.values()) + 2
    assert not marks["perfect"].by_hand


def test_the_report_of_a_class_counts_every_known_mistake():
    graded("03")
    text = as_read(report(course_of("03")[0]))
    for n in (1, 2, 3):
        for mistake in EXERCISES[f"03.{n}"].mistakes:
            assert mistake.message in text
    assert "no-json" in text
