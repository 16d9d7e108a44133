"""The samples that `make ci` takes of what is large."""

import re
import runpy
import subprocess
import sys
from datetime import date
from pathlib import Path

from hypothesis import settings

TIERS = runpy.run_path(str(Path(__file__).with_name("tiers.py")))


def test_a_week_always_draws_the_same_and_the_weeks_of_a_year_draw_everything():
    cases = list(range(25))
    weeks = [TIERS["sample"](cases, 12, f"2026-W{week:02d}") for week in range(1, 53)]
    assert weeks[0] == TIERS["sample"](cases, 12, "2026-W01")
    assert all(len(week) == 12 and week == sorted(week) for week in weeks)
    assert set().union(*weeks) == set(cases)
    assert weeks[0] != weeks[1]


def test_only_sampled_cases_are_left_out():
    names = [("a", 2), ("b", None), ("a", 2), ("a", 2), ("c", 5)]
    out = TIERS["left_out"](names, "2026-W48")
    assert len(out) == 1
    assert out < {0, 2, 3}
    assert TIERS["left_out"]([("a", 0), ("b", None)], "2026-W48") == {0}


def test_the_seed_is_the_week():
    assert TIERS["this_week"](date(2026, 11, 28)) == "2026-W48"
    assert TIERS["this_week"](date(2027, 1, 1)) == "2026-W53"


def test_modules_share_a_worker_all_with_a_browser_one_and_lessons_run_anywhere():
    group_of = TIERS["group_of"]
    assert group_of("tests/course/test_class.py::test_a[01]") == group_of("tests/course/test_class.py::test_b")
    assert group_of("tests/browser/test_lab.py::test_a") == group_of("tests/browser/test_book.py::test_b")
    assert group_of("tests/browser/test_lab.py::test_a") != group_of("tests/course/test_class.py::test_b")
    assert group_of("tests/repository/test_wheel.py::test_a") != group_of("tests/repository/test_pythons.py::test_a")
    lesson = "tests/lessons/test_long.py::test_a"
    assert group_of(f"{lesson}[01]") != group_of(f"{lesson}[02]")


def test_workers_keep_a_group_together():
    files = ["tests/test_tiers.py", "tests/core/test_devices.py", "tests/core/test_quadrature.py"]
    command = [sys.executable, "-m", "pytest", "-v", "-n2", "--dist=loadgroup", "-p", "no:cacheprovider", *files]
    command += ["--deselect", "tests/test_tiers.py::test_workers_keep_a_group_together"]
    root = Path(__file__).parents[1]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    ran = set(re.findall(r"\[(gw\d)\] .* PASSED (\S+?)::", shown))
    assert {file for _, file in ran} == set(files)
    assert len(ran) == len(files), "a module ran in both workers"


def test_a_failure_is_shown_before_the_run_ends(tmp_path):
    root = Path(__file__).parents[1]
    (tmp_path / "test_one.py").write_text("def test_a():\n    assert 1 == 2, 'told at once'\n")
    command = [sys.executable, "-m", "pytest", "-n2", "-p", "no:cacheprovider", "-c", root / "pyproject.toml"]
    command += ["-p", "conftest", tmp_path / "test_one.py"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    at_once, end = shown.index("::test_a failed:"), shown.index("= FAILURES =")
    assert at_once < shown.index("told at once") < end


def test_drawn_cases_may_take_their_time():
    assert settings().deadline is None
