"""A submission that tries to run something in the browser of whoever marks it, in a real one, logged in."""

import shutil

import nbformat
import pytest
from browser.helpers import IDLE, MINUTE
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.api import Gradebook
from traitlets.config import Config

from igteach.course.assign import assign, assignment_name
from igteach.course.grade import grade
from igteach.course.pages import safe_pages
from igteach.course.report import report
from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long
READY = "window.jupyterapp?.commands.hasCommand('notebook:trust')"
# a file keeps the trust of code cells only
TRUSTED = """jupyterapp.shell.currentWidget.content.widgets
    .every(cell => cell.model.type !== 'code' || cell.model.trusted)"""
# Every trick ends in a request for this address with the trick's name: a script's, through mark(), or the tag's own.
SIGN = "http://elsewhere.invalid/fired-by-"
MARK = f"""window.mark = name => {{
    new Image().src = '{SIGN}' + name;
    fetch('/formgrader/api/grade/fired-by-' + name, {{method: 'PUT', body: '{{}}'}}).catch(() => 0);
}}"""
MARKDOWN = {
    "script": "<script>mark('script')</script>",
    "onerror": "text <img src=x onerror=\"mark('onerror')\"> text",
    "onload": "<svg onload=\"mark('onload')\"></svg>",
    "svg": "<svg><script>mark('svg')</script></svg>",
    "onclick": "<b onclick=\"mark('onclick')\">click</b>",
    "ontoggle": "<details open ontoggle=\"mark('ontoggle')\"><summary>s</summary>d</details>",
    "link": "[click](javascript:mark('link'))",
    "entity": "[click](java&#115;cript:mark('entity'))",
    "anchor": "<a href=\"javascript:mark('anchor')\">click</a>",
    "srcdoc": "<iframe srcdoc=\"<script>parent.mark('srcdoc')</script>\"></iframe>",
    "iframe": f'<iframe src="{SIGN}iframe"></iframe>',
    "data": "<iframe src=\"data:text/html,<script>new Image().src='" + SIGN + "data'</script>\"></iframe>",
    "form": f'<form action="{SIGN}form"><button>click</button></form>',
    "picture": f"![a]({SIGN}picture)",
    "css": f"<style>@import '{SIGN}css';</style>",
    "background": f"<p style=\"background: url('{SIGN}background')\">p</p>",
    "stylesheet": f'<link rel="stylesheet" href="{SIGN}stylesheet">',
    "object": f'<object data="{SIGN}object"></object>',
    "mathml": "<math><mtext><img src=x onerror=\"mark('mathml')\"></mtext></math>",
    "nested": "<math><mtext><table><mglyph><style><!--</style>"
    "<img title=\"--&gt;&lt;img src=x onerror=mark('nested')&gt;\">",
    "maction": '<math><maction actiontype="toggle" href="javascript:mark(\'maction\')"><mi>x</mi></maction></math>',
    "mermaid": "```mermaid\n<img src=x onerror=\"mark('mermaid')\">\n```",
    "command": '<button data-commandlinker-command="notebook:run-all-cells">click</button>',
    "mathjax": r"$\href{javascript:mark('mathjax')}{click}$",
    "neighbour": "[click](evil.html)",
}
REFRESH = f'<meta http-equiv="refresh" content="0; url={SIGN}refresh">'  # leaves the page, so its control comes alone
SVG = "<svg xmlns='http://www.w3.org/2000/svg'><script>mark('{0}')</script><image href='" + SIGN + "{0}'/></svg>"
OUTPUTS = {
    "html": {"text/html": "<script>mark('html')</script>"},
    "handler": {"text/html": "<img src=x onerror=\"mark('handler')\">"},
    "javascript": {"application/javascript": "mark('javascript')"},
    "drawing": {"image/svg+xml": SVG.format("drawing")},
    "markdown": {"text/markdown": "<img src=x onerror=\"mark('markdown')\">"},
    "isolated": {"text/html": "<script>parent.mark('isolated')</script>"},
    "widget": {"application/vnd.jupyter.widget-view+json": {"model_id": "w", "version_major": 2, "version_minor": 0}},
}
WIDGETS = {
    "w": {
        "model_name": "HTMLModel",
        "model_module": "@jupyter-widgets/controls",
        "model_module_version": "2.0.0",
        "state": {"value": "<img src=x onerror=\"mark('widget')\">"},
    }
}
# Chromium runs nothing of these even where nothing is cleaned: they are for other browsers, viewers, or a network.
# `neighbour` is a link to evil.html, which counts by itself.
QUIET = {"command", "maction", "mathjax", "neighbour", "nested"}
FIRE_IN_FORMGRADER = (set(MARKDOWN) - QUIET) | {"evil", "handler", "html", "isolated", "javascript", "markdown"}
FIRE_IN_JUPYTERLAB = {"handler", "html", "isolated", "javascript", "markdown", "picture"}


