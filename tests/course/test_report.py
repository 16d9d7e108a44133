"""The instructor's pages: right counts, escaped words, no names in class; the list of exercises is up to date."""

import re

import pytest

from igteach.course import report as module
from igteach.course.class_counts import count_exercises, message_group, misconceptions
from igteach.course.commands import main
from igteach.course.exercise_list import exercise_list, exercise_titles, list_faults
from igteach.course.html_parts import bar, spread
from igteach.course.marks import Mark, write_marks
from igteach.course.questions import QUESTIONS
from igteach.exercises.solutions import EXERCISES

EARLY, LATE = "02_saturation-1a2b3c", "03_reference_background-1a2b3c"
FIRST, SECOND = (EXERCISES[number].mistakes[0].message for number in ("03.1", "03.2"))
OPEN = "Write the function above, run its cell, then run this one."
STRANGE = "<img src=x onerror=alert(1)>"


def mark(student, points, *messages, assignment=LATE, **more):
    """A mark of 2 points for each exercise that is solved; a message for each that is not."""
    number = assignment[:2]
    checks = [f"check-{number}-{place + 1}" for place in range(len(points))]
    unsolved = [check for check, solved in zip(checks, points, strict=True) if not solved]
    return Mark(
        student,
        assignment,
        points={check: 2.0 * solved for check, solved in zip(checks, points, strict=True)},
        out_of=dict.fromkeys(checks, 2.0),
        by_hand=True,
        messages=dict(zip(unsolved, messages, strict=True)),
        **{"reason": "", **more},
    )


CLASS = [
    mark("ann", (1, 1), assignment=EARLY),
    mark("bob", (0, 1), EXERCISES["02.1"].mistakes[0].message, assignment=EARLY),
    mark("ann", (1, 1)),
    mark("bob", (0, 0), FIRST, SECOND),
    mark("cem", (1, 0), SECOND, flags=["<script>alert(1)</script>"]),
    mark("dot", (0, 0), OPEN, OPEN),
    mark(STRANGE, (0, 1), "On function 1 your code stopped with Secret: bob wrote this"),
    mark("eve", (), reason="not graded; marks.csv says why"),
    mark("fay", (), assignment="homework of fay", reason="not graded; marks.csv says why"),
]


