"""The checks of the project in three tiers: `test` in minutes, `ci` in an hour, `release` without a limit."""

import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from igteach.lessons.lesson import SECONDS_A_CELL

NBVAL = ["--nbval", f"--nbval-cell-timeout={SECONDS_A_CELL}", "--nbval-sanitize-with=tests/nbval.cfg"]
TWO_WORKERS = ["--numprocesses=2"]  # more would slow the lessons' kernels down
LINT = [["ruff", "check", "--quiet"], ["ruff", "format", "--check", "--quiet"], ["mypy", "--no-error-summary"]]
UNIT_TESTS = ["pytest", "--quiet", *TWO_WORKERS, "--dist=loadscope", "tests", "notebooks/solved", *NBVAL]
LONG_TESTS = ["pytest", "-m", "long", "--verbose", *TWO_WORKERS, "--dist=loadgroup", "--durations=30"]
LONG_FOLDERS = (
    "benchmarks",
    "core",
    "methods",
    "exercises",
    "lessons",
    "models",
    "explore",
    "course",
    "browser",
    "repository",
)  # of tests, in which some are long
CHECKED = "docs/checked.md"
HEAD = """\
# What was checked, and when

Written by `make release`, which installs a fresh clone and runs every check in it in full, with no sampling. Each line
is the last run of its step, with the commit that it ran on.

| step | commit | day | machine | result | minutes |
|---|---|---|---|---|---|
"""
STEPS = {  # name: what is run in the clone, by make or as a module of its Python
    "install": ["make", "dev"],
    **{" ".join(command[:2]) if command[0] == "ruff" else command[0]: command for command in LINT},
    "tests": [*UNIT_TESTS, "--whole"],
    **{folder: [*LONG_TESTS, "--whole", f"tests/{folder}"] for folder in LONG_FOLDERS},
}


def test(clone: Path) -> int:
    """Lint, types, unit tests and every solved notebook; the exit code of the first that fails, or 0."""
    return next((code for command in [*LINT, UNIT_TESTS] if (code := run(command, clone))), 0)


def ci(clone: Path) -> int:
    """The tests, then the long ones, with samples of what is large; the exit code of the first that fails, or 0."""
    return test(clone) or run([*LONG_TESTS, "tests"], clone)


def run(command: list[str], clone: Path) -> int:
    """Run a module of this Python in the clone; its exit code."""
    print("+", *command, flush=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=clone, check=False).returncode


@dataclass(frozen=True)
class Result:
    """What one step of a release said.

    Attributes:
        step: Its name, a key of STEPS.
        summary: Its last line with a count, or its last line.
        seconds: How long it took.
        code: Its exit code.
    """

    step: str
    summary: str
    seconds: float
    code: int


def release(clone: Path, steps: list[str]) -> int:
    """Install a fresh clone of the commit that is checked out, run checks in it, and write each into docs/checked.md.

    A step is written down when it ends, so that an interrupted release keeps what it did.

    Args:
        clone: The repository; what is not committed in it is not checked.
        steps: Names of STEPS, all if empty. The first, which installs, is always run.

    Returns:
        0 if every step passed, else 1.

    Raises:
        ValueError: There is no such step.
    """
    for step in steps:
        if step not in STEPS:
            raise ValueError(f"step is {step!r}; choose from {', '.join(STEPS)}")
    commit, codes = commit_of(clone), []
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "igteach"
        subprocess.run(["git", "clone", "--quiet", str(clone), str(fresh)], check=True)
        for name, command in STEPS.items():
            if name == "install" or not steps or name in steps:
                python = [] if command[0] == "make" else [str(fresh / ".venv" / "bin" / "python"), "-m"]
                result = run_timed(name, [*python, *command], fresh)
                write_down(clone / CHECKED, result, commit, date.today())
                codes.append(result.code)
    print(f"release: see {CHECKED}")
    return int(any(codes))


def run_timed(step: str, command: list[str], folder: Path) -> Result:
    """Run a step, show its output, and keep its summary."""
    print("+", step, flush=True)
    start, lines = time.monotonic(), list[str]()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line.strip())
    code = process.wait()
    return Result(step, summary_line(lines), time.monotonic() - start, code)


def summary_line(lines: list[str]) -> str:
    """The last line with a count of tests, or the last line that says anything; and what is known not to be so yet."""
    spoken = [line.strip("= ") for line in lines if line.strip("= ") and not line.startswith("make")]
    counts = [line for line in spoken if re.search(r"\d+ (passed|failed|error)", line)]
    known = [line for line in spoken if line.startswith("XFAIL ")]
    return "; ".join([(counts or spoken or ["no output"])[-1], *known])


def write_down(file: Path, result: Result, commit: str, day: date) -> None:
    """Put a result into the table of docs/checked.md, in the place of the step's last one."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    outcome = "passed" if result.code == 0 else "FAILED"
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    cells = [f"`{result.step}`", commit, day.isoformat(), machine, f"{outcome}: {result.summary}"]
    rows[result.step] = f"| {' | '.join(cells)} | {result.seconds / 60:.1f} |"
    ordered = [rows[step] for step in STEPS if step in rows]
    file.write_text(HEAD + "\n".join(ordered) + "\n", encoding="utf-8", newline="\n")


def commit_of(clone: Path) -> str:
    """The short name of the commit that is checked out."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout.strip()
