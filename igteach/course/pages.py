"""How a marker's and a student's pages show a submission: passive, with formulas as MathML, without a network."""

from html import escape
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.server_extensions.formgrader.handlers import template_path
from traitlets.config import Config

from igteach.course.sanitising import LONGEST_MARKDOWN, as_typed, clean_html, make_passive, valid_unicode
from igteach.lessons.formulas import FormulaRenderer

TEMPLATES = Path(__file__).with_name("templates")
NAMES = {"student", "first_name", "last_name", "notebook_path"}  # Formgrader's template writes them as they are


def safe_pages(c: Config) -> None:
    """Let every page that nbconvert makes of a submission be passive: Formgrader's and the feedback.

    Args:
        c: The configuration of nbgrader, which is changed.
    """
    c.HTMLExporter.filters = {
        "markdown2html": f"{__name__}.markdown2html",
        "clean_html": f"{__name__}.clean_html",
        "strip_files_prefix": f"{__name__}.unchanged",
    }
    c.HTMLExporter.preprocessors = [f"{__name__}.PassivePage"]
    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), template_path]  # ours are looked for first


class PassivePage(Preprocessor):
    """Makes a notebook passive before it is shown, whatever has been done to the file, and the student's name too."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        make_passive(nb)
        for name in NAMES & resources.keys():
            resources[name] = escape(resources[name] or "")
        for cell in nb.cells:
            if cell.cell_type == "raw":  # nbconvert would put it into the page as it is
                cell.cell_type, cell.source = "markdown", as_typed(cell.source)
        return nb, resources


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Convert Markdown for a page. nbconvert's templates call this.

    Args:
        context: The template's variables, with the cell.
        source: The Markdown.

    Returns:
        Passive HTML, with MathML for formulas. What cannot be converted is shown as it was typed.
    """
    return html_of_markdown(source, context.get("cell", {}).get("attachments", {}))


def html_of_markdown(source: str, attachments: dict[str, dict[str, str]]) -> str:
    """Convert Markdown for a page.

    Args:
        source: The Markdown.
        attachments: The cell's pictures by file name.

    Returns:
        Passive HTML, with MathML for formulas. What cannot be converted is shown as it was typed.
    """
    if len(source) <= LONGEST_MARKDOWN:
        try:
            return clean_html(MarkdownWithMath(renderer=PageRenderer(attachments)).render(source))
        except Exception:  # no text may cost anybody the page, whatever the parser makes of it
            pass
    return f"<pre>{escape(valid_unicode(source))}</pre>"


def unchanged(html: str) -> str:
    """Stand in for nbconvert's strip_files_prefix, which a cell of many brackets keeps busy for a minute.

    Args:
        html: A cell of a page.

    Returns:
        The same: links to files of the server have been taken out.
    """
    return html


class PageRenderer(FormulaRenderer):
    """Converts formulas, and says of a picture that is lost where it was."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        is_lost = url.startswith("attachment:") and url.removeprefix("attachment:") not in self.attachments
        if is_lost:
            return escape(f"[picture: {text}]")
        return super().image(text, url, title)
