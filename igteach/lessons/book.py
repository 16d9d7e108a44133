"""The solved lessons as a web book: static pages that open from a folder, searchable, without a network."""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from igteach.lessons.api_pages import add_to, write_api_pages
from igteach.lessons.files import make_folder
from igteach.lessons.lesson import all_lessons
from igteach.lessons.lesson_map import lesson_map, title_of

SETTINGS: dict[str, Any] = {
    "project": "igteach",
    "html_title": "From gradients to Integrated Gradients",
    "extensions": ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "igteach.lessons.book"],
    "default_role": "code",
    "html_static_path": ["_static"],
    "html_css_files": ["api.css"],
    "autodoc_class_signature": "separated",
    "autodoc_preserve_defaults": True,
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "signature",
    "napoleon_numpy_docstring": False,
    "python_use_unqualified_type_names": True,
    "nb_execution_mode": "off",  # what was executed and compared is what is read
    "nb_merge_streams": True,
    "myst_enable_extensions": ["dollarmath", "html_image"],
    "myst_heading_anchors": 3,
    "suppress_warnings": ["mystnb.unknown_mime_type", "myst.header"],
    "html_theme": "sphinx_book_theme",
    "html_theme_options": {"use_download_button": False, "use_fullscreen_button": False, "show_toc_level": 2},
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "language": "en",
}


FIRST_LOOK = (
    "The camera-man, and Integrated Gradients of the answer tripod: from black on lawn and sky, from the blurred "
    "picture on the tripod."
)


def first_picture() -> Path:
    """The picture of the first page, which docs/first_look.py draws.

    Example:
        >>> first_picture().name
        'first_look.png'
    """
    return all_lessons()[0].source.parents[2] / "docs" / "first_look.png"


def build_book(out: Path) -> Path:
    """Write the book into a folder, in place of an earlier book.

    Args:
        out: The folder. An earlier book stays in it until the new one is complete.

    Returns:
        The book's first page.

    Raises:
        RuntimeError: If Sphinx warns, for example of a broken link, or if a page asks for a file that is not there.
        OSError: If the folder cannot be written.
    """
    fresh = out.with_name(f".{out.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        found = _write_book(fresh)
        if out.exists():
            shutil.rmtree(out)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if found:
        raise RuntimeError(f"the book has {len(found)} faults: {' / '.join(found[:3])}")
    return out / "html" / "index.html"


def _write_book(out: Path) -> list[str]:
    """Write the book into an empty folder; what is wrong with it."""
    from sphinx.application import Sphinx  # here, because this module is an extension that Sphinx loads

    pages, site = out / "pages", out / "html"
    make_folder(pages)
    for lesson in all_lessons():
        shutil.copy(lesson.solved, pages)
    shutil.copy(first_picture(), pages)
    (pages / "index.md").write_text(_front_page(write_api_pages(pages)), encoding="utf-8")
    warnings = out / "warnings.txt"
    with warnings.open("w", encoding="utf-8") as log:
        Sphinx(pages, None, site, out / "doctrees", "html", SETTINGS, status=None, warning=log).build()
    return warnings.read_text(encoding="utf-8").strip().splitlines() + broken(site)


def _front_page(reference: str) -> str:
    lessons = all_lessons()
    table = lesson_map(lessons, None).replace("notebooks/solved/", "")
    contents = "\n".join(f"{title_of(lesson)} <{lesson.name}>" for lesson in lessons)
    head = "# From gradients to Integrated Gradients\n\nA course in notebooks, here solved and to be read. "
    head += f"![{FIRST_LOOK}]({first_picture().name})\n\n"
    head += "To work through it, with exercises that check your answers, take the notebooks themselves.\n\n"
    contents += f"\nThe package <{reference}>"
    table += f"\n\nEvery function, and what it takes: [the package]({reference}.md)."
    return f"{head}{table}\n\n```{{toctree}}\n:hidden:\n\n{contents}\n```\n"


def broken(site: Path) -> list[str]:
    """Links, pictures, scripts and styles that lead nowhere, or that need a network to be shown.

    Args:
        site: The folder of the pages.

    Returns:
        One line for each.
    """
    found = []
    for page in sorted(site.glob("*.html")):
        text = re.sub(r"<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for tag, kind, target in re.findall(r"<(\w+)\b[^>]*?\b(href|src)=\"([^\"]*)\"", text):
            path = target.partition("#")[0].partition("?")[0]
            if re.match(r"(https?:)?//", target):
                if tag != "a":
                    found.append(f"{page.name} needs the network for {kind} {target}")
            elif path and not target.startswith(("data:", "mailto:")) and not (page.parent / path).exists():
                found.append(f"{page.name}: {kind} {target} is not there")
    return found


def setup(app: Any) -> dict[str, bool]:
    """Make formulas MathML, which browsers show by themselves, and escape docstrings. Sphinx calls this.

    Args:
        app: The application of Sphinx.

    Returns:
        What Sphinx may do with this extension.
    """
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    add_to(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="formula" style="overflow-x: auto; margin: 1em 0">{formula}</div>')
    raise nodes.SkipNode
