"""Markdown with its formulas as MathML, which a browser shows without a network."""

import re

from docutils.utils.math.latex2mathml import tex2mathml
from nbconvert.filters.markdown_mistune import IPythonRenderer

LONGEST_FORMULA = 5_000  # characters
BARS = re.compile(r'<mo class="mathopen">([|‖])</mo>(.*?)<mo>\1</mo>', re.DOTALL)  # \lvert ... \rvert


def mathml(formula: str, as_block: bool = False) -> str:
    r"""Convert a formula, with bars that a browser takes for brackets, both of one height.

    Args:
        formula: As TeX writes it, without its dollars.
        as_block: Whether it stands on a line of its own.

    Returns:
        MathML.

    Raises:
        Exception: If docutils cannot convert it: beside MathError it raises AttributeError, TypeError, IndexError and
            RecursionError.

    Example:
        >>> mathml(r"\lvert x \rvert").count('stretchy="false"')
        2
    """
    bars = r'<mo form="prefix" stretchy="false">\1</mo>\2<mo form="postfix" stretchy="false">\1</mo>'
    return BARS.sub(bars, tex2mathml(formula, as_block=as_block))


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
    """MathML; empty if the formula is too long, or cannot be converted."""
    if len(formula) > LONGEST_FORMULA:
        return ""
    try:
        return mathml(formula, as_block=as_block)
    except Exception:
        return ""
