"""Writing files so that a crash leaves the old one or the new one, never half of one."""

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str, *, replace: bool) -> None:
    """Write text to a temporary name beside path, then give it its name.

    Raises FileExistsError where path exists and `replace` is False; that file is then left as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        if replace:
            os.replace(temporary, path)
        else:
            _name_new(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _name_new(temporary: str, path: Path) -> None:
    """Give the file its name if nothing has that name yet, in one step where the file system can."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links here, as on some network and FAT drives
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.rename(temporary, path)
