"""What was saved comes back bit for bit, whole or not at all; another file is refused in words."""

import dataclasses
import json
import os
import sys
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from igteach import Attribution

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def same(one, other):
    """Whether two fields are the same bit for bit, in type, order, dtype and shape."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        bits = [tensor.contiguous().flatten().view(torch.uint8) for tensor in (one, other)]
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(*bits)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    return one == other


def fields(answer):
    return {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}


def number(draw, shape, dtype):
    return torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype)


FULL = Attribution(
    torch.tensor([[-0.0, 1e-45], [1.5, 2.0]]),
    torch.tensor([float("nan"), 1.0], dtype=torch.float64),
    torch.tensor([0.0, 1.0], dtype=torch.bfloat16),
    torch.tensor([3, 4]),
    error_estimate=torch.tensor([0.1, 0.2], dtype=torch.float16),
    converged=torch.tensor([True, False]),
    path_values=(torch.rand(2, 5, dtype=torch.float64), torch.rand(2, 0, dtype=torch.float64)),
    feature_names=("größe", 'a "quoted" name\n'),
)


def test_every_field_comes_back_bit_for_bit(tmp_path):
    FULL.save(tmp_path / "full.safetensors")
    assert same(fields(Attribution.load(tmp_path / "full.safetensors")), fields(FULL))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.lists(st.sampled_from(DTYPES), min_size=1, max_size=3), st.sampled_from("1td"))
def test_any_form_and_dtype_of_values_comes_back(tmp_path_factory, seed, dtypes, form):
    draw = torch.Generator().manual_seed(seed)
    tensors = [number(draw, (2, *range(1, 2 + i)), dtype) for i, dtype in enumerate(dtypes)]
    values = {"1": tensors[0], "t": tuple(tensors), "d": {f"z{-i}": one for i, one in enumerate(tensors)}}[form]
    answer = Attribution(values, number(draw, 2, dtypes[0]), None, 7)
    path = tmp_path_factory.mktemp("answers") / "answer"
    answer.save(path)
    assert same(fields(Attribution.load(path)), fields(answer))


def test_views_shared_and_required_gradients_are_saved_as_they_look(tmp_path):
    table = torch.arange(12.0).reshape(3, 4).requires_grad_()
    answer = Attribution(table.T, table[0], table[0], 1)
    answer.save(tmp_path / "answer")
    loaded = Attribution.load(tmp_path / "answer")
    assert same(loaded.values, table.T.detach().contiguous())
    assert torch.equal(loaded.f_baseline, loaded.f_input)


def test_the_file_is_plain_safetensors_with_json_and_the_usual_permissions(tmp_path):
    FULL.save(tmp_path / "answer")
    content = (tmp_path / "answer").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert json.loads(header["__metadata__"]["fields"])["feature_names"] == {"tuple": list(FULL.feature_names)}
    if os.name == "posix":
        assert (tmp_path / "answer").stat().st_mode & 0o777 == 0o644


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    FULL.save(tmp_path / "answer")
    before = (tmp_path / "answer").read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match=r"No space left on device: '.*answer'"):
        Attribution(torch.ones(1, 1), torch.ones(1), None, 1).save(tmp_path / "answer")
    assert (tmp_path / "answer").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        FULL.save(tmp_path / "nowhere" / "answer")


def test_what_a_file_cannot_hold_is_named(tmp_path):
    with pytest.raises(TypeError, match="cannot hold Fraction"):
        dataclasses.replace(FULL, f_baseline=Fraction(1, 2)).save(tmp_path / "answer")
    with pytest.raises(TypeError, match=r"cannot hold tensors of .*torch.complex128"):
        dataclasses.replace(FULL, f_input=torch.ones(2, dtype=torch.complex128)).save(tmp_path / "answer")
    assert list(tmp_path.iterdir()) == []


def write(path, fields, mark="attribution 1"):
    save_file({"0": torch.ones(1)}, path, metadata={"igteach": mark, "fields": fields})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b""), "did not write"),
        (lambda path: path.write_bytes(b"PK\3\4 a zip"), "did not write"),
        (lambda path: save_file({"weight": torch.ones(2)}, path), "no mark 'attribution 1'"),
        (lambda path: write(path, "{}", mark="attribution 2"), "no mark 'attribution 1'"),
        (lambda path: write(path, "{"), "did not write"),
        (lambda path: write(path, "[1]"), "did not write"),
        (lambda path: write(path, '{"values": {"code": "x"}}'), "field of kind 'code'"),
        (lambda path: write(path, '{"values": {"tensor": "7"}}'), "did not write: '7'"),
        (lambda path: write(path, "[" * 100_000), "did not write"),
        (lambda path: write(path, '{"colour": 1}'), r"fields \['colour'\] are not those of an answer"),
    ],
)
def test_a_file_that_is_no_answer_is_refused_by_name(tmp_path, make, message):
    make(tmp_path / "other")
    with pytest.raises(ValueError, match=message) as raised:
        Attribution.load(tmp_path / "other")
    assert "other" in str(raised.value)


def test_no_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        Attribution.load(tmp_path / "nothing")
    with pytest.raises(OSError, match=tmp_path.name):
        Attribution.load(tmp_path)


def test_a_truncated_file_is_refused(tmp_path):
    FULL.save(tmp_path / "answer")
    content = (tmp_path / "answer").read_bytes()
    (tmp_path / "answer").write_bytes(content[:-3])
    with pytest.raises(ValueError, match="did not write"):
        Attribution.load(tmp_path / "answer")


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(ImportError, match="needs safetensors: pip install safetensors"):
        FULL.save(tmp_path / "answer")
