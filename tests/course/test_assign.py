"""Assignments: points, a seed that stays outside, versions that keep their marks."""

import os
import shutil
import stat

import nbformat
import pytest
from nbgrader.api import Gradebook

from igteach.course import assign as assign_module
from igteach.course.assign import (
    add_scripts_to_path,
    assign,
    assign_lesson,
    assignment_name,
    config_must_load,
    with_question,
)
from igteach.course.commands import main
from igteach.course.course_folder import prepare_course
from igteach.course.nbgrader_steps import secrets_of
from igteach.course.questions import QUESTIONS, question_of
from igteach.course.seed import derive_secret, make_seed, read_seed
from igteach.exercises.solutions import EXERCISES
from igteach.lessons.contract import given_away
from igteach.lessons.lesson import Lesson, all_lessons, root

LESSON = pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)
SEEDS = (bytes(32), bytes(range(32)))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("term") / "course"
    assert main(["assign", "03", "--out", str(folder), "--seed", str(folder.parent / "kept" / "seed")]) == 0
    return folder


def release_of(course):
    lesson = all_lessons(["03"])[0]
    return course / "release" / assignment_name(lesson) / f"{lesson.name}.ipynb"


def test_a_course_folder_has_what_nbgrader_wants(course):
    name = release_of(course).parent.name
    for path in ("nbgrader_config.py", "gradebook.db", f"source/{name}/03_reference_background.ipynb"):
        assert (course / path).is_file()
    assert release_of(course).is_file()


def test_the_release_gives_nothing_away_and_locks_its_checks(course):
    release = nbformat.read(release_of(course), as_version=4)
    assert list(given_away(release)) == []
    graded = [cell for cell in release.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [cell.source for cell in graded] == [f'check("{number}", {name})' for number, name in FUNCTIONS.items()]
    assert all(cell.metadata.nbgrader.locked and not cell.metadata.editable for cell in graded)
    assert QUESTIONS["03"].text in "".join(cell.source for cell in release.cells)
    for line in QUESTIONS["03"].points_for:
        assert line not in nbformat.writes(release)


FUNCTIONS = {"03.1": "relative_counts", "03.2": "most_neutral", "03.4": "raw_shares"}


def test_the_lesson_s_version_travels_with_the_assignment(course):
    version = all_lessons(["03"])[0].read().metadata.igteach.version
    assert nbformat.read(release_of(course), as_version=4).metadata.igteach.version == version
    assert release_of(course).parent.name == f"03_reference_background-{version[:6]}"


def test_an_assignment_that_is_there_stays_as_it_is(course, capsys):
    before = {path: path.read_bytes() for path in course.rglob("*.ipynb")}
    assert main(["assign", "03", "--out", str(course)]) == 0
    assert "already there, unchanged" in capsys.readouterr().out
    assert main(["assign", "03", "--out", str(course), "--seed", str(course.parent / "another")]) == 1
    assert "this course has the seed" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in course.rglob("*.ipynb")} == before


def test_a_lesson_mended_in_mid_term_becomes_an_assignment_beside_the_first(course, tmp_path):
    before = {path: path.read_bytes() for path in course.rglob("*.ipynb")}
    mended = Lesson(tmp_path / "notebooks" / "source" / "03_reference_background.py")
    mended.source.parent.mkdir(parents=True)
    text = all_lessons(["03"])[0].source.read_text(encoding="utf-8")
    mended.source.write_text(text.replace("**Take away.**", "**Take away.** Mended."), encoding="utf-8")
    assert "points, release in" in assign_lesson(mended, course)
    assert {path: path.read_bytes() for path in before} == before
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        names = [assignment.name for assignment in book.assignments]
    assert sorted(names) == sorted({assignment_name(mended), release_of(course).parent.name})
    assert len(names) == 2


@LESSON
def test_every_exercise_has_a_check_that_the_grader_finds_and_every_lesson_a_question_with_a_rubric(lesson):
    notebook = with_question(lesson)
    cells = notebook.cells
    assert list(secrets_of(notebook, SEEDS[0])) == [number for number in EXERCISES if number[:2] == lesson.number]
    task = cells[-2]
    assert task.metadata.nbgrader.task
    assert task.metadata.nbgrader.points == task.source.count("- 1 point: ") >= 2


