"""The long checks: lessons run untouched, on one thread as on two, and turn red when igteach is broken."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from igteach.course.release_checks import NBVAL
from igteach.exercises import graded
from igteach.lessons.build import execute
from igteach.lessons.lesson import all_lessons
from igteach.models import smollm2

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
OTHER_THREADS = """\
import threading
from igteach.exercises import graded
print([each.name for each in threading.enumerate() if each not in graded.THREADS_OF_THE_KERNEL])"""
LESSONS = pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)


@pytest.mark.sampled(1)
@LESSONS
def test_an_untouched_lesson_runs_to_its_end_with_every_exercise_open(lesson):
    notebook = execute(nbformat.read(lesson.learner, as_version=4), lesson)
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    shown = [cell.outputs[0]["data"]["text/plain"] for cell in checks]
    assert shown
    assert all(": open." in verdict for verdict in shown), shown


@pytest.mark.sampled(1)
@LESSONS
def test_a_lesson_leaves_no_thread_that_would_be_held_against_a_student(lesson, tmp_path, monkeypatch):
    monkeypatch.setenv(graded.CASES_VARIABLE, str(tmp_path))
    notebook = nbformat.read(lesson.learner, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
    notebook.cells.append(nbformat.v4.new_code_cell(OTHER_THREADS))
    assert execute(notebook, lesson).cells[-1].outputs[0]["text"].strip() == "[]"


@pytest.mark.sampled(1)
@LESSONS
def test_two_threads_give_the_outputs_that_one_gave(lesson):
    result = nbval(lesson.number, {"OMP_NUM_THREADS": "2"})
    assert result.returncode == 0, result.stdout[-3000:]


BREAKS = str(Path(__file__).with_name("breaks.py"))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", runpy.run_path(BREAKS)["BREAKS"], ids=lambda fault: fault.name)
def test_a_lesson_turns_red_when_the_package_is_broken(fault, tmp_path):
    if fault.lesson == "13" and smollm2.find() is None:
        pytest.skip("SmolLM2 is not on this machine; run: igteach fetch")
    result = nbval_broken(fault.lesson, fault.name, tmp_path)
    assert result.returncode == 1, result.stdout[-3000:]
    assert "Cell outputs differ" in result.stdout or "execution caused an exception" in result.stdout


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", ["02", "10"])
def test_a_lesson_stays_green_when_nothing_is_broken(number, tmp_path):
    """The breaks are installed, but change no result. Lesson 10 starts processes of its own."""
    result = nbval_broken(number, None, tmp_path)
    assert result.returncode == 0, result.stdout[-3000:]


def nbval_broken(number: str, name: str | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """The lesson, with a break in its kernel (an IPython startup file) and in every Python that the kernel starts."""
    install = f"import runpy\nrunpy.run_path({BREAKS!r})['install']({name!r})\n"
    children = f"import os\nos.environ['PYTHONPATH'] = {str(folder)!r} + os.pathsep + os.environ['PYTHONPATH']\n"
    installed = folder / "installed"
    startup = folder / "profile_default" / "startup" / "00-break.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(f"{install}{children}open({str(installed)!r}, 'w').close()\n", encoding="utf-8")
    offline = f"import runpy\nrunpy.run_path({str(ROOT / 'tests' / 'offline' / 'sitecustomize.py')!r})\n"
    (folder / "sitecustomize.py").write_text(f"{offline}{install}", encoding="utf-8")
    result = nbval(number, {"IPYTHONDIR": str(folder)})
    assert installed.exists(), f"the break did not get into the kernel\n{result.stdout[-3000:]}"
    return result


def nbval(number: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (lesson,) = all_lessons([number])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",  # one difference is enough
        "-p",
        "no:cacheprovider",
        str(lesson.solved),
        *NBVAL,
    ]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
