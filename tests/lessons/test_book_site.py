"""What a book on the web has beside its pages is made from the one address of the repository, or is not there."""

import re

import pytest

from igteach.lessons import book

pytestmark = pytest.mark.long
ADDRESS = "https://github.com/someone/igteach"
SITE = "https://someone.github.io/igteach/"


@pytest.fixture
def site_of(tmp_path, monkeypatch):
    """Builds two pages with the settings of the book."""

    def build(address):
        monkeypatch.setattr(book, "repository", lambda: address)
        pages = tmp_path / "pages"
        (pages / "_static").mkdir(parents=True)
        for name in ("book.css", "favicon.svg"):
            (pages / "_static" / name).write_bytes((book.FILES / "static" / name).read_bytes())
        (pages / "index.md").write_text("# First\n\nWhat it is about.\n\n```{toctree}\nglossary\n```\n")
        (pages / "glossary.md").write_text("# Second\n\nText.\n")
        (pages / "_static" / "live.js").write_text("1")
        assert book.run_sphinx(tmp_path, {"live.js": "1"}) == []
        assert book.broken(tmp_path / "html") == []
        return tmp_path / "html"

    return build


def test_with_an_address_a_site_can_be_found_shared_and_corrected(site_of):
    site = site_of(ADDRESS)
    page = (site / "glossary.html").read_text()
    assert f'<link rel="canonical" href="{SITE}glossary.html" />' in page
    assert f'<meta property="og:image" content="{SITE}_static/card.png" />' in page
    assert re.search(r'<meta name="description" content="Text', page)
    assert f"<loc>{SITE}glossary.html</loc>" in (site / "sitemap.xml").read_text()
    assert 'href="/igteach/_static/book.css' in (site / "404.html").read_text()
    assert re.findall(r'<nav class="ways-in".*?</nav>', page, re.DOTALL)
    assert f'<a href="{ADDRESS}/edit/main/docs/glossary.md">Edit this page</a>' in page
    assert f'<a href="{ADDRESS}/issues/new">Report an issue</a>' in page


def test_without_an_address_nothing_points_to_one(site_of):
    site = site_of(None)
    page = (site / "glossary.html").read_text()
    assert not re.search('rel="canonical"|og:image|ways-in|github|issues/new', page)
    assert not (site / "404.html").exists()
    assert not (site / "sitemap.xml").exists()
    assert '<link rel="icon" href="_static/favicon.svg"' in page
    assert '<script defer="defer" src="_static/live.js' in page
    assert 'class="bd-sidebar-primary bd-sidebar hide-on-wide"' in page
