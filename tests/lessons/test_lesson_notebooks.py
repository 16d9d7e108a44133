"""A lesson's two notebooks come from its script: the same bytes each time, no solution for the learner."""

import re

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import determine_grade

from igteach.lessons.build import as_text, build_lesson, learners_notebook
from igteach.lessons.lesson import Lesson, all_lessons, learners_view

EVERY_LESSON = pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
SCRIPT = '''# %% [markdown]
# # 00 · A small one

# %%
print(7)

# %%
print(7)

# %% nbgrader={"grade": false, "grade_id": "a", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "c", "locked": true, "points": 1, "schema_version": 3, "solution": false}
assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double(3) == 6
### END HIDDEN TESTS
'''


@pytest.fixture
def small(tmp_path):
    lesson = Lesson(tmp_path / "source" / "00_small.py")
    lesson.source.parent.mkdir()
    lesson.source.write_text(SCRIPT, encoding="utf-8")
    return lesson


def graded(notebook):
    return [cell for cell in notebook.cells if "nbgrader" in cell.metadata]


@EVERY_LESSON
def test_the_stored_notebooks_are_those_of_the_script(lesson):
    source = lesson.read()
    assert lesson.learner.read_text(encoding="utf-8") == as_text(learners_notebook(source))
    solved = nbformat.read(lesson.solved, as_version=4)
    for cell in solved.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    assert as_text(solved) == as_text(source)


@EVERY_LESSON
def test_reading_a_script_twice_gives_the_same_bytes(lesson):
    assert as_text(lesson.read()) == as_text(lesson.read())


@EVERY_LESSON
def test_cell_ids_are_unique_and_valid(lesson):
    notebook = lesson.read()
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@EVERY_LESSON
def test_a_learner_gets_stubs_with_their_docstrings_and_locked_checks(lesson):
    solved = lesson.read()
    view = learners_view(solved)
    assert not re.search("SOLUTION|HIDDEN TESTS|MARK SCHEME", as_text(view))
    assert len(graded(view)) >= 6
    for theirs, ours in zip(graded(solved), graded(view), strict=True):
        if theirs.metadata.nbgrader.solution:
            function = re.search(r"^def (\w+)", ours.source, re.MULTILINE).group(1)
            names: dict = {}
            exec(ours.source, names)
            with pytest.raises(NotImplementedError):
                names[function](*[None] * names[function].__code__.co_argcount)
            assert re.search('""".*?"""', theirs.source, re.DOTALL).group() in ours.source
            assert ours.metadata.get("editable", True)
        else:
            assert (ours.metadata.editable, ours.metadata.deletable) == (False, False)
            assert ours.source == theirs.source


@EVERY_LESSON
def test_nbgrader_takes_the_metadata_and_sees_the_points(lesson):
    view = learners_view(lesson.read())
    MetadataValidator().validate_nb(view)
    for cell in graded(view):
        if cell.metadata.nbgrader.grade:
            assert determine_grade(cell)[1] == cell.metadata.nbgrader.points > 0


def test_the_learners_view_leaves_the_notebook_as_it_was(small):
    notebook = small.read()
    before = as_text(notebook)
    learners_view(notebook)
    assert as_text(notebook) == before


def test_equal_cells_get_ids_of_their_own(small):
    first, second = small.read().cells[1:3]
    assert first.source == second.source
    assert first.id != second.id


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("A small one", "A smaller one", True),
        ("print(7)", "print(8)", True),
        ("Twice x.", "Two times x.", True),
        ("return 2 * x", "return x + x", False),  # a learner never sees it
        ("assert double(3) == 6", "assert double(4) == 8", False),
        ('"points": 1', '"points": 2', False),
    ],
)
def test_the_version_changes_with_what_the_learner_reads_and_not_otherwise(small, old, new, changes):
    before = small.read().metadata.igteach.version
    assert old in SCRIPT
    small.source.write_text(SCRIPT.replace(old, new), encoding="utf-8")
    assert (small.read().metadata.igteach.version != before) == changes


def test_a_rebuild_changes_no_byte(small):
    build_lesson(small)
    learner, solved = small.learner.read_bytes(), small.solved.read_bytes()
    executed = nbformat.read(small.solved, as_version=4)
    assert [cell.execution_count for cell in executed.cells if cell.cell_type == "code"] == [1, 2, 3, 4]
    assert executed.cells[1].outputs[0].text == "7\n"
    assert executed.metadata == small.read().metadata
    build_lesson(small)
    assert (small.learner.read_bytes(), small.solved.read_bytes()) == (learner, solved)


def test_a_stored_widget_leaves_its_static_form_and_a_bar_nothing(small):
    bar = "\n# %%\nfrom ipywidgets import IntProgress\n\ndisplay(IntProgress(7))\n"
    both = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/html": "<b>7</b>", "text/plain": "7"}
    small.source.write_text(f"{SCRIPT}{bar}display({both}, raw=True)\n", encoding="utf-8")
    build_lesson(small)
    (output,) = nbformat.read(small.solved, as_version=4).cells[-1].outputs
    assert list(output.data) == ["text/html", "text/plain"]
