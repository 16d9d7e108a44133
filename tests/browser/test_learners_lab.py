"""What a learner and an instructor find when `igteach lab` opens a browser."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from browser.helpers import IDLE, MINUTE, end_server
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.long


@pytest.mark.parametrize("instructor", [False, True])
def test_lesson_00_is_open_beside_its_contents_and_only_instructors_have_nbgraders_menu(
    page: Page, free_port: int, wait_for: Callable, tmp_path, instructor: bool
):
    work = tmp_path / "home" / "work"
    work.mkdir(parents=True)
    (work / "progress.json").write_text("{}")  # so that this work is taken, and not the clone's
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    own = {name: str(tmp_path / name.lower()) for name in folders}
    options = ["--no-browser", "--port", str(free_port), "--IdentityProvider.token=t", "--expose-app-in-browser"]
    command = [sys.executable, "-m", "igteach", "lab", *["--instructor"] * instructor, *options]
    server = subprocess.Popen(command, cwd=tmp_path / "home", env={**os.environ, **own}, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{free_port}"
        wait_for(f"{address}/lab?token=t", server)
        page.goto(f"{address}/?token=t")
        page.wait_for_function(IDLE, timeout=2 * MINUTE)
        assert page.url == f"{address}/lab/tree/00_start_here.ipynb"
        contents = page.locator(".jp-TableOfContents").first
        expect(contents).to_be_visible(timeout=MINUTE)
        expect(contents.locator(".jp-tocItem").first).to_contain_text("00 · Start here", timeout=MINUTE)
        expect(page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader")).to_have_count(int(instructor))
        expect(page.get_by_text("Validate", exact=True)).to_have_count(int(instructor))
        expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)
        assert not (tmp_path / "jupyter_config_dir" / "lab").exists()  # nothing of the user's own was written
    finally:
        end_server(server)
