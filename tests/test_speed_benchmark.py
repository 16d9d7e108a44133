"""The benchmark runs, in its quick mode, and reports every figure with its goal."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "speed.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    command = [sys.executable, str(SCRIPT), "--quick", "--out", str(folder)]
    env = {**os.environ, "IGTEACH_DEVICE": "cpu"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout, folder


def test_the_report_has_each_model_with_figures_goals_and_the_machine(run):
    report = json.loads((run[1] / "cpu.json").read_text())
    assert set(report["models"]) == {"digits CNN", "scenes CNN"}
    assert report["machine"]["cores"] >= 1
    assert "host" not in json.dumps(report).lower()
    for model in report["models"].values():
        assert {goal["figure"].partition(" (")[0] for goal in model["goals"]} >= {
            "equal steps / default",
            "equal steps / tuned",
            "memory / default, 50 steps",
        }
        for goal in model["goals"]:
            assert goal["met"] == (goal["value"] <= goal["goal"])
            assert 0 < goal["value"] < math.inf


def test_the_table_says_met_or_missed_of_each(run):
    lines = [line for line in run[0].splitlines() if " goal " in line]
    report = json.loads((run[1] / "cpu.json").read_text())
    assert len(lines) == 1 + sum(len(model["goals"]) for model in report["models"].values())
    assert all(line.endswith(("  met", "  MISSED")) for line in lines)


def test_the_plot_is_drawn_with_a_slope_for_each_thing_that_grows(run):
    assert (run[1] / "cpu.png").read_bytes().startswith(b"\x89PNG")
    growth = json.loads((run[1] / "cpu.json").read_text())["growth"]
    assert set(growth) == {"steps", "pictures", "side", "classes"}
    assert all(math.isfinite(part["slope"]) for part in growth.values())


def test_the_page_has_a_row_for_each_figure(run):
    report = json.loads((run[1] / "cpu.json").read_text())
    rows = [line for line in (run[1] / "README.md").read_text().splitlines() if line.endswith(("met |", "missed** |"))]
    assert len(rows) == 1 + sum(len(model["goals"]) for model in report["models"].values())
