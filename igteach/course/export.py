"""Marks for Moodle and Canvas: their own tables, filled in, or tables like them made from the roster.

Only finished marks go out. A grade that is still to be marked by hand, or could not be graded, stays as the platform
has it, and so does that of someone who handed in nothing: what that costs is the platform's to say.
"""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from igteach.course.collected import read_log
from igteach.course.marks import Mark, submissions
from igteach.course.roster import Person, only_match, only_namesake, read_roster
from igteach.course.submission import NOT_YET, Submission
from igteach.course.tables import as_csv, escape_formula, read_table, same_word
from igteach.course.worksheets import column, participant_number
from igteach.lessons.files import write_atomically

MOODLE_COLUMNS = [
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
]
CANVAS_COLUMNS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
PLATFORMS = ("moodle", "canvas")
Table = list[list[str]]


@dataclass
class Grades:
    """The finished marks of an assignment, and what the others wait for.

    Attributes:
        assignment: The name of the assignment.
        out_of: The points that can be reached.
        finished: The marks that can go out, by student.
        waiting: Why the mark of a student cannot go out yet, by student.
        people: The roster, or a person for each student if there is none.
        numbers: Moodle's or Canvas's number of each student whose hand-in came from there.
        column: The title of Canvas's column, if it is not the assignment's name.
    """

    assignment: str
    out_of: float
    finished: dict[str, Mark]
    waiting: dict[str, str]
    people: list[Person]
    numbers: dict[str, str]
    column: str = ""


def export(course: Path, platform: str, assignment: str = "", table: Path | None = None, column: str = "") -> list[str]:
    """Write a table that Moodle or Canvas imports.

    Args:
        course: The course folder.
        platform: "moodle" or "canvas".
        assignment: The assignment; if empty, each of them, into a file of its own.
        table: Moodle's grading worksheet, or Canvas's gradebook, as downloaded; None to make a table from the roster.
        column: The title of the assignment's column in Canvas, if it is called otherwise there.

    Returns:
        For each file a line with its path and what is in it.

    Raises:
        FileNotFoundError: Nothing was handed in.
        ValueError: There is no such assignment, the platform's maximum is another one, or its table cannot be used.
    """
    handed_in = submissions(course)
    names = sorted({name for _, name in handed_in})
    if not names:
        raise FileNotFoundError(f"{course / 'submitted'} holds no submission; there is nothing to export")
    if assignment and assignment not in names:
        raise ValueError(f"nobody handed in {assignment}; there are: {', '.join(names)}")
    chosen = [assignment] if assignment else names
    if table and len(chosen) > 1:
        raise ValueError(f"{table} is of one assignment; name it with --assignment, one of: {', '.join(names)}")
    lines = []
    for name in chosen:
        grades = _grades(course, platform, name, [student for student, other in handed_in if other == name])
        grades.column = column
        rows, unmatched = (_moodle if platform == "moodle" else _canvas)(grades, table)
        file = course / "export" / f"{platform}-{name}.csv"
        # Moodle and Excel take a byte-order mark; Canvas would take it for a part of its first column's name.
        mark = "\ufeff" if platform == "moodle" else ""
        write_atomically(file, mark + as_csv(rows), replace=True)
        lines.append(_summary(file, grades, unmatched))
    return lines


def _grades(course: Path, platform: str, assignment: str, students: list[str]) -> Grades:
    finished, waiting = {}, {}
    for student in students:
        mark = Submission(course, student, assignment).mark()
        if mark.reason or not mark.out_of:
            waiting[student] = mark.reason or NOT_YET
        elif mark.by_hand:
            waiting[student] = "to be marked by hand"
        else:
            finished[student] = mark
    outs = {sum(mark.out_of.values()) for mark in finished.values()}
    log = read_log(course)
    numbers = {
        student: row["id"] for (student, name), row in log.items() if name == assignment and row["platform"] == platform
    }
    people = read_roster(course) or [Person(student) for student in students]
    return Grades(assignment, max(outs, default=0), finished, waiting, people, numbers)


def _summary(file: Path, grades: Grades, unmatched: list[str]) -> str:
    handed_in = {*grades.finished, *grades.waiting}
    absent = sum(person.student not in handed_in for person in grades.people)
    facts = [f"{file}: {len(grades.finished) - len(unmatched)} grades", f"{absent} people handed in nothing"]
    if grades.waiting:
        left_out = ", ".join(f"{student} ({why})" for student, why in sorted(grades.waiting.items()))
        facts.append(f"left out: {left_out}")
    if unmatched:
        facts.append(f"NOT IN THE TABLE, as it has no row for them: {', '.join(sorted(unmatched))}")
    return "; ".join(facts)


