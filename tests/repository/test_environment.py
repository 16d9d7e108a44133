"""How .venv is made and mended (without a network: pip gets small wheels made here), and the conda route's file."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path("tools") / "make_env.py"
ASKED_FOR = ["-e", ".[lessons,course]"]  # the lessons' environment, by make, by conda and in the README

SMALL = """
import runpy, sys
script = runpy.run_path({script!r})
script["STAGES"].update({stages!r})
sys.exit(script["main"]("lessons"))
"""


@pytest.fixture
def clone(tmp_path):
    """What a clone has of the files that matter here."""
    folder = tmp_path / "clone"
    (folder / "tools").mkdir(parents=True)
    for file in (SCRIPT, "pyproject.toml"):
        shutil.copy(ROOT / file, folder / file)
    (folder / "constraints.txt").write_text("")
    return folder


@pytest.fixture
def wheels(tmp_path):
    """Three packages: `bread` needs `flour` 1 and `cake` needs `flour` 2, so that they never go together."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, version, needs in (("flour", 1, ""), ("flour", 2, ""), ("bread", 1, "flour==1"), ("cake", 1, "flour==2")):
        about = f"{name}-{version}.dist-info"
        requires = f"Requires-Dist: {needs}\n" if needs else ""
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", f"version = {version}\n")
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return folder


def script_of(clone):
    """The script of a clone as a module."""
    spec = importlib.util.spec_from_file_location("make_env", clone / SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(clone, wheels, *packages, **environment):
    """Start the script of a clone, with `packages` instead of the lessons' environment."""
    stages = {"lessons": ["--no-index", "--find-links", str(wheels), *packages]}
    code = SMALL.format(script=str(clone / SCRIPT), stages=stages)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def make(clone, wheels, *packages, **environment):
    """Run the script to its end: its exit code and what it printed."""
    running = start(clone, wheels, *packages, **environment)
    printed, _ = running.communicate(timeout=300)
    return running.returncode, printed


def imports(clone, name):
    return subprocess.run([clone / ".venv/bin/python", "-c", f"import {name}"], capture_output=True).returncode == 0


def test_an_environment_is_made_once(clone, wheels):
    code, printed = make(clone, wheels, "bread")
    assert (code, imports(clone, "bread")) == (0, True), printed
    assert "making .venv (there is none yet)" in printed
    (clone / ".venv/ours").touch()
    assert make(clone, wheels, "bread") == (0, "env: .venv is ready\n")
    (clone / "constraints.txt").write_text("flour==1\n")
    code, printed = make(clone, wheels, "bread")
    assert "installing" in printed
    assert "making .venv" not in printed
    assert (clone / ".venv/ours").exists()


def test_an_environment_that_was_interrupted_is_made_again(clone, wheels):
    venv.create(clone / ".venv", with_pip=False)  # as far as it gets before pip
    code, printed = make(clone, wheels, "bread")
    assert (code, imports(clone, "bread")) == (0, True), printed
    assert "it was interrupted" in printed


@pytest.mark.parametrize("remains", ["a folder", "its Python was uninstalled", "its settings are gone"])
def test_the_remains_of_an_environment_are_seen(clone, remains):
    (clone / ".venv/bin").mkdir(parents=True)
    if remains == "its Python was uninstalled":
        (clone / ".venv/pyvenv.cfg").touch()
        (clone / ".venv/bin/python").symlink_to(clone / "nothing")
    if remains == "its settings are gone":  # a Python with a pip, but not of this environment
        (clone / ".venv/bin/python").symlink_to(sys.executable)
    assert "no Python or no pip" in script_of(clone).why_unusable()


def test_a_half_unpacked_pip_is_seen(clone):
    venv.create(clone / ".venv", with_pip=False)
    (packages,) = (clone / ".venv/lib").glob("python*/site-packages")
    shutil.copytree(Path(importlib.util.find_spec("pip").origin).parent, packages / "pip")  # without its dist-info
    assert subprocess.run([clone / ".venv/bin/python", "-m", "pip", "--version"], capture_output=True).returncode == 0
    assert "no Python or no pip" in script_of(clone).why_unusable()


@pytest.mark.long
def test_a_clone_that_was_moved_gets_its_own_environment(clone, wheels):
    make(clone, wheels, "bread")
    moved = clone.rename(clone.with_name("moved clone"))
    code, printed = make(moved, wheels, "bread")
    assert (code, imports(moved, "bread")) == (0, True), printed
    assert "this clone was moved or copied" in printed
    assert str(moved) in (moved / ".venv/bin/pip").read_text(encoding="utf-8")


def made_at(place, noted_as):
    """An environment whose settings say that it was made at `noted_as`."""
    venv.create(place, with_pip=False)
    settings = [line for line in (place / "pyvenv.cfg").read_text().splitlines() if not line.startswith("command")]
    (place / "pyvenv.cfg").write_text("\n".join([*settings, f"command = python3.11 -m venv --clear {noted_as}\n"]))


def test_an_environment_behind_a_link_is_not_taken_for_a_moved_one(clone):
    elsewhere = clone.with_name("big disk")
    made_at(elsewhere, elsewhere)
    (clone / ".venv").symlink_to(elsewhere)
    assert not script_of(clone).made_elsewhere()


def test_an_environment_made_through_a_link_to_the_clone_is_not_taken_for_a_moved_one(clone):
    link = clone.with_name("link")
    link.symlink_to(clone)
    made_at(clone / ".venv", link / ".venv")
    assert not script_of(clone).made_elsewhere()
    made_at(clone / ".venv", clone.with_name("old clone") / ".venv")
    assert script_of(clone).made_elsewhere()


@pytest.mark.long
def test_two_at_once_do_not_collide(clone, wheels):
    running = [start(clone, wheels, "bread") for _ in range(2)]
    printed = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], printed
    assert sum("making .venv (" in text for text in printed) == 1
    assert sum("waiting for it" in text for text in printed) == 1


