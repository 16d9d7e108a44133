"""What is kept of a learner's checks and hints, and where."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from igteach.course.commands import main
from igteach.exercises import check, hint, hints, progress, progress_store
from igteach.exercises.cases import RETIRED, TASKS
from igteach.exercises.hints import hints_and_solution
from igteach.exercises.solutions import EXERCISES
from igteach.lessons import lesson
from igteach.lessons.lesson import all_lessons

ROOT = Path(__file__).resolve().parents[2]
EXERCISE = pytest.mark.parametrize("number", EXERCISES)


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "progress.json").write_text("{}\n")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture(autouse=True)
def new_session(monkeypatch):
    monkeypatch.setattr(hints, "_opened_here", {})


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
    texts, solution = hints_and_solution(number)
    assert 1 <= len(texts) <= 3
    for count, text in enumerate(texts, start=1):
        assert repr(hint(number)) == f"**Hint {count} of {len(texts)}.** {text}"
        assert kept(work) == {number: {"hints": count}}
    assert solution.splitlines()[0].startswith(("def ", "from ", "import "))
    assert "SOLUTION" not in solution
    assert solution in repr(hint(number))
    assert kept(work) == {number: {"hints": len(texts), "solution_seen": True}}


def test_a_hint_of_no_exercise_is_refused(work):
    with pytest.raises(ValueError, match=r"exercise is '00\.9'; lesson 00 has none of that number"):
        hint("00.9")


@pytest.mark.parametrize("number", RETIRED)
def test_a_retired_exercise_is_told_apart_from_one_that_never_was_and_is_no_other(work, number):
    with pytest.raises(ValueError, match=rf"lesson {number[:2]} has none of that number any more"):
        hint(number)
    with pytest.raises(ValueError, match=rf"exercise {number} was replaced by another; a fresh copy of lesson"):
        check(number, len)
    assert number not in TASKS


def test_what_is_kept_of_a_retired_exercise_stays_and_counts_for_nothing(work, capsys):
    (work / "progress.json").write_text('{"01.2": {"solved": true, "tries": 3}, "04.3": {"hints": 1}}')
    check("01.4", EXERCISES["01.4"].solution)
    assert kept(work)["01.2"] == {"solved": True, "tries": 3}
    assert repr(progress("01")).splitlines()[:2] == ["1 of 3 exercises solved", "○ 01.1 not yet"]
    assert main(["progress"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1] == f"in all: 1 of {len(EXERCISES)} solved"
    assert "01.2" not in shown
    assert "04.3" not in shown


@pytest.mark.parametrize("number", [4.2, "4.2", "04,2", " 4.2", "04.02"])
def test_a_number_that_looks_like_an_exercises_is_answered_with_that(work, number):
    with pytest.raises(ValueError, match=r'did you mean "04\.2"\?'):
        hint(number)


@pytest.mark.parametrize("number", [4, None, "", "four", "04", "04.", ["04.2"]])
def test_what_looks_like_no_exercise_is_told_how_one_looks(work, number):
    with pytest.raises(ValueError, match=r'pass its number in quotes, such as "04\.2"'):
        hint(number)


def all_hints(number):
    texts, solution = hints_and_solution(number)
    shown = [repr(hint(number)) for _ in range(len(texts) + 1)]
    assert shown[:-1] == [f"**Hint {count} of {len(texts)}.** {text}" for count, text in enumerate(texts, start=1)]
    assert solution in shown[-1]


def test_without_progress_hints_come_all_the_same_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lesson, "_package", lambda: tmp_path / "installed")  # no clone, whose work/ would be found
    shutil.copytree(ROOT / "notebooks", tmp_path / "installed" / "notebooks")
    all_hints("01.5")
    assert [path.name for path in tmp_path.iterdir()] == ["installed"]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
def test_where_progress_cannot_be_written_hints_come_all_the_same(work, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(progress_store, "write_atomically", fail)
    all_hints("02.3")
    assert kept(work) == {}


@pytest.mark.parametrize("text", ["no json", "[]", '{"00.1": 3}', "[" * 100_000])
def test_where_progress_cannot_be_read_hints_come_all_the_same(work, text):
    (work / "progress.json").write_text(text)
    all_hints("03.1")
    assert (work / "progress.json").read_text() == text


@pytest.mark.parametrize("folder", ["work/deeper", "notebooks", "."])
def test_hints_are_counted_in_the_work_beside_or_above(work, monkeypatch, folder):
    place = work.parent / folder
    place.mkdir(exist_ok=True)
    monkeypatch.chdir(place)
    assert "Hint 1 of" in repr(hint("05.2"))
    assert kept(work) == {"05.2": {"hints": 1}}
    assert "Hint 2 of" in repr(hint("05.2"))


@pytest.mark.parametrize("count", ["1e400", "-3", "2.5", "true", '"7"', "[1]", "null", "1" + "0" * 30])
def test_a_count_that_nobody_can_have_reached_is_not_believed(work, count):
    (work / "progress.json").write_text(
        f'{{"06.1": {{"hints": {count}, "tries": {count}, "solved": true, "mine": 1}}}}'
    )
    assert "06.1 solved" in repr(progress("06")).splitlines()[1]
    assert "check" not in repr(progress("06")).splitlines()[1]
    assert "Hint 1 of" in repr(hint("06.1"))
    check("06.1", EXERCISES["06.1"].mistakes[0].answer)
    assert kept(work) == {"06.1": {"hints": 1, "tries": 1, "solved": True, "mine": 1}}


def test_a_link_stays_a_link_and_the_file_that_it_leads_to_is_kept_up(work, tmp_path):
    synchronised = tmp_path / "elsewhere" / "my progress.json"
    synchronised.parent.mkdir()
    (work / "progress.json").rename(synchronised)
    (work / "progress.json").symlink_to(synchronised)
    hint("00.1")
    check("00.1", EXERCISES["00.1"].solution)
    assert (work / "progress.json").is_symlink()
    assert json.loads(synchronised.read_text()) == {"00.1": {"hints": 1, "solved": True, "tries": 1}}


COUNT = """
from pathlib import Path
from igteach.exercises.progress_store import change
for _ in range(60):
    change("00.1", lambda entry: {"tries": entry.get("tries", 0) + 1}, Path(__import__("sys").argv[1]))
