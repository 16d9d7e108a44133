"""Answers as NumPy arrays and DataFrames: every share keeps its place and its name."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch

from igteach import Attribution


def answer(values, **fields):
    return Attribution(values, torch.zeros(2), None, 1, **fields)


SERIES = torch.arange(12.0).reshape(2, 3, 2)
AGE = torch.tensor([[4.0], [5.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("dtype", "array_dtype"),
    [
        (torch.float32, np.float32),
        (torch.float64, np.float64),
        (torch.float16, np.float16),
        (torch.bfloat16, np.float32),
    ],
)
def test_numpy_has_the_same_numbers(dtype, array_dtype):
    array = answer(SERIES.to(dtype).requires_grad_()).numpy()
    assert array.tolist() == SERIES.tolist()
    assert array.dtype == array_dtype


def test_numpy_keeps_the_form_of_several_inputs():
    first, second = answer((SERIES, AGE)).numpy()
    assert (first.shape, second.tolist()) == ((2, 3, 2), [[4.0], [5.0]])
    assert {name: array.shape for name, array in answer({"s": SERIES, "age": AGE}).numpy().items()} == {
        "s": (2, 3, 2),
        "age": (2, 1),
    }


def test_a_table_of_features_has_a_row_for_each_example():
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    frame = answer(values, feature_names=("age", "dose")).to_dataframe()
    assert frame.to_dict("list") == {"age": [1.0, 3.0], "dose": [2.0, 4.0]}
    assert frame.index.name == "example"
    assert list(answer(values).to_dataframe().columns) == [0, 1]


def test_any_other_tensor_is_a_long_table_whose_rows_find_their_share():
    frame = answer(SERIES).to_dataframe()
    assert list(frame.columns) == ["example", "axis_1", "axis_2", "share"]
    assert len(frame) == 12
    assert all(SERIES[row.example, row.axis_1, row.axis_2] == row.share for row in frame.itertuples())
    assert answer(torch.tensor([1.0, 2.0])).to_dataframe().to_dict("list") == {"example": [0, 1], "share": [1.0, 2.0]}


def test_a_long_table_has_the_names_of_the_last_axis():
    frame = answer(SERIES, feature_names=("pulse", "heat")).to_dataframe()
    table = frame.pivot_table(index=["example", "axis_1"], columns="feature", values="share")
    assert table.loc[(1, 2)].to_dict() == {"pulse": 10.0, "heat": 11.0}


@pytest.mark.parametrize(("values", "names"), [((AGE, SERIES), (0, 1)), ({"age": AGE, "s": SERIES}, ("age", "s"))])
def test_several_inputs_stand_one_below_another(values, names):
    frame = answer(values).to_dataframe()
    assert list(frame.columns) == ["example", "input", "axis_1", "axis_2", "share"]
    assert frame[frame.input == names[0]].share.tolist() == [4.0, 5.0]
    assert frame[frame.input == names[1]].share.tolist() == SERIES.flatten().tolist()
    assert frame.axis_2.isna().tolist() == [True] * 2 + [False] * 12
    assert pd.api.types.is_integer_dtype(frame.axis_2)


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_dataframe needs pandas: pip install pandas"):
        answer(SERIES).to_dataframe()