@pytest.fixture(scope="module")
def lesson():
    return all_lessons(["04"])[0]


@pytest.fixture(scope="module")
def course(tmp_path_factory, lesson):
    """A graded course with one student, who tries everything at once."""
    folder = tmp_path_factory.mktemp("hostile") / "course"
    name = assignment_name(lesson)
    assign(["04"], folder, None)
    notebook = nbformat.read(folder / "release" / name / f"{lesson.name}.ipynb", as_version=4)
    notebook.cells += [*tricks(executed=False), new_markdown_cell(REFRESH)]
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": WIDGETS}}
    place = folder / "submitted" / "eve" / name
    place.mkdir(parents=True)
    nbformat.write(notebook, place / f"{lesson.name}.ipynb")
    (place / "evil.html").write_text("<script>mark('evil')</script>")
    grade(folder)
    report(folder)
    (graded,) = (folder / "autograded").rglob("*.ipynb")
    graded.chmod(0o644)  # so that JupyterLab can save that it is trusted
    return folder


def tricks(executed):
    """A cell for each trick; with the outputs, or with the code that displays them."""
    cells = [new_markdown_cell(source) for source in MARKDOWN.values()]
    svg = {"page.svg": {"image/svg+xml": "PHN2Zy8+", "text/html": "PHNjcmlwdD4="}}
    cells += [new_markdown_cell("![a](attachment:page.svg)", attachments=svg)]
    cells += [new_raw_cell("<script>mark('raw')</script>", metadata={"raw_mimetype": "text/html"})]
    for name, data in OUTPUTS.items():
        metadata = {"isolated": True} if name == "isolated" else {}
        code = f"from IPython.display import display\ndisplay({data!r}, raw=True, metadata={metadata!r})"
        outputs = [new_output("display_data", data, metadata=metadata)] if executed else []
        cells.append(new_code_cell(code, outputs=outputs))
    return cells


@pytest.fixture(scope="module")
def uncleaned(tmp_path_factory, course, lesson):
    """The same course as it was without any cleaning: the control."""
    folder = tmp_path_factory.mktemp("uncleaned") / "course"
    shutil.copytree(course, folder)
    write_uncleaned(folder, lesson)
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text().replace("safe_pages(c)", "# safe_pages(c)"))
    return folder


