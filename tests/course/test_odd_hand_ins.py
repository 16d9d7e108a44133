"""Right answers in odd files and folders, through the real nbgrader: each has all points, and none stops another."""

import json
import os

import pytest
from course.students import exercises_of

from igteach.course.grade import grade

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("box")]
ACCENTS = "# Größe, naïve, 3 µm\n"


def old_format(notebook):
    cells = []
    for cell in notebook.cells:
        text = "input" if cell.cell_type == "code" else "source"
        more = {"language": "python", "outputs": [], "collapsed": False} if cell.cell_type == "code" else {}
        cells.append({"cell_type": cell.cell_type, text: cell.source, "metadata": cell.metadata, **more})
    return {"worksheets": [{"cells": cells}], "metadata": notebook.metadata, "nbformat": 3, "nbformat_minor": 0}


def with_nulls(notebook):
    for cell in notebook.cells:
        cell.metadata.setdefault("nbgrader", None)
        cell["attachments"] = None
    return {**notebook, "nbformat_minor": None}


def with_widgets(notebook):
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": "x" * 62_000_000}}}
    return {**notebook, "metadata": {**notebook.metadata, "widgets": state}}


def with_a_flood_of_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}]
    return notebook


def in_the_questions_cell(notebook):
    (cell,) = (cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("task"))
    cell.source += "\n\nA dimmer that is turned up."
    return notebook


FILES = {
    "bom": lambda notebook: written(notebook).encode("utf-8-sig"),
    "utf-16": lambda notebook: written(notebook).encode("utf-16"),
    "latin-1": lambda notebook: written(notebook).encode("cp1252", "xmlcharrefreplace"),
    "nulls": lambda notebook: written(with_nulls(notebook)).encode(),
    "format 3": lambda notebook: written(old_format(notebook)).encode(),
    "widgets": lambda notebook: written(with_widgets(notebook)).encode(),
    "outputs": lambda notebook: written(with_a_flood_of_outputs(notebook)).encode(),
    "in question": lambda notebook: written(in_the_questions_cell(notebook)).encode(),
}
FOLDERS = ["[ab]", "-v", "a\nb", "Zoë, Ann (7)", os.fsdecode(b"m\xfcller"), "é" * 120]
REFUSED = {"half": b'{"cells": [', "mac": b"\0\5\x16\7\xff", "page": b"<!doctype html>"}


def written(document):
    return json.dumps(document, ensure_ascii=False)


@pytest.fixture(scope="module")
def marks(papers_of, tmp_path_factory):
    papers = papers_of(tmp_path_factory.mktemp("odd") / "course")
    for student, encode in FILES.items():
        notebook = papers.filled(1, 2, 3, essay=ACCENTS)
        papers.hand_in(student, encode(notebook))
    for student in FOLDERS:
        papers.hand_in(student, papers.filled(1, 2, 3))
    for student, data in REFUSED.items():
        papers.hand_in(student, data)
    (papers.place("bom") / f"._{papers.file}").write_bytes(REFUSED["mac"])
    (papers.place("bom") / "data.csv").write_bytes(b"\xff")
    (papers.place("nulls") / "timestamp.txt").write_text("yesterday")
    return papers, {mark.student: mark for mark in grade(papers.course)}


def test_everybody_has_a_mark_or_a_reason(marks):
    _, found = marks
    assert len(found) == len(FILES) + len(FOLDERS) + len(REFUSED)
    assert sorted(name for name, mark in found.items() if mark.reason) == sorted(REFUSED)
    assert all("; ask for the notebook again" in found[name].reason for name in REFUSED)


def test_right_answers_have_all_points_in_whatever_file_and_folder(marks):
    papers, found = marks
    answered = [f"check-{exercise.replace('.', '-')}" for exercise in exercises_of(papers.number).values()]
    wanted = {cell: papers.out_of[cell] for cell in answered}
    for name in found.keys() - REFUSED:
        assert {cell: found[name].points[cell] for cell in answered} == wanted, name


def test_what_was_read_with_doubt_is_flagged_and_nothing_else(marks):
    papers, found = marks
    flagged = {name: mark.flags for name, mark in found.items() if mark.flags}
    assert set(flagged) == {"latin-1", "nulls", "in question"}, flagged
    assert "not in UTF-8" in flagged["latin-1"][0]
    assert "timestamp.txt does not contain a time" in flagged["nulls"][0]
    assert f"question-{papers.number} was changed" in flagged["in question"][0]


def test_an_answer_in_the_questions_own_cell_can_be_read_where_it_is_marked(marks):
    papers, _ = marks
    (copy,) = (papers.course / "autograded" / "in question").rglob("*.ipynb")
    assert "A dimmer that is turned up." in copy.read_text(encoding="utf-8")


def test_no_kept_copy_is_large_and_everybody_graded_has_feedback(marks):
    papers, found = marks
    copies = list((papers.course / "autograded").rglob("*.ipynb"))
    assert len(copies) == len(found) - len(REFUSED)
    assert max(copy.stat().st_size for copy in copies) < 2_000_000
    assert len(list((papers.course / "feedback").rglob("*.html"))) == len(copies)


def test_the_attempt_keeps_the_file_as_it_was_handed_in(marks):
    papers, _ = marks
    for student in FILES:
        kept = papers.course / "attempts" / student / papers.name / "1" / papers.file
        assert kept.read_bytes() == (papers.place(student) / papers.file).read_bytes()
