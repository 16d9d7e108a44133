"""What the tests of coursework share."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

from igteach.course import grade, sandbox, submission, time_limits
from igteach.course.assign import add_scripts_to_path, assign, assignment_name
from igteach.course.nbgrader_steps import SandboxedExecute
from igteach.course.seed import make_seed
from igteach.lessons.lesson import all_lessons, grade_id


@pytest.fixture(scope="session")
def box() -> None:
    """For tests that need bubblewrap: skipped without, or failed where IGTEACH_REQUIRE_SANDBOX=1."""
    if not sandbox.available():
        if os.environ.get("IGTEACH_REQUIRE_SANDBOX") == "1":
            pytest.fail("IGTEACH_REQUIRE_SANDBOX=1, but bubblewrap does not work here")
        pytest.skip("bubblewrap does not work here; on Debian: apt-get install bubblewrap")


def named(cell, **metadata):
    cell.metadata["nbgrader"] = metadata
    return cell


RELEASE = new_notebook(
    cells=[
        new_code_cell("def f(): ...", id="f"),
        named(new_code_cell("check()", id="check"), grade_id="check-1", grade=True, locked=True, points=2),
        named(new_markdown_cell("Why?", id="question"), grade_id="question-1", task=True, locked=True, points=3),
        new_markdown_cell("*Write your answer here.*", id="written"),
    ]
)


@pytest.fixture(scope="session")
def empty_course(tmp_path_factory) -> Path:
    """A course of one assignment, `a`, with 2 points by the grader and 3 by a person; nobody has handed in."""
    course = tmp_path_factory.mktemp("empty") / "course"
    for step in ("release", "source"):
        (course / step / "a").mkdir(parents=True)
        nbformat.write(RELEASE, course / step / "a" / "n.ipynb")
    (course / "submitted").mkdir()
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.SandboxedExecute.seconds = 55\n")
    add_scripts_to_path()
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        gradebook.add_assignment("a")
        gradebook.add_notebook("n", "a")
        gradebook.add_grade_cell("check-1", "n", "a", max_score=2, cell_type="code")
        gradebook.add_task_cell("question-1", "n", "a", max_score=3, cell_type="markdown")
    return course


@pytest.fixture
def run_in_box(box, tmp_path, monkeypatch):
    """Runs cells as a submission for a lesson with this head: what each printed, or its error's name, and the flags.

    The submission's own first cell and metadata claim more than any lesson; `settings` are those of the course.
    """
    monkeypatch.chdir(tmp_path)
    make_seed(tmp_path / "seed")
    (tmp_path / "source" / "a").mkdir(parents=True)

    def run(head: str, *cells: str, **settings: int) -> tuple[list[str], list[str]]:
        nbformat.write(new_notebook(cells=[new_markdown_cell(head)]), tmp_path / "source" / "a" / "n.ipynb")
        claims = "**Graded.** 500 seconds a cell, 500 seconds in all, 64 GB of memory."
        numbers = {"timeout": 500, "cell": 500, "seconds": 500, "submission": 500, "memory": 64}
        handed_in = new_notebook(cells=[new_markdown_cell(claims), *map(new_code_cell, cells)])
        handed_in.metadata.update(numbers, igteach={"limits": numbers, **numbers})
        step = SandboxedExecute(seed_file=str(tmp_path / "seed"), kernel_name="python3", **settings)
        ran, _ = step.preprocess(handed_in, {"nbgrader": {"assignment": "a", "notebook": "n"}, "metadata": {}})
        said = ["".join(out.get("text", out.get("ename", "")) for out in cell.outputs) for cell in ran.cells[1:]]
        return [text.strip() for text in said], ran.metadata["igteach"]["flags"]

    return run


class Class:
    """A course whose submissions are graded by a stand-in for nbgrader: 2 points for the word `right`.

    Attributes:
        course: The course folder.
        runs: The students whose submission was run, in this order.
        fails: What happens to a student's submission instead, the first time and the next ones.
    """

    def __init__(self, course: Path) -> None:
        self.course = course
        self.runs: list[str] = []
        self.fails: dict[str, list] = {}
        self.points = 2.0
        self.pages: list[str] = []

    def hand_in(self, student: str, code: str = "right", essay: str = "") -> None:
        notebook = nbformat.from_dict(RELEASE)
        notebook.cells[0].source = code
        if essay:
            notebook.cells[3].source = essay
        place = self.course / "submitted" / student / "a"
        place.mkdir(parents=True, exist_ok=True)
        (place / "n.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")

    def grade(self, *, jobs: int = 1, **asked) -> dict[str, grade.Mark]:
        """Grade, in the order of the students' names."""
        self.runs.clear()
        self.pages.clear()
        marks = grade.grade(self.course, grade.Request(jobs=jobs, **asked))
        return {mark.student: mark for mark in marks}

    def give(self, student: str, points: float | None, comment: str | None = None, cell: str = "question-1") -> None:
        """What Formgrader does when a person gives points and a comment."""
        with Gradebook(f"sqlite:///{self.course}/gradebook.db") as gradebook:
            found = gradebook.find_grade(cell, "n", "a", student)
            found.manual_score, found.needs_manual_grade = points, False
            if comment is not None:
                gradebook.find_comment(cell, "n", "a", student).manual_comment = comment
            gradebook.db.commit()

    def nbgrader(self, course: Path, command: str, assignment: str, *options: str, seconds: float):
        given = dict(option.removeprefix("--").split("=", 1) for option in options if "=" in option)
        if command == "generate_feedback":
            return self._feedback(assignment, given["CourseDirectory.student_id_exclude"].split(","))
        self.runs.append(given["student"])
        mishap = self.fails.get(given["student"], [])
        what = mishap.pop(0) if mishap else None
        if isinstance(what, BaseException):
            raise what
        if isinstance(what, str):
            return subprocess.CompletedProcess([], 1, "", what)
        self._autograde(given["student"], assignment, given, what)
        return subprocess.CompletedProcess([], 0, "", "")

    def _autograde(self, student: str, assignment: str, given: dict[str, str], flags: list[str] | None) -> None:
        staged = self.course / given["CourseDirectory.submitted_directory"] / student / assignment
        fresh = self.course / given["CourseDirectory.autograded_directory"] / student / assignment
        fresh.mkdir(parents=True)
        notebook = nbformat.read(staged / "n.ipynb", as_version=4)
        notebook.metadata["igteach"] = {"flags": flags or []}
        nbformat.write(notebook, fresh / "n.ipynb")
        with Gradebook(f"sqlite:///{self.course}/gradebook.db") as gradebook:
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(assignment, student)
            found = gradebook.find_grade("check-1", "n", assignment, student)
            found.auto_score = self.points if notebook.cells[0].source == "right" else 0.0
            found.needs_manual_grade = found.manual_score is not None
            gradebook.db.commit()

    def _feedback(self, assignment: str, excluded: list[str]):
        for folder in (self.course / "autograded").glob(f"*/{assignment}"):
            student = folder.parent.name
            if student not in excluded:
                self.pages.append(student)
                page = self.course / "feedback" / student / assignment / "n.html"
                page.parent.mkdir(parents=True, exist_ok=True)
                page.write_text("page")
        return subprocess.CompletedProcess([], 0, "", "")


