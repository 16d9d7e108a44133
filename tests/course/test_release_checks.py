"""The tiers: a failed step ends them, and a release writes down what was seen."""

from datetime import date

import pytest

from igteach.course import release_checks
from igteach.course.release_checks import Result, ci, run_timed, summary_line, table


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
    assert seen == [*release_checks.LINT, release_checks.UNIT_TESTS, release_checks.LONG_TESTS]


@pytest.mark.parametrize("place", range(4))
def test_the_first_failure_ends_it(commands, tmp_path, place):
    seen, failing = commands
    failing.add(" ".join([*release_checks.LINT, release_checks.UNIT_TESTS][place]))
    assert ci(tmp_path) == 1
    assert len(seen) == place + 1


def test_a_step_keeps_its_count_its_time_and_its_code(tmp_path, capfd):
    result = run_timed(["sh", "-c", "echo '== 3 passed, 1 skipped in 2s =='; echo; exit 3"], tmp_path)
    assert (result.summary, result.code) == ("3 passed, 1 skipped in 2s", 3)
    assert 0 <= result.seconds < 60
    assert "3 passed" in capfd.readouterr().out


def test_without_a_count_the_last_line_counts():
    assert summary_line(["env: making .venv", "env: .venv is ready", ""]) == "env: .venv is ready"
    assert summary_line([]) == "no output"


def test_the_table_names_commit_day_and_what_failed():
    text = table(
        [Result("ruff check", "no output", 6, 0), Result("pytest", "1 failed", 90, 1)], "abc1234", date(2026, 11, 28)
    )
    assert "Commit abc1234, 2026-11-28" in text
    assert "| `ruff check` | passed: no output | 0.1 |" in text
    assert "| `pytest` | FAILED: 1 failed | 1.5 |" in text
