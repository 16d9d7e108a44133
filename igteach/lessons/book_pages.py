"""The pages of the web book that are not lessons: the first page, the list of lessons, and those from docs/."""

import re
from collections.abc import Mapping
from pathlib import Path

from igteach.lessons.citations import with_lessons
from igteach.lessons.lesson import Lesson, all_lessons
from igteach.lessons.lesson_map import SHORT_PATH, lesson_map, minutes_of, title_of
from igteach.lessons.ways_in import codespaces, colab, github_place

DOCS = {  # pages made from docs/, with their names in the header
    "captum": "Coming from Captum",
    "instructor": "For instructors",
    "glossary": "Glossary",
    "references": "References",
    "accessibility": "Accessibility",
}
DEEPER = {"instructor": ["exercises"]}  # pages from docs/ that another one leads to
NOT_IN_SEARCH = "---\nnosearch: true\n---\n\n"
FROM_DOCS = [*DOCS, *(name for names in DEEPER.values() for name in names)]
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
FIRST_LOOK = (
    "The camera-man, and Integrated Gradients of the answer tripod: from black on lawn and sky, from the blurred "
    "picture on the tripod."
)
FRONT = Path(__file__).parent / "book_files" / "front.md"


def write_pages(folder: Path, docs: Path, address: str | None, api: str, texts: Mapping[str, str]) -> None:
    """Write the pages.

    Args:
        folder: Where Sphinx finds its sources.
        docs: The repository's docs/.
        address: The repository's address, if it has one.
        api: The name of the reference's first page.
        texts: What each lesson's page says, with the works that it cites as links.
    """
    lessons = all_lessons()
    pages = {"index": front_page(lessons, address, api), "lessons": lessons_page(lessons)}
    for name in FROM_DOCS:
        pages[name] = linked((docs / f"{name}.md").read_text(encoding="utf-8"), address)
    pages["references"] = with_lessons(pages["references"], texts)
    pages["instructor"] = with_slides(pages["instructor"], lessons)
    pages["exercises"] = NOT_IN_SEARCH + pages["exercises"]
    for name, below in DEEPER.items():
        pages[name] += _contents(below)
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def front_page(lessons: list[Lesson], address: str | None, api: str) -> str:
    """The first page.

    Args:
        lessons: The lessons.
        address: The repository's address, if it has one.
        api: The name of the reference's first page.

    Returns:
        Its Markdown.
    """
    place = github_place(address)
    online = f"In a browser, without installing: [Colab]({colab(place, lessons[0])})" if place else ""
    return FRONT.read_text(encoding="utf-8").format(
        count=len(lessons),
        first=lessons[0].name,
        alt=FIRST_LOOK,
        hours=round(sum(map(minutes_of, lessons)) / 60),
        short=f"{', '.join(SHORT_PATH[:-1])} and {SHORT_PATH[-1]}",
        where="In a terminal:" if place else "In the folder of the repository (ask whoever gave you these pages):",
        clone=f"git clone {address} && cd {place.partition('/')[2]}\n" if place else "",
        online=f"{online} or [Codespaces]({codespaces(place)}).\n\n" if place else "",
        contents="\n".join(["Lessons <lessons>", f"The package <{api}>", *(f"{DOCS[name]} <{name}>" for name in DOCS)]),
    )


def lessons_page(lessons: list[Lesson]) -> str:
    """The map of the lessons.

    Args:
        lessons: The lessons.

    Returns:
        Its Markdown.
    """
    table = lesson_map(lessons, None).replace("notebooks/solved/", "")
    names = [f"{title_of(lesson)} <{lesson.name}>" for lesson in lessons]
    return (
        f"# The lessons\n\nRead them in order, or take the short path below the table.\n\n{table}\n{_contents(names)}"
    )


def linked(text: str, address: str | None) -> str:
    """Turn the links of a file in docs/ into links of the book.

    Args:
        text: The file's Markdown.
        address: The repository's address, if it has one.

    Returns:
        The same, where what the book does not hold is a link into the repository, or no link if that has no address.

    Example:
        >>> linked("[lesson 00](../notebooks/solved/00_start_here.ipynb), [hub/](hub)", None)
        '[lesson 00](00_start_here.ipynb), hub/'
    """
    known = {f"{name}.md" for name in FROM_DOCS}
    place = github_place(address)

    def link(found: re.Match[str]) -> str:
        words, target, part = found[1], found[2], found[3] or ""
        if target == "../README.md" and part == "#the-lessons":
            return f"[{words}](lessons.md)"
        if target in known:
            return f"[{words}]({target}{part})"
        if target.startswith("../notebooks/solved/"):
            return f"[{words}]({target.rpartition('/')[2]})"
        inside = target.removeprefix("../") if target.startswith("../") else f"docs/{target}"
        return f"[{words}](https://github.com/{place}/blob/main/{inside}{part})" if place else words

    return LINK.sub(link, text)


def with_slides(text: str, lessons: list[Lesson]) -> str:
    """Say below the heading "Slides" where they are in the book.

    Args:
        text: The Markdown of the page for instructors.
        lessons: The lessons.

    Returns:
        The same, with a link to the slides of each lesson.
    """
    links = [f'<a href="slides/{lesson.name}.html">{title_of(lesson)}</a>' for lesson in lessons]
    return text.replace("\n## Slides\n", f"\n## Slides\n\nOpen them: {', '.join(links)}.\n", 1)


def _contents(names: list[str]) -> str:
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"
