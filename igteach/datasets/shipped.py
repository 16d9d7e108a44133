"""Files shipped in `data/`: found, and verified by SHA-256 before they are opened."""

import hashlib
from pathlib import Path

from torch import Tensor

SUMS = "SHA256SUMS"  # as written by the program sha256sum


def data_folder() -> Path:
    """Where the shipped files are.

    Returns:
        The folder `data/`: inside an installed package, beside the package in a clone.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


def load_state(name: str, folder: Path | None = None) -> dict[str, Tensor]:
    """The tensors of `folder/NAME.safetensors`.

    Args:
        name: The file's name, without its ending.
        folder: Its folder; the one with the shipped files if None.

    Returns:
        The tensors by name, on the CPU.

    Raises:
        FileNotFoundError: If the file or the list of sums is missing.
        ValueError: If the list has no line for the file, or if the file is not the one that was listed. It is then not
            opened.
    """
    path = (folder or data_folder()) / f"{name}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; copy the folder data/ of the repository again, or reinstall igteach"
        )
    content = path.read_bytes()
    wanted, found = _listed_sum(path), sha256_of(content)
    if found != wanted:
        raise ValueError(
            f"{path} has SHA-256 {found}, but {SUMS} lists {wanted}: the file is damaged or not ours, and was not "
            "opened; copy it again from the repository"
        )
    return safetensors_torch().load(content)


def save_state(name: str, state: dict[str, Tensor], folder: Path | None = None) -> str:
    """Write tensors to `folder/NAME.safetensors`, and list the file's SHA-256 beside it.

    Args:
        name: The file's name, without its ending.
        state: The tensors by name.
        folder: Its folder; the one with the shipped files if None.

    Returns:
        The SHA-256 in hexadecimal.
    """
    folder = folder or data_folder()
    path = folder / f"{name}.safetensors"
    path.write_bytes(safetensors_torch().save({key: tensor.contiguous() for key, tensor in state.items()}))
    sums = _read_sums(folder) if (folder / SUMS).is_file() else {}
    sums[path.name] = sha256_of(path.read_bytes())
    (folder / SUMS).write_text("".join(f"{sums[file]}  {file}\n" for file in sorted(sums)), newline="\n")
    return sums[path.name]


def sha256_of(content: bytes) -> str:
    """The SHA-256 of a file's content.

    Args:
        content: What the file holds.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> sha256_of(b"")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def _listed_sum(path: Path) -> str:
    sums = path.parent / SUMS
    if not sums.is_file():
        raise FileNotFoundError(f"{sums} is missing, so {path.name} cannot be verified; copy it from the repository")
    listed = _read_sums(path.parent)
    if path.name not in listed:
        raise ValueError(
            f"{sums} has no line for {path.name}, so it was not opened; copy both again from the repository"
        )
    return listed[path.name]


def _read_sums(folder: Path) -> dict[str, str]:
    """SHA-256 by file name."""
    lines = (folder / SUMS).read_text().splitlines()
    return {file: digest for digest, file in (line.split(maxsplit=1) for line in lines if line.strip())}


def safetensors_torch():  # type: ignore[no-untyped-def]
    """The module `safetensors.torch`.

    Returns:
        The module.

    Raises:
        ImportError: If safetensors is not installed; says how to install it.
    """
    try:
        import safetensors.torch
    except ImportError:
        raise ImportError("weights need safetensors: pip install safetensors") from None
    return safetensors.torch
