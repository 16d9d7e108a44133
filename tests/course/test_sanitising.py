"""What a student hands in is passive before a marker sees it, and stays readable."""

import copy
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.server_extensions.formgrader.handlers import template_path
from traitlets.config import Config

from igteach.course.nbgrader_steps import AUTOGRADE, JudgeProofs
from igteach.course.pages import html_of_markdown, safe_pages
from igteach.course.sanitising import (
    LARGEST_IMAGES,
    SanitiseSubmission,
    as_typed,
    clean_html,
    is_passive_markdown,
    make_passive,
    remove_additions,
)
from igteach.lessons.lesson import all_lessons, learners_view

PNG = "iVBORw0KGgo="
ACTIVE = [
    "<script>mark()</script>",
    "<img src=x onerror=mark()>",
    "<b onclick=mark()>b</b>",
    "<svg onload=mark()><script>mark()</script></svg>",
    "<a href=javascript:mark()>a</a>",
    "<a href=' java\nscript:mark()'>a</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>a</a>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<img src=http://elsewhere.example/pixel.png>",
    "<img src=/files/course.seed>",
    "<a href=/formgrader/submissions/1/evil.html>a</a>",
    "<a href=//elsewhere.example>a</a>",
    "<iframe src=/lab></iframe>",
    "<iframe srcdoc='<script>mark()</script>'></iframe>",
    "<form action=/api><button>b</button><input name=score></form>",
    "<meta http-equiv=refresh content='0;url=//elsewhere.example'>",
    "<base href=//elsewhere.example>",
    "<style>@import '//elsewhere.example/style.css'</style>",
    "<link rel=stylesheet href=//elsewhere.example>",
    "<p style='background:url(//elsewhere.example/p.png);position:fixed'>p</p>",
    "<math><maction actiontype=statusline href=javascript:mark()><mi>x</mi></maction></math>",
    "<math href=javascript:mark()><mi xlink:href=javascript:mark()>x</mi></math>",
    "<math><annotation-xml encoding=text/html><script>mark()</script></annotation-xml></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=mark()></style></mglyph></table></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=mark()>'></noscript>",
    "<object data=/lab></object><embed src=/lab>",
    "<video autoplay onplay=mark()><source src=x onerror=mark()></video>",
    "<details open ontoggle=mark()>d</details>",
    "<button data-commandlinker-command=notebook:run-all-cells>b</button>",
    "<input class=score id=question-04><textarea class=comment></textarea>",
    "<!--><img src=x onerror=mark()>-->",
    "<![CDATA[<img src=x onerror=mark()>]]>",
]
ACTIVE_MARKDOWN = [
    *ACTIVE,
    "[a](javascript:mark())",
    "[a](java&#115;cript:mark())",
    "[a](JAVASCRIPT:mark())",
    "[a](vbscript:mark())",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](/files/autograded/evil.html)",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "![a](//elsewhere.example/pixel.png)",
    "![a](https://elsewhere.example/pixel.png)",
    "[a]: javascript:mark()\n\n[a]",
    "```mermaid\n<img src=x onerror=mark()>\n```",
    "text <img src=x onerror=mark()> text",
]
SHOWS = {
    *re.findall(
        r"\w+",
        "a abbr b blockquote body br center code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd "
        "li main mark math mfrac mi mn mo mrow ms msqrt msub msubsup msup mtable mtd mtext mtr ol p pre s "
        "small span strong sub summary sup table tbody td th thead tr u ul",
    )
}
ADDRESS = re.compile("https?://.+|mailto:.+|data:image/(png|jpeg|gif|webp);base64,.+")


def dangers(html):
    """What in a page is more than text, tables, formulas, embedded pixels and links to the web."""
    found = []
    for tag in BeautifulSoup(html, "html.parser").find_all(True):
        found += [tag.name] if tag.name not in SHOWS else []
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else value
            is_handler = name.startswith(("on", "data-"))
            is_address = name.endswith(("href", "src")) and not ADDRESS.fullmatch(text)
            is_fetched = tag.name == "img" and name == "src" and text.startswith("http")
            is_style = name == "style" and re.search("url|position", text)
            is_posing = name in ("class", "id") and re.search("^(score|comment|question-04)$", text)
            if is_handler or is_address or is_fetched or is_style or is_posing:
                found.append(f"{tag.name} {name}={text}")
    return found


@pytest.mark.parametrize("html", [text for text in ACTIVE if not text.startswith("<!")])
def test_the_danger_that_is_looked_for_is_in_what_is_tried(html):
    assert dangers(html)


@pytest.mark.parametrize("html", ACTIVE)
def test_html_is_cleaned(html):
    assert dangers(clean_html(html)) == []


