"""Moodle's grading worksheet and Canvas's gradebook: the tables that the platforms give out and take back."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dateutil import parser

from igteach.course.tables import read_table, same_word


@dataclass(frozen=True)
class Participant:
    """A row of Moodle's grading worksheet.

    Attributes:
        number: The number of "Participant 123", of this assignment alone.
        name: The full name.
        email: The email address.
        handed_in: When the student handed in, in UTC and without a zone; None if not, or if the column is missing.
    """

    number: str
    name: str
    email: str
    handed_in: datetime | None


def column(header: list[str], name: str, path: Path) -> int:
    """Where a column stands.

    Args:
        header: The names of the columns.
        name: The name; case, spaces and punctuation do not count.
        path: The file, for the error message.

    Returns:
        Its number, from 0.

    Raises:
        ValueError: There is none.
    """
    words = [same_word(one) for one in header]
    if same_word(name) not in words:
        raise ValueError(f"{path} has no column {name!r}; it has: {', '.join(header)}. Download it again, in English")
    return words.index(same_word(name))


def participant_number(identifier: str) -> str:
    """The number in Moodle's "Participant 123".

    Args:
        identifier: The text of the column "Identifier".

    Returns:
        The digits at its end; empty if there are none.
    """
    found = re.search(r"\d+$", identifier)
    return found.group() if found else ""


def read_participants(worksheet: Path) -> dict[str, Participant]:
    """Read Moodle's grading worksheet.

    Args:
        worksheet: The file, downloaded in English ("Download grading worksheet").

    Returns:
        Its rows, by participant number. Times are taken as being of this computer's time zone, to the minute.

    Raises:
        ValueError: It is not Moodle's worksheet.
    """
    header, *rows = read_table(worksheet)
    number_at = column(header, "Identifier", worksheet)
    words = [same_word(name) for name in header]
    places = {name: words.index(same_word(name)) for name in _OPTIONAL if same_word(name) in words}

    def cell(row: list[str], name: str) -> str:
        return row[places[name]] if name in places else ""

    participants = {}
    for row in rows:
        number = participant_number(row[number_at])
        time = _moment(cell(row, "Last modified (submission)"))
        participants[number] = Participant(number, cell(row, "Full name"), cell(row, "Email address"), time)
    return participants


_OPTIONAL = ("Full name", "Email address", "Last modified (submission)")


def _moment(text: str) -> datetime | None:
    """Read such as "Friday, 27 November 2026, 11:59 PM"; None for "-"."""
    try:
        return parser.parse(text).astimezone().astimezone(UTC).replace(tzinfo=None) if text not in ("", "-") else None
    except (ValueError, OverflowError):
        return None
