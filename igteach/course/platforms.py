"""How Moodle, Canvas and nbgrader's exchange name what they hand over, and whose it is.

Moodle's `mod_assign` packs `Full Name_1234567_assignsubmission_file_/FILE`, newer ones without the last underscore, or
without folders `Full Name_1234567_assignsubmission_file_FILE`. The number is the "Participant 1234567" of this one
assignment. Canvas's `ContentZipper` packs `lastfirst_LATE_USER_ATTACHMENT_FILE`: LATE only if it is, the number of the
user, the number of the upload. The exchange's inbound has `STUDENT+ASSIGNMENT+TIME` or `STUDENT+ASSIGNMENT+TIME+KEY`.
What follows the numbers is the student's to choose, and is never read as another name or number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from nbgrader.utils import parse_utc

from igteach.course.roster import SAFE_NAME

MOODLE = re.compile(r"(?P<name>[^_]*)_(?P<id>\d+)_assignsubmission_[a-z]+(_(?P<file>.*))?", re.DOTALL)
EXCHANGE = re.compile(
    r"(?P<student>.+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \w+)(\+[^+]*)?", re.DOTALL
)
COPY = re.compile(r"(?:-(\d+)| ?\((\d+)\)| - Copy| copy|-Copy(\d+))+$", re.IGNORECASE)


@dataclass(frozen=True)
class HandIn:
    """A file that was handed in, as far as its path tells.

    Attributes:
        path: Its path in the zip or folder.
        platform: "moodle", "canvas", "exchange" or "folder".
        person: The number that the platform gives the person, or the student's name.
        name: The full name in the path; Canvas's is in lower case and without spaces.
        file: The file's own name.
        assignment: The assignment that the path names; empty if it names none.
        late: Whether Canvas marks it as late.
        time: When it was handed in, in UTC and without a zone; None if the path does not tell.
        upload: Canvas's number of the upload, which grows; 0 elsewhere.
    """

    path: PurePosixPath
    platform: str
    person: str
    name: str
    file: str
    assignment: str = ""
    late: bool = False
    time: datetime | None = None
    upload: int = 0


def hand_ins(paths: Iterable[PurePosixPath], students: set[str], from_zip: bool) -> dict[PurePosixPath, list[HandIn]]:
    """Tell by their paths whose files are.

    Args:
        paths: The paths of files in a zip or folder.
        students: The names of the students; empty if there is no roster, and a folder may be called after anyone.
        from_zip: Whether they come from a zip, where no exchange is.

    Returns:
        For each path the ways to read it: none if it fits no platform, and more than one if a Canvas name is
        ambiguous.
    """
    paths = list(paths)
    wrapper = _wrapper(paths, students, from_zip)
    return {path: _readings(path, path.parts[wrapper:], students, from_zip) for path in paths}


def _wrapper(paths: list[PurePosixPath], students: set[str], from_zip: bool) -> int:
    """How many folders lie around everything and say nothing: 0 or 1."""
    tops = {path.parts[0] for path in paths}
    if len(tops) != 1 or any(len(path.parts) == 1 for path in paths):
        return 0
    (top,) = tops
    if MOODLE.fullmatch(top) or top in students or (EXCHANGE.fullmatch(top) and not from_zip):
        return 0
    inside = [path.parts[1] for path in paths]
    says_whose = all(MOODLE.fullmatch(name) or _canvas_readings(PurePosixPath(name), name) for name in inside)
    return 1 if students or says_whose else 0


def _readings(path: PurePosixPath, parts: tuple[str, ...], students: set[str], from_zip: bool) -> list[HandIn]:
    outer, file = parts[0], parts[-1]
    moodle = MOODLE.fullmatch(outer)
    if moodle:
        name = (moodle["file"] or "") if len(parts) == 1 else file
        return [HandIn(path, "moodle", moodle["id"], moodle["name"], name)]
    if len(parts) == 1:
        return _canvas_readings(path, outer)
    exchange = None if from_zip else EXCHANGE.fullmatch(outer)
    if exchange:
        assignment, time = exchange["assignment"], parse_utc(exchange["time"])
        return [HandIn(path, "exchange", exchange["student"], "", file, assignment, time=time)]
    assignment = parts[1] if len(parts) > 2 else ""
    is_student = outer in students if students else SAFE_NAME.fullmatch(outer)
    return [HandIn(path, "folder", outer, "", file, assignment)] if is_student else []


def _canvas_readings(path: PurePosixPath, name: str) -> list[HandIn]:
    """Every way to read a name, from the left: one's own name and one's file's name may hold numbers, too."""
    readings = []
    for numbers in re.finditer(r"(?=_(\d+)_(\d+)_(.+))", name, re.DOTALL):
        person = name[: numbers.start()]
        if re.fullmatch(r"\w*", person):
            plain = person.removesuffix("_LATE")
            late = plain != person
            upload = int(numbers[2])
            readings.append(HandIn(path, "canvas", numbers[1], plain, numbers[3], late=late, upload=upload))
    return readings


def original_name(file: str) -> tuple[str, int]:
    """Take off what browsers and platforms add to a file's name.

    Args:
        file: Such as "04_x-1.ipynb", "04_x (2).ipynb" or "04_x.ipynb.json".

    Returns:
        Such as "04_x.ipynb", and the number of the copy, 0 if it is not one.

    Example:
        >>> original_name("04_x-2.ipynb"), original_name("04_x (1).ipynb.txt"), original_name("04_x.ipynb")
        (('04_x.ipynb', 2), ('04_x.ipynb', 1), ('04_x.ipynb', 0))
    """
    stem = re.sub(r"\.ipynb(\.json|\.txt)?$", "", file, flags=re.IGNORECASE)
    copy = COPY.search(stem)
    if not copy:
        return f"{stem}.ipynb", 0
    numbers = [int(number) for number in copy.groups() if number]
    return f"{stem[: copy.start()]}.ipynb", max(numbers, default=1)
