"""What goes back to Moodle and Canvas, read as they read it: by their importers' own rules."""

import csv
import io
import re

import pytest

from igteach.course import export as module
from igteach.course.collected import COLUMNS
from igteach.course.commands import main
from igteach.course.marks import Mark
from igteach.course.tables import as_csv

NAME = "04_lesson-aaaaaa"
ROSTER = """student,name,email,moodle id,canvas id,section
ann,Ann Lee,ann@uni.edu,,501,A
bob,Bob Ray,bob@uni.edu,,502,A
jane1,Jane Doe,jane1@uni.edu,,503,B
jane2,Jane Doe,jane2@uni.edu,,504,B
abs,"=HYPERLINK(""evil"")",abs@uni.edu,,505,B
"""
WORKSHEET = """\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 9001","Ann Lee",ann@uni.edu,"Submitted for grading",,11.00,Yes,"Friday, 27 November 2026, 11:59 PM",-,
"Participant 9004","Jane Doe",jane2@uni.edu,"Submitted for grading",,11.00,Yes,"Friday, 27 November 2026, 8:05 AM",-,\
"Mine, kept"
"Participant 9003","Jane Doe",jane1@uni.edu,"Submitted for grading",,11.00,Yes,"Friday, 27 November 2026, 8:05 AM",-,
"Participant 9002","Bob Ray",bob@uni.edu,"Submitted for grading",3.00,11.00,Yes,-,-,
"Participant 9009","Öz, =1+1",x@uni.edu,"No submission",,11.00,Yes,-,-,
"""
GRADEBOOK = """Student,ID,SIS User ID,SIS Login ID,Section,Essay (7000),04 Lesson (7001),Final Score
,,,,,Manual Posting,,
    Points Possible,,,,,20.00,11.00,(read only)
"Lee, Ann",501,=S1,ann@uni.edu,A,17.00,,50
"Ray, Bob",502,S2,bob@uni.edu,A,12.00,3.00,50
"Doe, Jane",503,S3,jane1@uni.edu,B,1.00,,50
"Doe, Jane",504,S4,jane2@uni.edu,B,2.00,,50
"Student, Test",999,,a8f2,A,,,
"""


def mark(student, points, **more):
    return Mark(student, NAME, {"check-04-1": points, "question-04": 1}, {"check-04-1": 8, "question-04": 3}, **more)


MARKS = {
    "ann": mark("ann", 7.25, by_hand=False, reason="", seconds_late=86_401, late_penalty=0.75),
    "bob": mark("bob", 0, by_hand=True, reason=""),
    "jane1": mark("jane1", 0, by_hand=False, reason=""),
    "jane2": mark("jane2", 8, by_hand=False, reason=""),
}


@pytest.fixture
def course(tmp_path, monkeypatch):
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    for student in MARKS:
        (tmp_path / "submitted" / student / NAME).mkdir(parents=True)
    monkeypatch.setattr(module.Submission, "mark", lambda submission: MARKS[submission.student])
    return tmp_path


def exported(course, platform, *options):
    assert main(["export", str(course), "--to", platform, *options]) == 0
    (file,) = (course / "export").glob(f"{platform}-*.csv")
    return file.read_bytes()


