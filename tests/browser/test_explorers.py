"""The explorers in a real browser: a drag changes picture and words, a file is attributed, a broken one named."""

import io
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.long
LESSON = "08_image_models"
ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "tests" / "artefacts"
MINUTE = 60_000  # milliseconds
KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
CELLS = "jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.toJSON())"
GO_TO = """async code => {
    const notebook = jupyterapp.shell.currentWidget.content;
    const index = notebook.widgets.findIndex(cell => cell.model.sharedModel.source.includes(code));
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'start');
    return index;
}"""  # JupyterLab renders only the cells in view


class Explorer:
    """What a learner sees of the explorer that the cell with this code shows."""

    def __init__(self, page: Page, code: str):
        index = page.evaluate(GO_TO, code)
        assert index >= 0, f"no cell holds {code}"
        self.page = page
        self.output = page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea-output')
        self.words, self.picture = self.output.locator(".widget-html").first, self.output.locator(".widget-html img")
        self.handle = self.output.locator(".noUi-handle")
        expect(self.picture).to_be_visible(timeout=MINUTE)
        self.picture.scroll_into_view_if_needed()
        self.remember()

    def remember(self) -> None:
        self.src, self.text = self.picture.get_attribute("src"), self.words.inner_text()
        self.pixels = self.picture.screenshot()

    def has_changed(self) -> None:
        """Waits until picture and words are others than remembered, and remembers these."""
        expect(self.words).not_to_have_text(self.text)
        expect(self.picture).not_to_have_attribute("src", self.src)
        assert self.picture.get_attribute("alt")
        assert self.picture.screenshot() != self.pixels
        self.remember()

    def choose(self, name: str, content: bytes) -> None:
        """A file, in the dialogue that the upload button opens."""
        with self.page.expect_file_chooser() as chooser:
            self.output.locator("button.widget-upload").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})


