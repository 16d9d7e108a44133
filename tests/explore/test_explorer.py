"""An explorer answers its controls, says what went wrong, leaks nothing, and stands still where no widgets run."""

import base64
import gc
import io
import re
import sys

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from ipywidgets import IntSlider
from ipywidgets.widgets.widget import _instances
from matplotlib.figure import Figure as Canvas
from nbconvert import HTMLExporter
from PIL import Image

from igteach import show
from igteach.explore.explorer import Explorer

WIDGET = "application/vnd.jupyter.widget-view+json"


def view(n):
    if n == 7:
        raise ValueError("n is 7; choose <another>")
    if n == 8:
        raise KeyError("eight")
    return show.bars(["n"], {"n": [n]}, ylabel="F"), f"n is {n} & <so on>"


def explorer(draw=view, **options):
    return Explorer(draw, {"n": IntSlider(value=1, max=10)}, **options)


def count_figures() -> int:
    gc.collect()
    return sum(type(found) is Canvas for found in gc.get_objects())


def test_a_change_draws_another_picture_and_says_other_words():
    one = explorer()
    before = one.picture.value
    one.controls["n"].value = 5
    assert one.picture.value == view(5)[0]._repr_html_() != before
    assert "n is 5 &amp; &lt;so on&gt;" in one.words.value


def test_the_widgets_come_with_a_picture_that_stands_still():
    one = explorer()
    bundle, _ = DisplayFormatter().format(one)
    assert bundle[WIDGET]["model_id"] == one.widget.model_id
    assert bundle["text/plain"] == "Explorer: Bar chart of F. n: n 1."
    alt, data = re.match(r'<img alt="([^"]+)" [^>]*src="data:image/webp;base64,([^"]+)">', bundle["text/html"]).groups()
    assert alt == "Bar chart of F. n: n 1."
    assert Image.open(io.BytesIO(base64.b64decode(data))).width > 100
    assert bundle["image/png"].startswith("iVBOR")
    assert one.widget.model_id not in bundle["text/html"] + bundle["text/plain"]  # it is another one in each run


@pytest.mark.parametrize("stored", [(WIDGET, "text/html", "text/plain"), ("text/html", "text/plain")])
def test_a_web_page_of_the_notebook_shows_the_picture(stored):
    bundle = explorer()._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", {kind: bundle[kind] for kind in stored}, execution_count=1)
    cell = nbformat.v4.new_code_cell("explorer()", outputs=[output], execution_count=1)
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert re.search('<img alt="Bar chart of F. n: n 1." [^>]*src="data:image/webp;base64,', page)


def test_an_error_after_a_change_gets_a_sentence_and_the_picture_stays():
    one = explorer()
    before = one.picture.value
    one.controls["n"].value = 7
    assert "n is 7; choose &lt;another&gt;<br>The picture below is still the one before." in one.words.value
    one.controls["n"].value = 8
    assert "an error of kind KeyError: &#x27;eight&#x27;" in one.words.value
    assert one.picture.value == before
    one.controls["n"].value = 2
    assert "n is 2" in one.words.value
    assert one.picture.value != before


def test_an_error_at_the_start_reaches_the_caller():
    with pytest.raises(ValueError, match="n is 7"):
        Explorer(view, {"n": IntSlider(value=7)})


def test_what_takes_long_says_so_meanwhile():
    heard = []

    def slow(n):
        if heard is not None and n > 1:
            heard.append(one.words.value)
        return view(n)

    one = explorer(slow, busy="Looking ...")
    one.controls["n"].value = 3
    assert len(heard) == 1
    assert "Looking ..." in heard[0]
    assert "n is 3" in one.words.value


def test_a_cell_that_is_run_twice_gives_two_explorers_that_do_not_meet():
    drawn = []

    def draw(n):
        drawn.append(n)
        return view(n)

    first, second = explorer(draw), explorer(draw)
    first.controls["n"].value = 4
    assert drawn == [1, 1, 4]
    assert "n is 1" in second.words.value
    second.controls["n"].value = 5
    assert drawn == [1, 1, 4, 5]
    assert "n is 4" in first.words.value


@pytest.mark.long
def test_fifty_changes_leave_no_figure_and_no_widget_behind():
    one = explorer(lambda n: (view(n % 7)[0], "words"))
    one.controls["n"].value = 2
    widgets, figures = len(_instances), count_figures()
    for number in range(50):
        one.controls["n"].value = number % 6
    assert (len(_instances), count_figures()) == (widgets, figures)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
