"""A real JupyterHub on 127.0.0.1, with system accounts of its own: test_hub.py's tools."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path

import requests
import websocket

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "docs" / "hub"
PASSWORD = "only-for-this-test"
ADMIN_TOKEN = secrets.token_hex(16)
MINUTE = 60
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
INSTALL = "sudo .venv/bin/python tools/make_hub_env.py"
FOR_THE_TEST = """
load_subconfig({configuration!r})
c = get_config()
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = {password!r}
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.services = [{{"name": "test", "api_token": {token!r}}}]
may = ["admin:users", "admin:servers", "tokens"]
c.JupyterHub.load_roles = [{{"name": "test", "scopes": may, "services": ["test"]}}]
c.Spawner.args = ["--LabApp.expose_app_in_browser=True"]
c.Spawner.http_timeout = c.Spawner.start_timeout = 2 * {minute}
"""


@dataclass(frozen=True)
class Server:
    """A user's server behind the Hub, and what the user does with it.

    Attributes:
        user: The user's name, on the Hub and on the system.
        address: Where the server answers.
        token: The user's own token.
    """

    user: str
    address: str
    token: str

    def ask(self, method: str, path: str, **arguments) -> requests.Response:
        """The answer of this user's server, whatever its status."""
        return self.ask_at(self.address, method, path, **arguments)

    def ask_at(self, address: str, method: str, path: str, **arguments) -> requests.Response:
        """The answer of another server to this user's token, without being sent on to a login page."""
        headers = {"Authorization": f"token {self.token}"}
        asked = {"headers": headers, "timeout": 5 * MINUTE, "allow_redirects": False, **arguments}
        return requests.request(method, f"{address}/{path}", **asked)

    def nbgrader(self, action: str, assignment: str) -> list[dict]:
        """Press a button of the Assignment List: fetch, submit or fetch_feedback."""
        which = {"course_id": "course", "assignment_id": assignment}
        answer = self.ask("POST", f"assignments/{action}", data=which).json()
        assert answer["success"], answer
        return answer["value"]

    def assignments(self) -> list[dict]:
        """What the Assignment List shows."""
        answer = self.ask("GET", "assignments", params={"course_id": "course"}).json()
        assert answer["success"], answer
        return answer["value"]

    def read(self, path: str) -> dict | str:
        """A file under HOME: the cells of a notebook, or a text."""
        answer = self.ask("GET", f"api/contents/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()["content"]

    def write(self, path: str, notebook: dict) -> None:
        """Save a notebook under HOME, as JupyterLab does."""
        body = json.dumps({"type": "notebook", "format": "json", "content": notebook})
        answer = self.ask("PUT", f"api/contents/{path}", data=body)
        assert answer.status_code == 200, answer.text

    def run(self, command: str) -> str:
        """Type a command into a terminal of the server; what it printed. It must succeed."""
        code, printed = self.attempt(command)
        assert code == 0, f"{self.user}: {command}\n{printed}"
        return printed

    def attempt(self, command: str) -> tuple[int, str]:
        """Type a command into a terminal of the server; its exit code, and what it printed."""
        name = self.ask("POST", "api/terminals").json()["name"]
        address = self.address.replace("http://", "ws://")
        terminal = websocket.create_connection(
            f"{address}/terminals/websocket/{name}", header=[f"Authorization: token {self.token}"], timeout=5 * MINUTE
        )
        try:
            typed = f"stty -echo; printf 'begin''ning\\n'; {command}; printf 'end''ed %s\\n' $?\n"
            terminal.send(json.dumps(["stdin", typed]))
            return self._until_ended(terminal)
        finally:
            terminal.close()
            self.ask("DELETE", f"api/terminals/{name}")

    @staticmethod
    def _until_ended(terminal: websocket.WebSocket) -> tuple[int, str]:
        printed = ""
        while True:
            kind, *content = json.loads(terminal.recv())
            if kind == "stdout":
                printed += content[0]
            ended = re.search(r"beginning\r?\n(.*?)ended (\d+)\r?\n", printed, re.DOTALL)
            if ended:
                return int(ended[2]), re.sub(r"\r|\x1b\[[0-9;?]*[a-z]", "", ended[1])  # no colours


@dataclass(frozen=True)
class Hub:
    """A running Hub.

    Attributes:
        address: Where its proxy answers.
        base: The folder of its configuration, the exchange and the homes.
        instructor: The instructor's name.
        students: The students' names.
    """

    address: str
    base: Path
    instructor: str
    students: tuple[str, str]

    def ask(self, method: str, path: str) -> requests.Response:
        """The answer of the Hub's own interface to its administrator."""
        headers = {"Authorization": f"token {ADMIN_TOKEN}"}
        return requests.request(method, f"{self.address}/hub/api/{path}", headers=headers, timeout=MINUTE)

    def server(self, user: str) -> Server:
        """Start a user's server, and wait for it."""
        self.ask("POST", f"users/{user}")
        assert self.ask("POST", f"users/{user}/server").status_code in (201, 202)
        until(lambda: self.ask("GET", f"users/{user}").json()["server"], f"the server of {user}")
        token = self.ask("POST", f"users/{user}/tokens").json()["token"]
        return Server(user, f"{self.address}/user/{user}", token)

    def stop(self, user: str) -> None:
        """Stop a user's server, and wait until it is gone."""
        assert self.ask("DELETE", f"users/{user}/server").status_code in (202, 204)
        until(lambda: not self.ask("GET", f"users/{user}").json()["servers"], f"the end of the server of {user}")


def why_not(environment: Path) -> str | None:
    """Why there can be no Hub here; None where there can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "it makes system accounts, which only root may"
    if not (shutil.which("useradd") and shutil.which("userdel") and shutil.which("runuser")):
        return "useradd, userdel or runuser is missing"
    for command in ("jupyterhub", "jupyterhub-singleuser", "configurable-http-proxy", "igteach"):
        if not (environment / "bin" / command).exists():
            return f"{environment}/bin has no {command}; install it with: {INSTALL} {environment}"
    if not is_current(environment):
        return f"the igteach in {environment} is not this one; make it again with: {INSTALL} {environment}"
    return None


def is_current(environment: Path) -> bool:
    """Whether the environment's igteach has the very files of this one."""
    package = ROOT / "igteach"
    (installed,) = environment.glob("lib/python3*/site-packages/igteach")
    files = [file.relative_to(package) for file in package.rglob("*.py")]
    return all((installed / file).is_file() and cmp(package / file, installed / file, shallow=False) for file in files)


@contextmanager
def running_hub(environment: Path) -> Iterator[Hub]:
    """A Hub with the configuration of docs/hub, an instructor and two students; all is gone afterwards."""
    base = Path(tempfile.mkdtemp(prefix="igteach-hub-", dir="/srv"))
    base.chmod(0o755)
    mark = secrets.token_hex(3)
    instructor, *students = [f"{name}-{mark}" for name in ("ada", "ben", "cleo")]
    try:
        with accounts([instructor, *students], base / "home"):
            configure(base, instructor, students)
            can_work(instructor, environment)
            ports = unused_ports(3)
            with process(base, environment, ports):
                yield Hub(f"http://127.0.0.1:{ports[0]}", base, instructor, (students[0], students[1]))
    finally:
        shutil.rmtree(base)


@contextmanager
def accounts(names: list[str], homes: Path) -> Iterator[None]:
    """System accounts, each with a home that nobody else can enter; removed with all that they still run."""
    homes.mkdir()
    made = []
    try:
        for name in names:
            add = ["useradd", "--create-home", "--base-dir", str(homes), "--shell", "/bin/bash", name]
            subprocess.run(add, check=True)  # fails for a name that is taken
            made.append(name)
            (homes / name).chmod(0o700)
        yield
    finally:
        with ExitStack() as each:  # which goes on to the next where one fails
            for name in made:
                each.callback(remove_account, name)


def remove_account(name: str) -> None:
    """Remove an account of ours, with its home and what it still runs."""
    uid = int(subprocess.run(["id", "-u", name], capture_output=True, text=True, check=True).stdout)

    def nothing_runs() -> bool:
        running = processes_of(uid)
        for process_id in running:
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        return not running

    until(nothing_runs, f"the end of what {name} runs")
    subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)


