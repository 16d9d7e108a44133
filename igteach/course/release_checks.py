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

NBVAL = ["--nbval", "--nbval-cell-timeout=300", "--nbval-sanitize-with=tests/nbval.cfg"]
TWO_WORKERS = ["--numprocesses=2"]  # more would slow the lessons' kernels down
LINT = [["ruff", "check", "--quiet"], ["ruff", "format", "--check", "--quiet"], ["mypy", "--no-error-summary"]]
UNIT_TESTS = ["pytest", "--quiet", *TWO_WORKERS, "--dist=loadscope", "tests", "notebooks/solved", *NBVAL]
LONG_TESTS = ["pytest", "-m", "long", *TWO_WORKERS, "--dist=loadgroup", "--durations=15", "tests"]
CHECKED = "docs/checked.md"
HEAD = """\
# What was checked, and when

Written by `make release`, which installs a fresh clone and runs every check in it in full, with no sampling.

"""


def test(clone: Path) -> int:
    """Lint, types, unit tests and every solved notebook; the exit code of the first that fails, or 0."""
    return next((code for command in [*LINT, UNIT_TESTS] if (code := run(command, clone))), 0)


def ci(clone: Path) -> int:
    """The tests, then the long ones, with samples of what is large; the exit code of the first that fails, or 0."""
    return test(clone) or run(LONG_TESTS, clone)


def run(command: list[str], clone: Path) -> int:
    """Run a module of this Python in the clone; its exit code."""
    print("+", *command, flush=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=clone, check=False).returncode


@dataclass(frozen=True)
class Result:
    """What one step of a release said.

    Attributes:
        step: What was done, as a command.
        summary: Its last line with a count, or its last line.
        seconds: How long it took.
        code: Its exit code.
    """

    step: str
    summary: str
    seconds: float
    code: int


def release(clone: Path) -> int:
    """Install a fresh clone of the commit that is checked out, run all of the checks in it, and write docs/checked.md.

    Args:
        clone: The repository; what is not committed in it is not checked.

    Returns:
        0 where every step passed, else 1.
    """
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "igteach"
        subprocess.run(["git", "clone", "--quiet", str(clone), str(fresh)], check=True)
        python = str(fresh / ".venv" / "bin" / "python")
        steps = [
            ["make", "dev"],
            *([python, "-m", *command] for command in [*LINT, UNIT_TESTS]),
            [python, "-m", *LONG_TESTS, "--whole"],
        ]
        results = [run_timed(step, fresh) for step in steps]
    text = HEAD + table(results, commit_of(clone), date.today())
    (clone / CHECKED).write_text(text, encoding="utf-8", newline="\n")
    print(f"release: see {CHECKED}")
    return int(any(result.code for result in results))


def run_timed(command: list[str], folder: Path) -> Result:
    """Run a step, show its output, and keep its summary."""
    words = " ".join(Path(word).name if word.startswith("/") else word for word in command)
    print("+", words, flush=True)
    start, lines = time.monotonic(), list[str]()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line.strip())
    code = process.wait()
    return Result(words, summary_line(lines), time.monotonic() - start, code)


def summary_line(lines: list[str]) -> str:
    """The last line with a count of tests, or the last line that says anything."""
    spoken = [line.strip("= ") for line in lines if line.strip("= ")]
    counts = [line for line in spoken if re.search(r"\d+ (passed|failed|error)", line)]
    return (counts or spoken or ["no output"])[-1]


def table(results: list[Result], commit: str, day: date) -> str:
    """The results of a release in Markdown."""
    head = f"Commit {commit}, {day.isoformat()}, {platform.system()} {platform.machine()}, Python "
    head += f"{platform.python_version()}.\n\n| step | result | minutes |\n|---|---|---|\n"
    rows = []
    for result in results:
        outcome = "passed" if result.code == 0 else "FAILED"
        rows.append(f"| `{result.step}` | {outcome}: {result.summary} | {result.seconds / 60:.1f} |")
    return head + "\n".join(rows) + "\n"


def commit_of(clone: Path) -> str:
    """The short name of the commit that is checked out."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout.strip()