def _number(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _comment(mark: Mark) -> str:
    """What Moodle shows as the teacher's comment: points by exercise, and lateness; Moodle takes it for HTML."""
    cells = sorted(mark.out_of)
    points = [f"{escape(cell)}: {_number(mark.points[cell])} of {_number(mark.out_of[cell])}" for cell in cells]
    return escape_formula("; ".join([*points, *([mark.late] if mark.late else [])]))


# Moodle


def _moodle(grades: Grades, worksheet: Path | None) -> tuple[Table, list[str]]:
    header, *rows = read_table(worksheet) if worksheet else _moodle_from_roster(grades)
    path = worksheet or Path("the worksheet")
    identifier, grade = column(header, "Identifier", path), column(header, "Grade", path)
    column(header, "Last modified (grade)", path)  # Moodle refuses a table without it
    words = [same_word(name) for name in header]
    comment = words.index("feedbackcomments") if "feedbackcomments" in words else None
    maximum = column(header, "Maximum Grade", path)
    missing = set(grades.finished)
    for row in rows:
        student = _student_of_participant(grades, header, row, participant_number(row[identifier]))
        mark = grades.finished.get(student)
        if mark is None:
            continue
        if student not in missing:
            raise ValueError(f"{path} has two rows that may be {student}'s; give their numbers in roster.csv")
        _same_maximum("Moodle", row[maximum], grades)
        missing.remove(student)
        row[grade] = _number(mark.total)
        if comment is not None and not row[comment]:
            row[comment] = _comment(mark)
    return [header, *rows], sorted(missing)


def _student_of_participant(grades: Grades, header: list[str], row: list[str], number: str) -> str:
    """The student of a row: by the number under which it was collected, by the roster's number, email or name."""
    for student, collected in grades.numbers.items():
        if number and collected == number:
            return student
    words = [same_word(name) for name in header]
    cells = {
        name: row[words.index(same_word(name))] for name in ("Email address", "Full name") if same_word(name) in words
    }
    name, email = cells.get("Full name", ""), cells.get("Email address", "")
    person = only_match(grades.people, "moodle", number) or only_match(grades.people, "email", email)
    person = person or only_namesake(grades.people, name, email)
    return person.student if person else ""


def _moodle_from_roster(grades: Grades) -> Table:
    rows = []
    for person in grades.people:
        number = grades.numbers.get(person.student) or person.moodle
        identifier = f"Participant {number}" if number else ""
        name, email = escape_formula(person.name), escape_formula(person.email)
        rows.append([identifier, name, email, "", "", _number(grades.out_of), "Yes", "-", "-", ""])
    return [MOODLE_COLUMNS, *(row for row in rows if row[0])]


def _same_maximum(platform: str, text: str, grades: Grades) -> None:
    """Raises ValueError where a grade would be out of range or mean something else."""
    try:
        maximum = float(text.replace(",", "."))
    except ValueError:
        maximum = None
    if maximum != grades.out_of:
        raise ValueError(
            f"{platform}'s maximum for {grades.assignment} is {text or 'empty'}, and {_number(grades.out_of)} points "
            f"can be reached; make it {_number(grades.out_of)} in {platform}, and download the table again"
        )


# Canvas


def _canvas(grades: Grades, gradebook: Path | None) -> tuple[Table, list[str]]:
    """Who they are, and this one column: Canvas would take the others back to what they were at the download."""
    table = read_table(gradebook) if gradebook else _canvas_from_roster(grades)
    header = table[0]
    path = gradebook or Path("the gradebook")
    number, section = column(header, "ID", path), column(header, "Section", path)
    place = _canvas_column(grades, header, section, path)
    login = next((at for at, name in enumerate(header) if same_word(name) == "sisloginid"), None)
    missing = set(grades.finished)
    rows = [[*header[: section + 1], header[place]]]
    for row in table[1:]:
        cell = row[place]
        if row[0] == "Points Possible":
            _same_maximum("Canvas", cell, grades)
        elif row[number]:
            student = _student_of_user(grades, row[number], row[login] if login is not None else "")
            if student in missing:
                missing.remove(student)
                cell = _number(grades.finished[student].total)
        rows.append([*row[: section + 1], cell])
    return rows, sorted(missing)


def _student_of_user(grades: Grades, number: str, login: str) -> str:
    for student, collected in grades.numbers.items():
        if collected == number:
            return student
    person = only_match(grades.people, "canvas", number) or only_match(grades.people, "student", login)
    return person.student if person else ""


def _canvas_column(grades: Grades, header: list[str], section: int, path: Path) -> int:
    """The column of the assignment: by the title that was given, or the assignment's or lesson's name."""
    lesson = grades.assignment.rpartition("-")[0]
    wanted = {same_word(name) for name in ([grades.column] if grades.column else [grades.assignment, lesson])}
    places = range(section + 1, len(header))
    titles = {place: re.sub(r"\s*\(\d+\)$", "", header[place]) for place in places}
    found = [place for place in places if wanted & {same_word(titles[place]), same_word(header[place])}]
    if len(found) != 1:
        raise ValueError(
            f"{path} has {len(found) or 'no'} columns called {grades.column or lesson!r}; name the right one with "
            f"--column, one of: {', '.join(header[place] for place in places)}"
        )
    return found[0]


def _canvas_from_roster(grades: Grades) -> Table:
    rows = [["Points Possible", "", "", "", "", _number(grades.out_of)]]
    for person in grades.people:
        number = grades.numbers.get(person.student) or person.canvas
        name = escape_formula(person.name or person.student)
        rows.append([name, number, "", person.student, escape_formula(person.section), ""])
    return [[*CANVAS_COLUMNS, grades.column or grades.assignment], *rows]
