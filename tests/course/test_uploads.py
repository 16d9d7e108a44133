"""Hostile zips: refused or ignored in words, nothing written outside, nothing unpacked without a bound."""

import os
import stat
import struct
import zipfile

import pytest

from igteach.course import uploads
from igteach.course.collect import collect
from tests.course.packing import ASSIGNMENT, NOTEBOOK, make_course, make_zip, notebook, submitted

ANN = "Ann Lee_1_assignsubmission_file_"
BOB = "Bob Ray_2_assignsubmission_file_"


@pytest.fixture
def course(tmp_path):
    (tmp_path / "deep").mkdir()
    return make_course(tmp_path / "deep" / "course")


def link(name):
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (f"/etc/{NOTEBOOK}", b"x", "leads out of the zip"),
        (f"../../{ANN}/{NOTEBOOK}", b"x", "leads out of the zip"),
        (f"{ANN}/../../../{NOTEBOOK}", b"x", "leads out of the zip"),
        (f"{ANN}\\..\\..\\{NOTEBOOK}", b"x", "leads out of the zip"),
        (f"C:\\{NOTEBOOK}", b"x", "leads out of the zip"),
        (link(f"{ANN}/{NOTEBOOK}"), b"/etc/passwd", "is a link or not an ordinary file"),
        (f"{ANN}/{NOTEBOOK}", b" " * 20_000_000, "unpacks to more than 200 times its size"),
    ],
    ids=str,
)
def test_a_hostile_entry_is_refused_in_words_and_the_others_are_taken(course, tmp_path, name, content, why):
    before = {path for path in tmp_path.rglob("*") if course not in path.parents}
    source = make_zip(tmp_path / "hand-ins.zip", [(name, content), (f"{BOB}/{NOTEBOOK}", notebook("honest"))])
    lines = collect(course, source)
    assert [why in line for line in lines if line.startswith("refused")] == [True]
    assert "1 new" in lines[-1]
    assert "1 files refused" in lines[-1]
    assert submitted(course) == {f"bob/{ASSIGNMENT}/{NOTEBOOK}": notebook("honest")}
    assert {path for path in tmp_path.rglob("*") if course not in path.parents} == {*before, source}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_of_one_name_neither_is_taken(course, tmp_path):
    entries = [(f"{ANN}/{NOTEBOOK}", notebook("1")), (f"{ANN}/{NOTEBOOK}", notebook("2"))]
    lines = collect(course, make_zip(tmp_path / "hand-ins.zip", entries))
    assert submitted(course) == {}
    assert sum("is in the zip 2 times" in line for line in lines) == 2


