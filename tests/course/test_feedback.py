"""The feedback page: no LaTeX and no Markdown costs it, and it says what a student wants to know."""

import random
import re
from html import escape

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from igteach.course.exercise_list import EXERCISE_CELL
from igteach.course.feedback import FeedbackPage, titles_of
from igteach.course.pages import html_of_markdown
from igteach.lessons.lesson import all_lessons, learners_view


def body_of(graded, **names):
    html, _ = FeedbackPage().from_notebook_node(graded, {"nbgrader": names})
    return html.partition("<body")[2]


def page(markdown):
    return body_of(new_notebook(cells=[new_markdown_cell(markdown)]))


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"the slope $\frac{a}{b}$", "<mfrac>"),
        (r"$$\sum_i x_i$$", 'display="block"'),
        (r"\begin{align} a &= b \\ c &= d \end{align}", "<mtable"),
        ("$a<b$", "<mo>&lt;</mo>"),
        ("R$^2$", "<msup>"),
        ("x$_i$", "<msub>"),
        ("|a|\n|-|\n|$x$|", "<mi>x</mi>"),
    ],
)
def test_a_formula_becomes_mathml(text, inside):
    html = page(text)
    assert "<math" in html
    assert inside in html
    assert "$" not in html


@pytest.mark.parametrize("text", [r"$\nosuchcommand{a}$", r"$$\nosuchcommand$$", "costs $5", "`$a$`"])
def test_what_is_no_formula_stays_as_it_was_written(text):
    html = page(text)
    assert "<math" not in html
    assert "$" in html


def test_a_formula_is_no_way_to_bring_in_a_script():
    assert "<script>" not in page("$<script>alert(1)</script>$")


@pytest.mark.parametrize(
    "text",
    [
        *("R$^2$", "x$_i$", "$a & b$", r"$a \\ b$", "${a$", "$a}$", r"$\left($", r"$\frac{1}$", r"$\begin{matrix}$"),
        *(r"\begin{align} a", r"\begin{bmatrix} 1 & 2 \end{bmatrix}", r"$\sqrt$", r"$\text{a$", "$$^$$"),
        "$" + "{" * 3000 + "$",
    ],
)
def test_right_and_broken_latex_is_shown_as_a_formula_or_as_it_was_typed(text):
    html = page(f"before {text} after")
    assert "before" in html
    assert "after" in html
    assert "<math" in html or escape(text, quote=False) in html


def test_a_broken_formula_spoils_no_other_and_no_other_text():
    html = html_of_markdown("$a & b$ is **not** $r$", {})
    assert "$a &amp; b$ is <strong>not</strong> <math" in html


@pytest.mark.parametrize(
    "text", ["$" + r"\frac" * 20_000, r"\\[ " * 30_000, "$a$ " * 30_000, "a\x00$\x00$", "\ud800 $\ud800$"]
)
def test_floods_nuls_and_halves_of_characters_cost_nobody_the_page(text):
    html = page(text)
    assert "Your whole notebook" in html
    html.encode("utf-8")


PIECES = re.findall(
    r"\S+",
    r"\frac \sqrt \left( \right) \begin{matrix} \end{matrix} \begin{align} \end{align} \text{ \mathbf "
    r"\sum_ \int^ \\ \, \hat \overset \cases \nosuch \color{red} \operatorname \substack \label{a} \tag{1} "
    r"\not \binom \boxed \bigl",
)
LATEX = st.lists(
    st.sampled_from([*PIECES, *"{}[]()^_&~%#'\"<>$ \n`|*", "1", "x", "é", "\x00", "\\", "$$", "\\\\["]), max_size=30
)


@settings(max_examples=400, derandomize=True)
@given(LATEX.map("".join), st.sampled_from(["$", "$$", ""]))
def test_no_drawn_latex_raises_or_brings_in_a_tag(formula, mark):
    html = html_of_markdown(f"{mark}{formula}{mark}", {})
    assert "<script" not in html
    html.encode("utf-8")


def test_a_picture_that_is_lost_costs_its_place_and_not_the_page():
    assert "[picture: my plot]" in page("![my plot](attachment:nowhere.png)")


def test_a_picture_that_is_attached_is_shown():
    cell = new_markdown_cell("![my plot](attachment:plot.png)", attachments={"plot.png": {"image/png": "iVBORw0K"}})
    assert '<img alt="my plot" src="data:image/png;base64,iVBORw0K"/>' in body_of(new_notebook(cells=[cell]))


