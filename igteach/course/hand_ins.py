"""Reading what students hand in: without following a link, whatever its encoding, into a clean copy of the notebook."""

import errno
import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import dateutil.parser
import nbformat
from nbformat import NotebookNode

from igteach.lessons.lesson import grade_id

LARGEST_FILE = 100 * 2**20  # bytes
LARGEST_NOTE = 1000  # bytes, of a timestamp or a secret
SECRET = "submission_secret.txt"
MOST_ENTRIES = 10_000  # files and folders of a hand-in
DEEPEST = 20  # folders in folders
LONGEST_NAME = 200  # bytes; a file system takes 255, of which temporary names need some
PLAIN_CHARACTERS = " _-.@+,'()"  # beside letters and digits, what nbgrader takes in a student's name
ASK_AGAIN = "ask for the notebook again, as JupyterLab saves it"
CELL_TYPES = ("code", "markdown", "raw")
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a character, which no file can hold
OLD_FORMAT = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}}
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Refused(ValueError):
    """A hand-in that cannot be graded; the message says why, and what to do."""


@dataclass(frozen=True)
class HandIn:
    """What a student handed in, as it was found.

    Attributes:
        files: The content of each notebook, by its name in the release.
        timestamp: When it was handed in, in UTC; empty if nothing says so.
        secret: What nbgrader's exchange names the feedback by; empty if it came another way.
        notes: What the instructor should look at.
    """

    files: dict[str, bytes]
    timestamp: str = ""
    secret: str = ""
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of all but the notes: two hand-ins with the same one are the same."""
        whole = hashlib.sha256(f"{self.timestamp} {self.secret} ".encode())
        for name, data in sorted(self.files.items()):
            whole.update(f"{name} {len(data)} ".encode() + data)
        return whole.hexdigest()


def strays(course: Path) -> list[str]:
    """List what lies in submitted/ where no submission is looked for.

    Args:
        course: The course folder.

    Returns:
        The path of each file that is not hidden, and of each notebook beside the folders of assignments.
    """
    submitted = course / "submitted"
    found = [path for path in submitted.glob("*") if path.is_file() and not path.is_symlink()]
    found += [path for path in submitted.glob("*/*.ipynb") if path.is_file()]
    return sorted(printable(str(path.relative_to(course))) for path in found if not path.name.startswith("."))


def printable(name: str) -> str:
    """A name that can be printed and written to a file.

    Args:
        name: The name of a file or folder; bytes of it that are not UTF-8, and control characters, may be in it.

    Returns:
        The name, or if it cannot be printed the name by which the gradebook knows it.

    Example:
        >>> printable("Ann [2]"), printable("a\\nb")
        ('Ann [2]', 'a%0Ab')
    """
    return name if name.isprintable() else "/".join(gradebook_name(part) for part in name.split("/"))


def gradebook_name(student: str) -> str:
    """The name by which nbgrader and the gradebook know a student.

    Args:
        student: The student's name, as in submitted/.

    Returns:
        The same name if it consists of letters, digits, single spaces and the like. Others are written as in a web
        address, byte by byte, because nbgrader takes them for patterns, options or paths; very long ones are cut.

    Example:
        >>> gradebook_name("Zoë O'Hara"), gradebook_name("[ab]"), gradebook_name(".ann")
        ("Zoë O'Hara", '%5Bab%5D', '%2Eann')
    """
    last = len(student) - 1
    parts = [
        letter if _is_plain(letter, inside=0 < place < last) else _in_bytes(letter)
        for place, letter in enumerate(student)
    ]
    name = "".join(parts)
    if len(name.encode()) <= LONGEST_NAME:
        return name
    start = name.encode()[: LONGEST_NAME - 20].decode(errors="ignore")
    return f"{start}_{hashlib.sha256(os.fsencode(student)).hexdigest()[:16]}"


def _in_bytes(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(letter))


def _is_plain(letter: str, *, inside: bool) -> bool:
    if unicodedata.category(letter)[0] in "LMN":
        return True
    return letter in PLAIN_CHARACTERS if inside else letter == "_"


def read_hand_in(course: Path, student: str, assignment: str) -> HandIn:
    """Read the released notebooks of a submission, and nothing else of it.

    Args:
        course: The course folder.
        student: The name of the student's folder.
        assignment: The name of the submission's folder.

    Returns:
        What was handed in.

    Raises:
        Refused: It holds a link or a special file, or lacks a notebook, or cannot be read.
    """
    with ExitStack() as opened:
        try:
            folder = opened.enter_context(_folder(course / "submitted", None))
            for name in (student, assignment):
                folder = opened.enter_context(_folder(name, folder))
            _refuse_links(folder, "", [MOST_ENTRIES])
            names = _notebook_names(course, assignment, sorted(os.listdir(folder)))
            files = {name: _read(folder, found, LARGEST_FILE) for name, found in names.items()}
            timestamp, notes = _timestamp(folder)
            secret = _secret(folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise Refused("is a link, which may lead to other people's files; copy the files themselves") from None
            raise Refused(f"cannot be read: {os.strerror(error.errno or 0).lower()}; mend its permissions") from None
    return HandIn(files, timestamp, secret, notes)


@contextmanager
def _folder(path: Path | str, parent: int | None) -> Iterator[int]:
    """A folder, opened so that nothing can be put in its place; what lies in submitted/ may not be a link."""
    follow = 0 if parent is None else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | follow, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_links(folder: int, place: str, left: list[int]) -> None:
    """Look at everything in a folder, and open none of it."""
    if place.count("/") >= DEEPEST:
        raise Refused(f"holds folders in folders, more than {DEEPEST} deep; only the notebook is needed")
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
    left[0] -= len(found)
    if left[0] < 0:
        raise Refused(f"holds more than {MOST_ENTRIES} files; only the notebook is needed")
    for name, status in found:
        shown = printable(place + name)
        if stat.S_ISLNK(status.st_mode):
            raise Refused(f"holds a symbolic link, {shown}, which may lead to other people's files; {ASK_AGAIN}")
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            raise Refused(f"{shown} is one file under several names (a hard link), maybe another person's; copy it")
        if stat.S_ISDIR(status.st_mode):
            with _folder(name, folder) as inner:
                _refuse_links(inner, f"{place}{name}/", left)
        elif not stat.S_ISREG(status.st_mode):
            raise Refused(f"{shown} is not an ordinary file (a pipe, socket or device); remove it")


def _notebook_names(course: Path, assignment: str, found: list[str]) -> dict[str, str]:
    """The file of each released notebook: of its name, or the only one that differs in upper case or accents."""
    released = sorted(path.name for path in (course / "release" / assignment).glob("*.ipynb"))
    if not released:
        known = ", ".join(sorted(path.name for path in (course / "release").glob("*")))
        raise Refused(
            f"there is no assignment {printable(assignment)}; the folder must be named as one in release/: {known}"
        )
    names: dict[str, str] = {}
    for name in released:
        alike = [other for other in found if _folded(other) == _folded(name)]
        if name not in found and len(alike) != 1:
            others = [printable(other) for other in found if other.lower().endswith(".ipynb") and other[0] != "."]
            raise Refused(f"holds {', '.join(others[:5]) or 'no notebook'}; the file must be named {name}")
        names[name] = name if name in found else alike[0]
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _read(folder: int, name: str, largest: int) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            raise Refused(f"{printable(name)} is not an ordinary file; {ASK_AGAIN}")
        data = file.read(largest + 1)
    if len(data) > largest:
        raise Refused(f"{printable(name)} is larger than {largest / 2**20:g} MB; have it saved without outputs")
    return data


def _timestamp(folder: int) -> tuple[str, tuple[str, ...]]:
    """The time in timestamp.txt, which nbgrader's exchange writes, and a note if it is none."""
    try:
        text = _read(folder, "timestamp.txt", LARGEST_NOTE).decode(errors="replace").strip()
    except FileNotFoundError:
        return "", ()
    except Refused:
        text = "no time"
    if not text:
        return "", ()
    try:
        time = dateutil.parser.parse(text)
    except (ValueError, OverflowError):
        return "", ("timestamp.txt does not contain a time, so it is not known when this was handed in",)
    if time.tzinfo:
        time = time.astimezone(UTC)
    return f"{time:%Y-%m-%d %H:%M:%S.%f} UTC", ()


