"""The API pages show every public name, and docstrings reach them as they are meant."""

import igteach
from igteach.lessons.api_pages import PAGES, escape_markup, write_api_pages

MODULES = {"igteach.core.groups", "igteach.methods.baselines", "igteach.methods.captum_methods", "igteach.datasets"}
MODULES |= {"igteach.methods.heads"} | {f"igteach.{name}" for name in ("axioms", "evaluate", "explore", "show")}


def test_every_name_of_the_facade_stands_on_one_page():
    shown = [name for _, names, _ in PAGES.values() for name in names]
    assert len(shown) == len(set(shown))
    assert {name for name in shown if "." not in name} == {
        name for name in igteach.__all__ if callable(getattr(igteach, name))
    }
    assert {module for _, _, modules in PAGES.values() for module in modules} == MODULES


def test_a_page_asks_sphinx_for_each_of_its_names(tmp_path):
    assert write_api_pages(tmp_path) == "api"
    text = (tmp_path / "api_answers.md").read_text()
    assert ".. autoclass:: igteach.Attribution" in text
    assert ".. autofunction:: igteach.logit" in text
    assert all(page in (tmp_path / "api.md").read_text() for page in PAGES)


def test_stars_and_bars_are_no_markup_but_in_examples():
    lines = ["Maps (N, *features) to |F|.", "    **options: passed on.", ">>> f(*x)", "[1 | 2]", "", "a * b"]
    escape_markup(None, "function", "f", None, None, lines)
    assert lines == [
        "Maps (N, \\*features) to \\|F\\|.",
        "    **options: passed on.",
        ">>> f(*x)",
        "[1 | 2]",
        "",
        "a \\* b",
    ]


def test_an_initial_numbers_no_list():
    lines = ["    E. Hu et al. (2021), LoRA.", "    Hu, E. (2021)", ">>> f()", "A. b"]
    escape_markup(None, "function", "f", None, None, lines)
    assert lines == ["    \\E. Hu et al. (2021), LoRA.", "    Hu, E. (2021)", ">>> f()", "A. b"]


def test_the_first_words_of_a_result_are_not_taken_for_its_type():
    lines = ["Returns:", "    An Attribution: values, and more: this.", "    Then: that."]
    escape_markup(None, "function", "f", None, None, lines)
    assert lines == ["Returns:", "    An Attribution; values, and more; this.", "    Then: that."]
