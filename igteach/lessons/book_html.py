"""The last touches to a page's HTML: pictures in files of their own, lines that wrap, folds with a name."""

import base64
import hashlib
import html
import re
from pathlib import Path
from typing import Any

import imagesize

from igteach.lessons.book_pages import FROM_DOCS
from igteach.lessons.lesson import all_lessons
from igteach.lessons.ways_in import ways_in

ATTRIBUTES = r'((?:[^>"]|"[^"]*")*?)'
PICTURE = re.compile(rf'<img\b{ATTRIBUTES}\s+src="data:image/(png|webp|jpeg|gif);base64,([^"]+)"{ATTRIBUTES}>')
SCRIPT = re.compile(r"(<script\b.*?</script>)", re.DOTALL)
LISTING = re.compile(r"(<pre\b[^>]*>(?:<span></span>)?)(.*?)(</pre>)", re.DOTALL)
OUTPUT = re.compile(r'(<div class="output [^>]*><div class="highlight"><pre)(>.*?</pre>)', re.DOTALL)
LONG_INLINE = re.compile(r'(<span class="pre">)([^<]{25,})(</span>)')
BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[._(,=])(?=\w)")  # where code in a narrow column may break
OPENING = re.compile(r'(<span class="(?:o">\.|p">[^<]*[(\[])</span>)')  # and where a listing may
NAME = '<span class="sig-name descname">'
DOCTEST = re.compile(r'<span class="go">(.*?)</span>')
PRINTED = ' class="printed" tabindex="0"'
GAP = re.compile(r"^.{,40}?\S {2,}\S")  # between the first two columns; after a longer label, a number is not in sight

ICONS = re.compile(r".*<script[^>]*scripts/fontawesome\.js.*\n")  # 1.5 MB; the theme's font has the same icons

PHONE = 350  # the width of text on a phone: a wider picture scrolls there, and leads to itself
TABLE = range(41, 121)  # the width of a printed table that scrolls on a phone, in characters; a wider line is prose
DEEPEST = 8  # characters: so far is the rest of a broken line indented at most
LETTERS = 1.08  # times its stated width a picture's letters of 10 points are 12 pixels tall
NO_THEME = ' data-theme="auto">'  # without scripts the theme's style knows no such mode
SEARCH = re.compile(r'(class="btn search-button-field[^>]*?) aria-label="[^"]*"')


def finish_page(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Sphinx's `html-page-context`: finish the page's HTML, and say what leads on from it."""
    if "body" in context:
        context["body"] = finished(context["body"], Path(app.outdir) / "_images", "_images/")
    lessons = {lesson.name: lesson for lesson in all_lessons()}
    source = f"docs/{name}.md" if name in FROM_DOCS else ""
    if name in lessons:
        source = f"notebooks/source/{name}.py"
    context["ways_in"] = ways_in(app.config.html_context["repository"], lessons.get(name), source)


def tidy(site: Path) -> None:
    """Take out of a built site what no page needs: maps of minified files, and a second copy of the icons.

    The search button's name becomes what it shows, its key included. Without scripts a page is light.

    Args:
        site: The folder of the pages.
    """
    for file in {*site.rglob("*.map"), *site.rglob("fontawesome.js*")}:
        file.unlink()
    for page in site.glob("*.html"):
        text = ICONS.sub("", page.read_text(encoding="utf-8")).replace(NO_THEME, ">", 1)
        page.write_text(SEARCH.sub(r'\1 aria-label="Search Ctrl+K"', text), encoding="utf-8")


def finished(body: str, folder: Path, address: str) -> str:
    """Finish the HTML of a page.

    Args:
        body: What Sphinx made.
        folder: Where its pictures go.
        address: The folder's address, as the page writes it.

    Returns:
        The HTML with its pictures lazy and in files, each line of code in an element of its own, names that break
        between their parts, printed tables that scroll, and folds that are called what they say.
    """
    pieces = SCRIPT.split(body)  # every other one is a script, and stays as it is
    pieces[::2] = [_finished_text(piece, folder, address) for piece in pieces[::2]]
    return "".join(pieces)


def _finished_text(body: str, folder: Path, address: str) -> str:
    body = PICTURE.sub(lambda found: _filed(found, folder, address), body)
    body = body.replace("<img ", '<img loading="lazy" ')
    body = OUTPUT.sub(lambda found: found[1] + PRINTED * is_table(found[2][1:]) + found[2], body)
    body = LISTING.sub(lambda found: _broken_in_lines(*found.groups()), body)
    body = LONG_INLINE.sub(lambda found: found[1] + BREAK.sub("<wbr>", found[2]) + found[3], body)
    body = body.replace(NAME, f"<wbr>{NAME}")
    return body.replace('<summary aria-label="Toggle hidden content">', "<summary>")


def _broken_in_lines(opening: str, code: str, closing: str) -> str:
    """A listing whose lines break between names, or scroll with the columns of a table that an example prints."""
    if any(GAP.search(html.unescape(said)) for said in DOCTEST.findall(code)):
        opening = opening.replace("<pre", f"<pre{PRINTED}", 1)
    if PRINTED not in opening:
        code = OPENING.sub(r"\1<wbr>", code)
    return opening + in_lines(code) + closing


def is_table(printed: str) -> bool:
    """Whether what a cell printed is a table too wide for a phone: most lines, and at least three, have columns.

    Args:
        printed: Its HTML.
    """
    lines = html.unescape(re.sub(r"<[^>]*>", "", printed)).splitlines()
    rows = [line for line in lines if GAP.search(line)]
    return len(rows) >= max(3, len(lines) / 2) and max(map(len, lines)) in TABLE


def in_lines(code: str) -> str:
    """Wrap each line, and say how far it is indented, so that the rest of a line that a phone breaks stands below it.

    Args:
        code: The HTML of a listing, in which no element goes over the end of a line.

    Returns:
        The same text.

    Example:
        >>> in_lines("if a:\\n    b = 2\\n")
        '<span class="line">if a:\\n</span><span class="line" style="--indent: 4ch">    b = 2\\n</span>'
    """
    return "".join(map(_line, code.splitlines(keepends=True)))


def _line(line: str) -> str:
    text = re.sub(r"<[^>]*>", "", line)
    indent = min(len(text) - len(text.lstrip(" ")), DEEPEST)
    style = f' style="--indent: {indent}ch"' if indent else ""
    return f'<span class="line"{style}>{line}</span>'


def _filed(found: re.Match[str], folder: Path, address: str) -> str:
    before, kind, data, after = found.groups()
    content = base64.b64decode(data)
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    picture = f'<img{before} src="{address}{name}"{_height(before + after, folder / name)}{after}>'
    stated = re.search(r'\bwidth="(\d+)"', before + after)
    if stated is None or int(stated[1]) <= PHONE:
        return picture
    legible = f"--legible: {round(LETTERS * int(stated[1]))}px"
    return f'<a class="whole" style="{legible}" href="{address}{name}" title="The picture by itself">{picture}</a>'


def _height(attributes: str, picture: Path) -> str:
    """The height that goes with the width, so that the text below a picture does not jump when it comes."""
    stated = re.search(r'\bwidth="(\d+)"', attributes)
    width, height = imagesize.get(picture)
    if stated is None or width <= 0:
        return ""
    return f' height="{round(int(stated.group(1)) * height / width)}"'