@pytest.fixture
def errors(page):
    """What the console and the page itself report as errors."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def run_all(page: Page, lab, name: str) -> None:
    page.goto(f"{lab.address}/lab/tree/{name}.ipynb?reset&token={lab.token}")
    page.wait_for_function(f"{KERNEL} === 'idle'", timeout=2 * MINUTE)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    done = f"{CELLS}.filter(c => c.cell_type === 'code' && c.source).every(c => c.execution_count > 0)"
    page.wait_for_function(done, timeout=3 * MINUTE)
    page.wait_for_function(f"{KERNEL} === 'idle'", timeout=MINUTE)


def drag_along_the_path(page: Page) -> None:
    explorer = Explorer(page, "explore.path_explorer(")
    expect(explorer.words).to_contain_text("alpha 0.50")
    explorer.handle.press("ArrowRight")
    expect(explorer.words).to_contain_text("alpha 0.52")
    explorer.has_changed()
    explorer.handle.scroll_into_view_if_needed()
    track, start = explorer.output.locator(".noUi-target").bounding_box(), explorer.handle.bounding_box()
    height = start["y"] + start["height"] / 2
    page.mouse.move(start["x"] + start["width"] / 2, height)
    page.mouse.down()
    for part in range(10):
        page.mouse.move(track["x"] + track["width"] * (0.55 + part / 20), height)
    page.mouse.up()
    expect(explorer.words).to_contain_text("alpha 1.00")
    explorer.has_changed()


def run_the_cell_again_and_drag(page: Page) -> None:
    page.evaluate(GO_TO, "explore.path_explorer(")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    expect(page.locator(".widget-html", has_text="At alpha 0.50")).to_be_visible(timeout=MINUTE)
    drag_along_the_path(page)


def change_steps_and_rule(page: Page) -> None:
    explorer = Explorer(page, "explore.steps_explorer(")
    explorer.handle.press("ArrowRight")
    explorer.has_changed()
    explorer.output.locator("select").select_option("gauss_legendre")
    explorer.has_changed()


def choose_a_baseline(page: Page) -> None:
    explorer = Explorer(page, "explore.baseline_explorer(")
    explorer.output.locator("select").first.select_option(index=1)
    explorer.has_changed()


def choose_a_broken_file(page: Page) -> None:
    explorer = Explorer(page, "explore.your_picture(")
    explorer.choose("broken.png", written(disc(), "PNG")[:200])
    expect(explorer.words).to_contain_text("broken.png: the file is")
    expect(explorer.output).not_to_contain_text("Traceback")
    assert explorer.picture.get_attribute("src") == explorer.src


def choose_pictures(page: Page) -> None:
    explorer = Explorer(page, "explore.your_picture(")
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    deep = np.linspace(0, 65535, 300 * 200).astype(np.uint16).reshape(200, 300)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by a quarter
    for name, content, size in (
        ("mine.png", written(disc(), "PNG"), "300 by 200"),
        ("of 12 megabytes.png", written(Image.fromarray(noise), "PNG"), "2000 by 2000"),
        ("grey.jpg", written(disc().convert("L"), "JPEG"), "300 by 200"),
        ("of 16 bits.png", written(Image.fromarray(deep), "PNG"), "300 by 200"),
        ("with alpha.png", written(disc(seen=99), "PNG"), "300 by 200"),
        ("of one pixel.gif", written(disc().resize((1, 1)), "GIF"), "1 by 1"),
        ("turned.jpg", written(disc(), "JPEG", exif=turned), "200 by 300"),
    ):
        explorer.choose(name, content)
        expect(explorer.words).to_contain_text(f"{name}: {size} pixels", timeout=MINUTE)
        explorer.has_changed()


def disc(seen: int = 255) -> Image.Image:
    """An orange disc on navy, more or less transparent where less than 255 of it is seen."""
    image = Image.new("RGB", (300, 200), "navy")
    ImageDraw.Draw(image).ellipse((30, 20, 150, 140), fill="orange")
    if seen < 255:
        image.putalpha(seen)
    return image


def written(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


USES = drag_along_the_path, run_the_cell_again_and_drag, change_steps_and_rule, choose_a_baseline, choose_a_broken_file
USES += (choose_pictures,)


def test_the_explorers_of_a_lesson_answer(page, lab, errors):
    ARTEFACTS.mkdir(exist_ok=True)
    run_all(page, lab, LESSON)
    for number, use in enumerate(USES, start=1):
        use(page)
        page.screenshot(path=ARTEFACTS / f"explorers_{number}_{use.__name__}.png")
    assert errors == []


SMALL = """
import sys
sys.path.insert(0, {folder!r})
from igteach import explore, probability
assert explore.__file__.startswith({folder!r})
from igteach.datasets import load_digits
from igteach.models import digits

data = load_digits()
explore.path_explorer(probability(digits.load()), data.x_test[:1], 0.0, int(data.y_test[0]))
"""
BREAKS = {  # of a callback: what stands in igteach/explore, what is put in its place, and what the browser then misses
    "not called": ("explorer.py", 'control.observe(self._changed, names="value")', "pass", "alpha 0.52"),
    "raises": ("paths.py", "at = round(alpha * SEGMENTS)", "at = {0.5: 25}[alpha]", "alpha 0.52"),
    "draws the same": ("explorer.py", "self.picture.value = f", "self.picture.value = self.picture.value or f", "src"),
}


@pytest.mark.parametrize("fault", [None, *BREAKS])
def test_the_drag_fails_where_a_callback_is_broken(page, lab, tmp_path, fault):
    shutil.copytree(ROOT / "igteach", tmp_path / "igteach")
    (tmp_path / "data").symlink_to(ROOT / "data")
    if fault:
        name, right, wrong, missed = BREAKS[fault]
        file = tmp_path / "igteach" / "explore" / name
        text = file.read_text()
        assert text.count(right) == 1, "the code has moved on; mend this break"
        file.write_text(text.replace(right, wrong))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SMALL.format(folder=str(tmp_path)))])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nbformat.write(notebook, lab.work / f"{tmp_path.name}.ipynb")  # a name of its own has a kernel of its own
    run_all(page, lab, tmp_path.name)
    if fault:
        with pytest.raises(AssertionError, match=missed):
            drag_along_the_path(page)
    else:
        drag_along_the_path(page)
