"""What is installed from the wheel, without a clone anywhere near."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from browser.helpers import end_server

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks" / "source").glob("*.py"))
MINUTE = 60  # seconds


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this clone, built as `pip install .` builds it, but from what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    done = subprocess.run([*pip, str(folder), str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_it_carries_every_lesson_and_all_data_byte_for_byte(wheel):
    carried = [*ROOT.glob("data/*"), *ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/solved/*.ipynb")]
    carried += [*ROOT.glob("notebooks/source/*.py"), *ROOT.glob("notebooks/templates/*.py")]
    carried = [path for path in carried if path.is_file()]
    assert len(carried) >= 3 * len(LESSONS) + 20
    with zipfile.ZipFile(wheel) as archive:
        for path in carried:
            assert archive.read(f"igteach/{path.relative_to(ROOT).as_posix()}") == path.read_bytes(), path


def test_it_carries_the_whole_package_its_types_and_jupyters_settings(wheel):
    kinds = {".py", ".json", ".typed", ".css", ".js", ".mjs", ".j2", ".LICENSE"}
    package = [path for path in (ROOT / "igteach").rglob("*") if path.suffix in kinds or path.name == "py.typed"]
    wanted = {path.relative_to(ROOT).as_posix() for path in package if "__pycache__" not in path.parts}
    assert "igteach/py.typed" in wanted
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_it_carries_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert all(re.match(r"igteach/|igteach-[\d.]+\.dist-info/", name) for name in names)
    assert not [name for name in names if re.search(r"test_|tests/|conftest|checkpoint|__pycache__|\.ipynb_", name)]
    carried = {"source", "solved", "templates"} | {f"{lesson}.ipynb" for lesson in LESSONS}
    assert {name.split("/")[2] for name in names if name.startswith("igteach/notebooks/")} == carried


def test_it_says_who_made_it_and_how_it_is_called(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        assert "igteach = igteach.course.commands:main" in archive.read(entry_points).decode()
        metadata = archive.read(entry_points.replace("entry_points.txt", "METADATA")).decode()
    source = (ROOT / "igteach" / "__init__.py").read_text(encoding="utf-8")
    (number,) = re.findall(r'__version__ = "(.*)"', source)
    for line in (f"Version: {number}", "Author: The igteach authors", "Classifier: Typing :: Typed"):
        assert f"\n{line}\n" in metadata


@dataclass(frozen=True)
class Installed:
    """A folder to stand in, and the variables with which the installed package is found before any other."""

    home: Path
    variables: dict[str, str]

    def run(self, *arguments: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        """One command, with whatever it printed."""
        command = [self.variables["IGTEACH"], *arguments]
        place = self.home / folder
        return subprocess.run(command, cwd=place, env=self.variables, capture_output=True, text=True, check=False)

    def prints(self, *arguments: str, folder: str = ".") -> str:
        """What a command prints that must succeed."""
        done = self.run(*arguments, folder=folder)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def installed(wheel, tmp_path) -> Installed:
    """The wheel in a folder of its own, its dependencies those of this environment, and an empty folder."""
    site, home = tmp_path / "site", tmp_path / "home"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(site), str(wheel)], check=True, capture_output=True)
    home.mkdir()
    scripts = str(Path(sys.executable).parent)
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), *other_folders()]),
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
        "IGTEACH": shutil.which("igteach", path=str(site / "bin")) or str(site / "Scripts" / "igteach.exe"),
    }
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR"):
        variables[name] = str(tmp_path / name.lower())
    return Installed(home, variables)


def other_folders() -> list[str]:
    """PYTHONPATH without this clone."""
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [folder for folder in folders if folder and Path(folder).resolve() != ROOT]


@pytest.mark.long
def test_a_learner_without_a_clone_copies_checks_and_is_helped(installed):
    where = [sys.executable, "-c", "import igteach; print(igteach.__file__)"]
    found = subprocess.run(where, cwd=installed.home, env=installed.variables, capture_output=True, text=True).stdout
    assert str(ROOT) not in found

    assert len(installed.prints("copy").splitlines()) == len(LESSONS)
    assert installed.prints("copy") == ""
    assert "in all: 0 of" in installed.prints("progress", folder="work")
    assert "**Hint 1 of" in installed.prints("hint", "01.1", folder="work")
    assert "   01.1 not yet · 1 hint" in installed.prints("progress")
    solve = (
        "from igteach.exercises import check, progress; from igteach.datasets import load_digits\n"
        "from igteach.exercises.solutions import EXERCISES\n"
        "from igteach.models import digits; from igteach.datasets.shipped import data_folder; digits.load()\n"
        "print(check('01.1', EXERCISES['01.1'].solution)); print(data_folder())"
    )
    done = subprocess.run(
        [sys.executable, "-c", solve],
        cwd=installed.home / "work",
        env=installed.variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Exercise 01.1: solved." in done.stdout
    assert str(ROOT) not in done.stdout
    assert "   01.1 solved · 1 check · 1 hint" in installed.prints("progress", folder="work")
    kept = sorted(path.name for path in installed.home.iterdir())
    assert kept == ["work"]


@pytest.mark.long
def test_what_a_maintainer_does_is_refused_without_a_clone_and_check_still_compares(installed):
    done = installed.run("check", "00")
    assert done.stdout.splitlines()[-1].startswith("check: 1 lessons, ")
    for command in ("build", "book", "test", "ci"):
        done = installed.run(command)
        assert done.returncode == 1
        assert re.fullmatch(rf"igteach: {command} works in a clone .*\n", done.stderr)


@pytest.mark.long
def test_an_instructor_without_a_clone_assigns_and_grades(installed):
    seed, line = installed.prints("assign", "00", "--out", "course").splitlines()
    assert seed == f"seed: {installed.home / 'course.seed'}"
    name = line.partition(":")[0]
    release = installed.home / "course" / "release" / name / f"{LESSONS[0]}.ipynb"
    notebook = json.loads(release.read_text(encoding="utf-8"))
    assert not [cell for cell in notebook["cells"] if "HIDDEN" in "".join(cell["source"])]
    handed_in = installed.home / "course" / "submitted" / "ann" / name / release.name
    handed_in.parent.mkdir(parents=True)
    answers = solutions()
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "answer-00-1":
            cell["source"] = [LOOKS_FOR_SOLUTIONS, *cell["source"]]
    handed_in.write_text(json.dumps(notebook), encoding="utf-8")
    assert "grade: 1 submissions, 0 could not be graded" in installed.prints("grade", "course")
    marks = (installed.home / "course" / "marks.csv").read_text(encoding="utf-8").splitlines()
    points = dict(zip(marks[0].split(","), marks[1].split(","), strict=False))
    checks = [name for name in points if name.startswith("check-")]
    assert len(checks) == 3
    assert all(float(points[name]) > 0 for name in checks)


LOOKS_FOR_SOLUTIONS = """import igteach, pathlib
home = pathlib.Path(igteach.__file__).parent
assert not [*home.glob("notebooks/**/*"), *home.glob("exercises/solutions/*")], "the sandbox shows solutions"
"""


def solutions() -> dict[str, str]:
    """The source of each solved answer of lesson 00, by its id."""
    solved = json.loads((ROOT / "notebooks" / "solved" / f"{LESSONS[0]}.ipynb").read_text(encoding="utf-8"))
    answers = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["source"] for cell in solved["cells"]}
    return {name: source for name, source in answers.items() if name and name.startswith("answer-")}


@pytest.mark.long
def test_a_shortcut_is_trained_without_a_clone(installed):
    line = installed.prints("shortcut", "course")
    assert "course/shortcut is for the learners" in line.replace(os.sep, "/")
    assert (installed.home / "course" / "shortcut" / "network.safetensors").is_file()


@pytest.mark.long
@pytest.mark.parametrize("instructor", [False, True])
def test_lab_serves_the_copies_with_nbgraders_menus_for_instructors_only(installed, instructor):
    with lab(installed, ["--instructor"] * instructor) as address:
        page = urllib.request.urlopen(f"{address}/lab/tree/{LESSONS[0]}.ipynb?token=t", timeout=MINUTE).read().decode()
        config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL).group(1))
        assert ("@jupyter/nbgrader" in config["disabledExtensions"]) is not instructor
        assert config["news"] == {"disabled": True}
        news = settings(address, "@jupyterlab/apputils-extension:notification")
        assert news["schema"]["properties"]["fetchNews"]["default"] == "false"
        assert answers(f"{address}/nbgrader_version?version={version('nbgrader')}&token=t") is instructor
        workspace = json.load(urllib.request.urlopen(f"{address}/lab/api/workspaces/default?token=t", timeout=MINUTE))
        assert workspace["data"]["layout-restorer:data"]["left"]["current"] == "@jupyterlab/toc:plugin"
        contents = json.load(urllib.request.urlopen(f"{address}/api/contents?token=t", timeout=MINUTE))
        assert {item["name"] for item in contents["content"]} >= {f"{lesson}.ipynb" for lesson in LESSONS}


@contextlib.contextmanager
def lab(installed: Installed, options: list[str]) -> Iterator[str]:
    """The address of a JupyterLab that `igteach lab` started."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    options = [*options, "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=t"]
    command = [installed.variables["IGTEACH"], "lab", *options]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=installed.home, env=installed.variables, **quiet)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 2 * MINUTE
        while not answers(f"{address}/lab?token=t"):
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.5)
        yield address
    finally:
        end_server(server)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=MINUTE) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def settings(address: str, plugin: str) -> dict:
    return json.load(urllib.request.urlopen(f"{address}/lab/api/settings/{plugin}?token=t", timeout=MINUTE))
