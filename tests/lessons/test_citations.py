"""Works that lessons cite are in the list of references, and linked."""

import re

import pytest

from igteach.lessons.citations import key_of, mentions, with_links, works
from igteach.lessons.lesson import all_lessons

LESSONS = all_lessons()
LIST = (LESSONS[0].source.parents[2] / "docs" / "references.md").read_text(encoding="utf-8")
KNOWN = works(LIST)


def test_every_line_of_the_list_is_read_and_stands_in_order():
    entries = [line for line in LIST.splitlines() if line.startswith("- ")]
    assert len(entries) == len(KNOWN) > 60
    authors = [line.split()[1].strip(",") for line in entries]
    assert authors == sorted(authors)
    assert len(set(KNOWN.values())) == len(KNOWN)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_every_work_that_a_lesson_cites_is_in_the_list(lesson):
    text = "\n".join(cell.source for cell in lesson.read_script().cells if cell.cell_type == "markdown")
    assert [work for work in mentions(text) if key_of(work, KNOWN) is None] == []
    links = re.findall(r"\[[^\]]*\d{4}\)?\]\((https?://[^)]+)\)", with_links(text, KNOWN))
    assert links
    assert set(links) <= set(KNOWN.values())


def test_what_is_linked_already_or_is_code_stays():
    text = "[Efron (1979)](https://example.org), `Efron (1979)` and the year (1979)"
    assert with_links(text, KNOWN) == text


def test_the_first_author_decides_and_words_before_the_authors_are_passed_over():
    assert key_of("Sturmfels, Lundberg and Lee (2020)", KNOWN) == "Sturmfels 2020"
    assert key_of("Captum, Kokhlikyan et al. (2020)", KNOWN) == "Kokhlikyan 2020"
    assert key_of("Nobody (1901)", KNOWN) is None
