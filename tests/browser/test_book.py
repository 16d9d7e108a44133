"""The web book in a real browser, on a phone and on a desk, light and dark, from a folder and without a network."""

from itertools import takewhile

import nbformat
import pytest
from browser.helpers import serious_faults
from bs4 import BeautifulSoup

from igteach.lessons.api_pages import PAGES
from igteach.lessons.book_cells import page_of
from igteach.lessons.book_links import broken
from igteach.lessons.book_pages import FROM_DOCS
from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long
SIZES = {"phone": (390, 844), "tablet": (900, 1100), "desk": (1400, 900)}
LESSONS = [lesson.name for lesson in all_lessons()]
NAMES = ["index", "lessons", *LESSONS, *FROM_DOCS, "api", *PAGES, "search", "genindex"]
TOO_SMALL = """() => [...document.querySelectorAll('.bd-article *')].filter(e =>
  [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && !e.closest('math, svg')
  && parseFloat(getComputedStyle(e).fontSize) < 11.99).map(e => e.outerHTML.slice(0, 80))"""
SIDEWAYS = """() => [...document.querySelectorAll(
  '.bd-article :is(pre, p, li, dt, h1, h2, h3, .admonition), .prev-next-area a')].filter(
  e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'
  && !e.closest('table, .formula, .printed')
).map(e => e.outerHTML.slice(0, 80))"""


def open_page(page, book, name, size="desk", scheme="light"):
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    page.emulate_media(color_scheme=scheme)
    page.goto(f"file://{book}/{name}.html")
    page.wait_for_load_state("load")


