"""Tables as HTML, which print as text where there is no HTML."""

from dataclasses import dataclass
from html import escape

from igteach.axioms.checks import TITLES, AxiomResult, AxiomTable

STYLE = """<style>
table.axioms :is(caption, th, td) {vertical-align: top; padding: .4em .8em; border-bottom: 1px solid #8886}
.axioms * {text-align: left !important} .axioms summary {white-space: nowrap}
.axioms td.breaks {font-weight: bold; background: #d55e0026; box-shadow: inset 4px 0 #d55e00}
.axioms p {max-width: 16em; margin: .4em 0; font-weight: normal}
</style>"""


@dataclass(frozen=True, repr=False)
class Table:
    """A table as HTML for a notebook and as text for a terminal.

    Attributes:
        html: the table with its own style.
        text: the same in words.
    """

    html: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def axiom_table(table: AxiomTable) -> Table:
    """Show which methods satisfy which axioms; each verdict opens to its counterexample.

    Args:
        table: what `igteach.axioms.check_axioms` returns.

    Returns:
        A table that a notebook shows as HTML and a terminal as text.

    Example:
        >>> from igteach import axioms, gradient
        >>> shown = axiom_table(axioms.axiom_table({"gradient": gradient}))
        >>> print(shown.text.splitlines()[1])
        gradient  ✗ breaks ...
    """
    caption = "<caption>Which method keeps which axiom. Open a verdict to see why; * some cases left out.</caption>"
    head = "".join(f'<th scope="col">{title}</th>' for title in ("method", *TITLES))
    rows = ""
    for name, results in table.results.items():
        rows += f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_verdict, results.values()))}</tr>'
    body = f'<table class="axioms">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return Table(STYLE + body, repr(table))


def _verdict(result: AxiomResult) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in result.notes)
    words = f"<details><summary>{result.verdict}</summary>{notes}</details>" if notes else result.verdict
    return f'<td class="breaks">{words}</td>' if result.holds is False else f"<td>{words}</td>"
