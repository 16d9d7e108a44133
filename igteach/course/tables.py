"""Tables of people and spreadsheets: read whatever their encoding and delimiter, written so that no cell runs."""

import codecs
import csv
import io
import re
from pathlib import Path

DELIMITERS = ",;\t"
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def read_table(path: Path) -> list[list[str]]:
    """Read a CSV file as Excel, Moodle and Canvas save it.

    Args:
        path: The file, in UTF-8 or UTF-16 with or without a byte-order mark, or else in Windows-1252; its cells are
            separated by whichever of comma, semicolon and tab is the most frequent in its first line.

    Returns:
        The rows that are not empty, the header first, each as long as the header, without spaces around the cells.

    Raises:
        ValueError: The file has no header.
    """
    text = _decode(path.read_bytes())
    first_line = text.partition("\n")[0].strip()
    if first_line.lower().startswith("sep=") and len(first_line) == 5:  # Excel's own line
        delimiter, text = first_line[-1], text.partition("\n")[2]
    else:
        delimiter = max(DELIMITERS, key=first_line.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ValueError(f"{path} is empty; it needs a line that names its columns")
    width = len(rows[0])
    return [(row + [""] * width)[:width] for row in rows]


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def same_word(text: str) -> str:
    """What is left of a column's or person's name when case, spaces and punctuation do not count.

    Args:
        text: A name.

    Returns:
        Its letters and digits, in lower case.

    Example:
        >>> same_word("Email address") == same_word("e-mail_Address")
        True
    """
    return re.sub(r"[\W_]", "", text.casefold())


def escape_formula(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula.

    Args:
        text: The text of a cell.

    Returns:
        The text, with an apostrophe before it if a spreadsheet would run it; a number stays a number.

    Example:
        >>> escape_formula("=1+1"), escape_formula("-0.5")
        ("'=1+1", '-0.5')
    """
    runs = text.lstrip().startswith(("=", "+", "-", "@"))
    return f"'{text}" if runs and not NUMBER.fullmatch(text) else text


def as_csv(rows: list[list[str]]) -> str:
    """Write rows as text, separated by commas.

    Args:
        rows: The rows, the header first.

    Returns:
        The text of a CSV file.
    """
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
