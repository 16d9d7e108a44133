"""The files that a host of repositories reads: valid by their schemas, and in step with the project.

Nothing here runs a workflow. The schemas find a misspelt key, not a wrong expression.
"""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import igteach

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = [path for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
DEVCONTAINER = ROOT / ".devcontainer/devcontainer.json"
PRE_COMMIT = ROOT / ".pre-commit-config.yaml"
READ_BY_SCHEMA = {
    "vendor.github-workflows": WORKFLOWS,
    "custom.github-workflows-require-timeout": WORKFLOWS,
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}
ACTION = re.compile(r"actions/[\w-]+@v\d+|pypa/gh-action-pypi-publish@release/v\d+|\./\.github/workflows/\w+\.yml")
WELL_KNOWN = ("https://download.pytorch.org/",)


def faults_by_schema(schema, files):
    """What check-jsonschema finds, with the schemas that it brings; empty where there is nothing."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 or "validation errors" in done.stdout, done.stdout + done.stderr
    return done.stdout if done.returncode else ""


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs():
    return [(f"{path.name}, {name}", job) for path in WORKFLOWS for name, job in read(path)["jobs"].items()]


def steps(key):
    """Such as every `run` of every step: where it stands, and what it says."""
    return [(where, step[key]) for where, job in jobs() for step in job.get("steps", []) if key in step]


@pytest.mark.parametrize("schema", READ_BY_SCHEMA)
def test_the_files_are_valid(schema):
    files = READ_BY_SCHEMA[schema]
    assert files
    assert faults_by_schema(schema, files) == ""


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ("vendor.github-workflows", "runs-on:", "run-on:"),
        ("custom.github-workflows-require-timeout", "timeout-minutes: 60", "continue-on-error: false"),
        ("vendor.github-issue-forms", "type: textarea", "type: textfield"),
        ("vendor.citation-file-format", "message:", "massage:"),
    ],
)
def test_a_misspelt_key_is_found(schema, right, wrong, tmp_path):
    for original in READ_BY_SCHEMA[schema]:
        text = original.read_text(encoding="utf-8")
        if right in text:
            spoilt = tmp_path / original.name
            spoilt.write_text(text.replace(right, wrong, 1), encoding="utf-8")
            assert faults_by_schema(schema, [spoilt]) != ""
            return
    pytest.fail(f"no file has {right}")


def test_every_system_and_python_that_the_project_claims_is_tested():
    matrix = read(ROOT / ".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={matrix['python'][0]}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_a_job_asks_for_what_it_needs_beyond(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]
    beyond = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    expected = {
        "release.yml": {"publish": {"id-token": "write"}},
        "book.yml": {"deploy": {"pages": "write", "id-token": "write"}},
    }
    assert beyond == expected.get(path.name, {})


def test_every_action_is_pinned_to_a_major_version():
    uses = steps("uses") + [(where, job["uses"]) for where, job in jobs() if "uses" in job]
    assert len(uses) > 10
    assert [(where, action) for where, action in uses if not ACTION.fullmatch(action)] == []


def test_the_commands_of_the_workflows_exist():
    runs = "\n".join(text for _, text in steps("run"))
    called = set(re.findall(r"^(?:python -m )?igteach (\w+)", runs, re.MULTILINE))
    assert {"test", "copy", "check"} <= called
    listed = subprocess.run([sys.executable, "-m", "igteach", "--help"], capture_output=True, text=True, check=True)
    assert [name for name in called if not re.search(rf"^    {name}\b", listed.stdout, re.MULTILINE)] == []
    targets = set(re.findall(r"^make (\w+)", runs, re.MULTILINE))
    assert targets == {"book"}
    assert "\nbook:" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_a_release_waits_for_the_tests_and_compares_its_tag_with_the_version():
    release = read(ROOT / ".github/workflows/release.yml")
    assert release["jobs"]["publish"]["needs"] == ["tests", "build"]
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true
    assert any("GITHUB_REF_NAME#v" in text for _, text in steps("run"))


def test_the_citation_names_this_version_and_the_paper():
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == igteach.__version__
    assert citation["authors"] == [{"name": "The igteach authors"}]
    assert "Axiomatic Attribution for Deep Networks" in [work["title"] for work in citation["references"]]


def test_the_container_makes_the_environment():
    container = json.loads(DEVCONTAINER.read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == "make env"
    assert container["image"].endswith("python:3.11")


def test_the_hooks_come_from_the_environment():
    (source,) = read(PRE_COMMIT)["repos"]
    assert source["repo"] == "local"
    for hook in source["hooks"]:
        assert hook["language"] == "system"
        module = re.match(r"python -m (\w+)", hook["entry"]).group(1)
        assert importlib.util.find_spec(module), module
    assert [hook["id"] for hook in source["hooks"]] == ["ruff", "ruff-format", "mypy", "lessons"]


def test_no_file_for_the_host_holds_an_address_of_the_repository():
    """It has one place, `[project.urls]` in pyproject.toml, and so far none."""
    for path in [*WORKFLOWS, *FORMS, ROOT / "CITATION.cff", DEVCONTAINER, PRE_COMMIT]:
        addresses = re.findall(r"https?://\S+", path.read_text(encoding="utf-8"))
        assert [address for address in addresses if not address.startswith(WELL_KNOWN)] == [], path.name
