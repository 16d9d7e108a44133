"""From a platform's zip to submitted/: whose a file is, which file counts, and what is kept of the one before."""

import getpass
import os
import time
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from igteach.course import collect as module
from igteach.course.collect import collect
from igteach.course.collected import late_flags, read_log
from igteach.course.commands import main
from tests.course.packing import ASSIGNMENT, NOTEBOOK, SaysNothing, make_course, make_zip, notebook, submitted

MOODLE = "{}_{}_assignsubmission_file_"
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 9001,Ann Lee,ann@uni.edu,Submitted for grading,,11.00,Yes,"Friday, 27 November 2026, 11:59 PM",-,
Participant 9002,Jane Doe,jane2@uni.edu,Submitted for grading,,11.00,Yes,"Friday, 27 November 2026, 8:05 AM",-,
Participant 9003,Bob Ray,bob@uni.edu,No submission,,11.00,Yes,-,-,
"""


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path / "course")


@pytest.fixture
def zipped(tmp_path):
    """Makes a zip of names and texts."""
    numbers = iter(range(100))

    def pack(*entries):
        files = [(name, content if isinstance(content, bytes) else notebook(content)) for name, content in entries]
        return make_zip(tmp_path / f"{next(numbers)}.zip", files)

    return pack


def held(course, student):
    return (course / "submitted" / student / ASSIGNMENT / NOTEBOOK).read_bytes()


def lines_of(lines, word):
    return [line for line in lines if word in line]


# Moodle


@pytest.mark.parametrize(
    "path",
    [
        f"Ann Lee_9001_assignsubmission_file_/{NOTEBOOK}",
        f"Ann Lee_9001_assignsubmission_file/{NOTEBOOK}",
        f"Ann Lee_9001_assignsubmission_file_{NOTEBOOK}",
        f"Ann Lee_9001_assignsubmission_file_/deeper/{NOTEBOOK}",
        "Ann Lee_9001_assignsubmission_file_/04_lesson (1).ipynb",
        "Ann Lee_9001_assignsubmission_file_/04_lesson-Copy1.ipynb",
        "Ann Lee_9001_assignsubmission_file_/04_lesson.ipynb.json",
        "Ann Lee_9001_assignsubmission_file_/my homework.ipynb",
        f"Course-Homework-77/Ann Lee_9001_assignsubmission_file_/{NOTEBOOK}",
    ],
)
@pytest.mark.parametrize("unpacked", [False, True])
def test_moodles_names_lead_to_the_student_and_the_file_gets_its_own_name_back(
    course, zipped, tmp_path, path, unpacked
):
    source = zipped((path, "hers"))
    if unpacked:
        with zipfile.ZipFile(source) as archive:
            archive.extractall(tmp_path / "unpacked")
        source = tmp_path / "unpacked"
    lines = collect(course, source)
    assert submitted(course) == {f"ann/{ASSIGNMENT}/{NOTEBOOK}": notebook("hers")}
    assert "collect: 1 new" in lines[-1]


def test_two_of_one_name_are_told_apart_by_the_number_and_never_merged(course, zipped):
    source = zipped(
        (f"{MOODLE.format('Jane Doe', 71)}/{NOTEBOOK}", "1"), (f"{MOODLE.format('Jane Doe', 72)}/{NOTEBOOK}", "2")
    )
    collect(course, source)
    assert (held(course, "jane1"), held(course, "jane2")) == (notebook("1"), notebook("2"))


def test_two_of_one_name_without_their_numbers_are_left_and_named(course, zipped):
    source = zipped(
        (f"{MOODLE.format('Jane Doe', 81)}/{NOTEBOOK}", "1"), (f"{MOODLE.format('Ann Lee', 5)}/{NOTEBOOK}", "a")
    )
    lines = collect(course, source)
    assert list(submitted(course)) == [f"ann/{ASSIGNMENT}/{NOTEBOOK}"]
    (line,) = lines_of(lines, "Jane Doe")
    assert "Moodle's number 81" in line
    assert "--worksheet" in line


@pytest.mark.parametrize(("name", "is_hers"), [("Lee, Ann", True), ("LEE Ann", True), ("Lean Ne", False), ("", False)])
def test_a_name_is_the_same_in_another_order_of_its_words_and_not_of_its_letters(course, zipped, name, is_hers):
    collect(course, zipped((f"{MOODLE.format(name, 1)}/{NOTEBOOK}", "x")))
    assert bool(submitted(course)) is is_hers


def test_two_on_the_platform_and_one_of_that_name_on_the_roster_are_left_both(course, zipped):
    source = zipped(*((f"{MOODLE.format('Ann Lee', n)}/{NOTEBOOK}", str(n)) for n in (1, 2)))
    lines = collect(course, source)
    assert submitted(course) == {}
    assert len(lines_of(lines, "several people on the platform have that name (1, 2)")) == 1


@pytest.fixture
def new_york(monkeypatch):
    """A computer in New York."""
    with monkeypatch.context() as context:
        context.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def test_the_worksheet_knows_everybodys_number_and_time(course, zipped, tmp_path, new_york):
    (tmp_path / "worksheet.csv").write_text("\ufeff" + WORKSHEET, encoding="utf-8")
    source = zipped(
        (f"{MOODLE.format('Jane Doe', 9002)}/{NOTEBOOK}", "2"), (f"{MOODLE.format('Ann Lee', 9001)}/{NOTEBOOK}", "a")
    )
    assert main(["collect", str(course), str(source), "--worksheet", str(tmp_path / "worksheet.csv")]) == 0
    assert held(course, "jane2") == notebook("2")
    assert not (course / "submitted" / "jane1").exists()
    times = {
        name: (course / "submitted" / name / ASSIGNMENT / "timestamp.txt").read_text() for name in ("ann", "jane2")
    }
    assert times == {"ann": "2026-11-28 04:59:00.000000 UTC\n", "jane2": "2026-11-27 13:05:00.000000 UTC\n"}


def test_a_worksheet_of_another_assignment_is_noticed(course, zipped, tmp_path):
    (tmp_path / "worksheet.csv").write_text(WORKSHEET, encoding="utf-8")
    lines = collect(course, zipped((f"{MOODLE.format('Ann Lee', 5)}/{NOTEBOOK}", "a")), "", tmp_path / "worksheet.csv")
    assert len(lines_of(lines, "the worksheet has no Participant 5; is it that of this assignment?")) == 1


def test_who_hands_in_anything_but_a_notebook_is_named(course, zipped):
    lines = collect(
        course,
        zipped(
            (f"{MOODLE.format('Ann Lee', 1)}/essay.pdf", b"%PDF"),
            ("Bob Ray_2_assignsubmission_onlinetext_/onlinetext.html", b"<p>"),
            (f"{MOODLE.format('Jane Doe', 71)}/work.zip", b"PK"),
            (f"{MOODLE.format('Jane Doe', 71)}/{NOTEBOOK}", "j"),
        ),
    )
    assert len(lines_of(lines, "handed in no notebook")) == 1
    assert len(lines_of(lines, "ann handed in no notebook, but Ann Lee_1_assignsubmission_file_/essay.pdf")) == 1


def test_without_a_roster_folders_carry_the_number(tmp_path, zipped):
    course = make_course(tmp_path / "course", roster="")
    collect(course, zipped(*((f"{MOODLE.format('Jane Doe', n)}/{NOTEBOOK}", str(n)) for n in (1, 2))))
    assert set(submitted(course)) == {f"Jane_Doe-{n}/{ASSIGNMENT}/{NOTEBOOK}" for n in (1, 2)}


# Canvas


@pytest.mark.parametrize(
    ("path", "late"),
    [
        (f"leeann_501_90001_{NOTEBOOK}", False),
        (f"leeann_LATE_501_90001_{NOTEBOOK}", True),
        ("leeann_501_90001_04_lesson-1.ipynb", False),
        ("submissions/leeann_501_90001_04_lesson-12.ipynb", False),
    ],
)
def test_canvass_names_lead_to_the_student(course, zipped, path, late):
    collect(course, zipped((path, "hers")))
    assert submitted(course) == {f"ann/{ASSIGNMENT}/{NOTEBOOK}": notebook("hers")}
    assert bool(late_flags(course, "ann", ASSIGNMENT)) is late


def test_of_several_uploads_canvass_last_one_counts_and_the_others_are_named(course, zipped):
    names = [
        f"leeann_501_{upload}_{name}" for upload, name in ((91, "04_lesson-1.ipynb"), (95, NOTEBOOK), (93, NOTEBOOK))
    ]
    lines = collect(course, zipped(*((name, name) for name in names)))
    assert held(course, "ann") == notebook(names[1])
    assert len(lines_of(lines, f"{names[1]} is taken, not {names[0]}, {names[2]}")) == 1


def test_a_name_in_utf8_that_does_not_say_so_is_read(tmp_path, zipped):
    course = make_course(tmp_path / "course", "student;name;canvas id\nzoe;Zoë Čapek;\n")
    source = make_zip(tmp_path / "c.zip", [(SaysNothing(f"čapekzoë_77_90_{NOTEBOOK}"), notebook("z"))])
    with zipfile.ZipFile(source) as archive:
        assert archive.namelist()[0].startswith("─ìapek")  # what zipfile makes of it
    collect(course, source)
    assert held(course, "zoe") == notebook("z")


@pytest.mark.parametrize(
    "name",
    [
        f"mallory_502_777_90001_{NOTEBOOK}",  # who is called "Mallory_502"
        f"mallory_777_90001_502_90002_{NOTEBOOK}",  # whose file is called "502_90002_04_lesson.ipynb"
        "mallory_502_777_90001_x.ipynb",
        f"rayb_502_777_90001_{NOTEBOOK}",
    ],
)
@pytest.mark.parametrize("on_roster", [False, True])
def test_nobody_hands_in_under_anothers_number_by_a_name_of_their_choice(tmp_path, zipped, name, on_roster):
    mallory = name.partition("_777_")[0].replace("_", " ").title()
    roster = "student,name,canvas id\nbob,Bob Ray,502\n" + (f"mallory,{mallory},777\n" if on_roster else "")
    course = make_course(tmp_path / "course", roster)
    collect(course, zipped((name, "hostile")))
    assert not (course / "submitted" / "bob").exists()
    assert (course / "submitted" / "mallory").exists() is on_roster


def test_a_number_of_canvas_that_the_roster_gives_another_number_is_not_taken_by_name(course, zipped):
    lines = collect(course, zipped((f"leeann_999_90001_{NOTEBOOK}", "x")))
    assert submitted(course) == {}
    assert len(lines_of(lines, "no row of roster.csv has Canvas's number 999")) == 1


# Folders and the exchange


def test_a_folder_of_students_is_taken_with_its_times(course, tmp_path):
    place = tmp_path / "in" / "ann" / ASSIGNMENT
    place.mkdir(parents=True)
    (place / NOTEBOOK).write_bytes(notebook("a"))
    (place / "timestamp.txt").write_text("2026-11-27 10:00:00 UTC\n")
    (tmp_path / "in" / "bob").mkdir()
    (tmp_path / "in" / "bob" / NOTEBOOK).write_bytes(notebook("b"))
    (tmp_path / "in" / "eve").mkdir()
    (tmp_path / "in" / "eve" / NOTEBOOK).write_bytes(notebook("e"))
    lines = collect(course, tmp_path / "in")
    assert (held(course, "ann"), held(course, "bob")) == (notebook("a"), notebook("b"))
    assert (course / "submitted" / "ann" / ASSIGNMENT / "timestamp.txt").exists()
    assert len(lines_of(lines, "eve/04_lesson.ipynb: its path has no name of a student of roster.csv")) == 1


def inbound(folder, student, time, text):
    place = folder / f"{student}+{ASSIGNMENT}+{time:%Y-%m-%d %H:%M:%S.%f} UTC+c2VjcmV0"
    place.mkdir(parents=True)
    (place / NOTEBOOK).write_bytes(notebook(text))
    (place / "timestamp.txt").write_text("1999-01-01 00:00:00 UTC")  # a student's to write; the folder's name counts
    return place


def test_of_the_exchange_the_last_hand_in_counts_and_each_is_kept(tmp_path):
    me, now = getpass.getuser(), datetime.now(UTC)
    course = make_course(tmp_path / "course", f"student\n{me}\n")
    for hours, text in ((3, "second"), (5, "first"), (1, "third")):
        inbound(tmp_path / "inbound", me, now - timedelta(hours=hours), text)
    for _ in range(2):
        lines = collect(course, tmp_path / "inbound")
        assert held(course, me) == notebook("third")
        kept = sorted((course / "attempts" / me / ASSIGNMENT).glob("*"))
        assert [(attempt / NOTEBOOK).read_bytes() for attempt in kept] == [notebook("first"), notebook("second")]
    when = (course / "submitted" / me / ASSIGNMENT / "timestamp.txt").read_text()
    assert when.startswith(f"{now - timedelta(hours=1):%Y-%m-%d %H:%M}")
    assert len(lines_of(lines, "was written or changed later than it says")) == 3


def test_in_the_exchange_a_hand_in_under_anothers_name_and_an_older_one_change_nothing(tmp_path):
    me, now = getpass.getuser(), datetime.now(UTC)
    course = make_course(tmp_path / "course", f"student\n{me}\nvictim\n")
    inbound(tmp_path / "inbound", me, now, "mine")
    collect(course, tmp_path / "inbound")
    inbound(tmp_path / "inbound", "victim", now, "forged")
    inbound(tmp_path / "inbound", me, now - timedelta(days=9), "backdated")
    lines = collect(course, tmp_path / "inbound")
    assert len(lines_of(lines, f"it says that it is victim's, and belongs to {me}")) == 1
    assert not (course / "submitted" / "victim").exists()
    assert held(course, me) == notebook("mine")
    (kept,) = (course / "attempts" / me / ASSIGNMENT).glob("*")
    assert (kept / NOTEBOOK).read_bytes() == notebook("backdated")


def test_links_in_a_folder_are_not_followed(course, tmp_path):
    secret = tmp_path / "course.seed"
    secret.write_text("the seed")
    (tmp_path / "in" / "ann").mkdir(parents=True)
    (tmp_path / "in" / "ann" / NOTEBOOK).symlink_to(secret)
    (tmp_path / "in" / "bob").symlink_to(tmp_path / "course" / "release" / ASSIGNMENT)
    os.mkfifo(tmp_path / "in" / "ann" / "pipe.ipynb")
    lines = collect(course, tmp_path / "in")
    assert submitted(course) == {}
    assert len(lines_of(lines, "is a link or not an ordinary file")) == 3


# Which assignment


def test_of_several_assignments_the_one_of_the_notebooks_is_taken_or_asked_for(course, zipped):
    other = course / "release" / "05_other-bbbbbb" / "05_other.ipynb"
    other.parent.mkdir()
    other.write_bytes(notebook("released", "bbbbbb222222"))
    ann, bob = MOODLE.format("Ann Lee", 1), MOODLE.format("Bob Ray", 2)
    collect(
        course, zipped((f"{ann}/05_other.ipynb", notebook("a", "bbbbbb222222")), (f"{bob}/05_other.ipynb", b"{broken"))
    )
    assert set(submitted(course)) == {f"{name}/05_other-bbbbbb/05_other.ipynb" for name in ("ann", "bob")}
    mixed = zipped((f"{ann}/05_other.ipynb", notebook("a", "bbbbbb222222")), (f"{bob}/{NOTEBOOK}", notebook("b")))
    with pytest.raises(
        ValueError, match="are of 04_lesson-aaaaaa, 05_other-bbbbbb; name the assignment with --assignment"
    ):
        collect(course, mixed)
    lines = collect(course, mixed, ASSIGNMENT)
    assert held(course, "bob") == notebook("b")
    assert len(lines_of(lines, "ann: 05_other.ipynb is taken for 04_lesson.ipynb")) == 1


@pytest.mark.parametrize(
    ("source", "assignment", "said"),
    [
        ("none.zip", "", "there is no none.zip; name the platform's zip, or a folder"),
        ("text.zip", "", "text.zip is not a zip file, or is damaged"),
        ("course/submitted", "", "is where collect puts things"),
        ("text.zip", "07", "there is no assignment 07; there are: 04_lesson-aaaaaa"),
    ],
)
def test_what_cannot_be_collected_is_said_in_one_sentence(
    course, tmp_path, monkeypatch, capsys, source, assignment, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.zip").write_text("no zip")
    (course / "submitted").mkdir()
    assert main(["collect", "course", source, *(["--assignment", assignment] if assignment else [])]) == 1
    assert said in capsys.readouterr().err
    assert list((course / "submitted").iterdir()) == []


# What was there before


def test_an_earlier_hand_in_is_kept_and_the_same_one_is_not_taken_twice(course, zipped):
    path = f"{MOODLE.format('Ann Lee', 1)}/{NOTEBOOK}"
    first, second = zipped((path, "first")), zipped((path, "second"))
    assert "1 new" in collect(course, first)[-1]
    assert "1 there before" in collect(course, first)[-1]
    assert not (course / "attempts").exists()
    assert "1 in place of an earlier one, which is in attempts/" in collect(course, second)[-1]
    (kept,) = (course / "attempts" / "ann" / ASSIGNMENT).glob("*")
    assert (kept / NOTEBOOK).read_bytes() == notebook("first")
    lines = collect(course, first)  # the old zip, by mistake
    assert held(course, "ann") == notebook("second")
    assert len(lines_of(lines, "ann: this is the earlier hand-in")) == 1


def test_two_attempts_of_one_second_are_both_kept(course, zipped):
    path = f"{MOODLE.format('Ann Lee', 1)}/{NOTEBOOK}"
    for text in ("1", "2", "3"):
        collect(course, zipped((path, text)))
        for file in (course / "submitted").rglob("*.ipynb"):
            os.utime(file, (10**9, 10**9))
    kept = sorted((course / "attempts" / "ann" / ASSIGNMENT).glob("*"))
    assert [(attempt / NOTEBOOK).read_bytes() for attempt in kept] == [notebook("1"), notebook("2")]


def test_the_log_says_where_each_came_from(course, zipped):
    collect(course, zipped((f"{MOODLE.format('Jane Doe', 71)}/{NOTEBOOK}", "1")))
    row = read_log(course)["jane1", ASSIGNMENT]
    assert (row["platform"], row["id"]) == ("moodle", "71")
    assert row["file"] == f"Jane Doe_71_assignsubmission_file_/{NOTEBOOK}"


def test_a_crash_while_placing_leaves_no_half_hand_in_and_the_next_run_completes_it(course, zipped, monkeypatch):
    path = f"{MOODLE.format('Ann Lee', 1)}/{NOTEBOOK}"
    collect(course, zipped((path, "first")))
    renaming = os.rename
    calls = iter(range(10))

    def fails_at_the_second(old, new):
        if next(calls) == 1:
            raise KeyboardInterrupt
        renaming(old, new)

    again = zipped((path, "second"))
    monkeypatch.setattr(module.os, "rename", fails_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        collect(course, again)
    monkeypatch.undo()
    collect(course, again)
    assert submitted(course) == {f"ann/{ASSIGNMENT}/{NOTEBOOK}": notebook("second")}
    assert len(list((course / "attempts" / "ann" / ASSIGNMENT).glob("*"))) == 1
