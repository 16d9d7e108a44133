"""COURSE/collected.csv: where each hand-in came from."""

from pathlib import Path

from igteach.course.tables import as_csv, read_table
from igteach.lessons.files import write_atomically

FILE = "collected.csv"
COLUMNS = ["student", "assignment", "platform", "id", "late", "file", "collected"]
Log = dict[tuple[str, str], dict[str, str]]  # a row, by column, for each student and assignment


def read_log(course: Path) -> Log:
    """Read where the collected hand-ins came from.

    Args:
        course: The course folder.

    Returns:
        The rows of collected.csv; none if nothing was collected.
    """
    path = course / FILE
    if not path.exists():
        return {}
    header, *rows = read_table(path)
    entries = [dict(zip(header, row, strict=True)) for row in rows]
    return {(entry["student"], entry["assignment"]): entry for entry in entries}


def write_log(course: Path, log: Log) -> None:
    """Write where the collected hand-ins came from.

    Args:
        course: The course folder.
        log: The rows.
    """
    table = [COLUMNS, *([row[name] for name in COLUMNS] for row in log.values())]
    write_atomically(course / FILE, as_csv(table), replace=True)


def late_flags(course: Path, student: str, assignment: str) -> list[str]:
    """What to look at if Canvas marks a hand-in as late: its zip does not say by how much.

    Args:
        course: The course folder.
        student: The student's name.
        assignment: The name of the assignment.

    Returns:
        One flag, or none.
    """
    if not read_log(course).get((student, assignment), {}).get("late"):
        return []
    return ["Canvas marks it as late, but its zip gives no time, so no penalty was applied here"]
