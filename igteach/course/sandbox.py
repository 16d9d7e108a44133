"""The sandbox that submissions run in: no network, a read-only system, one notebook, its hidden cases, and limits.

The solutions are not in it. It is bubblewrap (`bwrap`) around the Jupyter kernel, with the limits of `prlimit`. Where
bubblewrap does not work, kernels run without it, and grading says so loudly.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from igteach.course import memory_bound
from igteach.exercises.graded import CASES_VARIABLE
from igteach.models import smollm2

MEGABYTE = 2**20
LIMITS = {  # of each process, beside those on memory
    "fsize": 50 * MEGABYTE,  # of a single file
    "nproc": 256,  # has no effect for root
}
WRITABLE_FOLDERS = {"/dev/shm": 50 * MEGABYTE, "/tmp": 200 * MEGABYTE}  # empty at the start, gone at the end
SYSTEM_PATHS = (
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/etc/passwd",
    "/sys/devices/system/cpu",
)
PASSED_VARIABLES = ("LANG", "IGTEACH_DEVICE")
SUBMISSION_FOLDER = "/submission"  # the kernel's working directory, with the notebook in it
CASES_FOLDER = "/cases"
MODELS_FOLDER = "/models"  # with the language model in it, if it is on this machine
PACKAGE = Path(__file__).resolve().parents[1]
RIGHT_ANSWERS = ("exercises/solutions", "notebooks")  # folders of the package that the kernel finds empty
NO_SANDBOX = (
    "NO SANDBOX: bubblewrap does not work here, so submissions run with your rights, your files and your network."
)


@cache
def available() -> bool:
    """Whether bubblewrap is installed and may create its namespaces.

    Returns:
        True if kernels run in the sandbox. It is tried once, and remembered.
    """
    if not shutil.which("bwrap") or not shutil.which("prlimit"):
        return False
    command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class SandboxedKernelManager(AsyncKernelManager):
    """Starts a kernel in the sandbox; the grader stays outside and talks to it through Unix sockets.

    Attributes:
        memory: What all processes of the kernel may take, in bytes; it is set before the kernel starts.
    """

    memory = memory_bound.MEMORY
    _notebook_folder: Path | None = None
    _cases_folder: Path | None = None

    def __init__(self, **kwargs: Any) -> None:
        if available():
            kwargs["transport"] = "ipc"  # sockets in the file system, because the sandbox cuts off the network
        super().__init__(**kwargs)
        if self.kernel_spec:
            self.kernel_spec.interrupt_mode = "message"  # a signal would end the whole sandbox

    def show(self, notebook_folder: Path, cases_folder: Path) -> None:
        """Let the kernel read two folders; without this it works in an empty one, and grades nothing.

        Args:
            notebook_folder: The folder that it works in.
            cases_folder: The folder of hidden cases.
        """
        self._notebook_folder, self._cases_folder = notebook_folder, cases_folder
        if self.kernel_spec and not available():
            self.kernel_spec.env[CASES_VARIABLE] = str(cases_folder)

    def start_kernel(self, **kwargs: Any) -> Any:
        """Start the kernel, whose own stdout and stderr go nowhere: the grader's log is not for it to write.

        Args:
            **kwargs: What jupyter_client starts it with.

        Returns:
            What jupyter_client waits for.
        """
        return super().start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        command = super().format_kernel_cmd(extra_arguments)
        if available():
            socket_folder = Path(self.connection_file).parent.resolve()
            folders = {SUBMISSION_FOLDER: self._notebook_folder, CASES_FOLDER: self._cases_folder}
            boxed = [*_bwrap(socket_folder, folders), *_prlimit(self.memory), *_with_resolved_python(command)]
            return [*memory_bound.command_prefix(self.memory), *boxed]
        if shutil.which("prlimit"):
            return [*_prlimit(self.memory), *command]
        return command


def _prlimit(memory: int) -> list[str]:
    """The command that starts another one with LIMITS, and most of this memory; PyTorch reserves far more addresses."""
    limits = {**LIMITS, "data": 3 * memory // 4, "as": 2 * memory}
    return ["prlimit", *(f"--{name}={limit}" for name, limit in limits.items()), "--"]


def _bwrap(socket_folder: Path, folders: dict[str, Path | None]) -> list[str]:
    """The command that starts another one in the sandbox. Later options are laid over earlier ones.

    bubblewrap itself starts without the grader's variables, because /proc shows them inside.
    """
    command = [
        "env",
        "-i",
        str(shutil.which("bwrap")),
        "--unshare-all",
        "--cap-drop",
        "ALL",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
    ]
    command += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"]
    for folder, size in WRITABLE_FOLDERS.items():
        command += ["--size", str(size), "--tmpfs", folder]
    for path in _readable_paths():
        command += ["--ro-bind", str(path.resolve()), str(path)]
    if model := smollm2.find():
        command += ["--ro-bind", str(model.resolve()), f"{MODELS_FOLDER}/{smollm2.FOLDER}"]
    for path in _folders_of_right_answers():
        command += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for place, shown in folders.items():
        command += ["--ro-bind", str(shown.resolve()), place] if shown else ["--dir", place]
    command += ["--bind", str(socket_folder), str(socket_folder)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SUBMISSION_FOLDER]
    for name, value in _environment().items():
        command += ["--setenv", name, value]
    return [*command, "--"]


def _readable_paths() -> list[Path]:
    """What the kernel may read beside its submission and the language model: the system, Python and igteach."""
    paths = [Path(path) for path in SYSTEM_PATHS]
    paths += [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), PACKAGE, PACKAGE.parent / "data"]
    return [path for path in paths if path.exists()]


def _folders_of_right_answers() -> list[Path]:
    """RIGHT_ANSWERS of this package, and of any other copy that the kernel's Python might import."""
    copies = {PACKAGE, *(Path(folder).resolve() / "igteach" for folder in sys.path)}
    places = [copy / folder for copy in sorted(copies) for folder in RIGHT_ANSWERS]
    readable = [path.resolve() for path in _readable_paths()]
    return [place for place in places if place.is_dir() and any(place.is_relative_to(path) for path in readable)]


def _environment() -> dict[str, str]:
    """The environment variables of the kernel, which inherits none of the grader's."""
    passed = {name: os.environ[name] for name in PASSED_VARIABLES if os.environ.get(name)}
    fixed = {
        "HOME": "/tmp",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(PACKAGE.parent),
        "OMP_NUM_THREADS": "1",
        "MPLCONFIGDIR": "/tmp",
        "HF_HUB_OFFLINE": "1",
        "IGTEACH_MODELS": MODELS_FOLDER,
        CASES_VARIABLE: CASES_FOLDER,
    }
    return {**passed, **fixed}


def _with_resolved_python(command: list[str]) -> list[str]:
    """The command with the path of Python as the sandbox has it: without symbolic links in its environment's folder."""
    python = Path(command[0])
    if python.is_relative_to(sys.prefix):
        resolved = Path(sys.prefix).resolve() / python.relative_to(sys.prefix)
        return [str(resolved), *command[1:]]
    return command
