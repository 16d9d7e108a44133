"""An answer in a plain terminal: bars as long as the shares, names beside them, and ASCII where nothing else prints."""

import io
import sys

import pytest
import torch

from igteach import Attribution


def answer(values, **fields):
    first = next(iter(values.values())) if isinstance(values, dict) else values
    return Attribution(values, torch.full((len(first),), 2.0), torch.full((len(first),), 0.5), 9, **fields)


@pytest.fixture
def terminal(monkeypatch):
    def use(encoding):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))

    return use


VALUES = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, -0.5, 0.25, 0.25]])


def test_the_largest_come_first_and_the_others_are_added_up(terminal):
    terminal("utf-8")
    _, head, *rows = answer(VALUES, feature_names=("a", "b", "c", "d")).summary(1, count=2).splitlines()
    assert head == "example 1 of 2: F(x) = 2, F(x') = 0.5"
    assert [row.split()[0] for row in rows[:2]] == ["a", "b"]
    assert rows[2].strip().startswith("the other 2")
    assert [float(row.split()[-1]) for row in rows] == [1.0, -0.5, 0.5]
    assert [row.count("█") for row in rows] == [20, 10, 10]
    assert rows[0].index("│") == rows[1].index("│") == rows[1].rindex("█") + 1 == rows[0].index("█") - 1


def test_the_first_line_is_the_evidence(terminal):
    a = answer(VALUES)
    assert a.summary().splitlines()[0] == repr(a)
    assert "F(x')" not in Attribution(VALUES, torch.ones(2), None, 1).summary().splitlines()[1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_bars_gets_ascii(terminal, encoding):
    terminal(encoding)
    text = answer(VALUES, feature_names=("größe", "好", "c" * 40, "d")).summary(1)
    text.encode(encoding)
    assert "#" * 20 in text
    assert "~" in text
    assert "\\u597d" in text


def test_wide_characters_and_line_breaks_keep_the_columns(terminal):
    terminal("utf-8")
    *_, first, second = answer(torch.tensor([[2.0, 1.0]]), feature_names=("房间\n好", "ab")).summary().splitlines()
    assert first.startswith("房间 好 │")
    assert second.startswith("     ab │")


def test_places_stand_for_names_and_inputs_for_themselves(terminal):
    terminal("utf-8")
    values = torch.zeros(1, 2, 3)
    values[0, 1, 2] = 1
    assert "row 1, column 2 │" in answer(values).summary()
    assert "row 1, hot │" in answer(values, feature_names=("cold", "mild", "hot")).summary()
    assert "image: row 1, column 2 │" in answer({"age": torch.zeros(1, 4), "image": values}).summary()
    several = Attribution((torch.zeros(1, 4), values[:, None]), torch.ones(1), torch.zeros(1), 1)
    assert "input 1: channel 0, row 1, column 2 │" in several.summary()
    assert "0 │" in answer(torch.ones(2)).summary()


def test_zeros_have_no_bars(terminal):
    terminal("utf-8")
    assert "█" not in answer(VALUES).summary(0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((2,), "example is 2, and the answer has 2; pass 0 to 1"), ((0, 0), "count is 0; pass how many")],
)
def test_what_does_not_fit_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        answer(VALUES).summary(*arguments)
