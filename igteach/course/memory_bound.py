"""A limit on the total memory of a submission's processes, where the system provides one.

`prlimit` bounds each process, and a submission may start many. All of them together are bounded by a control group:
systemd makes one on request, root may make one, and in a container neither may work. It is tried once.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

GIGABYTE = 2**30
MEMORY = 4 * GIGABYTE  # of all processes of a submission, with what it writes to /tmp and /dev/shm
NO_BOUND = (
    "NO LIMIT ON TOTAL MEMORY: neither systemd-run nor control groups work here, so a submission that starts many "
    "processes can use up the machine's memory. Grade in a container with limited memory."
)
SYSTEMD = (
    ["systemd-run", "--user", "--scope", "--quiet", "--collect", "--no-ask-password"],
    ["systemd-run", "--scope", "--quiet", "--collect", "--no-ask-password"],
)
CONTROL_GROUPS = Path("/sys/fs/cgroup")
LIMITS_BY_VERSION = (  # of control groups: the file of the bound, that of swap space, and how much of that
    ("memory.max", "memory.swap.max", "0"),
    ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "{memory}"),  # memory and swap space together
)
ENTER = 'echo $$ > "$0" && exec "$@"'  # by the shell, which then becomes the command
NUMBERS = count()


def command_prefix(memory: int = MEMORY) -> list[str]:
    """The command that starts another one with a bound on memory, counted over it and all that it starts.

    Args:
        memory: The bound in bytes.

    Returns:
        Words to put before the command, which keeps its process id; none where nothing works here. Ask again for each
        submission, as a prefix may belong to one control group.

    Raises:
        OSError: Control groups worked when they were tried, but no longer do.
    """
    way = working_way()
    if isinstance(way, Path):
        return _enter(_new_group(way, memory))
    return _with_limit(way, memory) if way else []


@cache
def working_way() -> list[str] | Path | None:
    """How memory is bounded here: each way is tried with a command that does nothing.

    Returns:
        systemd's command, or the folder in which control groups can be made; None where nothing works. It is found
        out once, and remembered.
    """
    for command in SYSTEMD:
        if shutil.which(command[0]) and _runs(_with_limit(command, MEMORY)):
            return command
    for parent in _parents():
        try:
            group = _new_group(parent, MEMORY)
        except OSError:
            continue
        works = _runs(_enter(group))
        _remove(group)
        if works:
            return parent
    return None


def _with_limit(systemd_run: list[str], memory: int) -> list[str]:
    return [*systemd_run, "-p", f"MemoryMax={memory}", "-p", "MemorySwapMax=0", "--"]


def _enter(group: Path) -> list[str]:
    return ["sh", "-c", ENTER, str(group / "cgroup.procs")]


def _runs(prefix: list[str]) -> bool:
    """Whether a command can be started so."""
    try:
        return subprocess.run([*prefix, "true"], capture_output=True, check=False, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _parents() -> Iterator[Path]:
    """Where a control group might be made: in our own or at the root, of version 2, then of version 1."""
    for line in _own_groups():
        _, controllers, own = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = CONTROL_GROUPS / controllers
        yield from dict.fromkeys((root / own.lstrip("/"), root))


def _own_groups() -> list[str]:
    """The lines of /proc/self/cgroup, that of version 2 first."""
    try:
        return sorted(Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines())
    except OSError:
        return []


def _new_group(parent: Path, memory: int) -> Path:
    """Make a control group with this bound; it is removed when this program ends.

    Raises:
        OSError: It cannot be made there, or has no bound on memory.
    """
    _remove_left_groups(parent)
    group = parent / f"igteach-{os.getpid()}-{next(NUMBERS)}"
    group.mkdir()
    atexit.register(_remove, group)
    for limit, swap_limit, swap in LIMITS_BY_VERSION:
        if (group / limit).exists():
            (group / limit).write_text(str(memory), encoding="ascii")
            if (group / swap_limit).exists():  # not where the kernel does not count it
                (group / swap_limit).write_text(swap.format(memory=memory), encoding="ascii")
            return group
    _remove(group)
    raise FileNotFoundError(f"{parent} gives no bound on memory")


def _remove_left_groups(parent: Path) -> None:
    """Remove the groups of programs that were killed."""
    for group in parent.glob("igteach-*-*"):
        if not Path("/proc", group.name.split("-")[1]).exists():
            _remove(group)


def _remove(group: Path) -> None:
    """Remove a control group; one in which a process still runs stays."""
    with contextlib.suppress(OSError):
        group.rmdir()