def test_sizes_are_bound_one_by_one_and_together_whatever_the_zip_says(course, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST_NOTEBOOK", 1_000)
    monkeypatch.setattr(uploads, "LARGEST_SUM", 1_500)
    texts = {"Ann Lee_1": "a" * 2_000, "Bob Ray_2": "b" * 500, "Jane Doe_71": "c" * 500, "Jane Doe_72": "d" * 500}
    entries = [(f"{name}_assignsubmission_file_/{NOTEBOOK}", notebook(text)) for name, text in texts.items()]
    lines = collect(course, make_zip(tmp_path / "hand-ins.zip", entries))
    assert sum("is larger than" in line for line in lines) == 1
    assert sum("all notebooks together are larger" in line for line in lines) == 1
    assert set(submitted(course)) == {f"{name}/{ASSIGNMENT}/{NOTEBOOK}" for name in ("bob", "jane1")}


def test_a_bomb_that_lies_about_its_size_unpacks_to_what_it_said_at_most(course, tmp_path):
    source = make_zip(tmp_path / "hand-ins.zip", [(f"{ANN}/{NOTEBOOK}", b" " * 30_000_000)])
    true, false = struct.pack("<L", 30_000_000), struct.pack("<L", 1_000)
    source.write_bytes(source.read_bytes().replace(true, false))
    lines = collect(course, source)
    assert sum(line.startswith("refused") and "damaged" in line for line in lines) == 1
    assert submitted(course) == {}


def test_a_zip_of_too_many_entries_is_refused_as_a_whole(course, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_ENTRIES", 3)
    entries = [(f"{ANN}/{number}.txt", b"") for number in range(4)]
    with pytest.raises(ValueError, match="4 entries, more than 3"):
        collect(course, make_zip(tmp_path / "hand-ins.zip", entries))


def test_a_damaged_and_a_locked_entry_stop_nobody(course, tmp_path):
    entries = [(f"{ANN}/{NOTEBOOK}", notebook("hers")), (f"{BOB}/{NOTEBOOK}", notebook("his"))]
    source = make_zip(tmp_path / "hand-ins.zip", entries)
    with zipfile.ZipFile(source) as archive:
        first = archive.infolist()[0]
        at = first.header_offset + 30 + len(first.filename)
    data = bytearray(source.read_bytes())
    data[at : at + 20] = b"\xff" * 20
    source.write_bytes(data)
    lines = collect(course, source)
    assert sum(line.startswith("refused") and "damaged or locked" in line for line in lines) == 1
    assert submitted(course) == {f"bob/{ASSIGNMENT}/{NOTEBOOK}": notebook("his")}


def test_clutter_is_ignored_and_a_folder_named_like_a_file_is_no_file(course, tmp_path):
    entries = [
        (f"__MACOSX/{ANN}/._{NOTEBOOK}", b"clutter"),
        (f"{ANN}/._{NOTEBOOK}", b"clutter"),
        (f"{BOB}/._{NOTEBOOK}", b"clutter"),
        (f"{ANN}/.ipynb_checkpoints/{NOTEBOOK}", b"clutter"),
        (f"{ANN}/.DS_Store", b"clutter"),
        (f"{ANN}/folder.ipynb/", b""),
        (f"{ANN}/{NOTEBOOK}", notebook("hers")),
    ]
    lines = collect(course, make_zip(tmp_path / "hand-ins.zip", entries))
    assert submitted(course) == {f"ann/{ASSIGNMENT}/{NOTEBOOK}": notebook("hers")}
    assert len(lines) == 1


def test_a_zip_in_the_zip_is_not_opened_and_its_owner_is_named(course, tmp_path):
    inner = make_zip(tmp_path / "inner.zip", [(NOTEBOOK, notebook("hers"))])
    lines = collect(course, make_zip(tmp_path / "hand-ins.zip", [(f"{ANN}/work.zip", inner.read_bytes())]))
    assert submitted(course) == {}
    assert lines[0] == f"ann handed in no notebook, but {ANN}/work.zip; ask for the .ipynb file"


def test_a_name_that_drives_the_terminal_is_shown_without_doing_so(course, tmp_path):
    lines = collect(course, make_zip(tmp_path / "hand-ins.zip", [("\x1b[2J\nall fine/x.ipynb", b"x")]))
    assert lines[0].startswith("not collected: ?[2J?all fine/x.ipynb: ")


def test_a_name_that_is_no_text_stops_nobody(course, tmp_path):
    folder = tmp_path / "in"
    for name in (b"ann", b"\xff\xfe"):
        student = folder / os.fsdecode(name)
        student.mkdir(parents=True)
        (student / NOTEBOOK).write_bytes(notebook("hers"))
    lines = collect(course, folder)
    assert submitted(course) == {f"ann/{ASSIGNMENT}/{NOTEBOOK}": notebook("hers")}
    assert sum("not collected: ??/04_lesson.ipynb" in line for line in lines) == 1


def test_a_students_folder_that_is_a_link_is_not_written_through(course, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (course / "submitted").mkdir()
    (course / "submitted" / "ann").symlink_to(tmp_path / "elsewhere")
    lines = collect(course, make_zip(tmp_path / "hand-ins.zip", [(f"{ANN}/{NOTEBOOK}", notebook("hers"))]))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert any("is a link; replace it by a folder" in line for line in lines)
