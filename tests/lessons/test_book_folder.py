"""A book that cannot be finished leaves the earlier one as it was."""

import errno

import pytest

from igteach.course.commands import main
from igteach.lessons import book, lesson


@pytest.fixture
def out(tmp_path, monkeypatch):
    """Where the book of a clone goes; an earlier one is there."""
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "igteach"\n')
    monkeypatch.setattr(lesson, "_package", lambda: tmp_path / "igteach")
    (tmp_path / "build" / "book" / "html").mkdir(parents=True)
    (tmp_path / "build" / "book" / "html" / "index.html").write_text("the earlier book")
    return tmp_path / "build" / "book"


def written(out):
    return {path.relative_to(out.parent).as_posix(): path.read_text() for path in out.parent.rglob("*.html")}


def half_a_book(fresh, scripts):
    (fresh / "html").mkdir(parents=True)
    (fresh / "html" / "index.html").write_text("the new")
    raise OSError(errno.ENOSPC, "No space left on device", str(fresh / "html" / "search.html"))


def test_a_full_disk_costs_one_sentence_and_the_earlier_book_stays(out, monkeypatch, capsys):
    monkeypatch.setattr(book, "_write_book", half_a_book)
    assert main(["book"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("search.html: no space left on device")
    assert written(out) == {"book/html/index.html": "the earlier book"}
    assert [path.name for path in out.parent.iterdir()] == ["book"]


def test_a_read_only_clone_costs_one_sentence(out, monkeypatch, capsys):
    def read_only(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(book, "make_folder", read_only)
    assert main(["book"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("pages: permission denied")
    assert written(out) == {"book/html/index.html": "the earlier book"}


@pytest.mark.parametrize("faults", [[], ["a link leads nowhere"]])
def test_a_finished_book_takes_the_place_of_the_earlier_one_faults_or_not(out, monkeypatch, faults):
    def whole_book(fresh, scripts):
        (fresh / "html").mkdir(parents=True)
        (fresh / "html" / "index.html").write_text("the new book")
        return faults

    monkeypatch.setattr(book, "_write_book", whole_book)
    assert main(["book"]) == (1 if faults else 0)
    assert written(out) == {"book/html/index.html": "the new book"}
