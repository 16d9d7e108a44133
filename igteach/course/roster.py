"""The roster: who is in the class, and what the platforms call each of them."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from igteach.course.tables import read_table, same_word

SAFE_NAME = re.compile(r"[\w@+][\w.@+-]*")  # of a folder: no glob, no path, nothing hidden
# What a column may be called, without case, spaces and punctuation. Moodle's and Canvas's own downloads are among them.
COLUMNS = {
    "student": ("student", "studentid", "username", "login", "sisloginid", "idnumber"),
    "name": ("name", "fullname", "studentname"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "moodle": ("moodleid", "moodle", "participant", "participantid", "moodleparticipant", "identifier"),
    "canvas": ("canvasid", "canvas", "canvasuserid", "id"),
    "section": ("section", "sections", "group", "groups"),
}


@dataclass(frozen=True)
class Person:
    """A row of the roster.

    Attributes:
        student: The name of the student's folder in submitted/.
        name: The full name.
        email: The email address.
        moodle: The number of Moodle's "Participant 123"; Moodle gives another one for each assignment.
        canvas: Canvas's number of the user.
        section: The section or group.
    """

    student: str
    name: str = ""
    email: str = ""
    moodle: str = ""
    canvas: str = ""
    section: str = ""


def read_roster(course: Path) -> list[Person]:
    """Read COURSE/roster.csv.

    Args:
        course: The course folder.

    Returns:
        The people on it, in its order; none if there is no such file.

    Raises:
        ValueError: A column or a name is missing, or two rows have the same student or number.
    """
    path = course / "roster.csv"
    if not path.exists():
        return []
    header, *rows = read_table(path)
    columns = _columns_of(header)
    if "student" not in columns and "email" not in columns:
        raise ValueError(f"{path} has no column 'student' (nor 'email'); it has: {', '.join(header)}")
    people = [_person({field: row[place] for field, place in columns.items()}) for row in rows if _is_person(row)]
    for person in people:
        if not SAFE_NAME.fullmatch(person.student):
            raise ValueError(
                f"{path}: {person.student!r} ({person.name or person.email or 'no name'}) cannot name a student's "
                "folder; use letters, digits, and . _ @ + -"
            )
    for field in ("student", "moodle", "canvas"):
        counts = Counter(getattr(person, field).casefold() for person in people if getattr(person, field))
        twice = [value for value, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"{path}: two rows have the {field} {twice[0]!r}; each needs one of its own")
    return people


def _columns_of(header: list[str]) -> dict[str, int]:
    """Where each field stands; in Canvas's own download "Student" is the full name."""
    words = [same_word(name) for name in header]
    columns = {}
    for field, names in COLUMNS.items():
        found = [words.index(name) for name in names if name in words]
        if found:
            columns[field] = found[0]
    if "sisloginid" in words and "student" in words:
        columns["name"], columns["student"] = words.index("student"), words.index("sisloginid")
    return columns


def _is_person(row: list[str]) -> bool:
    """Whether a row is a person, and not one of the lines that Canvas puts between the header and the people."""
    return row[0] not in ("Points Possible", "Student, Test") and not all(
        cell in ("", "Manual Posting", "(read only)") for cell in row
    )


def _person(cells: dict[str, str]) -> Person:
    moodle = re.sub(r"^participant\s+", "", cells.get("moodle", ""), flags=re.IGNORECASE)
    for number, column in ((moodle, "Moodle's"), (cells.get("canvas", ""), "Canvas's")):
        if not re.fullmatch(r"\d*", number):
            raise ValueError(f"roster.csv: {number!r} is not {column} number of a person; it has digits only")
    return Person(
        student=cells.get("student") or cells.get("email", "").partition("@")[0],
        name=cells.get("name") or f"{cells.get('first', '')} {cells.get('last', '')}".strip(),
        email=cells.get("email", ""),
        moodle=moodle,
        canvas=cells.get("canvas", ""),
        section=cells.get("section", ""),
    )


def only_match(people: Iterable[Person], field: str, value: str) -> Person | None:
    """Find the one person with a value.

    Args:
        people: The roster.
        field: The name of one of the fields of Person.
        value: What it should be; names are compared by their letters, whatever their order, as Canvas shuffles them.

    Returns:
        The person; None if there is nobody, or more than one.
    """
    assert field in {one.name for one in fields(Person)}
    key = _letters if field == "name" else str.casefold
    found = [person for person in people if value and key(getattr(person, field)) == key(value)]
    return found[0] if len(found) == 1 else None


def only_namesake(people: Iterable[Person], name: str, email: str) -> Person | None:
    """Find the one person with a name, in any order of its words, unless the addresses say that it is somebody else.

    Args:
        people: The roster.
        name: The full name.
        email: The email address that the platform has; empty if it is not known.

    Returns:
        The person; None if there is nobody, or more than one.
    """
    found = [person for person in people if name and _words(person.name) == _words(name)]
    person = found[0] if len(found) == 1 else None
    return None if person and person.email and email else person


def _words(name: str) -> list[str]:
    return sorted(filter(None, map(same_word, name.split())))


def _letters(name: str) -> str:
    return "".join(sorted(same_word(name)))
