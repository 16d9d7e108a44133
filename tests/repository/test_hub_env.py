"""The environment of the JupyterHub that a test starts: where it may be made, and what is in the way of it."""

import os
import runpy
import shutil
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows")
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(ROOT / "tools" / "make_hub_env.py"))
why_not, open_to_all = SCRIPT["why_not"], SCRIPT["open_to_all"]


@pytest.fixture
def open_folder():
    """A folder that everybody can enter, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def npm_and_python(monkeypatch):
    monkeypatch.setitem(why_not.__globals__, "python_for_all", lambda: Path("/usr/bin/python3"))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


def test_a_new_place_that_all_can_enter_will_do_and_so_will_an_old_environment(open_folder):
    assert why_not(open_folder / "new") is None
    (open_folder / "pyvenv.cfg").touch()
    assert why_not(open_folder) is None


def test_a_folder_with_other_files_is_not_emptied(open_folder):
    (open_folder / "thesis.tex").touch()
    assert "has other files in it" in why_not(open_folder)


def test_a_place_that_others_cannot_enter_is_refused(open_folder):
    (open_folder / "mine").mkdir(mode=0o700)
    assert "other users cannot enter" in why_not(open_folder / "mine" / "new")


def test_what_is_missing_is_named(open_folder, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt-get install npm" in why_not(open_folder)
    monkeypatch.setitem(why_not.__globals__, "python_for_all", lambda: None)
    assert "no Python 3." in why_not(open_folder)


def test_a_python_in_somebodys_home_is_not_for_all(open_folder):
    python = open_folder / "home" / "python"
    python.parent.mkdir(mode=0o755)
    python.touch(mode=0o755)
    assert open_to_all(python)
    python.parent.chmod(0o700)
    assert not open_to_all(python)


def test_scripts_begin_with_the_new_python(open_folder, monkeypatch):
    old, new = open_folder / "old", open_folder / "new"
    for folder in (old, new):
        (folder / "bin").mkdir(parents=True)
    monkeypatch.setattr("sys.prefix", str(old))
    (old / "bin" / "jupyter").write_text(f"#!{old}/bin/python\nprint()\n")
    (old / "bin" / "tool").write_bytes(b"\x7fELF")
    (old / "bin" / "jupyter").chmod(0o755)
    SCRIPT["copy_scripts"](new)
    (script,) = (new / "bin").iterdir()
    assert script.read_text() == f"#!{new}/bin/python\nprint()\n"
    assert script.stat().st_mode & 0o777 == 0o755