def processes_of(uid: int) -> list[int]:
    """What a user runs now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError):  # it has ended meanwhile
            if folder.stat().st_uid == uid:
                found.append(int(folder.name))
    return found


def configure(base: Path, instructor: str, students: list[str]) -> None:
    """Lay out the Hub as docs/instructor.md says: its configuration, who is who, and the exchange folder."""
    shutil.copytree(CONFIGURATION, base / "hub")
    (base / "hub" / "instructors.txt").write_text(instructor + "\n", encoding="utf-8")
    (base / "hub" / "students.txt").write_text("\n".join(students) + "\n", encoding="utf-8")
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", str(base / "hub")], check=True)
    (base / "exchange").mkdir()
    (base / "exchange").chmod(0o777)


def can_work(user: str, environment: Path) -> None:
    """Fail with a plain sentence if the user cannot use the environment."""
    python = str(environment / "bin" / "python")
    tried = subprocess.run(
        ["runuser", "-u", user, "--", python, "-c", "import torch, nbgrader, igteach, jupyterhub"],
        capture_output=True,
        text=True,
        env={"PATH": SYSTEM_PATH},
        cwd="/",
        check=False,
    )
    if tried.returncode != 0:
        message = f"ordinary users cannot use {environment}; make it again with: {INSTALL} {environment}"
        raise PermissionError(f"{message}\n{tried.stderr}")


@contextmanager
def process(base: Path, environment: Path, ports: list[int]) -> Iterator[None]:
    """The Hub's process, which ends its proxy and its users' servers when it ends."""
    state = base / "state"
    state.mkdir(mode=0o700)
    config = state / "jupyterhub_config.py"
    docs = str(base / "hub" / "jupyterhub_config.py")
    config.write_text(
        FOR_THE_TEST.format(configuration=docs, password=PASSWORD, ports=ports, token=ADMIN_TOKEN, minute=MINUTE),
        encoding="utf-8",
    )
    node = str(Path(shutil.which("node") or "/usr/bin/node").parent)
    clean = {"PATH": f"{environment}/bin:{node}:{SYSTEM_PATH}", "LANG": "C.UTF-8"}
    with (state / "log").open("wb") as log:
        command = [str(environment / "bin" / "jupyterhub"), "--config", str(config)]
        hub = subprocess.Popen(command, cwd=state, env=clean, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: answers(f"http://127.0.0.1:{ports[0]}/hub/api/"), "the Hub", hub, state / "log")
        yield
    except BaseException:
        print((state / "log").read_text(encoding="utf-8", errors="replace")[-8000:])
        raise
    finally:
        hub.terminate()
        hub.wait(timeout=MINUTE)


def answers(address: str) -> bool:
    """Whether somebody answers there."""
    try:
        return requests.get(address, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def until(condition, what: str, started: subprocess.Popen | None = None, log: Path | None = None) -> None:
    """Wait until it is so; fails after two minutes, or where the process has ended."""
    end = time.monotonic() + 2 * MINUTE
    while not condition():
        ended = started is not None and started.poll() is not None
        if ended or time.monotonic() > end:
            shown = log.read_text(encoding="utf-8", errors="replace")[-4000:] if log else ""
            raise TimeoutError(f"{what} {'ended' if ended else 'did not answer in two minutes'}\n{shown}")
        time.sleep(0.3)


def unused_ports(count: int) -> list[int]:
    """Ports on which nobody listens now."""
    chosen = [socket.socket() for _ in range(count)]
    for each in chosen:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in chosen]
    for each in chosen:
        each.close()
    return ports
