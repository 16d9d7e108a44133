"""What `import igteach` pulls in, and how much a student has to read."""

import subprocess
import sys
from pathlib import Path

import igteach

NEW_MODULES = """
import sys, numpy, torch
before = {name.partition(".")[0] for name in sys.modules}
import igteach
print(*({name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)))
"""


def loaded_by(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_import_igteach_pulls_in_torch_and_numpy_and_nothing_else():
    assert loaded_by(NEW_MODULES) == ["igteach"]


def test_none_of_the_heavy_packages_is_loaded():
    loaded = set(loaded_by("import igteach, sys; print(*sys.modules)"))
    assert "torch" in loaded
    assert not loaded & {"matplotlib", "ipywidgets", "IPython", "sklearn", "skimage", "scipy", "transformers", "captum"}


def test_every_public_name_is_there_and_documented():
    for name in igteach.__all__:
        assert getattr(igteach, name).__doc__, name


def test_what_a_student_reads_stays_under_1500_lines():
    not_read = {"__init__.py", "__main__.py", "devices.py", "peers.py"}  # names, commands, settings, glue to Captum
    files = [path for path in Path(igteach.__file__).parent.glob("*.py") if path.name not in not_read]
    assert len(files) >= 8
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) < 1500
