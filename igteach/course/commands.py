"""What `igteach` and `python -m igteach` do, a function a command; each returns its exit code.

What a command needs is imported inside it: copying the lessons should not wait for nbgrader, and a package that is
missing should cost one sentence, with the line that installs it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from igteach.course import release_checks
from igteach.lessons.copies import PROGRESS, copy_lesson, find_work, work_folder
from igteach.lessons.files import in_one_sentence, write_atomically
from igteach.lessons.lesson import all_lessons, clone, needs_clone
from igteach.lessons.templates import KINDS, write_template

TAKES_UPLOADS = f"--ServerApp.tornado_settings={{'websocket_max_message_size': {100 * 2**20}}}"  # a file is one message
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended
Options = argparse.Namespace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after `igteach`; those of the process if None.

    Returns:
        The exit code: 0, or 1 if the command failed, and said why in one sentence.

    Raises:
        SystemExit: With code 2 for a command or an option that does not exist.
    """
    parser = make_parser()
    options, further = parser.parse_known_args(arguments)
    if further and options.run is not lab:
        parser.error(f"unknown arguments: {' '.join(further)}")
    options.further = further
    try:
        return options.run(options)
    except OSError as error:
        print(f"igteach: {in_one_sentence(error)}", file=sys.stderr)
    except (ValueError, RuntimeError) as error:
        print(f"igteach: {error}", file=sys.stderr)
    except ImportError as error:
        print(f"igteach: {_what_to_install(error, options.extras)}", file=sys.stderr)
    return 1


def make_parser() -> argparse.ArgumentParser:
    """The command line.

    Returns:
        A parser whose result has `run`, the command's function, and `extras`, what it needs to be installed.
    """
    version = sys.modules["igteach"].__version__  # no module imports the facade, but here it is loaded
    parser = argparse.ArgumentParser(prog=_called(), description="The commands of the igteach course.")
    parser.add_argument("--version", action="version", version=f"igteach {version}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for run in (lab, copy, fetch, template, progress, hint, build, book, slides, check, test, ci, release):
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run, extras="lessons,course,book" if run is book else "lessons,course")
        if run in (copy, build, slides, check):
            command.add_argument("numbers", nargs="*", metavar="NN", help="lesson numbers; all if none is given")
        if run is template:
            command.add_argument("kind", choices=KINDS, help="what the model reads")
        if run is hint:
            command.add_argument("exercise", metavar="NN.N", help="the exercise, such as 04.2")
        if run is release:
            command.add_argument("steps", nargs="*", metavar="STEP", help="such as tests or long; all if none is given")
        if run is lab:
            command.add_argument("--instructor", action="store_true", help="with nbgrader's menus")
    _add_course_commands(commands)
    return parser


def _called() -> str:
    """How the program was called, so that its help can be typed."""
    return "python -m igteach" if Path(sys.argv[0]).name == "__main__.py" else "igteach"


def _add_course_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    for run in (assign, shortcut, exam, collect, due, grade, report, similar, export):
        command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run, extras="lessons,course")
        if run is assign:
            command.add_argument("numbers", nargs="+", metavar="NN", help="lesson numbers")
            command.add_argument(
                "--out", dest="course", type=Path, required=True, metavar="COURSE", help="course folder"
            )
        else:
            command.add_argument("course", type=Path, metavar="COURSE", help="course folder")
        if run is similar:
            command.add_argument(
                "--assignment", metavar="NAME", help="the only assignment to compare; all if not given"
            )
        if run in (assign, shortcut, exam):
            seed = "the course seed, made if missing; COURSE.seed beside the course if none is given"
            command.add_argument("--seed", type=Path, metavar="FILE", help=seed)
        if run is grade:
            _add_grade_arguments(command)
        if run is due:
            command.add_argument("assignment", nargs="?", default="", metavar="ASSIGNMENT", help="all if none is given")
            command.add_argument("date", nargs="?", metavar="DATE", help="such as 2027-01-31T23:59; none takes it away")
            command.add_argument("--student", default="", metavar="NAME", help="extend it for this student alone")
        if run in (collect, export):
            _add_platform_arguments(command, run)


def _add_platform_arguments(command: argparse.ArgumentParser, run: Callable[[Options], int]) -> None:
    command.add_argument("--assignment", default="", metavar="NAME", help="as in release/; guessed or all if not given")
    table = "the table downloaded from the platform: Moodle's grading worksheet, Canvas's gradebook"
    command.add_argument("--worksheet", type=Path, metavar="TABLE.csv", help=table)
    if run is collect:
        command.add_argument("source", type=Path, metavar="FILE.zip|FOLDER", help="what the class handed in")
    else:
        command.add_argument("--to", choices=["moodle", "canvas"], required=True, help="the platform")
        command.add_argument("--column", default="", metavar="TITLE", help="the assignment's title in Canvas")


