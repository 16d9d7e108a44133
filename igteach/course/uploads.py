"""What a platform's zip or a folder holds, copied out of reach of whoever packed it.

nbgrader's own zip_collect unpacks archives, and archives within them, whole, without a bound, and with the permissions
that they name; it takes one pattern of file names, does not know a roster, and keeps no earlier hand-in. Here only
notebooks are read, each up to a bound, into files that we name; a path in a zip never becomes a path on the disk.
"""

import contextlib
import lzma
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

LARGEST_NOTEBOOK = 100_000_000  # bytes
LARGEST_SUM = 4_000_000_000  # bytes of all notebooks
MOST_ENTRIES = 50_000  # files and folders in a zip
WORST_RATIO = 200  # unpacked to packed, of a notebook larger than RATIO_COUNTS_FROM; 1,032 is the most there is
RATIO_COUNTS_FROM = 10_000_000  # bytes
NOTEBOOK = re.compile(r"\.ipynb(\.json|\.txt)?$", re.IGNORECASE)  # browsers like to add .json or .txt
TIME_FILE = "timestamp.txt"
CHUNK = 2**20
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError, OSError)


@dataclass
class Found:
    """What was found in a zip or folder.

    Attributes:
        notebooks: The path of each notebook in the zip or folder, and the copy that was made of it.
        others: The paths of the files that are no notebooks.
        lines: What was refused, a line each.
        times: The text of each timestamp.txt, by its path.
        status: What the system says of each notebook in a folder, by its path: owner and times.
    """

    notebooks: dict[PurePosixPath, Path] = field(default_factory=dict)
    others: list[PurePosixPath] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    times: dict[PurePosixPath, str] = field(default_factory=dict)
    status: dict[PurePosixPath, os.stat_result] = field(default_factory=dict)


class RefusedError(Exception):
    """One file is not taken; the message says why."""


def copy_out(source: Path, staging: Path) -> Found:
    """Copy the notebooks of a zip or a folder.

    Args:
        source: The zip file or the folder. Links in it are not followed.
        staging: An empty folder of ours for the copies, which are named 0, 1, 2 and so on.

    Returns:
        What was found.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is neither a zip nor a folder, is damaged as a whole, or has too many entries.
    """
    if not source.exists():
        raise FileNotFoundError(f"there is no {source}; name the platform's zip, or a folder with what was handed in")
    if source.is_dir():
        return _copy_folder(source, staging)
    try:
        with zipfile.ZipFile(source) as archive:
            return _copy_zip(archive, staging)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{source} is not a zip file, or is damaged ({error}); download it again") from error


def shown(path: PurePosixPath | str) -> str:
    """A path from a stranger, safe to print.

    Args:
        path: The path, which may hold control characters and bytes that are no text.

    Returns:
        The path, with a question mark for each of these.
    """
    return "".join(letter if letter.isprintable() else "?" for letter in str(path))


def _copy_zip(archive: zipfile.ZipFile, staging: Path) -> Found:
    entries = [(zip_name(entry), entry) for entry in archive.infolist()]
    if len(entries) > MOST_ENTRIES:
        raise ValueError(
            f"the zip has {len(entries)} entries, more than {MOST_ENTRIES}; unpack it, look, and collect the folder"
        )
    counts = Counter(name for name, _ in entries)
    found, left = Found(), LARGEST_SUM
    for name, entry in entries:
        path = PurePosixPath(name)
        if entry.is_dir() or is_clutter(path):
            continue
        try:
            _check_entry(name, entry, counts[name])
            if NOTEBOOK.search(path.name):
                with archive.open(entry) as file:
                    left -= _copy(file, staging / str(len(found.notebooks)), left)
                found.notebooks[path] = staging / str(len(found.notebooks))
            else:
                found.others.append(path)
        except RefusedError as refusal:
            found.lines.append(f"refused: {shown(name)} {refusal}")
        except DAMAGED as error:
            found.lines.append(f"refused: {shown(name)} is damaged or locked ({shown(str(error))})")
    return found


