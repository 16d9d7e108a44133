"""Everything public says what it takes, gives and raises, with an example that runs."""

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import pytest

import igteach

PUBLIC = [
    "igteach",
    "igteach.axioms",
    "igteach.core.groups",
    "igteach.datasets",
    "igteach.evaluate",
    "igteach.exercises",
    "igteach.explore",
    "igteach.methods.baselines",
    "igteach.methods.captum_methods",
    "igteach.show",
    *(
        f"igteach.models.{name}"
        for name in ("digits", "image_classifiers", "imagenet", "language", "patients", "scenes", "text")
    ),
]
MODULES = [
    module.name for module in pkgutil.walk_packages(igteach.__path__, "igteach.") if "__main__" not in module.name
]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public_members(module: ModuleType) -> dict[str, object]:
    """What `__all__` lists, or else the functions and classes that the module itself defines."""
    names = getattr(module, "__all__", None) or [
        name
        for name, member in vars(module).items()
        if getattr(member, "__module__", None) == module.__name__ and not name.startswith("_")
    ]
    members = {name: getattr(module, name) for name in names}
    return {name: member for name, member in members.items() if inspect.isfunction(member) or inspect.isclass(member)}


MEMBERS = {}
for module_name in PUBLIC:
    for name, member in public_members(importlib.import_module(module_name)).items():
        MEMBERS.setdefault(member, f"{module_name}.{name}")
FUNCTIONS = [pytest.param(one, id=name) for one, name in MEMBERS.items() if inspect.isfunction(one)]
CLASSES = [pytest.param(one, id=name) for one, name in MEMBERS.items() if inspect.isclass(one)]


def section(doc: str, title: str) -> str:
    """The text of a section such as `Args:`, or nothing."""
    found = re.search(rf"^{title}:\n((?:(?:    .*)?\n?)+)", inspect.cleandoc(doc), re.MULTILINE)
    return found.group(1) if found else ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_public_function_documents_its_arguments_its_result_and_an_example(function):
    doc = function.__doc__ or ""
    signature = inspect.signature(function)
    described = set(re.findall(r"^    \*{0,2}(\w+)(?:, \*{0,2}(\w+))*", section(doc, "Args"), re.MULTILINE))
    described = {name for names in described for name in names if name}
    assert set(signature.parameters) - described == set()
    if signature.return_annotation not in (None, "None"):
        assert section(doc, "Returns") or section(doc, "Yields")
    assert ">>> " in doc


@pytest.mark.parametrize("kind", CLASSES)
def test_a_public_class_documents_its_fields_where_help_shows_them(kind):
    doc = kind.__doc__ or ""
    assert len(doc) > 20
    assert not doc.startswith(f"{kind.__name__}("), "that is what dataclass makes by itself"
    if dataclasses.is_dataclass(kind):
        text = section(doc, "Attributes")
        assert [
            field.name
            for field in dataclasses.fields(kind)
            if not re.search(rf"^    .*\b{field.name}\b.*:", text, re.M)
        ] == []


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run_and_give_what_they_say(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=OPTIONS)
    assert results.failed == 0
