"""The last touches to a page: pictures in files, lines that can break, nothing that no page needs."""

import base64
import re

from igteach.lessons.book_html import finished, in_lines, is_table, tidy

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHAB2Agf5X5pdFwAAAABJRU5ErkJggg=="
)  # 4 by 2


def test_a_picture_goes_to_a_file_is_lazy_and_keeps_its_place(tmp_path):
    data = base64.b64encode(PIXEL).decode()
    html = finished(f'<p><img alt="a > b" width="20" src="data:image/png;base64,{data}"></p>', tmp_path, "_images/")
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == PIXEL
    assert html == f'<p><img loading="lazy" alt="a > b" width="20" src="_images/{file.name}" height="10"></p>'


def test_a_picture_wider_than_a_phone_is_a_link_to_itself_and_knows_its_legible_width(tmp_path):
    data = base64.b64encode(PIXEL).decode()
    html = finished(f'<img alt="Maps" width="700" src="data:image/png;base64,{data}">', tmp_path, "_images/")
    (file,) = tmp_path.iterdir()
    link = f'<a class="whole" style="--legible: 756px" href="_images/{file.name}" title="The picture by itself"><img '
    assert html.startswith(link)
    assert html.endswith("></a>")


def test_a_page_without_scripts_names_no_mode_that_its_style_does_not_know(tmp_path):
    (tmp_path / "index.html").write_text(
        '<html lang="en" data-content_root="./"  data-theme="auto">\n<p data-theme="auto">'
    )
    tidy(tmp_path)
    assert (tmp_path / "index.html").read_text() == '<html lang="en" data-content_root="./" >\n<p data-theme="auto">'


def test_data_that_a_script_reads_are_left_as_they_are(tmp_path):
    data = '<script type="application/json">{"html": "<img src=\'data:image/png;base64,iVBORw0=\'><pre>"}</script>'
    assert finished(data, tmp_path, "_images/") == data


def test_lines_of_code_keep_their_text_and_their_colours():
    code = '<span class="k">def</span> f():\n\n    <span class="k">return</span> 1\n'
    assert in_lines(code).count('<span class="line"') == 3
    assert in_lines(code).count('style="--indent: 4ch"') == 1
    assert re.sub(r"</?span[^>]*>", "", in_lines(code)) == re.sub(r"</?span[^>]*>", "", code)


def test_long_code_within_text_breaks_between_its_parts_and_short_code_does_not(tmp_path):
    html = '<span class="pre">igteach.layer_gradients(LayerIG,</span> <span class="pre">max_steps</span>'
    shown = finished(html, tmp_path, "")
    assert shown.replace("<wbr>", "") == html
    assert "igteach.<wbr>layer_<wbr>gradients(<wbr>Layer<wbr>IG,</span>" in shown
    assert '<span class="pre">max_steps</span>' in shown


def test_a_listing_breaks_after_a_dot_or_a_bracket_and_a_signature_before_its_name(tmp_path):
    html = '<pre>igteach<span class="o">.</span><span class="n">toy</span><span class="p">(</span>f</pre>'
    shown = finished(html, tmp_path, "")
    assert '<span class="o">.</span><wbr>' in shown
    assert '<span class="p">(</span><wbr>' in shown
    name = '<span class="sig-name descname"><span class="pre">toy</span></span>'
    assert finished(name, tmp_path, "") == f"<wbr>{name}"


def test_an_example_that_prints_a_table_scrolls(tmp_path):
    table = '<pre><span class="gp">>>> </span>f()\n<span class="go">gradient  1  2</span>\n</pre>'
    assert finished(table, tmp_path, "").startswith('<pre class="printed" tabindex="0">')
    assert finished(table.replace("  ", " "), tmp_path, "").startswith("<pre><span")


ROW = "IG                  0.66 (0.61 to 0.71)  0.12\n"


def test_a_printed_table_too_wide_for_a_phone_scrolls_and_other_output_wraps(tmp_path):
    assert is_table(3 * ROW + "one line below it\n")
    assert is_table(f"<span></span>{3 * ROW.replace('IG', '<span>IG</span>')}")
    assert not is_table(2 * ROW)
    assert not is_table(3 * "IG    0.66   0.12\n")  # it fits
    assert not is_table(3 * f"{'the number of a label as long as this one is':47s}  0.99\n")  # it would not be in sight
    assert not is_table(3 * ROW + 4 * "more lines of prose than of the table\n")
    assert not is_table(3 * ROW + f"a line that goes {'on and ' * 20}on\n")
    html = '<div class="output stream"><div class="highlight"><pre>%s</pre></div></div><pre>%s</pre>'
    shown = finished(html % (3 * ROW, 3 * ROW), tmp_path, "")
    assert shown.count('<pre class="printed" tabindex="0">') == 1


def test_a_fold_is_called_what_it_says(tmp_path):
    html = '<summary aria-label="Toggle hidden content">\n<p>Show a solution</p></summary>'
    assert finished(html, tmp_path, "") == "<summary>\n<p>Show a solution</p></summary>"


def test_maps_and_the_second_copy_of_the_icons_are_pruned(tmp_path):
    (tmp_path / "scripts").mkdir()
    for name in ("fontawesome.js", "fontawesome.js.map", "bootstrap.js", "bootstrap.js.map"):
        (tmp_path / "scripts" / name).write_text("")
    (tmp_path / "index.html").write_text(
        '<p>\n  <script defer src="_static/scripts/fontawesome.js?digest=1"></script>\n'
        '<button class="btn search-button-field x" title="Search" aria-label="Search">'
    )
    tidy(tmp_path)
    assert [file.name for file in (tmp_path / "scripts").iterdir()] == ["bootstrap.js"]
    button = '<button class="btn search-button-field x" title="Search" aria-label="Search Ctrl+K">'
    assert (tmp_path / "index.html").read_text() == f"<p>\n{button}"
