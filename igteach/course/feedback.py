"""The feedback page, which needs no network: formulas are MathML, which browsers display by themselves."""

from typing import Any

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from jinja2 import DictLoader, pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TEMPLATE_WITHOUT_MATHJAX = DictLoader({"mathjax.html.j2": "{% macro mathjax(url='') %}{% endmacro %}"})


class FeedbackPage(HTMLExporter):
    """nbconvert's page, without MathJax, which it would load from the network."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(extra_loaders=[TEMPLATE_WITHOUT_MATHJAX], **kwargs)

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """Convert a Markdown cell. nbconvert's template calls this.

        Args:
            context: The template's variables, with the cell.
            source: The cell's Markdown.

        Returns:
            HTML, with MathML for formulas.
        """
        renderer = MathRenderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return MarkdownWithMath(renderer=renderer).render(source)


class MathRenderer(IPythonRenderer):
    """Converts formulas to MathML; a formula with an error in it is left as it was written."""

    def inline_math(self, body: str) -> str:
        try:
            return tex2mathml(body)
        except MathError:
            return super().inline_math(body)

    def block_math(self, body: str) -> str:
        try:
            return tex2mathml(body, as_block=True)
        except MathError:
            return super().block_math(body)
