"""What a hand-in may hold: links are refused unread, every encoding is read, and a clean copy is all that remains."""

import json
import os
import socket

import nbformat
import pytest

from igteach.course import hand_ins
from igteach.course.hand_ins import (
    Refused,
    clean_notebook,
    essay_of,
    gradebook_name,
    keep_answers_in_locked_cells,
    printable,
    read_hand_in,
    strays,
)
from igteach.course.marks import submissions

TEXT = "Größe — naïve"
NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": [TEXT, "\nmore"]}],
    "metadata": {"igteach": {"version": "abc"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
WRITTEN = json.dumps(NOTEBOOK, ensure_ascii=False)


@pytest.fixture
def course(tmp_path):
    (tmp_path / "release" / "a").mkdir(parents=True)
    (tmp_path / "release" / "a" / "n.ipynb").write_text("{}")
    (tmp_path / "submitted" / "ann" / "a").mkdir(parents=True)
    (tmp_path / "submitted" / "ann" / "a" / "n.ipynb").write_text(WRITTEN, encoding="utf-8")
    (tmp_path / "secret").write_text("the course seed")
    return tmp_path


def folder(course):
    return course / "submitted" / "ann" / "a"


def refusal(course, student="ann", assignment="a"):
    with pytest.raises(Refused) as refused:
        read_hand_in(course, student, assignment)
    return str(refused.value)


# Links and special files


def link(course):
    (folder(course) / "data.csv").symlink_to(course / "secret")


def linked_notebook(course):
    (folder(course) / "n.ipynb").unlink()
    (folder(course) / "n.ipynb").symlink_to(course / "secret")


def linked_folder_inside(course):
    (folder(course) / "more").symlink_to(course)


def deep_link(course):
    (folder(course) / "b" / "c").mkdir(parents=True)
    (folder(course) / "b" / "c" / "x").symlink_to("/etc/passwd")


def link_to_nothing(course):
    (folder(course) / "x").symlink_to("nowhere")


def hard_link(course):
    os.link(course / "secret", folder(course) / "x")


def hard_linked_notebook(course):
    (folder(course) / "n.ipynb").unlink()
    os.link(course / "secret", folder(course) / "n.ipynb")


def pipe(course):
    os.mkfifo(folder(course) / "x")


def pipe_as_notebook(course):
    (folder(course) / "n.ipynb").unlink()
    os.mkfifo(folder(course) / "n.ipynb")


def listening(course):
    here = os.getcwd()
    os.chdir(folder(course))  # a socket's path must be short
    socket.socket(socket.AF_UNIX).bind("x")
    os.chdir(here)


def linked_assignment(course):
    folder(course).rename(course / "elsewhere")
    folder(course).symlink_to(course / "elsewhere")


def linked_student(course):
    folder(course).parent.rename(course / "elsewhere")
    folder(course).parent.symlink_to(course / "elsewhere")


@pytest.mark.parametrize(
    ("lay", "words"),
    [
        (link, "symbolic link, data.csv"),
        (linked_notebook, "symbolic link, n.ipynb"),
        (linked_folder_inside, "symbolic link, more"),
        (deep_link, "symbolic link, b/c/x"),
        (link_to_nothing, "symbolic link, x"),
        (hard_link, "x is one file under several names"),
        (hard_linked_notebook, "n.ipynb is one file under several names"),
        (pipe, "x is not an ordinary file"),
        (pipe_as_notebook, "n.ipynb is not an ordinary file"),
        (listening, "x is not an ordinary file"),
        (linked_assignment, "is a link"),
        (linked_student, "is a link"),
    ],
)
def test_links_and_special_files_are_refused_before_anything_is_read(course, lay, words, monkeypatch):
    lay(course)
    monkeypatch.setattr(hand_ins, "_read", None)
    assert words in refusal(course)


def test_what_becomes_a_link_after_it_was_looked_at_is_not_followed(course, monkeypatch):
    monkeypatch.setattr(hand_ins, "_refuse_links", lambda *_: linked_notebook(course))
    assert "is a link" in refusal(course)
    os.unlink(folder(course) / "n.ipynb")
    monkeypatch.setattr(hand_ins, "_refuse_links", lambda *_: None)
    os.link(course / "secret", folder(course) / "n.ipynb")
    assert "is not an ordinary file" in refusal(course)


def test_a_linked_student_and_a_linked_assignment_are_listed_to_be_refused_in_words(course):
    linked_assignment(course)
    (course / "submitted" / "bob").symlink_to(course)
    assert submissions(course) == [("ann", "a"), ("bob", "*")]


def test_folders_without_end_and_files_without_number_are_refused(course, monkeypatch):
    deep = folder(course).joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    assert "folders in folders" in refusal(course)
    monkeypatch.setattr(hand_ins, "MOST_ENTRIES", 3)
    (folder(course) / "d" / "d" / "d").rename(course / "away")
    for number in range(3):
        (folder(course) / f"{number}").touch()
    assert "more than 3 files" in refusal(course)


def test_a_file_too_large_is_refused_and_no_more_of_it_read(course, monkeypatch):
    monkeypatch.setattr(hand_ins, "LARGEST_FILE", 2**20)
    (folder(course) / "n.ipynb").write_bytes(b" " * (2**20 + 1))
    assert "n.ipynb is larger than 1 MB" in refusal(course)
    (folder(course) / "n.ipynb").write_bytes(b" " * 2**20)
    assert len(read_hand_in(course, "ann", "a").files["n.ipynb"]) == 2**20


@pytest.mark.skipif(
    os.access("/root", os.R_OK), reason="root may read everything; run the tests as an ordinary user for this one"
)
def test_what_may_not_be_read_is_named(course):
    (folder(course) / "n.ipynb").chmod(0)
    assert "cannot be read: permission denied" in refusal(course)


# Names


def test_a_wrong_name_is_refused_in_words(course):
    assert "no assignment b; the folder must be named as one in release/: a" in refusal_of_missing(course)
    (folder(course) / "n.ipynb").rename(folder(course) / "n (1).ipynb")
    assert refusal(course) == "holds n (1).ipynb; the file must be named n.ipynb"
    (folder(course) / "n (1).ipynb").unlink()
    assert refusal(course) == "holds no notebook; the file must be named n.ipynb"


def refusal_of_missing(course):
    (course / "submitted" / "ann" / "b").mkdir()
    return refusal(course, assignment="b")


def test_a_notebook_whose_name_differs_in_upper_case_only_is_read(course):
    (folder(course) / "n.ipynb").rename(folder(course) / "N.IPYNB")
    assert read_hand_in(course, "ann", "a").files == {"n.ipynb": WRITTEN.encode()}
    (folder(course) / "N.ipynb").write_text("another")
    assert "must be named n.ipynb" in refusal(course)  # which of the two?


def test_leftovers_and_other_files_are_ignored(course):
    for name in ("._n.ipynb", ".DS_Store", "data.csv", "other.ipynb"):
        (folder(course) / name).write_bytes(b"\0\5\x16\7\xff")
    (folder(course) / "__MACOSX").mkdir()
    (folder(course) / "__MACOSX" / "n.ipynb").write_text("{}")
    assert read_hand_in(course, "ann", "a").files == {"n.ipynb": WRITTEN.encode()}


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("ann", "ann"),
        ("Zoë Müller-Ø'Hara", "Zoë Müller-Ø'Hara"),
        ("李雷", "李雷"),
        ("ann@example.org", "ann@example.org"),
        ("12345", "12345"),
        ("Müller, Anna", "Müller, Anna"),
        ("[ab]", "%5Bab%5D"),
        ("*", "%2A"),
        ("a?b", "a%3Fb"),
        (".ann", "%2Eann"),
        ("-v", "%2Dv"),
        ("~root", "%7Eroot"),
        (" ann ", "%20ann%20"),
        ("'ann'", "%27ann%27"),
        ("a\nb", "a%0Ab"),
        ("a%0Ab", "a%250Ab"),
        ("{x}", "%7Bx%7D"),
        (os.fsdecode(b"m\xfcller"), "m%FCller"),
    ],
)
def test_every_folder_has_a_name_that_nbgrader_takes(name, known_as):
    assert gradebook_name(name) == known_as
    printable(name).encode("utf-8")


