"""The pins serve every Python 3.11, and the floors in pyproject.toml are those that docs/install.md states."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHON_311 = [f"3.11.{patch}" for patch in range(21)]


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def installed(name):
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def refused(requires_python):
    """The versions of Python 3.11 that this leaves out."""
    allowed = SpecifierSet(requires_python or "")
    return [version for version in PYTHON_311 if version not in allowed]


def test_every_pin_that_is_installed_allows_every_python_311():
    offenders, compared = {}, []
    for name, pin in pins().items():
        package = installed(name)
        if package is None or Version(package.version).public != pin:
            print(f"not compared, as this environment has another version or none: {name}=={pin}")
            continue
        compared.append(name)
        leaves_out = refused(package.metadata.get("Requires-Python"))
        if leaves_out:
            offenders[f"{name}=={pin}"] = f"leaves out Python {leaves_out[0]} to {leaves_out[-1]}"
    assert offenders == {}
    assert len(compared) > len(pins()) / 2, "most pins are of another environment than this one"


def test_a_pin_that_needs_a_later_patch_is_seen():
    assert refused(">=3.11.5") == ["3.11.0", "3.11.1", "3.11.2", "3.11.3", "3.11.4"]
    assert refused(">=3.9,!=3.11.0") == ["3.11.0"]
    assert refused(None) == refused(">=3.11") == []


def test_each_pin_stands_once():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = [canonicalize_name(line.partition("==")[0]) for line in lines if not line.startswith("#")]
    assert sorted(names) == sorted(set(names))


def test_everything_that_the_extras_name_is_pinned():
    pinned = {canonicalize_name(name) for name in pins()}
    for extra, lines in {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}.items():
        named = {canonicalize_name(Requirement(line).name) for line in lines}
        assert named - pinned - {"igteach"} == set(), extra


def test_the_pins_meet_the_floors():
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["lessons"]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins()[requirement.name]), line


def torch_floor(requirements):
    (torch,) = (Requirement(line) for line in requirements if Requirement(line).name == "torch")
    (floor,) = torch.specifier
    assert floor.operator == ">="
    return floor.version


def test_the_guide_to_installing_states_the_floors_of_pytorch():
    core, lessons = torch_floor(PROJECT["dependencies"]), torch_floor(PROJECT["optional-dependencies"]["lessons"])
    (stated,) = re.findall(r"`torch >= ([\d.]+)` and `numpy >= 1.26`.*`torch >= ([\d.]+)`", INSTALL)
    assert stated == (core, lessons)


def test_the_lessons_ask_for_the_pytorch_that_transformers_needs():
    declared = [Requirement(line) for line in distribution("transformers").requires or []]
    (needed,) = (r for r in declared if r.name == "torch" and r.marker and r.marker.evaluate({"extra": "torch"}))
    assert needed.specifier.contains(torch_floor(PROJECT["optional-dependencies"]["lessons"]))
