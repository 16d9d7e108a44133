"""The search for broken links finds each kind, and no others."""

import pytest

from igteach.lessons.book_links import broken


@pytest.fixture
def site(tmp_path):
    (tmp_path / "there.html").write_text('<h2 id="here">Here</h2> <a href="https://example.org">out</a>')
    return tmp_path


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="nowhere.html#x">', "page.html: href nowhere.html#x is not there"),
        ('<img alt="" src="_images/gone.png">', "page.html: src _images/gone.png is not there"),
        ('<a href="there.html#gone">', "page.html: href there.html#gone leads to no place on its page"),
        ('<a href="#gone">', "page.html: href #gone leads to no place on its page"),
        ('<script src="https://cdn.example/x.js">', "page.html needs the network for src https://cdn.example/x.js"),
        (
            '<link rel="stylesheet" href="//cdn.example/x.css">',
            "page.html needs the network for href //cdn.example/x.css",
        ),
    ],
)
def test_a_fault_is_found(site, html, fault):
    (site / "page.html").write_text(html)
    assert broken(site) == [fault]


def test_what_is_there_is_no_fault(site):
    (site / "page.html").write_text(
        '<a href="there.html?q=1#here"><a href="there.html"><a href="mailto:a@example.org"><p id="p"><a href="#p">'
        '<link rel="canonical" href="https://example.org/page.html"><pre>&lt;a <a href="nowhere.html"></pre>'
    )
    (site / "404.html").write_text('<a href="/igteach/there.html">')
    assert broken(site) == []
    (site / "404.html").write_text('<a href="/igteach/nowhere.html">')
    assert broken(site) == ["404.html: href /igteach/nowhere.html is not there"]