def test_long_names_are_cut_and_stay_different():
    one, other = ("é" * 126 + letter for letter in "ab")
    assert gradebook_name(one) != gradebook_name(other)
    assert max(len(gradebook_name(name).encode()) for name in (one, other, "[" * 255)) <= hand_ins.LONGEST_NAME


def test_names_that_differ_in_case_or_normalisation_stay_different():
    names = ["ann", "Ann", "\u00e9", "e\u0301"]
    assert len({gradebook_name(name) for name in names}) == 4


def test_hidden_folders_are_left_out_unless_they_hold_an_assignment(course):
    for name in (".ipynb_checkpoints/x", ".ann/a", "ann/.ipynb_checkpoints"):
        (course / "submitted" / name).mkdir(parents=True)
    assert submissions(course) == [(".ann", "a"), ("ann", "a")]


def test_what_lies_beside_the_folders_is_named(course):
    (course / "submitted" / "ann" / "n.ipynb").write_text("{}")
    (course / "submitted" / "all.zip").write_text("")
    (course / "submitted" / ".DS_Store").write_text("")
    assert strays(course) == ["submitted/all.zip", "submitted/ann/n.ipynb"]


# The time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-28 20:00:14.5 UTC", "2026-11-28 20:00:14.500000 UTC"),
        ("2026-11-28 22:00:14 +0200", "2026-11-28 20:00:14.000000 UTC"),
        ("", ""),
    ],
)
def test_the_time_is_read(course, text, time):
    (folder(course) / "timestamp.txt").write_text(text)
    hand_in = read_hand_in(course, "ann", "a")
    assert hand_in.timestamp == time
    assert hand_in.notes == ()


