"""Works that the lessons cite: each mention becomes a link to the work, as docs/references.md lists it."""

import re
from collections.abc import Mapping

ENTRY = re.compile(r"^- (?P<who>[^(]+) \((?P<year>\d{4})\)\. .*?\[[^\]]+\]\((?P<url>https://[^)\s]+)\)$", re.MULTILINE)
NAME = r"(?:de )?[A-ZÜ][\w-]+"
MENTION = rf"(?P<who>{NAME}(?:,? {NAME})*(?: and {NAME}| et al\.)?) \(?(?P<year>(?:19|20)\d\d)\b\)?"
LINK_CODE_OR_MENTION = re.compile(rf"\[[^\]]*\]\([^)]*\)|`[^`]*`|{MENTION}")


def works(references: str) -> dict[str, str]:
    """Read the list.

    Args:
        references: The Markdown of docs/references.md.

    Returns:
        For the first author and the year of each work its address.

    Example:
        >>> works("- Efron (1979). *Bootstrap Methods.* [doi](https://doi.org/10.1214/aos/1176344552)")
        {'Efron 1979': 'https://doi.org/10.1214/aos/1176344552'}
    """
    return {f"{_first(found['who'])} {found['year']}": found["url"] for found in ENTRY.finditer(references)}


def mentions(text: str) -> list[str]:
    """The works that a text names, but for those in links.

    Args:
        text: Markdown.

    Returns:
        Authors and years.

    Example:
        >>> mentions("the bootstrap (Efron 1979), and Taly and Yan (2016)")
        ['Efron 1979', 'Taly and Yan (2016)']
    """
    return [found[0].strip("()") if "(" not in found[0] else found[0] for found in _found(text)]


def with_links(text: str, known: dict[str, str]) -> str:
    """Link the works that a text names.

    Args:
        text: Markdown.
        known: The addresses of works, as `works` has them.

    Returns:
        The same, where a work that was not yet in a link is one.

    Example:
        >>> with_links("Captum, Efron (1979)", {"Efron 1979": "https://doi.org/10.1214/aos/1176344552"})
        'Captum, [Efron (1979)](https://doi.org/10.1214/aos/1176344552)'
    """
    return LINK_CODE_OR_MENTION.sub(lambda found: _linked(found, known), text)


def with_lessons(references: str, texts: Mapping[str, str]) -> str:
    """Say of each work where it is cited.

    Args:
        references: The Markdown of docs/references.md.
        texts: By the name of each lesson its text, in which works are links.

    Returns:
        The list, with links to the lessons.

    Example:
        >>> with_lessons("- Efron (1979). [doi](https://doi.org/1)", {"08_image_models": "[Efron](https://doi.org/1)"})
        '- Efron (1979). [doi](https://doi.org/1). Cited in [08](08_image_models.ipynb).'
    """

    def told(found: re.Match[str]) -> str:
        citing = [f"[{name[:2]}]({name}.ipynb)" for name, text in texts.items() if f"({found['url']})" in text]
        return f"{found[0]}. Cited in {', '.join(citing)}." if citing else found[0]

    return ENTRY.sub(told, references)


def key_of(mention: str, known: dict[str, str]) -> str | None:
    """The work that a mention names; words before its authors, such as a library's name, are passed over.

    Args:
        mention: Such as `Captum, Kokhlikyan et al. (2020)`.
        known: The addresses of works.

    Returns:
        The work's key, or None if it is not known.

    Example:
        >>> key_of("Captum, Kokhlikyan et al. (2020)", {"Kokhlikyan 2020": "https://arxiv.org/abs/2009.07896"})
        'Kokhlikyan 2020'
    """
    year = mention.rstrip(")")[-4:]
    keys = [f"{name} {year}" for name in re.findall(NAME, mention)]
    return next((key for key in keys if key in known), None)


def _linked(found: re.Match[str], known: dict[str, str]) -> str:
    if found["who"] is None or (key := key_of(found[0], known)) is None:
        return found[0]
    before, name, rest = found[0].partition(key[:-5])
    closing = ")" if rest.endswith(")") and "(" not in rest else ""  # of a bracket that opened before the names
    return f"{before}[{name}{rest.removesuffix(closing)}]({known[key]}){closing}"


def _found(text: str) -> list[re.Match[str]]:
    return [found for found in LINK_CODE_OR_MENTION.finditer(text) if found["who"]]


def _first(who: str) -> str:
    found = re.search(NAME, who)
    return found[0] if found else who
