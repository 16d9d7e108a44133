"""A learner's file is opened upright, in RGB, and attributed; a broken one gets a sentence; the still is a picture."""

import base64
import datetime
import gc
import io
import re
import sys

import nbformat
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure as Canvas
from nbconvert import HTMLExporter
from PIL import Image

from igteach import explore, show

WIDGET = "application/vnd.jupyter.widget-view+json"
ALT = "Bar chart of level. first pixel: red 0, green 130, blue 0."
EXAMPLE = Image.new("RGB", (30, 20), "green")


class Attribute:
    """Draws the first pixel's three colours, and remembers the pictures that it was given."""

    def __init__(self):
        self.given = []

    def __call__(self, image):
        self.given.append(image)
        return show.bars(["red", "green", "blue"], {"first pixel": image.getpixel((0, 0))}, ylabel="level")


def file(image, kind="PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def choose(explorer, name, content):
    """As the browser does it."""
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    chosen = {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content)}
    explorer.upload.value = ({**chosen, "last_modified": when},)


def corner(mode, colour, ground):
    """12 by 8 pixels, the upper left ones in another colour."""
    image = Image.new(mode, (12, 8), ground)
    image.paste(colour, (0, 0, 6, 4))
    return image


TURNED = Image.Exif()
TURNED[0x0112] = 6  # what is its left side is to be shown at the top
RED_ON_BLUE = corner("RGB", (255, 0, 0), (0, 0, 255))
DEEP = Image.fromarray(np.full((8, 12), 65535, np.uint16))
FILES = {  # content, size, upper left pixel, upper right pixel
    "png": (file(RED_ON_BLUE), (12, 8), (255, 0, 0), (0, 0, 255)),
    "bmp": (file(RED_ON_BLUE, "BMP"), (12, 8), (255, 0, 0), (0, 0, 255)),
    "turned": (file(RED_ON_BLUE, exif=TURNED), (8, 12), (0, 0, 255), (255, 0, 0)),
    "grey": (file(corner("L", 40, 200)), (12, 8), (40, 40, 40), (200, 200, 200)),
    "alpha": (file(corner("RGBA", (9, 9, 9, 0), (1, 2, 3, 255))), (12, 8), (255, 255, 255), (1, 2, 3)),
    "16 bits": (file(DEEP), (12, 8), (255, 255, 255), (255, 255, 255)),
    "printing colours": (
        file(corner("CMYK", (0, 255, 255, 0), (255, 255, 0, 0)), "TIFF"),
        (12, 8),
        (255, 0, 0),
        (0, 0, 255),
    ),
    "palette": (file(RED_ON_BLUE.quantize(2)), (12, 8), (255, 0, 0), (0, 0, 255)),
    "animation": (
        file(RED_ON_BLUE, "PNG", save_all=True, append_images=[corner("RGB", (9, 9, 9), (0, 0, 0))]),
        (12, 8),
        (255, 0, 0),
        (0, 0, 255),
    ),
    "one pixel": (file(Image.new("RGB", (1, 1), (5, 6, 7))), (1, 1), (5, 6, 7), (5, 6, 7)),
    "wide": (file(Image.new("RGB", (3000, 2), (5, 6, 7))), (3000, 2), (5, 6, 7), (5, 6, 7)),
}


def test_the_example_is_attributed_until_a_file_is_chosen():
    attribute = Attribute()
    explorer = explore.your_picture(attribute, EXAMPLE)
    assert attribute.given == [EXAMPLE]
    assert "This is an example." in explorer.words.value
    assert repr(explorer) == f"Explorer: {ALT}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_attributed(name):
    content, size, left, right = FILES[name]
    attribute = Attribute()
    explorer = explore.your_picture(attribute, EXAMPLE)
    before = explorer.picture.value
    choose(explorer, f"<{name}>", content)
    image = attribute.given[-1]
    assert (image.mode, image.size) == ("RGB", size)
    assert (image.getpixel((0, 0)), image.getpixel((size[0] - 1, 0))) == (left, right)
    assert f"&lt;{name}&gt;: {size[0]} by {size[1]} pixels." in explorer.words.value
    assert explorer.picture.value != before


