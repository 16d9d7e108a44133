"""What the tests in a browser share: where screenshots go, widths, the smallest text, and notebooks in JupyterLab."""

import subprocess
from importlib.resources import files
from pathlib import Path

import nbformat
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "tests" / "artefacts"  # screenshots, of which Playwright makes the folder
AXE = files("axe_playwright_python").joinpath("axe.min.js")
MINUTE = 60_000  # milliseconds
WIDTHS = (1400, 900, 390)
KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
IDLE = f"{KERNEL} === 'idle'"
CELLS = "jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.toJSON())"
TEXT_SIZES = """() => [...document.querySelectorAll(".live *")]
    .filter(one => [...one.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()))
    .map(one => parseFloat(getComputedStyle(one).fontSize) * (one.ownerSVGElement ? one.getScreenCTM().a : 1))"""


def smallest_text(page: Page) -> float:
    """The size of the smallest text in live figures, in pixels."""
    return round(min(page.evaluate(TEXT_SIZES)), 2)


def serious_faults(page: Page, where: str | None = None) -> tuple[list[str], int]:
    """What axe finds serious or critical in a page, or in some elements of it; and how many contrasts it measured."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=str(AXE))
    found = page.evaluate("where => axe.run(where ?? document)", where)
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    contrasts = [one for one in found["passes"] if one["id"] == "color-contrast"]
    described = [f"{one['id']}: {node['html'][:200]}" for one in serious for node in one["nodes"]]
    return described, sum(len(one["nodes"]) for one in contrasts)


def write_notebook(lab, name: str, cells: str) -> None:
    """A notebook in the folder of JupyterLab, of cells with an empty line between them."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells.strip().split("\n\n")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(notebook, lab.work / f"{name}.ipynb")


def open_notebook(page: Page, lab, name: str) -> None:
    """Until its kernel waits for code."""
    page.goto(f"{lab.address}/lab/tree/{name}.ipynb?reset&token={lab.token}")
    page.wait_for_function(IDLE, timeout=2 * MINUTE)


def run_all(page: Page, lab, name: str) -> None:
    """Open a notebook and run its cells to the end."""
    open_notebook(page, lab, name)
    run_cells(page)


def run_cells(page: Page) -> None:
    """Run the cells of the open notebook to the end."""
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    done = f"{CELLS}.filter(c => c.cell_type === 'code' && c.source).every(c => c.execution_count > 0)"
    page.wait_for_function(done, timeout=3 * MINUTE)
    page.wait_for_function(IDLE, timeout=MINUTE)


def end_server(server: subprocess.Popen) -> None:
    """Ask a server to end; one that is still busy with its kernels after a minute is killed."""
    server.terminate()
    try:
        server.wait(timeout=60)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
