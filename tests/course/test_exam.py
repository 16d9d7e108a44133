"""The exam: its answers by hand are those of the package, differ by seed, and stay with the instructor."""

import dataclasses
import functools
import stat
from random import Random

import pytest

from igteach.course import exam
from igteach.course.commands import main
from igteach.course.exam_questions import BUGS, KINDS, draw_questions

questions = functools.cache(draw_questions)


@pytest.mark.parametrize("seed", range(6))
def test_answers_by_hand_are_those_of_the_package(seed):
    for question in questions(seed):
        exam.check_answer(question)
        for place in range(len(question.by_hand)):
            off = list(question.by_hand)
            off[place] += 0.02 * (1 + abs(off[place]))
            with pytest.raises(RuntimeError, match="By hand"):
                exam.check_answer(dataclasses.replace(question, by_hand=tuple(off)))


def test_other_seeds_ask_other_questions():
    exams = [tuple(question.text for question in questions(seed)) for seed in range(6)]
    assert len(set(exams)) == 6
    assert exams[0] == tuple(question.text for question in draw_questions(0))


def test_every_mistake_is_asked_about():
    (symptom,) = (kind for kind in KINDS if kind.__name__ == "_symptom")
    answers = [symptom(Random(seed)).answer for seed in range(40)]
    assert all(any(bug in answer for answer in answers) for bug in BUGS)


def written(course, digit):
    seed = course.with_suffix(".my-seed")
    course.mkdir()
    seed.write_text(digit * 64)
    assert main(["exam", str(course), "--seed", str(seed)]) == 0
    return (course / "exam.md").read_text(), (course / "exam-answers.md").read_text()


def test_the_command_writes_an_exam_that_depends_on_the_seed(tmp_path):
    asked, answers = written(tmp_path / "one", "a")
    assert written(tmp_path / "other", "b")[0] != asked
    assert answers.count("Numbers:") == asked.count(" points) ") == len(KINDS)
    assert "Numbers:" not in asked
    assert stat.S_IMODE((tmp_path / "one" / "exam-answers.md").stat().st_mode) == 0o600


def test_an_answer_that_the_package_does_not_confirm_is_never_written(tmp_path, monkeypatch):
    wrong = [dataclasses.replace(question, by_hand=(17.0, *question.by_hand[1:])) for question in questions(0)]
    monkeypatch.setattr(exam, "draw_questions", lambda seed: wrong)
    with pytest.raises(RuntimeError, match="by the package"):
        exam.write_exam(tmp_path / "course", tmp_path / "seed")
    assert not (tmp_path / "course" / "exam.md").exists()


def test_it_is_never_written_into_the_repository(capsys):
    assert main(["exam", "docs"]) == 1
    assert "must not be in the repository" in capsys.readouterr().err
