"""The course seed, from which every hidden test is drawn, and which the instructor alone keeps."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from igteach.lessons.lesson import holds_lessons


def course_seed(file: Path) -> bytes:
    """The 32 bytes that the file holds in hexadecimal; made, readable by its owner only, where there is no file.

    Raises ValueError for a file that holds anything else.
    """
    outside_the_repository(file, "the seed")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as new:
            new.write(secrets.token_hex(32) + "\n")
    try:
        seed = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise ValueError(
            f"{file} does not hold a course seed: 64 hexadecimal digits; give the right file, or a new name"
        )
    return seed


def outside_the_repository(path: Path, what: str) -> None:
    """Raises ValueError for a path inside a clone, where a commit would publish it, or inside the package."""
    if holds_lessons(path):
        raise ValueError(f"{what} must not lie in the repository ({path}), which is public; choose a place outside")


def secret_of(seed: bytes, exercise: str) -> int:
    """The number below 2**63 that the hidden cases of an exercise are drawn with (HMAC-SHA256 of its id)."""
    return int.from_bytes(hmac.digest(seed, exercise.encode(), hashlib.sha256)[:8], "big") >> 1
