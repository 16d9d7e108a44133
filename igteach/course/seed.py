"""The course seed: what every hidden test is drawn from, and what the instructor alone keeps."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from igteach.lessons.lesson import holds_lessons

SEED_BYTES = 32


def default_seed_file(course: Path) -> Path:
    """Where a course's seed is kept by default: beside the course folder, not in it.

    Args:
        course: The course folder.

    Returns:
        Such as ../course.seed.
    """
    return course.resolve().with_name(f"{course.resolve().name}.seed")


def make_seed(file: Path) -> None:
    """Make a course seed if there is no such file yet.

    Args:
        file: Where the seed is to be. A new file is readable by its owner only.

    Raises:
        ValueError: The file is in the repository.
    """
    require_outside_repository(file, "the seed")
    if not file.exists():
        _write_new_seed(file)


def read_seed(file: Path) -> bytes:
    """Read the course seed.

    Args:
        file: The file of the seed: 64 hexadecimal digits.

    Returns:
        The seed, 32 bytes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It contains anything else.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f"the course seed is not at {file}; put it back, or correct its path in nbgrader_config.py"
        )
    try:
        seed = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise ValueError(
            f"{file} does not contain a course seed: 64 hexadecimal digits; give the right file, or a new name"
        )
    return seed


def _write_new_seed(file: Path) -> None:
    """Write a random seed that nobody but its owner can read, and never over an existing file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as new_file:
        new_file.write(secrets.token_hex(SEED_BYTES) + "\n")


def require_outside_repository(path: Path, name: str) -> None:
    """Refuse a path inside a clone, where a commit would publish it, or inside the package.

    Args:
        path: Where a course or a seed is to be.
        name: What the path is for, such as "the seed"; the error message says it.

    Raises:
        ValueError: The path is inside the clone.
    """
    if holds_lessons(path):
        raise ValueError(f"{name} must not be in the repository ({path}), which is public; choose a place outside it")


def derive_secret(seed: bytes, purpose: str) -> int:
    """Derive a secret number from the course seed, by HMAC-SHA256.

    Args:
        seed: The course seed.
        purpose: What the secret is for: an exercise's id, "shortcut" or "exam". Each has a secret of its own.

    Returns:
        A number from 0 to 2**63 - 1, which torch takes as a seed.
    """
    digest = hmac.digest(seed, purpose.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") >> 1