def _secret(folder: int) -> str:
    """The secret that nbgrader's exchange lays beside a notebook; empty if there is none, or something else."""
    try:
        secret = _read(folder, SECRET, LARGEST_NOTE).decode(errors="replace").strip()
    except (FileNotFoundError, Refused):
        return ""
    return secret if secret.isascii() and secret.isprintable() else ""


def clean_notebook(name: str, data: bytes) -> tuple[NotebookNode, list[str]]:
    """Make a notebook of what a student handed in.

    Args:
        name: The name of the file, for messages.
        data: Its content, in any of the usual encodings.

    Returns:
        The notebook, with sources, attachments and the names of graded cells, without outputs and all other metadata;
        and notes for the instructor.

    Raises:
        Refused: It is not a notebook.
    """
    text, notes = _decode(name, data)
    try:
        document = _mended(json.loads(text))
    except (ValueError, RecursionError):
        raise Refused(f"{name} is not JSON, so it is not a notebook; {ASK_AGAIN}") from None
    if isinstance(document, dict) and "cells" not in document and "worksheets" in document:
        document = {**document, "cells": _upgraded(name, document)}
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise Refused(f"{name} is JSON, but not a notebook: it has no cells; {ASK_AGAIN}")
    cells = [_clean_cell(cell, f"cell-{number}") for number, cell in enumerate(document["cells"], start=1)]
    _make_ids_unique(cells)
    metadata: dict[str, Any] = {"language_info": {"name": "python"}}
    version = _entry(_entry(document, "metadata"), "igteach").get("version")
    if isinstance(version, str):
        metadata["igteach"] = {"version": version}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata), notes


