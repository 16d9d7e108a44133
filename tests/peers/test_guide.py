"""Every block of docs/captum.md runs, from top to bottom, and each kind of input has one."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import igteach

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "captum.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
HEADINGS = (
    "A tensor",
    "A batch, with a class for each example",
    "Several inputs: a tuple",
    "Several inputs: a dict",
    "Extra arguments",
    "A target inside the output",
    "A model that returns several things",
    "Layers",
    "Groups of features",
    "Tables",
    "Trees",
    "Many baselines",
    "Text",
    "Measures",
)


def test_every_kind_of_input_has_a_block():
    parts = dict(part.split("\n", 1) for part in GUIDE.split("\n## ")[1:])
    assert [name for name, body in parts.items() if BLOCK.search(body)] == list(HEADINGS)


def test_the_blocks_run_from_top_to_bottom(capsys, tmp_path, monkeypatch):
    pytest.importorskip("captum")
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, block in enumerate(BLOCK.findall(GUIDE), start=1):
        exec(compile(block, f"block {number} of docs/captum.md", "exec"), names)
    shown = capsys.readouterr().out
    assert "NOT" not in shown, "an answer that cannot be trusted"


def test_every_name_of_the_package_in_the_guide_exists():

    named = set(re.findall(r"igteach((?:\.\w+)+)", GUIDE))
    assert len(named) > 15
    for path in sorted(named):
        found = igteach
        for name in path.strip(".").split("."):
            found = getattr(found, name, None) or import_module(f"igteach{path}")
