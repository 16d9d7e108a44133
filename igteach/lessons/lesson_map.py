"""The lesson map of the README: question, minutes and, where the repository has an address, launch links."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from igteach.lessons.files import write_atomically
from igteach.lessons.lesson import Lesson, all_lessons, clone, needs_clone
from igteach.lessons.ways_in import binder, colab, github_place

START, END = "<!-- lesson map: written by `make lessons` -->", "<!-- end of the lesson map -->"
SHORT_PATH = ("00", "03", "04", "07")  # what stands without the rest


def repository() -> str | None:
    """The public address of the repository, from which every link to it is made.

    In a clone it is `Repository` under `[project.urls]` in pyproject.toml, else what the installed package says of
    itself. Nothing else in the project states it.

    Returns:
        The address, or None if the repository has none.
    """
    if place := clone():
        project = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return project.get("urls", {}).get("Repository")
    try:
        stated = metadata("igteach").get_all("Project-URL") or []
    except PackageNotFoundError:
        return None
    labelled = dict(line.split(", ", 1) for line in stated if ", " in line)
    return labelled.get("Repository")


def lesson_map(lessons: list[Lesson], address: str | None) -> str:
    """A table of the lessons in Markdown.

    Args:
        lessons: The lessons.
        address: The address of the project's repository. If it is on GitHub, each lesson gets a Colab and a Binder
            link.

    Returns:
        The table, with the sum of the minutes; below it the path of three hours and, on GitHub, the line for Colab.
    """
    place = github_place(address)
    rows = [_row(lesson, place) for lesson in lessons]
    total = sum(minutes_of(lesson) for lesson in lessons)
    table = ["| lesson | the question it answers | minutes |", "|---|---|---|", *rows, f"| | in all | {total} |"]
    short = [lesson for lesson in lessons if lesson.number in SHORT_PATH]
    minutes = sum(minutes_of(lesson) for lesson in short)
    table += ["", f"**In three hours:** {', '.join(SHORT_PATH)} ({minutes} minutes), and 14 for a model of your own."]
    if place:
        install = f'%pip install "igteach[lessons] @ git+https://github.com/{place}"'
        table += ["", f"On Colab, run this in a first cell of your own: `{install}`"]
    return "\n".join(table)


def minutes_of(lesson: Lesson) -> int:
    """The minutes that a lesson takes.

    Args:
        lesson: The lesson.

    Returns:
        The minutes that its head states.

    Raises:
        ValueError: If it states none.
    """
    return int(_found(r"\*\*Time\.\*\* (\d+) minutes", lesson))


def title_of(lesson: Lesson) -> str:
    """The title of a lesson.

    Args:
        lesson: The lesson.

    Returns:
        Such as `01 · Naive gradients`.

    Raises:
        ValueError: If its first cell has no title.
    """
    return _found(r"^# (\d\d · .*)$", lesson)


def readme_faults() -> list[str]:
    """Whether the README's map is up to date.

    Returns:
        One line if it is not the map that the lessons make, else nothing.
    """
    readme = _readme()
    if _with_map(readme) == readme.read_text(encoding="utf-8"):
        return []
    return ["README.md: its lesson map is out of date; run: python -m igteach build"]


def write_map() -> None:
    """Bring the README's map up to date."""
    readme = _readme()
    write_atomically(readme, _with_map(readme), replace=True)


def _readme() -> Path:
    return needs_clone("the README's map") / "README.md"


def _with_map(readme: Path) -> str:
    before, _, rest = readme.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{lesson_map(all_lessons(), repository())}\n\n{END}{after}"


def _row(lesson: Lesson, place: str | None) -> str:
    title = title_of(lesson)
    question = _found(r"\*\*The question\.\*\* (.*)$", lesson)
    links = f"[{title}](notebooks/solved/{lesson.name}.ipynb)"
    if place:
        links += f" · [Colab]({colab(place, lesson)}) · [Binder]({binder(place, lesson)})"
    return f"| {links} | {question} | {minutes_of(lesson)} |"


def _found(pattern: str, lesson: Lesson) -> str:
    found = re.search(pattern, lesson.read_script().cells[0].source, re.MULTILINE)
    if found is None:
        raise ValueError(f"the head of {lesson.name} has nothing like {pattern!r}")
    return found.group(1)
