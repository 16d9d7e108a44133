"""What the README shows must run."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_an_attribution_that_adds_up(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(example, {})
    assert ": complete" in capsys.readouterr().out


def test_every_file_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_make_alone_lists_the_targets_in_a_line_each():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("env", "lab", "test", "ci", "lessons", "assignment", "book"):
        assert re.search(rf"^\s+make {target} .{{10,}}$", listed, re.MULTILINE)
