"""What of a run's outputs is stored in a notebook."""

from nbformat.v4 import new_output

from igteach.lessons.build import WIDGET, without_widgets


def test_a_bar_goes_and_a_widget_leaves_its_picture():
    explorer = new_output("display_data", {WIDGET: {"model_id": "1"}, "text/html": "<img>", "text/plain": "Explorer"})
    bar = new_output("display_data", {WIDGET: {"model_id": "2"}, "text/plain": "  0%|          | 0/2"})
    printed = new_output("stream", text="tripod")
    table = new_output("execute_result", {"text/plain": "3"})
    kept = without_widgets([explorer, bar, printed, table])
    assert kept == [explorer, printed, table]
    assert set(explorer.data) == {"text/html", "text/plain"}
