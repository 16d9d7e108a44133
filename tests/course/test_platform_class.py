"""A small class for real: Moodle's zip and Canvas's in, graded, a person marks, and both platforms' tables out."""

import csv
import re
from datetime import UTC, datetime

import nbformat
import pytest
from nbgrader.api import Gradebook

from igteach.course.assign import assign, assignment_name
from igteach.course.commands import main
from igteach.lessons.lesson import all_lessons, grade_id
from tests.course.packing import make_zip

pytestmark = pytest.mark.long

ROSTER = """\ufeffStudent;Name;E-Mail;Canvas ID
ann;Ann Lee;ann@uni.edu;501
bob;Bob Ray;bob@uni.edu;502
cid;Cid Öz;cid@uni.edu;503
dot;Dot Abs;dot@uni.edu;504
"""


def as_moodle_says(moment):
    return f"{moment.astimezone():%A, %-d %B %Y, %I:%M %p}"


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The course after a first grading: ann in time and bob 25 hours late by Moodle, cid by Canvas, dot absent."""
    folder = tmp_path_factory.mktemp("platforms")
    course, lesson = folder / "course", all_lessons(["01"])[0]
    assign(["01"], course, None)
    name = assignment_name(lesson)
    (course / "roster.csv").write_text(ROSTER, encoding="utf-8")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text().replace("percent_a_day = 0", "percent_a_day = 10"))
    untouched = (course / "release" / name / f"{lesson.name}.ipynb").read_bytes()
    answers = {grade_id(cell): cell.source for cell in lesson.read().cells}
    solved = nbformat.reads(untouched.decode(), as_version=4)
    for cell in solved.cells:
        if grade_id(cell).startswith("answer"):
            cell.source = answers[cell.metadata.nbgrader.grade_id]
    solved = nbformat.writes(solved).encode()
    moodle = [
        (f"Ann Lee_9001_assignsubmission_file_/{lesson.name}.ipynb", solved),
        (f"Bob Ray_9002_assignsubmission_file_/{lesson.name} (1).ipynb", solved),
    ]
    canvas = [(f"özcid_503_88001_{lesson.name}-2.ipynb", untouched)]
    times = {"9001": datetime(2027, 1, 31, 22, 59, tzinfo=UTC), "9002": datetime(2027, 2, 1, 23, 59, tzinfo=UTC)}
    rows = [["Identifier", "Full name", "Email address", "Grade", "Maximum Grade", "Last modified (submission)"]]
    rows[0] += ["Last modified (grade)", "Feedback comments"]
    for number, person in (("9001", "Ann Lee"), ("9002", "Bob Ray"), ("9003", "Cid Öz"), ("9004", "Dot Abs")):
        email = f"{person[:3].lower()}@uni.edu"
        time = as_moodle_says(times[number]) if number in times else "-"
        rows.append([f"Participant {number}", person, email, "", "", time, "-", ""])
    worksheet = folder / "worksheet.csv"
    write(worksheet, rows)
    assert main(["due", str(course), name, "2027-01-31T23:00Z"]) == 0
    for source, table in ((make_zip(folder / "m.zip", moodle), worksheet), (make_zip(folder / "c.zip", canvas), None)):
        assert main(["collect", str(course), str(source), *(["--worksheet", str(table)] if table else [])]) == 0
    assert main(["grade", str(course)]) == 0
    return course, name, worksheet


def write(path, rows):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_class_goes_in_from_both_platforms_and_its_marks_go_back(graded, capsys):
    course, name, worksheet = graded
    rows = {row["student"]: row for row in read(course / "marks.csv")}
    assert list(rows) == ["ann", "bob", "cid", "dot"]
    checks = {column: float(rows["ann"][column]) for column in rows["ann"] if column.startswith("check")}
    reached, out_of = sum(checks.values()), float(rows["ann"]["out of"])
    assert reached > 0
    assert [rows[student]["late"] for student in rows] == ["", "1 day 1 h late", "", ""]
    assert float(rows["bob"]["late penalty"]) == pytest.approx(reached * 0.2)
    assert float(rows["bob"]["points"]) == pytest.approx(reached * 0.8)
    assert (rows["cid"]["points"], rows["dot"]["not graded because"]) == ("0", "nothing handed in")
    assert main(["export", str(course), "--to", "canvas"]) == 0
    assert ": 0 grades; 1 people handed in nothing; left out: ann (to be marked by hand)" in capsys.readouterr().out

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student in ("ann", "bob", "cid"):
            for grade in gradebook.find_submission(name, student).notebooks[0].grades:
                if grade.needs_manual_grade:
                    grade.manual_score, grade.needs_manual_grade = 2, False
        gradebook.db.commit()
    table = read(worksheet)
    for row in table:
        row["Maximum Grade"] = f"{out_of:.2f}"
    write(worksheet, [list(table[0]), *(list(row.values()) for row in table)])
    assert main(["grade", str(course)]) == 0
    (bob,) = (row for row in read(course / "marks.csv") if row["student"] == "bob")
    assert float(bob["points"]) == pytest.approx((reached + 2) * 0.8)
    assert main(["export", str(course), "--to", "moodle", "--worksheet", str(worksheet)]) == 0
    grades = {row["Identifier"]: row["Grade"] for row in read(course / "export" / f"moodle-{name}.csv")}
    late = f"{(reached + 2) * 0.8:.2f}".rstrip("0").rstrip(".")
    assert grades == {
        "Participant 9001": f"{reached + 2:g}",
        "Participant 9002": late,
        "Participant 9003": "2",
        "Participant 9004": "",
    }
    assert main(["export", str(course), "--to", "canvas"]) == 0
    canvas = {row["ID"]: row[name] for row in read(course / "export" / f"canvas-{name}.csv")}
    assert canvas == {"": f"{out_of:g}", "501": f"{reached + 2:g}", "502": late, "503": "2", "504": ""}
    (page,) = (course / "feedback" / "bob").rglob("*.html")
    assert re.search(rf"1 day 1 h late, which cost {round((reached + 2) * 0.2, 2):g}", page.read_text())
    assert main(["report", str(course)]) == 0
    assert "1 of them late" in (course / "report.html").read_text()
    assert "1 day 1 h late" in (course / "report.html").read_text()