def _add_grade_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--student", metavar="NAME", help="grade this student only")
    command.add_argument("--assignment", metavar="NAME", help="grade this assignment only")
    command.add_argument("--force", action="store_true", help="grade again also what has not changed")
    command.add_argument("--jobs", type=int, metavar="N", default=2, help="submissions at a time; 2 if not given")


def _what_to_install(error: ImportError, extras: str) -> str:
    """One sentence; raises the error again if it is igteach itself that does not import."""
    package = (error.name or "").partition(".")[0]
    if package == "igteach":
        raise error
    if not isinstance(error, ModuleNotFoundError) or not package:
        return str(error)
    return f"this needs {package}, which is not installed here; install it with: pip install 'igteach[{extras}]'"


def lab(options: Options) -> int:
    """copy the lessons to work/ and open JupyterLab on lesson 00; further options are JupyterLab's"""
    from jupyterlab.labapp import LabApp

    from igteach.course import learners_lab

    work = _copy([])
    first = all_lessons()[0].learner.name
    os.environ["JUPYTER_CONFIG_PATH"] = learners_lab.config_path(options.instructor)
    ours = [f"--notebook-dir={work}", f"--LabApp.default_url=/lab/tree/{first}", TAKES_UPLOADS]
    ours += learners_lab.NO_NEWS + learners_lab.own_workspace(work)
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in most containers, where JupyterLab would refuse
        ours.append("--allow-root")
    LabApp.launch_instance([*ours, *options.further])
    return 0


def copy(options: Options) -> int:
    """make the learner's copies in work/, overwriting nothing"""
    _copy(options.numbers)
    return 0


def _copy(numbers: list[str]) -> Path:
    """Copy the lessons, and say what was done; the folder."""
    work = work_folder()
    for lesson in all_lessons(numbers):
        if done := copy_lesson(lesson, work):
            print(done)
    try:
        if not os.path.lexists(work / PROGRESS):
            write_atomically(work / PROGRESS, "{}\n", replace=False)
    except FileExistsError:
        pass  # another `copy` was first
    return work


def fetch(_: Options) -> int:
    """fetch the language model SmolLM2 (93 MB, once) and keep it in this user's cache"""
    from igteach.models.smollm2 import fetch as fetch_smollm2  # loads PyTorch

    print(f"fetch: {fetch_smollm2()}")
    return 0


def template(options: Options) -> int:
    """write a notebook for a model of your own into the current folder, overwriting nothing"""
    print(f"template: {write_template(options.kind, Path.cwd()).name}")
    return 0


def progress(_: Options) -> int:
    """show which exercises you have solved; kept in work/progress.json, and nowhere else"""
    from igteach.course.progress import lines  # loads PyTorch

    for line in lines(find_work() or work_folder()):
        print(line)
    return 0


def hint(options: Options) -> int:
    """show the next hint of an exercise, and after its last hint the solution"""
    from igteach.exercises import hint as next_hint  # loads PyTorch

    print(next_hint(options.exercise))
    return 0


def build(options: Options) -> int:
    """build notebooks/ and notebooks/solved/ from notebooks/source/, the README's lesson map and docs/exercises.md"""
    needs_clone("build")
    from igteach.course import exercise_list
    from igteach.lessons.build import build_lesson
    from igteach.lessons.lesson_map import write_map

    for lesson in all_lessons(options.numbers):
        build_lesson(lesson)
        print(f"{lesson.name}: built")
    write_map()
    exercise_list.write_list()
    return 0


def book(_: Options) -> int:
    """build the solved lessons into a web book in build/book/html, to be read without a network"""
    folder = needs_clone("book")
    from igteach.explore.live import script
    from igteach.lessons.book import build_book

    print(f"book: {build_book(folder / 'build' / 'book', {'live.js': script()})}")
    return 0


def slides(options: Options) -> int:
    """write slides of the lessons into build/slides, a page each that needs no network"""
    from igteach.lessons.slides import write_slides

    folder = (clone() or Path.cwd()) / "build" / "slides"
    for lesson in all_lessons(options.numbers):
        print(f"slides: {write_slides(lesson, folder)}")
    return 0


def check(options: Options) -> int:
    """compare the notebooks with their sources, and the lessons with their contract"""
    from igteach.course import exercise_list
    from igteach.lessons.contract import faults
    from igteach.lessons.lesson_map import readme_faults

    lessons = all_lessons(options.numbers)
    found = [f"{lesson.name}: {fault}" for lesson in lessons for fault in faults(lesson)]
    if clone():  # the installed package carries neither the README nor docs/
        found += readme_faults() + exercise_list.list_faults()
    for line in found:
        print(line)
    print(f"check: {len(lessons)} lessons, {len(found)} faults")
    return 1 if found else 0


