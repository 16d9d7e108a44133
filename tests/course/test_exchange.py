"""nbgrader's exchange folder: what is released is fetched, handed in, collected, and its feedback comes back."""

import getpass

import pytest

from igteach.course.assign import assign, assignment_name, nbgrader
from igteach.course.grade import grade
from igteach.course.marks import submissions
from igteach.course.submission import Submission
from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long


def test_an_assignment_goes_through_the_exchange_and_its_feedback_comes_back(tmp_path):
    course, home, exchange = (tmp_path / name for name in ("course", "home", "exchange"))
    home.mkdir()
    exchange.mkdir()
    assign(["01"], course, None)
    lesson = all_lessons(["01"])[0]
    name, student = assignment_name(lesson), getpass.getuser()

    def instructor(*arguments):
        return nbgrader(course, *arguments, f"--Exchange.root={exchange}")

    def learner(*arguments):
        return nbgrader(home, *arguments, "--course=course", f"--Exchange.root={exchange}")

    instructor("release_assignment", name)
    assert f"course {name}" in learner("list")
    learner("fetch_assignment", name)
    fetched = home / name / f"{lesson.name}.ipynb"
    assert fetched.read_bytes() == (course / "release" / name / fetched.name).read_bytes()
    learner("submit", name)
    instructor("collect", name, "--update")
    assert submissions(course) == [(student, name)]
    assert Submission(course, student, name).is_to_run()
    (mark,) = grade(course)
    assert mark.reason == ""
    assert mark.attempt == 1
    assert not Submission(course, student, name).is_to_run()
    instructor("release_feedback", name)
    learner("fetch_feedback", name)
    (page,) = (home / name / "feedback").rglob("*.html")
    assert "Write the function above" in page.read_text(encoding="utf-8")
