"""The roster as people and platforms save it, and the row that everyone on it gets."""

import csv

import pytest

from igteach.course.class_list import with_roster
from igteach.course.marks import Mark, write_marks
from igteach.course.roster import Person, read_roster
from igteach.course.tables import escape_formula, read_table

ZOE = Person("zoe", "Zoë Čapek", "zoe@uni.edu", "71", "501", "A")
CAPEK = Person("zoe", "Zoë Capek", "zoe@uni.edu", "71", "501", "A")


@pytest.mark.parametrize(
    ("data", "person"),
    [
        ("student,name,email,moodle id,canvas id,section\nzoe,Zoë Čapek,zoe@uni.edu,71,501,A\n".encode(), ZOE),
        (
            "Section;CANVAS ID;Moodle_ID;E-Mail;Name;Student\nA;501;71;zoe@uni.edu;Zoë Čapek;zoe\n".encode("utf-8-sig"),
            ZOE,
        ),
        ("sep=;\r\nstudent;name;email;moodle;canvas;group\r\nzoe;Zoë Čapek;zoe@uni.edu;71;501;A\r\n".encode(), ZOE),
        (
            "student\tname\temail\tmoodle\tcanvas\tsection\nzoe\tZoë Čapek\tzoe@uni.edu\t71\t501\tA\n".encode("utf-16"),
            ZOE,
        ),
        ("student;name;email;moodle;canvas;section\nzoe;Zoë Capek;zoe@uni.edu;71;501;A\n".encode("cp1252"), CAPEK),
        (
            "username,first name,surname,email,participant,canvas,section\n"
            "zoe,Zoë,Čapek,zoe@uni.edu,Participant 71,501,A\n".encode(),
            ZOE,
        ),
        (
            b"Identifier,Full name,Email address,Status\nParticipant 71,Zoe C,zoe@uni.edu,-\n",
            Person("zoe", "Zoe C", "zoe@uni.edu", "71"),
        ),
        (
            b"Student,ID,SIS User ID,SIS Login ID,Section,Homework (9)\n"
            b",,,,,Manual Posting\n    Points Possible,,,,,11\n"
            b'"C, Zoe",501,S1,zoe,A,\n"Student, Test",9,,8f2,A,\n',
            Person("zoe", "C, Zoe", "", "", "501", "A"),
        ),
    ],
    ids=["plain", "excel", "sep", "utf-16", "windows", "two names", "Moodle's worksheet", "Canvas's gradebook"],
)
def test_it_is_read_as_excel_moodle_and_canvas_save_it(tmp_path, data, person):
    (tmp_path / "roster.csv").write_bytes(data)
    assert read_roster(tmp_path) == [person]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("name,phone\nAnn,1\n", "has no column 'student' .* it has: name, phone"),
        ("student\nann\nbob\nANN\n", "two rows have the student 'ann'"),
        ("student,moodle id\nann,7\nbob,7\n", "two rows have the moodle '7'"),
        ("student,canvas id\nann,12x\n", "'12x' is not Canvas's number"),
        ("student,name\n../etc,Eve\n", r"'../etc' \(Eve\) cannot name a student's folder"),
        ("student,name\n[ab],Eve\n", r"'\[ab\]' \(Eve\) cannot name"),
        ("student,name\n.hidden,Eve\n", "cannot name a student's folder"),
        ("student,name\n,Eve\n", r"'' \(Eve\) cannot name"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, text, said):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_roster(tmp_path)


def test_everyone_on_the_roster_has_a_row_and_who_is_not_is_flagged(tmp_path):
    (tmp_path / "roster.csv").write_text("student\nann\nbob\n")
    (tmp_path / "release" / "04-a").mkdir(parents=True)
    marks = [Mark(name, "04-a", {"check-1": 2}, {"check-1": 2}, False, "", late_penalty=0.5) for name in ("ann", "eve")]
    write_marks(tmp_path / "marks.csv", with_roster(tmp_path, marks))
    with (tmp_path / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["ann", "bob", "eve"]
    assert (rows["ann"]["points"], rows["ann"]["late penalty"], rows["ann"]["check-1"]) == ("1.5", "0.5", "2")
    assert (rows["bob"]["points"], rows["bob"]["not graded because"]) == ("", "nothing handed in")
    assert [rows[name]["flags"] for name in ("ann", "bob", "eve")] == ["", "", "not on the roster"]


@pytest.mark.parametrize("number", ["-0.5", "+3", "12", "-7"])
def test_a_number_stays_a_number(number):
    assert escape_formula(number) == number


@pytest.mark.parametrize("text", ["=1+1", "+cmd|'/c calc'!A0", "-1+1", "@SUM(A1)", " =1", "\t=1", "-"])
def test_a_formula_becomes_a_text(text):
    assert escape_formula(text) == f"'{text}"


def test_a_short_row_is_filled_and_a_long_one_is_cut(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1\n1,2,3\n,\n")
    assert read_table(tmp_path / "t.csv") == [["a", "b"], ["1", ""], ["1", "2"]]
