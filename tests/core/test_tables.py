"""Arrays and DataFrames in: the numbers they hold, the names of their columns, and what is refused in words."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from igteach.core.tables import read_floats, read_table

READERS = pytest.mark.parametrize("read", [read_floats, read_table])


class PolarsLike:
    """A frame as polars has it: columns are a list, types have no kind, and there is no index."""

    def __init__(self, **columns):
        self.columns, self.data = list(columns), columns

    def __getitem__(self, name):
        return PolarsSeries(self.data[name])

    def to_numpy(self):
        raise AssertionError("column by column, so that each keeps its type")


class PolarsSeries:
    dtype = "Float64"

    def __init__(self, numbers):
        self.numbers = np.array(numbers)

    def to_numpy(self):
        return self.numbers


@READERS
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", ">f8", "longdouble"])
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[::-1, ::-2], np.asfortranarray])
def test_an_array_of_floats_is_a_tensor_of_the_same_numbers_in_a_memory_of_its_own(read, dtype, view):
    array = view(np.arange(12).reshape(3, 4).astype(dtype) / 4)
    array.flags.writeable = False
    tensor, names = read("x", array)
    assert names is None
    assert tensor.tolist() == array.astype(float).tolist()
    assert tensor.dtype == {2: torch.float16, 4: torch.float32}.get(np.dtype(dtype).itemsize, torch.float64)
    tensor += 1
    assert array.ravel()[0] == view(np.arange(12).reshape(3, 4) / 4).ravel()[0]


@READERS
def test_a_tensor_comes_back_as_it_is(read):
    tensor = torch.ones(2, 3, dtype=torch.int32)
    assert read("x", tensor)[0] is tensor
    assert read("x", tensor)[1] is None


@READERS
def test_an_array_keeps_its_shape(read):
    assert read("x", np.ones((2, 3, 4), np.float32))[0].shape == (2, 3, 4)


@READERS
def test_a_frame_has_its_numbers_and_the_names_of_its_columns_in_their_order(read):
    frame = pd.DataFrame({"b": np.float32([1, 2]), "a": np.float32([3, 4])}, index=[7, 9])
    tensor, names = read("x", frame)
    assert tensor.tolist() == [[1, 3], [2, 4]]
    assert tensor.dtype == torch.float32
    assert names == ("b", "a")
    frame["c"] = [0.1, 0.2]
    assert read("x", frame)[0][:, 2].tolist() == [0.1, 0.2]
    assert read("x", frame)[0].dtype == torch.float64
    assert read("x", pd.DataFrame(np.eye(2)))[1] == ("0", "1")


@READERS
def test_a_series_is_one_row_with_the_names_of_its_index(read):
    tensor, names = read("baseline", pd.DataFrame({"age": [40.0, 60.0], "dose": [1.0, 2.0]}).mean())
    assert tensor.tolist() == [50, 1.5]
    assert names == ("age", "dose")


@READERS
def test_frames_of_other_libraries_are_read_by_their_columns(read):
    tensor, names = read("x", PolarsLike(a=[1.0, 2.0], b=[3.0, 4.0]))
    assert tensor.tolist() == [[1, 3], [2, 4]]
    assert names == ("a", "b")
    with pytest.raises(TypeError, match=r"^column 'b' of x is Float64, such as '5'; pass numbers"):
        read("x", PolarsLike(a=[1.0, 2.0], b=["5", "6"]))


def test_a_table_may_hold_whole_numbers_truth_values_and_gaps():
    frame = pd.DataFrame(
        {
            "visits": [3, 4],
            "smokes": [True, False],
            "age": [np.nan, 60],
            "pulse": pd.array([70, None], dtype="Int64"),
            "weight": pd.array([None, 61.5], dtype="Float32"),
            "fever": pd.array([None, True], dtype="boolean"),
        }
    )
    tensor, _ = read_table("x", frame)
    expected = [[3, 1, np.nan, 70, np.nan, np.nan], [4, 0, 60, np.nan, 61.5, 1]]
    torch.testing.assert_close(tensor, torch.tensor(expected, dtype=torch.float64), equal_nan=True)
    masked = np.ma.masked_equal(np.array([[1, 2], [3, 4]]), 3)
    torch.testing.assert_close(
        read_table("x", masked)[0], torch.tensor([[1, 2], [np.nan, 4]], dtype=torch.float64), equal_nan=True
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones((2, 2), int), r"^x is int64, which has no gradient; pass it .astype\('float32'\)"),
        (np.ones((2, 2), bool), "^x is bool, which has no gradient"),
        (pd.DataFrame({"a": [0.5], "n": [1]}), "^column 'n' of x is int64, which has no gradient"),
        (pd.DataFrame({"a": [0.5], "n": [True]}), "^column 'n' of x is bool, which has no gradient"),
        (pd.DataFrame({"a": pd.array([1, None], "Int64")}), "^column 'a' of x is Int64, which has no gradient"),
    ],
)
def test_whole_numbers_have_no_gradient(value, message):
    with pytest.raises(TypeError, match=message):
        read_floats("x", value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pd.DataFrame({"a": [0.5, 1], "b": [1, np.nan]}), "^column 'b' of x holds nan at row 1; fill it"),
        (pd.DataFrame({"a": pd.array([0.5, None], "Float64")}), "^column 'a' of x holds nan at row 1; fill it"),
        (pd.DataFrame({"a": [-np.inf]}), "^column 'a' of x holds -inf at row 0"),
        (np.array([[0.0, 1], [np.nan, 1]]), r"^x holds nan at \(1, 0\); fill it"),
        (np.ma.masked_equal(np.array([[1.0, 2], [3, 4]]), 2), r"^x holds nan at \(0, 1\); fill it"),
    ],
)
def test_a_network_takes_no_gaps(value, message):
    with pytest.raises(ValueError, match=message):
        read_floats("x", value)


@READERS
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pd.DataFrame({"a": [0.5], "sex": ["f"]}), "^column 'sex' of x is str, such as 'f'; pass numbers"),
        (pd.DataFrame({"a": pd.Series([1, "f"], dtype=object)}), "^column 'a' of x is object, such as 'f'; pass"),
        (pd.DataFrame({"a": pd.Series([1.5, 2.5], dtype=object)}), r"^column 'a' of x is object; .*astype\(float\)"),
        (pd.DataFrame({"c": pd.Categorical(["u", "v"])}), "^column 'c' of x is category, such as 'u'; .*the code of"),
        (pd.DataFrame({"c": pd.Categorical([1, 2])}), "^column 'c' of x is category; .*the code of each category"),
        (pd.DataFrame({"day": pd.to_datetime(["2020-01-01"])}), "^column 'day' of x is datetime64.*such as days since"),
        (np.array([[1, "a"], [2, "b"]], dtype=object), "^x is object, such as 'a' in column 1; pass numbers"),
        (np.array([["1", "2"]]), r"^x is <U1, such as .*'1'.* in column 0; pass numbers: .astype\(float\)"),
        (np.array([[1j]]), "^x is complex128, such as 1j in column 0; pass its real"),
        ([[0.5, 1.0]], "^x is list; pass a tensor, array or DataFrame"),
        (None, "^x is NoneType; pass a tensor"),
    ],
)
def test_what_is_no_number_is_refused_by_its_column(read, value, message):
    with pytest.raises(TypeError, match=message):
        read("x", value)


@READERS
def test_a_sparse_matrix_is_to_be_made_dense(read):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"^x is csr_matrix; pass x.toarray\(\)"):
        read("x", sparse.csr_matrix(np.eye(2)))


@READERS
def test_two_columns_of_one_name_and_no_column_are_refused(read):
    with pytest.raises(ValueError, match=r"^x has the column 'a' 2 times"):
        read("x", pd.DataFrame(np.eye(2), columns=["a", "a"]))
    with pytest.raises(ValueError, match=r"^x has no columns"):
        read("x", pd.DataFrame(index=[0, 1]))


def test_pandas_is_not_imported():
    code = "import sys, igteach.core.tables; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