def text_of(page):
    return page.inner_text("article")


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_every_screen_shows_its_pictures_and_asks_no_network(page, book, name, asked, page_errors):
    for size in SIZES:
        open_page(page, book, name, size)
        page.evaluate("document.querySelectorAll('article details').forEach(fold => fold.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), size
        assert page.evaluate(SIDEWAYS) == []
        assert page.evaluate(TOO_SMALL) == []
        searches = page.locator(".search-button__button")
        assert sum(searches.nth(place).is_visible() for place in range(searches.count())) == 1
    assert page_errors == []
    page.evaluate("document.querySelectorAll('article img').forEach(picture => picture.loading = 'eager')")
    page.wait_for_function("[...document.querySelectorAll('article img')].every(picture => picture.complete)")
    pictures = page.evaluate(
        "[...document.querySelectorAll('article img:not(.igteach-live .stack img)')]"  # layers have one name together
        ".map(i => [i.alt, i.naturalWidth, i.getAttribute('width')])"
    )
    assert all(len(alt) > 10 and wide >= 1.9 * int(shown or 1) for alt, wide, shown in pictures), pictures
    assert pictures or name not in LESSONS
    assert asked == []


@pytest.mark.sampled(6)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious(page, book, name, scheme):
    open_page(page, book, name, "phone" if scheme == "light" else "desk", scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.evaluate("document.querySelectorAll('article details').forEach(fold => fold.open = true)")
    faults, _ = serious_faults(page)
    assert faults == []


def test_axe_finds_what_a_page_does_wrong(page, book):
    open_page(page, book, "glossary")
    page.evaluate("document.querySelector('article').innerHTML += '<img src=\"x\"><p style=\"color: #eee\">Faint</p>'")
    faults, _ = serious_faults(page)
    assert {fault.partition(":")[0] for fault in faults} == {"image-alt", "color-contrast"}


def test_pages_are_light_without_their_pictures(book):
    assert {page.name for page in book.glob("*.html") if page.stat().st_size > 600_000} == set()
    shared = sum(file.stat().st_size for file in book.joinpath("_static").rglob("*") if file.is_file())
    assert shared < 2_000_000
    assert not any(' src="data:image' in page.read_text(encoding="utf-8") for page in book.glob("*.html"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_keep_their_colours_and_lie_on_white(page, book, scheme):
    for name in ("index", "00_start_here"):
        open_page(page, book, name, "desk", scheme)
        pictures = "[...document.querySelectorAll('article img')].map(i => getComputedStyle(i))"
        seen = page.evaluate(f"{pictures}.map(style => style.filter + ' ' + style.backgroundColor)")
        assert set(seen) == {"none rgb(255, 255, 255)"}


def test_solutions_and_answers_to_predictions_wait_in_folds_and_open_without_scripts(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    open_page(page, book, "04_integrated_gradients", "phone")
    for hidden, words in (
        ("middles = (stops[1:] + stops[:-1]) / 2", "Show a solution"),
        ("pieces:  1   explained: 0.00 of 1", "Made your prediction?"),
        ("are the two ends of every piece", "Hint 1"),
    ):
        assert hidden not in text_of(page)
        page.locator("article summary", has_text=words).first.click()
        assert hidden in text_of(page)
    assert "def walk(f, stops):" in text_of(page)
    assert 'check("04.1", walk)' not in page.content()
    context.close()


@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.number)
def test_no_solution_and_no_answer_to_a_prediction_lies_open(book, lesson):
    page = BeautifulSoup((book / f"{lesson.name}.html").read_text(encoding="utf-8"), "html.parser")
    for prediction in page.select(".admonition.predict"):
        for cell in takewhile(lambda tag: "cell" in tag.get("class", []), prediction.find_next_siblings()):
            for output in cell.select(".cell_output"):
                assert output.find_parent("details", class_="hide", open=False), output.get_text()[:80]
    answers = [cell for cell in page_of(lesson, {}).cells if "hide-output" in cell.metadata.get("tags", [])]
    answer_folds = page.select(".cell > details.hide:is(.below-input, .above-output)")
    assert len(answer_folds) == len(answers) > 0
    for fold in answer_folds:
        after = fold.parent.find_next_sibling()
        assert after is None or after.name == "section" or {"admonition", "cell"} & set(after.get("class", []))
    folds = page.select("details.hide:not([open])")
    folded = "\n".join(fold.extract().get_text() for fold in folds)
    shown = page.get_text()
    cells = nbformat.read(lesson.solved, as_version=4).cells
    solved = [cell.source for cell in cells if "### BEGIN SOLUTION" in cell.source]
    assert len(solved) >= 3
    for source in solved:
        answer = source.partition("### BEGIN SOLUTION\n")[2].partition("### END SOLUTION")[0].rstrip()
        assert answer in folded
        assert answer not in shown
    assert shown.count('check("') == (1 if lesson.number == "00" else 0)
    assert 'progress("' not in shown


def test_a_prediction_that_text_answers_has_a_fold_with_the_text(page, book):
    open_page(page, book, "12_trust", "phone")
    assert "It is B, an edge detector" not in text_of(page)
    page.locator("article summary", has_text="Show the answer").first.click()
    assert "It is B, an edge detector" in text_of(page)


@pytest.mark.parametrize("name", ["00_start_here", "04_integrated_gradients", "13_language_models"])
def test_every_live_figure_starts_and_the_console_is_silent(page, book, name):
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    open_page(page, book, name)
    figures = page.locator("[data-figure]").count()
    assert page.locator(".igteach-live .live").count() == figures > 0
    assert said == []


def test_the_search_shows_its_first_letter_beside_its_icon(page, book):
    open_page(page, book, "glossary", "phone")
    page.keyboard.press("Control+k")
    icon = page.locator("#pst-search-dialog i").first.bounding_box()
    field = page.locator("#pst-search-dialog input[type=search]")
    text_from = field.bounding_box()["x"] + float(field.evaluate("e => parseFloat(getComputedStyle(e).paddingLeft)"))
    assert text_from > icon["x"] + icon["width"] + 2


def test_the_index_is_one_column_on_a_phone(page, book):
    open_page(page, book, "genindex", "phone")
    assert page.evaluate("[...document.querySelectorAll('.genindextable td')].every(e => e.clientWidth > 300)")
    assert page.evaluate("document.querySelector('.bd-article-container').scrollWidth") <= 390


@pytest.mark.parametrize("name", ["captum", "glossary", "references", "accessibility", "genindex", "search"])
def test_a_page_without_a_section_has_no_empty_column(page, book, name):
    open_page(page, book, name)
    assert not page.locator("#pst-primary-sidebar").is_visible()


def test_a_second_line_of_a_fold_or_an_option_begins_below_the_first(page, book):
    open_page(page, book, "04_integrated_gradients", "phone")
    outside = "e => getComputedStyle(e).listStylePosition"
    for name in (".admonition.quiz summary", "details.hide p.collapsed"):
        assert set(page.locator(f"article {name}").evaluate_all(f"all => all.map({outside})")) == {"outside"}
        assert page.locator(f"article {name}").first.bounding_box()["x"] >= 30


def test_a_phone_gets_the_first_picture_in_a_column(page, book):
    for size, name in (("phone", "first_look_narrow.png"), ("desk", "first_look.png")):
        open_page(page, book, "index", size)
        page.wait_for_function("document.querySelector('article img').complete")
        assert page.evaluate("document.querySelector('article img').currentSrc").endswith(f"/{name}")
        shown = page.locator("article img").first.bounding_box()
        assert (shown["height"] > shown["width"]) == (size == "phone")


@pytest.mark.parametrize("name", ["01_naive_gradients", "07_baselines"])
def test_on_a_phone_wide_pictures_are_as_wide_as_letters_of_10_points_need_and_scroll_by_keys(page, book, name):
    open_page(page, book, name, "phone")
    page.evaluate("document.querySelectorAll('article details').forEach(fold => fold.open = true)")
    pictures = page.locator("article a.whole:visible")
    widths = pictures.evaluate_all(
        "all => all.map(a => a.firstElementChild).map(i => [i.getAttribute('width'), i.getBoundingClientRect().width])"
    )
    assert len(widths) > 4
    assert all(shown * 10 / 72 * 80 / int(stated) > 11.99 for stated, shown in widths)  # 10 points
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    pictures.first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_on_a_phone_a_printed_table_keeps_its_columns_and_scrolls_by_keys(page, book):
    open_page(page, book, "12_trust", "phone")
    page.evaluate("document.querySelectorAll('article details').forEach(fold => fold.open = true)")
    tables = page.locator("pre.printed")
    assert tables.count() > 3
    heights = tables.locator(".line").evaluate_all("all => all.map(line => line.getBoundingClientRect().height)")
    assert max(heights) == min(heights)  # no line breaks
    tables.first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_a_tap_on_a_wide_picture_shows_it_whole(page, book):
    open_page(page, book, "00_start_here", "phone")
    link = page.locator("article a.whole").first
    assert len(link.locator("img").get_attribute("alt")) > 10
    link.click()
    assert page.url.endswith((".png", ".webp"))


def test_paper_has_open_folds(page, book):
    open_page(page, book, "04_integrated_gradients")
    fold = page.locator("details.hide pre", has_text="middles").first
    assert not fold.is_visible()
    page.emulate_media(media="print")
    assert fold.is_visible()
    assert not page.locator("#pst-header").is_visible()


def test_formulas_are_formulas(page, book):
    open_page(page, book, "04_integrated_gradients")
    heights = page.evaluate("[...document.querySelectorAll('math mfrac')].map(m => m.getBoundingClientRect().height)")
    assert len(heights) >= 4
    assert min(heights) > 10
    assert "$" not in page.evaluate("[...document.querySelectorAll('article p')].map(p => p.textContent).join()")


def test_search_finds_a_lesson_from_a_folder(page, book):
    open_page(page, book, "glossary")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input[type=search]").fill("trapezoid")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#search-results li').length > 0", timeout=20_000)
    assert "05 · Computing the integral" in page.inner_text("#search-results")


def test_a_new_reader_finds_the_first_lesson_and_the_way_to_run_it(page, book):
    open_page(page, book, "index", "phone")
    page.get_by_role("link", name="Run it yourself").click()
    assert page.locator("#run-it-yourself").is_visible()
    page.get_by_role("link", name="Start reading: lesson 00").click()
    assert page.url.endswith("00_start_here.html")


def test_no_link_of_the_book_is_broken(book):
    assert broken(book) == []
    text = (book / "04_integrated_gradients.html").read_text(encoding="utf-8")
    assert 'href="03_reference_background.html"' in text
