"""The lesson map of the README: question, minutes and, where the repository has an address, launch links."""

import re
import tomllib
from pathlib import Path

from igteach.lessons.files import write_whole
from igteach.lessons.lesson import Lesson, all_lessons, root

START, END = "<!-- lesson map: written by `make lessons` -->", "<!-- end of the lesson map -->"


def lesson_map(lessons: list[Lesson], repository: str | None) -> str:
    """A table in Markdown, a line a lesson, and the sum of the minutes.

    repository: the address of the project's repository; Colab and Binder links are made where it is on GitHub.
    """
    place = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", repository or "")
    rows = [_row(lesson, place.group(1) if place else None) for lesson in lessons]
    total = sum(minutes_of(lesson) for lesson in lessons)
    table = ["| lesson | the question it answers | minutes |", "|---|---|---|", *rows, f"| | in all | {total} |"]
    if place:
        install = f'%pip install "igteach[lessons] @ git+https://github.com/{place.group(1)}"'
        table += ["", f"On Colab, run this in a first cell of your own: `{install}`"]
    return "\n".join(table)


def minutes_of(lesson: Lesson) -> int:
    """The minutes that the head of a lesson states."""
    return int(_found(r"\*\*Time\.\*\* (\d+) minutes", lesson))


def title_of(lesson: Lesson) -> str:
    """Such as `01 · Naive gradients`."""
    return _found(r"^# (\d\d · .*)$", lesson)


def readme_faults() -> list[str]:
    """One line where the README's map is not the one that the lessons make."""
    readme = root() / "README.md"
    if _with_map(readme) == readme.read_text(encoding="utf-8"):
        return []
    return ["README.md: its lesson map is out of date; run: python -m igteach build"]


def write_map() -> None:
    """Bring the README's map up to date."""
    readme = root() / "README.md"
    write_whole(readme, _with_map(readme), replace=True)


def _with_map(readme: Path) -> str:
    before, _, rest = readme.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    project = tomllib.loads((root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = lesson_map(all_lessons(), project.get("urls", {}).get("Repository"))
    return f"{before}{START}\n\n{table}\n\n{END}{after}"


def _row(lesson: Lesson, place: str | None) -> str:
    title = title_of(lesson)
    question = _found(r"\*\*The question\.\*\* (.*)$", lesson)
    links = f"[{title}](notebooks/solved/{lesson.name}.ipynb)"
    if place:
        notebook = f"notebooks/{lesson.name}.ipynb"
        links += f" · [Colab](https://colab.research.google.com/github/{place}/blob/main/{notebook})"
        links += f" · [Binder](https://mybinder.org/v2/gh/{place}/main?labpath={notebook})"
    return f"| {links} | {question} | {minutes_of(lesson)} |"


def _found(pattern: str, lesson: Lesson) -> str:
    found = re.search(pattern, lesson.read().cells[0].source, re.MULTILINE)
    if found is None:
        raise ValueError(f"the head of {lesson.name} has nothing like {pattern!r}")
    return found.group(1)
