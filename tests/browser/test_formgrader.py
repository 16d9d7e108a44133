"""nbgrader's Formgrader in JupyterLab opens the course that `assign` makes, and a person marks a question in it."""

import nbformat
import pytest
from browser.helpers import ARTEFACTS, MINUTE
from playwright.sync_api import expect

from igteach.course.assign import assign, assignment_name
from igteach.course.grade import grade
from igteach.course.questions import QUESTIONS
from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long
READY = "window.jupyterapp?.commands.hasCommand('nbgrader:open-formgrader')"
WRITTEN = "A path along the axes gives other shares than the straight one."


def test_an_assignment_is_listed_and_its_question_marked_by_the_rubric(page, lab_on, tmp_path):
    lesson = all_lessons(["04"])[0]
    name, course = assignment_name(lesson), tmp_path / "course"
    assign(["04"], course, None)
    notebook = nbformat.read(course / "release" / name / f"{lesson.name}.ipynb", as_version=4)
    notebook.cells[-1].source = WRITTEN
    (course / "submitted" / "ann" / name).mkdir(parents=True)
    nbformat.write(notebook, course / "submitted" / "ann" / name / f"{lesson.name}.ipynb")
    grade(course)
    lab = lab_on(course)

    page.goto(f"{lab.address}/lab?reset&token={lab.token}")
    page.wait_for_function(READY, timeout=2 * MINUTE)
    page.evaluate("jupyterapp.commands.execute('nbgrader:open-formgrader')")
    form = page.frame_locator("iframe")
    expect(form.get_by_role("link", name=name)).to_be_visible(timeout=MINUTE)
    form.get_by_role("link", name="Manual Grading").click()
    form.get_by_role("link", name=name).click()
    form.get_by_role("link", name=lesson.name, exact=True).last.click()
    form.get_by_role("link", name="Submission #1").click()
    question = form.locator("#question-04")
    expect(question).to_have_class("score tabbable needs_manual_grade", timeout=MINUTE)
    expect(form.get_by_text(WRITTEN)).to_be_visible()
    for line in QUESTIONS["04"].points_for:
        expect(form.get_by_text(f"1 point: {line}")).to_be_visible()
    fill(page, question, "3", "grade")
    fill(page, form.locator("#question-04-comment"), "Say why the sums agree.", "comment")
    page.screenshot(path=ARTEFACTS / "formgrader.png")

    (mark,) = grade(course)
    assert mark.points["question-04"] == 3
    assert not mark.by_hand
    (feedback,) = (course / "feedback").rglob("*.html")
    assert "Say why the sums agree." in feedback.read_text(encoding="utf-8")


def fill(page, box, text, what):
    """Write into a box of the form and leave it, which saves it."""
    with page.expect_response(lambda answer: f"/api/{what}/" in answer.url and answer.request.method == "PUT") as saved:
        box.fill(text)
        box.press("Tab")
    assert saved.value.ok
