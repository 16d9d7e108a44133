"""JupyterLab as `igteach lab` opens it: what its server would send to the browser, without one."""

import json
import os

import pytest
from jupyter_core.paths import jupyter_config_path
from jupyter_server.config_manager import recursive_update
from jupyter_server.extension.config import ExtensionConfigManager
from jupyterlab_server.config import get_page_config
from jupyterlab_server.settings_utils import _get_overrides
from jupyterlab_server.workspaces_handler import WorkspacesManager

from igteach.course import learners_lab

NBGRADER = [
    f"nbgrader.server_extensions.{name}"
    for name in ("assignment_list", "course_list", "formgrader", "validate_assignment")
]


@pytest.fixture
def users_own(tmp_path, monkeypatch):
    """A user's settings, which ask for nbgrader and are not ours to change."""
    own = tmp_path / "own"
    (own / "jupyter_server_config.d").mkdir(parents=True)
    asked = {"ServerApp": {"jpserver_extensions": dict.fromkeys(NBGRADER, True)}}
    (own / "jupyter_server_config.d" / "nbgrader.json").write_text(json.dumps(asked))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(own))
    monkeypatch.delenv("JUPYTER_CONFIG_PATH", raising=False)
    return own


def open_lab(monkeypatch, instructor):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", learners_lab.config_path(instructor))


@pytest.mark.parametrize("instructor", [False, True])
def test_nbgraders_menus_are_the_instructors_alone(users_own, monkeypatch, instructor):
    open_lab(monkeypatch, instructor)
    disabled = get_page_config([]).get("disabledExtensions", [])
    assert ("@jupyter/nbgrader" in disabled) is not instructor
    extensions = ExtensionConfigManager(read_config_path=jupyter_config_path()).get_jpserver_extensions()
    assert {name: extensions[name] for name in NBGRADER} == dict.fromkeys(NBGRADER, instructor)


@pytest.mark.parametrize("instructor", [False, True])
def test_nobody_is_asked_about_news(users_own, monkeypatch, tmp_path, instructor):
    open_lab(monkeypatch, instructor)
    overrides, error = _get_overrides(str(tmp_path))
    assert error == ""
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert "--LabApp.news_url=None" in learners_lab.NO_NEWS


def test_folders_that_were_asked_for_before_come_after_ours(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/theirs")
    folders = learners_lab.config_path(instructor=False).split(os.pathsep)
    assert [os.path.basename(folder) for folder in folders] == ["learner", "shared", "theirs"]


def test_the_first_workspace_has_the_table_of_contents_open_and_later_ones_are_the_learners(tmp_path, users_own):
    (option,) = learners_lab.own_workspace(tmp_path)
    name, folder = option.split("=")
    assert name == "--LabApp.workspaces_dir"
    manager = WorkspacesManager(folder)
    workspace = manager.load("default")
    assert workspace["data"]["layout-restorer:data"]["left"]["current"] == "@jupyterlab/toc:plugin"
    recursive_update(workspace, {"data": {"mine": True}})
    manager.save("default", json.dumps(workspace))
    learners_lab.own_workspace(tmp_path)
    assert manager.load("default")["data"]["mine"] is True
    assert [path.name for path in users_own.iterdir()] == ["jupyter_server_config.d"]


def test_a_folder_that_cannot_be_written_costs_the_arrangement_only(tmp_path):
    (tmp_path / "work").write_text("a file")
    assert learners_lab.own_workspace(tmp_path / "work") == []
