"""Which room may import which: a room imports from floors below its own, and `core` from nobody."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "igteach"
FLOORS = (
    {"core", "datasets", "lessons"},
    {"models", "axioms"},
    {"methods"},
    {"evaluate", "show"},
    {"explore", "exercises", "training", "reports"},
    {"course"},
    {"__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS, start=1) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def names_of(path: Path) -> list[str]:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return [*parts[:-1]] if parts[-1] == "__init__" else [*parts]


def is_module(name: str) -> bool:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def imports_of(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, str, str | None]]:
    """Line, module and name of each import of igteach, also inside functions; the name is None for `import`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (
                (node.lineno, alias.name, None) for alias in node.names if alias.name.split(".")[0] == "igteach"
            )
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            if module.split(".")[0] == "igteach":
                for alias in node.names:
                    inner = f"{module}.{alias.name}"
                    yield (node.lineno, inner, None) if is_module(inner) else (node.lineno, module, alias.name)


def private_attributes(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, str]]:
    """Line and text of each `module._name` of an imported module of igteach."""
    modules = {imported.split(".")[-1] for _, imported, name in imports_of(tree, package) if name is None}
    accesses = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    for node in accesses:
        private = node.attr.startswith("_") and not node.attr.startswith("__")
        if private and node.value.id in modules:
            yield node.lineno, f"{node.value.id}.{node.attr}"


def faults(source: str, module: list[str]) -> Iterator[str]:
    """What is wrong with the imports of one module, one line each."""
    where, room = ".".join(module), module[1]
    package = module[:-1]
    tree = ast.parse(source)
    for line, text in private_attributes(tree, package):
        yield f"{where}:{line} uses {text}, which is private"
    for line, imported, name in imports_of(tree, package):
        parts = imported.split(".")
        if len(parts) == 1:
            yield f"{where}:{line} imports the facade"
            continue
        if name and name.startswith("_") and imported != where:
            yield f"{where}:{line} imports {name} of {imported}, which is private"
        if parts[1] == room:
            continue
        if room == "core":
            yield f"{where}:{line} imports {imported}, and core imports nothing of igteach"
        elif FLOOR.get(parts[1], 99) >= FLOOR[room]:
            yield f"{where}:{line} on floor {FLOOR[room]} imports {imported} on floor {FLOOR.get(parts[1], 99)}"


def test_every_module_stands_in_a_room_of_the_plan():
    assert {names_of(path)[1] for path in MODULES} <= set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: ".".join(names_of(path)[1:]))
def test_a_module_imports_from_floors_below_and_nothing_private(path):
    module = names_of(path)
    if path.name == "__init__.py":
        module.append("__init__")
    assert list(faults(path.read_text(encoding="utf-8"), module)) == []


@pytest.mark.parametrize(
    ("source", "module", "fault"),
    [
        ("from igteach.methods.exact import exact", "igteach.core.paths", "core imports nothing"),
        ("def f():\n    import igteach.show.text", "igteach.methods.exact", "on floor 3 imports igteach.show"),
        ("from igteach.models import digits", "igteach.axioms.cases", "on floor 2 imports igteach.models.digits"),
        ("from igteach.core.paths import _private", "igteach.methods.exact", "which is private"),
        ("from igteach.core import paths\npaths._private()", "igteach.methods.exact", "uses paths._private"),
        ("import igteach", "igteach.course.grade", "imports the facade"),
        ("from igteach import gradient", "igteach.course.grade", "imports the facade"),
        ("from ..show import text", "igteach.methods.exact", "on floor 3 imports igteach.show"),
    ],
)
def test_each_kind_of_wrong_import_is_found(source, module, fault):
    (found,) = faults(source, module.split("."))
    assert fault in found
