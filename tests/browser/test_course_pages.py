"""The instructor's report and list of likenesses on a phone, on a desk and in the dark, with the worst of names."""

import pytest

from igteach.course import report as report_module
from igteach.course import similarity_page
from igteach.course.marks import Mark
from igteach.course.similarity import likenesses
from igteach.course.similarity_page import Assignment
from igteach.exercises.solutions import EXERCISES

LONG = "a_name_without_a_break_" * 8
SCRIPT = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
ASSIGNMENTS = ["02_saturation-1a2b3c", "03_reference_background-1a2b3c", LONG]
PAGES = ["report.html", "report-class.html", "similar.html"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "course"
    folder.mkdir()
    marks = {}
    for assignment in ASSIGNMENTS:
        checks = [f"check-{assignment[:2]}-{place}" for place in (1, 2, 3)]
        for student in (LONG, SCRIPT, "ann"):
            known = EXERCISES.get(f"{assignment[:2]}.1", EXERCISES["03.1"]).mistakes[0].message
            marks[student, assignment] = Mark(
                student=student,
                assignment=assignment,
                points=dict.fromkeys(checks, 0.0),
                out_of=dict.fromkeys(checks, 2.0),
                by_hand=True,
                reason="",
                flags=[LONG, SCRIPT],
                messages=dict.fromkeys(checks, known),
            )
    text = f"def f(x):\n    y = '{LONG * 3}'\n    return '{SCRIPT}' + y + x * 3 - x.sum(0).mean()"
    found = {"03.1": likenesses({LONG: text, SCRIPT: text, "ann": text + " + 1"}, "", text)}
    compared = [Assignment(name, found, {"03.1": 3}, [SCRIPT, LONG]) for name in ASSIGNMENTS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_module, "submissions", lambda course: sorted(marks))
        patch.setattr(report_module.Submission, "mark", lambda self: marks[self.student, self.assignment])
        report_module.report(folder)
        patch.setattr(similarity_page, "submissions", lambda course: sorted(marks))
        patch.setattr(similarity_page, "compare", lambda course, name, students: compared[ASSIGNMENTS.index(name)])
        similarity_page.similar(folder)
    return folder


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_sideways_scrolling_and_runs_nothing_of_a_students(page, course, name, width):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"file://{course / name}")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('main *')].every(e => e.getBoundingClientRect().right <= innerWidth)"
    )
    assert page.title() != "taken"
    assert page.locator("main img, main script").count() == 0
    assert asked == [f"file://{course / name}"]
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_in_the_dark_and_every_bar_has_words(page, course, name):
    page.emulate_media(color_scheme="dark")
    page.goto(f"file://{course / name}")
    text = page.evaluate("getComputedStyle(document.body).color")
    assert sum(int(part) for part in text.strip("rgb()").split(",")) > 600
    labels = page.evaluate("[...document.querySelectorAll('svg')].map(e => e.getAttribute('aria-label'))")
    assert all(labels)
    assert labels or name == "similar.html"
