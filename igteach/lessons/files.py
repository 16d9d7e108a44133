"""Writing files so that a crash leaves the old one or the new one, never half of one."""

import errno
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: str | bytes, *, replace: bool, mode: int = 0o644) -> None:
    """Write to a temporary name beside a file, then give it the file's name.

    Args:
        path: The file. Its folder is made if it is missing. If path is a link, the file that it leads to is replaced,
            and the link stays.
        content: What the file will hold; text is written in UTF-8.
        replace: Whether a file of that name may be replaced.
        mode: Who may read and write the file; at no moment anybody else.

    Raises:
        FileExistsError: If path exists and may not be replaced; it is then left as it is.
        OSError: If the file cannot be written. It names `path`, not the temporary file, and nothing is left behind.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if replace:
        path = Path(os.path.realpath(path))
    make_folder(path.parent)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, mode)
            if replace:
                os.replace(temporary, path)
            else:
                _name_new(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, if they are missing.

    Args:
        folder: The folder.

    Raises:
        NotADirectoryError: If a file has the name of the folder, or of one above it; it is left as it is.
        OSError: If the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        reason = "this is a file, and a folder of that name is needed"
        raise NotADirectoryError(errno.ENOTDIR, reason, str(file)) from None


def in_one_sentence(error: OSError) -> str:
    """What could not be done, and to which file.

    Args:
        error: An error of the operating system, or one of ours whose message is a sentence already.

    Returns:
        Such as `work/progress.json: no space left on device`.

    Example:
        >>> in_one_sentence(PermissionError(13, "Permission denied", "work"))
        'work: permission denied'
    """
    if error.strerror is None:
        return str(error)
    reason = error.strerror[:1].lower() + error.strerror[1:]
    return f"{error.filename}: {reason}" if error.filename else reason


def _name_new(temporary: str, path: Path) -> None:
    """Give the file its name if nothing has that name yet, in one step where the file system can."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links here, as on some network and FAT drives
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "File exists", str(path)) from None
        os.rename(temporary, path)
