"""The benchmark runs, in its quick mode, and reports every goal with its ratio."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from report import goals_of, row, section
from speed import needed, percentile, slope

SCRIPT = Path(__file__).with_name("speed.py")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    command = [sys.executable, str(SCRIPT), "--quick", "--out", str(folder)]
    env = {**os.environ, "IGTEACH_DEVICE": "cpu"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout, folder


@pytest.fixture(scope="module")
def report(run):
    return json.loads((run[1] / "cpu.json").read_text())


@pytest.mark.long
@pytest.mark.sampled(0)
def test_the_report_has_each_network_with_its_goals_and_the_machine(report):
    assert set(report["families"]) == {"digits CNN", "scenes CNN"}
    assert report["machine"]["cores"] >= 1
    assert "host" not in json.dumps(report).lower()
    for name, part in report["families"].items():
        goals = goals_of(name, part)
        to_quality = ["gradients to 5%", "time to 5% / Captum's default", "time to 5% / Captum tuned"]
        assert [goal.figure for goal in goals] == [*to_quality * (name == "scenes CNN"), "equal steps / bare passes"]
        assert all(0 < goal.value < math.inf for goal in goals)
        assert all(goal.low <= goal.value <= goal.high for goal in goals if goal.low is not None)
        assert min(part["MiB"].values()) >= 0


@pytest.mark.long
@pytest.mark.sampled(0)
def test_errors_fall_with_the_gradients_spent(report):
    for part in report["families"].values():
        for errors in part["errors"].values():
            assert len(errors) == len(part["gradients"])
            assert errors[-1] < errors[0]


@pytest.mark.long
@pytest.mark.sampled(0)
def test_what_is_printed_says_met_or_missed_of_each_goal(run, report):
    lines = [line for line in run[0].splitlines() if " goal " in line]
    assert len(lines) == sum(len(goals_of(*each)) for each in report["families"].items())
    assert all(line.endswith(("  met", "  MISSED")) for line in lines)


@pytest.mark.long
@pytest.mark.sampled(0)
def test_the_plot_is_drawn_and_the_page_shows_it(run, report):
    assert (run[1] / "cpu.png").read_bytes().startswith(b"\x89PNG")
    assert "(cpu.png)" in (run[1] / "README.md").read_text()
    assert set(report["growth"]) == {"gradients", "examples", "side", "classes"}
    assert all(map(math.isfinite, report["growth"].values()))


@pytest.mark.long
@pytest.mark.sampled(0)
def test_the_page_has_a_row_for_each_network_and_each_goal(run, report):
    lines = (run[1] / "README.md").read_text().splitlines()
    for name, part in report["families"].items():
        assert sum(line.startswith(f"| {name} (2, 2) |") for line in lines) == 1
        for goal in goals_of(name, part):
            (line,) = (line for line in lines if line.startswith(f"| {name} | {goal.figure} |"))
            assert (" met |" in line) == goal.is_met
            assert ("**missed**: " in line) != goal.is_met


@pytest.mark.long
@pytest.mark.sampled(0)
def test_where_no_fixed_rule_gets_there_nothing_is_compared_and_the_page_says_so(report):
    part = report["families"]["scenes CNN"]
    nowhere = part | {"needed": part["needed"] | {"equal steps": None, "Gauss-Legendre": None}}
    figures = [goal.figure for goal in goals_of("scenes CNN", nowhere)]
    assert figures == ["equal steps / bare passes"]
    assert "| at most " in row("scenes CNN", nowhere)
    lines = section("cpu", report | {"families": {"scenes CNN": nowhere}})
    assert any("scenes CNN, gradients and time to 5%: no fixed rule is there by" in line for line in lines)


def test_gradients_needed_are_read_off_where_the_error_stays_below():
    assert needed([8, 16, 32], [0.04, 0.03, 0.01]) == 8
    assert needed([8, 16, 32], [0.04, 0.1, 0.025]) == pytest.approx(16 * 2**0.5)
    assert needed([8, 16, 32], [0.4, 0.1, 0.06]) == math.inf


def test_the_percentile_is_the_ninth_of_ten_and_slopes_are_exponents():
    assert percentile([*range(10, 0, -1)]) == 9
    assert slope({k: 3.0 * k**2 for k in (1, 2, 4)}) == pytest.approx(2)
