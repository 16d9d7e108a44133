"""Whether what the pages of a site ask for is there."""

import re
from pathlib import Path

LISTING = re.compile(r"<pre.*?</pre>", re.DOTALL)
ASKED = re.compile(r"<(\w+)\b(?![^>]*\brel=\"canonical\")[^>]*?\b(href|srcset|src)=\"([^\"]*)\"")
ID = re.compile(r"\bid=\"([^\"]+)\"")


def broken(site: Path) -> list[str]:
    """Links, pictures, scripts and styles that lead nowhere, or that need a network to be shown.

    Args:
        site: The folder of the pages.

    Returns:
        One line for each.
    """
    pages = {page.name: page.read_text(encoding="utf-8") for page in sorted(site.glob("*.html"))}
    ids = {name: set(ID.findall(text)) for name, text in pages.items()}
    found = []
    for name, text in pages.items():
        for tag, kind, target in ASKED.findall(LISTING.sub("", text)):
            if fault := _fault(site, ids, name, tag, target):
                found.append(f"{name}{fault.format(f'{kind} {target}')}")
    return found


def _fault(site: Path, ids: dict[str, set[str]], name: str, tag: str, target: str) -> str:
    """What is wrong with a target, with a gap for it; empty if nothing is."""
    if re.match(r"(https?:)?//", target):
        return "" if tag == "a" else " needs the network for {}"
    if target.startswith(("data:", "mailto:")):
        return ""
    path, _, part = target.partition("#")
    path = path.partition("?")[0]
    if name == "404.html":  # its addresses begin with the site's own, such as /igteach/
        path = re.sub(r"^/[^/]*/", "", path)
    if path and not (site / path).exists():
        return ": {} is not there"
    if part and part not in ids.get(path or name, {part}):
        return ": {} leads to no place on its page"
    return ""
