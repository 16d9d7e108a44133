"""The lesson map of the README: its minutes are those of the heads, and launch links need an address."""

import importlib.metadata
import re
from email.message import Message

import pytest

from igteach.lessons import lesson as lesson_module
from igteach.lessons import lesson_map as lesson_map_module
from igteach.lessons.lesson import all_lessons
from igteach.lessons.lesson_map import lesson_map, minutes_of, repository

LESSONS = all_lessons()


def test_the_minutes_add_up_to_those_of_the_heads():
    table = lesson_map(LESSONS, None)
    minutes = [int(number) for number in re.findall(r"\| (\d+) \|$", table, re.MULTILINE)]
    assert minutes[-1] == sum(minutes[:-1]) == sum(map(minutes_of, LESSONS))


def test_launch_links_are_made_from_the_address_of_a_repository_on_github_and_from_no_other():
    table = lesson_map(LESSONS, "https://github.com/someone/igteach.git")
    for lesson in LESSONS:
        assert (
            f"(https://colab.research.google.com/github/someone/igteach/blob/main/notebooks/{lesson.name}.ipynb)"
            in table
        )
        assert f"(https://mybinder.org/v2/gh/someone/igteach/main?labpath=notebooks/{lesson.name}.ipynb)" in table
    assert "git+https://github.com/someone/igteach" in table
    for address in (None, "", "https://example.org/someone/igteach"):
        assert not re.search("colab|binder", lesson_map(LESSONS, address))


def test_the_address_of_the_repository_is_what_pyproject_says(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    monkeypatch.setattr(lesson_module, "_package", lambda: tmp_path / "igteach")
    project = '[project]\nname = "igteach"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    assert repository() is None
    (tmp_path / "pyproject.toml").write_text(f'{project}[project.urls]\nRepository = "https://github.com/a/igteach"\n')
    assert repository() == "https://github.com/a/igteach"


@pytest.mark.parametrize(
    ("stated", "address"),
    [
        ([], None),
        (["Documentation, https://b", "Repository, https://a"], "https://a"),
        (["Documentation, https://b"], None),
    ],
)
def test_without_a_clone_it_is_what_the_installed_package_says(tmp_path, monkeypatch, stated, address):
    said = Message()
    for line in stated:
        said["Project-URL"] = line
    monkeypatch.setattr(lesson_module, "_package", lambda: tmp_path / "igteach")
    monkeypatch.setattr(lesson_map_module, "metadata", lambda name: said)
    monkeypatch.chdir(tmp_path)
    assert repository() == address


def test_without_either_there_is_none(tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(lesson_module, "_package", lambda: tmp_path / "igteach")
    monkeypatch.setattr(lesson_map_module, "metadata", missing)
    monkeypatch.chdir(tmp_path)
    assert repository() is None


def test_the_short_path_adds_up_to_the_minutes_of_its_heads():
    said = re.search(r"\*\*In three hours:\*\* (.*) \((\d+) minutes\)", lesson_map(LESSONS, None))
    assert said
    assert int(said.group(2)) == sum(minutes_of(each) for each in LESSONS if each.number in said.group(1).split(", "))
    assert 150 <= int(said.group(2)) <= 200
