"""What `import igteach` pulls in, and how much a student has to read."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import igteach

NEW_MODULES = """
import sys, numpy, torch
before = {name.partition(".")[0] for name in sys.modules}
import igteach; igteach.integrated_gradients
print(*({name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)))
"""


def loaded_by(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_igteach_pulls_in_torch_and_numpy_and_nothing_else():
    assert loaded_by(NEW_MODULES) == ["igteach"]


def test_none_of_the_heavy_packages_is_loaded():
    loaded = set(loaded_by("import igteach, sys; igteach.integrated_gradients; print(*sys.modules)"))
    assert "torch" in loaded
    assert not loaded & {
        "matplotlib",
        "ipywidgets",
        "IPython",
        "sklearn",
        "skimage",
        "scipy",
        "transformers",
        "captum",
        "pandas",
        "safetensors",
    }


def test_every_public_name_is_there_and_documented():
    for name in igteach.__all__:
        assert getattr(igteach, name).__doc__, name


def test_the_facade_shows_type_checkers_and_readers_the_same_names():
    (block,) = [node for node in ast.parse(Path(igteach.__file__).read_text()).body if isinstance(node, ast.If)]
    shown = {alias.name for node in block.body for alias in node.names}
    assert shown == set(igteach.__all__) == set(dir(igteach)) - {"__version__"}


def test_a_room_is_there_after_import_igteach_and_an_unknown_name_is_named():
    assert igteach.baselines is importlib.import_module("igteach.methods.baselines")
    with pytest.raises(AttributeError, match="'igteach' has no attribute 'integrated'"):
        _ = igteach.integrated
