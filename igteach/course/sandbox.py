"""A kernel in a box: no network, a read-only system, nothing of the course but the submission, limits."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

GIGABYTE = 2**30
LIMITS = {
    "as": 8 * GIGABYTE,  # address space: PyTorch asks for much and uses little
    "data": 3 * GIGABYTE,
    "cpu": 120,  # seconds
    "fsize": 50 * 2**20,  # of one file
    "nproc": 256,  # ignored for root
}
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/passwd", "/sys/devices/system/cpu")
MODELS = ("IGTEACH_MODELS", "TORCH_HOME")  # folders that a lesson may read
KEPT = (*MODELS, "LANG", "IGTEACH_DEVICE")
INSIDE = "/submission"  # where the kernel finds the visible folder, which is its own
NONE = "NO SANDBOX: bubblewrap does not work here, so submissions run with your rights, your files and your network."


@cache
def available() -> bool:
    """Whether bubblewrap is here and may make its namespaces."""
    if not shutil.which("bwrap") or not shutil.which("prlimit"):
        return False
    command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class BoxedKernelManager(AsyncKernelManager):
    """Starts the kernel in the box where there is one; the grader stays outside and talks through Unix sockets.

    visible: the folder that the kernel finds as its own, to read and not to write; None for an empty one.
    """

    visible: Path | None = None

    def __init__(self, **kwargs: Any) -> None:
        if available():
            kwargs["transport"] = "ipc"  # the box has a network of its own, with nothing in it
        super().__init__(**kwargs)
        if self.kernel_spec:
            self.kernel_spec.interrupt_mode = "message"  # a signal would end the box

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        command = super().format_kernel_cmd(extra_arguments)
        if not available():
            return [*_limits(), *command] if shutil.which("prlimit") else command
        return [*_box(Path(self.connection_file).parent.resolve(), self.visible), *_limits(), *_moved(command)]


def _limits() -> list[str]:
    return ["prlimit", *(f"--{name}={limit}" for name, limit in LIMITS.items()), "--"]


def _box(sockets: Path, visible: Path | None) -> list[str]:
    """bubblewrap's command: what is seen, what may be written (a small /tmp and the sockets), which variables."""
    package = Path(__file__).resolve().parents[1]
    places = [*map(Path, SYSTEM), Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), package]
    places += [package.parent / "data", *(Path(os.environ[name]) for name in MODELS if os.environ.get(name))]
    box = ["bwrap", "--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv"]
    box += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
    for writable, megabytes in (("/dev/shm", 50), ("/tmp", 200)):
        box += ["--size", str(megabytes * 2**20), "--tmpfs", writable]
    for place in filter(Path.exists, places):
        box += ["--ro-bind", str(place.resolve()), str(place)]
    box += ["--ro-bind", str(visible.resolve()), INSIDE] if visible else ["--dir", INSIDE]
    box += ["--bind", str(sockets), str(sockets), "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", INSIDE]
    variables = {name: os.environ[name] for name in KEPT if os.environ.get(name)}
    variables |= {"HOME": "/tmp", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(package.parent), "OMP_NUM_THREADS": "1"}
    variables |= {"MPLCONFIGDIR": "/tmp", "HF_HUB_OFFLINE": "1"}
    for name, value in variables.items():
        box += ["--setenv", name, value]
    return [*box, "--"]


def _moved(command: list[str]) -> list[str]:
    """The command with Python where the box has it: its environment's folder without symbolic links."""
    python = Path(command[0])
    if python.is_relative_to(sys.prefix):
        return [str(Path(sys.prefix).resolve() / python.relative_to(sys.prefix)), *command[1:]]
    return command
