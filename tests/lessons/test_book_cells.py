"""A lesson's page: solutions and answers to a prediction are folded, checks are gone, questions are set off."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from igteach.lessons.book_cells import page_cells, page_of, prose_of, with_admonitions
from igteach.lessons.lesson import all_lessons

LESSONS = all_lessons()


def code(source, **graded):
    metadata = {"nbgrader": graded} if graded else {}
    return new_code_cell(source, metadata=metadata, outputs=[new_output("stream", text="42\n")])


def tags(cells):
    return [cell.metadata.get("tags", []) for cell in cells]


def test_a_solution_is_its_stub_and_a_fold():
    solved = code(
        "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", grade_id="answer-1", solution=True
    )
    stub, folded = page_cells([solved], {"answer-1": "def f():\n    raise NotImplementedError()", "": "other cells"})
    assert (stub.source, stub.outputs) == ("def f():\n    raise NotImplementedError()", [])
    assert (folded.source, folded.metadata.tags) == ("def f():\n    return 1\n", ["hide-input"])
    assert stub.id != folded.id


def test_checks_and_progress_are_left_out_and_a_check_that_is_shown_stays():
    cells = [
        code('check("04.1", walk)', grade_id="check-1", grade=True, solution=False),
        code('from igteach.exercises import hint, progress\n\nprogress("04")'),
        code('check("00.1", forgetful)'),
    ]
    assert [cell.source for cell in page_cells(cells, {})] == ['check("00.1", forgetful)']


def test_what_comes_out_after_a_prediction_is_folded_up_to_the_next_heading():
    cells = [
        new_markdown_cell("Look.\n\n**Predict.** Up or down?"),
        code("first()"),
        new_code_cell("silent()"),
        code("second()"),
        new_markdown_cell("Down. Is it always?"),
        code("third()"),
        new_markdown_cell("Yes.\n\n### Exercise 1: another\n\n●○○\n\nDo."),
        code("later()"),
    ]
    assert tags(page_cells(cells, {})) == [[], ["hide-output"], [], ["hide-output"], ["hide-output"], [], []]


def prose(cell):
    return [output.data["text/markdown"] for output in cell.outputs if "text/markdown" in output.get("data", {})]


def test_text_that_gives_the_answer_is_in_the_last_fold_up_to_the_next_heading():
    page = page_cells(
        [
            new_markdown_cell("**Predict.** Up or down?"),
            code("first()"),
            code("second()"),
            new_markdown_cell("Down.\n\n- as a list"),
            new_markdown_cell("It always is.\n\n## The next section\n\nText."),
            code("later()"),
        ],
        {},
    )
    assert [prose(cell) for cell in page if cell.cell_type == "code"] == [
        [],
        ["Down.\n\n- as a list", "It always is."],
        [],
    ]
    assert tags(page) == [[], ["hide-output"], ["hide-output"], [], []]
    assert page[3].source == "## The next section\n\nText."
    names = [cell.metadata.mystnb.code_prompt_show for cell in page[1:3]]
    assert names == ["Made your prediction? Show the output", "Show this output and the answer"]
    assert prose_of(nbformat.v4.new_notebook(cells=page)).count("Down.") == 1


def test_an_answer_ends_at_the_next_prediction():
    page = page_cells(
        [
            new_markdown_cell("**Predict.** Up or down?"),
            code("first()"),
            new_markdown_cell("Down.\n\nNow y. **Predict.** And here?"),
            code("second()"),
        ],
        {},
    )
    assert prose(page[1]) == ["Down."]
    assert page[2].source.startswith("Now y.\n\n::::{admonition} Predict")
    assert page[3].metadata.mystnb.code_prompt_show == "Made your prediction? Show the output"


def test_a_prediction_that_text_answers_has_a_fold_of_that_text():
    page = page_cells([new_markdown_cell("**Predict.** Who?"), new_markdown_cell("B.\n\n## Next\n\nText.")], {})
    assert prose(page[1]) == ["B."]
    assert page[1].source  # myst-nb leaves out a cell without any
    assert page[1].metadata.tags == ["remove-input", "hide-output"]
    assert page[1].metadata.mystnb.code_prompt_show == "Made your prediction? Show the answer"
    assert page[2].source == "## Next\n\nText."


def test_text_before_anything_came_out_stays_in_view_and_the_answer_is_still_folded():
    cells = [
        new_markdown_cell("**Predict.** Where?"),
        new_code_cell("silent()"),
        new_markdown_cell("Each map has its own scale."),
        code("draw()"),
    ]
    page = page_cells(cells, {})
    assert [cell.cell_type for cell in page] == ["markdown", "code", "markdown", "code"]
    assert tags(page) == [[], [], [], ["hide-output"]]


def test_an_exercise_between_a_prediction_and_its_answer_does_not_unfold_it():
    cells = [
        new_markdown_cell("**Predict.** Which?"),
        new_markdown_cell("### Exercise 1: it\n\n●○○\n\nDo."),
        code("x()"),
    ]
    assert tags(page_cells(cells, {}))[-1] == ["hide-output"]


def test_exercises_recaps_and_questions_become_admonitions_below_their_headings():
    text = "## Recap\n\nFrom lesson 02: why?\n\n## Quiz\n\n**Question 1.** Which?\n\n<details>A</details>"
    assert with_admonitions("### Exercise 2: it\n\n●●○ · 5 minutes\n\nDo it.\n\nAll.") == (
        "### Exercise 2: it\n\n::::{admonition} ●●○ · 5 minutes\n:class: exercise important\n\nDo it.\n\nAll.\n\n::::"
    )
    found = re.findall(r"\{admonition\} (.*)\n:class: (\w+)", with_admonitions(text))
    assert found == [("From an earlier lesson", "recap"), ("Question 1", "quiz")]
    assert "\n\n## Quiz\n\n:::" in with_admonitions(text)
    assert with_admonitions("**Question 1.** Which?\n\nA").startswith(
        "::::{admonition} Question 1\n:class: quiz note\n"
    )


def test_a_prediction_within_a_paragraph_is_cut_out_and_other_text_stays():
    assert with_admonitions("Bytes. **Predict.** What is 0 - 8?\n\nNext.") == (
        "Bytes.\n\n::::{admonition} Predict\n:class: predict tip\n\nWhat is 0 - 8?\n\n::::\n\nNext."
    )
    plain = "# Title\n\nText with `code`.\n\n- a list\n- of two\n\n## More\n\nText."
    assert with_admonitions(plain) == plain


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_every_exercise_prediction_and_question_of_a_lesson_is_set_off(lesson):
    page = page_of(lesson, {})
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    solved = nbformat.read(lesson.solved, as_version=4)
    source = "\n".join(cell.source for cell in solved.cells if cell.cell_type == "markdown")
    for kind, mark in {"exercise": "\n### Exercise ", "predict": "**Predict", "quiz": "**Question "}.items():
        assert text.count(f":class: {kind} ") == f"\n{source}".count(mark) > 0
    assert text.count(":class: recap ") == 1
    folds = [cell for cell in page.cells if "hide-input" in cell.metadata.get("tags", [])]
    assert len(folds) == sum(cell.metadata.get("nbgrader", {}).get("solution", False) for cell in solved.cells)
    assert not any(cell.metadata.get("nbgrader", {}).get("grade") for cell in page.cells)
    nbformat.validate(page)
