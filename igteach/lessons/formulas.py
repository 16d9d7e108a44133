"""Markdown with its formulas as MathML, which a browser shows without a network."""

from docutils.utils.math.latex2mathml import tex2mathml
from nbconvert.filters.markdown_mistune import IPythonRenderer

LONGEST_FORMULA = 5_000  # characters


class FormulaRenderer(IPythonRenderer):
    """Converts formulas to MathML; one that cannot be converted is left as it was typed.

    Args:
        attachments: The cell's pictures by file name.

    Example:
        >>> from nbconvert.filters.markdown_mistune import MarkdownWithMath
        >>> "<math" in MarkdownWithMath(renderer=FormulaRenderer()).render("Half of $x$.")
        True
    """

    def __init__(self, attachments: dict[str, dict[str, str]] | None = None) -> None:
        super().__init__(escape=False, attachments=attachments, exclude_anchor_links=True)

    def inline_math(self, body: str) -> str:
        after_text = "{}" + body  # R$^2$ raises the text before it
        return _mathml(body, as_block=False) or _mathml(after_text, as_block=False) or super().inline_math(body)

    def block_math(self, body: str) -> str:
        return _mathml(body, as_block=True) or super().block_math(body)

    def latex_environment(self, name: str, body: str) -> str:
        is_display = name.removesuffix("*") in ("align", "equation", "gather")
        formula = body if is_display else rf"\begin{{{name}}}{body}\end{{{name}}}"
        return _mathml(formula, as_block=True) or super().latex_environment(name, body)


def _mathml(formula: str, as_block: bool) -> str:
    """MathML; empty if the formula is too long, or docutils raises whatever it raises."""
    if len(formula) > LONGEST_FORMULA:
        return ""
    try:
        return tex2mathml(formula, as_block=as_block)
    except Exception:  # beside MathError it raises AttributeError, TypeError, IndexError, RecursionError
        return ""
