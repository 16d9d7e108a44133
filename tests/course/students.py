"""Students of the tests: what each hands in, and what must come out."""

import base64
import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat

from igteach.exercises import TASKS, solutions
from igteach.lessons.lesson import all_lessons, grade_id

FUNCTIONS = {
    "01": ("finite_difference", "trusted_step", "saliency_of_lead"),
    "02": ("unexplained", "occlusion", "scale_free"),
    "03": ("relative_counts", "most_neutral", "raw_shares"),
    "04": ("walk", "my_integrated_gradients", "stroke_shares"),
}
ONLY_CALLS = {  # the exercise that the package could do, and the answer that lets it
    "01": (
        3,
        "def saliency_of_lead(f, x, leader, rival):\n"
        "    return igteach.gradient(lambda points: f(points)[:, leader] - f(points)[:, rival], x).values.abs()",
    ),
    "03": (
        3,
        "def raw_shares(f, measured, background, mean, deviation):\n"
        "    x, baseline = ((each - mean) / deviation for each in (measured, background))\n"
        "    return igteach.gradient_times_input(f, x, baseline).values",
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


def exercises_of(number: str) -> dict[int, str]:
    """The first three exercises of a lesson, by their place."""
    return dict(enumerate([exercise for exercise in TASKS if exercise.startswith(number)][:3], start=1))


class Paper:
    """A release, as a student fills it in. Its exercises go by their place: 1, 2 and 3.

    Attributes:
        number: The number of the lesson.
        exercises: Their ids, by place.
        functions: The names of the functions that its exercises ask for.
        notebook: What is handed in.
        solutions: The source of each exercise's answer cell in the solved lesson.
        raw: Bytes to hand in instead of the notebook.
    """

    def __init__(self, number: str, release: Path) -> None:
        self.lesson = all_lessons([number])[0]
        self.number, self.functions = number, FUNCTIONS[number]
        self.exercises = exercises_of(number)
        self.notebook = nbformat.read(release, as_version=4)
        self.raw: bytes | None = None
        solved = {grade_id(cell): cell.source for cell in self.lesson.read().cells}
        self.solutions = {n: solved[self.grade_id("answer", n)] for n in (1, 2, 3)}

    @property
    def file(self) -> bytes:
        """The file that is handed in."""
        return nbformat.writes(self.notebook).encode() if self.raw is None else self.raw

    def grade_id(self, kind: str, n: int) -> str:
        return f"{kind}-{self.exercises[n].replace('.', '-')}"

    def cell(self, kind: str, n: int):
        return next(cell for cell in self.notebook.cells if grade_id(cell) == self.grade_id(kind, n))

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
    hand_in: Callable[[Paper], object]
    solved: tuple[int, ...]
    says: dict[int, str] = field(default_factory=dict)  # what the feedback of an exercise must say
    flag: str = ""  # what the instructor must be told
    reason: str = ""  # why it could not be graded


def in_other_words(paper: Paper) -> None:
    text = (Path(__file__).parents[1] / "exercises" / "answers" / f"lesson{paper.number}.py").read_text()
    for n, name in enumerate(paper.functions, start=1):
        found = f'own["RIGHT"]["{paper.exercises[n]}"][0]'
        paper.answer(n, f"own = {{}}\nexec({text!r}, own)\n{name} = {found}")


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
            found = f'{{e.task.id: e for e in own["EXERCISES"]}}["{paper.exercises[n]}"].mistakes[:{k + 1}][-1].answer'
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


def with_end(source: str, *solved: int) -> Callable[[Paper], None]:
    """Something in the last answer cell, after what is solved."""

    def hand_in(paper: Paper) -> None:
        paper.solve(*solved)
        paper.answer(3, f"{paper.cell('answer', 3).source}\n{source}")

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
    paper.raw = b'{"cells": ['


OWN_SETTINGS = """
import torch, warnings
torch.set_default_dtype(torch.float64)
torch.set_grad_enabled(False)
torch.manual_seed(7)
warnings.simplefilter("error")
"""
OWN_NAMES = "check = print = display = progress = len = isinstance = str = type = None"
INNOCENT = "# This is graded; upgraded from my .ipynb of last week, without subprocess.\nupgraded = True"


def as_utf_16(paper: Paper) -> None:
    paper.solve(1, 3)
    paper.raw = paper.file.decode().encode("utf-16")


def with_nulls(paper: Paper) -> None:
    paper.solve(1, 2)
    notebook = json.loads(paper.file)
    for cell in notebook["cells"]:
        if "nbgrader" not in cell["metadata"]:
            cell["metadata"] = {"nbgrader": None, "tags": None}
    notebook["metadata"] = None
    paper.raw = json.dumps(notebook).encode()


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
    Student("check-deleted", delete("check", 2), (1, 2, 3), flag=" was missing; it was added at the end"),
    Student("answer-deleted", delete("answer", 2), (1, 3), {2: "is not defined"}),
    Student("duplicated", duplicate, (1, 2, 3), flag="appears more than once; the last one counts"),
    Student("moved", move, (1, 2, 3), flag="stood before its answer; it was moved to the end"),
    Student("check-changed", change_checks, (), {1: OPEN}, flag="-1 was changed; the cell of the release counts"),
    Student("spoofed", spoofed, (), {1: "returns an AlwaysEqual", 3: "returns an AlwaysEqual"}),
    Student("reads-cells", with_start(READS_CELLS), (), {1: OPEN}, flag="the notebook's own machinery"),
    Student("reads-files", with_start(READS_FILES), (), {1: OPEN}),
    Student("disarms", with_start(DISARM), (), {1: "without sending back"}, flag="ended without a proof"),
    Student(
        "forges", with_start(FORGE), (), {1: "is not an answer"}, flag="sent back something that no answer can return"
    ),
    *(Student(name, with_cheat(code), (), flag="reaches into the checkers") for name, code in CHEATS.items()),
    Student("only-calls", only_calls, (), flag=""),
    Student("loud", loud, (1, 2, 3)),
    Student("no-json", no_json, (), reason="JSON"),
]

ALL = (1, 2, 3)
OF_THE_FORTY = {
    "honest": ("perfect", "in-other-words", "half-done", "untouched", "loud", "moved"),
    "clumsy": ("syntax-error", "endless", "greedy", "killed", "answer-deleted", "duplicated", "no-json"),
    "hostile": ("spoofed", "reads-files", "disarms", "forges", *CHEATS),
}
FORTY = [student for student in STUDENTS if any(student.name in names for names in OF_THE_FORTY.values())]
FORTY += [
    Student("own-settings", with_end(OWN_SETTINGS, *ALL), ALL),
    Student("own-names", with_end(OWN_NAMES, *ALL), ALL),
    Student("innocent-comments", with_start(INNOCENT, *ALL), ALL),
    Student("utf-16", as_utf_16, (1, 3), {2: OPEN}),
    Student("nulls", with_nulls, (1, 2), {3: OPEN}),
]