@pytest.fixture
def course(tmp_path, monkeypatch, capsys):
    """The folder of a course, with both reports in it; eve and gil are on the roster, fay is not."""
    by_name = {(one.student, one.assignment): one for one in CLASS}
    monkeypatch.setattr(module, "submissions", lambda course: sorted(by_name))
    monkeypatch.setattr(module.Submission, "mark", lambda self: by_name[self.student, self.assignment])
    roster = "student,name\nann,Ann A.\nbob,\ncem,\ndot,\neve,\ngil,\n"
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8-sig")
    assert main(["report", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"report: {tmp_path / 'report.html'}" in out
    assert str(tmp_path / "report-class.html") in out
    return tmp_path


@pytest.fixture
def page(course):
    return (course / "report.html").read_text(encoding="utf-8")


def words(page):
    return re.sub(r"\|+", "|", re.sub(r"<[^>]*>", "|", page))


def test_it_begins_with_the_latest_assignment_its_misconceptions_and_where_most_stop(page):
    text = words(page)
    assert text.index("For the next lecture") < text.index("Latest: 03 · ") < text.index("Over the term")
    start = text[: text.index("Over the whole term")]
    assert f"|{SECOND}|03.2: {exercise_titles(LATE)['03.2']}|2 of 5|" in start
    assert start.index(SECOND) < start.index(FIRST)
    assert "(left open)" not in start
    assert f"|Exercise 03.1: {exercise_titles(LATE)['03.1']}| stops most: for 3 of 5" in start


def test_it_counts_who_passed_who_stopped_and_which_mistake_was_made_how_often(page):
    text = words(page)
    section = text[text.index("Exercise 03.1: ", text.index("Over the term")) :]
    assert section.startswith(f"Exercise 03.1: {exercise_titles(LATE)['03.1']}|\n|2 of 5 passed; 3 stop here|")
    assert f"|{FIRST}|1|" in section
    assert "|(left open)|1|" in section
    assert "|(the code stopped with an error)|1|" in section
    assert "Secret: bob" not in text


def test_it_shows_the_term_and_every_student(page):
    text = words(page)
    assert "|2 of 6 handed in; 2 still to be marked by hand|median 75%, middle half 62% to 88%|" in text
    assert "|6 of 6 handed in; 6 still to be marked by hand|" in text
    assert "|ann|: 8 of 8 points|02: 4/4|03: 4/4|" in text
    assert "|cem|: 2 of 4 points|02: none|03: 2/4|" in text
    assert "|eve|: 0 of 0 points|02: none|03: ungraded|" in text
    assert "|gil|: 0 of 0 points|02: none|03: none|" in text
    assert "aria-label='03: 2 of 4'" in page


def test_it_lists_what_to_look_at_and_runs_nothing(page):
    look = words(page)[words(page).index("To look at") :]
    assert f"|cem|, {LATE}|&lt;script&gt;" in look
    assert "|fay|, homework of fay|not graded; marks.csv says why|is not on roster.csv|" in look
    assert "|gil|has handed in nothing|" in look
    assert "|ann|" not in look
    assert "<script" not in page
    assert "<img" not in page
    assert "http" not in page  # opens without a network


def test_the_version_for_the_class_has_the_counts_and_nobodys_name_points_or_flags(course):
    text = words((course / "report-class.html").read_text(encoding="utf-8"))
    assert f"|{SECOND}|" in text
    assert "|2 of 5 passed; 3 stop here|" in text
    assert not re.search(r"\b(ann|bob|cem|dot|eve|fay|gil|Ann|homework|alert|script)\b", text)
    assert "By student" not in text
    assert "To look at" not in text


def test_exercises_come_in_the_order_in_which_they_stop_people():
    marks = [mark("ann", (1, 0, 0), "", "", reason=""), mark("bob", (1, 0, 1), ""), mark("cem", (0, 1, 1), "")]
    counts = count_exercises(marks, {"03.2": "a title"})
    assert [(one.heading, one.stopped, one.passed) for one in counts] == [
        ("03.2: a title", 2, 1),
        ("03.1", 1, 2),
        ("03.3", 0, 2),
    ]
    assert misconceptions([]) == []


def test_bars_say_in_words_what_they_show_and_stay_in_their_frame():
    assert "aria-label='1 of 4'" in bar(1, 4, "1 of 4")
    assert "aria-label='&lt;&#x27;'" in bar(1, 4, "<'")
    assert "<rect width='25.0'" in bar(1, 4, "")
    assert "<rect width='100.0'" in bar(9, 4, "")
    assert "<rect width='0.0'" in bar(0, 0, "")
    assert "<rect x='25.0' width='50.0'" in spread(0.25, 0.5, 0.75, "")


@pytest.mark.parametrize("number", EXERCISES)
def test_every_known_mistake_is_a_message_group_its_own(number):
    assert all(message_group(number, mistake.message) == mistake.message for mistake in EXERCISES[number].mistakes)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("On function 1 your code stopped with ValueError: 3", "(the code stopped with an error)"),
        ("Your answer calls igteach.x. Writing it is the task: the check wants your own.", "(called the package's own"),
        ("Your function did not come to an end in time.", "(ran out of time or memory)"),
        ("On 4 words your answer is off.", "(another wrong answer)"),
    ],
)
def test_other_messages_fall_into_few_groups(message, kind):
    assert message_group("03.1", message).startswith(kind)


def test_where_nothing_was_handed_in_it_says_so(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 1
    assert "holds no submission" in capsys.readouterr().err


def test_no_field_of_the_table_is_a_formula(tmp_path):
    write_marks(tmp_path / "marks.csv", [mark("=cmd()", (1,), flags=["@x"])])
    text = (tmp_path / "marks.csv").read_text(encoding="utf-8")
    assert "'=cmd()" in text
    assert "'@x" in text


def test_the_list_of_exercises_is_up_to_date_and_complete():
    text = exercise_list()
    assert list_faults() == []
    for number, exercise in EXERCISES.items():
        assert f"### {number} " in text
        assert all(f"- {mistake.message}" in text for mistake in exercise.mistakes)
    assert all(question.text in text for question in QUESTIONS.values())
    assert not any(line in text for question in QUESTIONS.values() for line in question.points_for)
