"""What a student hands in, made passive: no script, no active HTML, no widget is left for a marker's browser to run."""

import re
from collections.abc import Container
from pathlib import Path
from typing import Any

import nbformat
import nh3
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from pygments.token import STANDARD_TYPES

Resources = dict[str, Any]
IMAGES = ("image/png", "image/jpeg", "image/gif")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
LINK = re.compile(r"(?:https?://|mailto:)[^\x00-\x20]*")
LINK_TO_LESSON = re.compile(r"#[^\x00-\x20]*|[\w-]+\.ipynb")
PLAIN_TAG = re.compile(
    r"</?(?:b|br|center|code|del|details|div|em|hr|i|ins|kbd|li|mark|ol|p|pre|s|small|span|strong|sub|summary|sup|table"
    r"|tbody|td|th|thead|tr|u|ul)\s*/?>",
    re.IGNORECASE,
)
LARGEST_IMAGES = 10_000_000  # characters of the attachments of a cell, in all
LONGEST_MARKDOWN = 10_000  # characters; longer text is shown as it was typed, since parsing it may take minutes
LONGEST_SOURCE = 200_000  # characters of a cell; what is beyond is cut off

MATHML_TAGS = {
    *("math", "menclose", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom"),
    *("mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd"),
    *("mtext", "mtr", "munder", "munderover"),
}
MATHML_ATTRIBUTES = {
    *(
        "accent",
        "accentunder",
        "columnalign",
        "columnspan",
        "display",
        "displaystyle",
        "fence",
        "form",
        "linethickness",
    ),
    *("lspace", "maxsize", "minsize", "movablelimits", "notation", "rowspan", "rspace", "scriptlevel", "separator"),
    *("mathvariant", "stretchy", "symmetric", "width", "xmlns"),
}
STYLES = {  # what the package's own tables and texts need; nothing that moves or covers another part of the page
    *("background-color", "border-left", "color", "font-style", "font-weight", "line-height", "padding"),
    *("padding-bottom", "text-align", "text-decoration", "text-decoration-skip-ink", "text-underline-offset"),
    "white-space",
}


def _passive_address(tag: str, attribute: str, value: str) -> str | None:
    """Images only as embedded pixels, links only to the web: nothing is fetched, no page of the server is named."""
    if (tag, attribute) == ("img", "src"):
        return value if DATA_IMAGE.fullmatch(value) else None
    if attribute in ("href", "cite"):
        return value if LINK.fullmatch(value) else None
    return value


CLEANER = nh3.Cleaner(
    tags=(nh3.ALLOWED_TAGS - {"area", "map"}) | MATHML_TAGS,
    attributes={
        **{tag: names for tag, names in nh3.ALLOWED_ATTRIBUTES.items() if tag not in ("area", "map")},
        **dict.fromkeys(MATHML_TAGS, MATHML_ATTRIBUTES),
        "*": {"aria-label", "dir", "lang", "role", "style", "title"},
    },
    attribute_filter=_passive_address,
    url_schemes={"http", "https", "mailto", "data"},
    url_relative="deny",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    allowed_classes={"div": {"highlight"}, "span": set(STANDARD_TYPES.values()) - {""}},
    filter_style_properties=STYLES,
)


def clean_html(html: str) -> str:
    """Keep of a piece of HTML what only shows something.

    Args:
        html: HTML of any origin.

    Returns:
        HTML with text, tables, formulas in MathML, embedded pixels and links to the web, and nothing else.
    """
    return CLEANER.clean(valid_unicode(str(html)))


def valid_unicode(text: str) -> str:
    """Replace what no file and no page can hold.

    Args:
        text: Any text.

    Returns:
        The text, with question marks for halves of surrogate pairs.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def make_passive(nb: NotebookNode) -> None:
    """Take everything out of a notebook that a viewer could run, or that has no use for a marker.

    Args:
        nb: The notebook, which is changed. Sources of code stay; the kernel's and our own metadata stay; of nbgrader's
            metadata everything stays.
    """
    kept = {name: nb.metadata[name] for name in ("igteach", "kernelspec") if name in nb.metadata}
    language = {"name": "python", "pygments_lexer": "ipython3"}
    nb.metadata = NotebookNode(**kept, language_info=NotebookNode(language))
    for cell in nb.cells:
        cell.source = valid_unicode(cell.source[:LONGEST_SOURCE])
        cell.metadata = NotebookNode({name: cell.metadata[name] for name in ("nbgrader",) if name in cell.metadata})
        attachments = passive_attachments(cell.pop("attachments", {}))
        if cell.cell_type == "code":
            cell.outputs = [passive_output(output) for output in cell.outputs]
        elif cell.cell_type == "markdown":
            cell["attachments"] = attachments


def passive_attachments(attachments: Any) -> NotebookNode:
    """Keep the pictures among the attachments of a cell.

    Args:
        attachments: What the notebook has as attachments: file names, and their data by type.

    Returns:
        The attachments that are pictures of pixels, as long as they are not too large in all.
    """
    kept = NotebookNode()
    room = LARGEST_IMAGES
    for name, data in dict(attachments).items():
        for kind in IMAGES:
            picture = data.get(kind) if isinstance(data, dict) else None
            if isinstance(picture, str) and len(picture) <= room and BASE64.fullmatch(picture):
                room -= len(picture)
                kept[valid_unicode(name)] = NotebookNode({kind: picture})
                break
    return kept


def passive_output(output: NotebookNode) -> NotebookNode:
    """Keep the text, the pixels and the cleaned HTML of an output.

    Args:
        output: An output of a code cell.

    Returns:
        An output of the same type. Where nothing is left, it says what was taken out.
    """
    if output.output_type == "stream":
        name = "stderr" if output.name == "stderr" else "stdout"
        return nbformat.v4.new_output("stream", name=name, text=valid_unicode(str(output.text)))
    if output.output_type == "error":
        lines = [valid_unicode(str(line)) for line in output.traceback]
        words = {name: valid_unicode(str(output[name])) for name in ("ename", "evalue")}
        return nbformat.v4.new_output("error", traceback=lines, **words)
    if output.output_type == "execute_result":
        return nbformat.v4.new_output("execute_result", _passive_data(output.data), execution_count=None)
    return nbformat.v4.new_output("display_data", _passive_data(output.data))


def _passive_data(data: NotebookNode) -> dict[str, str]:
    texts = {kind: valid_unicode(value) for kind, value in data.items() if isinstance(value, str)}
    kept = {kind: value for kind, value in texts.items() if kind in IMAGES and BASE64.fullmatch(value)}
    html = clean_html(texts.get("text/html", ""))
    if html.strip():
        kept["text/html"] = html
    typed = next((texts[kind] for kind in ("text/plain", "text/markdown", "text/latex") if kind in texts), None)
    if typed is not None:
        kept["text/plain"] = typed
    return kept or {"text/plain": f"(an output was taken out: {', '.join(sorted(data)) or 'empty'})"}


def is_passive_markdown(source: str, attachments: Container[str] = ()) -> bool:
    """Whether a Markdown cell can do nothing in any viewer, also in one that cleans nothing.

    Args:
        source: The cell's Markdown.
        attachments: The names of the cell's attachments.

    Returns:
        False if it has HTML beyond plain tags without attributes, a link to anything but the web or a lesson, a
        picture that is not attached, or a diagram that a script would draw; or if it is too long to tell.
    """
    if len(source) > LONGEST_MARKDOWN:
        return False
    finder = _ActivityFinder(attachments)
    try:
        MarkdownWithMath(renderer=finder).render(source)
    except Exception:  # whatever the parser stumbles over, a marker's page would stumble over, too
        return False
    return not finder.found


class _ActivityFinder(IPythonRenderer):
    """Renders as nbconvert does, and notes whether anything went into the page that is more than text."""

    def __init__(self, attached: Container[str]) -> None:
        super().__init__(escape=False)
        self.attached = attached
        self.found = False

    def inline_html(self, html: str) -> str:
        self.found = self.found or "<" in PLAIN_TAG.sub("", html)
        return ""

    def block_html(self, html: str) -> str:
        return self.inline_html(html)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        self.found = self.found or not (LINK.fullmatch(url) or LINK_TO_LESSON.fullmatch(url))
        return text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        is_attached = url.startswith("attachment:") and url.removeprefix("attachment:") in self.attached
        self.found = self.found or not is_attached
        return text

    def block_mermaidjs(self, code: str) -> str:
        self.found = True
        return ""


def as_typed(text: str) -> str:
    """Markdown that shows a text as it was typed.

    Args:
        text: Any text.

    Returns:
        The text in a fence that is longer than any in it.
    """
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


class SanitiseSubmission(NbGraderPreprocessor):
    """Makes a graded notebook passive, also for a viewer that cleans nothing: active Markdown is shown as it was typed.

    It removes from the notebook's folder what the release has not, such as a page of HTML, since Formgrader serves
    that folder from the marker's own server. The submitted files are not touched.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        names = resources["nbgrader"]
        make_passive(nb)
        for cell in nb.cells:
            if cell.cell_type == "markdown" and not is_passive_markdown(cell.source, cell.attachments):
                cell.source = as_typed(cell.source)
        release = Path("release", names["assignment"])
        remove_additions(Path("autograded", names["student"], names["assignment"]), release)
        return nb, resources


def remove_additions(folder: Path, release: Path) -> None:
    """Remove the files of a graded copy that the release has not.

    Args:
        folder: The folder of the graded copy.
        release: The folder of the release.
    """
    for path in folder.rglob("*"):
        is_released = (release / path.relative_to(folder)).is_file()
        if not path.is_dir() and not is_released and path.name != "timestamp.txt":
            path.unlink()