def graded_notebook():
    """Two exercises and a question, as GetGrades leaves them: one is missed, one solved, the question marked."""

    def about(grade_id, **more):
        return {"nbgrader": {"grade_id": grade_id, "grade": False, "solution": False, "task": False, **more}}

    wrong = new_output("error", ename="NotSolved", evalue="On function 1 you forgot <half> a step.", traceback=["no"])
    solved = new_output("display_data", {"text/plain": "Exercise 04.2: solved."})
    task = about("question-04", task=True, points=4, score=3, comment="Say *why*.")
    return new_notebook(
        cells=[
            new_markdown_cell("# 04 · Integrated gradients"),
            new_markdown_cell("### Exercise 1: walk any path\n\n```\n# no heading\n```"),
            new_code_cell("def walk(): 1", metadata=about("answer-04-1", solution=True, comment="No response.")),
            new_code_cell("check(1)", metadata=about("check-04-1", grade=True, points=3, score=0), outputs=[wrong]),
            new_markdown_cell("### Exercise 2: Integrated Gradients"),
            new_code_cell("def ig(): 2", metadata=about("answer-04-2", solution=True, comment=None)),
            new_code_cell("check(2)", metadata=about("check-04-2", grade=True, points=2, score=2), outputs=[solved]),
            new_markdown_cell("## To hand in\n\nWhy?", metadata=task),
            new_markdown_cell("Because $a<b$."),
        ]
    )


def test_the_page_names_exercises_points_the_mistake_the_case_and_the_comment():
    html = body_of(graded_notebook(), score=5, max_score=9, late="1 day 3 h late", late_penalty=2)
    for words in (
        *("04 · Integrated gradients", "5 of 9 points", "Handed in 1 day 3 h late, which cost 2 points."),
        *(
            "Exercise 1: walk any path",
            "0 of 3",
            "On function 1 you forgot &lt;half&gt; a step.",
            '<span class="nf">walk',
        ),
        *(
            "Exercise 2: Integrated Gradients",
            "2 of 2",
            "To hand in",
            "3 of 4 points",
            "<p>Why?</p>",
            "<p>Say <em>why</em>.</p>",
        ),
    ):
        assert words in html
    overview = html.partition("<section")[0]
    assert overview.index("Exercise 1") < overview.index("Exercise 2") < overview.index("To hand in")
    question = html.rpartition("<section")[2]
    assert "<mo>&lt;</mo>" in question.partition("</section>")[0]


def test_the_page_has_no_words_of_the_machinery():
    html = body_of(graded_notebook(), score=5, max_score=9)
    for words in ("Test cell", "Grade cell", "Comment", "No response", "check-04", "question-04", "None", "late"):
        assert words not in html, words


def test_what_a_person_has_still_to_mark_is_no_zero(monkeypatch):
    monkeypatch.setattr("igteach.course.feedback._unmarked", lambda names: {"question-04"})
    html = body_of(graded_notebook(), score=2, max_score=9)
    assert "not marked yet, 4 points" in html
    assert "and more to come" in html
    assert "3 of 4" not in html


def test_headings_come_from_the_release_which_no_student_has_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "release" / "a").mkdir(parents=True)
    nbformat.write(graded_notebook(), tmp_path / "release" / "a" / "n.ipynb")
    submitted = graded_notebook()
    submitted.cells[1].source = "### Exercise 1: <b>mine</b>"
    html = body_of(submitted, assignment="a", notebook="n")
    assert "Exercise 1: walk any path" in html.partition("Your whole notebook")[0]
    assert "mine" not in html.partition("Your whole notebook")[0]


@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
def test_every_exercise_of_every_lesson_goes_by_its_title(lesson):
    notebook = learners_view(lesson.read())
    exercises = filter(None, (EXERCISE_CELL.match(cell.source) for cell in notebook.cells))
    expected = {f"check-{lesson.number}-{match[1]}": f"Exercise {match[1]}: {match[2]}" for match in exercises}
    titles = titles_of(notebook)
    assert expected
    assert {grade_id: titles[grade_id] for grade_id in expected} == expected


def test_the_page_asks_for_nothing_and_may_run_nothing():
    html, _ = FeedbackPage().from_notebook_node(graded_notebook())
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "").replace("http://www.w3.org/1998/Math/MathML", "")


def test_random_markdown_never_costs_the_page():
    rng = random.Random(15)
    alphabet = [
        "#",
        "*",
        "_",
        "`",
        "```",
        "\n",
        "\n\n",
        ">",
        "- ",
        "1. ",
        "|",
        "[",
        "](",
        ")",
        "![",
        "<",
        "</",
        "a",
        " ",
        "$",
        "\\",
        "&",
        "~~",
        "mermaid",
    ]
    for _ in range(300):
        html_of_markdown("".join(rng.choices(alphabet, k=60)), {})
