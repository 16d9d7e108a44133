"""The commands behind make: what they say, and the exit code they leave with."""

import builtins
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from igteach.course.commands import main
from igteach.lessons import contract, copies, files, lesson
from igteach.lessons.lesson import all_lessons, root


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of its own, which the package believes to be part of; one stands elsewhere."""
    clone = tmp_path / "clone"
    shutil.copytree(root() / "notebooks", clone / "notebooks")
    shutil.copy(root() / "pyproject.toml", clone)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(lesson, "_package", lambda: clone / "igteach")
    return clone


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package as the wheel installs it, and an empty folder to stand in."""
    package = tmp_path / "site-packages" / "igteach"
    shutil.copytree(root() / "notebooks", package / "notebooks")
    monkeypatch.setattr(lesson, "_package", lambda: package)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    return package


def sentence(capsys):
    """What was written to stderr, which must be one line."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("igteach: ")
    return line


@pytest.mark.parametrize("arguments", [["nonsense"], [], ["check", "--fast"], ["copy", "--force"]])
def test_an_unknown_command_or_option_leaves_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    assert "usage: igteach" in capsys.readouterr().err


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
    monkeypatch.setattr(contract, "faults", lambda lesson: ["cell 4 is odd"] if lesson.number == "01" else [])
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
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "")
    monkeypatch.setattr("jupyterlab.labapp.LabApp.launch_instance", ran.append)
    assert main(["lab", "--no-browser", "--port", "8899"]) == 0
    first, start, uploads, *_ = ran[0]
    assert os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0].endswith("learner")
    assert (first, start) == (f"--notebook-dir={clone / 'work'}", "--LabApp.default_url=/lab/tree/00_start_here.ipynb")
    assert uploads == "--ServerApp.tornado_settings={'websocket_max_message_size': 104857600}"
    assert ran[0][-3:] == ["--no-browser", "--port", "8899"]
    assert (clone / "work" / "00_start_here.ipynb").exists()


def test_lessons_come_in_order_and_without_numbers_all():
    assert [lesson.number for lesson in all_lessons()] == sorted(lesson.number for lesson in all_lessons())
    assert [lesson.number for lesson in all_lessons(["02", "00"])] == ["00", "02"]


def test_the_help_names_the_program_as_it_was_called():
    command = [sys.executable, "-m", "igteach", "nonsense"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert told.startswith("usage: python -m igteach [-h]")


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"igteach {sys.modules['igteach'].__version__}\n"


# Without a clone


def test_an_installed_package_copies_its_own_lessons_to_where_one_stands(installed, tmp_path, capsys):
    assert main(["copy"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(all_lessons())
    work = tmp_path / "home" / "work"
    assert (work / "00_start_here.ipynb").read_bytes() == (installed / "notebooks/00_start_here.ipynb").read_bytes()
    assert (work / "progress.json").read_text() == "{}\n"


@pytest.mark.parametrize("inside", ["work", "work/deeper", "beside"])
def test_from_a_folder_below_the_same_work_is_found(installed, tmp_path, monkeypatch, capsys, inside):
    main(["copy", "00"])
    folder = tmp_path / "home" / inside
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    assert copies.find_work() == tmp_path / "home" / "work"
    capsys.readouterr()
    assert main(["copy", "00"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["progress"]) == 0


def test_in_a_clone_the_work_of_the_clone_is_found_from_its_notebooks(clone, monkeypatch):
    main(["copy", "00"])
    for folder in (clone / "notebooks", clone / "notebooks" / "solved", clone):
        monkeypatch.chdir(folder)
        assert copies.find_work() == clone / "work"


def test_progress_of_somebody_above_the_clone_is_not_taken(clone, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "progress.json").write_text("{}")
    monkeypatch.chdir(clone)
    assert copies.find_work() is None
    assert copies.work_folder() == clone / "work"


@pytest.mark.parametrize("command", ["build", "book", "test", "ci"])
def test_what_needs_a_clone_says_so(installed, capsys, command):
    assert main([command]) == 1
    assert f"{command} works in a clone of the igteach repository only" in sentence(capsys)


def test_check_of_an_installed_package_leaves_out_what_it_does_not_carry(installed, capsys):
    assert main(["check", "00"]) == 0
    assert capsys.readouterr().out == "check: 1 lessons, 0 faults\n"


def test_another_project_with_notebooks_is_no_clone(installed, tmp_path):
    (tmp_path / "home" / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "home" / "pyproject.toml").write_text('[project]\nname = "other"\n')
    assert lesson.clone() is None
    assert root() == installed


def test_a_clone_without_lessons_is_named(clone, capsys):
    shutil.rmtree(clone / "notebooks" / "source")
    (clone / "notebooks" / "source").mkdir()
    for command in ("lab", "copy", "check"):
        assert main([command]) == 1
        assert "notebooks/source holds no lessons; get the repository again" in sentence(capsys)


def test_a_package_without_lessons_is_named(installed, capsys):
    shutil.rmtree(installed / "notebooks")
    assert main(["copy"]) == 1
    assert "came without its lessons; install it again" in sentence(capsys)


def test_a_course_lies_neither_in_a_clone_nor_in_the_package(installed, tmp_path, capsys):
    other = tmp_path / "other clone"
    (other / "notebooks" / "source").mkdir(parents=True)
    (other / "pyproject.toml").write_text('[project]\nname = "igteach"\n')
    for place in (other / "course", other, installed / "course"):
        assert main(["assign", "00", "--out", str(place)]) == 1
        assert "the course must not be in the repository" in sentence(capsys)
    assert not (other / "course").exists()


# Without the extras


@pytest.mark.parametrize(
    ("arguments", "package", "extras"),
    [
        (["lab"], "jupyterlab", "lessons,course"),
        (["assign", "00", "--out", "course"], "nbgrader", "lessons,course"),
        (["grade", "course"], "nbgrader", "lessons,course"),
        (["check", "00"], "jupytext", "lessons,course"),
        (["hint", "00.1"], "jupytext", "lessons,course"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_line_that_installs_it(arguments, package, extras, tmp_path):
    hide = f"import sys; sys.modules[{package!r}] = None; from igteach.course.commands import main; sys.exit(main())"
    command = [sys.executable, "-c", hide, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root()), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    wanted = f"igteach: this needs {package}, which is not installed here; install it with: "
    assert done.stderr == f"{wanted}pip install 'igteach[{extras}]'\n"


def test_copying_needs_neither_jupytext_nor_nbgrader_nor_torch(installed, monkeypatch, capsys):
    importing = builtins.__import__

    def refuse(name, *arguments, **options):
        assert name.partition(".")[0] not in ("jupytext", "nbgrader", "nbformat", "torch"), name
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert main(["copy"]) == 0


# A disk that does not do what it should


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def read_only(*_, **__):
    raise PermissionError(errno.EACCES, "Permission denied", ".00_start_here.ipynb.k2x.part")


@pytest.mark.parametrize(
    ("name", "fails", "said"),
    [
        ("link", no_space, "00_start_here.ipynb: no space left on device"),
        ("fdopen", no_space, "00_start_here.ipynb: no space left on device"),
    ],
)
def test_a_full_disk_costs_one_sentence_and_leaves_nothing_half_written(
    installed, monkeypatch, capsys, name, fails, said
):
    monkeypatch.setattr(files.os, name, fails)
    monkeypatch.setattr(files.os, "rename", fails)
    assert main(["copy"]) == 1
    assert said in sentence(capsys)
    assert list(Path("work").iterdir()) == []


def test_a_read_only_work_costs_one_sentence_with_the_files_own_name(installed, monkeypatch, capsys):
    monkeypatch.setattr(files.tempfile, "mkstemp", read_only)
    assert main(["copy"]) == 1
    assert sentence(capsys).endswith("work/00_start_here.ipynb: permission denied")


@pytest.mark.parametrize("command", ["copy", "lab"])
def test_a_file_called_work_stays_and_is_named(installed, capsys, command):
    Path("work").write_text("my work")
    assert main([command]) == 1
    assert sentence(capsys).endswith("home/work: this is a file, and a folder of that name is needed")
    assert Path("work").read_text() == "my work"


@pytest.mark.parametrize("place", ["course", "course/deeper"])
@pytest.mark.parametrize("command", ["assign", "shortcut", "exam"])
def test_a_course_on_a_file_is_refused_before_anything_is_written(installed, capsys, command, place):
    Path("course").write_text("mine")
    arguments = ["assign", "00", "--out", place] if command == "assign" else [command, place]
    assert main(arguments) == 1
    assert sentence(capsys) == f"igteach: the course cannot be in {place}: course is a file; name a folder"
    assert sorted(path.name for path in Path().iterdir()) == ["course"]
    assert Path("course").read_text() == "mine"


def test_two_copies_at_once_make_one_of_each_and_neither_fails(installed, monkeypatch, capsys):
    main(["copy"])
    before = {path.name: path.read_bytes() for path in Path("work").iterdir()}
    capsys.readouterr()
    monkeypatch.setattr(copies.os.path, "lexists", lambda path: False)  # looked before the other one wrote
    assert main(["copy"]) == 0
    assert capsys.readouterr() == ("", "")
    assert {path.name: path.read_bytes() for path in Path("work").iterdir()} == before


def test_a_link_to_nothing_in_the_place_of_progress_stays(installed):
    Path("work").mkdir()
    Path("work/progress.json").symlink_to("nowhere")
    assert main(["copy", "00"]) == 0
    assert Path("work/progress.json").is_symlink()
