"""What is kept of a learner's checks and hints, and where."""

import json

import pytest

from igteach.course import commands
from igteach.course.commands import main
from igteach.exercises import EXERCISES, check, hint, progress
from igteach.exercises.hints import hints_and_solution
from igteach.lessons.lesson import all_lessons

EXERCISE = pytest.mark.parametrize("number", EXERCISES)


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "progress.json").write_text("{}\n")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def kept(work):
    return json.loads((work / "progress.json").read_text())


def stub(*_):
    raise NotImplementedError()


def test_checks_are_counted_and_what_is_solved_stays_solved(work):
    right, wrong = EXERCISES["00.1"].solution, EXERCISES["00.1"].mistakes[0].answer
    check("00.1", stub)
    assert kept(work) == {}
    check("00.1", wrong)
    assert kept(work) == {"00.1": {"solved": False, "tries": 1}}
    check("00.1", right)
    check("00.1", wrong)
    assert kept(work) == {"00.1": {"solved": True, "tries": 3}}


def test_where_no_progress_is_kept_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check("00.1", EXERCISES["00.1"].solution).state == "solved"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["no json", "[]", '{"00.1": 3}', "\x00"])
def test_a_broken_file_spoils_no_check_and_stays_as_it_is(work, text):
    (work / "progress.json").write_text(text)
    assert check("00.1", EXERCISES["00.1"].solution).state == "solved"
    assert (work / "progress.json").read_text() == text


@EXERCISE
def test_hints_come_one_by_one_and_then_the_solution_which_is_kept(number, work):
    hints, solution = hints_and_solution(number)
    assert 1 <= len(hints) <= 3
    for count, text in enumerate(hints, start=1):
        assert repr(hint(number)) == f"**Hint {count} of {len(hints)}.** {text}"
        assert kept(work) == {number: {"hints": count}}
    assert solution.splitlines()[0].startswith(("def ", "from ", "import "))
    assert "SOLUTION" not in solution
    assert solution in repr(hint(number))
    assert kept(work) == {number: {"hints": len(hints), "solution_seen": True}}


def test_hints_outside_of_work_and_of_no_exercise_are_refused(work, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"exercise is '00\.9'; lesson 00 has none of that number"):
        hint("00.9")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="python -m igteach lab"):
        hint("00.1")


def test_the_command_shows_each_lesson_and_what_was_tried(work, capsys, monkeypatch):
    monkeypatch.setattr(commands, "root", lambda: work.parent)
    check("01.1", EXERCISES["01.1"].solution)
    hint("01.2")
    assert main(["progress"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "01 · Naive gradients: 1 of 3 solved" in lines
    assert "   01.1 solved · 1 check" in lines
    assert "   01.2 not yet · 1 hint" in lines
    assert lines[-1] == f"in all: 1 of {len(EXERCISES)} solved"
    assert sum("solved" in line and " · " in line and line[0] != " " for line in lines) == len(all_lessons())


def test_a_lessons_end_shows_what_is_solved_there_and_how_to_get_a_hint_for_the_rest(work):
    assert repr(progress("01")).splitlines()[:2] == ["0 of 3 exercises solved", "○ 01.1 not yet"]
    check("01.1", EXERCISES["01.1"].solution)
    check("02.1", EXERCISES["02.1"].solution)
    check("01.2", EXERCISES["01.2"].mistakes[0].answer)
    hint("01.2")
    assert repr(progress("01")).splitlines() == [
        "1 of 3 exercises solved",
        "✓ 01.1 solved · 1 check",
        "○ 01.2 not yet · 1 check · 1 hint",
        "○ 01.3 not yet",
        'Stuck? hint("01.2") gives one hint more at each call, and after the last the solution.',
    ]
    assert "✓ 01.1 solved · 1 check<br>○ 01.2" in progress("01")._repr_html_()


def test_who_has_solved_all_is_offered_no_hint(work):
    own = [number for number in EXERCISES if number.startswith("01")]
    for number in own:
        check(number, EXERCISES[number].solution)
    assert len(repr(progress("01")).splitlines()) == 1 + len(own)


def test_where_no_progress_is_kept_its_cell_says_how_it_begins_and_begins_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert repr(progress("01")) == "No progress is kept here. It begins in your own copies: python -m igteach lab"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["no json", "[]", '{"00.1": 3}', b"\xff".decode("latin-1")])
def test_a_broken_file_is_named_in_the_progress_cell_and_stops_nothing(work, text):
    (work / "progress.json").write_text(text, encoding="latin-1")
    assert "progress.json holds no progress; move it away" in repr(progress("00"))
    assert "<br>" not in progress("00")._repr_html_()


def test_progress_of_no_lesson_is_refused():
    with pytest.raises(ValueError, match=r"lesson is '0'; there are 00, 01"):
        progress("0")


def test_copy_begins_progress_and_never_overwrites_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "root", lambda: tmp_path)
    assert main(["progress"]) == 1
    assert "python -m igteach lab" in capsys.readouterr().err
    main(["copy"])
    assert kept(tmp_path / "work") == {}
    (tmp_path / "work" / "progress.json").write_text('{"00.1": {"solved": true}}')
    main(["copy"])
    assert kept(tmp_path / "work") == {"00.1": {"solved": True}}
