"""What `python -m igteach` does, a function a command; each returns its exit code."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from igteach.lessons.build import build_lesson
from igteach.lessons.contract import faults
from igteach.lessons.copies import copy_lesson
from igteach.lessons.files import write_whole
from igteach.lessons.lesson import all_lessons, root
from igteach.lessons.lesson_map import readme_faults, write_map

TAKES_UPLOADS = f"--ServerApp.tornado_settings={{'websocket_max_message_size': {100 * 2**20}}}"  # a file is one message
PROGRESS = "progress.json"  # as igteach.exercises.progress_store has it, which loads PyTorch
NBVAL = ["--nbval", "--nbval-cell-timeout=300", "--nbval-sanitize-with=tests/nbval.cfg"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m igteach", description="The commands of the igteach course.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for run in (lab, copy, progress, build, book, check, test, ci):
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        if run in (copy, build, check):
            command.add_argument("arguments", nargs="*", metavar="NN", help="lesson numbers; all where none is given")
    add_course_commands(commands)
    options, further = parser.parse_known_args(arguments)
    if further and options.run is not lab:
        parser.error(f"unknown arguments: {' '.join(further)}")
    try:
        return options.run(getattr(options, "arguments", options if "course" in options else further))
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        print(f"igteach: {error}", file=sys.stderr)
        return 1


def add_course_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands that work on a course folder; each takes the parsed options."""
    for run in (assign, shortcut, grade, report):
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        if run is assign:
            command.add_argument("numbers", nargs="+", metavar="NN", help="lesson numbers")
            command.add_argument(
                "--out", dest="course", type=Path, required=True, metavar="COURSE", help="course folder"
            )
        else:
            command.add_argument("course", type=Path, metavar="COURSE", help="course folder")
        if run in (assign, shortcut):
            seed = "the course seed, made if missing; COURSE/course.seed where none is given"
            command.add_argument("--seed", type=Path, metavar="FILE", help=seed)


def lab(options: list[str]) -> int:
    """copy the lessons to work/ and open JupyterLab on lesson 00; options are JupyterLab's"""
    from jupyterlab.labapp import LabApp  # here, because the other commands do without it

    copy([])
    first = all_lessons()[0].learner.name
    ours = [f"--notebook-dir={root() / 'work'}", f"--LabApp.default_url=/lab/tree/{first}", TAKES_UPLOADS]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in most containers, where JupyterLab would refuse
        ours.append("--allow-root")
    LabApp.launch_instance([*ours, *options])
    return 0


def copy(numbers: list[str]) -> int:
    """make the learner's copies in work/, overwriting nothing"""
    work = root() / "work"
    done = [copy_lesson(lesson, work) for lesson in all_lessons(numbers)]
    if not (work / PROGRESS).exists():
        write_whole(work / PROGRESS, "{}\n", replace=False)
    for line in filter(None, done):
        print(line)
    return 0


def progress(_: list[str]) -> int:
    """show which exercises you have solved; kept in work/progress.json, and nowhere else"""
    from igteach.course.progress import lines  # here, because it loads PyTorch

    for line in lines(root() / "work"):
        print(line)
    return 0


def build(numbers: list[str]) -> int:
    """build notebooks/ and notebooks/solved/ from notebooks/source/, the README's lesson map and docs/exercises.md"""
    from igteach.course import exercise_list  # here, because it loads PyTorch

    for lesson in all_lessons(numbers):
        build_lesson(lesson)
        print(f"{lesson.name}: built")
    write_map()
    exercise_list.write_list()
    return 0


def book(_: list[str]) -> int:
    """build the solved lessons into a web book in build/book/html, to be read without a network"""
    from igteach.lessons.book import build_book  # here, because only this needs Sphinx

    print(f"book: {build_book(root() / 'build' / 'book')}")
    return 0


def check(numbers: list[str]) -> int:
    """compare the notebooks with their sources, and the lessons with their contract"""
    from igteach.course import exercise_list  # here, because it loads PyTorch

    lessons = all_lessons(numbers)
    found = [f"{lesson.name}: {fault}" for lesson in lessons for fault in faults(lesson)]
    found += readme_faults() + exercise_list.list_faults()
    for line in found:
        print(line)
    print(f"check: {len(lessons)} lessons, {len(found)} faults")
    return 1 if found else 0


def assign(options: argparse.Namespace) -> int:
    """make assignments of lessons in an nbgrader course, with hidden tests drawn from the course seed"""
    from igteach.course.assign import assign as assign_lessons  # here and below: nbgrader is slow to import

    for line in assign_lessons(options.numbers, options.course, options.seed):
        print(line)
    return 0


def shortcut(options: argparse.Namespace) -> int:
    """train a network with a hidden shortcut of this course's own, for assessment; takes a few minutes"""
    from igteach.course.shortcut import write_shortcut

    print(write_shortcut(options.course, options.seed))
    return 0


def grade(options: argparse.Namespace) -> int:
    """grade what was handed in: autograde, feedback, marks.csv"""
    from igteach.course.grade import grade as grade_course

    marks = grade_course(options.course)
    failed = [mark for mark in marks if mark.reason]
    print(f"grade: {len(marks)} submissions, {len(failed)} could not be graded; see {options.course / 'marks.csv'}")
    return 0


def report(options: argparse.Namespace) -> int:
    """write COURSE/report.html: which exercises were hard, and which mistakes were made how often"""
    from igteach.course.report import report as write_report

    print(f"report: {write_report(options.course)}")
    return 0


def test(_: list[str]) -> int:
    """lint, types, unit tests and every solved notebook"""
    python = [sys.executable, "-m"]
    return (
        _run([*python, "ruff", "check", "--quiet"])
        or _run([*python, "ruff", "format", "--check", "--quiet"])
        or _run([*python, "mypy", "--no-error-summary"])
        or _run([*python, "pytest", "--quiet", "-n2", "--dist=loadscope", "tests", "notebooks/solved", *NBVAL])
    )


def ci(_: list[str]) -> int:
    """the tests, then the long checks"""
    return test([]) or _run([sys.executable, "-m", "pytest", "-m", "long", "--durations=15", "tests"])


def _run(command: list[str]) -> int:
    print("+", *command[1:], flush=True)
    return subprocess.run(command, cwd=root(), check=False).returncode
