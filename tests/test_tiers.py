"""The samples that `make ci` takes of what is large."""

import runpy
from datetime import date
from pathlib import Path

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


def test_the_seed_is_the_week():
    assert TIERS["this_week"](date(2026, 11, 28)) == "2026-W48"
    assert TIERS["this_week"](date(2027, 1, 1)) == "2026-W53"
