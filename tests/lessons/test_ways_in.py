"""Links into the repository: all from its one address, and none where it has none."""

import copy
import sys
from types import ModuleType

import nbformat
from IPython.core.interactiveshell import InteractiveShell

from igteach.lessons import build
from igteach.lessons.contract import faults
from igteach.lessons.lesson import Lesson, all_lessons, learners_view, version_of
from igteach.lessons.ways_in import site_address, ways_in, with_colab_cell

LESSON = all_lessons()[4]
SOURCE = f"notebooks/source/{LESSON.name}.py"


def test_a_lesson_opens_elsewhere_and_can_be_edited_and_reported():
    ways = dict(ways_in("https://github.com/someone/igteach", LESSON, SOURCE))
    assert ways == {
        "Open in Colab": "https://colab.research.google.com/github/someone/igteach/blob/main/notebooks/"
        "04_integrated_gradients.ipynb",
        "Open in Binder": "https://mybinder.org/v2/gh/someone/igteach/main?labpath=notebooks/"
        "04_integrated_gradients.ipynb",
        "Open in Codespaces": "https://codespaces.new/someone/igteach?quickstart=1",
        "Edit this page": f"https://github.com/someone/igteach/edit/main/{SOURCE}",
        "Report an issue": "https://github.com/someone/igteach/issues/new",
    }


def test_a_page_that_is_no_lesson_and_has_no_source_offers_neither():
    words = [word for word, _ in ways_in("https://github.com/someone/igteach.git", None, "")]
    assert words == ["Open in Codespaces", "Report an issue"]


def test_without_an_address_on_github_there_is_nothing():
    for address in (None, "", "https://example.org/someone/igteach"):
        assert ways_in(address, LESSON, SOURCE) == []
        assert site_address(address) == ""


def test_with_an_address_a_learners_notebook_installs_the_course_in_colab_and_only_there(monkeypatch):
    view = learners_view(LESSON.read())
    before = copy.deepcopy(view)
    notebook = with_colab_cell(view, "https://github.com/someone/igteach")
    assert view == before
    nbformat.validate(notebook)
    (cell,) = [one for one in notebook.cells if one not in view.cells]
    assert next(one for one in notebook.cells if one.cell_type == "code") is cell
    assert [one for one in notebook.cells if one is not cell] == view.cells
    shell, installed = InteractiveShell(), []
    shell.register_magic_function(installed.append, "line", "pip")
    shell.run_cell(cell.source).raise_error()
    assert installed == []
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    shell.run_cell(cell.source).raise_error()
    assert installed == ['install -q "igteach[lessons] @ git+https://github.com/someone/igteach"']


def test_the_cell_for_colab_is_in_the_learners_file_alone_and_keeps_the_contract(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "repository", lambda: "https://github.com/someone/igteach")
    lesson = Lesson(tmp_path / "source" / LESSON.source.name)
    for path, content in (
        (lesson.source, LESSON.source.read_text(encoding="utf-8")),
        (lesson.solved, LESSON.solved.read_text(encoding="utf-8")),
        (lesson.learner, build.as_text(build.learners_notebook(LESSON.read()))),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    assert "google.colab" in lesson.learner.read_text(encoding="utf-8")
    assert "google.colab" not in build.as_text(lesson.read())
    assert [fault for fault in faults(lesson) if "a link leads to" not in fault] == []
    assert lesson.read().metadata.igteach.version == version_of(learners_view(LESSON.read()))


def test_without_an_address_no_notebook_has_a_cell_for_colab():
    for address in (None, "", "https://example.org/someone/igteach"):
        view = learners_view(LESSON.read())
        assert with_colab_cell(view, address) == view