@pytest.mark.long
def test_pip_user_does_not_stop_it(clone, wheels):
    code, printed = make(clone, wheels, "bread", PIP_USER="1")
    assert (code, imports(clone, "bread")) == (0, True), printed


@pytest.mark.long
def test_the_reason_is_shown_where_pip_fails_and_nothing_is_noted_as_done(clone, wheels):
    code, printed = make(clone, wheels, "bread", "cake")
    assert code == 1
    assert "The conflict is caused by" in printed
    assert "cake 1 depends on flour==2" in printed
    assert not (clone / ".venv/lessons.done").exists()
    assert make(clone, wheels, "bread")[0] == 0


PACKAGE = """
import sys, pathlib
pathlib.Path("asked").write_text(" ".join(sys.argv[1:]))
sys.exit({code})
"""


@pytest.mark.parametrize("code", [0, 1])
def test_it_ends_with_the_language_model_and_goes_on_with_a_warning_without_it(clone, wheels, code):
    (clone / "igteach").mkdir()
    (clone / "igteach" / "__init__.py").touch()
    (clone / "igteach" / "__main__.py").write_text(PACKAGE.format(code=code))
    left, printed = make(clone, wheels, "bread")
    assert (left, (clone / "asked").read_text()) == (0, "fetch"), printed
    warning = "env: warning: going on without the language model; to fetch it later: "
    python = clone / ".venv" / "bin" / "python"
    assert (f"{warning}{python} -m igteach fetch\n" in printed) == (code == 1)
    assert printed.endswith("env: .venv is ready\n")


def test_every_route_that_is_documented_fetches_the_language_model():
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/install.md"))
    blocks = [block for block in text.split("```")[1::2] if "[lessons,course]" in block]
    assert len(blocks) == 3
    assert all("igteach fetch" in block for block in blocks)
    (conda,) = (line for line in text.splitlines() if "conda env create" in line)
    assert "python -m igteach fetch" in conda


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
def test_scripts_keep_their_line_ends_in_a_checkout_with_windows_ones(tmp_path):
    files = [".ci/run", "Makefile", str(SCRIPT)]
    windows = ["git", "-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    subprocess.run([*windows, "checkout-index", f"--prefix={tmp_path}/", "--", *files], cwd=ROOT, check=True)
    for file in files:
        assert b"\r" not in (tmp_path / file).read_bytes(), file


def test_make_conda_and_the_readme_install_the_same(clone):
    assert script_of(clone).STAGES["lessons"] == ASKED_FOR
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["channels"] == ["conda-forge"]
    python, pip, by_pip = conda["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    assert by_pip == {"pip": [" ".join(ASKED_FOR), "-c constraints.txt"]}
    assert 'pip install -e ".[lessons,course]" -c constraints.txt' in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_extras_that_are_asked_for_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"lessons", "course", "dev"} <= set(project["optional-dependencies"])


@pytest.mark.parametrize("target", ["lab", "test", "ci", "release", "lessons", "book", "assignment", "bench"])
def test_every_target_makes_the_environment_first(target):
    command = ["make", "--no-print-directory", "-n", target, "LESSON=04"]  # which it would print under another make
    steps = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{SCRIPT} " in steps.stdout.splitlines()[0]
