"""The explorers in JupyterLab: a drag changes picture and words, a file is attributed, a broken one named."""

import io
import shutil

import numpy as np
import pytest
from browser.helpers import ARTEFACTS, MINUTE, ROOT, run_all, write_notebook
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.long
GO_TO = """async code => {
    const notebook = jupyterapp.shell.currentWidget.content;
    const index = notebook.widgets.findIndex(cell => cell.model.sharedModel.source.includes(code));
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'start');
    return index;
}"""  # JupyterLab renders only the cells in view


def output_of(page: Page, code: str) -> Locator:
    """The output of the cell with this code."""
    index = page.evaluate(GO_TO, code)
    assert index >= 0, f"no cell holds {code}"
    return page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea-output')


class Live:
    """What a learner sees of the live figure that the cell with this code shows."""

    def __init__(self, page: Page, code: str):
        self.page, self.output = page, output_of(page, code)
        self.words, self.panes = self.output.locator(".words"), self.output.locator(".panes")
        self.slider, self.choices = self.output.locator("input[type=range]"), self.output.locator("select")
        expect(self.panes).to_be_visible(timeout=MINUTE)
        self.panes.scroll_into_view_if_needed()
        self.remember()

    def remember(self) -> None:
        self.text, self.maps = self.words.inner_text(), self.maps_now()

    def maps_now(self) -> list[str]:
        return self.output.locator("canvas").evaluate_all("canvases => canvases.map(canvas => canvas.toDataURL())")

    def has_changed(self) -> None:
        """Waits until the words are others than remembered, sees other maps, and remembers these."""
        expect(self.words).not_to_have_text(self.text)
        assert self.maps_now() != self.maps, "the maps stayed"
        self.remember()


class Upload:
    """What a learner sees of the explorer of an own picture."""

    def __init__(self, page: Page, code: str):
        self.page, self.output = page, output_of(page, code)
        self.words, self.picture = self.output.locator(".widget-html").first, self.output.locator(".widget-html img")
        expect(self.picture).to_be_visible(timeout=MINUTE)
        self.picture.scroll_into_view_if_needed()
        self.remember()

    def remember(self) -> None:
        self.src, self.text = self.picture.get_attribute("src"), self.words.inner_text()

    def has_changed(self) -> None:
        """Waits until picture and words are others than remembered, and remembers these."""
        expect(self.words).not_to_have_text(self.text)
        expect(self.picture).not_to_have_attribute("src", self.src)
        assert self.picture.get_attribute("alt")
        self.remember()

    def choose(self, name: str, content: bytes) -> None:
        """A file, in the dialogue that the upload button opens."""
        with self.page.expect_file_chooser() as chooser:
            self.output.locator("button.widget-upload").click()
        chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})


def drag_along_the_path(page: Page) -> None:
    figure = Live(page, "explore.path_explorer(")
    expect(figure.words).to_contain_text("alpha 0.20")
    figure.slider.press("ArrowRight")
    expect(figure.words).to_contain_text("alpha 0.25")
    figure.has_changed()
    box = figure.slider.bounding_box()
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], height)
    page.mouse.down()
    for part in range(10):
        page.mouse.move(box["x"] + box["width"] * (0.3 + part / 12), height)
    page.mouse.up()
    expect(figure.words).to_contain_text("alpha 1.00")
    figure.has_changed()


def run_the_cell_again_and_drag(page: Page) -> None:
    page.evaluate(GO_TO, "explore.path_explorer(")
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")
    expect(page.locator(".words", has_text="At alpha 0.20")).to_be_visible(timeout=MINUTE)
    drag_along_the_path(page)


def change_steps_and_rule(page: Page) -> None:
    figure = Live(page, "explore.steps_explorer(")
    expect(figure.words).to_contain_text("Midpoint, 8 gradients.")
    figure.slider.press("ArrowRight")
    expect(figure.words).to_contain_text("Midpoint, 12 gradients.")
    figure.has_changed()
    figure.choices.select_option("gauss_legendre")
    expect(figure.words).to_contain_text("Gauss-legendre, 12 gradients.")
    figure.has_changed()


