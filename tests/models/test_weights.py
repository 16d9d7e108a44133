import hashlib
import re
import shutil
import subprocess
import sys

import pytest
import torch

from igteach.datasets.shipped import data_folder, load_state, save_state

SHIPPED = sorted(path.stem for path in data_folder().glob("*.safetensors"))


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped digits weights and of the list of sums."""
    for name in ("digits.safetensors", "SHA256SUMS"):
        shutil.copy(data_folder() / name, tmp_path)
    return tmp_path


@pytest.fixture
def no_parsing(monkeypatch):
    import safetensors.torch

    def parse(content):
        pytest.fail("the file was parsed")

    monkeypatch.setattr(safetensors.torch, "load", parse)


@pytest.mark.parametrize("position", [0, 100, -1])
def test_one_wrong_bit_is_refused_before_parsing(copy, no_parsing, position):
    path = copy / "digits.safetensors"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"digits\.safetensors has SHA-256 .* copy it again"):
        load_state("digits", copy)


def test_a_file_without_a_listed_sum_is_refused_before_parsing(copy, no_parsing):
    (copy / "digits.safetensors").rename(copy / "other.safetensors")
    with pytest.raises(ValueError, match=r"no line for other\.safetensors"):
        load_state("other", copy)


def test_without_the_list_of_sums_nothing_is_parsed(copy, no_parsing):
    (copy / "SHA256SUMS").unlink()
    with pytest.raises(FileNotFoundError, match="SHA256SUMS is missing"):
        load_state("digits", copy)


def test_a_missing_file_is_named_and_the_way_out_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"digits\.safetensors is missing; copy the folder data/"):
        load_state("digits", tmp_path)


def test_what_is_saved_is_loaded_and_other_sums_stay(copy):
    state = {"weight": torch.randn(3, 4).T, "bias": torch.arange(4.0)}
    save_state("mine", state, copy)
    loaded = load_state("mine", copy)
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    load_state("digits", copy)


@pytest.mark.parametrize("name", SHIPPED)
def test_card_and_list_state_the_sum_of_the_file(name):
    digest = hashlib.sha256((data_folder() / f"{name}.safetensors").read_bytes()).hexdigest()
    card = (data_folder() / f"{name}.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", card) == [digest]
    assert f"{digest}  {name}.safetensors" in (data_folder() / "SHA256SUMS").read_text().splitlines()


def test_what_is_listed_is_what_is_shipped_in_float32():
    listed = [line.split()[1] for line in (data_folder() / "SHA256SUMS").read_text().splitlines()]
    assert listed == [f"{name}.safetensors" for name in SHIPPED]
    assert len(SHIPPED) >= 3
    tensors = {(name, key): tensor for name in SHIPPED for key, tensor in load_state(name).items()}
    assert tensors.pop(("sentiment_zh", "characters")).dtype == torch.int64  # the vocabulary, as code points
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())


def test_importing_the_models_brings_neither_scikit_learn_nor_safetensors():
    code = "import sys, igteach.models.digits, igteach.datasets; print({'sklearn', 'safetensors'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
