"""The API pages of the web book, made by Sphinx from the docstrings."""

import re
from pathlib import Path
from typing import Any

PAGES = {  # file: title, names of the facade, and modules whose public names all appear on the page
    "api_answers": (
        "Results, and model wrappers",
        ["Attribution", "logit", "probability", "toy", "device"],
        ["igteach.core.groups"],
    ),
    "api_methods": (
        "Attribution methods",
        [
            "integrated_gradients",
            "path_gradients",
            "exact_integrated_gradients",
            "expected_gradients",
            "average_integrated_gradients",
            "gradient",
            "gradient_times_input",
            "smoothgrad",
            "guided_integrated_gradients",
            "layer_integrated_gradients",
            "neuron_conductance",
            "token_attribution",
            "tree_integrated_gradients",
            "tree_shapley_values",
            "shapley_values",
            "sum_attributions",
        ],
        ["igteach.methods.heads"],
    ),
    "api_baselines": ("Baselines", [], ["igteach.methods.baselines"]),
    "api_captum": ("Captum's methods, with this signature", [], ["igteach.methods.captum_methods"]),
    "api_axioms": ("Axioms as checks", [], ["igteach.axioms"]),
    "api_evaluate": ("Does an attribution tell the truth?", [], ["igteach.evaluate"]),
    "api_show": ("Figures", [], ["igteach.show"]),
    "api_reports": ("Reports", ["write_report"], []),
    "api_explore": ("Explorers", [], ["igteach.explore"]),
    "api_data": ("Data", [], ["igteach.datasets"]),
    "api_exercises": ("Exercises", ["exercises.check", "exercises.hint", "exercises.progress"], []),
}


def write_api_pages(folder: Path) -> str:
    """Write a page for each of PAGES, and the first page of the reference, `api.md`.

    Args:
        folder: Where Sphinx finds its sources.

    Returns:
        The name of the first page, as a table of contents takes it.
    """
    for file, (title, names, modules) in PAGES.items():
        (folder / f"{file}.md").write_text(_page(title, names, modules), encoding="utf-8")
    contents = "\n".join(PAGES)
    head = "# The package\n\nWhat `import igteach` provides, by topic.\n"
    (folder / "api.md").write_text(f"{head}\n```{{toctree}}\n:maxdepth: 1\n\n{contents}\n```\n", encoding="utf-8")
    return "api"


def _page(title: str, names: list[str], modules: list[str]) -> str:
    directives = [_directive(name) for name in names] + [_module_directive(module) for module in modules]
    body = "\n\n".join(directives)
    return f"# {title}\n\n```{{eval-rst}}\n{body}\n```\n"


def _directive(name: str) -> str:
    if name[0].isupper():
        return f".. autoclass:: igteach.{name}\n   :members:"
    return f".. autofunction:: igteach.{name}"


def _module_directive(module: str) -> str:
    directive = f".. automodule:: {module}\n   :members:"
    if module.count(".") == 1:  # a subpackage, which lists the names that it takes from its modules
        directive += "\n   :imported-members:"
    return directive


def escape_markup(app: Any, what: str, name: str, member: object, options: object, lines: list[str]) -> None:
    """Sphinx's `autodoc-process-docstring`, for what Sphinx and napoleon would take for markup.

    Stars and bars, as in (N, *features), are escaped, and the initial of a name at the beginning of a line, which would
    number a list. A colon in the first line of Returns becomes a semicolon, because napoleon would read what is before
    it as a type.
    """
    in_example = returns_follow = False
    for number, line in enumerate(lines):
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        if not in_example and not re.match(r"\s*\*{1,2}\w+:", line):  # an argument such as `**options:`
            line = re.sub(r"(?<!\\)([*|])", r"\\\1", line)
            line = re.sub(r"^(\s*)([A-Z]\. )", r"\1\\\2", line)
        if returns_follow:
            line = re.sub(r":(?= |$)", ";", line)
        lines[number] = line
        returns_follow = line.strip() in ("Returns:", "Yields:")


def add_to(app: Any) -> None:
    """Connect the above before napoleon, which reads the sections."""
    app.connect("autodoc-process-docstring", escape_markup, priority=400)
