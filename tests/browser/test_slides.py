"""The slides in a real browser, from a folder and without a network."""

import pytest
from browser.helpers import serious_faults

from igteach.lessons.lesson import all_lessons
from igteach.lessons.slides import write_slides

pytestmark = pytest.mark.long
WIDTH, HEIGHT = 1280, 720
FOLDED = "details:not([open]) > :not(summary), details:not([open]) > :not(summary) *"
MEASURE = """folded => {
    const slide = Reveal.getCurrentSlide()
    const seen = [...slide.querySelectorAll('*')].filter(e => !e.matches(folded) && e.getClientRects().length)
    const boxes = seen.map(e => e.getBoundingClientRect())
    return {
        bottom: Math.max(...boxes.map(box => box.bottom)),
        right: Math.max(...boxes.map(box => box.right)),
        text: slide.innerText,
        pictures: [...slide.querySelectorAll('img')].map(i => {
            const box = i.getBoundingClientRect()
            const scale = Math.min(box.width / i.naturalWidth, box.height / i.naturalHeight)
            return [i.alt, scale * i.naturalWidth]
        }),
        covered: [...slide.querySelectorAll('.jp-MarkdownCell :is(h2, p, li, math *), pre')].filter(
            e => [...slide.querySelectorAll('img')].some(i => {
                const [a, b] = [e.getBoundingClientRect(), i.getBoundingClientRect()]
                return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
            })).map(e => e.textContent),
        formulas: [...slide.querySelectorAll('mfrac')].map(m => m.getBoundingClientRect().height),
    }
}"""


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    return {lesson.name: write_slides(lesson, folder) for lesson in all_lessons()}


@pytest.fixture
def slides(page, decks, asked, page_errors):
    """Opens the slides of a lesson and measures each; what was asked of a network, and errors, end the test."""

    def measured(name):
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.goto(f"file://{decks[name]}")
        page.wait_for_function("Reveal.isReady()")
        found = []
        for number in range(page.evaluate("Reveal.getTotalSlides()")):
            page.evaluate(f"Reveal.slide({number})")
            found.append(page.evaluate(MEASURE, FOLDED))
        assert asked == page_errors == []
        return found

    return measured


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [lesson.name for lesson in all_lessons()])
def test_every_slide_fits_the_screen(slides, name):
    found = slides(name)
    assert 5 <= len(found) <= 10
    for slide in found:
        assert slide["bottom"] <= HEIGHT - 20, slide["text"]
        assert slide["right"] <= WIDTH - 20, slide["text"]
        assert slide["covered"] == []
        assert all(len(alt) > 10 and width >= 350 for alt, width in slide["pictures"]), slide["pictures"]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", [lesson.name for lesson in all_lessons()])
def test_axe_finds_nothing_serious_on_any_slide(page, slides, name):
    found = slides(name)
    page.evaluate("document.querySelector('.backgrounds').remove()")  # all white: axe cannot measure over them
    measured = 0
    for number in range(len(found)):
        page.evaluate(f"Reveal.slide({number})")
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        faults, contrasts = serious_faults(page)
        assert faults == [], number
        measured += contrasts
    assert measured > 20


def test_formulas_are_formulas(slides):
    heights = [height for slide in slides("04_integrated_gradients") for height in slide["formulas"]]
    assert len(heights) >= 3
    assert min(heights) > 20


def test_keys_turn_the_slides(page, decks):
    page.goto(f"file://{decks['00_start_here']}")
    page.wait_for_function("Reveal.isReady()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getState().indexh") == 1
    assert "A photograph, and an answer" in page.evaluate("Reveal.getCurrentSlide().innerText")


def test_printed_each_slide_is_a_page_with_its_margins_and_pictures(page, decks):
    page.goto(f"file://{decks['08_image_models']}?print-pdf")
    page.wait_for_selector(".pdf-page:nth-of-type(5)", state="attached")
    pages = page.evaluate("document.querySelectorAll('.pdf-page').length")
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == pages >= 5
    margins = "[...document.querySelectorAll('.pdf-page > section')].map(s => getComputedStyle(s).paddingLeft)"
    assert page.evaluate(margins) == ["60px"] * pages
    heights = page.evaluate("[...document.images].map(i => i.getBoundingClientRect().height)")
    assert len(heights) >= 3
    assert min(heights) > 200