@pytest.mark.parametrize("data", [b"yesterday", b"\xff\xfe\0", b"9" * 5000, b"99999999999999999999-01-01"])
def test_a_time_that_is_none_costs_a_note_and_not_the_mark(course, data):
    (folder(course) / "timestamp.txt").write_bytes(data)
    hand_in = read_hand_in(course, "ann", "a")
    assert hand_in.timestamp == ""
    assert "timestamp.txt does not contain a time" in hand_in.notes[0]


@pytest.mark.parametrize(("data", "secret"), [(b"aB3-_x", "aB3-_x"), (b"\xff", ""), (b"x" * 5000, ""), (b"a\nb", "")])
def test_the_exchanges_secret_is_read_if_it_is_one(course, data, secret):
    (folder(course) / "submission_secret.txt").write_bytes(data)
    assert read_hand_in(course, "ann", "a").secret == secret


def test_times_of_files_and_owners_change_nothing_and_content_does(course):
    digest = read_hand_in(course, "ann", "a").digest
    os.utime(folder(course) / "n.ipynb", (2**31, 2**31))
    (folder(course) / "n.ipynb").chmod(0o600)
    assert read_hand_in(course, "ann", "a").digest == digest
    (folder(course) / "n.ipynb").write_text(WRITTEN + " ", encoding="utf-8")
    assert read_hand_in(course, "ann", "a").digest != digest


# The content


def text_of(data):
    notebook, _ = clean_notebook("n.ipynb", data)
    nbformat.validate(notebook)
    return notebook.cells[0].source


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_unicode_encoding_is_read(encoding):
    assert text_of(WRITTEN.encode(encoding)) == f"{TEXT}\nmore"


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", TEXT), ("latin-1", "Größe \x81")])
def test_older_encodings_are_read_and_noted(encoding, text):
    data = json.dumps({"cells": [{"cell_type": "markdown", "source": text}]}, ensure_ascii=False).encode(encoding)
    notebook, notes = clean_notebook("n.ipynb", data)
    assert notebook.cells[0].source == text
    assert "not in UTF-8" in notes[0]


ODD = [
    {"cells": [{"cell_type": "code", "metadata": None, "source": "x", "outputs": None, "execution_count": None}]},
    {"cells": [{"cell_type": "code", "metadata": {"nbgrader": None}, "source": "x"}], "metadata": None},
    {"cells": [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["a"]}}, "source": ["x", None]}]},
    {"cells": [{"cell_type": "code", "metadata": {"nbgrader": "yes"}, "source": "x", "id": 7, "outputs": [1]}]},
    {"cells": [{"cell_type": "poem", "source": "x", "attachments": 3}, None, 3, "text"], "nbformat": None},
    {"cells": [{"cell_type": "markdown", "source": "x", "attachments": {"a": None, "b": {"image/png": "eA=="}}}]},
    {"cells": [{"cell_type": "code", "source": "x", "id": "a"}, {"cell_type": "code", "source": "y", "id": "a"}]},
    {"cells": [{"cell_type": "code", "source": "x", "id": "a b" * 99}], "metadata": {"igteach": {"version": 3}}},
    {"cells": [{"cell_type": "code", "source": "x"}], "nbformat": 99, "nbformat_minor": "new"},
    {"worksheets": [{"cells": [{"cell_type": "code", "input": "x", "outputs": [{"output_type": "pyout"}]}]}]},
    {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x"], "metadata": None, "language": "python"}]}],
     "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0},
]  # fmt: skip


@pytest.mark.parametrize("document", ODD, ids=range(len(ODD)))
def test_what_can_be_read_is_a_valid_notebook(document):
    assert text_of(json.dumps(document).encode()) == "x"