def assign(options: Options) -> int:
    """make assignments of lessons in an nbgrader course, with hidden tests drawn from the course seed"""
    from igteach.course.assign import assign as assign_lessons

    _must_be_a_folder(options.course)
    for line in assign_lessons(options.numbers, options.course, options.seed):
        print(line)
    return 0


def shortcut(options: Options) -> int:
    """train a network with a hidden shortcut of this course's own, for assessment; takes a few minutes"""
    from igteach.course.shortcut import write_shortcut

    _must_be_a_folder(options.course)
    print(write_shortcut(options.course, options.seed))
    return 0


def exam(options: Options) -> int:
    """write an exam on paper and its answers, with numbers drawn from the course seed"""
    from igteach.course.exam import write_exam

    _must_be_a_folder(options.course)
    print(write_exam(options.course, options.seed))
    return 0


def collect(options: Options) -> int:
    """take in what was handed in: a zip of Moodle or Canvas, a folder, or the exchange's inbound"""
    from igteach.course.collect import collect as collect_hand_ins

    for line in collect_hand_ins(options.course, options.source, options.assignment, options.worksheet):
        print(line)
    return 0


def due(options: Options) -> int:
    """list due dates and extensions, or set one"""
    from igteach.course.lateness import due_dates, set_due

    if options.student and not options.date:
        raise ValueError(f"until when has {options.student} time? write COURSE ASSIGNMENT DATE --student NAME")
    if options.date:
        set_due(options.course, options.assignment, options.date, options.student)
    for line in due_dates(options.course, options.assignment):
        print(line)
    return 0


def export(options: Options) -> int:
    """write COURSE/export/: marks that Moodle or Canvas imports"""
    from igteach.course.export import export as export_marks

    for line in export_marks(options.course, options.to, options.assignment, options.worksheet, options.column):
        print(f"export: {line}")
    return 0


def grade(options: Options) -> int:
    """grade what was handed in: autograde, feedback, marks.csv"""
    from igteach.course.grade import Request
    from igteach.course.grade import grade as grade_course

    request = Request(options.student, options.assignment, options.force, options.jobs)
    try:
        marks = grade_course(options.course, request)
    except KeyboardInterrupt:
        print("igteach: interrupted; what was graded is kept, and grade goes on from there", file=sys.stderr)
        return INTERRUPTED
    failed = [mark for mark in marks if mark.reason]
    flagged = [mark for mark in marks if mark.flags]
    to_mark = [mark for mark in marks if mark.by_hand]
    counts = f"{len(failed)} could not be graded, {len(flagged)} to look at, {len(to_mark)} to mark by hand"
    print(f"grade: {len(marks)} submissions, {counts}; see {options.course / 'marks.csv'}")
    return 0


def report(options: Options) -> int:
    """write COURSE/report.html: which exercises were hard, and which mistakes were made how often"""
    from igteach.course.report import report as write_reports

    whole, without_names = write_reports(options.course)
    print(f"report: {whole}\nto show in class, without names: {without_names}")
    return 0


def similar(options: Options) -> int:
    """write COURSE/similar.html: which answers are unusually alike; to be looked at, no verdict"""
    from igteach.course.hand_ins import printable
    from igteach.course.similarity_page import similar as compare

    assignments = compare(options.course, options.assignment)
    for assignment in assignments:
        for remark in assignment.remarks:
            print(f"{printable(assignment.name)}: {remark}")
    listed = sum(len(found) for assignment in assignments for found in assignment.found.values())
    print(f"similar: {listed} likenesses to look at; see {options.course / 'similar.html'}")
    return 0


def _must_be_a_folder(course: Path) -> None:
    """Raises NotADirectoryError for a file, before anything is written or trained."""
    for place in (course, *course.parents):
        if place.exists():
            if not place.is_dir():
                raise NotADirectoryError(f"the course cannot be in {course}: {place} is a file; name a folder")
            return


def test(_: Options) -> int:
    """lint, types, unit tests and every solved notebook"""
    return release_checks.test(needs_clone("test"))


def ci(_: Options) -> int:
    """the tests, then the long checks, with samples of what is large"""
    return release_checks.ci(needs_clone("ci"))


def release(options: Options) -> int:
    """install a fresh clone of the last commit, run every check in it in full, and write docs/checked.md"""
    return release_checks.release(needs_clone("release"), options.steps)