@pytest.mark.parametrize("source", ACTIVE_MARKDOWN)
def test_markdown_is_cleaned_after_it_is_rendered(source):
    assert dangers(html_of_markdown(source, {})) == []


@pytest.mark.parametrize("source", ACTIVE_MARKDOWN)
def test_markdown_that_could_do_something_is_recognised_and_shown_as_typed(source):
    assert not is_passive_markdown(source)
    assert is_passive_markdown(as_typed(source))
    assert dangers(stock_page(new_notebook(cells=[new_markdown_cell(as_typed(source))]))) == []


@pytest.mark.parametrize(
    "source",
    [
        *("$a<b$ and $$c>d$$", "`<script>`", "```html\n<script>\n```", "| a |\n|---|\n| $x$ |", "a < b & c > d"),
        *(
            "[paper](https://arxiv.org/abs/1703.01365)",
            "x<sub>i</sub><br>y",
            "**a** _b_",
        ),
        "<details><summary>Hint</summary>\n\ntext\n\n</details>",
    ],
)
def test_honest_markdown_stays_as_it_is(source):
    assert is_passive_markdown(source)


def test_a_picture_must_be_attached_or_another_viewer_would_refuse_the_whole_notebook():
    assert is_passive_markdown("![a](attachment:plot.png)", ["plot.png"])
    assert not is_passive_markdown("![a](attachment:plot.png)", ["other.png"])


def test_the_lessons_own_markdown_counts_as_passive():
    cells = [cell for lesson in all_lessons() for cell in learners_view(lesson.read()).cells]
    assert [
        cell.source for cell in cells if cell.cell_type == "markdown" and not is_passive_markdown(cell.source)
    ] == []


def test_what_the_package_shows_keeps_its_looks():
    span = '<span title="+0.5" style="background-color:#ff0000;color:#000000">no</span>'
    text = f'<p style="white-space:pre-wrap">{span}</p>'
    assert clean_html(text) == text
    assert clean_html('<img alt="a plot" src="data:image/png;base64,iVBORw0KGgo=">').count(PNG) == 1
    table = "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>"
    assert clean_html(table) == table


def test_links_open_beside_the_page_and_learn_nothing_of_it():
    assert clean_html("<a href='https://arxiv.org'>a</a>") == (
        '<a href="https://arxiv.org" target="_blank" rel="noopener noreferrer">a</a>'
    )


def hostile_notebook():
    data = {
        "application/javascript": "mark()",
        "application/vnd.jupyter.widget-view+json": {"model_id": "1", "version_major": 2, "version_minor": 0},
        "application/vnd.unknown+json": {"a": 1},
        "image/svg+xml": "<svg onload='mark()'/>",
        "text/html": "<script>mark()</script><b onclick='mark()'>kept</b>",
        "text/markdown": "<script>mark()</script>",
        "text/latex": r"\href{javascript:mark()}{x}",
        "text/plain": "in words",
        "image/png": PNG,
    }
    output = new_output(
        "display_data", data, metadata={"text/html": {"isolated": True}, "filenames": {"image/png": "/x"}}
    )
    code = new_code_cell("1", outputs=[output], metadata={"tags": ['"><script>'], "magics_language": '"><script>'})
    attachments = {
        "page.html": {"text/html": "PHNjcmlwdD4="},
        "both.png": {"image/svg+xml": "PHN2Zz4=", "image/png": PNG},
        "bad.png": {"image/png": '"><script>'},
        "flood.gif": {"image/gif": "A" * (LARGEST_IMAGES + 1)},
    }
    markdown = new_markdown_cell("![a](attachment:both.png)", attachments=attachments)
    raw = new_raw_cell("<script>mark()</script>", metadata={"raw_mimetype": "text/html"})
    return new_notebook(
        cells=[code, markdown, raw],
        metadata={
            "title": "</title><script>",
            "language_info": {"name": '"><script>', "pygments_lexer": '"><script>'},
            "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"1": "x" * 1000}}},
            "igteach": {"flags": ["kept"]},
            "kernelspec": {"name": "python3", "display_name": "Python 3"},
        },
    )


def test_a_notebook_keeps_text_pixels_and_cleaned_html_and_nothing_else():
    notebook = hostile_notebook()
    make_passive(notebook)
    nbformat.validate(notebook)
    code, markdown, _ = notebook.cells
    assert code.outputs[0].data == {"text/html": "<b>kept</b>", "text/plain": "in words", "image/png": PNG}
    assert code.outputs[0].metadata == {}
    assert code.metadata == {}
    assert markdown.attachments == {"both.png": {"image/png": PNG}}
    assert set(notebook.metadata) == {"igteach", "kernelspec", "language_info"}
    assert notebook.metadata.igteach.flags == ["kept"]
    assert notebook.metadata.language_info.pygments_lexer == "ipython3"


