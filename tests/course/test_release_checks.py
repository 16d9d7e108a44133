"""The tiers: a failed step ends them, and a release writes down what was seen."""

from datetime import date
from pathlib import Path

import pytest

from igteach.course import release_checks
from igteach.course.release_checks import Result, ci, release, run_timed, summary_line, write_down


@pytest.fixture
def commands(monkeypatch):
    """The modules that were run; those listed in `failing` fail."""
    seen, failing = [], set()
    monkeypatch.setattr(
        release_checks, "run", lambda command, _: seen.append(command) or int(" ".join(command) in failing)
    )
    return seen, failing


def test_ci_runs_the_tests_and_then_the_long_ones(commands, tmp_path):
    seen, _ = commands
    assert ci(tmp_path) == 0
    assert seen == [*release_checks.LINT, release_checks.UNIT_TESTS, [*release_checks.LONG_TESTS, "tests"]]


@pytest.mark.parametrize("place", range(4))
def test_the_first_failure_ends_it(commands, tmp_path, place):
    seen, failing = commands
    failing.add(" ".join([*release_checks.LINT, release_checks.UNIT_TESTS][place]))
    assert ci(tmp_path) == 1
    assert len(seen) == place + 1


def test_a_step_keeps_its_count_its_time_and_its_code(tmp_path, capfd):
    result = run_timed("tests", ["sh", "-c", "echo '== 3 passed, 1 skipped in 2s =='; echo; exit 3"], tmp_path)
    assert (result.step, result.summary, result.code) == ("tests", "3 passed, 1 skipped in 2s", 3)
    assert 0 <= result.seconds < 60
    assert "3 passed" in capfd.readouterr().out


def test_without_a_count_the_last_line_counts():
    assert summary_line(["env: making .venv", "env: .venv is ready", "make[1]: Leaving"]) == "env: .venv is ready"
    assert summary_line([]) == "no output"


def test_what_is_known_not_to_be_so_yet_is_written_down():
    lines = ["XFAIL tests/a.py::b[worker] - a thread is not watched", "= 9 passed, 1 xfailed in 2s =", ""]
    assert summary_line(lines) == "9 passed, 1 xfailed in 2s; XFAIL tests/a.py::b[worker] - a thread is not watched"


def test_a_step_is_written_in_the_place_of_its_last_run_and_the_others_stay(tmp_path):
    file, day = tmp_path / "checked.md", date(2026, 11, 28)
    write_down(file, Result("course", "1 failed", 90, 1), "abc1234", day)
    write_down(file, Result("install", "ready", 6, 0), "abc1234", day)
    write_down(file, Result("course", "9 passed", 120, 0), "def5678", day)
    rows = [line for line in file.read_text().splitlines() if line.startswith("| `")]
    assert rows[0].startswith("| `install` | abc1234 | 2026-11-28 | ")
    assert rows[0].endswith(" | passed: ready | 0.1 |")
    assert rows[1].startswith("| `course` | def5678 | ")
    assert rows[1].endswith(" | passed: 9 passed | 2.0 |")
    assert len(rows) == 2


def test_a_release_runs_every_folder_in_which_a_test_is_long():
    tests = Path(__file__).parents[1]
    marked = {file.relative_to(tests).parts[0] for file in tests.rglob("test_*.py") if "mark.long" in file.read_text()}
    assert marked == set(release_checks.LONG_FOLDERS)


def test_a_step_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(
        ValueError, match="step is 'longest'; choose from install, ruff check, ruff format, mypy, tests"
    ):
        release(tmp_path, ["longest"])
