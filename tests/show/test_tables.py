"""The HTML of a table says what its data say."""

from html.parser import HTMLParser

import torch

import igteach
from igteach import show
from igteach.axioms.checks import axiom_table


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.texts, self.scopes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.texts.append("")
        if tag == "th":
            self.scopes.append(dict(attrs)["scope"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data


def only_functions(f, x, baseline=None, target=None):
    if isinstance(f, torch.nn.Module):
        raise NotImplementedError("this method has no rule for a network")
    return igteach.gradient(f, x, baseline, target)


def test_a_table_of_axioms_has_a_cell_for_each_verdict_with_its_notes():
    table = axiom_table({"IG": igteach.integrated_gradients, "<gradient>": igteach.gradient, "never": only_functions})
    shown, cells = show.axiom_table(table), Cells()
    cells.feed(shown._repr_html_())
    assert cells.open == []
    assert cells.scopes == ["col"] * 7 + ["row"] * 3
    rows = [cells.texts[i : i + 7] for i in range(7, 28, 7)]
    assert [row[0] for row in rows] == list(table.results)
    for row, results in zip(rows, table.results.values(), strict=True):
        for cell, result in zip(row[1:], results.values(), strict=True):
            assert cell.startswith({True: "✓ keeps", False: "✗ breaks", None: "- not applicable"}[result.holds])
            assert all(note in cell for note in result.notes)
    assert any("✗ breaks" in cell for cell in rows[1])
    assert repr(shown) == str(table)
