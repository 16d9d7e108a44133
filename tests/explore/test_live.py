"""A live figure brings its data, its picture and its widget; the scripts agree with Python about colours."""

import base64
import io
import json
import re

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_hex
from nbconvert import HTMLExporter
from PIL import Image

from igteach import explore, show
from igteach.explore import live
from igteach.lessons.build import WIDGET, without_widgets
from igteach.show import palette, plates

MOST_LINES = 1000


@pytest.fixture
def figure():
    still = show.bars(["n"], {"n": [1.0]}, ylabel="F")
    return explore.LiveFigure("path", {"note": "a < b & </script>", "start": 3}, still)


def test_a_notebook_gets_the_widget_and_what_a_page_needs(figure):
    bundle, _ = DisplayFormatter().format(figure)
    assert bundle["text/plain"] == "LiveFigure: Bar chart of F. n: n 1."
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).width > 100
    assert bundle[WIDGET]["model_id"] == figure.widget.model_id
    assert figure.widget.get_state()["data"] == figure.data
    assert figure.widget.get_state()["_esm"].startswith(live.all_scripts())
    assert "export default" in figure.widget.get_state()["_esm"]
    assert figure.widget.model_id not in bundle["text/html"] + bundle["text/plain"]  # it is another one in each run
    again, _ = DisplayFormatter().format(figure)
    assert again == bundle


def test_the_page_holds_the_data_and_the_picture_until_a_script_runs(figure):
    script = r'<script type="application/json">([^<]*)</script>'
    whole = rf'<div class="igteach-live" data-figure="path">{script}(<img [^>]*>)</div>'
    data, picture = re.fullmatch(whole, figure.html()).groups()
    assert json.loads(data) == figure.data
    assert 'alt="Bar chart of F. n: n 1."' in picture
    assert 'src="data:image/webp;base64,' in picture


def test_a_stored_notebook_keeps_the_figure_without_its_widget(figure):
    bundle = figure._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", bundle, execution_count=1)
    (kept,) = without_widgets([output])
    cell = nbformat.v4.new_code_cell("figure", outputs=[kept], execution_count=1)
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    (data,) = re.findall(r'data-figure="path"><script type="application/json">(.*?)</script>', page)
    assert json.loads(data) == figure.data
    assert re.search('<img alt="Bar chart of F. n: n 1." [^>]*src="data:image/webp;base64,', page)


def test_data_that_json_has_no_word_for_are_refused():
    still = show.bars(["n"], {"n": [1.0]}, ylabel="F")
    with pytest.raises(ValueError, match="not JSON compliant"):
        explore.LiveFigure("path", {"start": float("nan")}, still).html()


def test_the_scripts_are_plain_few_and_in_order():
    script = live.script()
    assert script.startswith("// What the live figures share")
    assert re.search(r"DOMContentLoaded.*: igteachLive\.start\(\);\n$", script)
    assert len(script.splitlines()) < MOST_LINES
    assert not re.search(r"\bimport\b[ ({]|\brequire\(|https?://(?!www\.w3\.org/2000/svg)", script)
    computing = {"common", "digits_network", "surfaces"}  # what figures share, and what two of them compute
    names = {script.name.removesuffix(".js") for script in live.SCRIPTS.iterdir()} - computing
    assert set(re.findall(r"^igteachLive\.figures\.(\w+) =", script, re.MULTILINE)) == names


def test_the_colours_and_limits_of_the_page_are_those_of_the_plates():
    common = live.SCRIPTS.joinpath("common.js").read_text(encoding="utf-8")
    colours = re.search(r"signed: \[(.*?)\]", common).group(1)
    wanted = [to_hex(palette.WHITE_IS_ZERO(quarter / 4)).upper() for quarter in range(5)]
    assert re.findall(r'"(.*?)"', colours) == wanted
    strokes = re.search(r"strokes: \[(.*?)\],? //", common).group(1)
    assert re.findall(r"#\w{6}", strokes) == [colour for colour, _ in palette.LINES[:4]]
    assert f"fewSquares: {plates.FEW_SQUARES}," in common
    assert f"coarse: {plates.COARSE}," in common
    assert f"-{plates.FAINTEST_OF_FEW} : coarse ? -{plates.FAINTEST}" in common
    assert plates.PALE_BLUE in common
    assert plates.GREY in common
