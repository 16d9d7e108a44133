"""What is on the slides of the lessons, and what must not be."""

import html
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from igteach.course.commands import main
from igteach.lessons.lesson import Lesson, all_lessons
from igteach.lessons.slides import html_of_markdown, page_of, slides_of, write_slides

every_lesson = pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
FOR_LEARNERS = re.compile(r"<details>|\*\*Question \d|## (Recap|Quiz)|### Exercise")


@pytest.fixture
def lesson(tmp_path, request):
    """A lesson of which a test writes the notebooks itself."""
    source = tmp_path / "notebooks" / "source" / "00_small.py"
    (tmp_path / "notebooks" / "solved").mkdir(parents=True)
    source.parent.mkdir()
    source.write_text("# %% [markdown]\n# # 00 · Small\n")
    return Lesson(source)


def text_of(page):
    """What is read on the slides."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.partition('<div class="slides">')[2].partition("<script>")[0]))


def text(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


@every_lesson
def test_a_lesson_has_five_to_ten_slides_from_its_title_to_its_three_lines(lesson):
    slides = slides_of(lesson.read())
    assert 5 <= len(slides) <= 10
    assert slides[0][0].source.startswith(f"# {lesson.number} · ")
    assert "**Take away.**" in slides[-1][-1].source


@every_lesson
def test_no_exercise_check_hint_or_quiz_is_on_a_slide(lesson):
    cells = [cell for slide in slides_of(lesson.read()) for cell in slide]
    assert not [cell.source for cell in cells if "nbgrader" in cell.metadata]
    assert not [cell.source for cell in cells if FOR_LEARNERS.search(cell.source)]


@every_lesson
def test_a_prediction_ends_its_slide_and_comes_before_its_answer(lesson):
    slides = slides_of(nbformat.read(lesson.solved, as_version=4))
    slide_of_cell = {cell.id: number for number, slide in enumerate(slides) for cell in slide}
    asked = None
    for cell in nbformat.read(lesson.solved, as_version=4).cells:
        if "**Predict.**" in cell.source:
            asked = cell
        elif asked and cell.get("outputs"):
            if cell.id in slide_of_cell:
                assert slide_of_cell.get(asked.id, 99) < slide_of_cell[cell.id], cell.source
            asked = None
    for slide in slides:
        asking = [number for number, cell in enumerate(slide) if "**Predict.**" in cell.source]
        assert asking in ([], [len(slide) - 1])
        if asking:
            assert "**Predict.**" in slide[-1].source.rsplit("\n\n", 1)[-1]


@every_lesson
def test_a_page_holds_all_it_needs_and_neither_code_nor_solutions(lesson, tmp_path):
    page = write_slides(lesson, tmp_path).read_text(encoding="utf-8")
    assert page.count("<section") >= 5
    assert "$$" not in page
    assert not re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*?(?:src|href)=\"(?!data:)", page)
    assert not re.findall(r"@import|url\((?![\"']?data:)", re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    shown = text_of(page)
    cells = lesson.read().cells
    solutions = "\n".join(SOLUTION.findall("\n".join(cell.source for cell in cells)))
    lines = [line.strip() for line in solutions.splitlines() if len(line.strip()) > 20]
    assert len(lines) >= 3
    assert not [line for line in [*lines, "BEGIN SOLUTION", "import torch"] if line in shown]


def test_only_what_is_tagged_is_shown_and_of_head_and_tail_only_what_a_class_needs(lesson):
    shown = new_code_cell("hidden = 1", metadata={"tags": ["slide-goes-on"]})
    shown.outputs = [nbformat.v4.new_output("stream", text="it prints 1\n")]
    cells = [
        text("# 00 · Small\n\n**The question.** Why [lesson 01](01_next.ipynb)?\n\n**You need** nothing.", "slide"),
        text("Between two slides."),
        text("Half of $x_i$.", "slide"),
        shown,
    ]
    page = page_of(new_notebook(cells=cells), "00 · Small")
    assert "<title>00 · Small: slides</title>" in page
    assert "<math" in page
    for wanted in ("Why lesson 01?", "it prints 1"):
        assert wanted in text_of(page)
    for unwanted in ("Between two slides", "hidden = 1", "You need", "ipynb", "$x_i$"):
        assert unwanted not in text_of(page)


def test_formulas_are_not_read_as_markdown():
    assert html_of_markdown("$a * b * c$").count("<mo>*</mo>") == 2
    assert "<math" in html_of_markdown(r"\begin{align}a * b = c\end{align}")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([text("nothing")], "00_small: no cell is tagged 'slide'"),
        ([text("on", "slide-goes-on"), text("off", "slide")], "00_small: its first slide has no cell tagged 'slide'"),
    ],
)
def test_wrong_tags_are_named(lesson, tmp_path, cells, said):
    nbformat.write(new_notebook(cells=cells), lesson.solved)
    with pytest.raises(ValueError, match=said):
        write_slides(lesson, tmp_path)


def test_the_command_writes_the_lessons_that_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("igteach.course.commands.clone", lambda: tmp_path)
    assert main(["slides", "00", "04"]) == 0
    written = sorted(path.name for path in (tmp_path / "build" / "slides").iterdir())
    assert written == ["00_start_here.html", "04_integrated_gradients.html"]
    assert capsys.readouterr().out.count("slides: ") == 2