def zip_name(entry: zipfile.ZipInfo) -> str:
    """The name of a zip's entry as it was meant.

    Canvas writes UTF-8 and does not say so; such a name is read as the old code page of DOS, and is mended here.

    Args:
        entry: The entry.

    Returns:
        Its path with forward slashes, in Unicode's composed form, which macOS does not use.
    """
    name = entry.filename
    says_utf8 = entry.flag_bits & 0x800
    if not says_utf8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def is_clutter(path: PurePosixPath) -> bool:
    """Whether a file is one that a system or an editor leaves behind.

    Args:
        path: Its path.

    Returns:
        True for what macOS and Jupyter add: `__MACOSX/`, `._name`, `.DS_Store`, `.ipynb_checkpoints/`.
    """
    clutter = ("__MACOSX", ".DS_Store", ".ipynb_checkpoints")
    return any(part in clutter or part.startswith("._") for part in path.parts)


def _check_entry(name: str, entry: zipfile.ZipInfo, count: int) -> None:
    """Raises RefusedError for an entry of a zip that is not to be read."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in PurePosixPath(name).parts:
        raise RefusedError("leads out of the zip")
    if kind not in (0, stat.S_IFREG):
        raise RefusedError("is a link or not an ordinary file")
    if count > 1:
        raise RefusedError(f"is in the zip {count} times; no one can say which counts")
    if entry.file_size > max(RATIO_COUNTS_FROM, WORST_RATIO * entry.compress_size) and NOTEBOOK.search(name):
        raise RefusedError(f"unpacks to more than {WORST_RATIO} times its size, as no notebook does")


def _copy(source: IO[bytes], target: Path, left: int) -> int:
    """Copy a file up to a bound, and give its size; past the bound RefusedError, and no copy stays."""
    bound, size = min(LARGEST_NOTEBOOK, left), 0
    try:
        with target.open("xb") as copy:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > bound:
                    raise RefusedError(_too_large(left))
                copy.write(chunk)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return size


def _too_large(left: int) -> str:
    if left < LARGEST_NOTEBOOK:
        return f"is one too many: all notebooks together are larger than {LARGEST_SUM // 1_000_000} MB"
    return f"is larger than {LARGEST_NOTEBOOK // 1_000_000} MB; ask for it without its outputs"


def _copy_folder(source: Path, staging: Path) -> Found:
    """By descriptors, not by names: a student who may write here cannot swap a folder for a link meanwhile."""
    found, left = Found(), LARGEST_SUM
    for folder, folders, files, descriptor in os.fwalk(source, follow_symlinks=False):
        folders[:] = sorted(name for name in folders if not is_clutter(PurePosixPath(name)))
        place = PurePosixPath(os.path.relpath(folder, source))
        for name in [*folders, *sorted(files)]:
            path = place / name
            if is_clutter(path):
                continue
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                found.lines.append(f"refused: {shown(path)} is a link or not an ordinary file")
            elif NOTEBOOK.search(name) or name == TIME_FILE:
                left -= _take(path, descriptor, staging, left, found)
            else:
                found.others.append(path)
    return found


def _take(path: PurePosixPath, descriptor: int, staging: Path, left: int, found: Found) -> int:
    """Copy one file of a folder that is open, and give its size."""
    try:
        with _open_plain(path.name, descriptor) as file:
            if path.name == TIME_FILE:
                found.times[path] = file.read(100).decode("ascii", errors="replace")
                return 0
            target = staging / str(len(found.notebooks))
            size = _copy(file, target, left)
            found.notebooks[path] = target
            found.status[path] = os.fstat(file.fileno())
            return size
    except RefusedError as refusal:
        found.lines.append(f"refused: {shown(path)} {refusal}")
    except OSError as error:
        found.lines.append(f"refused: {shown(path)} cannot be read ({error.strerror})")
    return 0


def _open_plain(name: str, folder: int) -> IO[bytes]:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise RefusedError("is a link or not an ordinary file")
    return os.fdopen(file, "rb")
