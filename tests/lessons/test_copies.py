"""A learner's file is never lost: not by a second run, not by a new version of a lesson, not by a crash."""

import json
import os

import nbformat
import pytest

from igteach.lessons import files
from igteach.lessons.copies import copy_lesson
from igteach.lessons.lesson import Lesson, all_lessons

NAME = "00_start_here.ipynb"
NEW = "00_start_here.new.ipynb"
NEW_2 = "00_start_here.new-2.ipynb"
ORIGINAL = all_lessons(["00"])[0].learner


@pytest.fixture
def lesson(tmp_path):
    copy = Lesson(tmp_path / "notebooks" / "source" / "00_start_here.py")
    copy.learner.parent.mkdir()
    copy.learner.write_bytes(ORIGINAL.read_bytes())
    return copy


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work"


def change_lesson(lesson, version):
    notebook = nbformat.read(lesson.learner, as_version=4)
    notebook.metadata.igteach.version = version
    nbformat.write(notebook, lesson.learner)


def listing(work):
    return {path.name: path.read_bytes() for path in work.iterdir()}


def test_a_first_copy_has_the_bytes_of_the_lesson(lesson, work):
    line = copy_lesson(lesson, work)
    version = nbformat.read(lesson.learner, as_version=4).metadata.igteach.version
    assert line == f"00_start_here: copied (version {version})"
    assert listing(work) == {NAME: lesson.learner.read_bytes()}


def test_a_second_run_does_nothing_and_says_nothing(lesson, work):
    copy_lesson(lesson, work)
    before = (work / NAME).stat()
    assert copy_lesson(lesson, work) is None
    assert (work / NAME).stat() == before
    assert list(listing(work)) == [NAME]


def test_edits_of_a_learner_do_not_make_a_copy_look_old(lesson, work):
    copy_lesson(lesson, work)
    notebook = nbformat.read(work / NAME, as_version=4)
    notebook.cells[3].source += "\nprint(1)"
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    del notebook.cells[5:9]
    notebook.metadata["widgets"] = {}
    nbformat.write(notebook, work / NAME)
    edited = listing(work)
    assert copy_lesson(lesson, work) is None
    assert listing(work) == edited


def test_a_changed_lesson_is_laid_beside_the_learners_file(lesson, work):
    copy_lesson(lesson, work)
    mine = (work / NAME).read_bytes()
    change_lesson(lesson, "second")
    line = copy_lesson(lesson, work)
    assert "version second" in line
    assert NEW in line
    assert "\n" not in line
    assert listing(work) == {NAME: mine, NEW: lesson.learner.read_bytes()}
    assert copy_lesson(lesson, work) is None


def test_a_new_version_in_which_the_learner_works_is_kept_as_well(lesson, work):
    copy_lesson(lesson, work)
    change_lesson(lesson, "second")
    copy_lesson(lesson, work)
    edited = (work / NEW).read_bytes().replace(b"Start here", b"My notes")
    (work / NEW).write_bytes(edited)
    change_lesson(lesson, "third")
    assert NEW_2 in copy_lesson(lesson, work)
    assert (work / NEW).read_bytes() == edited
    assert (work / NEW_2).read_bytes() == lesson.learner.read_bytes()
    assert copy_lesson(lesson, work) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b"null", b"\xff\xfe\x00", b'{"metadata": {"igteach": 3}}', b"my notes"],
)
def test_a_file_that_is_no_lesson_stays_byte_for_byte(lesson, work, content):
    work.mkdir()
    (work / NAME).write_bytes(content)
    assert NEW in copy_lesson(lesson, work)
    assert listing(work) == {NAME: content, NEW: lesson.learner.read_bytes()}
    assert copy_lesson(lesson, work) is None


def test_a_file_that_cannot_be_read_is_reported_as_that_and_not_as_a_change_of_the_lesson(lesson, work):
    work.mkdir()
    (work / NAME).write_bytes(b"{ half a note")
    line = copy_lesson(lesson, work)
    assert f"your {NAME} cannot be read as a copy of a lesson; yours is kept" in line
    assert "has changed" not in line


