"""What the pages for instructors are made of: HTML that fits a phone, needs no network, and shows nothing in colour."""

from collections.abc import Iterable
from html import escape

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:62em;margin:1.5em auto;padding:0 1em;overflow-wrap:anywhere}"
    "h1,h2,h3{line-height:1.25}h2{margin-top:2em;border-bottom:2px solid GrayText}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1.5em}"
    "td,th{text-align:left;padding:.35em .8em .35em 0;border-bottom:1px solid GrayText;vertical-align:top}"
    ".n{text-align:right;white-space:nowrap;padding-right:0;width:1%}.quiet{opacity:.75}"
    "svg{display:block;overflow:visible;width:100%;height:.7em;margin-top:.2em}svg *{vector-effect:non-scaling-stroke}"
    ".chips{display:flex;flex-wrap:wrap;gap:.3em .8em;margin:0;padding:0;list-style:none;"
    "font-size:.9em}.chips li{width:6.8em}"
    "dt{border-top:1px solid GrayText;padding-top:.4em}dd{margin:0 0 .8em}"
    ".side-by-side{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24em),1fr));gap:0 1em}"
    "pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;border:1px solid GrayText;padding:.6em;"
    "margin:.3em 0 1.5em}"
    ".note{border-left:4px solid GrayText;padding:0 0 0 1em}"
)


def page(title: str, body: str) -> bytes:
    """A whole page.

    Args:
        title: The title, which is escaped.
        body: The HTML below it.

    Returns:
        The page in UTF-8; halves of characters, which UTF-8 has not, are written out.
    """
    text = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>\n{body}</main></body></html>\n"
    )
    return text.encode("utf-8", "backslashreplace")


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table.

    Args:
        header: The heads of the columns, as HTML. One that begins with # heads a column of numbers.
        rows: The cells of each row, as HTML.

    Returns:
        The table.
    """
    heads = list(header)
    kinds = [" class=n" if head.startswith("#") else "" for head in heads]
    top = "".join(f"<th scope=col{kind}>{head.lstrip('#')}</th>" for head, kind in zip(heads, kinds, strict=True))
    lines = [
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    ]
    return f"<table><thead><tr>{top}</tr></thead><tbody>\n" + "\n".join(lines) + "</tbody></table>\n"


def definitions(rows: Iterable[tuple[str, str]]) -> str:
    """A list of things and what there is to say about them.

    Args:
        rows: The thing and the words on it, as HTML.

    Returns:
        The list.
    """
    return "<dl>" + "".join(f"<dt>{thing}</dt><dd>{words}</dd>\n" for thing, words in rows) + "</dl>\n"


def bar(value: float, whole: float, words: str) -> str:
    """A bar that is filled as far as a value goes.

    Args:
        value: The value, from 0 to `whole`.
        whole: What the whole bar stands for.
        words: The same for those who do not see it.

    Returns:
        An SVG.
    """
    filled = 100 * min(max(value / whole, 0), 1) if whole else 0
    return _svg(words, f"<rect width='{filled:.1f}' height='10' fill='currentColor'/>")


def spread(low: float, middle: float, high: float, words: str) -> str:
    """A bar with the middle half of some fractions in grey, and a stroke at the middle.

    Args:
        low: A quarter of them are below.
        middle: The median.
        high: A quarter of them are above.
        words: The same for those who do not see it.

    Returns:
        An SVG.
    """
    box = f"<rect x='{100 * low:.1f}' width='{100 * (high - low):.1f}' height='10' fill='currentColor' opacity='.35'/>"
    line = f"<path d='M{100 * middle:.1f} 0v10' stroke='currentColor' stroke-width='4'/>"
    return _svg(words, box + line)


def _svg(words: str, inside: str) -> str:
    frame = "<rect width='100' height='10' fill='none' stroke='currentColor'/>"
    return (
        f"<svg role='img' aria-label='{escape(words)}' viewBox='0 0 100 10' preserveAspectRatio='none'>"
        f"{inside}{frame}</svg>"
    )
