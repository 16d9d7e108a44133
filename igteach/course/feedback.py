"""Feedback as a page that needs no network: formulas are MathML, which browsers show by themselves."""

from typing import Any

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from jinja2 import DictLoader, pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

NO_SCRIPT = DictLoader({"mathjax.html.j2": "{% macro mathjax(url='') %}{% endmacro %}"})


class FeedbackPage(HTMLExporter):
    """nbconvert's page without MathJax, which it would load from the network."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(extra_loaders=[NO_SCRIPT], **kwargs)

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        renderer = MathRenderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=self.exclude_anchor_links,
        )
        return MarkdownWithMath(renderer=renderer).render(source)


class MathRenderer(IPythonRenderer):
    """Formulas as MathML; one with a fault in it stays as it was written."""

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
