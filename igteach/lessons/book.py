"""The solved lessons as a web book: static pages that open from a folder, searchable, without a network."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes

from igteach.lessons import book_html
from igteach.lessons.api_pages import add_to, write_api_pages
from igteach.lessons.book_cells import page_of, prose_of
from igteach.lessons.book_links import broken
from igteach.lessons.book_pages import write_pages
from igteach.lessons.citations import works
from igteach.lessons.files import make_folder
from igteach.lessons.formulas import mathml
from igteach.lessons.lesson import all_lessons
from igteach.lessons.lesson_map import repository
from igteach.lessons.slides import write_slides
from igteach.lessons.ways_in import site_address

FILES = Path(__file__).parent / "book_files"
DESCRIPTION = "A course in notebooks, from the naive gradient to Integrated Gradients, on real networks"
WITHOUT_CONTENTS = ["index", "captum", "glossary", "references", "accessibility", "genindex", "search"]
SETTINGS: dict[str, Any] = {
    "project": "igteach",
    "html_title": "From gradients to Integrated Gradients",
    "extensions": [
        "myst_nb",
        "sphinx.ext.autodoc",
        "sphinx.ext.napoleon",
        "sphinxext.opengraph",
        "igteach.lessons.book",
    ],
    "default_role": "code",
    "smartquotes": False,  # x' is no quotation
    "html_static_path": ["_static"],
    "html_css_files": ["book.css"],
    "html_favicon": "_static/favicon.svg",
    "templates_path": [str(FILES / "templates")],
    "autodoc_class_signature": "separated",
    "autodoc_preserve_defaults": True,
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "signature",
    "napoleon_numpy_docstring": False,
    "python_use_unqualified_type_names": True,
    "nb_execution_mode": "off",  # what was executed and compared is what is read
    "nb_merge_streams": True,
    "nb_render_markdown_format": "myst",  # text that goes into a fold is an output
    "myst_enable_extensions": ["attrs_block", "colon_fence", "dollarmath", "html_image"],
    "myst_heading_anchors": 3,
    "suppress_warnings": ["mystnb.unknown_mime_type", "myst.header"],
    "html_theme": "pydata_sphinx_theme",
    "html_theme_options": {
        "logo": {"text": "igteach"},
        "back_to_top_button": False,
        "footer_start": [],
        "footer_end": [],
        "show_toc_level": 2,
        "search_bar_text": "Search the course",
    },
    "html_sidebars": {name: [] for name in WITHOUT_CONTENTS},
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "language": "en",
    "ogp_site_name": "From gradients to Integrated Gradients",
    "ogp_social_cards": {"enable": False},
}


def build_book(out: Path, scripts: Mapping[str, str]) -> Path:
    """Write the book into a folder, in place of an earlier book.

    Args:
        out: The folder. An earlier book stays in it until the new one is complete.
        scripts: JavaScript that each page loads, by the name of its file.

    Returns:
        The book's first page.

    Raises:
        RuntimeError: If Sphinx warns, for example of a broken link, or if a page asks for a file that is not there.
        OSError: If the folder cannot be written.
    """
    fresh = out.with_name(f".{out.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        found = _write_book(fresh, scripts)
        if out.exists():
            shutil.rmtree(out)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if found:
        raise RuntimeError(f"the book has {len(found)} faults: {' / '.join(found[:3])}")
    return out / "html" / "index.html"


def _write_book(out: Path, scripts: Mapping[str, str]) -> list[str]:
    """Write the book into an empty folder; what is wrong with it."""
    make_folder(out / "pages")
    _write_sources(out / "pages", scripts)
    warnings = run_sphinx(out, scripts)
    book_html.tidy(out / "html")
    for lesson in all_lessons():
        write_slides(lesson, out / "html" / "slides")
    return warnings + broken(out / "html")


def run_sphinx(out: Path, scripts: Mapping[str, str]) -> list[str]:
    """Make pages of HTML.

    Args:
        out: The folder; its `pages` are read, its `html` is written.
        scripts: JavaScript that each page loads, by the name of its file.

    Returns:
        The lines of Sphinx's warnings.
    """
    from sphinx.application import Sphinx  # here, because this module is an extension that Sphinx loads
    from sphinx.util.docutils import docutils_namespace

    file = out / "warnings.txt"
    with file.open("w", encoding="utf-8") as log, docutils_namespace():
        chosen = settings(scripts)
        Sphinx(out / "pages", None, out / "html", out / "doctrees", "html", chosen, status=None, warning=log).build()
    return file.read_text(encoding="utf-8").strip().splitlines()


def _write_sources(pages: Path, scripts: Mapping[str, str]) -> None:
    """What Sphinx reads: notebooks, Markdown, and files that it copies."""
    import nbformat

    lessons = all_lessons()
    docs = lessons[0].source.parents[2] / "docs"
    known = works((docs / "references.md").read_text(encoding="utf-8"))
    texts = {}
    for lesson in lessons:
        page = page_of(lesson, known)
        nbformat.write(page, pages / lesson.solved.name)
        texts[lesson.name] = prose_of(page)
    shutil.copytree(FILES / "static", pages / "_static")
    for name, script in scripts.items():
        (pages / "_static" / name).write_text(script, encoding="utf-8")
    for picture in ("card.png", "first_look.png", "first_look_narrow.png"):
        shutil.copy(docs / picture, pages / "_static")
    write_pages(pages, docs, repository(), write_api_pages(pages), texts)


def settings(scripts: Mapping[str, str]) -> dict[str, Any]:
    """The settings of Sphinx.

    Args:
        scripts: JavaScript that each page loads, by the name of its file.

    Returns:
        SETTINGS, and what depends on the address of the repository.
    """
    address = repository()
    site = site_address(address)
    options = SETTINGS["html_theme_options"] | {"secondary_sidebar_items": ["page-toc"]}
    chosen = SETTINGS | {
        "html_js_files": [(name, {"defer": "defer"}) for name in scripts],
        "html_context": {"repository": address, "default_mode": "auto"},
    }
    if site:
        options["secondary_sidebar_items"] = ["page-toc", "ways-in"]
        chosen |= {
            "extensions": [*SETTINGS["extensions"], "sphinx_sitemap", "notfound.extension"],
            "html_baseurl": site,
            "sitemap_url_scheme": "{link}",
            "notfound_urls_prefix": re.sub(r"https://[^/]+", "", site),
            "ogp_site_url": site,
            "ogp_image": f"{site}_static/card.png",
            "ogp_image_alt": DESCRIPTION,
        }
    return chosen | {"html_theme_options": options}


def setup(app: Any) -> dict[str, bool]:
    """Make formulas MathML, which browsers show by themselves, and escape docstrings. Sphinx calls this.

    Args:
        app: The application of Sphinx.

    Returns:
        What Sphinx may do with this extension.
    """
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    add_to(app)
    app.connect("html-page-context", book_html.finish_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    formula = mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{formula}</div>')
    raise nodes.SkipNode