def test_a_folder_of_that_name_stays(lesson, work):
    (work / NAME / "notes").mkdir(parents=True)
    assert NEW in copy_lesson(lesson, work)
    assert (work / NAME / "notes").is_dir()


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_and_what_it_points_to_stay(lesson, work, tmp_path, exists):
    elsewhere = tmp_path / "elsewhere.ipynb"
    if exists:
        elsewhere.write_bytes(b"mine")
    work.mkdir()
    (work / NAME).symlink_to(elsewhere)
    assert NEW in copy_lesson(lesson, work)
    assert (work / NAME).readlink() == elsewhere
    assert elsewhere.exists() == exists
    assert not exists or elsewhere.read_bytes() == b"mine"


def fail(*_, **__):
    raise KeyboardInterrupt


class FullDisk:
    """A file on which only the first half of a text finds room."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, text):
        self.file.write(text[: len(text) // 2])
        raise OSError(28, "No space left on device")


def full_disk(monkeypatch):
    fdopen = os.fdopen
    monkeypatch.setattr(files.os, "fdopen", lambda *a, **k: FullDisk(fdopen(*a, **k)))


CRASHES = {
    "before the name is given": lambda monkeypatch: monkeypatch.setattr(files.os, "link", fail),
    "before the mode is set": lambda monkeypatch: monkeypatch.setattr(files.os, "chmod", fail),
    "in the middle of the text": full_disk,
}


@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_leaves_no_half_file(lesson, work, monkeypatch, crash):
    copy_lesson(lesson, work)
    before = listing(work)
    change_lesson(lesson, "second")
    CRASHES[crash](monkeypatch)
    with pytest.raises((KeyboardInterrupt, OSError)):
        copy_lesson(lesson, work)
    assert listing(work) == before
    monkeypatch.undo()
    assert NEW in copy_lesson(lesson, work)


@pytest.mark.parametrize("crash", ["replace", "chmod"])
def test_a_crash_while_replacing_leaves_the_old_file(tmp_path, monkeypatch, crash):
    (tmp_path / "built").write_text("old")
    monkeypatch.setattr(files.os, crash, fail)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(tmp_path / "built", "new", replace=True)
    assert listing(tmp_path) == {"built": b"old"}


def test_replacing_gives_the_new_text_with_plain_line_ends(tmp_path):
    (tmp_path / "built").write_text("old")
    files.write_atomically(tmp_path / "built", "né\nw\n", replace=True)
    assert listing(tmp_path) == {"built": "né\nw\n".encode()}


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(tmp_path, monkeypatch, hard_links):
    def no_links(*_):
        raise PermissionError("Operation not permitted")

    if not hard_links:
        monkeypatch.setattr(files.os, "link", no_links)
    files.write_atomically(tmp_path / "mine", "first", replace=False)
    with pytest.raises(FileExistsError):
        files.write_atomically(tmp_path / "mine", "second", replace=False)
    assert listing(tmp_path) == {"mine": b"first"}


def test_replacing_a_link_replaces_the_file_that_it_leads_to(tmp_path):
    (tmp_path / "elsewhere").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    files.write_atomically(tmp_path / "link", "new", replace=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "new"


def test_bytes_are_written_as_they_are(tmp_path):
    files.write_atomically(tmp_path / "weights", b"\x00\r\n", replace=False)
    assert listing(tmp_path) == {"weights": b"\x00\r\n"}


@pytest.mark.parametrize("place", ["occupied/x", "occupied/deeper/x"])
def test_a_file_in_the_place_of_a_folder_is_named_and_stays(tmp_path, place):
    (tmp_path / "occupied").write_text("mine")
    with pytest.raises(NotADirectoryError) as error:
        files.write_atomically(tmp_path / place, "new", replace=True)
    assert files.in_one_sentence(error.value).startswith(f"{tmp_path / 'occupied'}: this is a file")
    assert listing(tmp_path) == {"occupied": b"mine"}


def test_the_version_is_that_of_the_lesson_s_text():
    for lesson in all_lessons():
        stored = json.loads(lesson.learner.read_text(encoding="utf-8"))["metadata"]["igteach"]
        assert stored == {"lesson": lesson.number, "version": lesson.read().metadata.igteach.version}
