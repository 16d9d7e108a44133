"""Zips as Moodle and Canvas pack them, notebooks of a lesson that does not exist, and a course that releases it."""

import json
import zipfile
from pathlib import Path

ASSIGNMENT, NOTEBOOK = "04_lesson-aaaaaa", "04_lesson.ipynb"
ROSTER = """student,name,email,moodle id,canvas id,section
ann,Ann Lee,ann@uni.edu,,501,A
bob,Bob Ray,bob@uni.edu,,502,A
jane1,Jane Doe,jane1@uni.edu,71,503,B
jane2,Jane Doe,jane2@uni.edu,72,504,B
"""


def notebook(text: str, version: str = "aaaaaa111111") -> bytes:
    cell = {"cell_type": "markdown", "metadata": {}, "source": text}
    metadata = {"igteach": {"lesson": "04", "version": version}}
    return json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def make_course(folder: Path, roster: str = ROSTER) -> Path:
    release = folder / "release" / ASSIGNMENT / NOTEBOOK
    release.parent.mkdir(parents=True)
    release.write_bytes(notebook("released"))
    if roster:
        (folder / "roster.csv").write_text(roster, encoding="utf-8")
    return folder


class SaysNothing(zipfile.ZipInfo):
    """An entry with a UTF-8 name that does not say so, as rubyzip writes it for Canvas."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("utf-8"), self.flag_bits & ~0x800


def make_zip(path: Path, entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content, compress_type=zipfile.ZIP_DEFLATED)
    return path


def submitted(course: Path) -> dict[str, bytes]:
    """What lies in submitted/, hidden files too, by path."""
    files = (path for path in (course / "submitted").rglob("*") if not path.is_dir())
    return {str(path.relative_to(course / "submitted")): path.read_bytes() for path in files}
