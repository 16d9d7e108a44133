"""What holds for every test and for every kernel that a test starts: no network but loopback, no screen, one thread.

It also says which tests run when: see tests/tiers.py.
"""

import os
import runpy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent / "tests"
OFFLINE = str(TESTS / "offline")
TIERS = runpy.run_path(str(TESTS / "tiers.py"))

os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers on two cores
os.environ["HF_HUB_OFFLINE"] = "1"

runpy.run_path(f"{OFFLINE}/sitecustomize.py")

settings.register_profile("igteach", deadline=None)  # a slow machine is no fault
settings.load_profile("igteach")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="take every case of the tests that are otherwise sampled")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FailuresAtOnce(config))


class FailuresAtOnce:
    """Shows the end of a failure when it happens: of a run that is cut off, pytest would show none."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal:
            terminal.write_line(f"\n{report.nodeid} failed:\n{report.longreprtext[-2000:]}")


def pytest_report_header(config: pytest.Config) -> str:
    return "samples: none, all cases run" if config.getoption("--whole") else f"samples: drawn for {seed()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    of_language = [item for item in items if item.path.match("13_*.ipynb")]
    if of_language and not has_smollm2():
        for item in of_language:
            item.add_marker(pytest.mark.skip(reason="SmolLM2 is not on this machine; run: igteach fetch"))
    if config.getoption("--whole"):
        return
    marks = [(item.nodeid.partition("[")[0], item.get_closest_marker("sampled")) for item in items]
    out = TIERS["left_out"]([(name, mark.args[0] if mark else None) for name, mark in marks], seed())
    config.hook.pytest_deselected(items=[item for place, item in enumerate(items) if place in out])
    items[:] = [item for place, item in enumerate(items) if place not in out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With --dist=loadgroup, groups of our own: xdist 3.8 finds no group under pytest 9.2, and says nothing."""
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return TIERS["group_of"](nodeid)

    return ByGroup(config, log)


def has_smollm2() -> bool:
    """Whether the model is there, whose outputs lesson 13 stores; without it a small one stands in."""
    from igteach.models import smollm2

    return smollm2.find() is not None


def seed() -> str:
    """What the samples depend on: IGTEACH_SAMPLES, or the week."""
    return os.environ.get("IGTEACH_SAMPLES") or TIERS["this_week"](date.today())