@pytest.fixture
def pupils(empty_course, tmp_path, monkeypatch) -> Class:
    """An empty class, graded by the stand-in, with limits that are not measured."""
    shutil.copytree(empty_course, tmp_path / "course")
    made = Class(tmp_path / "course")
    for module in (submission, grade):
        monkeypatch.setattr(module, "run_nbgrader_bound", made.nbgrader)
    monkeypatch.setattr(time_limits, "measured", lambda course, assignment, least: least)
    monkeypatch.setattr(sandbox, "available", lambda: True)
    return made


class Papers:
    """A course of lesson 02, and its release, which students fill in.

    Attributes:
        number: The number of the lesson.
        course: The course folder, made if it is missing.
        name: The name of the assignment.
        file: The name of its notebook.
    """

    number = "02"

    def __init__(self, course: Path) -> None:
        lesson = all_lessons([self.number])[0]
        self.course, self.name, self.file = course, assignment_name(lesson), f"{lesson.name}.ipynb"
        if not course.exists():
            assign([self.number], course, None)
        cells = lesson.read().cells
        self.solutions = {grade_id(cell): cell.source for cell in cells}
        self.out_of = {
            cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
            for cell in cells
            if cell.metadata.get("nbgrader", {}).get("points")
        }

    def filled(self, *solved: int, essay: str = "") -> nbformat.NotebookNode:
        """The release with some exercises solved, and an answer to the question."""
        notebook = nbformat.read(self.course / "release" / self.name / self.file, as_version=4)
        names = {f"answer-{self.number}-{number}" for number in solved}
        for cell in notebook.cells:
            name = grade_id(cell)
            cell.source = self.solutions[name] if name in names else cell.source
        notebook.cells[-1].source = essay or notebook.cells[-1].source
        return notebook

    def place(self, student: str) -> Path:
        """The folder of a student's submission, made if it is missing."""
        folder = self.course / "submitted" / student / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def hand_in(self, student: str, data: bytes | nbformat.NotebookNode) -> None:
        """Lay a file into submitted/."""
        text = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
        (self.place(student) / self.file).write_bytes(text)


@pytest.fixture(scope="session")
def papers_of() -> type[Papers]:
    """What makes a course of lesson 02 in a folder, or takes the one that is there."""
    return Papers