@LESSON
def test_points_make_a_sensible_total(lesson):
    points = [cell.metadata.get("nbgrader", {}).get("points", 0) for cell in with_question(lesson).cells]
    assert 6 <= sum(points) <= 20
    assert sum(points) > 2 * QUESTIONS[lesson.number].points  # most of the points are for exercises


@pytest.mark.parametrize("number", EXERCISES)
def test_two_seeds_draw_two_secrets_and_one_seed_always_the_same(number):
    one, other = (derive_secret(seed, number) for seed in SEEDS)
    assert one != other
    assert derive_secret(SEEDS[0], number) == one
    assert 0 <= one < 2**63
    assert len({derive_secret(SEEDS[0], exercise) for exercise in EXERCISES}) == len(EXERCISES)


def test_a_seed_is_made_once_random_and_for_its_owner_only(tmp_path):
    file, other = tmp_path / "new" / "seed", tmp_path / "other"
    for path in (file, other):
        make_seed(path)
    seed = read_seed(file)
    make_seed(file)
    assert read_seed(file) == seed
    assert read_seed(other) != seed
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_seed_lies_beside_the_course_and_not_in_it(tmp_path):
    course = tmp_path / "course"
    assert prepare_course(course, None) == tmp_path / "course.seed"
    assert prepare_course(course, None) == tmp_path / "course.seed"
    with pytest.raises(ValueError, match="the seed must not be in the course folder"):
        prepare_course(tmp_path / "second", tmp_path / "second" / "seed")
    assert not (tmp_path / "second").exists()


def test_a_seed_that_is_gone_is_asked_for_and_not_drawn_again(tmp_path):
    prepare_course(tmp_path / "course", None)
    (tmp_path / "course.seed").unlink()
    with pytest.raises(FileNotFoundError, match="the course seed is not at"):
        prepare_course(tmp_path / "course", None)
    assert not (tmp_path / "course.seed").exists()


@pytest.mark.parametrize("text", ["", "secret", "00" * 31, "zz" * 32])
def test_a_file_that_holds_no_seed_is_refused_and_kept(tmp_path, text):
    file = tmp_path / "seed"
    file.write_text(text)
    with pytest.raises(ValueError, match="does not contain a course seed: 64 hexadecimal digits"):
        read_seed(file)
    assert file.read_text() == text


def test_neither_course_nor_seed_may_lie_in_the_repository(tmp_path, capsys):
    inside = root() / "work" / "course"
    assert main(["assign", "03", "--out", str(inside)]) == 1
    assert "the course must not be in the repository" in capsys.readouterr().err
    assert main(["assign", "03", "--out", str(tmp_path / "c"), "--seed", str(root() / "seed")]) == 1
    assert "the seed must not be in the repository" in capsys.readouterr().err
    assert not inside.exists()
    assert not (root() / "seed").exists()


def test_an_unknown_lesson_is_named(tmp_path, capsys):
    assert main(["assign", "99", "--out", str(tmp_path / "c")]) == 1
    assert "lesson '99' is not there" in capsys.readouterr().err


def test_a_release_that_would_give_something_away_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(assign_module, "given_away", lambda _: iter(["cell 7 holds a solution"]))
    with pytest.raises(RuntimeError, match="gave something away and was deleted: cell 7"):
        assign(["01"], tmp_path / "course", None)
    assert not list((tmp_path / "course" / "release").rglob("*.ipynb"))


def test_a_configuration_that_does_not_load_stops_everything():
    with pytest.raises(RuntimeError, match=r"does not load \(ModuleNotFoundError: No module named 'igteach'\)"):
        config_must_load("Exception while loading config file x\n    ModuleNotFoundError: No module named 'igteach'\n")


def test_grading_where_there_is_no_course_says_how_to_make_one(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 1
    assert "python -m igteach assign NN --out COURSE" in capsys.readouterr().err


def test_a_lesson_without_a_question_is_named():
    with pytest.raises(ValueError, match=r"lesson 99 has no question to hand in; write one in .*questions\.py"):
        question_of("99")


def test_alembic_is_found_where_no_environment_was_activated(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    add_scripts_to_path()
    assert shutil.which("alembic")
    once = os.environ["PATH"]
    add_scripts_to_path()
    assert os.environ["PATH"] == once