"""


def test_two_kernels_at_once_lose_no_count(work):
    kernels = [subprocess.Popen([sys.executable, "-c", COUNT, str(work)], cwd=ROOT) for _ in range(2)]
    assert [kernel.wait(timeout=120) for kernel in kernels] == [0, 0]
    assert kept(work) == {"00.1": {"tries": 120}}


def test_a_kernel_that_does_not_let_go_is_not_waited_for_for_ever(work, monkeypatch):
    monkeypatch.setattr(progress_store, "PATIENCE", 0.1)
    with progress_store.FileLock(work / ".progress.json.lock"):
        assert check("00.1", EXERCISES["00.1"].solution).state == "solved"
        assert "Hint 1 of" in repr(hint("00.2"))
    assert kept(work) == {}


def test_the_command_shows_each_lesson_and_what_was_tried(work, capsys):
    check("01.1", EXERCISES["01.1"].solution)
    hint("01.4")
    assert main(["progress"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "01 · Naive gradients: 1 of 3 solved" in lines
    assert "   01.1 solved · 1 check" in lines
    assert "   01.4 not yet · 1 hint" in lines
    assert lines[-1] == f"in all: 1 of {len(EXERCISES)} solved"
    assert sum("solved" in line and " · " in line and line[0] != " " for line in lines) == len(all_lessons())


def test_a_lessons_end_shows_what_is_solved_there_and_how_to_get_a_hint_for_the_rest(work):
    assert repr(progress("01")).splitlines()[:2] == ["0 of 3 exercises solved", "○ 01.1 not yet"]
    check("01.1", EXERCISES["01.1"].solution)
    check("02.1", EXERCISES["02.1"].solution)
    check("01.4", EXERCISES["01.4"].mistakes[0].answer)
    hint("01.4")
    assert repr(progress("01")).splitlines() == [
        "1 of 3 exercises solved",
        "✓ 01.1 solved · 1 check",
        "○ 01.4 not yet · 1 check · 1 hint",
        "○ 01.5 not yet",
        'Stuck? hint("01.4") gives one hint more at each call, and after the last the solution.',
    ]
    assert "✓ 01.1 solved · 1 check<br>○ 01.4" in progress("01")._repr_html_()


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
    shutil.copytree(ROOT / "notebooks", tmp_path / "installed" / "notebooks")
    monkeypatch.setattr(lesson, "_package", lambda: tmp_path / "installed")
    monkeypatch.chdir(tmp_path)
    assert main(["progress"]) == 1
    assert "python -m igteach lab" in capsys.readouterr().err
    main(["copy"])
    assert kept(tmp_path / "work") == {}
    (tmp_path / "work" / "progress.json").write_text('{"00.1": {"solved": true}}')
    main(["copy"])
    assert kept(tmp_path / "work") == {"00.1": {"solved": True}}
