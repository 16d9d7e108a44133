"""Lessons in a real browser: JupyterLab runs them, hints unfold, quizzes answer."""

import shutil
import subprocess
import sys

import pytest
from browser.helpers import ARTEFACTS, CELLS, MINUTE, end_server, open_notebook, run_all, run_cells, serious_faults
from playwright.sync_api import expect

from igteach.lessons.lesson import all_lessons, root

pytestmark = pytest.mark.long
OUTPUTS = ".jp-OutputArea-output"
ALL_DRAWN = """c => {
    c.notebookConfig = {...c.notebookConfig, windowingMode: 'none'};
    for (let e = c.outerNode; e; e = e.parentElement) e.style.overflow = 'visible'; // axe takes Lab's body for clipped
}"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_runs_to_its_end_in_jupyterlab(page, lab, lesson, page_errors):
    run_all(page, lab, lesson.name)
    cells = page.evaluate(CELLS)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum(": open." in str(output.get("data", {}).get("text/plain", "")) for output in outputs) >= 3
    described = page.locator(".jp-OutputArea img:not(.igteach-live .stack img)")  # layers have one name together
    assert described.count() >= 1
    assert all(described.nth(number).get_attribute("alt") for number in range(described.count()))
    assert page_errors == []
    page.screenshot(path=ARTEFACTS / f"lab_{lesson.name}.png")


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", ["04", "09"])  # figures of pixels, and of tokens
def test_axe_finds_nothing_serious_in_our_outputs_light_or_dark(page, lab, number):
    (lesson,) = all_lessons([number])
    shutil.copy(lesson.solved, lab.work / f"solved_{number}.ipynb")
    open_notebook(page, lab, f"solved_{number}")
    page.evaluate(f"({ALL_DRAWN})(jupyterapp.shell.currentWidget.content)")
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    run_cells(page)
    expect(page.locator(".live")).to_have_count({"04": 2, "09": 1}[number], timeout=MINUTE)
    for theme in ("Light", "Dark"):
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {theme}")
        page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=f"JupyterLab {theme}")
        page.wait_for_timeout(1000)  # for the theme's style
        faults, measured = serious_faults(page, OUTPUTS)
        assert faults == [], theme
        assert measured > 30
    page.locator(".jp-OutputArea-output pre").last.evaluate("e => { e.style.color = '#333'; }")
    faults, _ = serious_faults(page, OUTPUTS)
    assert len(faults) == 1
    assert "color-contrast" in faults[0]


def test_hints_unfold_one_at_a_time_and_a_quiz_answers_a_choice(page, lab):
    open_notebook(page, lab, "00_start_here")
    exercise = page.locator(".jp-RenderedMarkdown", has_text="Hint 2").first
    exercise.scroll_into_view_if_needed()
    first, second = exercise.get_by_text("Hint 1"), exercise.get_by_text("Hint 2")
    expect(first).to_be_visible(timeout=MINUTE)
    expect(second).to_be_hidden()
    first.click()
    expect(second).to_be_visible()
    expect(exercise.locator("details details > p").first).to_be_hidden()

    choice = page.locator(".jp-RenderedMarkdown", has_text="Question 1.").locator("details").first
    choice.scroll_into_view_if_needed()
    explanation = choice.locator("p").first
    expect(explanation).to_be_hidden()
    choice.locator("summary").click()
    expect(explanation).to_be_visible()
    expect(explanation).not_to_be_empty()
    page.screenshot(path=ARTEFACTS / "lab_quiz.png")


def test_the_lab_command_serves_on_the_port_that_it_is_given(free_port, wait_for):
    options = ["--no-browser", "--port", str(free_port), "--IdentityProvider.token=lab-command"]
    server = subprocess.Popen([sys.executable, "-m", "igteach", "lab", *options], cwd=root(), stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{free_port}/lab?token=lab-command", server)
    finally:
        end_server(server)
