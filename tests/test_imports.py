"""What `import igteach` pulls in, and how much a student has to read."""

import ast
import dataclasses
import importlib
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import igteach
from igteach.core.quadrature import RULES, nodes_and_weights

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


def test_the_rooms_are_there_in_a_fresh_python_and_no_module_inside_them_leaks():
    rooms = [name for name in igteach.__all__ if inspect.ismodule(getattr(igteach, name))]
    code = f"import igteach; print(*(getattr(igteach, name).__name__ for name in {rooms})); print(*vars(igteach))"
    out = loaded_by(code)
    assert [name.rpartition(".")[2] for name in out[: len(rooms)]] == rooms
    found = {name for name in out[len(rooms) :] if not name.startswith("_")}
    folder = Path(igteach.__file__).parent
    packages = {path.name for path in folder.iterdir() if path.is_dir()}
    assert found <= packages | set(igteach.__all__) | {"import_module", "Any", "TYPE_CHECKING"}
    assert not found & {"errors", "speed"}


def test_help_explains_each_field_and_method_of_an_attribution():
    page = pydoc.render_doc(igteach.Attribution, renderer=pydoc.plaintext)
    text, _, methods = page.partition("Methods defined here:")
    for field in dataclasses.fields(igteach.Attribution):
        assert f"|      {field.name}: " in text
    for name in ("grouped", "load", "numpy", "save", "summary", "to_dataframe", "residual", "verdict"):
        assert f"|  {name}" in methods
        assert pydoc.getdoc(inspect.getattr_static(igteach.Attribution, name))


def test_every_rule_that_there_is_stands_among_the_rules():
    tree = ast.parse(inspect.getsource(nodes_and_weights))
    compared = {
        node.comparators[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant)
        if isinstance(node.comparators[0].value, str)
    }
    assert compared < set(RULES)
    with pytest.raises(ValueError, match=f"rule is 'warped'; choose one of {', '.join(RULES)}"):
        nodes_and_weights("warped", 8)
