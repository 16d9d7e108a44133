"""The lesson map of the README: its minutes are those of the heads, and launch links need an address."""

import re

from igteach.lessons.lesson import all_lessons
from igteach.lessons.lesson_map import lesson_map, minutes_of

LESSONS = all_lessons()


def test_the_minutes_add_up_to_those_of_the_heads():
    table = lesson_map(LESSONS, None)
    minutes = [int(number) for number in re.findall(r"\| (\d+) \|$", table, re.MULTILINE)]
    assert minutes[-1] == sum(minutes[:-1]) == sum(map(minutes_of, LESSONS))


def test_launch_links_are_made_from_the_address_of_a_repository_on_github_and_from_no_other():
    table = lesson_map(LESSONS, "https://github.com/someone/igteach.git")
    for lesson in LESSONS:
        assert (
            f"(https://colab.research.google.com/github/someone/igteach/blob/main/notebooks/{lesson.name}.ipynb)"
            in table
        )
        assert f"(https://mybinder.org/v2/gh/someone/igteach/main?labpath=notebooks/{lesson.name}.ipynb)" in table
    assert "git+https://github.com/someone/igteach" in table
    for address in (None, "", "https://example.org/someone/igteach"):
        assert not re.search("colab|binder", lesson_map(LESSONS, address))