def test_headings_of_the_old_format_are_read():
    cells = [{"cell_type": "heading", "level": 2, "source": ["Title"]}]
    assert text_of(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}).encode()) == "## Title"


def test_halves_of_characters_can_be_written_again():
    notebook, _ = clean_notebook(
        "n.ipynb", b'{"cells": [{"cell_type": "markdown", "source": "a\\ud800b \\ud83d\\ude00"}]}'
    )
    assert nbformat.writes(notebook).encode("utf-8")
    assert notebook.cells[0].source == "a\ufffdb \U0001f600"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"cells": [', "is not JSON"),
        (b"\x89PNG\r\n", "is not JSON"),
        (b"<!doctype html>", "is not JSON"),
        (b"\xff\xfe\0\xd8", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[1, 2]", "no cells"),
        (b"3", "no cells"),
        (b'{"cells": {}}', "no cells"),
        (b'{"cells": null}', "no cells"),
        (b'{"worksheets": [{"cells": [{"cell_type": "heading", "level": "x"}]}]}', "old format"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words_that_do_not_show_its_content(data, words):
    with pytest.raises(Refused, match=r"n\.ipynb .*; ask for the notebook again") as refused:
        clean_notebook("n.ipynb", data)
    assert words in str(refused.value)


def test_outputs_widgets_and_foreign_metadata_do_not_reach_the_clean_copy():
    flood = [{"output_type": "stream", "name": "stdout", "text": "x" * 10**6}]
    metadata = {"tags": ["raises-exception"], "nbgrader": {"grade_id": "check-1", "points": 99}, "widgets": {}}
    cell = {"cell_type": "code", "source": "x", "outputs": flood, "metadata": metadata, "execution_count": 5}
    document = {"cells": [cell], "metadata": {"widgets": {"state": "y" * 10**6}, "igteach": {"version": "abc"}}}
    notebook, _ = clean_notebook("n.ipynb", json.dumps(document).encode())
    assert len(nbformat.writes(notebook)) < 1000
    assert notebook.metadata.igteach == {"version": "abc"}
    assert notebook.cells[0].metadata == {"nbgrader": {"grade_id": "check-1"}}
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].execution_count is None


# The essay


def markdown(text, name=None):
    metadata = {"nbgrader": {"grade_id": name, "locked": True}} if name else {}
    return nbformat.v4.new_markdown_cell(text, metadata=metadata)


def notebook_of(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


RELEASE = notebook_of(
    markdown("# Title"),
    nbformat.v4.new_code_cell("def f(): ..."),
    markdown("## To hand in", "question-01"),
    markdown("*Write your answer here.*"),
)


@pytest.mark.parametrize(
    ("cells", "essay"),
    [
        (RELEASE.cells, ""),
        ([nbformat.v4.new_code_cell("def f(): return 1"), *RELEASE.cells], ""),
        ([*RELEASE.cells[:3], markdown("Because.")], "Because."),
        ([*RELEASE.cells[:3], markdown("  Because.  \n\n")], "Because."),
        ([markdown("# Title"), markdown("Because."), *RELEASE.cells[2:]], "Because."),
        ([*RELEASE.cells, nbformat.v4.new_raw_cell("Because.")], "Because."),
        ([*RELEASE.cells, nbformat.v4.new_code_cell("# Because.")], "# Because."),
        ([RELEASE.cells[0], markdown("## To hand in\n\nrubric", "question-01")], ""),
    ],
)
def test_the_essay_is_what_the_release_does_not_have(cells, essay):
    assert essay_of(notebook_of(*cells), RELEASE) == essay


def test_another_picture_is_another_essay():
    cells = [markdown("*Write your answer here.*"), markdown("*Write your answer here.*")]
    for cell, data in zip(cells, ("eA==", "eQ=="), strict=True):
        cell["attachments"] = {"a.png": {"image/png": data}}
    first, second = (essay_of(notebook_of(*RELEASE.cells[:3], cell), RELEASE) for cell in cells)
    assert first != second


def test_an_answer_in_the_questions_own_cell_is_kept_below_it():
    notebook = notebook_of(RELEASE.cells[0], markdown("## To hand in\n\nBecause.", "question-01"))
    keep_answers_in_locked_cells(notebook, RELEASE)
    assert [cell.source for cell in notebook.cells] == ["# Title", *["## To hand in\n\nBecause."] * 2]
    assert "nbgrader" not in notebook.cells[2].metadata
    assert essay_of(notebook, RELEASE) == "## To hand in\n\nBecause."
    untouched = notebook_of(*RELEASE.cells)
    keep_answers_in_locked_cells(untouched, RELEASE)
    assert untouched == RELEASE
