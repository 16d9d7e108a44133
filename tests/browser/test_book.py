"""The web book in a real browser, on a phone and on a desk, from a folder and without a network."""

import os
import subprocess
import sys

import pytest

from igteach.lessons.book import broken, build_book
from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long
WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return build_book(tmp_path_factory.mktemp("book")).parent


def text_of(page):
    return page.inner_text("article")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["index", "api_methods", *(lesson.name for lesson in all_lessons())])
def test_a_page_fits_the_screen_shows_its_pictures_and_asks_no_network(page, book, name, width):
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size(dict(zip(("width", "height"), WIDTHS[width], strict=True)))
    page.goto(f"file://{book}/{name}.html")
    page.wait_for_load_state("load")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert errors == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    pictures = page.evaluate("[...document.images].map(i => [i.alt, i.naturalWidth])")
    assert all(len(alt) > 10 and wide > 10 for alt, wide in pictures), pictures
    assert pictures or name in ("index", "api_methods")


def test_formulas_are_formulas(page, book):
    page.goto(f"file://{book}/04_integrated_gradients.html")
    heights = page.evaluate("[...document.querySelectorAll('math mfrac')].map(m => m.getBoundingClientRect().height)")
    assert len(heights) >= 4
    assert min(heights) > 10
    assert "$" not in page.evaluate("[...document.querySelectorAll('article p')].map(p => p.textContent).join()")


def test_search_finds_a_lesson_from_a_folder(page, book):
    page.goto(f"file://{book}/search.html?q=trapezoid")
    page.wait_for_function("document.querySelectorAll('#search-results li').length > 0", timeout=20_000)
    assert "05 · Computing the integral" in page.inner_text("#search-results")


def test_hints_and_quizzes_unfold(page, book):
    page.goto(f"file://{book}/04_integrated_gradients.html")
    first = page.locator("article details").first
    assert "are the two ends of every piece" not in text_of(page)
    first.locator("summary").first.click()
    assert "are the two ends of every piece" in text_of(page)


def test_the_command_says_where_the_book_is_and_lessons_link_to_one_another(book):
    assert broken(book) == []
    text = (book / "04_integrated_gradients.html").read_text(encoding="utf-8")
    assert 'href="03_reference_background.html"' in text
    page = book / "04_integrated_gradients.html"
    (book / "copy.html").write_text(text.replace("03_reference_background.html", "nowhere.html"))
    assert any("nowhere.html is not there" in fault for fault in broken(book))
    (book / "copy.html").write_text(text.replace('src="_static', 'src="https://cdn.example/_static'))
    assert any("needs the network" in fault for fault in broken(book))
    (book / "copy.html").unlink()
    assert page.exists()
    listed = subprocess.run([sys.executable, "-m", "igteach", "--help"], capture_output=True, text=True, env=os.environ)
    assert "build the solved lessons into a web book" in listed.stdout
