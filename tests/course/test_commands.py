"""The commands behind make: what they say, and the exit code they leave with."""

import shutil

import pytest

from igteach.course import commands
from igteach.course.commands import main
from igteach.lessons.lesson import all_lessons, root


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """The lessons as a clone of its own has them."""
    shutil.copytree(root() / "notebooks", tmp_path / "notebooks")
    monkeypatch.setattr(commands, "root", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", [["nonsense"], [], ["check", "--fast"], ["copy", "--force"]])
def test_an_unknown_command_or_option_leaves_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    assert "usage: python -m igteach" in capsys.readouterr().err


def test_an_unknown_command_is_told_which_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["nonsense"])
    error = capsys.readouterr().err
    assert "nonsense" in error
    for name in ("lab", "copy", "build", "check", "test", "ci"):
        assert name in error


@pytest.mark.parametrize("command", ["check", "build", "copy"])
@pytest.mark.parametrize("number", ["99", "1", "xx"])
def test_an_unknown_lesson_is_named_and_leaves_with_one(command, number, capsys):
    assert main([command, number]) == 1
    error = capsys.readouterr().err
    assert f"lesson '{number}' is not there; there are 00, 01" in error
    assert len(error.splitlines()) == 1


def test_check_of_one_lesson_counts_one(capsys):
    assert main(["check", "01"]) == 0
    assert capsys.readouterr().out == "check: 1 lessons, 0 faults\n"


def test_check_names_the_lesson_of_a_fault_and_leaves_with_one(capsys, monkeypatch):
    monkeypatch.setattr(commands, "faults", lambda lesson: ["cell 4 is odd"] if lesson.number == "01" else [])
    assert main(["check"]) == 1
    assert "01_naive_gradients: cell 4 is odd\n" in capsys.readouterr().out


def test_copy_lays_every_lesson_in_work_once(clone, capsys):
    assert main(["copy"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_lessons())
    assert sorted(path.name for path in (clone / "work").glob("*.ipynb")) == [f"{x.name}.ipynb" for x in all_lessons()]
    assert main(["copy"]) == 0
    assert capsys.readouterr().out == ""


def test_lab_copies_and_hands_its_options_to_jupyterlab(clone, monkeypatch):
    ran = []
    monkeypatch.setattr("jupyterlab.labapp.LabApp.launch_instance", ran.append)
    assert main(["lab", "--no-browser", "--port", "8899"]) == 0
    first, start, uploads, *_ = ran[0]
    assert (first, start) == (f"--notebook-dir={clone / 'work'}", "--LabApp.default_url=/lab/tree/00_start_here.ipynb")
    assert uploads == "--ServerApp.tornado_settings={'websocket_max_message_size': 104857600}"
    assert ran[0][-3:] == ["--no-browser", "--port", "8899"]
    assert (clone / "work" / "00_start_here.ipynb").exists()


def test_lessons_come_in_order_and_without_numbers_all():
    assert [lesson.number for lesson in all_lessons()] == sorted(lesson.number for lesson in all_lessons())
    assert [lesson.number for lesson in all_lessons(["02", "00"])] == ["00", "02"]
