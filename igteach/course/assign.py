"""From a lesson to an assignment of an nbgrader course."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from igteach.course.questions import Question, question_of
from igteach.course.seed import course_seed, outside_the_repository, secret_of
from igteach.lessons.build import as_text
from igteach.lessons.contract import given_away
from igteach.lessons.files import write_whole
from igteach.lessons.lesson import Lesson, all_lessons

CONFIG = '''"""nbgrader's settings for this course, written by `python -m igteach assign`; yours to change."""

from igteach.course.feedback import FeedbackPage
from igteach.course.nbgrader_steps import AUTOGRADE, FEEDBACK, SANITIZE

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {name!r}
c.Autograde.sanitize_preprocessors = SANITIZE
c.Autograde.autograde_preprocessors = AUTOGRADE
c.GenerateFeedback.preprocessors = FEEDBACK
c.GenerateFeedback.exporter_class = FeedbackPage
c.SandboxedExecute.timeout = 20  # seconds a cell; the first one loads PyTorch
c.SandboxedExecute.seconds = 55  # seconds a submission
c.SandboxedExecute.kernel_name = "python3"
'''


def assign_lesson(lesson: Lesson, course: Path, seed_file: Path) -> str:
    """Lay a lesson into a course folder as source and release; what was done, in one line.

    An assignment is named after its lesson and the lesson's version, and is never changed once it is there.
    Raises ValueError where the course or the seed would lie in the repository, and RuntimeError where nbgrader
    fails or a release would give something away.
    """
    outside_the_repository(course, "the course")
    seed = course_seed(seed_file)
    name = assignment_name(lesson)
    released = course / "release" / name / f"{lesson.name}.ipynb"
    if released.exists():
        return f"{name}: is there, unchanged"
    if not (course / "nbgrader_config.py").exists():
        write_whole(course / "nbgrader_config.py", CONFIG.format(name=course.resolve().name), replace=False)
    source = course / "source" / name / f"{lesson.name}.ipynb"
    write_whole(source, as_text(with_hidden_tests(lesson, seed)), replace=True)
    nbgrader(course, "generate_assignment", name, "--create", "--force")
    if faults := leaks(nbformat.read(released, as_version=4)):
        released.unlink()
        raise RuntimeError(f"the release of {name} gave something away and was taken back: {faults[0]}")
    return f"{name}: {points_of(source)} points, release in {released.parent}"


def assignment_name(lesson: Lesson) -> str:
    """Such as 04_integrated_gradients-1a2b3c: the lesson and the first half of its version."""
    return f"{lesson.name}-{lesson.read().metadata.igteach.version[:6]}"


def with_hidden_tests(lesson: Lesson, seed: bytes) -> NotebookNode:
    """The lesson with its checks graded by hidden tests from the seed, and its question for a person to mark."""
    notebook = copy.deepcopy(lesson.read())
    for cell in notebook.cells:
        call = re.match(r'check\("(\d\d\.\d)", (\w+)\)\s*$', cell.source)
        if call and cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source += hidden_test(call.group(1), call.group(2), seed)
    notebook.cells += question_cells(lesson.number, question_of(lesson.number))
    return notebook


def hidden_test(exercise: str, function: str, seed: bytes) -> str:
    """The lines that nbgrader hides."""
    return (
        "\n### BEGIN HIDDEN TESTS\n"
        "from igteach.exercises.graded import graded_check\n"
        f'graded_check("{exercise}", {function}, {secret_of(seed, exercise)})\n'
        "### END HIDDEN TESTS"
    )


def question_cells(number: str, question: Question) -> list[NotebookNode]:
    """The question as nbgrader's manually graded task, and a cell for the answer."""
    rubric = "\n".join(f"- 1 point: {line}" for line in question.points_for)
    text = f"## To hand in\n\n{question.text}\n\n*{question.points} points, marked by a person.*"
    marks = f"\n\n### BEGIN MARK SCHEME\n{rubric}\n### END MARK SCHEME"
    task = {"grade_id": f"question-{number}", "points": question.points, "task": True, "locked": True}
    nbgrader_metadata = {**task, "schema_version": 3, "grade": False, "solution": False}
    asked = nbformat.v4.new_markdown_cell(text + marks, metadata={"nbgrader": nbgrader_metadata})
    answer = nbformat.v4.new_markdown_cell("*Write your answer here.*")
    asked["id"], answer["id"] = f"question-{number}", f"written-{number}"
    return [asked, answer]


def leaks(release: NotebookNode) -> list[str]:
    """What a release would give away, one line a fault."""
    found = list(given_away(release))
    found += [f"cell {n} names the hidden check" for n, cell in enumerate(release.cells, 1) if "graded" in cell.source]
    return found


def points_of(notebook: Path) -> int:
    """All points of a notebook, those for a person to give included."""
    cells = nbformat.read(notebook, as_version=4).cells
    return sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)


def nbgrader(course: Path, *arguments: str) -> str:
    """Run one of nbgrader's commands in a process of its own; what it logged.

    Raises RuntimeError with the last lines of its log where it fails.
    """
    done = run_nbgrader(course, *arguments)
    if done.returncode:
        raise RuntimeError(f"nbgrader {arguments[0]} failed: {' / '.join(done.stderr.strip().splitlines()[-3:])}")
    return done.stderr


def run_nbgrader(course: Path, *arguments: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """One of nbgrader's commands, ended. Raises subprocess.TimeoutExpired, and as `config_must_load`."""
    find_alembic()
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False, timeout=seconds)
    config_must_load(done.stderr)
    return done


def find_alembic() -> None:
    """Lets nbgrader, which calls it by its name to open a gradebook, find it where no environment was activated."""
    scripts, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, path])


def config_must_load(log: str) -> None:
    """Raises RuntimeError where nbgrader could not read nbgrader_config.py: it would go on without our sandbox."""
    if "Exception while loading config file" in log:
        error = next((line.strip() for line in log.splitlines() if re.match(r" +\w+Error: ", line)), "see its log")
        raise RuntimeError(
            f"nbgrader_config.py of the course does not load ({error}); mend it, or delete it and assign again"
        )


def assign(numbers: list[str], course: Path, seed_file: Path | None) -> list[str]:
    """Assign the lessons with these numbers; a line for each. The seed lies in the course where no file is given."""
    return [assign_lesson(lesson, course, seed_file or course / "course.seed") for lesson in all_lessons(numbers)]