def by_moodle(data):
    """Grade and comment by participant, as mod_assign's importer reads them: UTF-8, a mark trimmed, columns by name."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8").removeprefix("\ufeff"), newline="")))
    header = rows[0]
    needed = {name: header.index(name) for name in ("Identifier", "Grade", "Last modified (grade)")}
    comment = header.index("Feedback comments")
    return {row[needed["Identifier"]][len("Participant ") :]: (row[needed["Grade"]], row[comment]) for row in rows[1:]}


def by_canvas(data):
    """Points possible and the grade by user, as GradebookImporter reads them: no mark, four or six columns first."""
    assert not data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    header = rows[0]
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert re.search(r"SIS\s+User\s+ID", header[2])
    assert re.search(r"SIS\s+Login\s+ID", header[3])
    assert "Section" in header[4]
    (possible,) = (row[5] for row in rows if "Points Possible" in row[0])
    blank = re.compile(r"\s*(Muted|Manual Posting.*)?\s*")
    people = [row for row in rows[1:] if "Points" not in row[0] and not all(blank.fullmatch(cell) for cell in row)]
    return header[5:], possible, {row[1]: row[5] for row in people}


def test_moodles_worksheet_is_filled_in_and_its_other_cells_stay(course, tmp_path, capsys):
    (tmp_path / "w.csv").write_text(WORKSHEET, encoding="utf-8")
    data = exported(course, "moodle", "--worksheet", str(tmp_path / "w.csv"))
    grades = by_moodle(data)
    assert {number: grade for number, (grade, _) in grades.items()} == {
        "9001": "7.5",
        "9004": "9",
        "9003": "1",
        "9002": "3.00",  # still to be marked by hand: as Moodle has it
        "9009": "",
    }
    assert grades["9001"][1] == "check-04-1: 7.25 of 8; question-04: 1 of 3; 1 day 1 h late, -0.75 points"
    assert grades["9004"][1] == "Mine, kept"
    before = list(csv.reader(io.StringIO(WORKSHEET.removeprefix("\ufeff"))))
    after = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert [[*row[:4], *row[5:9]] for row in after] == [[*row[:4], *row[5:9]] for row in before]
    said = capsys.readouterr().out
    assert "3 grades; 1 people handed in nothing; left out: bob (to be marked by hand)" in said


def test_without_a_worksheet_moodles_numbers_are_those_of_the_zip(course):
    rows = [[student, NAME, "moodle", number, "", "f", "t"] for student, number in (("ann", "9001"), ("jane2", "9004"))]
    (course / "collected.csv").write_text(as_csv([COLUMNS, *rows]))
    data = exported(course, "moodle")
    assert {number: grade for number, (grade, _) in by_moodle(data).items()} == {"9001": "7.5", "9004": "9"}
    assert data.startswith("\ufeff".encode())  # for Excel


def test_who_has_no_row_is_named(course, tmp_path, capsys):
    (tmp_path / "w.csv").write_text("\n".join(WORKSHEET.splitlines()[:2]), encoding="utf-8")
    exported(course, "moodle", "--worksheet", str(tmp_path / "w.csv"))
    assert "NOT IN THE TABLE, as it has no row for them: jane1, jane2" in capsys.readouterr().out


def test_two_rows_that_may_be_one_students_are_refused_not_guessed(course, tmp_path, capsys):
    text = WORKSHEET.replace("jane1@uni.edu", "").replace("jane2@uni.edu", "")
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    (course / "roster.csv").write_text(ROSTER.replace("jane2,Jane Doe", "jane2,Jane Poe"), encoding="utf-8")
    assert main(["export", str(course), "--to", "moodle", "--worksheet", str(tmp_path / "w.csv")]) == 1
    assert "two rows that may be jane1's" in capsys.readouterr().err
    assert not (course / "export").exists()


def test_a_namesake_with_another_address_gets_no_grade(course, tmp_path):
    (tmp_path / "w.csv").write_text(WORKSHEET.replace("ann@uni.edu", "other@uni.edu"), encoding="utf-8")
    assert by_moodle(exported(course, "moodle", "--worksheet", str(tmp_path / "w.csv")))["9001"] == ("", "")


def test_canvass_gradebook_comes_back_with_this_column_alone(course, tmp_path):
    (tmp_path / "g.csv").write_text(GRADEBOOK, encoding="utf-8")
    data = exported(course, "canvas", "--worksheet", str(tmp_path / "g.csv"))
    columns, possible, grades = by_canvas(data)
    assert columns == ["04 Lesson (7001)"]
    assert possible == "11.00"
    assert grades == {"501": "7.5", "502": "3.00", "503": "1", "504": "9", "999": ""}
    assert b",=S1," in data  # an id is Canvas's, and goes back as it came


@pytest.mark.parametrize("column", ["Week 4", "Week 4 (7001)"])
def test_a_column_of_another_name_is_named(course, tmp_path, capsys, column):
    (tmp_path / "g.csv").write_text(GRADEBOOK.replace("04 Lesson", "Week 4"), encoding="utf-8")
    options = ["export", str(course), "--to", "canvas", "--worksheet", str(tmp_path / "g.csv")]
    assert main(options) == 1
    assert "--column, one of: Essay (7000), Week 4 (7001), Final Score" in capsys.readouterr().err
    assert main([*options, "--column", column]) == 0


def test_from_the_roster_everyone_has_a_row_and_no_cell_runs(course):
    data = exported(course, "canvas")
    columns, possible, grades = by_canvas(data)
    assert (columns, possible) == ([NAME], "11")
    assert grades == {"501": "7.5", "502": "", "503": "1", "504": "9", "505": ""}
    cells = [cell for row in csv.reader(io.StringIO(data.decode())) for cell in row]
    assert [cell for cell in cells if cell.startswith("=")] == []
    assert '\'=HYPERLINK("evil")' in cells


@pytest.mark.parametrize(("platform", "text"), [("moodle", WORKSHEET), ("canvas", GRADEBOOK)])
def test_another_maximum_is_refused_as_the_platform_would_drop_or_scale_grades(
    course, tmp_path, capsys, platform, text
):
    (tmp_path / "t.csv").write_text(text.replace("11.00", "100.00"), encoding="utf-8")
    assert main(["export", str(course), "--to", platform, "--worksheet", str(tmp_path / "t.csv")]) == 1
    assert f"maximum for {NAME} is 100.00, and 11 points can be reached; make it 11" in capsys.readouterr().err
    assert not (course / "export").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--assignment", "07"], "nobody handed in 07; there are: 04_lesson-aaaaaa"),
        (
            ["--worksheet", "t.csv"],
            "t.csv has no column 'Identifier'; it has: Kennung, Bewertung. Download it again, in English",
        ),
    ],
)
def test_what_cannot_be_exported_is_said(course, tmp_path, monkeypatch, capsys, options, said):
    (tmp_path / "t.csv").write_text("Kennung,Bewertung\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(course), "--to", "moodle", *options]) == 1
    assert said in capsys.readouterr().err


def test_what_was_handed_in_again_or_never_graded_is_left_out(course, monkeypatch, capsys):
    monkeypatch.setitem(MARKS, "jane1", Mark("jane1", NAME, {}, {}, False, ""))
    monkeypatch.setitem(MARKS, "jane2", mark("jane2", 8, by_hand=False, reason="not graded yet; the points are those"))
    assert by_canvas(exported(course, "canvas"))[2] == {"501": "7.5", "502": "", "503": "", "504": "", "505": ""}
    said = capsys.readouterr().out
    assert "jane1 (not graded yet), jane2 (not graded yet; the points are those)" in said
