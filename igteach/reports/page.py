"""A report as a page: no script, nothing from elsewhere, everything escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any

SAME = 0.5  # from this probability on the target is what the model says at x' already
MARK = "igteach report"  # in the head of each page, so that only a report is ever replaced
STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 1.5em auto; padding: 0 1em }
body { overflow-wrap: anywhere }
h1, h2 { line-height: 1.25 } h2 { margin-top: 1.6em; border-bottom: 2px solid #888 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3em .8em .3em 0; border-bottom: 1px solid #ccc }
th { font-weight: 600; width: 30% }
.verdict { border: 2px solid #000; padding: .6em 1em; font-size: 1.1em }
.warning { border-style: double; border-width: 6px }
img { max-width: 100%; height: auto }
@media print { body { max-width: none; margin: 0; font-size: 11pt } h2, table, img { break-inside: avoid } }
"""


def render(found: Mapping[str, Any], picture: str) -> str:
    """The page.

    Args:
        found: What the report says, as in its JSON.
        picture: Of the attribution, in HTML.

    Returns:
        HTML, in which everything but the picture, which is ours, is escaped.
    """
    sound = found["may be read as shares of F(x) - F(x')"]
    kind = "verdict" if sound else "verdict warning"
    parts = [
        f"<h1>{escape(found['title'])}</h1>",
        f'<p class="{kind}"><strong>Verdict: {escape(found["verdict"])}.</strong> {escape(advice(found))}</p>',
        f"<p>{escape(found['notes'])}</p>" if found["notes"] else "",
        "<h2>What was asked</h2>",
        table(found["asked"]) if found["asked"] else "<p>Not recorded: the report was made from the answer alone.</p>",
        "<h2>The evidence</h2>",
        table({name: _plain(value) for name, value in found["evidence"].items()}),
        "<h2>The attribution</h2>",
        picture,
        "<h2>The strongest features</h2>",
        table({each["feature"]: f"{each['share']:+.3g}" for each in found["strongest"]}),
        "<h2>Controls</h2>",
        table_of_controls(found),
        "<h2>How it was made</h2>",
        table({"date": found["date"], "command": found["command"], **found["versions"]}),
    ]
    body = "\n".join(part for part in parts if part)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="generator" '
        f'content="{MARK}"><title>{escape(found["title"])}</title><style>{STYLE}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><main>\n{body}\n</main></body></html>\n'


def advice(found: Mapping[str, Any]) -> str:
    """What to make of the verdict.

    Args:
        found: What the report says.

    Returns:
        A sentence, with all that the reader should mind.
    """
    failed = [control["name"] for control in found["controls"] if not control["passed"]]
    if not found["may be read as shares of F(x) - F(x')"]:
        return "Do not read the numbers below as shares of F(x) - F(x')."
    warnings = []
    if found["F hardly changes"]:
        warnings.append("F is nearly the same at x' and at x, so there is almost nothing to attribute")
    if found["x' is not neutral"]:
        same = found["evidence"]["F(x')"] >= SAME
        answer = "gives the same answer at x' already" if same else "is sure of another class at x'"
        warnings.append(f"the model {answer}, so the shares compare with that")
    if found["truncated"]:
        warnings.append("the model did not read all of the text")
    if failed:
        warnings.append(f"mind what these controls say: {', '.join(failed)}")
    if not found["controls"]:
        warnings.append("no control was run, so nothing is known of what they are worth")
    if warnings:
        return f"The shares add up; {'; '.join(warnings)}."
    return "The shares add up, and no control speaks against them."


def table_of_controls(found: Mapping[str, Any]) -> str:
    """The controls, and those that were not run.

    Args:
        found: What the report says.

    Returns:
        HTML, escaped.
    """
    missing = "".join(
        f"<p>Not run: {escape(name)} ({escape(why)}).</p>" for name, why in found["controls not run"].items()
    )
    if not found["controls"]:
        return missing or "<p>None were run.</p>"
    head = "<tr><th>control</th><th>found</th><th>reading</th></tr>"
    rows = [
        f"<tr><td>{escape(each['name'])}</td><td>{escape(each['found'])}</td>"
        f"<td>{'' if each['passed'] else '<strong>Warning:</strong> '}{escape(each['reading'])}</td></tr>"
        for each in found["controls"]
    ]
    return f"<table>{head}{''.join(rows)}</table>{missing}"


def table(cells: Mapping[str, str]) -> str:
    """A table of two columns.

    Args:
        cells: What stands beside each heading.

    Returns:
        HTML, escaped.
    """
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(cell)}</td></tr>' for name, cell in cells.items()
    )
    return f"<table>{rows}</table>"


def _plain(value: float | bool | str | None) -> str:
    if value is None:
        return "not known"
    if isinstance(value, str):
        return value
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.4g}"