def _decode(name: str, data: bytes) -> tuple[str, list[str]]:
    if not data.strip():
        raise Refused(f"{name} is empty; {ASK_AGAIN}")
    try:
        return data.decode(json.detect_encoding(data)), []
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), [f"{name} is not in UTF-8; it was read as Windows' Latin 1"]
    except UnicodeDecodeError:
        return data.decode("latin-1"), [f"{name} is not in UTF-8; it was read as Latin 1"]


def _mended(value: Any) -> Any:
    """The same document without nulls, and without halves of characters."""
    if isinstance(value, dict):
        return {SURROGATE.sub("\ufffd", key): _mended(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_mended(item) for item in value if item is not None]
    return SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def _upgraded(name: str, document: dict[str, Any]) -> list[NotebookNode]:
    """The cells of a notebook of the format that Jupyter wrote before 2015 (nbformat 3), in today's."""
    for sheet in _dictionaries(document["worksheets"]):
        for cell in _dictionaries(sheet.get("cells")):
            texts: dict[str, Any] = {key: _source(cell[key]) for key in ("input", "source") if key in cell}
            cell.update({**texts, "outputs": [], "metadata": _entry(cell, "metadata")})
    try:
        return nbformat.convert(nbformat.from_dict({**OLD_FORMAT, "worksheets": document["worksheets"]}), 4).cells
    except Exception:  # whatever an old converter raises at what it does not expect
        raise Refused(f"{name} is in an old format of notebooks, and cannot be converted; {ASK_AGAIN}") from None


def _clean_cell(cell: Any, number: str) -> NotebookNode:
    cell = cell if isinstance(cell, dict) else {}
    kind = cell.get("cell_type")
    kind = kind if kind in CELL_TYPES else "raw"
    clean = getattr(nbformat.v4, f"new_{kind}_cell")(_source(cell.get("source")))
    given_id = cell.get("id")
    clean["id"] = given_id if isinstance(given_id, str) and CELL_ID.fullmatch(given_id) else number
    name = _entry(_entry(cell, "metadata"), "nbgrader").get("grade_id")
    if isinstance(name, str):
        clean.metadata["nbgrader"] = {"grade_id": name}
    if kind == "markdown" and (attachments := _attachments(cell)):
        clean["attachments"] = attachments
    return clean


def _source(source: Any) -> str:
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))


def _attachments(cell: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The pictures of a Markdown cell, by name and type."""
    found = {}
    for name, data in _entry(cell, "attachments").items():
        pictures = {kind: _source(text) for kind, text in data.items()} if isinstance(data, dict) else {}
        found[name] = {kind: text for kind, text in pictures.items() if kind.startswith("image/")}
    return {name: pictures for name, pictures in found.items() if pictures}


def _make_ids_unique(cells: list[NotebookNode]) -> None:
    seen = set()
    for number, cell in enumerate(cells, start=1):
        if cell["id"] in seen:
            cell["id"] = f"again-{number}"
        seen.add(cell["id"])


def _entry(value: Any, key: str) -> dict[str, Any]:
    """The dictionary under a key; empty if there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def keep_answers_in_locked_cells(notebook: NotebookNode, release: NotebookNode) -> None:
    """Copy what a student wrote into a locked text, such as the question's own cell, to a cell below it.

    nbgrader puts the locked text back, and the answer would be gone.

    Args:
        notebook: The submission, which is changed.
        release: The release of its assignment.
    """
    locked = _locked_cells(release)
    for place, cell in reversed(list(enumerate(notebook.cells))):
        original = locked.get(grade_id(cell))
        if original is None or original.cell_type != "markdown":
            continue
        if _without_end_spaces(cell.source) != _without_end_spaces(original.source):
            answer = nbformat.v4.new_markdown_cell(cell.source)
            answer["id"] = f"written-in-{place}"
            notebook.cells.insert(place + 1, answer)


def essay_of(notebook: NotebookNode, release: NotebookNode) -> str:
    """What a student wrote for a person to read.

    Args:
        notebook: The submission.
        release: The release of its assignment.

    Returns:
        The texts and pictures that the release does not have, and everything new below its question: as one text, which
        changes if and only if they do, apart from space at the ends of lines.
    """
    released = {_without_end_spaces(cell.source) for cell in release.cells}
    locked = _locked_cells(release)
    written, is_below = [], False
    for cell in notebook.cells:
        text = _without_end_spaces(cell.source)
        is_new = text not in released or bool(cell.get("attachments"))
        if is_new and grade_id(cell) not in locked and (is_below or cell.cell_type != "code"):
            pictures = json.dumps(cell.get("attachments", {}), sort_keys=True)
            written.append(text if pictures == "{}" else f"{text}\n{pictures}")
        is_below = is_below or grade_id(cell).startswith("question-")
    return "\n\n".join(written)


def _locked_cells(release: NotebookNode) -> dict[str, NotebookNode]:
    """The cells of a release that students may not change, by name."""
    locked = [cell for cell in release.cells if cell.metadata.get("nbgrader", {}).get("locked")]
    return {grade_id(cell): cell for cell in locked}


def _without_end_spaces(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
