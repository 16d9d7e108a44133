"""Links into the repository: all from its one address, and none where it has none."""

from igteach.lessons.lesson import all_lessons
from igteach.lessons.ways_in import site_address, ways_in

LESSON = all_lessons()[4]
SOURCE = f"notebooks/source/{LESSON.name}.py"


def test_a_lesson_opens_elsewhere_and_can_be_edited_and_reported():
    ways = dict(ways_in("https://github.com/someone/igteach", LESSON, SOURCE))
    assert ways == {
        "Open in Colab": "https://colab.research.google.com/github/someone/igteach/blob/main/notebooks/"
        "04_integrated_gradients.ipynb",
        "Open in Binder": "https://mybinder.org/v2/gh/someone/igteach/main?labpath=notebooks/"
        "04_integrated_gradients.ipynb",
        "Open in Codespaces": "https://codespaces.new/someone/igteach?quickstart=1",
        "Edit this page": f"https://github.com/someone/igteach/edit/main/{SOURCE}",
        "Report an issue": "https://github.com/someone/igteach/issues/new",
    }


def test_a_page_that_is_no_lesson_and_has_no_source_offers_neither():
    words = [word for word, _ in ways_in("https://github.com/someone/igteach.git", None, "")]
    assert words == ["Open in Codespaces", "Report an issue"]


def test_without_an_address_on_github_there_is_nothing():
    for address in (None, "", "https://example.org/someone/igteach"):
        assert ways_in(address, LESSON, SOURCE) == []
        assert site_address(address) == ""
