"""Each template runs as it is and ends in a report; no file is ever written over."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from igteach.course.commands import main
from igteach.lessons.templates import KINDS, write_template


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_is_a_notebook_with_every_point_of_the_checklist(kind, tmp_path):
    notebook = nbformat.read(write_template(kind, tmp_path), as_version=4)
    nbformat.validate(notebook)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for point in ("Who asks", "**F is**", "**x is**", "**x' is**", "what would prove me wrong", "(yours)", "users see"):
        assert point in prose
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert sum("igteach.write_report(" in source for source in code) == 1
    assert max(len(line) for source in code for line in source.splitlines()) <= 88


def test_a_template_is_written_beside_a_file_and_never_over_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_table_model.ipynb").write_text("mine")
    assert main(["template", "table"]) == 0
    assert capsys.readouterr().out == "template: my_table_model-2.ipynb\n"
    assert (tmp_path / "my_table_model.ipynb").read_text() == "mine"
    assert write_template("table", tmp_path).name == "my_table_model-3.ipynb"


def test_another_kind_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(ValueError, match="kind is 'sound'; choose one of image, text, language, table, series"):
        write_template("sound", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.long
@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", KINDS)
def test_a_template_runs_as_it_is_and_ends_in_a_report_with_controls(kind, tmp_path):
    notebook = nbformat.read(write_template(kind, tmp_path), as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    found = json.loads((tmp_path / "reports" / f"{kind}.json").read_text(encoding="utf-8"))
    assert found["may be read as shares of F(x) - F(x')"]
    assert len(found["controls"]) >= 2
    assert found["notes"] == "..."