@pytest.mark.parametrize(
    "kind", ["application/javascript", "image/svg+xml", "application/vnd.jupyter.widget-view+json"]
)
def test_an_output_that_has_nothing_to_show_says_what_it_was(kind):
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[new_output("display_data", {kind: "mark()"})])])
    make_passive(notebook)
    assert notebook.cells[0].outputs[0].data == {"text/plain": f"(an output was taken out: {kind})"}


def test_streams_and_errors_stay_and_a_result_stays_a_result():
    outputs = [
        new_output("stream", name="stderr", text="<b>"),
        new_output("error", ename="E", evalue="v", traceback=["t"]),
        new_output("execute_result", {"text/plain": "0.5"}),
    ]
    notebook = new_notebook(cells=[new_code_cell("1", outputs=copy.deepcopy(outputs))])
    make_passive(notebook)
    assert notebook.cells[0].outputs == outputs


def test_the_judge_goes_first_and_points_are_saved_after():
    names = [getattr(step, "__name__", step) for step in AUTOGRADE]
    assert names.index("SanitiseSubmission") > names.index(JudgeProofs.__name__)
    assert names.index("SanitiseSubmission") < names.index("SaveAutoGrades")


def stock_page(notebook):
    """The page of a viewer that cleans nothing: nbgrader's Formgrader without our configuration."""
    return HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]


def test_a_graded_notebook_is_passive_also_in_a_viewer_that_cleans_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = hostile_notebook()
    notebook.cells += [new_markdown_cell(source) for source in ACTIVE_MARKDOWN]
    del notebook.cells[2]
    assert dangers(stock_page(notebook))
    place = {"nbgrader": {"student": "eve", "assignment": "a", "notebook": "n"}}
    passive, _ = SanitiseSubmission().preprocess(notebook, place)
    assert dangers(stock_page(passive)) == []


CONTENT = 'id="notebook-container"'  # above it stands Formgrader's own machinery


def formgrader_page(notebook, cleaning, student="eve"):
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [template_path]
    if cleaning:
        safe_pages(config)
    resources = {"base_url": "", "notebook_path": "n.ipynb", "index": 0, "total": 1, "student": student}
    page, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources)
    return page.partition("<nav")[2]


def test_formgrader_s_page_cleans_what_has_not_been_cleaned():
    notebook = hostile_notebook()
    notebook.cells += [new_markdown_cell(source) for source in ACTIVE_MARKDOWN]
    assert dangers(formgrader_page(copy.deepcopy(notebook), cleaning=False).partition(CONTENT)[2])
    page = formgrader_page(notebook, cleaning=True).partition(CONTENT)[2]
    assert dangers(page) == []
    assert "&lt;script&gt;mark()&lt;/script&gt;" in page  # the raw cell, as it was typed


def test_a_folder_s_name_is_no_way_into_formgrader_s_page():
    name = "<img src=x onerror=mark()>"
    assert "onerror" in str(dangers(formgrader_page(new_notebook(), cleaning=False, student=name)))
    page = formgrader_page(new_notebook(), cleaning=True, student=name)
    assert "onerror" not in str(dangers(page))
    assert "&lt;img src=x onerror=mark()&gt;" in page


def test_formgrader_s_page_shows_formulas_without_mathjax():
    page = formgrader_page(new_notebook(cells=[new_markdown_cell("$a<b$")]), cleaning=True)
    assert "<mo>&lt;</mo>" in page
    assert "mathjax" not in page.lower()


def test_files_that_the_release_has_not_leave_the_graded_copy(tmp_path):
    release, graded = tmp_path / "release", tmp_path / "autograded"
    for folder in (release, graded):
        (folder / "data").mkdir(parents=True)
        (folder / "n.ipynb").write_text("{}")
        (folder / "data" / "table.csv").write_text("1")
    for name in ("page.html", "data/picture.svg", "table.csv", "timestamp.txt"):
        (graded / name).write_text("<script>mark()</script>")
    (graded / "link").symlink_to(release)
    remove_additions(graded, release)
    left = {path.relative_to(graded).as_posix() for path in graded.rglob("*") if path.is_file()}
    assert left == {"n.ipynb", "data/table.csv", "timestamp.txt"}
    assert (release / "n.ipynb").is_file()


@pytest.mark.parametrize("size", [1_000_000])
def test_a_flood_of_text_is_cut(size):
    notebook = new_notebook(cells=[new_markdown_cell("a " * size)])
    make_passive(notebook)
    assert len(notebook.cells[0].source) < size