def test_a_jpeg_is_attributed():
    attribute = Attribute()
    explorer = explore.your_picture(attribute, EXAMPLE)
    choose(explorer, "photo.jpg", file(Image.new("RGB", (40, 30), (200, 100, 50)), "JPEG"))
    assert np.allclose(attribute.given[-1].getpixel((20, 15)), (200, 100, 50), atol=3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "mine.png: the file is empty; choose another picture."),
        (b"%PDF-1.7 and so on", "mine.png: the file is not a picture that can be read here"),
        (file(Image.new("1", (7100, 7100))), "mine.png: the file has 50.4 million pixels, and at most 50 million"),
        (file(RED_ON_BLUE)[:60], "mine.png: the file is a broken picture"),
        (file(RED_ON_BLUE, "JPEG")[:-200], "mine.png: the file is a broken picture"),
    ],
)
def test_a_broken_file_gets_a_sentence_and_the_next_one_works(content, sentence):
    attribute = Attribute()
    explorer = explore.your_picture(attribute, EXAMPLE)
    before = explorer.picture.value
    choose(explorer, "mine.png", content)
    assert sentence in explorer.words.value
    assert "Traceback" not in explorer.words.value
    assert attribute.given == [EXAMPLE]
    assert explorer.picture.value == before
    choose(explorer, "mine.png", file(RED_ON_BLUE))
    assert "mine.png: 12 by 8 pixels." in explorer.words.value
    assert explorer.picture.value != before


def test_what_the_attribution_objects_to_is_said():
    def attribute(image):
        if image is EXAMPLE:
            return show.bars(["a"], {"b": [1]}, ylabel="F")
        raise {12: ValueError("too small to be recognised"), 1: RuntimeError("no such layer")}[image.width]

    explorer = explore.your_picture(attribute, EXAMPLE)
    choose(explorer, "small.png", file(RED_ON_BLUE))
    assert "too small to be recognised<br>" in explorer.words.value
    choose(explorer, "dot.png", file(Image.new("L", (1, 1))))
    assert "an error of kind RuntimeError: no such layer<br>" in explorer.words.value


def test_an_error_at_the_example_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        explore.your_picture(lambda image: 1 / 0, EXAMPLE)


def test_what_takes_long_says_so_meanwhile():
    heard = []

    def attribute(image):
        if image is not EXAMPLE:
            heard.append(explorer.words.value)
        return Attribute()(image)

    explorer = explore.your_picture(attribute, EXAMPLE)
    choose(explorer, "mine.png", file(RED_ON_BLUE))
    (said,) = heard
    assert "Looking at your picture ..." in said
    assert "12 by 8 pixels" in explorer.words.value


def test_a_cell_that_is_run_twice_gives_two_explorers_that_do_not_meet():
    attribute = Attribute()
    first, second = (explore.your_picture(attribute, EXAMPLE) for _ in range(2))
    choose(first, "mine.png", file(RED_ON_BLUE))
    assert len(attribute.given) == 3
    assert "This is an example." in second.words.value


def test_the_widgets_come_with_a_picture_that_stands_still():
    one = explore.your_picture(Attribute(), EXAMPLE)
    bundle, _ = DisplayFormatter().format(one)
    assert bundle[WIDGET]["model_id"] == one.widget.model_id
    assert bundle["text/plain"] == f"Explorer: {ALT}"
    alt, data = re.match(r'<img alt="([^"]+)" [^>]*src="data:image/webp;base64,([^"]+)">', bundle["text/html"]).groups()
    assert alt == ALT
    assert Image.open(io.BytesIO(base64.b64decode(data))).width > 100
    assert bundle["image/png"].startswith("iVBOR")
    assert one.widget.model_id not in bundle["text/html"] + bundle["text/plain"]  # it is another one in each run


@pytest.mark.parametrize("stored", [(WIDGET, "text/html", "text/plain"), ("text/html", "text/plain")])
def test_a_web_page_of_the_notebook_shows_the_picture(stored):
    bundle = explore.your_picture(Attribute(), EXAMPLE)._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", {kind: bundle[kind] for kind in stored}, execution_count=1)
    cell = nbformat.v4.new_code_cell("explorer", outputs=[output], execution_count=1)
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert re.search(f'<img alt="{ALT}" [^>]*src="data:image/webp;base64,', page)


def count_figures() -> int:
    gc.collect()
    return sum(type(found) is Canvas for found in gc.get_objects())


@pytest.mark.long
def test_fifty_files_leave_no_figure_and_no_widget_behind():
    one = explore.your_picture(lambda image: Attribute()(image), EXAMPLE)
    choose(one, "mine.png", file(RED_ON_BLUE))
    widgets, figures = len(_instances), count_figures()
    for number in range(50):
        choose(one, f"{number}.png", file(RED_ON_BLUE))
    assert "49.png: 12 by 8 pixels." in one.words.value
    assert (len(_instances), count_figures()) == (widgets, figures)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