def choose_a_baseline(page: Page) -> None:
    figure = Live(page, "explore.baseline_explorer(")
    expect(figure.words).to_contain_text("Against black: ")
    figure.choices.first.select_option("white")
    expect(figure.words).to_contain_text("Against white: ")
    figure.has_changed()


def choose_a_broken_file(page: Page) -> None:
    explorer = Upload(page, "explore.your_picture(")
    explorer.choose("broken.png", written(disc(), "PNG")[:200])
    expect(explorer.words).to_contain_text("broken.png: the file is")
    expect(explorer.output).not_to_contain_text("Traceback")
    assert explorer.picture.get_attribute("src") == explorer.src


def choose_pictures(page: Page) -> None:
    explorer = Upload(page, "explore.your_picture(")
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


ALL = """
import igteach
from igteach import explore, show
from igteach.datasets import load_digits
from igteach.models import digits
from PIL import Image
x, model = load_digits().x_test[:1], digits.load()
f, target = igteach.logit(model), int(model(x).argmax())

explore.path_explorer(f, x, 0.0, target)

explore.steps_explorer(f, x, 0.0, target, igteach.exact_integrated_gradients(f, x, 0.0, target))

explore.baseline_explorer(f, x, {"black": 0.0, "grey": 0.5, "white": 1.0}, target)

def explain(image):
    levels = image.resize((1, 1)).getpixel((0, 0))
    return show.bars(["red", "green", "blue"], {"mean": levels}, ylabel="level")
explore.your_picture(explain, Image.new("RGB", (2, 2), "red"))
"""


def test_the_explorers_answer(page, lab, errors):
    write_notebook(lab, "explorers", ALL)
    run_all(page, lab, "explorers")
    for number, use in enumerate(USES, start=1):
        use(page)
        page.screenshot(path=ARTEFACTS / f"explorers_{number}_{use.__name__}.png")
    assert errors == []


SMALL = """
import sys
sys.path.insert(0, {folder!r})
from igteach import explore, logit
assert explore.__file__.startswith({folder!r})
from igteach.datasets import load_digits
from igteach.models import digits
data = load_digits()
explore.path_explorer(logit(digits.load()), data.x_test[:1], 0.0, int(data.y_test[0]))
"""
BREAKS = {  # of a script: what stands in it, what is put in its place, and what the browser then misses
    "not called": ("common.js", "read(); changed(Number(input.value));", "read();", "alpha 0.25"),
    "raises": (
        "path.js",
        "const alpha = alphas[at].toFixed(2);",
        "const alpha = alphas[at % 5 ? at : -1].toFixed(2);",
        "alpha 0.25",
    ),
    "draws the same": ("common.js", "values.forEach((value, at) => {", "[].forEach((value, at) => {", "maps stayed"),
}


@pytest.mark.parametrize("fault", [None, *BREAKS])
def test_the_drag_fails_where_a_script_is_broken(page, lab, tmp_path, fault):
    shutil.copytree(ROOT / "igteach", tmp_path / "igteach")
    (tmp_path / "data").symlink_to(ROOT / "data")
    if fault:
        name, right, wrong, missed = BREAKS[fault]
        file = tmp_path / "igteach" / "explore" / "scripts" / name
        text = file.read_text()
        assert text.count(right) == 1, "the code has moved on; mend this break"
        file.write_text(text.replace(right, wrong))
    write_notebook(lab, tmp_path.name, SMALL.format(folder=str(tmp_path)))  # a name of its own has a kernel of its own
    run_all(page, lab, tmp_path.name)
    if fault:
        with pytest.raises(AssertionError, match=missed):
            drag_along_the_path(page)
    else:
        drag_along_the_path(page)
