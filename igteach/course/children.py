"""Programs that grading starts: they end when grading ends, however it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Lock
from typing import IO

from igteach.course.assign import add_scripts_to_path, config_must_load

LONGEST_LOG = 200_000  # bytes, at its start and at its end
FIRST_WORK = "Converting notebook"  # what nbgrader logs after it has read its configuration
_RUNNING: set[subprocess.Popen[bytes]] = set()
_RUNNING_LOCK = Lock()


def run_nbgrader_bound(course: Path, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run one of nbgrader's commands on a submission, as a process that ends with this one.

    What the submission writes to the log past nbgrader cannot fill the memory, and is not taken for nbgrader's word on
    its configuration.

    Args:
        course: The folder to run it in.
        *arguments: The command and its options.
        seconds: How long it may take.

    Returns:
        The finished process, successful or not; its log is in stderr, without the middle of a long one.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was ended with all that it had started.
        Misconfigured: The course's configuration does not load.
    """
    add_scripts_to_path()
    command = [*_bound_to_us(), sys.executable, "-m", "nbgrader", *arguments]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=course, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
        )
        with _RUNNING_LOCK:
            _RUNNING.add(process)
        try:
            code = process.wait(seconds)
        finally:
            _end(process)
            with _RUNNING_LOCK:
                _RUNNING.discard(process)
        text = _start_and_end(log)
    config_must_load(text.partition(FIRST_WORK)[0])
    return subprocess.CompletedProcess(command, code, "", text)


def end_all() -> None:
    """End every program that is running."""
    with _RUNNING_LOCK:
        for process in _RUNNING:
            _end(process)


def _bound_to_us() -> list[str]:
    """The command that starts another one and has the kernel of the system end it when we end; empty where none can.

    The shell in between starts nothing if we ended before the bond was made.
    """
    if not shutil.which("setpriv"):
        return []
    only_if_we_live = '[ "$PPID" = "$0" ] && exec "$@"'
    return ["setpriv", "--pdeathsig", "KILL", "sh", "-c", only_if_we_live, str(os.getpid())]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, unless it has ended by itself."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _start_and_end(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(0)
    start = log.read(LONGEST_LOG)
    log.seek(max(log.tell(), size - LONGEST_LOG))
    return (start + log.read(LONGEST_LOG)).decode(errors="replace")
