"""What grading starts ends with it, and what a submission writes cannot be mistaken for nbgrader's own words."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from igteach.course import children
from igteach.course.children import run_nbgrader_bound
from igteach.course.course_folder import Misconfigured


@pytest.fixture
def nbgrader(tmp_path, monkeypatch):
    """Puts a program of the test in nbgrader's place, and runs it."""

    def run(program, *arguments, seconds=60):
        (tmp_path / "nbgrader").mkdir(exist_ok=True)
        (tmp_path / "nbgrader" / "__init__.py").touch()
        (tmp_path / "nbgrader" / "__main__.py").write_text(program)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return run_nbgrader_bound(tmp_path, *arguments, seconds=seconds)

    return run


def test_its_exit_code_log_and_arguments_are_as_given(nbgrader):
    done = nbgrader("import sys; print(sys.argv[1:], file=sys.stderr); sys.exit(3)", "autograde", "--student=a b'c")
    assert done.returncode == 3
    assert """['autograde', "--student=a b'c"]""" in done.stderr


def test_a_flood_in_the_log_is_cut_in_the_middle(nbgrader):
    done = nbgrader("import sys; sys.stderr.write('start' + 'x' * 5_000_000 + 'end')")
    assert done.stderr.startswith("start")
    assert done.stderr.endswith("end")
    assert len(done.stderr) == 2 * children.LONGEST_LOG


def test_a_configuration_that_does_not_load_is_an_error_and_a_submission_that_says_so_is_not(nbgrader):
    words = "Exception while loading config file\n  ImportError: x"
    with pytest.raises(Misconfigured, match="ImportError: x"):
        nbgrader(f"import sys; print({words!r}, file=sys.stderr)")
    said = f"[AutogradeApp | INFO] Converting notebook x\n{words}"
    assert nbgrader(f"import sys; print({said!r}, file=sys.stderr)").returncode == 0


SECONDS = f"9{os.getpid()}.5"  # no other sleeper's
CHILD = f"import subprocess, sys, time; subprocess.Popen(['sleep', '{SECONDS}']); time.sleep(600)"


def test_what_takes_too_long_is_ended_with_what_it_started(nbgrader):
    with pytest.raises(subprocess.TimeoutExpired):
        nbgrader(CHILD, seconds=2)
    assert wait_for(lambda: sleeping() == [])


def sleeping():
    return [process for process in psutil.process_iter() if command_of(process)[-1:] == [SECONDS]]


def command_of(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


GRADER = """
import signal, sys, threading
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup would have us ignore
from pathlib import Path
from igteach.course.children import run_nbgrader_bound
worker = threading.Thread(target=lambda: run_nbgrader_bound(Path(sys.argv[1]), "autograde", seconds=600))
worker.start()
worker.join()
"""


@pytest.mark.skipif(not children.shutil.which("setpriv"), reason="needs setpriv, of util-linux on Linux")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_when_the_grader_is_killed_alone_its_children_end(tmp_path, number):
    (tmp_path / "nbgrader").mkdir()
    (tmp_path / "nbgrader" / "__init__.py").touch()
    (tmp_path / "nbgrader" / "__main__.py").write_text("import time; open('started', 'w').close(); time.sleep(600)")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    grader = subprocess.Popen([sys.executable, "-c", GRADER, str(tmp_path)], env=environment)
    assert wait_for((tmp_path / "started").exists)
    family = psutil.Process(grader.pid).children(recursive=True)
    assert family
    grader.send_signal(number)
    grader.wait(20)
    assert wait_for(lambda: not any(process.is_running() for process in family))