def write_uncleaned(folder, lesson):
    """Put back into the graded copy what its cleaning took out."""
    place = folder / "autograded" / "eve" / assignment_name(lesson)
    notebook = nbformat.read(place / f"{lesson.name}.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata] + tricks(executed=True)
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": WIDGETS}}
    (place / f"{lesson.name}.ipynb").unlink()
    nbformat.write(notebook, place / f"{lesson.name}.ipynb")
    (place / "evil.html").write_text("<script>mark('evil')</script>")


@pytest.fixture
def watched(page):
    """The browser, and the tricks that fired in it, or in a window that it opened."""
    fired: set[str] = set()

    def note(request):
        if "fired-by-" in request.url:
            fired.add(request.url.rpartition("fired-by-")[2].rstrip("?"))

    page.context.add_init_script(MARK)
    page.context.on("request", note)
    return page, fired


def see_and_click(page, address, inside):
    """Open a page, and click each thing that a person might click there, in a fresh page each."""
    targets = f"""[...document.querySelectorAll(`{inside}`)].flatMap(
        part => [...part.querySelectorAll('a[href]:not([href^=http]), button, maction, [onclick]')])"""
    page.goto(address)
    page.wait_for_timeout(1500)
    for number in range(page.evaluate(f"{targets}.length")):
        page.goto(address)
        page.evaluate(
            f"{targets}[{number}].dispatchEvent(new MouseEvent('click', {{bubbles: true, cancelable: true}}))"
        )
        page.wait_for_timeout(300)


def see_formgrader(page, lab, course, lesson):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        submission = gradebook.find_submission_notebook(lesson.name, assignment_name(lesson), "eve").id
    page.goto(f"{lab.address}/lab?reset&token={lab.token}")  # logs in
    page.goto(f"{lab.address}/formgrader/submissions/{submission}/")
    page.wait_for_selector("#question-04")
    see_and_click(page, f"{lab.address}/formgrader/submissions/{submission}/", "#notebook-container")
    page.goto(f"{lab.address}/formgrader/submissions/{submission}/evil.html")
    page.wait_for_timeout(500)


def test_the_control_fires_in_formgrader(watched, lab_on, uncleaned, lesson):
    page, fired = watched
    see_formgrader(page, lab_on(uncleaned), uncleaned, lesson)
    assert fired >= FIRE_IN_FORMGRADER


@pytest.fixture(scope="module")
def lab(lab_on, course):
    return lab_on(course)


def test_nothing_fires_in_formgrader(watched, lab, course, lesson):
    page, fired = watched
    see_formgrader(page, lab, course, lesson)
    assert fired == set()


def see_in_jupyterlab(page, lab, lesson):
    """Open the graded notebook in JupyterLab, as it is and then as a trusted one."""
    path = f"autograded/eve/{assignment_name(lesson)}/{lesson.name}.ipynb"
    page.goto(f"{lab.address}/lab/tree/{path}?reset&token={lab.token}")
    page.wait_for_function(IDLE, timeout=2 * MINUTE)
    see_every_cell(page)
    page.evaluate("void jupyterapp.commands.execute('notebook:trust')")
    page.locator(".jp-Dialog").get_by_role("button", name="Trust").click(timeout=MINUTE)
    page.wait_for_function(TRUSTED, timeout=MINUTE)
    page.evaluate("void jupyterapp.commands.execute('notebook:render-all-markdown')")
    see_every_cell(page)
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.goto(f"{lab.address}/lab/tree/{path}?reset&token={lab.token}")
    page.wait_for_function(IDLE, timeout=2 * MINUTE)
    page.wait_for_function(TRUSTED, timeout=MINUTE)
    see_every_cell(page)
    clickable = ".jp-RenderedHTMLCommon :is(a, b, button, summary, maction)"
    page.evaluate(
        f"document.querySelectorAll('{clickable}').forEach(it => it.href?.startsWith('http') || it.click?.())"
    )
    page.wait_for_timeout(1500)


def see_every_cell(page):
    """JupyterLab draws a cell when it is scrolled to."""
    count = page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length")
    for number in range(count):
        page.evaluate(f"void jupyterapp.shell.currentWidget.content.scrollToItem({number})")
        page.wait_for_timeout(50)
    page.wait_for_timeout(1500)


def test_the_control_fires_in_jupyterlab(watched, lab_on, uncleaned, lesson):
    page, fired = watched
    see_in_jupyterlab(page, lab_on(uncleaned), lesson)
    assert fired >= FIRE_IN_JUPYTERLAB


def test_nothing_fires_in_jupyterlab_trusted_or_not(watched, lab, lesson):
    page, fired = watched
    see_in_jupyterlab(page, lab, lesson)
    assert fired == set()


def test_nothing_fires_in_feedback_and_report(watched, course):
    page, fired = watched
    (feedback,) = (course / "feedback").rglob("*.html")
    for file in (feedback, course / "report.html"):
        see_and_click(page, file.as_uri(), ".written, .whole, td")
    assert fired == set()
    files = {path.name for path in (course / "feedback").rglob("*") if path.is_file()}
    assert files == {feedback.name, "submission_secret.txt"}  # the secret is of nbgrader's exchange


def test_the_control_of_what_leaves_the_page_fires(watched, tmp_path):
    page, fired = watched
    html, _ = HTMLExporter(template_name="classic").from_notebook_node(new_notebook(cells=[new_markdown_cell(REFRESH)]))
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri(), wait_until="commit")
    page.wait_for_timeout(1500)
    assert fired == {"refresh"}


@pytest.mark.parametrize("cleaned", ["file", "page"])
def test_each_of_the_two_cleanings_holds_alone(watched, course, uncleaned, lesson, tmp_path, cleaned):
    page, fired = watched
    config = Config()
    if cleaned == "page":
        safe_pages(config)
    graded = (course if cleaned == "file" else uncleaned) / "autograded" / "eve" / assignment_name(lesson)
    html, _ = HTMLExporter(config=config, template_name="classic").from_filename(graded / f"{lesson.name}.ipynb")
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    see_and_click(page, (tmp_path / "page.html").as_uri(), "#notebook-container")
    assert fired == set()
