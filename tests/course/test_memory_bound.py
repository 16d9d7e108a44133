"""A bound on the memory of all processes of a submission: with systemd's command, a control group, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from igteach.course import memory_bound

MEGABYTE = 2**20
EACH_TAKES = 60 * MEGABYTE
PROGRAM = f"""
import subprocess, sys
take = "import time; kept = bytearray({EACH_TAKES}); print('taken', flush=True); time.sleep(60)"
children = [subprocess.Popen([sys.executable, "-c", take], stdout=subprocess.PIPE) for _ in range(int(sys.argv[1]))]
held = [child.stdout.readline() == b"taken\\n" for child in children]
alive = [child.poll() is None for child in children]
for child in children:
    child.kill()
print(all(held) and all(alive))
"""


@pytest.fixture(autouse=True)
def tried_again():
    memory_bound.working_way.cache_clear()
    yield
    memory_bound.working_way.cache_clear()


@pytest.fixture
def no_control_groups(monkeypatch, tmp_path):
    monkeypatch.setattr(memory_bound, "CONTROL_GROUPS", tmp_path / "none")


@pytest.fixture
def systemd_run(monkeypatch, tmp_path):
    """Makes a fake one that is first on PATH, from its lines in the shell."""
    script, log = tmp_path / "bin" / "systemd-run", tmp_path / "log"

    def make(lines):
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{lines}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
        return log

    return make


RUN_WHAT_FOLLOWS = 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"'


def test_systemds_command_is_used_where_it_works_and_tried_once(systemd_run, no_control_groups):
    log = systemd_run(RUN_WHAT_FOLLOWS)
    prefix = memory_bound.command_prefix(123 * MEGABYTE)
    assert prefix[:3] == ["systemd-run", "--user", "--scope"]
    assert prefix[-5:] == ["-p", f"MemoryMax={123 * MEGABYTE}", "-p", "MemorySwapMax=0", "--"]
    memory_bound.command_prefix()
    assert len(log.read_text().splitlines()) == 1
    printed = subprocess.run([*prefix, "echo", "ran"], capture_output=True, text=True, check=True).stdout
    assert printed == "ran\n"


def test_the_systems_own_systemd_is_asked_where_there_is_none_of_the_user(systemd_run, no_control_groups):
    log = systemd_run(f'[ "$1" = --user ] && exit 1\n{RUN_WHAT_FOLLOWS}')
    assert memory_bound.command_prefix()[:2] == ["systemd-run", "--scope"]
    assert len(log.read_text().splitlines()) == 2


def test_where_nothing_works_the_prefix_is_empty(systemd_run, no_control_groups):
    systemd_run("echo Failed to connect to bus >&2; exit 1")
    assert memory_bound.command_prefix() == []
    assert memory_bound.working_way() is None


def test_a_folder_that_is_no_control_group_is_left_alone(systemd_run, monkeypatch, tmp_path):
    systemd_run("exit 1")
    folder = tmp_path / "cgroup"
    folder.mkdir()
    monkeypatch.setattr(memory_bound, "CONTROL_GROUPS", folder)
    assert memory_bound.command_prefix() == []
    assert list(folder.iterdir()) == []


def all_held(prefix, children):
    """Whether so many children could hold their memory, all at once."""
    command = [*prefix, sys.executable, "-c", PROGRAM, str(children)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "True\n"


@pytest.fixture
def real_way():
    way = memory_bound.working_way()
    if way is None:
        pytest.skip("neither systemd-run nor control groups work here, so no bound on memory in all can be seen")
    return way


def test_the_real_bound_counts_all_processes_together(real_way):
    print(f"memory is bounded by {real_way}")
    assert all_held(memory_bound.command_prefix(4 * EACH_TAKES), 1)
    assert not all_held(memory_bound.command_prefix(4 * EACH_TAKES), 8)
    assert all_held([], 8), "so much memory is not there even without a bound"


def test_what_is_written_to_the_tmp_of_a_sandbox_counts(real_way, box):
    write = (
        "with open('/tmp/file', 'wb') as file:\n    [file.write(bytes(2**20)) for _ in range(100)]\nprint('written')"
    )
    sandbox = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--tmpfs", "/tmp", "/usr/bin/python3", "-c", write]
    for bound, printed in ((1000 * MEGABYTE, "written\n"), (50 * MEGABYTE, "")):
        command = [*memory_bound.command_prefix(bound), *sandbox]
        assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == printed


def test_the_real_prefix_keeps_the_process_and_its_exit_code(real_way):
    started = subprocess.Popen([*memory_bound.command_prefix(), "sh", "-c", "echo $$; exit 7"], stdout=subprocess.PIPE)
    printed = started.communicate()[0]
    assert int(printed) == started.pid
    assert started.returncode == 7


def test_control_groups_are_gone_when_the_grader_has_ended_or_was_killed(real_way):
    if not isinstance(real_way, Path):
        pytest.skip("systemd removes its own control groups here")
    make = "from igteach.course.memory_bound import command_prefix; print(command_prefix()[3]); "
    for ending in ("", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"):
        program = [sys.executable, "-uc", make + ending]
        printed = subprocess.run(program, capture_output=True, text=True, check=False).stdout
        group = Path(printed.strip()).parent
        assert group.parent == real_way
        if ending:
            assert group.exists()
            memory_bound.command_prefix()
        assert not group.exists()
