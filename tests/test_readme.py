"""What the README shows must run."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_an_attribution_that_adds_up(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(example, {})
    assert ": complete" in capsys.readouterr().out


@pytest.mark.parametrize("page", ["README.md", "docs/install.md", "docs/instructor.md"])
def test_every_file_and_heading_that_a_page_links_to_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", text)
    assert links
    for target, heading in links:
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        if heading:
            assert heading in anchors(file), f"{target}#{heading}"


def anchors(file):
    """Where links into a page of Markdown may lead, as GitHub names its headings."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_make_alone_lists_the_targets_in_a_line_each():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("env", "lab", "test", "ci", "lessons", "assignment", "book", "slides"):
        assert re.search(rf"^\s+make {target} .{{10,}}$", listed, re.MULTILINE)
