"""JupyterLab and a headless Chromium for the tests that look at lessons as a learner does."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser.helpers import end_server
from playwright.sync_api import Browser, Page, sync_playwright

from igteach.course.commands import TAKES_UPLOADS
from igteach.explore.live import script
from igteach.lessons.book import build_book
from igteach.lessons.copies import copy_lesson
from igteach.lessons.lesson import all_lessons

START_SECONDS = 120
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",  # no waiting for names
]


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab on a folder."""

    address: str
    token: str
    work: Path


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("IGTEACH_REQUIRE_BROWSER") == "1":
            pytest.fail("IGTEACH_REQUIRE_BROWSER=1, but there is no Chromium on PATH")
        pytest.skip("there is no Chromium on PATH; on Debian: apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def lab_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Lab]]:
    """Starts a JupyterLab on a folder; all end with the session."""
    with ExitStack() as servers:
        yield lambda folder: servers.enter_context(jupyterlab(folder, tmp_path_factory.mktemp("jupyter")))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, lab_on: Callable[[Path], Lab]) -> Lab:
    """A JupyterLab on a folder with the learner's copies."""
    work = tmp_path_factory.mktemp("work")
    for lesson in all_lessons():
        copy_lesson(lesson, work)
    return lab_on(work)


@contextmanager
def jupyterlab(work: Path, own_folder: Path) -> Iterator[Lab]:
    token = "only-for-this-test"
    port = unused_port()
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
    own = {name: str(own_folder / name.lower()) for name in folders}
    asks = Path(own["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", "apputils-extension", "notification.jupyterlab-settings")
    asks.parent.mkdir(parents=True)
    asks.write_text('{"fetchNews": "false"}')  # else a question lies over every screenshot
    options = [
        "--no-browser",
        "--allow-root",
        TAKES_UPLOADS,
        "--ip=127.0.0.1",
        f"--port={port}",
        f"--IdentityProvider.token={token}",
        "--expose-app-in-browser",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        cwd=work,
        env={**os.environ, **own},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answers(f"http://127.0.0.1:{port}/lab?token={token}", server)
        yield Lab(f"http://127.0.0.1:{port}", token, work)
    finally:
        end_server(server)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the web book's pages, built once."""
    return build_book(tmp_path_factory.mktemp("book"), {"live.js": script()}).parent


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with a storage and cookies of its own."""
    with browser.new_context(viewport={"width": 1300, "height": 950}) as context:
        yield context.new_page()


@pytest.fixture
def page_errors(page: Page) -> list[str]:
    """What scripts of the page raise."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def errors(page: Page) -> list[str]:
    """What scripts of the page raise, and what the console reports as errors."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The addresses on a network that the page asks for."""
    found: list[str] = []
    page.on("request", lambda one: None if one.url.startswith(("file:", "data:")) else found.append(one.url))
    return found


@pytest.fixture
def free_port() -> int:
    return unused_port()


@pytest.fixture
def wait_for() -> Callable[[str, subprocess.Popen], None]:
    return answers


def unused_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


def answers(address: str, server: subprocess.Popen) -> None:
    """Until the address answers; fails where the server has ended or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"the server ended with code {server.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    pytest.fail(f"{address} did not answer in {START_SECONDS} s")
