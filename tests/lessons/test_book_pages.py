"""The first page says what a visitor asks, and files of docs/ become pages whose links hold."""

import re

import imagesize
import pytest

from igteach.course.commands import make_parser
from igteach.lessons.book_pages import FIRST_LOOK, FROM_DOCS, front_page, lessons_page, linked, write_pages
from igteach.lessons.lesson import all_lessons
from igteach.lessons.lesson_map import minutes_of

LESSONS = all_lessons()
DOCS = LESSONS[0].source.parents[2] / "docs"
ADDRESS = "https://github.com/someone/igteach"


def test_the_first_page_leads_to_the_first_lesson_and_says_how_long():
    page = front_page(LESSONS, None, "api")
    assert "[Start reading: lesson 00](00_start_here.ipynb)\n[Run it yourself](#run-it-yourself)" in page
    assert f"{round(sum(map(minutes_of, LESSONS)) / 60)} hours for all {len(LESSONS)} lessons" in page
    assert not re.search("[{}]", page.split("## The idea")[0].replace("{.ways}", ""))
    assert not re.search("git clone|Colab|Codespaces", page)


def test_the_first_page_offers_to_run_it_elsewhere_where_there_is_an_address():
    page = front_page(LESSONS, ADDRESS, "api")
    assert f"In a terminal:\n\n```\ngit clone {ADDRESS} && cd igteach\nmake lab" in page
    assert "[Colab](https://colab.research.google.com/github/someone/igteach/" in page


def test_the_first_page_names_the_folder_and_the_machine_that_running_needs():
    page = front_page(LESSONS, None, "api")
    assert "In the folder of the repository (ask whoever gave you these pages):\n\n```\nmake lab" in page
    assert "Reading and the live figures work on a phone; the notebooks need a computer" in page


def test_the_first_picture_has_one_for_phones_with_the_same_words():
    page = front_page(LESSONS, None, "api")
    for name in ("first_look.png", "first_look_narrow.png"):
        assert f'"_static/{name}"' in page
        assert (DOCS / name).exists()
    assert f'alt="{FIRST_LOOK}"' in page
    wide, high = imagesize.get(DOCS / "first_look_narrow.png")
    assert wide < 640 < high


def test_the_page_for_instructors_leads_to_the_slides_of_each_lesson(tmp_path):
    write_pages(tmp_path, DOCS, None, "api", {})
    slides = (tmp_path / "instructor.md").read_text(encoding="utf-8").partition("\n## Slides\n")[2].partition("\n##")[0]
    assert re.findall(r'<a href="slides/(\w+)\.html">', slides) == [lesson.name for lesson in LESSONS]


def test_the_page_that_names_every_mistake_is_not_searched(tmp_path):
    write_pages(tmp_path, DOCS, None, "api", {})
    not_searched = [page.stem for page in tmp_path.glob("*.md") if "nosearch: true" in page.read_text(encoding="utf-8")]
    assert not_searched == ["exercises"]


def test_an_instructor_reads_the_five_steps_first_each_with_its_command():
    head = (DOCS / "instructor.md").read_text(encoding="utf-8").partition("Where is what")[0]
    steps = re.findall(r"^\d\. \*\*(.*?)\.\*\* `([^`]+)`", head, re.MULTILINE)
    assert [step for step, _ in steps] == ["Give out", "Collect", "Grade", "Mark", "Return"]
    commands = [command.split()[3:] for _, command in steps if command.startswith("python -m igteach")]
    assert [words[0] for words in commands] == ["assign", "collect", "grade", "export"]
    for words in commands:
        make_parser().parse_args(words)


def test_the_list_of_lessons_has_them_all():
    page = lessons_page(LESSONS)
    assert all(f"]({lesson.name}.ipynb)" in page and f"<{lesson.name}>" in page for lesson in LESSONS)


@pytest.mark.parametrize("name", FROM_DOCS)
def test_links_of_docs_lead_to_pages_of_the_book_or_into_the_repository(name):
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    lessons = {f"{lesson.name}.ipynb" for lesson in LESSONS} | {f"{page}.md" for page in [*FROM_DOCS, "lessons"]}
    for address in (None, ADDRESS):
        targets = re.findall(r"\]\(([^)#\s]+)", linked(text, address))
        assert [target for target in targets if target not in lessons and not target.startswith("https://")] == []
    inside = re.findall(rf"\]\({ADDRESS}/blob/main/([^)#]+)", linked(text, ADDRESS))
    assert all((DOCS.parent / path).exists() for path in inside)


def test_a_link_to_a_lesson_leads_to_its_page_with_and_without_an_address():
    for address in (None, ADDRESS):
        assert linked("[lesson 04](../notebooks/solved/04_x.ipynb)", address) == "[lesson 04](04_x.ipynb)"
    assert linked("[hub/](hub), [x](x.md)", None) == "hub/, x"


def test_the_glossary_is_in_order_and_explains_what_the_course_names():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^## ([^,\n]+)", text, re.MULTILINE)
    assert terms == sorted(terms, key=str.lower)
    assert {"attribution", "share", "baseline", "path", "completeness", "residual", "error estimate", "kink"} <= set(
        terms
    )
    assert {"target", "logit", "gradient", "saturation"} <= set(terms)
