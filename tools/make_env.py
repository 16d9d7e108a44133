"""Make .venv, or mend it: `python tools/make_env.py lessons`, or `dev` for the test tools as well.

The Makefile calls this with the system's Python, so it uses nothing but the standard library.
"""

from __future__ import annotations  # so that an older Python reads on to the line that says it is too old

import contextlib
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where two at once are not held apart
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "pip.log"
DESCRIBED_IN = (ROOT / "pyproject.toml", ROOT / "constraints.txt")

STAGES = {  # what pip is asked for, stage after stage
    "lessons": ["-e", ".[lessons,course]"],
    "dev": ["-e", ".[dev]"],
}
ANNOUNCED = {
    "lessons": "env: installing the lessons' environment into .venv (a few minutes, once)",
    "dev": "env: adding the test tools",
}


def main(last: str) -> int:
    """Bring .venv up to a stage; the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036, as any Python may be the system's
        print(f"env: igteach needs Python 3.11 or later, and {sys.executable} is {sys.version.split()[0]}")
        print("env: name another, as in: make env PYTHON=python3.12")
        return 1
    stages = list(STAGES)[: list(STAGES).index(last) + 1]
    with one_at_a_time():
        finished = all(is_done(stage) for stage in stages) and PYTHON.exists() and not made_elsewhere()
        if not finished:
            make(stages)
            fetch_model()
    print("env: .venv is ready")
    return 0


def make(stages: list[str]) -> None:
    """Make .venv where it is missing or unusable, then install the stages that are not done."""
    reason = why_unusable()
    if reason:
        print(f"env: making .venv ({reason})", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    for stage in stages:
        if not is_done(stage):
            print(ANNOUNCED[stage], flush=True)
            install(STAGES[stage])
            done_file(stage).write_text(fingerprint(), encoding="utf-8")


def why_unusable() -> str | None:
    """Why .venv has to be made from scratch; None where it can be built upon."""
    if not VENV.exists():
        return "there is none yet"
    if made_elsewhere():
        return "the old one was made in another folder: this clone was moved or copied"
    unfinished = "the old one has no Python or no pip: it was interrupted, or its Python is gone"
    if not (VENV / "pyvenv.cfg").is_file():  # without which its Python would be the system's, pip and all
        return unfinished
    ask_pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--dry-run", "--no-index", "pip"]
    try:  # pip finds itself installed, which takes all of pip and no network
        subprocess.run(ask_pip, check=True, capture_output=True, env=pip_environment())
    except (OSError, subprocess.CalledProcessError):
        return unfinished
    return None


def made_elsewhere() -> bool:
    """Whether .venv was made at another path: its scripts and the editable install would look for things there."""
    try:
        settings = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    made = re.search(r"^command = .* -m venv (?:--\S+ )*(.+)$", settings, re.MULTILINE)  # other tools note no command
    return made is not None and Path(made.group(1)).resolve() != VENV.resolve()


def install(wanted: list[str]) -> None:
    """Let pip install; its report goes to a log, of which the end is shown where pip fails."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-c", "constraints.txt", *wanted]
    with LOG.open("w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=pip_environment())
    if done.returncode:
        print(*LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-25:], sep="\n")
        raise SystemExit(f"env: pip failed; its whole report is in {LOG}")


def fetch_model() -> None:
    """Fetch the language model, or go on with a warning where that fails, as without a network."""
    fetch = [str(PYTHON), "-m", "igteach", "fetch"]
    if subprocess.run(fetch, cwd=ROOT, env=pip_environment()).returncode:
        print(f"env: warning: going on without the language model; to fetch it later: {' '.join(fetch)}", flush=True)


def pip_environment() -> dict[str, str]:
    """The environment without PIP_USER, which would send packages past .venv."""
    return {**os.environ, "PIP_USER": "0"}


def is_done(stage: str) -> bool:
    """Whether a stage was finished here, with pyproject.toml and constraints.txt as they are now."""
    file = done_file(stage)
    return file.is_file() and file.read_text(encoding="utf-8") == fingerprint()


def done_file(stage: str) -> Path:
    """Where it is noted that a stage is finished."""
    return VENV / f"{stage}.done"


def fingerprint() -> str:
    """This clone's folder, and what pyproject.toml and constraints.txt say."""
    described = b"".join(file.read_bytes() for file in DESCRIBED_IN)
    return f"{ROOT}\n{hashlib.sha256(described).hexdigest()}\n"


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other process makes this clone's .venv. The lock goes with the process, however it ends."""
    with DESCRIBED_IN[0].open("r+b") as file:
        if fcntl:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("env: another command is making .venv; waiting for it", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STAGES:
        sys.exit(f"usage: make_env.py {' | '.join(STAGES)}")
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("env: interrupted; the next call goes on from here")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"env: failed: {' '.join(failed.cmd)}")
