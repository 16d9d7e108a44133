"""The code compiles on each later Python that is there, without a warning. No lesson is run on them."""

import shutil
import subprocess
from pathlib import Path

import pytest

import igteach

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("igteach", "notebooks/source", "tools")
BY_PYENV = Path.home() / ".pyenv" / "versions"


def is_python(path, version):
    asked = "import sys; print('{}.{}'.format(*sys.version_info))"
    done = subprocess.run([path, "-c", asked], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.strip() == version


def find_python(version):
    """A Python of this version, on the path or among pyenv's; None where there is none."""
    candidates = [shutil.which(f"python{version}"), *sorted(BY_PYENV.glob(f"{version}.*/bin/python"))]
    return next((str(path) for path in candidates if path and is_python(path, version)), None)


def compile_with(python, folders, cache):
    strictly = [python, "-W", "error", "-X", f"pycache_prefix={cache}", "-m", "compileall", "-q", "-f"]
    return subprocess.run([*strictly, *folders], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_code_compiles_without_a_warning(version, tmp_path):
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not there")
    done = compile_with(python, FOLDERS, tmp_path / "cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any((tmp_path / "cache").rglob("*.pyc"))


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_a_warning_is_found(version, tmp_path):
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not there")
    source = tmp_path / "odd.py"
    source.write_text('print("\\d")\n')
    assert compile_with(python, [str(source)], tmp_path / "cache").returncode != 0


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_what_needs_no_torch_runs_and_the_rest_names_what_to_install(version, tmp_path):
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is not there")
    for name in ("igteach", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def run(*words):
        command = [python, "-I", "-W", "error", "-c", "import sys; sys.path.insert(0, '.'); sys.argv[0] = 'igteach'\n"]
        command[-1] += "from igteach.course.commands import main; sys.exit(main())"
        return subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True)

    assert run("--version").stdout == f"igteach {igteach.__version__}\n"
    assert "12_trust: copied" in run("copy").stdout
    assert len(list((tmp_path / "work").glob("*.ipynb"))) == len(list((ROOT / "notebooks" / "source").glob("*.py")))
    assert "install it with: pip install 'igteach[lessons,course]'" in run("lab").stderr
